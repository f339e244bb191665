set -eu
folder='{{ Folder }}'
rm -rf "$folder.older"
if [ -d "$folder.previous" ]; then
    mv "$folder.previous" "$folder.older"
fi
if [ -d "$folder" ]; then
    mv "$folder" "$folder.previous"
fi
mv "$folder.new" "$folder"
rm -rf "$folder.older"
