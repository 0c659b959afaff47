"""Runs a program and says what it took: time, processor time, memory of the process and all it starts."""

import os
import pathlib
import subprocess
import threading
import time
from dataclasses import dataclass

SAMPLE_SECONDS = 0.02
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MEGABYTE = 1_000_000


class Failed(Exception):
    """A program ended with something else than 0."""


@dataclass(frozen=True)
class Taken:
    """What a program took."""

    seconds: float
    # User and system time of the process and of all that it waited for.
    cpu_seconds: float
    # The most that the processes had in memory together. For a single process it is what the kernel has noted, for
    # several the largest sum that was seen when they were looked at.
    peak_mb: float


def run(command, output):
    """Runs `command`, with its standard output in the file `output`."""
    log = output.with_suffix(".log")
    with open(output, "wb") as out, open(log, "wb") as err:
        started = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        sampler = Sampler(process.pid)
        sampler.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        seconds = time.monotonic() - started
        sampler.stop()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        said = log.read_text(errors="replace")[-2000:]
        raise Failed(f"{command[0]} ended with {process.returncode}:\n{said}")
    # The kernel's figure is in kB, and of the largest single process.
    peak = max(usage.ru_maxrss * 1024, sampler.peak)
    return Taken(seconds, usage.ru_utime + usage.ru_stime, peak / MEGABYTE)


class Sampler(threading.Thread):
    """Looks at the memory of a process and its descendants now and then."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid = pid
        self.peak = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(SAMPLE_SECONDS):
            processes = tree(self.pid)
            # Of one process alone the kernel knows better.
            if len(processes) > 1:
                self.peak = max(self.peak, sum(resident(pid) for pid in processes))

    def stop(self):
        self.ended.set()
        self.join()


def tree(pid):
    """The process and all that descend from it."""
    found, todo = [], [pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                todo.extend(int(child) for child in children.read_text().split())
            except OSError:
                pass  # It has ended meanwhile.
    return found


def resident(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (OSError, IndexError):
        return 0


def bytes_below(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def warm(path):
    """Reads all bytes below `path`, so that they are in the page cache."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            with open(file, "rb", buffering=0) as data:
                while data.read(1 << 20):
                    pass
