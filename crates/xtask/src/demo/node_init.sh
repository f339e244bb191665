#!/bin/sh
# First process of a demo node, already in mount, pid, uts and network namespaces of its own: lays the
# node's system over the shared one, then becomes that system's first process.
# Given: NODE (a fresh directory), LOWER (the shared system), STATE (outlives the node), PROGRAM, NAME,
# ENDPOINT, and for a node that has to register: ACTIVATION_ID, MUSTER_ACTIVATION_CODE, REGION.
set -eu

mount --make-rprivate /
ROOT="$NODE/root"
mkdir -p "$NODE/upper" "$NODE/work" "$ROOT"
if ! mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$NODE/upper,workdir=$NODE/work" "$ROOT" 2>/dev/null
then
    # An overlay cannot lie on every file system: then the node gets a copy.
    cp -a "$LOWER/." "$ROOT/"
    mount --bind "$ROOT" "$ROOT"
fi

mount -t proc proc "$ROOT/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$ROOT/sys"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$ROOT/tmp"
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$ROOT/run"
mount -t tmpfs -o mode=755,nosuid tmpfs "$ROOT/dev"
for device in null zero full random urandom tty; do
    : >"$ROOT/dev/$device"
    mount --bind "/dev/$device" "$ROOT/dev/$device"
done
mkdir "$ROOT/dev/pts" "$ROOT/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$ROOT/dev/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$ROOT/dev/shm"
ln -s pts/ptmx "$ROOT/dev/ptmx"
ln -s /proc/self/fd "$ROOT/dev/fd"
ln -s /proc/self/fd/0 "$ROOT/dev/stdin"
ln -s /proc/self/fd/1 "$ROOT/dev/stdout"
ln -s /proc/self/fd/2 "$ROOT/dev/stderr"

mkdir -p "$ROOT/usr/local/bin" "$ROOT/var/lib/muster" "$STATE"
: >"$ROOT/usr/local/bin/muster"
mount --bind "$PROGRAM" "$ROOT/usr/local/bin/muster"
mount -o remount,bind,ro "$ROOT/usr/local/bin/muster"
mount --bind "$STATE" "$ROOT/var/lib/muster"

echo "$NAME" >/proc/sys/kernel/hostname
echo "$NAME" >"$ROOT/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$NAME" >"$ROOT/etc/hosts"
# The identity of a machine must not be that of the system it was made from.
[ -s "$STATE/machine-id" ] || tr -d - </proc/sys/kernel/random/uuid >"$STATE/machine-id"
cp "$STATE/machine-id" "$ROOT/etc/machine-id"

cat >"$ROOT/usr/local/sbin/demo-node" <<'MAIN'
#!/bin/sh
# Keeps the agent going, as an init system would, and reaps what it leaves behind.
cd /root
# The code is in the environment: arguments can be read by everybody on a machine.
until [ -e /var/lib/muster/identity.json ]; do
    muster agent register --endpoint "$ENDPOINT" --activation-id "$ACTIVATION_ID" \
        --region "$REGION" --state-dir /var/lib/muster || sleep 2
done
unset ACTIVATION_ID MUSTER_ACTIVATION_CODE
while :; do
    muster agent run --state-dir /var/lib/muster
    echo "the agent ended with $?; starting it again"
    sleep 1
done
MAIN
chmod 755 "$ROOT/usr/local/sbin/demo-node"

cd "$ROOT"
mkdir -p .old
pivot_root . .old
exec chroot . /bin/sh -c 'umount -l /.old && rmdir /.old; exec env -i \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    ENDPOINT="$ENDPOINT" REGION="${REGION:-}" \
    ACTIVATION_ID="${ACTIVATION_ID:-}" MUSTER_ACTIVATION_CODE="${MUSTER_ACTIVATION_CODE:-}" \
    /bin/sh /usr/local/sbin/demo-node'
