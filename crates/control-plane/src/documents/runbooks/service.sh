# Does something with a service, by whatever looks after services on this node. Arguments: what to do, its name, and a
# command of the owner's own, which is given both.
do_service() {
    if [ -n "$3" ]; then
        "$3" "$1" "$2"
    elif [ -d /run/systemd/system ]; then
        if [ "$1" = status ]; then systemctl is-active "$2"; else systemctl "$1" "$2"; fi
    elif command -v rc-service > /dev/null 2>&1; then
        rc-service "$2" "$1"
    elif [ -x "/etc/init.d/$2" ]; then
        "/etc/init.d/$2" "$1"
    else
        echo "$2 cannot be looked after: this node has neither systemd nor OpenRC, and no /etc/init.d/$2." >&2
        return 1
    fi
}
