"""The same load and the same questions with pyarrow.

The CSV is parsed ahead by pyarrow's threads, columns are converted as they come, and one thread writes each file. A
refused record keeps its ordinal and its fields; pyarrow knows neither lines nor bytes of a value that it read as text.
JSON is parsed by one thread, beside those that write; a data set of JSON, parsed by several, is no quicker.
"""

import collections
import os

import companies
import peer
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from arrow_writer import WAITING, Writer
from pyarrow import csv, json

COLUMNS = ["id", "timestamp", "email", "country", "ip", "uri", "action", "tags"]
MOMENT = pa.timestamp("us")
EVENTS = pa.schema(
    [(name, {"timestamp": MOMENT, "tags": pa.list_(pa.string())}.get(name, pa.string())) for name in COLUMNS]
)
TAGS = pa.schema([("id", pa.string()), ("timestamp", MOMENT), ("tag", pa.string())])
REFUSED = pa.schema([("record", pa.int64()), *((name, pa.string()) for name in COLUMNS)])
BLOCK_BYTES = 8 << 20
BATCH_ROWS = 1 << 16


def load(job):
    return load_json(job) if job.are_json_lines else load_csv(job)


def load_json(job):
    types, of_tag = (schema.set(0, pa.field("id", pa.int64())) for schema in (EVENTS, TAGS))
    events, tags = Writer(job.events, types), Writer(job.tags, of_tag)
    blocks, told = json.ReadOptions(block_size=BLOCK_BYTES), json.ParseOptions(explicit_schema=types)
    for path in job.files:
        for batch in json.open_json(path, blocks, told):
            events.write(batch)
            tags.write(of_tags(batch["id"], batch["timestamp"], batch["tags"], of_tag))
    for writer in (events, tags):
        writer.close()
    return 0


def load_csv(job):
    events, tags = Writer(job.events, EVENTS), Writer(job.tags, TAGS)
    rejects = Writer(job.rejects, REFUSED)
    record = refused = 0
    for batch in gathered(read(job)):
        good, lists, bad = convert(batch, record, job.awkward)
        events.write(good)
        tags.write(lists)
        if bad is not None:
            rejects.write(bad)
            refused += bad.num_rows
        record += batch.num_rows
    for writer in (events, tags, rejects):
        writer.close()
    return refused


def read(job):
    # A block is allocated for each file.
    largest = max(os.path.getsize(path) for path in job.files)
    form = ds.CsvFileFormat(
        read_options=csv.ReadOptions(block_size=min(BLOCK_BYTES, largest + 1)),
        parse_options=csv.ParseOptions(newlines_in_values=job.awkward),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )
    return ds.dataset(job.files, format=form).to_batches(batch_size=BATCH_ROWS, batch_readahead=WAITING)


def gathered(batches):
    """Batches of small files together."""
    waiting, count = [], 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        if count >= BATCH_ROWS // 2:
            yield pa.concat_batches(waiting)
            waiting, count = [], 0
    if count:
        yield pa.concat_batches(waiting)


def convert(batch, record, awkward):
    """(events, their tags, what is refused or None)"""
    when = moments(batch["timestamp"])
    tags = batch["tags"]
    readable = listed(tags, awkward)
    good = pc.and_(pc.is_valid(when), readable)
    bad = None
    if not pc.all(good).as_py():
        ordinals = pa.array(range(record, record + batch.num_rows), pa.int64())
        columns = [ordinals, *(batch[name] for name in COLUMNS)]
        bad = pa.record_batch(columns, schema=REFUSED).filter(pc.invert(good))
        batch, when, tags = batch.filter(good), when.filter(good), tags.filter(good)
    lists = items(tags, awkward)
    # Empty texts are no value but in these two.
    uri, action = (pc.fill_null(batch[name], "") for name in ("uri", "action"))
    columns = [batch["id"], when, batch["email"], batch["country"], batch["ip"], uri, action, lists]
    events = pa.record_batch(columns, schema=EVENTS)
    return events, of_tags(batch["id"], when, lists, TAGS), bad


def of_tags(number, when, lists, schema):
    """A row for each item of the lists."""
    parents = pc.list_parent_indices(lists)
    return pa.record_batch([number.take(parents), when.take(parents), lists.flatten()], schema=schema)


def moments(texts):
    """Mostly a date alone, now and then with a time. Few texts differ, and each of them is read once."""
    different = texts.dictionary_encode()
    day, full = (
        pc.strptime(different.dictionary, format=form, unit="us", error_is_null=True)
        for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ")
    )
    return pc.coalesce(day, full).take(different.indices)


def listed(tags, awkward):
    """Whether each is a Python list."""
    quotes = "'\"" if awkward else "'"
    begins = [pc.starts_with(tags, "[" + quote) for quote in quotes]
    ends = [pc.ends_with(tags, quote + "]") for quote in quotes]
    is_list = pc.and_(pc.or_(*begins) if awkward else begins[0], pc.or_(*ends) if awkward else ends[0])
    return pc.fill_null(pc.or_(is_list, pc.equal(tags, "[]")), False)


def items(tags, awkward):
    """The items of Python lists, all of which are readable."""
    inner = pc.binary_slice(tags.cast(pa.binary()), 2, -2).cast(pa.string())
    if awkward:
        for separator in ("\", '", "', \"", '", "'):
            inner = pc.replace_substring(inner, separator, "', '")
    split = pc.split_pattern(pc.if_else(pc.equal(tags, "[]"), None, inner), "', '")
    lengths = pc.fill_null(pc.list_value_length(split), 0)
    ends = pc.cumulative_sum(lengths)
    return pa.ListArray.from_arrays(pa.concat_arrays([pa.array([0], pa.int32()), ends]), split.flatten())


def answer(job):
    when = pc.field("timestamp")
    shown = (when >= min(peer.PREVIOUS_START, peer.YEAR_START)) & (when < peer.PERIOD_END)
    events = ds.dataset(job.events).to_table(["timestamp", "email", "country", "action"], filter=shown)
    period = events.filter(pc.greater_equal(events["timestamp"], pa.scalar(peer.PERIOD_START, MOMENT)))
    days = counts(pa.table({"day": period["timestamp"].cast(pa.date32())}), "day").to_pylist()
    days = sorted((row["day"], row["n"]) for row in days)
    months = collections.Counter()
    for day, n in days:
        months[day.strftime("%Y-%m")] += n
    in_period = (when >= peer.PERIOD_START) & (when < peer.PERIOD_END)
    tags = ds.dataset(job.tags).to_table(["tag"], filter=in_period)
    return {
        "events_per_day": days,
        "events_per_month": sorted(months.items()),
        "top_countries": top(counts(period, "country"), "country"),
        "top_actions": top(counts(period, "action"), "action"),
        "busiest_date": sorted(days, key=lambda row: (-row[1], row[0]))[:1],
        "top_tags": top(counts(tags, "tag"), "tag"),
        **of_users(users(events)),
    }


def counts(table, column):
    return table.group_by(column).aggregate([([], "count_all")]).rename_columns([column, "n"])


def top(table, name, measure="n", columns=None):
    """The first rows without the empty name."""
    table = table.filter(pc.and_(pc.is_valid(table[name]), pc.not_equal(table[name], "")))
    order = [(measure, "descending"), (name, "ascending")]
    first = table.take(pc.select_k_unstable(table, peer.TOP, order))
    return rows(first.select(columns or table.column_names))


def rows(table):
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def users(events):
    """Each user once, with all that the queries ask for; the user without an address is empty. Addresses are counted as
    they are first, so that they are trimmed and put into lower case once each."""
    when = events["timestamp"]
    in_period = pc.greater_equal(when, pa.scalar(peer.PERIOD_START, MOMENT))
    this_year = pc.greater_equal(when, pa.scalar(peer.YEAR_START, MOMENT))
    before = pc.and_not(pc.greater_equal(when, pa.scalar(peer.PREVIOUS_START, MOMENT)), in_period)
    measures = {"events": in_period, "previous_events": before, "year_events": this_year}
    columns = {"user": events["email"], "last_seen": when}
    table = pa.table(columns | {name: mask.cast(pa.int64()) for name, mask in measures.items()})
    table = sums(table)
    user = pc.utf8_lower(pc.utf8_trim(pc.fill_null(table["user"], ""), " "))
    table = sums(table.set_column(table.schema.get_field_index("user"), "user", user))
    return with_companies(table)


def sums(table):
    measures = ["events", "previous_events", "year_events"]
    sums = table.group_by("user").aggregate([*((name, "sum") for name in measures), ("last_seen", "max")])
    return sums.rename_columns(["user", *measures, "last_seen"])


def with_companies(table):
    split = pc.split_pattern(table["user"], "@", max_splits=1)
    has_domain = pc.greater(pc.list_value_length(split), 1)
    domain = pc.list_element(pc.if_else(has_domain, split, pa.scalar([None, None], pa.list_(pa.string()))), 1)
    domains = domain.unique().drop_null()
    names = pa.array(companies.companies(domains.to_pylist()), pa.string())
    company = names.take(pc.index_in(domain, value_set=domains))
    return table.append_column("domain", domain).append_column("company", company)


def of_users(table):
    active = table.filter(pc.greater(table["events"], 0))
    this_year = table.filter(pc.greater(table["year_events"], 0))
    named = active.filter(pc.not_equal(active["user"], ""))
    growing = by_company(table)
    quiet = table.filter(pc.and_(pc.equal(table["events"], 0), pc.greater(table["previous_events"], 0)))
    quiet = quiet.set_column(quiet.schema.get_field_index("last_seen"), "last_seen", quiet["last_seen"].cast(pa.date32()))
    return {
        "totals": [(total(active, "events"), named.num_rows, len(named["company"].unique().drop_null()))],
        "year_to_date": [(total(this_year, "year_events"), pc.sum(pc.not_equal(this_year["user"], "")).as_py() or 0)],
        "top_users": top(named, "user", "events", ["user", "events"]),
        "top_companies": top(by_name(named, "company"), "company", "events"),
        "top_domains": top(by_name(named, "domain"), "domain", "events"),
        "growing_companies": top(growing, "company", "growth", ["company", "events", "previous_events", "growth"]),
        "quiet_users": top(quiet, "user", "previous_events", ["user", "company", "previous_events", "last_seen"]),
    }


def total(table, column):
    return pc.sum(table[column]).as_py() or 0


def by_name(named, column):
    table = named.group_by(column).aggregate([("events", "sum"), ([], "count_all")])
    return table.rename_columns([column, "events", "users"]).select([column, "events", "users"])


def by_company(table):
    table = table.group_by("company").aggregate([("events", "sum"), ("previous_events", "sum")])
    table = table.rename_columns(["company", "events", "previous_events"])
    growth = pc.subtract(table["events"], table["previous_events"])
    return table.append_column("growth", growth).filter(pc.greater(growth, 0))


if __name__ == "__main__":
    peer.run(load, answer)
