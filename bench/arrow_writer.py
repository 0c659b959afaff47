"""How the peers with pyarrow write a Parquet file beside what else they do."""

import collections
import concurrent.futures

import pyarrow.parquet as pq

# Batches that wait to be written, at most, so that memory does not grow with the file.
WAITING = 4


class Writer:
    """A Parquet file with a thread of its own."""

    def __init__(self, path, schema):
        self.file = pq.ParquetWriter(path, schema, compression="zstd", compression_level=1)
        self.thread = concurrent.futures.ThreadPoolExecutor(1)
        self.waiting = collections.deque()

    def write(self, batch):
        self.waiting.append(self.thread.submit(self.file.write_batch, batch))
        if len(self.waiting) > WAITING:
            self.waiting.popleft().result()

    def close(self):
        for done in self.waiting:
            done.result()
        self.thread.shutdown()
        self.file.close()
