#!/usr/bin/env python3
"""Writes a Delta table as a program that is not ours writes it, and says what other readers see in it.

    write_delta.py DIR STEP...

The steps are done in their order, each a commit of delta-rs:

    plans         three plans; `plan`, `price`, `since`, `at`
    grow          one more plan, with a column `tier` that the others lack
    delete        the plan `basic` goes; its file is rewritten
    checkpoint    a checkpoint; no commit
    clean         entries of the log before the checkpoint go; no commit
    cities        a table of its own, partitioned by text, date, number, decimal, time and truth; some values are null

On standard output: {"version": N, "columns": [NAME...], "rows": [[TEXT or null...]...]}, read by delta-rs and compared
with DuckDB. Values are text: times in UTC as YYYY-MM-DDTHH:MM:SS[.ffffff]Z. When the two differ, nothing, and the exit code is 1.
"""

import os

os.environ["TZ"] = "UTC"

import datetime
import decimal
import json
import pathlib
import sys

import deltalake
import duckdb
import duckdb_ext
import pyarrow as pa

UTC = datetime.timezone.utc
PLANS = pa.schema([
    ("plan", pa.string()),
    ("price", pa.decimal128(10, 2)),
    ("since", pa.date32()),
    ("at", pa.timestamp("us", tz="UTC")),
])
CITIES = pa.schema([
    ("city", pa.string()),
    ("country", pa.string()),
    ("people", pa.int64()),
    ("day", pa.date32()),
    ("level", pa.int32()),
    ("share", pa.decimal128(6, 3)),
    ("at", pa.timestamp("us", tz="UTC")),
    ("big", pa.bool_()),
])


def plan(name, price, day):
    at = datetime.datetime(2024, 1, day, 12, 30, 0, day, tzinfo=UTC)
    return {"plan": name, "price": decimal.Decimal(price), "since": datetime.date(2024, 1, day), "at": at}


def plans(folder):
    rows = [plan("basic", "9.99", 1), plan("pro", "29.00", 2), plan("team", "99.50", 3)]
    deltalake.write_deltalake(folder, pa.Table.from_pylist(rows, schema=PLANS), mode="append")


def grow(folder):
    schema = PLANS.append(pa.field("tier", pa.int32()))
    rows = [plan("max", "199.00", 4) | {"tier": 3}]
    deltalake.write_deltalake(folder, pa.Table.from_pylist(rows, schema=schema), mode="append", schema_mode="merge")


def delete(folder):
    deltalake.DeltaTable(folder).delete("plan = 'basic'")


def checkpoint(folder):
    deltalake.DeltaTable(folder).create_checkpoint()


def clean(folder):
    log = pathlib.Path(folder, "_delta_log")
    last = json.loads((log / "_last_checkpoint").read_text())["version"]
    for entry in log.glob("*.json"):
        if int(entry.stem) < last:
            entry.unlink()


def cities(folder):
    noon = datetime.datetime(2024, 2, 29, 12, 0, 0, 500, tzinfo=UTC)
    day = datetime.date(2024, 2, 29)
    share = decimal.Decimal
    columns = list(CITIES.names)
    rows = [
        ["Köln", "DE", 1087, day, 1, share("0.125"), noon, True],
        ["Bonn", "DE", 331, day, 1, share("0.125"), noon, True],
        ["Lyon", "a b/c=d&é%20", 522, None, -7, share("1.500"), None, False],
        ["Nowhere", None, 0, None, None, None, None, None],
        ["Zürich", "__HIVE_DEFAULT_PARTITION__x", 443, datetime.date(1969, 12, 31), 2, share("0.000"), None, True],
    ]
    table = pa.Table.from_pylist([dict(zip(columns, row)) for row in rows], schema=CITIES)
    by = ["country", "day", "level", "share", "at", "big"]
    deltalake.write_deltalake(folder, table, mode="append", partition_by=by)


STEPS = {step.__name__: step for step in (plans, grow, delete, checkpoint, clean, cities)}


def text(value):
    if isinstance(value, datetime.datetime):
        shown = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
        return shown + "Z"
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def in_order(rows):
    return sorted([[text(value) for value in row] for row in rows], key=lambda row: json.dumps(row))


def main(arguments):
    folder, steps = arguments[0], arguments[1:]
    for step in steps:
        STEPS[step](folder)
    table = deltalake.DeltaTable(folder)
    columns = [field.name for field in table.schema().fields]
    rows = in_order(list(row.values()) for row in table.to_pyarrow_table(columns=columns).to_pylist())
    connection = duckdb_ext.init(duckdb.connect())
    connection.execute("LOAD delta")
    names = ", ".join('"' + name + '"' for name in columns)
    connection.execute("SET TimeZone = 'UTC'")
    found = connection.execute(f"SELECT {names} FROM delta_scan(?)", [folder]).fetch_arrow_table()
    others = in_order(list(row.values()) for row in found.to_pylist())
    if rows != others:
        print(f"delta-rs sees {rows}, DuckDB {others}", file=sys.stderr)
        return 1
    print(json.dumps({"version": table.version(), "columns": columns, "rows": rows}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
