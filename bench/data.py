#!/usr/bin/env python3
"""Makes the files that `make bench` reads: `python3 bench/data.py [NAME…]` prints their paths.

Standard library only. The same bytes come out on every machine, which is said when it does not hold; each file is held
against its digest before it is used, and made anew where it was damaged. They lie in the cache folder, outside the clone.
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

import rows

SEED = 1
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class File:
    """One CSV file of invented events."""

    name: str
    kind: str
    megabytes: float
    # SHA-256 of its bytes.
    digest: str


@dataclass(frozen=True)
class Folder:
    """Many small CSV files, `YYYY/MM/DD/NNNN.csv`, of a month."""

    name: str
    files: int
    bytes_each: int
    # SHA-256 of their bytes, one after the other in the order of their paths.
    digest: str


FILES = {
    file.name: file
    for file in [
        File("clean-15mb", "clean", 15, "6b25dc5a89d1105dd0d3d03651a86e4627f04dcbc8347cc15fdfc212476277ee"),
        File("clean-150mb", "clean", 150, "46169dcce9b3f093969c0f53d8f3cafb5529899c6b1ecc5d720c0fcd482b1b8d"),
        File("clean-1200mb", "clean", 1200, "1ce9c81287d00967440ae060c75963ed16271ea816764b661714f52145cfedbb"),
        File("rough-15mb", "rough", 15, "a0c52ca280af2db7974a8481d7d79d44b03594f815f3ae70cae880661a921ed6"),
        File("rough-600mb", "rough", 600, "eece5a0787c991fdf96da3ae8637cee9b6cab246f97d6f667ef3b39f74b1c8a4"),
        Folder("small-10000", 10_000, 1000, "46be19479f3d9b43bbcd1174aeb88e3c659e2b6751781661bbb5f2835d452016"),
    ]
}


def cache():
    root = os.environ.get("STILLHOUSE_CACHE") or pathlib.Path.home() / ".cache/stillhouse"
    return pathlib.Path(root) / "bench-data"


def ensure(name):
    """The path of the file or folder `name`, made now if it is not there with the right bytes."""
    wanted = FILES[name]
    path = cache() / (name if isinstance(wanted, Folder) else f"{name}.csv")
    made = path.with_name(path.name + ".sha256")
    if path.exists() and made.exists() and digest(path) == made.read_text().strip():
        return path
    started = time.monotonic()
    say(f"making {path} ...")
    path.parent.mkdir(parents=True, exist_ok=True)
    remove(path)
    unfinished = path.with_name(path.name + ".unfinished")
    remove(unfinished)
    (make_folder if isinstance(wanted, Folder) else make_file)(wanted, unfinished)
    found = digest(unfinished)
    if found != wanted.digest:
        # All sides read the same file, so figures of one run compare all the same.
        say(f"{name}: not the bytes of the published figures (SHA-256 {wanted.digest}), but {found}")
    unfinished.rename(path)
    made.write_text(found + "\n")
    say(f"made {path} in {time.monotonic() - started:.0f} s")
    return path


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
    header = rows.COLUMNS if wanted.kind == "clean" else rows.ROUGH_COLUMNS
    limit = int(wanted.megabytes * MEGABYTE)
    with open(path, "wb", buffering=0) as out:
        done = out.write((",".join(header) + "\n").encode())
        with multiprocessing.Pool(initializer=start_worker) as pool:
            for chunk in pool.imap(functools.partial(make_chunk, wanted.kind), first_ids(limit)):
                room = limit - done
                done += out.write(chunk if len(chunk) <= room else chunk[: whole_records(chunk, room)])
                if len(chunk) > room:
                    break


def first_ids(limit):
    """Enough chunks for `limit` bytes; a record of either kind has more than 100."""
    return range(1, limit // 100 + rows.CHUNK_ROWS, rows.CHUNK_ROWS)


def whole_records(chunk, size):
    """The bytes of the records that fit into `size`. A line end that ends a record is followed by a field that every
    record begins with: an id, or a quoted list."""
    end = chunk.rfind(b"\n", 0, size) + 1
    while end and not (chunk[end : end + 2] == b'"[' or chunk[end : end + 1].isdigit()):
        end = chunk.rfind(b"\n", 0, end - 1) + 1
    return end


def start_worker():
    global pools
    pools = rows.Pools(SEED)


def make_chunk(kind, first):
    make = rows.clean if kind == "clean" else rows.rough
    return "".join(make(pools, SEED, first)).encode()


def make_folder(wanted, path):
    start_worker()
    header = (",".join(rows.COLUMNS) + "\n").encode()
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


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    for name in sys.argv[1:] or FILES:
        if name not in FILES:
            sys.exit(f"no data set `{name}`; there are {', '.join(FILES)}")
        print(ensure(name))


if __name__ == "__main__":
    main()
