"""Invented orders as JSON lines, one object of 50 to 700 kB a line: each has children, and each child has items.

Prices and scores are decimal numbers with as many digits as a person would write. Like the events of rows.py they come
in chunks that do not depend on each other, and are the same bytes everywhere.
"""

import json
import math
import random

import rows

# Orders that one chunk holds; a chunk has random numbers of its own.
CHUNK_ORDERS = 20
# A line goes on until it has this many bytes, or up to so many more: most orders are small.
BYTES_LEAST, BYTES_MORE = 50_000, 650_000
# Items are taken from this many different ones, at most so many in a child.
ITEMS, ITEMS_MOST = 20_000, 12
# No order comes near to so many children, so that ids of one order do not meet those of the next.
CHILDREN_MOST = 2_000


class Pools(rows.Pools):
    """What the orders of one seed are made of."""

    def __init__(self, seed):
        super().__init__(seed)
        r = random.Random(f"items {seed}")
        self.items = [item(r, i) for i in range(ITEMS)]


def item(r, i):
    """One in seven has a note, with what JSON has to escape."""
    return json.dumps({
        "sku": f"{rows.word(r, 2, 3)}-{i}",
        "qty": 1 + int(9 * r.random()),
        "price": int(20_000 * r.random()) / 100,
        "note": None if i % 7 else f'it\u00e9m "{rows.word(r, 1, 3)}"\nnext',
        "ok": bool(i & 1),
    })


def lines(pools, seed, first):
    """The chunk whose first id is `first`."""
    r = random.Random(f"orders {seed} {first}")
    return [order(pools, r, n) for n in range(first, first + CHUNK_ORDERS)]


def order(pools, r, n):
    u = r.random()
    target = BYTES_LEAST + int(BYTES_MORE * u * u * math.sqrt(u))
    children, size = [], 0
    while size < target:
        children.append(child(pools, r, n * CHILDREN_MOST + len(children)))
        size += len(children[-1]) + 2
    return (
        f'{{"id": {n}, "customer": "{any_of(r, pools.users)}", "country": "{any_of(r, pools.countries)}", '
        f'"created": "{any_of(r, rows.DAYS)}", "meta": {{"v": {n % 5}, "src": "{rows.ACTIONS[n % 20]}"}}, '
        f'"children": [{", ".join(children)}]}}\n'
    )


def child(pools, r, child_id):
    count = int((ITEMS_MOST + 1) * r.random())
    begin = int((ITEMS - count) * r.random())
    score = int(10_000_000 * r.random())
    return (
        f'{{"child_id": {child_id}, "name": "{any_of(r, pools.users)}", "day": "{any_of(r, rows.DAYS)}", '
        f'"uri": "/{any_of(r, pools.paths)}", "score": {score // 10_000}.{score % 10_000:04}, '
        f'"items": [{", ".join(pools.items[begin : begin + count])}]}}'
    )


def any_of(r, pool):
    return pool[int(len(pool) * r.random())]
