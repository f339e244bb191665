folder='{{ Folder }}'
if [ -d "$folder" ] && [ -d "$folder.new" ]; then
    echo "This node has its version still: nothing is rolled back."
    do_service start '{{ ApplicationName }}' '{{ ServiceCommand }}'
    exit
fi
if [ ! -d "$folder.previous" ]; then
    echo "Nothing is rolled back: no version was here before. {{ ApplicationName }} {{ Version }} stays." >&2
    exit 1
fi
do_service stop '{{ ApplicationName }}' '{{ ServiceCommand }}' || :
rm -rf "$folder.failed"
if [ -d "$folder" ]; then
    mv "$folder" "$folder.failed"
fi
mv "$folder.previous" "$folder" || exit 1
do_service start '{{ ApplicationName }}' '{{ ServiceCommand }}'
