"""The same load and the same questions with DuckDB.

The readers of CSV and JSON convert types, lists included, in several threads, and that of CSV keeps what it refuses
with line and reason. Rows may change their order. Tags are unfolded from the Parquet file, which is quicker than reading
the data twice.
"""

import companies
import duckdb
import peer

TYPES = {
    "id": "VARCHAR", "timestamp": "TIMESTAMP", "email": "VARCHAR", "country": "VARCHAR", "ip": "VARCHAR",
    "uri": "VARCHAR", "action": "VARCHAR", "tags": "VARCHAR[]",
}
PARQUET = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"


def load(job):
    refused = load_json(job) if job.are_json_lines else load_csv(job)
    db.execute(f"""
        COPY (SELECT id, "timestamp", unnest(tags) AS tag FROM '{job.events}') TO '{job.tags}' {PARQUET}""")
    return refused


def load_json(job):
    # To be told how days are written is a little quicker than trying.
    db.execute(f"""
        COPY (
            FROM read_json({job.files}, format = 'newline_delimited', columns = {TYPES | {"id": "BIGINT"}},
                timestampformat = '%Y-%m-%d')
        ) TO '{job.events}' {PARQUET}""")
    return 0


def load_csv(job):
    # An empty timestamp is refused like one that cannot be read.
    db.execute(f"""
        COPY (
            SELECT {", ".join(f'"{name}"' for name in TYPES)}
            FROM read_csv({job.files}, header = true, auto_detect = false, delim = ',', quote = '"', escape = '"',
                new_line = '\\n', columns = {columns(job.files[0])}, store_rejects = true,
                force_not_null = ['timestamp', 'uri', 'action'])
        ) TO '{job.events}' {PARQUET}""")
    db.execute(f"""
        COPY (SELECT line - 2 AS record, line, csv_line, column_name, error_message FROM reject_errors)
        TO '{job.rejects}' {PARQUET}""")
    return db.execute("SELECT count(DISTINCT (file_id, line)) FROM reject_errors").fetchone()[0]


def columns(csv):
    """The columns in the order of the file."""
    with open(csv) as lines:
        header = lines.readline().strip().split(",")
    return {name: TYPES[name] for name in header}


def answer(job):
    db.execute(f"CREATE VIEW events AS SELECT * FROM '{job.events}'")
    db.execute(f"CREATE VIEW event_tags AS SELECT * FROM '{job.tags}'")
    db.execute(PER_USER, used(PER_USER))
    name_companies()
    db.execute(PER_DAY, used(PER_DAY))
    return {name: db.execute(query, used(query)).fetchall() for name, query in QUERIES.items()}


BOUNDS = {
    "previous_start": peer.PREVIOUS_START, "period_start": peer.PERIOD_START, "period_end": peer.PERIOD_END,
    "year_start": peer.YEAR_START,
}


def used(query):
    known = BOUNDS | {"top": peer.TOP}
    return {name: value for name, value in known.items() if f"${name}" in query}


# Each user once, with all that the queries ask for; the user without an address is null.
PER_USER = """
    CREATE TEMP TABLE per_user AS
    SELECT *, split_part("user", '@', 2) AS domain FROM (
        SELECT
            nullif(lower(trim(email)), '') AS "user",
            count(*) FILTER ("timestamp" >= $period_start) AS events,
            count(*) FILTER ("timestamp" >= $previous_start AND "timestamp" < $period_start) AS previous_events,
            count(*) FILTER ("timestamp" >= $year_start) AS year_events,
            max("timestamp") FILTER ("timestamp" >= $previous_start) AS last_seen
        FROM events
        WHERE "timestamp" >= least($previous_start, $year_start) AND "timestamp" < $period_end
        GROUP BY ALL
    )"""
PER_DAY = """
    CREATE TEMP TABLE per_day AS
    SELECT CAST("timestamp" AS DATE) AS day, count(*) AS events
    FROM events
    WHERE "timestamp" >= $period_start AND "timestamp" < $period_end
    GROUP BY day"""


def name_companies():
    rows = db.execute("SELECT DISTINCT domain FROM per_user WHERE domain IS NOT NULL").fetchall()
    domains = [domain for (domain,) in rows]
    db.execute(
        "CREATE TEMP TABLE companies AS SELECT unnest($domains) AS domain, unnest($companies) AS company",
        {"domains": domains, "companies": companies.companies(domains)},
    )


def top(column, table="events", measure="events"):
    return f"""
        SELECT {column}, count(*) AS {measure} FROM {table}
        WHERE "timestamp" >= $period_start AND "timestamp" < $period_end AND {column} <> ''
        GROUP BY {column} ORDER BY {measure} DESC, {column} LIMIT $top"""


def top_of_users(column, condition):
    return f"""
        SELECT {column}, CAST(sum(events) AS BIGINT) AS events, count(*) AS users
        FROM per_user LEFT JOIN companies USING (domain)
        WHERE events > 0 AND {condition}
        GROUP BY {column} ORDER BY events DESC, {column} LIMIT $top"""


QUERIES = {
    "totals": """
        SELECT CAST(coalesce(sum(events), 0) AS BIGINT), count("user"), count(DISTINCT company)
        FROM per_user LEFT JOIN companies USING (domain) WHERE events > 0""",
    "events_per_day": "SELECT day, events FROM per_day ORDER BY day",
    "events_per_month": """
        SELECT strftime(day, '%Y-%m') AS month, CAST(sum(events) AS BIGINT) FROM per_day GROUP BY month ORDER BY month""",
    "year_to_date": """
        SELECT CAST(coalesce(sum(year_events), 0) AS BIGINT), count("user") FROM per_user WHERE year_events > 0""",
    "top_users": """
        SELECT "user", events FROM per_user WHERE events > 0 AND "user" IS NOT NULL
        ORDER BY events DESC, "user" LIMIT $top""",
    "top_companies": top_of_users("company", "company IS NOT NULL"),
    "top_domains": top_of_users("domain", "domain IS NOT NULL"),
    "top_countries": top("country"),
    "top_actions": top("action"),
    "busiest_date": "SELECT day, events FROM per_day ORDER BY events DESC, day LIMIT 1",
    "top_tags": top("tag", "event_tags", "uses"),
    "growing_companies": """
        SELECT company, events, previous_events, events - previous_events AS growth FROM (
            SELECT company, CAST(sum(events) AS BIGINT) AS events, CAST(sum(previous_events) AS BIGINT) AS previous_events
            FROM per_user JOIN companies USING (domain) WHERE company IS NOT NULL GROUP BY company
        ) WHERE events > previous_events ORDER BY growth DESC, company LIMIT $top""",
    "quiet_users": """
        SELECT "user", company, previous_events, CAST(last_seen AS DATE)
        FROM per_user LEFT JOIN companies USING (domain)
        WHERE "user" IS NOT NULL AND events = 0 AND previous_events > 0
        ORDER BY previous_events DESC, "user" LIMIT $top""",
}

if __name__ == "__main__":
    db = duckdb.connect()
    db.execute("SET preserve_insertion_order = false")
    peer.run(load, answer)
