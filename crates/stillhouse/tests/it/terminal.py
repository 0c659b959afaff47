"""Runs a program on a terminal of its own: 80 columns, 24 lines. Usage: terminal.py RUNS PROGRAM

RUNS is a JSON array of [arguments, steps], which are run one after the other. Steps are an array of [keys, text]: the keys
are typed, then the text is waited for behind the last one. Prints a JSON array: for each run what the terminal showed,
without the sequences that move its cursor and colour its text and with them, and how the program ended.
"""

import codecs, fcntl, json, os, pty, re, select, struct, sys, termios, time

SECONDS_MAX = 60


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]", "", text).replace("\r", "")


class Run:
    def __init__(self, command):
        self.shown, self.seen, self.ended = "", 0, False
        # A sign of several bytes may come in two pieces.
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.environ["TERM"] = "xterm-256color"
            os.environ.pop("COLUMNS", None)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            os.execv(command[0], command)

    def read(self, keys, text, deadline):
        """Reads on; the deadline is for programs that hang."""
        while not select.select([self.terminal], [], [], 1)[0]:
            if time.monotonic() > deadline:
                os.kill(self.child, 9)
                sys.exit(f"waited for {text!r}; the terminal showed {plain(self.shown)!r}")
            if keys == "\x03":  # nobody hears Ctrl-C between two states of the terminal: people press it again
                os.write(self.terminal, keys.encode())
        try:
            data = os.read(self.terminal, 65536)
        except OSError:  # Linux says so when the other side has closed
            data = b""
        self.ended = not data
        self.shown += self.decoder.decode(data)

    def step(self, keys, text):
        os.write(self.terminal, keys.encode())
        deadline = time.monotonic() + SECONDS_MAX
        while (found := plain(self.shown).find(text, self.seen)) < 0:
            if self.ended:
                sys.exit(f"ended without {text!r}; the terminal showed {plain(self.shown)!r}")
            self.read(keys, text, deadline)
        self.seen = found + len(text)

    def finish(self):
        deadline = time.monotonic() + SECONDS_MAX
        while not self.ended:
            self.read("", "the end", deadline)
        code = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        os.close(self.terminal)
        return {"shown": plain(self.shown), "raw": self.shown, "code": code}


answers = []
for arguments, steps in json.loads(sys.argv[1]):
    run = Run([sys.argv[2], *arguments])
    for keys, text in steps:
        run.step(keys, text)
    answers.append(run.finish())
print(json.dumps(answers))
