"""What the peers share: how they are called, what they answer, and what durable means.

A peer is a program of its own: `python bench/peer_NAME.py DATA FOLDER [--awkward]` loads the file, or all files of a
folder, into FOLDER: TABLE.parquet, and what it refused. Those for events ask the questions of the report of these
files, too. Starting Python and importing the library are part of the work, as starting `stillhouse` is part of ours.
"""

import argparse
import datetime
import json
import os
import pathlib
import time
from dataclasses import dataclass, field

# The month of the files, as `stillhouse run 2024-01` understands it.
PREVIOUS_START = datetime.datetime(2023, 12, 1)
PERIOD_START = YEAR_START = datetime.datetime(2024, 1, 1)
PERIOD_END = datetime.datetime(2024, 2, 1)
TOP = 10


@dataclass
class Job:
    """What a peer is asked to do."""

    files: list
    folder: pathlib.Path
    # Tags may hold quotes of either kind, so that `', '` is not the only thing between them.
    awkward: bool
    started: float = field(default_factory=time.monotonic)
    phases: dict = field(default_factory=dict)

    @property
    def are_json_lines(self):
        return self.files[0].endswith(".jsonl")

    def table(self, name):
        return self.folder / f"{name}.parquet"

    @property
    def events(self):
        return self.table("events")

    @property
    def tags(self):
        return self.table("event_tags")

    @property
    def rejects(self):
        return self.table("rejects")

    def phase(self, name):
        """Ends a phase: seconds since the last one ended."""
        self.phases[name] = time.monotonic() - self.started - sum(self.phases.values())


def run(load, answer=None):
    """`load(job)` writes the files and says how many records it refused; `answer(job)` gives the rows of each query,
    where something is asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--awkward", action="store_true")
    given = parser.parse_args()
    job = Job(files(given.data), given.folder, given.awkward)
    refused = load(job)
    make_durable(job.folder)
    job.phase("load")
    queries = {}
    if answer:
        queries = {name: [list(row) for row in rows] for name, rows in answer(job).items()}
        job.phase("queries")
    result = {"refused": refused, "queries": queries, "phases": job.phases}
    (job.folder / "result.json").write_text(json.dumps(result, default=str))


def files(path):
    """The file, or all CSV files of a folder."""
    return [str(file) for file in sorted(path.rglob("*.csv"))] if path.is_dir() else [str(path)]


def make_durable(folder):
    """What is written survives a power cut: the files, then the folder that names them."""
    for path in [*sorted(folder.iterdir()), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
