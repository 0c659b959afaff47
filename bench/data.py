#!/usr/bin/env python3
"""Makes the files that `make bench` reads: `python3 bench/data.py [NAME…]` prints their paths.

Standard library only, besides pyarrow for Parquet. The same bytes come out on every machine, which is said when it does
not hold; each file is held against its digest before it is used, and made anew where it was damaged. They lie in the
cache folder, outside the clone.
"""

import functools
import hashlib
import multiprocessing
import os
import pathlib
import shutil
import sys
import time
from dataclasses import dataclass

import orders
import rows

SEED = 1
MEGABYTE = 1_000_000
# What pyarrow gives a row group by itself.
ROW_GROUP_ROWS = 1 << 20


@dataclass(frozen=True)
class Kind:
    """How the records of a file are made: in chunks, each by its first id."""

    suffix: str
    make: callable
    header: str = ""
    chunk_records: int = rows.CHUNK_ROWS
    # A record has more bytes than this.
    record_bytes: int = 100


KINDS = {
    "clean": Kind("csv", rows.clean, ",".join(rows.COLUMNS) + "\n"),
    "rough": Kind("csv", rows.rough, ",".join(rows.ROUGH_COLUMNS) + "\n"),
    "lines": Kind("jsonl", rows.lines),
    "orders": Kind("jsonl", orders.lines, chunk_records=orders.CHUNK_ORDERS, record_bytes=orders.BYTES_LEAST),
}


@dataclass(frozen=True)
class File:
    """One file of invented events or orders."""

    name: str
    kind: str
    megabytes: float
    # SHA-256 of its bytes.
    digest: str

    @property
    def file_name(self):
        return f"{self.name}.{KINDS[self.kind].suffix}"

    def make(self, path):
        make_file(self, path)


@dataclass(frozen=True)
class Folder:
    """Many small CSV files, `YYYY/MM/DD/NNNN.csv`, of a month."""

    name: str
    files: int
    bytes_each: int
    # SHA-256 of their bytes, one after the other in the order of their paths.
    digest: str

    @property
    def file_name(self):
        return self.name

    def make(self, path):
        make_folder(self, path)


@dataclass(frozen=True)
class Parquet:
    """The events of a clean CSV file with their types, as one Parquet file."""

    name: str
    csv: str
    # SHA-256 of its bytes, as the pyarrow of requirements.txt writes them.
    digest: str

    @property
    def file_name(self):
        return f"{self.name}.parquet"

    def make(self, path):
        make_parquet(ensure(self.csv), path)


DATA = {
    file.name: file
    for file in [
        File("clean-15mb", "clean", 15, "6b25dc5a89d1105dd0d3d03651a86e4627f04dcbc8347cc15fdfc212476277ee"),
        File("clean-150mb", "clean", 150, "46169dcce9b3f093969c0f53d8f3cafb5529899c6b1ecc5d720c0fcd482b1b8d"),
        File("clean-1200mb", "clean", 1200, "1ce9c81287d00967440ae060c75963ed16271ea816764b661714f52145cfedbb"),
        File("rough-15mb", "rough", 15, "a0c52ca280af2db7974a8481d7d79d44b03594f815f3ae70cae880661a921ed6"),
        File("rough-600mb", "rough", 600, "eece5a0787c991fdf96da3ae8637cee9b6cab246f97d6f667ef3b39f74b1c8a4"),
        Folder("small-10000", 10_000, 1000, "46be19479f3d9b43bbcd1174aeb88e3c659e2b6751781661bbb5f2835d452016"),
        File("lines-15mb", "lines", 15, "7c8b5baa2e6b055dfa2de1499981db75b55dbf2aebfa4048bb7fb823453dc554"),
        File("lines-1000mb", "lines", 1000, "747b5823918df52c3dea129c8de77ad37926790cebf83f50853f7dbc90ce6183"),
        File("orders-15mb", "orders", 15, "81144dfb8212b99494751c3d450d7d3e432844246c58d5acea7042ccf3c85201"),
        File("orders-500mb", "orders", 500, "d5fb09f18ac0f481671d6cb3f5600313163556475e1cbe8b76a1346d84a77ae1"),
        Parquet("typed-15mb", "clean-15mb", "abce52ec848ecfef03f372f287b5982bed0bc597bd6ee0e7519d1af3d388bd0f"),
        Parquet("typed-1200mb", "clean-1200mb", "ce341c26da0cd5ed7e8f10ab1344d47d97edc8c813e802f0b7b088e6f5cc2b43"),
    ]
}


def cache():
    root = os.environ.get("STILLHOUSE_CACHE") or pathlib.Path.home() / ".cache/stillhouse"
    return pathlib.Path(root) / "bench-data"


def ensure(name):
    """The path of the file or folder `name`, made now if it is not there with the right bytes."""
    wanted = DATA[name]
    path = cache() / wanted.file_name
    made = path.with_name(path.name + ".sha256")
    if path.exists() and made.exists() and digest(path) == made.read_text().strip():
        return path
    started = time.monotonic()
    say(f"making {path} ...")
    path.parent.mkdir(parents=True, exist_ok=True)
    remove(path)
    unfinished = path.with_name(path.name + ".unfinished")
    remove(unfinished)
    make_apart(wanted, unfinished)
    found = digest(unfinished)
    if found != wanted.digest:
        # All sides read the same file, so figures of one run compare all the same.
        say(f"{name}: not the bytes of the published figures (SHA-256 {wanted.digest}), but {found}")
    unfinished.rename(path)
    made.write_text(found + "\n")
    say(f"made {path} in {time.monotonic() - started:.0f} s")
    return path


def make_apart(wanted, path):
    """Makes the file in a process of its own: Linux counts the memory of whoever starts a program as that program's peak, so
    what this takes would stand in the figures of all sides."""
    maker = multiprocessing.Process(target=wanted.make, args=(path,))
    maker.start()
    maker.join()
    if maker.exitcode != 0:
        raise SystemExit(f"{path} was not made: its process ended with {maker.exitcode}")


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def digest(path):
    """SHA-256 of a file, or of all files of a folder; reading them leaves them in the page cache."""
    total = hashlib.sha256()
    for file in sorted(path.rglob("*.csv")) if path.is_dir() else [path]:
        with open(file, "rb") as bytes_in:
            while block := bytes_in.read(1 << 22):
                total.update(block)
    return total.hexdigest()


def make_file(wanted, path):
    kind = KINDS[wanted.kind]
    limit = int(wanted.megabytes * MEGABYTE)
    with open(path, "wb", buffering=0) as out:
        done = out.write(kind.header.encode())
        with multiprocessing.Pool(initializer=start_worker) as pool:
            for chunk in pool.imap(functools.partial(make_chunk, wanted.kind), first_ids(kind, limit)):
                room = limit - done
                done += out.write(chunk if len(chunk) <= room else chunk[: whole_records(kind, chunk, room)])
                if len(chunk) > room:
                    break


def first_ids(kind, limit):
    """Enough chunks for `limit` bytes."""
    return range(1, limit // kind.record_bytes + kind.chunk_records, kind.chunk_records)


def whole_records(kind, chunk, size):
    """The bytes of the records that fit into `size`. A line of JSON is a record. In CSV, a line end that ends a record
    is followed by a field that every record begins with: an id, or a quoted list."""
    end = chunk.rfind(b"\n", 0, size) + 1
    while kind.suffix == "csv" and end and not (chunk[end : end + 2] == b'"[' or chunk[end : end + 1].isdigit()):
        end = chunk.rfind(b"\n", 0, end - 1) + 1
    return end


def start_worker():
    global pools
    pools = orders.Pools(SEED)


def make_chunk(kind, first):
    return "".join(KINDS[kind].make(pools, SEED, first)).encode()


def make_folder(wanted, path):
    start_worker()
    header = KINDS["clean"].header.encode()
    first = 1
    lines = []
    for number in range(wanted.files):
        size = len(header)
        records = [header]
        while size < wanted.bytes_each:
            if not lines:
                lines = rows.clean(pools, SEED, first)[::-1]
                first += rows.CHUNK_ROWS
            records.append(lines.pop().encode())
            size += len(records[-1])
        year, month, day = rows.DAYS[number % len(rows.DAYS)].split("-")
        folder = path / year / month / day
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05}.csv").write_bytes(b"".join(records))


def make_parquet(csv_file, path):
    """One thread converts and writes, so that the bytes are the same each time."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    from pyarrow import csv

    types = {"id": pa.int64(), "timestamp": pa.timestamp("us", "UTC"), "tags": pa.list_(pa.string())}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in rows.COLUMNS])
    # Days without a zone, and lists as text.
    as_read = {name: pa.string() for name in rows.COLUMNS} | {"id": pa.int64(), "timestamp": pa.timestamp("us")}
    batches = csv.open_csv(csv_file, convert_options=csv.ConvertOptions(column_types=as_read))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in row_groups(batches):
            inner = pc.utf8_slice_codeunits(table["tags"], 2, -2)
            tags = table.set_column(schema.get_field_index("tags"), "tags", pc.split_pattern(inner, "', '"))
            writer.write_table(tags.cast(schema), row_group_size=ROW_GROUP_ROWS)


def row_groups(batches):
    """Tables of as many rows as a row group has; the last one has what is left."""
    import pyarrow as pa

    waiting = batches.schema.empty_table()
    for batch in batches:
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
        while waiting.num_rows >= ROW_GROUP_ROWS:
            yield waiting.slice(0, ROW_GROUP_ROWS)
            waiting = waiting.slice(ROW_GROUP_ROWS)
    if waiting.num_rows:
        yield waiting


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    for name in sys.argv[1:] or DATA:
        if name not in DATA:
            sys.exit(f"no data set `{name}`; there are {', '.join(DATA)}")
        print(ensure(name))


if __name__ == "__main__":
    main()
