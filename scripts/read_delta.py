#!/usr/bin/env python3
"""Reads Delta tables with engines that are not ours, and says whether all of them see the same rows.

    read_delta.py TABLE_DIR... [--where COLUMN OP VALUE]... [--no-probes]
    read_delta.py --self-test

For each table: `scan` reads the live Parquet files whole and filters afterwards, so no statistics are looked at.
`deltalake`, `duckdb` (delta_scan) and `chdb` (deltaLakeLocal) read the log themselves, and may leave out files whose
statistics exclude a filter. Facts are row count, nulls, sums, smallest and largest values, distinct `_object`. Filters
are the given ones and, unless `--no-probes`, some at the edges of each file's value ranges, where a wrong statistic
loses rows. Everything goes to standard output as one JSON object:

    {"format": 1, "agree": true, "tables": {NAME: {"agree", "columns", "files", "facts": {READER: {...}},
     "filters": [{"where", "scan", "deltalake", "duckdb", "chdb"}], "differences": [TEXT]}}}

Values are text: decimals without trailing zeros, times as microseconds since 1970, dates as YYYY-MM-DD.
Exit code: 0 all agree, 1 they do not, 2 wrong usage.
"""

import os

os.environ["TZ"] = "UTC"  # chdb reads timestamps in the zone of the process

import argparse
import datetime
import decimal
import json
import sys

import chdb.session
import deltalake
import duckdb
import duckdb_ext
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

READERS = ("deltalake", "duckdb", "chdb")
OPERATORS = {"=": pc.equal, "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal}
EDGES_PER_COLUMN_MAX = 6
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)


def kind(data_type):
    """The few kinds of column that all readers can compare; None for the others (lists, binary, bool)."""
    if pa.types.is_integer(data_type):
        return "int"
    if pa.types.is_decimal(data_type):
        return "decimal"
    if pa.types.is_floating(data_type):
        return "float"
    if pa.types.is_date(data_type):
        return "date"
    if pa.types.is_timestamp(data_type):
        return "time"
    if pa.types.is_string(data_type) or pa.types.is_large_string(data_type) or pa.types.is_string_view(data_type):
        return "text"
    return None


def canonical(value, column_kind):
    """One spelling for a value, whichever engine it came from."""
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        value = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return str((value - EPOCH) // MICROSECOND)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if column_kind == "float":
        return "%.9g" % float(value)  # engines add in different orders
    if column_kind == "decimal":
        text = format(decimal.Decimal(str(value)), "f")
        return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
    return str(value)


class Scan:
    """pyarrow over every live file: the answer that the others are held against."""

    def __init__(self, path):
        table = deltalake.DeltaTable(path)
        self.files = [uri.removeprefix("file://") for uri in table.file_uris()]
        self.schema = pa.schema(table.schema().to_arrow())
        self.parts = [self.part(file) for file in self.files]
        self.table = pa.concat_tables(self.parts) if self.parts else self.schema.empty_table()

    def part(self, file):
        # A file may lack columns that the table got later.
        return ds.dataset([file], schema=self.schema, format="parquet").to_table()

    def facts(self, columns):
        return arrow_facts(self.table, columns)

    def count(self, column, operator, value):
        mask = OPERATORS[operator](self.table[column], scalar(value, self.schema.field(column).type))
        return pc.sum(mask.cast(pa.int64())).as_py() or 0

    def edges(self, column):
        """Smallest and largest value of some files: where a wrong statistic would lose rows."""
        found = []
        for part in self.parts:
            ends = pc.min_max(part[column]).as_py()
            found += [ends["min"], ends["max"]]
        found = sorted({value for value in found if value is not None})
        step = max(1, len(found) // EDGES_PER_COLUMN_MAX)
        return (found[::step] + found[-1:])[: EDGES_PER_COLUMN_MAX + 1]


class Deltalake:
    """delta-rs for Python; its dataset carries the statistics as guarantees of each fragment."""

    def __init__(self, path, schema):
        self.dataset = deltalake.DeltaTable(path).to_pyarrow_dataset()
        self.schema = schema

    def facts(self, columns):
        return arrow_facts(self.dataset.to_table(), columns)

    def count(self, column, operator, value):
        field, literal = ds.field(column), scalar(value, self.schema.field(column).type)
        return self.dataset.count_rows(filter=OPERATORS[operator](field, literal))


class Sql:
    """What DuckDB and ClickHouse have in common."""

    def __init__(self, path, schema):
        self.schema = schema
        self.source = self.open(path)

    def facts(self, columns):
        wanted = [("rows", "count(*)", None)]
        for name, column_kind in columns:
            quoted = self.quote(name)
            wanted.append((f"nulls {name}", f"count(*) - count({quoted})", None))
            if column_kind in ("int", "decimal", "float"):
                wanted.append((f"sum {name}", self.sum(quoted, column_kind), column_kind))
            if column_kind is not None:
                for end in ("min", "max"):
                    wanted.append((f"{end} {name}", self.shown(f"{end}({quoted})", column_kind), column_kind))
            if name == "_object":
                wanted.append(("distinct _object", f"count(DISTINCT {quoted})", None))
        row = self.row("SELECT " + ", ".join(sql for _, sql, _ in wanted) + " FROM " + self.source)
        facts = {name: canonical(value, k) for (name, _, k), value in zip(wanted, row)}
        if facts["rows"] == "0":  # ClickHouse says 0 for the sum of nothing
            facts = {name: None if name.startswith("sum ") else value for name, value in facts.items()}
        return facts

    def count(self, column, operator, value):
        literal = self.literal(value, self.schema.field(column).type)
        return int(self.row(f"SELECT count(*) FROM {self.source} WHERE {self.quote(column)} {operator} {literal}")[0])

    def literal(self, value, data_type):
        column_kind = kind(data_type)
        if column_kind in ("int", "float"):
            return repr(value)
        if column_kind == "decimal":
            return f"CAST('{value:f}' AS DECIMAL({data_type.precision}, {data_type.scale}))"
        if column_kind == "time":
            return self.time(value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f"))
        return self.date(value.isoformat()) if column_kind == "date" else self.text(value)


class Duckdb(Sql):
    def open(self, path):
        self.connection = duckdb_ext.init(duckdb.connect())
        self.connection.execute("LOAD delta")
        return f"delta_scan({self.text(path)})"

    def row(self, sql):
        return self.connection.execute(sql).fetchone()

    def quote(self, name):
        return '"' + name.replace('"', '""') + '"'

    def sum(self, quoted, column_kind):
        return f"CAST(sum({quoted}) AS VARCHAR)"

    def shown(self, sql, column_kind):
        return f"epoch_us({sql})" if column_kind == "time" else sql

    def time(self, text):
        return f"TIMESTAMPTZ '{text}+00'"

    def date(self, text):
        return f"DATE '{text}'"

    def text(self, text):
        return "'" + text.replace("'", "''") + "'"


class Chdb(Sql):
    session = None  # one engine per process

    def open(self, path):
        if Chdb.session is None:
            os.chdir("/")  # chdb reads only below the working folder; every path here is absolute by now
            Chdb.session = chdb.session.Session()
        return f"deltaLakeLocal({self.text(path)})"

    def row(self, sql):
        settings = " SETTINGS output_format_json_quote_64bit_integers = 1, output_format_json_quote_decimals = 1"
        answer = json.loads(Chdb.session.query(sql + settings, "JSONCompact").bytes())
        return answer["data"][0]

    def quote(self, name):
        return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"

    def sum(self, quoted, column_kind):
        # Int64 sums wrap in ClickHouse; `_object` sums are large.
        return f"toString(sum(toInt256({quoted})))" if column_kind == "int" else f"toString(sum({quoted}))"

    def shown(self, sql, column_kind):
        return f"toUnixTimestamp64Micro({sql})" if column_kind == "time" else sql

    def time(self, text):
        return f"toDateTime64('{text}', 6, 'UTC')"

    def date(self, text):
        return f"toDate32('{text}')"

    def text(self, text):
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def scalar(value, data_type):
    if pa.types.is_string_view(data_type):
        data_type = pa.string()
    return pa.scalar(value, type=data_type)


def arrow_facts(table, columns):
    facts = {"rows": str(table.num_rows)}
    for name, column_kind in columns:
        values = table[name]
        facts[f"nulls {name}"] = str(values.null_count)
        if column_kind in ("int", "decimal", "float"):
            wide = values.cast(pa.decimal128(38, 0)) if column_kind == "int" else values
            total = pc.sum(wide).as_py()
            facts[f"sum {name}"] = canonical(int(total) if column_kind == "int" and total is not None else total, column_kind)
        if column_kind is not None:
            ends = pc.min_max(values).as_py()
            facts[f"min {name}"] = canonical(ends["min"], column_kind)
            facts[f"max {name}"] = canonical(ends["max"], column_kind)
        if name == "_object":
            facts["distinct _object"] = str(pc.count_distinct(values, mode="only_valid").as_py())
    return facts


def parse_value(text, data_type):
    """A `--where` value as the column's type."""
    column_kind = kind(data_type)
    if column_kind == "time":
        value = datetime.datetime.fromisoformat(text)
        return value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
    makers = {"int": int, "decimal": decimal.Decimal, "float": float, "date": datetime.date.fromisoformat, "text": str}
    return makers[column_kind](text)


def filters_for(scan, columns, wheres, probes):
    for column, operator, text in wheres:
        if column in scan.schema.names:
            yield column, operator, parse_value(text, scan.schema.field(column).type)
    for name, column_kind in columns if probes else ():
        if column_kind is None:
            continue
        for value in scan.edges(name):
            # Equality with a float is not the same question in every engine.
            for operator in ("<", ">") if column_kind == "float" else ("=", "<", ">"):
                yield name, operator, value


def check_table(path, wheres, probes):
    scan = Scan(path)
    schema = scan.schema
    # ClickHouse reads a missing list as an empty one, so lists are not compared.
    columns = [(field.name, kind(field.type)) for field in schema if not pa.types.is_nested(field.type)]
    readers = {"deltalake": Deltalake(path, schema), "duckdb": Duckdb(path, schema), "chdb": Chdb(path, schema)}
    facts = {"scan": scan.facts(columns)} | {name: reader.facts(columns) for name, reader in readers.items()}
    differences = [
        f"{name}: {fact} is {facts[name].get(fact)}, scan says {value}"
        for name in READERS
        for fact, value in facts["scan"].items()
        if facts[name].get(fact) != value
    ]
    filters = []
    for column, operator, value in filters_for(scan, columns, wheres, probes):
        where = f"{column} {operator} {canonical(value, kind(schema.field(column).type))}"
        counts = {"scan": scan.count(column, operator, value)}
        counts |= {name: reader.count(column, operator, value) for name, reader in readers.items()}
        filters.append({"where": where} | counts)
        differences += [
            f"{name}: {counts[name]} rows where {where}, scan says {counts['scan']}"
            for name in READERS
            if counts[name] != counts["scan"]
        ]
    return {
        "agree": not differences,
        "columns": [{"name": field.name, "type": str(field.type)} for field in schema],
        "files": len(scan.files),
        "facts": facts,
        "filters": filters,
        "differences": differences,
    }


def check(paths, wheres, probes):
    tables = {}
    for path in [os.path.abspath(path) for path in paths]:
        tables[os.path.basename(path)] = check_table(path, wheres, probes)
    return {"format": 1, "agree": all(table["agree"] for table in tables.values()), "tables": tables}


def sample_table(path):
    """Three files with every kind of column, nulls, an all-null column and awkward texts."""
    schema = pa.schema([
        ("id", pa.int64()), ("amount", pa.decimal128(12, 2)), ("ratio", pa.float64()), ("day", pa.date32()),
        ("at", pa.timestamp("us", tz="UTC")), ("name", pa.string()), ("nothing", pa.string()), ("flag", pa.bool_()),
        ("tags", pa.list_(pa.string())), ("raw", pa.binary()), ("_object", pa.int64()),
    ])
    names = ["o'neill", "back\\slash", "Zoë", "", None]
    for month in (1, 2, 3):
        numbers = range(5)
        rows = pa.table([
            [month * 10 + n for n in numbers],
            [decimal.Decimal(f"{month - 2}.{n}0") for n in numbers],
            [month + n / 3 for n in numbers],
            [datetime.date(2024, month, n + 1) for n in numbers],
            [datetime.datetime(2024, month, n + 1, 1, 2, 3, 456, tzinfo=datetime.timezone.utc) for n in numbers],
            names,
            [None] * 5,
            [True, False, None, True, True],
            [["x", "y"], [], None, ["z"], ["x"]],
            [b"\x00\xff"] * 5,
            [(month << 20) + 1] * 5,
        ], schema=schema)
        deltalake.write_deltalake(path, rows, mode="append")


def spoil_statistics(path):
    """Makes the newest file's log entry claim that its `id`s are smaller than they are."""
    log = os.path.join(path, "_delta_log")
    newest = os.path.join(log, sorted(name for name in os.listdir(log) if name.endswith(".json"))[-1])
    with open(newest, encoding="utf-8") as file:
        actions = [json.loads(line) for line in file]
    for action in actions:
        if "add" in action:
            stats = json.loads(action["add"]["stats"])
            stats["maxValues"]["id"] = stats["minValues"]["id"]
            action["add"]["stats"] = json.dumps(stats)
    with open(newest, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(action) + "\n" for action in actions)


def self_test():
    """A good table must agree, and a table with one wrong statistic must not, by every reader."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sample")
        sample_table(path)
        good = check([path], [("amount", ">", "0.15"), ("at", ">=", "2024-02-03T01:02:03.000456")], probes=True)
        assert good["agree"], json.dumps(good["tables"]["sample"]["differences"], indent=1)
        sample = good["tables"]["sample"]
        assert sample["facts"]["scan"]["rows"] == "15", sample["facts"]
        assert sample["facts"]["duckdb"]["sum amount"] == "1", sample["facts"]
        assert sample["facts"]["chdb"]["distinct _object"] == "3", sample["facts"]
        assert [f["scan"] for f in sample["filters"][:2]] == [8, 8], sample["filters"][:2]
        spoil_statistics(path)
        bad = check([path], [("id", ">", "32")], probes=False)["tables"]["sample"]
        for reader in READERS:
            assert bad["filters"][0][reader] < bad["filters"][0]["scan"], f"{reader} does not prune: {bad['filters']}"
    print(f"read_delta.py: self-test passed, {len(sample['filters'])} filters by {len(READERS)} readers")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", metavar="TABLE_DIR")
    parser.add_argument("--where", nargs=3, action="append", default=[], metavar=("COLUMN", "OP", "VALUE"))
    parser.add_argument("--no-probes", action="store_true", help="only the given filters")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        self_test()
        return 0
    if not arguments.tables or any(operator not in OPERATORS for _, operator, _ in arguments.where):
        parser.error(f"name at least one table; operators are {' '.join(OPERATORS)}")
    answer = check(arguments.tables, arguments.where, not arguments.no_probes)
    json.dump(answer, sys.stdout, indent=1)
    print()
    return 0 if answer["agree"] else 1


if __name__ == "__main__":
    sys.exit(main())
