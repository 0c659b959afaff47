"""The same load of nested orders with DuckDB.

The JSON reader converts types, days and decimals included, in several threads. A table in memory has a row for each
child, which takes half the memory of one with a row for each order, and no longer. To read the file once for each table,
or to read parts as JSON and to convert them later, takes half as much work again, or more.
"""

import duckdb
import peer

PARQUET = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
ITEM = "STRUCT(sku VARCHAR, qty BIGINT, price DECIMAL(12,2), note VARCHAR, ok BOOLEAN)"
CHILD = f"STRUCT(child_id BIGINT, name VARCHAR, day DATE, uri VARCHAR, score DECIMAL(12,4), items {ITEM}[])"
TYPES = {
    "id": "BIGINT", "customer": "VARCHAR", "country": "VARCHAR", "created": "DATE",
    "meta": "STRUCT(v BIGINT, src VARCHAR)", "children": f"{CHILD}[]",
}
# Every order has children, so that its columns are found at the first of them.
CHILDREN = """
    CREATE TEMP TABLE all_children AS
    SELECT order_id, customer, country, created, v, src, number, unnest(child) FROM (
        SELECT id AS order_id, customer, country, created, meta.v AS v, meta.src AS src, unnest(children) AS child,
            generate_subscripts(children, 1) AS number
        FROM read_json({files}, format = 'newline_delimited', columns = {types})
    )"""
TABLES = {
    "orders": "SELECT order_id AS id, customer, country, created, v, src FROM all_children WHERE number = 1",
    "children": """SELECT order_id, child_id, "name", "day", uri, score FROM all_children""",
    "items": """
        SELECT order_id, child_id, unnest(item)
        FROM (SELECT order_id, child_id, unnest(items) AS item FROM all_children)""",
}


def load(job):
    db.execute(CHILDREN.format(files=job.files, types=TYPES))
    for name, query in TABLES.items():
        db.execute(f"COPY ({query}) TO '{job.table(name)}' {PARQUET}")
    return 0


if __name__ == "__main__":
    db = duckdb.connect()
    db.execute("SET preserve_insertion_order = false")
    peer.run(load)
