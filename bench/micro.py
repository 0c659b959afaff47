"""Runs the benchmarks of decoder and writer alone (`cargo bench`, with Divan) and reads their figures."""

import os
import pathlib
import re
import subprocess

import data
import measure

HERE = pathlib.Path(__file__).resolve().parent
# The bench targets of crates/decode and crates/lake.
TARGETS = ["decoder", "writer"]
# How often each is measured at least, and for how long.
SAMPLES, MIN_SECONDS = 30, 2
GIGABYTE = 1_000_000_000
UNITS = {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
# A line of Divan's tree: `│  ├─ avx2  4.1 ms │ …` names a benchmark, the line below has its throughput.
NAMED = re.compile(r"^(?P<indent>[│ ]*)[├╰]─ (?P<name>\S+)")
THROUGHPUT = re.compile(r"([0-9.]+) (%s)/s" % "|".join(UNITS))
# Fastest, slowest, median, mean.
MEDIAN = 2


def run(profile):
    """Gigabytes of CSV a second, on one core, by the name of the benchmark."""
    files = [data.ensure(name) for name in ("clean-15mb", "rough-15mb")]
    environment = os.environ | {"STILLHOUSE_BENCH_DATA": str(files[0].parent)}
    command = ["cargo", "bench", "--locked", "--profile", profile, "--workspace"]
    for target in TARGETS:
        command += ["--bench", target]
    command += ["--", "--sample-count", str(SAMPLES), "--min-time", str(MIN_SECONDS)]
    done = subprocess.run(
        command, cwd=HERE.parent, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    print(done.stdout, flush=True)
    if done.returncode != 0:
        raise measure.Failed(f"cargo bench ended with {done.returncode}")
    return speeds(done.stdout)


def speeds(text):
    """Median throughput in GB/s by `target/name` or `target/name/argument`."""
    found = {}
    target, path = "", []
    for line in text.splitlines():
        if (head := line.split(" ", 1)[0]) in TARGETS:
            target, path = head, []
        elif named := NAMED.match(line):
            depth = len(named["indent"]) // 3
            path = [*path[:depth], named["name"]]
        elif len(figures := THROUGHPUT.findall(line)) > MEDIAN:
            number, unit = figures[MEDIAN]
            found["/".join([target, *path])] = float(number) * UNITS[unit] / GIGABYTE
    missing = [target for target in TARGETS if not any(name.startswith(target + "/") for name in found)]
    if missing:
        raise measure.Failed(f"no throughput of {', '.join(missing)} in what cargo bench printed")
    return found
