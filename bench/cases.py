"""What is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One load and its report."""

    name: str
    title: str
    # A data set of data.py.
    data: str
    # Tags with quotes of either kind, line breaks inside fields: the peers need other settings.
    awkward: bool = False
    # Ours is run a second time on the same lake, under this name.
    again: str = ""
    # What ours may take; the second one is for the run again.
    limit_seconds: float = 0
    limit_again_seconds: float = 0


CASES = {
    case.name: case
    for case in [
        Case("events_csv_150mb", "clean CSV, 150 MB", "clean-150mb"),
        Case("events_csv_1200mb", "clean CSV, 1.2 GB", "clean-1200mb"),
        Case("events_csv_rough", "rough CSV, 600 MB", "rough-600mb", awkward=True),
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
    ]
}
