"""The same load and the same questions with Polars: lazy, and with its streaming engine.

CSV is read as text and converted by expressions, because a scan that converts by itself loses the text that it cannot
convert. A refused record keeps its ordinal and its fields; Polars knows neither lines nor bytes. JSON is read as lines
that are decoded, which is quicker than scan_ndjson.
"""

import companies
import peer
import polars as pl
from polars import col

COLUMNS = ["id", "timestamp", "email", "country", "ip", "uri", "action", "tags"]
PARQUET = {"compression": "zstd", "compression_level": 1}
SEPARATOR = "\x1f"


def load(job):
    refused = load_json(job) if job.are_json_lines else load_csv(job)
    # Unfolding them from the Parquet file takes less than another sink on the data.
    tags = pl.scan_parquet(job.events).select("id", "timestamp", col("tags").alias("tag"))
    tags.explode("tag").filter(col("tag").is_not_null()).sink_parquet(job.tags, engine="streaming", **PARQUET)
    return refused


def load_json(job):
    types = dict.fromkeys(COLUMNS, pl.String) | {"id": pl.Int64, "tags": pl.List(pl.String)}
    events = pl.scan_lines(job.files, name="line").select(col("line").str.json_decode(pl.Struct(types))).unnest("line")
    # The decoder does not understand days alone as moments.
    when = col("timestamp").str.to_datetime("%Y-%m-%d", time_unit="us")
    events.with_columns(when).sink_parquet(job.events, engine="streaming", **PARQUET)
    return 0


def load_csv(job):
    raw = pl.scan_csv(job.files, schema=dict.fromkeys(columns(job.files[0]), pl.String), row_index_name="record")
    typed = raw.with_columns(moment().alias("when"), items(job.awkward).alias("items"))
    good = col("when").is_not_null() & col("items").is_not_null()
    # Empty texts are no value but in these two.
    texts = [col("email"), col("country"), col("ip"), col("uri").fill_null(""), col("action").fill_null("")]
    events = typed.filter(good).select("id", col("when").alias("timestamp"), *texts, col("items").alias("tags"))
    refused = typed.filter(~good).select("record", *COLUMNS)
    sinks = [events.sink_parquet(job.events, lazy=True, **PARQUET), refused.sink_parquet(job.rejects, lazy=True, **PARQUET)]
    pl.collect_all(sinks, engine="streaming")
    return pl.scan_parquet(job.rejects).select(pl.len()).collect().item()


def columns(csv):
    """The columns in the order of the file."""
    with open(csv) as lines:
        return lines.readline().strip().split(",")


def moment():
    """Mostly a date alone, now and then with a time."""
    day = col("timestamp").str.to_datetime("%Y-%m-%d", strict=False, time_unit="us")
    return pl.coalesce(day, col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False, time_unit="us"))


def items(awkward):
    """The items of a Python list; null where it is none."""
    tags = col("tags")
    text = tags.str.slice(2, tags.str.len_chars() - 4)
    if awkward:
        separators = [f"{left}, {right}" for left in "'\"" for right in "'\""]
        listed = text.str.replace_many(dict.fromkeys(separators, SEPARATOR)).str.split(SEPARATOR)
        begins = tags.str.starts_with("['") | tags.str.starts_with('["')
        ends = tags.str.ends_with("']") | tags.str.ends_with('"]')
    else:
        listed = text.str.split("', '")
        begins, ends = tags.str.starts_with("['"), tags.str.ends_with("']")
    empty = pl.lit([], dtype=pl.List(pl.String))
    return pl.when(begins & ends).then(listed).when(tags == "[]").then(empty)


def answer(job):
    events = pl.scan_parquet(job.events)
    in_period = (col("timestamp") >= peer.PERIOD_START) & (col("timestamp") < peer.PERIOD_END)
    period = events.filter(in_period)
    per_user, per_day, countries, actions, tags = pl.collect_all(
        [
            users(events),
            period.group_by(col("timestamp").dt.date().alias("day")).agg(pl.len().alias("events")).sort("day"),
            top(period, "country", "events"),
            top(period, "action", "events"),
            top(pl.scan_parquet(job.tags).filter(in_period), "tag", "uses"),
        ],
        engine="streaming",
    )
    per_user = with_companies(per_user)
    per_month = per_day.group_by(col("day").dt.strftime("%Y-%m").alias("month"), maintain_order=True).agg(
        col("events").sum()
    )
    frames = {
        "events_per_day": per_day,
        "events_per_month": per_month,
        "top_countries": countries,
        "top_actions": actions,
        "busiest_date": per_day.sort(["events", "day"], descending=[True, False]).head(1),
        "top_tags": tags,
        **of_users(per_user),
    }
    return {name: frame.rows() for name, frame in frames.items()}


def top(frame, column, measure):
    counts = frame.filter(col(column) != "").group_by(column).agg(pl.len().alias(measure))
    return counts.sort([measure, column], descending=[True, False]).head(peer.TOP)


def users(events):
    """Each user once, with all that the queries ask for; the user without an address is null."""
    when = col("timestamp")
    user = col("email").str.strip_chars(" ").str.to_lowercase()
    shown = (when >= min(peer.PREVIOUS_START, peer.YEAR_START)) & (when < peer.PERIOD_END)
    return (
        events.filter(shown)
        .group_by(user.replace("", None).alias("user"))
        .agg(
            (when >= peer.PERIOD_START).sum().cast(pl.Int64).alias("events"),
            ((when >= peer.PREVIOUS_START) & (when < peer.PERIOD_START)).sum().cast(pl.Int64).alias("previous_events"),
            (when >= peer.YEAR_START).sum().cast(pl.Int64).alias("year_events"),
            # Nothing older than both starts is here, and a user without events in between is not asked for.
            when.max().alias("last_seen"),
        )
    )


def with_companies(per_user):
    per_user = per_user.with_columns(col("user").str.split_exact("@", 1).struct.field("field_1").alias("domain"))
    domains = per_user["domain"].drop_nulls().unique().to_list()
    names = pl.DataFrame(
        {"domain": domains, "company": companies.companies(domains)}, schema={"domain": pl.String, "company": pl.String}
    )
    return per_user.join(names, on="domain", how="left")


def of_users(per_user):
    active = per_user.filter(col("events") > 0)
    this_year = per_user.filter(col("year_events") > 0)
    growing = (
        per_user.filter(col("company").is_not_null())
        .group_by("company")
        .agg(col("events").sum(), col("previous_events").sum())
        .with_columns((col("events") - col("previous_events")).alias("growth"))
        .filter(col("growth") > 0)
    )
    quiet = per_user.filter(
        col("user").is_not_null() & (col("events") == 0) & (col("previous_events") > 0)
    ).select("user", "company", "previous_events", col("last_seen").dt.date())
    named = active.filter(col("user").is_not_null())
    return {
        "totals": active.select(
            col("events").sum(), col("user").drop_nulls().len().alias("users"), col("company").drop_nulls().n_unique()
        ),
        "year_to_date": this_year.select(col("year_events").sum(), col("user").drop_nulls().len()),
        "top_users": first(named.select("user", "events"), "events", "user"),
        "top_companies": first(sums(named, "company"), "events", "company"),
        "top_domains": first(sums(named, "domain"), "events", "domain"),
        "growing_companies": first(growing, "growth", "company"),
        "quiet_users": first(quiet, "previous_events", "user"),
    }


def sums(active, column):
    named = active.filter(col(column).is_not_null())
    return named.group_by(column).agg(col("events").sum(), pl.len().alias("users"))


def first(frame, measure, name):
    return frame.sort([measure, name], descending=[True, False]).head(peer.TOP)


if __name__ == "__main__":
    peer.run(load, answer)
