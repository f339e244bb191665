set -eu
folder='{{ Folder }}'
source=$(printf '%s' '{{ Source }}' | sed 's/VERSION/{{ Version }}/g')
expected='{{ Sha256 }}'
rm -rf "$folder.new"
mkdir -p "$folder.new"
curl -fsSL --retry 3 -o "$folder.new.tar.gz" "$source"
if [ -n "$expected" ]; then
    found=$(sha256sum "$folder.new.tar.gz" | cut -d ' ' -f 1)
    if [ "$found" != "$(printf '%s' "$expected" | tr 'A-F' 'a-f')" ]; then
        rm -rf "$folder.new" "$folder.new.tar.gz"
        echo "What lies at $source is not what was released: its SHA-256 is $found. Nothing was stopped." >&2
        exit 1
    fi
fi
tar -xzf "$folder.new.tar.gz" -C "$folder.new"
rm -f "$folder.new.tar.gz"
