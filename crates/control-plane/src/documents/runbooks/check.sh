for _ in $(seq {{ HealthCheckSeconds }}); do
    if curl -fsS --max-time 5 -o /dev/null '{{ HealthCheckUrl }}'; then
        echo "{{ ApplicationName }} {{ Version }} is well."
        exit 0
    fi
    sleep 1
done
echo "{{ ApplicationName }} {{ Version }} is not well after {{ HealthCheckSeconds }} tries." >&2
exit 1
