set -eu
folder='{{ Folder }}'
source=$(printf '%s' '{{ Source }}' | sed 's/VERSION/{{ Version }}/g')
rm -rf "$folder.new"
mkdir -p "$folder.new"
curl -fsSL --retry 3 -o "$folder.new.tar.gz" "$source"
tar -xzf "$folder.new.tar.gz" -C "$folder.new"
rm -f "$folder.new.tar.gz"
