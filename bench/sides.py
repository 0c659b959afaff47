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
# What the template's source says for CSV, and for JSON lines with ids that are numbers.
AS_JSON = {
    MONTHLY: MONTHLY.replace(".csv", ".jsonl"),
    'type = "csv"': 'type = "json"',
    'id = { type = "string", required = true }': 'id = { type = "int64", required = true }',
}


class Stillhouse:
    """The shipped `events` template or a project of projects/, in a folder of its own for each run."""

    name = "stillhouse"

    def __init__(self, program):
        self.program = program

    def version(self):
        return self.output("--version").split()[-1]

    def output(self, *arguments):
        command = [self.program, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout

    def prepare(self, folder, data, case):
        """Makes the project. The data are linked, not copied: they are in the page cache, and settled."""
        if case.work.project:
            shutil.copytree(HERE / "projects" / case.work.project, folder)
            (folder / "data").mkdir()
            link(data, folder / "data" / data.name)
            return
        self.output("init", str(folder), "--template", "events")
        shutil.rmtree(folder / "data")
        source = folder / "sources/events.toml"
        if data.is_dir():
            link_tree(data, folder / "data")
            replace_line(source, MONTHLY, DAILY)
            return
        month = folder / "data" / PERIOD.replace("-", "/")
        month.mkdir(parents=True)
        link(data, month / f"events{data.suffix}")
        if data.suffix == ".jsonl":
            for csv, json_lines in AS_JSON.items():
                replace_line(source, csv, json_lines)

    def command(self, folder, _data, case):
        what = ["run", PERIOD] if case.work.report else ["ingest"]
        return [self.program, "-C", folder, "--json", "--quiet", *what]

    def stored(self, folder):
        return folder / "lake"

    def queries(self, _folder, output, case):
        if not case.work.report:
            return {}
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

    def paths(self, folder, case):
        """A pattern of the Parquet files of each table. In a lake that was loaded once, every file is live."""
        return {table: str(folder / "lake" / table / "**/*.parquet") for table in case.work.tables}


class Peer:
    """A program of this folder that does the same with a library."""

    def __init__(self, name, python=sys.executable):
        self.name = name
        self.python = python

    def version(self):
        return importlib.metadata.version(self.name)

    def prepare(self, folder, _data, _case):
        folder.mkdir(parents=True)

    def command(self, folder, data, case):
        program = HERE / f"peer_{self.name}{case.work.program}.py"
        return [self.python, program, data, folder, *(["--awkward"] if case.awkward else [])]

    def stored(self, folder):
        return folder

    def result(self, folder):
        return json.loads((folder / "result.json").read_text())

    def queries(self, folder, _output, _case):
        return self.result(folder)["queries"]

    def facts(self, folder):
        return {"phases": self.result(folder)["phases"]}

    def paths(self, folder, case):
        """A pattern of the Parquet file of each table, and of what was refused where that was looked for."""
        paths = {table: str(folder / f"{table}.parquet") for table in case.work.tables}
        rejects = folder / "rejects.parquet"
        return paths | {"rejects": str(rejects)} if rejects.exists() else paths


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
