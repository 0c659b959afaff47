"""The same copy of a Parquet file with pyarrow: columns are read by its threads, and another one writes."""

import peer
import pyarrow.parquet as pq
from arrow_writer import Writer

# As quick as row groups of the size that the file has, with less memory.
BATCH_ROWS = 1 << 18


def load(job):
    files = [pq.ParquetFile(path) for path in job.files]
    events = Writer(job.events, files[0].schema_arrow)
    for file in files:
        for batch in file.iter_batches(BATCH_ROWS):
            events.write(batch)
    events.close()
    return 0


if __name__ == "__main__":
    peer.run(load)
