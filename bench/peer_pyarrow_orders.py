"""The same load of nested orders with pyarrow.

JSON is parsed ahead by pyarrow's threads, with decimals told; days come as moments, because the parser knows no dates.
One thread writes each file.
"""

import peer
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from arrow_writer import WAITING, Writer
from pyarrow import json

DAY = pa.timestamp("s")
ITEM = [
    ("sku", pa.string()), ("qty", pa.int64()), ("price", pa.decimal128(12, 2)), ("note", pa.string()),
    ("ok", pa.bool_()),
]
CHILD = [
    ("child_id", pa.int64()), ("name", pa.string()), ("day", DAY), ("uri", pa.string()),
    ("score", pa.decimal128(12, 4)),
]
META = [("v", pa.int64()), ("src", pa.string())]
ORDER = [("id", pa.int64()), ("customer", pa.string()), ("country", pa.string()), ("created", DAY)]
CHILDREN = pa.list_(pa.struct([*CHILD, ("items", pa.list_(pa.struct(ITEM)))]))
READ = pa.schema([*ORDER, ("meta", pa.struct(META)), ("children", CHILDREN)])
PARENT = ("order_id", pa.int64())
TABLES = {"orders": [*ORDER, *META], "children": [PARENT, *CHILD], "items": [PARENT, CHILD[0], *ITEM]}
# Has to hold the longest line.
BLOCK_BYTES = 4 << 20


def load(job):
    schemas = {name: written(columns) for name, columns in TABLES.items()}
    writers = {name: Writer(job.table(name), schema) for name, schema in schemas.items()}
    told = json.ParseOptions(explicit_schema=READ)
    form = ds.JsonFileFormat(read_options=json.ReadOptions(block_size=BLOCK_BYTES), parse_options=told)
    for batch in ds.dataset(job.files, schema=READ, format=form).to_batches(batch_readahead=WAITING):
        for name, columns in tables(batch).items():
            typed = [column.cast(field.type) for column, field in zip(columns, schemas[name], strict=True)]
            writers[name].write(pa.record_batch(typed, schema=schemas[name]))
    for writer in writers.values():
        writer.close()
    return 0


def written(columns):
    return pa.schema([(name, pa.date32() if type_ == DAY else type_) for name, type_ in columns])


def tables(batch):
    """The columns of each table."""
    order, meta = [batch[name] for name, _ in ORDER], batch["meta"]
    order_id, children = unfolded(batch["children"], batch["id"])
    child = [children.field(name) for name, _ in CHILD]
    ids = pa.StructArray.from_arrays([order_id, child[0]], ["order", "child"])
    parents, items = unfolded(children.field("items"), ids)
    return {
        "orders": [*order, *(meta.field(name) for name, _ in META)],
        "children": [order_id, *child],
        "items": [parents.field("order"), parents.field("child"), *(items.field(name) for name, _ in ITEM)],
    }


def unfolded(lists, parents):
    """The items of all lists, and the parent of each."""
    return parents.take(pc.list_parent_indices(lists)), lists.flatten()


if __name__ == "__main__":
    peer.run(load)
