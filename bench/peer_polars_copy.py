"""The same copy of a Parquet file with Polars: lazy, and with its streaming engine.

Row groups of the size that the file has are quicker than those that Polars makes by itself.
"""

import peer
import polars as pl

ROW_GROUP_ROWS = 1 << 20


def load(job):
    pl.scan_parquet(job.files).sink_parquet(
        job.events, engine="streaming", compression="zstd", compression_level=1, row_group_size=ROW_GROUP_ROWS
    )
    return 0


if __name__ == "__main__":
    peer.run(load)
