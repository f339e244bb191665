# What stands around a script of aws:executeScript: run by unshare as the first process of namespaces of its own, this makes
# a file system in which nothing but programs can be read and nothing but /tmp can be written, gives up every right, and
# becomes the program. Arguments: the data directory, seconds, program and its arguments. Says "sandboxed" when all is done.
set -eu
data=$1
seconds=$2
shift 2

# Where memory runs out, this goes first, and with its first process all of it: never the server.
{ echo 1000 > /proc/self/oom_score_adj; } 2> /dev/null || :
# Nothing in here makes namespaces of its own, with which it could get rights back: without that it is not run.
{ echo 0 > /proc/sys/user/max_user_namespaces; } 2> /dev/null ||
    { echo "/proc/sys/user/max_user_namespaces cannot be written in its namespace" >&2; exit 1; }

mount -t tmpfs -o size=1m,nr_inodes=512,mode=755,nosuid,nodev none /tmp
cd /tmp
mkdir dev etc proc tmp usr
mount -t tmpfs -o size=64m,nr_inodes=4096,mode=1777,nosuid,nodev none tmp

programs() {
    mount --bind "$1" ".$1"
    mount -o remount,bind,ro,nosuid,nodev ".$1" 2> /dev/null ||
        mount -o remount,bind,ro,nosuid,nodev,relatime ".$1"
    # Where data is kept within it, nothing is seen of that.
    case $data/ in
    "$1"/*) if [ -d ".$data" ]; then mount -t tmpfs -o ro,size=4k,mode=755 none ".$data"; fi ;;
    esac
}

programs /usr
for folder in /bin /sbin /lib /lib32 /lib64 /libx32; do
    if [ -L "$folder" ]; then
        ln -s "$(readlink "$folder")" ".$folder"
    elif [ -d "$folder" ]; then
        mkdir ".$folder"
        programs "$folder"
    fi
done
if [ -d /etc/alternatives ]; then
    mkdir etc/alternatives
    programs /etc/alternatives
fi
for device in null zero full random urandom; do
    : > "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t proc -o nosuid,nodev,noexec proc proc 2> /dev/null ||
    { echo "/proc cannot be mounted in its namespace" >&2; exit 1; }

mount -o remount,bind,ro,nosuid,nodev /tmp
pivot_root . .
umount -l .
cd /tmp
echo sandboxed
exec timeout -s KILL "$seconds" \
    setpriv --no-new-privs --bounding-set=-all --inh-caps=-all -- \
    prlimit --cpu="$seconds" --as=536870912 --nproc=64 --fsize=67108864 --nofile=256 --core=0 -- "$@"
