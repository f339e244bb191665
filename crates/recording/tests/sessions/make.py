"""Makes the sessions in this folder: runs real programs in a real terminal and writes down what they send.

    unshare --pid --fork --mount-proc python3 make.py        (as root, so that `top` shows these programs only)

A line is `microseconds o hexadecimal` for output, `microseconds r COLSxROWS` for a new size.
"""
import fcntl, os, pathlib, pty, select, struct, sys, tempfile, termios, time

HERE = pathlib.Path(__file__).resolve().parent
ENV = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": "/nonexistent", "PS1": "$ "}
TEXT = "".join(f"{n:04} Grüße aus Köln, 漢字かな, 🎉 and {'x' * (n % 60)} end\n" for n in range(400))
COLOURS = r"""
for i in $(seq 0 255); do printf '\033[38;5;%sm%4s\033[0m' $i $i; done; echo
for i in $(seq 0 12 240); do printf '\033[48;2;%s;80;%sm  \033[0m' $i $((240 - i)); done; echo
printf '\033]0;a title\007\033[1;3;4;7mall\033[0m \033(0lqqk\033(B\n\033[5;10r\033[6;3Hregion\n\n\n\n\n\nscrolled\033[r\033[20;1H'
printf 'tab\ttab\033[3gno\ttabs\r\033[8C\033H\r\tone\n\033[?7lno wrap %0100d\033[?7h\n' 7
"""

def run(name, argv, keys, size=(80, 24), resizes=()):
    folder = tempfile.mkdtemp()
    pathlib.Path(folder, "notes.txt").write_text(TEXT)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execvpe(argv[0], argv, ENV)
    def resize(columns, rows):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    resize(*size)
    lines, begun = [f"0 r {size[0]}x{size[1]}"], time.monotonic()
    def now():
        return int((time.monotonic() - begun) * 1e6)
    def read(seconds):
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and select.select([terminal], [], [], left)[0]:
            try:
                data = os.read(terminal, 4096)
            except OSError:
                return
            if not data:
                return
            lines.append(f"{now()} o {data.hex()}")
    read(0.5)
    for number, key in enumerate(keys):
        for at, columns, rows in resizes:
            if at == number:
                lines.append(f"{now()} r {columns}x{rows}")
                resize(columns, rows)
                read(0.3)
        os.write(terminal, key.encode())
        read(0.25)
    os.close(terminal)
    os.waitpid(child, 0)
    (HERE / f"{name}.session").write_text("\n".join(lines) + "\n")
    print(name, len(lines), "lines")

BASH = ["bash", "--norc", "--noprofile", "-i"]
run("shell", BASH, ["ls -l\r", "seq 1 300\r", "clear\r", "echo wide 漢字 ä\r", "printf 'a\\tb\\n'\r", "cat notes.txt\r", "history\x15", "echo a long line that is wrapped because it does not fit into eighty columns at all, no\r", "exit\r"], resizes=[(5, 60, 20), (7, 100, 30)])
run("vim", ["vim", "-u", "NONE", "-N", "-c", "set nu ruler laststatus=2 title hlsearch mouse=a | syntax on", "notes.txt"], [":sp\r", "\x04", "\x04", "/Köln\r", "n", "dd", "ofür immer\x1b", "u", "G", "gg", "V10jd", ":vs\r", "\x17w", "\x06", ":!echo from the shell\r", "\r", ":qa!\r"], resizes=[(6, 120, 40), (12, 70, 20)])
run("less", ["less", "-R", "notes.txt"], [" ", " ", "/0200\r", "n", "b", "G", "g", "q"])
run("colours", ["bash", "--norc", "--noprofile", "-c", COLOURS], [])
run("top", ["top", "-d", "0.3", "-n", "8"], ["", "1", "", "x", "z", "", "q"])
run("tmux", ["tmux", "-L", "session-maker", "-f", "/dev/null", "new-session", "bash --norc --noprofile -i"], ["\x02:set -g status-right \"\" ; set -g default-command \"bash --norc --noprofile -i\"\r",  "seq 1 100\r", "\x02%", "top -d 0.3 -n 3\r", "", "\x02\"", "ls --color=always -l\r", "\x02o", "\x02[", "\x1b[5~", "q", "\x02:kill-server\r"], size=(100, 30), resizes=[(9, 80, 24)])
