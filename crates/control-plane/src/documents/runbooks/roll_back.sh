program='{{ RollbackCommand }}'
snapshots=$(printf '%s' '{{ variable:Snapshots }}' | tr -d '[]"' | tr ',' ' ')
if [ ! -x "$program" ]; then
    echo "This node is not rolled back: it has no program $program that could. Snapshots of before: ${snapshots:-none}." >&2
    exit 1
fi
exec "$program" $snapshots
