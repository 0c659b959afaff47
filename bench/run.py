#!/usr/bin/env python3
"""Measures a run of `stillhouse` against DuckDB, Polars and pyarrow: `make bench`, or `bench/run.py --help`.

All sides take turns, round after round, each into an empty folder. After the first round their answers, refused records
and rows are compared; a difference ends the benchmark with 1. Figures go into docs/benchmarks.md and .json.
"""

import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import cases
import compare
import data
import measure
import micro
import publish
import sides

HERE = pathlib.Path(__file__).resolve().parent


class Differs(Exception):
    """Two sides do not come to the same."""


def main():
    given = arguments()
    known = cases.CASES | cases.SMOKE
    chosen = [known[name] for name in given.cases]
    ours = sides.Stillhouse(given.program.resolve())
    peers = [sides.Peer(name) for name in given.peers]
    # Stopped by a signal, it clears away what lies in the scratch folder, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: stopped"))
    scratch = given.scratch or data.cache().parent / "bench-scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    report = publish.Report(given.out, given.profile, [ours, *peers])
    try:
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            for case in chosen:
                # Written at once, so that what comes later cannot lose it.
                report.add(case, run_case(case, ours, peers, given.rounds, pathlib.Path(folder)))
        if given.micro:
            report.add_micro(micro.run(given.profile))
    except (Differs, measure.Failed) as error:
        sys.exit(f"bench: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"bench: {error}\n{error.stderr}")
    say(f"written: {report.json}, {report.markdown}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, required=True, help="the built stillhouse")
    parser.add_argument("--profile", default="release", help="how it was built; stands in the report")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", type=names(cases.CASES | cases.SMOKE), default=list(cases.CASES), metavar="NAME,…")
    parser.add_argument("--peers", type=names(sides.PEERS), default=sides.PEERS, metavar="NAME,…")
    parser.add_argument("--micro", action=argparse.BooleanOptionalAction, default=True, help="decoder and writer alone")
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent / "docs", help="folder of the report")
    parser.add_argument("--scratch", type=pathlib.Path, help="folder for lakes; on the disk that is to be measured")
    return parser.parse_args()


def names(known):
    def parse(text):
        chosen = [name for name in text.split(",") if name]
        unknown = [name for name in chosen if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"no `{unknown[0]}`; there are {', '.join(known)}")
        return chosen

    return parse


def run_case(case, ours, peers, rounds, scratch):
    """Rounds of measurements by side, and what was compared."""
    path = data.ensure(case.data)
    measure.warm(path)
    all_sides = [ours, *peers]
    taken = {side.name: [] for side in all_sides}
    again = []
    facts = {}
    for number in range(rounds):
        # Whoever comes first in one round comes last in the next.
        turn = number % len(all_sides)
        folders = {}
        for side in all_sides[turn:] + all_sides[:turn]:
            folder = folders[side.name] = scratch / side.name
            side.prepare(folder, path, case)
            os.sync()
            output = scratch / f"{side.name}.out"
            took = measure.run(side.command(folder, path, case), output)
            taken[side.name].append((took, measure.bytes_below(side.stored(folder))))
            say(f"{case.name} round {number + 1}/{rounds}: {side.name} {took.seconds:.2f} s, "
                f"{took.cpu_seconds:.2f} s of processor, {took.peak_mb:.0f} MB")
            if side is ours and case.again:
                again.append(measure.run(side.command(folder, path, case), scratch / "again.out"))
                say(f"{case.again} round {number + 1}/{rounds}: {again[-1].seconds:.2f} s")
        if number == 0:
            facts = compared(case, ours, peers, scratch)
            facts["input_bytes"] = measure.bytes_below(path) if path.is_dir() else path.stat().st_size
        for folder in folders.values():
            shutil.rmtree(folder)
    return {"taken": taken, "again": again, "facts": facts}


def compared(case, ours, peers, scratch):
    """Raises an error that names every difference; otherwise what the tables hold."""
    started = time.monotonic()
    all_sides = [ours, *peers]
    held = compare.held(sys.executable, {side.name: side.paths(scratch / side.name, case) for side in all_sides})
    mine = ours.queries(scratch / ours.name, scratch / f"{ours.name}.out", case)
    refused = ours.refused(scratch / ours.name)
    problems = []
    for peer in peers:
        found = compare.answers(mine, peer.queries(scratch / peer.name, None, case))
        found += compare.rows(held[ours.name]["tables"], held[peer.name]["tables"])
        found += compare.refused(refused, held[peer.name]["refused"])
        problems += [f"{case.name}: {peer.name}: {problem}" for problem in found]
    if problems:
        raise Differs("the sides differ\n" + "\n".join(problems))
    loaded = {table: found[0] for table, found in held[ours.name]["tables"].items()}
    if peers:
        tables = ", ".join(f"{count} {table}" for table, count in loaded.items())
        say(f"{case.name}: {len(mine)} queries, {tables} and {len(refused)} refused records are the same on all sides "
            f"({time.monotonic() - started:.0f} s to compare)")
    return {
        "rows": loaded[case.work.tables[0]],
        **({"tags": loaded["event_tags"]} if "event_tags" in loaded else {}),
        "loaded": loaded,
        "refused": len(refused),
        "compared_with": [peer.name for peer in peers],
        **ours.facts(scratch / ours.name),
        "peer_phases": {peer.name: peer.facts(scratch / peer.name)["phases"] for peer in peers},
    }


def say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
