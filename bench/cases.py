"""What is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """What all sides are asked to make of the data."""

    name: str
    # Tables of our lake, the main one first; a peer writes TABLE.parquet.
    tables: tuple
    # A project of projects/; without it, ours is the `events` template, and its report is run.
    project: str = ""
    # What the peers' programs have behind the name of the library.
    program: str = ""

    @property
    def report(self):
        return not self.project


EVENTS = Work("events", ("events", "event_tags"))
ORDERS = Work("orders", ("orders", "children", "items"), project="orders", program="_orders")
COPY = Work("copy", ("events",), project="events_parquet", program="_copy")


@dataclass(frozen=True)
class Goal:
    """What ours is to reach beside the peers: a missed one is said, and fails nothing."""

    # Their time over ours: of this peer, or of the fastest one.
    ratio: float
    peer: str = ""
    # Memory of ours; without it there is no goal.
    peak_mb: float = 0


@dataclass(frozen=True)
class Case:
    """One load, and its report where the work has one."""

    name: str
    title: str
    # A data set of data.py.
    data: str
    work: Work = EVENTS
    # Tags with quotes of either kind, line breaks inside fields: the peers need other settings.
    awkward: bool = False
    # Ours is run a second time on the same lake, under this name.
    again: str = ""
    # What ours may take; the second one is for the run again.
    limit_seconds: float = 0
    limit_again_seconds: float = 0
    goal: Goal = None


CASES = {
    case.name: case
    for case in [
        Case("events_csv_150mb", "clean CSV, 150 MB", "clean-150mb"),
        Case("events_csv_1200mb", "clean CSV, 1.2 GB", "clean-1200mb"),
        Case("events_csv_rough", "rough CSV, 600 MB", "rough-600mb", awkward=True),
        Case("flat_jsonl_1000mb", "flat JSON lines, 1 GB", "lines-1000mb", goal=Goal(1.2)),
        Case(
            "nested_jsonl_500mb", "nested JSON lines to three tables, 500 MB", "orders-500mb", ORDERS,
            goal=Goal(2, peak_mb=400),
        ),
        Case("parquet_to_delta", "Parquet to a Delta table, 300 MB", "typed-1200mb", COPY, goal=Goal(1, peer="duckdb")),
        Case(
            "small_files_10000", "10,000 files of 1 kB", "small-10000", again="nothing_to_do_10000", limit_seconds=60,
            limit_again_seconds=2,
        ),
    ]
}
# To try the benchmark itself: quick, and no figures worth keeping.
SMOKE = {
    case.name: case
    for case in [
        Case("smoke_clean", "clean CSV, 15 MB", "clean-15mb"),
        Case("smoke_rough", "rough CSV, 15 MB", "rough-15mb", awkward=True),
        Case("smoke_flat", "flat JSON lines, 15 MB", "lines-15mb"),
        Case("smoke_nested", "nested JSON lines to three tables, 15 MB", "orders-15mb", ORDERS),
        Case("smoke_parquet", "Parquet to a Delta table, 4 MB", "typed-15mb", COPY),
    ]
}
