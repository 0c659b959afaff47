"""Do all sides give the same answers, refuse the same records, and hold the same rows?

Run as a program of its own it prints what tables hold, so that the runner needs no library: what a runner has in memory
counts for the programs that it starts.
"""

import json
import pathlib
import subprocess
import sys

# At most so many differences are named.
SHOWN = 5


def answers(mine, theirs):
    """What differs between the rows of ours and of a peer, query by query."""
    found = []
    for query in sorted(mine.keys() | theirs.keys()):
        ours, other = (plain(rows.get(query)) for rows in (mine, theirs))
        if ours != other:
            found.append(f"{query}: {first_difference(ours, other)}")
    return found


def plain(rows):
    """Rows as texts: a day is a text in JSON, and whole numbers have one form only."""
    return None if rows is None else [[None if value is None else str(value) for value in row] for row in rows]


def first_difference(ours, other):
    if ours is None or other is None:
        return "only one side has it"
    for number, (a, b) in enumerate(zip(ours, other), start=1):
        if a != b:
            return f"row {number}: ours {a}, theirs {b}"
    return f"ours has {len(ours)} rows, theirs {len(other)}"


def refused(ours, other):
    """What differs between the ordinals of refused records."""
    if ours == other:
        return []
    only = [sorted(set(a) - set(b))[:SHOWN] for a, b in ((ours, other), (other, ours))]
    return [f"refused records: ours {len(ours)}, theirs {len(other)}; only ours {only[0]}, only theirs {only[1]}"]


def rows(mine, theirs):
    """What differs between the tables of ours and of a peer."""
    differ = [table for table in mine if mine[table] != theirs[table]]
    return [f"rows of {table}: ours {mine[table]}, theirs {theirs[table]}" for table in differ]


def held(python, paths):
    """What the tables of each side hold, from a process of its own. `paths` has by side and table, or by side and
    `rejects`, a pattern of Parquet files."""
    command = [python, pathlib.Path(__file__).resolve()]
    done = subprocess.run(command, check=True, input=json.dumps(paths), capture_output=True, text=True)
    return json.loads(done.stdout)


# Rows in any order: their number, the sum of a hash of each, and the exact sum of what is a decimal. A side that holds
# doubles in place of decimals has another hash. Files with a zone say UTC. A text that stands in quotes and is empty is
# no value for some and an empty one for others; no query tells them apart.
HELD = {
    "events": """
        sum(hash(id, epoch_us("timestamp"), coalesce(email, ''), coalesce(country, ''), ip, uri, action, tags))""",
    "event_tags": """sum(hash(id, epoch_us("timestamp"), tag))""",
    "orders": "sum(hash(id, customer, country, created, v, src))",
    "children": """sum(hash(order_id, child_id, "name", "day", uri, score)), sum(score)""",
    "items": "sum(hash(order_id, child_id, sku, qty, price, note, ok)), sum(price)",
}
REFUSED = "SELECT DISTINCT record FROM read_parquet(?) ORDER BY record"


def main():
    import duckdb

    db = duckdb.connect()

    def look(paths):
        rejects = paths.pop("rejects", None)
        tables = {}
        for table, path in paths.items():
            count, *sums = db.execute(f"SELECT count(*), {HELD[table]} FROM read_parquet(?)", [path]).fetchone()
            tables[table] = [count, *(None if each is None else str(each) for each in sums)]
        refused = [row[0] for row in db.execute(REFUSED, [rejects]).fetchall()] if rejects else []
        return {"tables": tables, "refused": refused}

    print(json.dumps({side: look(paths) for side, paths in json.load(sys.stdin).items()}))


if __name__ == "__main__":
    main()
