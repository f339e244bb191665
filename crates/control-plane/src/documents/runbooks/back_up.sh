set -eu
folder='{{ Folder }}'
rm -rf "$folder.previous"
if [ -d "$folder" ]; then
    mv "$folder" "$folder.previous"
fi
mv "$folder.new" "$folder"
