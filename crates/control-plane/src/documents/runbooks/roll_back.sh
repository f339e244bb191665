if [ '{{ Operation }}' = Scan ]; then
    echo "It was only looked for patches: nothing was changed, so nothing is rolled back." >&2
    exit 1
fi
program='{{ RollbackCommand }}'
snapshots=$(printf '%s' '{{ variable:Snapshots }}' | tr -d '[]"' | tr ',' ' ')
if [ ! -x "$program" ]; then
    echo "This node is not rolled back: it has no program $program that could. Snapshots of before: ${snapshots:-none}." >&2
    exit 1
fi
exec "$program" $snapshots
