"""Those who are compared: each makes what a run needs, says which commands to measure, and reads the answers."""

import importlib.metadata
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PERIOD = "2024-01"
# The path of the template's source, and the one for many files a day.
MONTHLY, DAILY = 'path = "data/{yyyy}/{MM}/events.csv"', 'path = "data/{yyyy}/{MM}/{dd}/*.csv"'


class Stillhouse:
    """The shipped `events` template, in a project of its own for each run."""

    name = "stillhouse"

    def __init__(self, program):
        self.program = program

    def version(self):
        return self.output("--version").split()[-1]

    def output(self, *arguments):
        command = [self.program, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout

    def prepare(self, folder, data):
        """Makes the project. The data are linked, not copied: they are in the page cache, and settled."""
        self.output("init", str(folder), "--template", "events")
        shutil.rmtree(folder / "data")
        if data.is_dir():
            link_tree(data, folder / "data")
            replace_line(folder / "sources/events.toml", MONTHLY, DAILY)
        else:
            month = folder / "data" / PERIOD.replace("-", "/")
            month.mkdir(parents=True)
            link(data, month / "events.csv")

    def command(self, folder, _data, _awkward):
        return [self.program, "-C", folder, "--json", "--quiet", "run", PERIOD]

    def stored(self, folder):
        return folder / "lake"

    def queries(self, _folder, output):
        (report,) = json.loads(output.read_text())["reports"]
        return {name: query["rows"] for name, query in report["queries"].items()}

    def refused(self, folder):
        """Each refused record, by its ordinal in its file."""
        if not (folder / "lake/_quarantine").exists():
            return []  # Nothing was ever refused.
        return [record for (record,) in self.sql(folder, "SELECT _record FROM _quarantine ORDER BY key, _record")]

    def sql(self, folder, query):
        return json.loads(self.output("-C", str(folder), "--json", "sql", query))["rows"]

    def facts(self, folder):
        """What only we have: receipts, and commits to all tables."""
        receipts = self.sql(folder, "SELECT count(*) FROM _receipts WHERE key IS NOT NULL")[0][0]
        return {"receipts": receipts, "commits": len(list(folder.glob("lake/*/_delta_log/*[0-9].json")))}

    def tables(self, folder):
        """Patterns of the Parquet files of events and of tags. In a lake that was loaded once, every file is live."""
        return [str(folder / "lake" / table / "**/*.parquet") for table in ("events", "event_tags")]


class Peer:
    """A program of this folder that does the same with a library."""

    def __init__(self, name):
        self.name = name

    def version(self):
        return importlib.metadata.version(self.name)

    def prepare(self, folder, _data):
        folder.mkdir(parents=True)

    def command(self, folder, data, awkward):
        return [sys.executable, HERE / f"peer_{self.name}.py", data, folder, *(["--awkward"] if awkward else [])]

    def stored(self, folder):
        return folder

    def result(self, folder):
        return json.loads((folder / "result.json").read_text())

    def queries(self, folder, _output):
        return self.result(folder)["queries"]

    def facts(self, folder):
        return {"phases": self.result(folder)["phases"]}

    def tables(self, folder):
        return [str(folder / "events.parquet"), str(folder / "event_tags.parquet")]


PEERS = ["duckdb", "polars", "pyarrow"]


def link(file, to):
    try:
        os.link(file, to)
    except OSError:  # The cache is on another file system.
        shutil.copy2(file, to)


def link_tree(data, to):
    for file in sorted(data.rglob("*.csv")):
        place = to / file.relative_to(data)
        place.parent.mkdir(parents=True, exist_ok=True)
        link(file, place)


def replace_line(file, old, new):
    text = file.read_text()
    if text.count(old) != 1:
        raise ValueError(f"{file}: expected one line `{old}`; the template has changed, and so must the benchmark")
    file.write_text(text.replace(old, new))
