set -eu
used=$(df -P / | awk 'NR == 2 { sub("%", "", $5); print $5 }')
if [ "$used" -ge 98 ]; then
    echo "The root file system is $used % full." >&2
    exit 1
fi
uptime
