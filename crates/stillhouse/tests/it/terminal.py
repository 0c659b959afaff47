"""Runs a program on a terminal of its own: 80 columns, 24 lines. Usage: terminal.py STEPS PROGRAM [ARGUMENT…]

STEPS is a JSON array of [keys, text]: the keys are typed, then the text is waited for behind the last one. Prints a JSON
object: what the terminal showed, without the sequences that move its cursor, and how the program ended.
"""

import fcntl, json, os, pty, re, select, struct, sys, termios, time

SECONDS_MAX = 60
steps, command = json.loads(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.environ.update(TERM="xterm", NO_COLOR="1")
    os.environ.pop("COLUMNS", None)
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execv(command[0], command)

shown, seen, ended = "", 0, False


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]", "", text).replace("\r", "")


def read():
    """Reads on; the deadline is for programs that hang."""
    global shown, ended
    while not select.select([terminal], [], [], 1)[0]:
        if time.monotonic() > deadline:
            os.kill(child, 9)
            sys.exit(f"waited for {text!r}; the terminal showed {plain(shown)!r}")
        if keys == "\x03":  # nobody hears Ctrl-C between two states of the terminal: people press it again
            os.write(terminal, keys.encode())
    try:
        data = os.read(terminal, 65536)
    except OSError:  # Linux says so when the other side has closed
        data = b""
    ended = not data
    shown += data.decode("utf-8", "replace")


for keys, text in steps:
    os.write(terminal, keys.encode())
    deadline = time.monotonic() + SECONDS_MAX
    while (found := plain(shown).find(text, seen)) < 0:
        if ended:
            sys.exit(f"ended without {text!r}; the terminal showed {plain(shown)!r}")
        read()
    seen = found + len(text)
keys, text, deadline = "", "the end", time.monotonic() + SECONDS_MAX
while not ended:
    read()
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps({"shown": plain(shown), "code": code}))
