"""Do all sides give the same answers, refuse the same records, and hold the same rows?

Run as a program of its own (`compare.py NAME=EVENTS,TAGS[,REJECTS]…`) it prints what tables hold, so that the runner
needs no library: what a runner has in memory counts for the programs that it starts.
"""

import json
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


# Rows in any order: their number, and the sum of a hash of each. Files with a zone say UTC. A text that stands in
# quotes and is empty is no value for some and an empty one for others; no query tells them apart.
EVENTS = """
    SELECT count(*), CAST(sum(hash(id, epoch_us("timestamp"), coalesce(email, ''), coalesce(country, ''), ip, uri, action,
        tags)) AS VARCHAR)
    FROM read_parquet(?)"""
TAGS = """
    SELECT count(*), CAST(sum(hash(id, epoch_us("timestamp"), tag)) AS VARCHAR) FROM read_parquet(?)"""
REFUSED = "SELECT DISTINCT record FROM read_parquet(?) ORDER BY record"


def main():
    import duckdb

    db = duckdb.connect()
    found = {}
    for argument in sys.argv[1:]:
        name, paths = argument.split("=", 1)
        events, tags, *rejects = paths.split(",")
        found[name] = {
            "events": db.execute(EVENTS, [events]).fetchone(),
            "tags": db.execute(TAGS, [tags]).fetchone(),
            "refused": [row[0] for path in rejects for row in db.execute(REFUSED, [path]).fetchall()],
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
