"""Tests of the benchmark itself: `python3 -m unittest discover -s bench`. They need the standard library only."""

import hashlib
import pathlib
import sys
import tempfile
import unittest

import cases
import compare
import data
import measure
import micro
import publish
import rows
import sides

DIVAN = """\
Timer precision: 20 ns
decoder          fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ byte_by_byte  30.19 ms      │ 41.3 ms       │ 31.01 ms      │ 31.73 ms      │ 30      │ 30
│                496.7 MB/s    │ 363 MB/s      │ 483.5 MB/s    │ 472.6 MB/s    │         │
╰─ index                       │               │               │               │         │
   ├─ sse2       6.001 ms      │ 6.1 ms        │ 6.05 ms       │ 6.1 ms        │ 30      │ 30
   │             2.499 GB/s    │ 2.4 GB/s      │ 2.479 GB/s    │ 2.4 GB/s      │         │
   ╰─ avx2       4.001 ms      │ 4.1 ms        │ 4.05 ms       │ 4.1 ms        │ 30      │ 30
                 3.749 GB/s    │ 3.6 GB/s      │ 3.703 GB/s    │ 3.6 GB/s      │         │

writer     fastest       │ slowest       │ median        │ mean          │ samples │ iters
╰─ events  50 ms         │ 60 ms         │ 50 ms         │ 50 ms         │ 30      │ 30
           300 MB/s      │ 250 MB/s      │ 300 MB/s      │ 300 MB/s      │         │
"""


class Micro(unittest.TestCase):
    def test_the_median_of_every_benchmark_is_read(self):
        expected = {
            "decoder/byte_by_byte": 0.4835, "decoder/index/sse2": 2.479, "decoder/index/avx2": 3.703, "writer/events": 0.3
        }
        found = micro.speeds(DIVAN)
        self.assertEqual(found.keys(), expected.keys())
        for name, speed in expected.items():
            self.assertAlmostEqual(found[name], speed)

    def test_output_without_figures_is_an_error(self):
        with self.assertRaisesRegex(measure.Failed, "no throughput of writer"):
            micro.speeds(DIVAN[: DIVAN.index("writer")])


class Compare(unittest.TestCase):
    def test_equal_answers_in_other_types_are_equal(self):
        self.assertEqual(compare.answers({"a": [["2024-01-01", 3, None]]}, {"a": [["2024-01-01", "3", None]]}), [])

    def test_each_difference_is_named(self):
        ours = {"a": [["x", 1], ["y", 2]], "b": [["x", 1]], "c": []}
        theirs = {"a": [["x", 1], ["y", 3]], "b": [], "d": []}
        found = compare.answers(ours, theirs)
        self.assertEqual(found, [
            "a: row 2: ours ['y', '2'], theirs ['y', '3']", "b: ours has 1 rows, theirs 0", "c: only one side has it",
            "d: only one side has it",
        ])

    def test_refused_records_are_told_apart(self):
        self.assertEqual(compare.refused([1, 2], [1, 2]), [])
        expected = ["refused records: ours 2, theirs 2; only ours [2], only theirs [3]"]
        self.assertEqual(compare.refused([1, 2], [1, 3]), expected)


class Data(unittest.TestCase):
    def test_the_same_seed_gives_the_same_bytes(self):
        pools = rows.Pools(data.SEED)
        for kind, expected in (("clean", "fb1f514ad5a83e7f"), ("rough", "d5834b096e1ee910")):
            chunk = "".join(getattr(rows, kind)(pools, data.SEED, 1)).encode()
            self.assertEqual(hashlib.sha256(chunk).hexdigest()[:16], expected, kind)

    def test_a_file_ends_with_a_whole_record(self):
        pools = rows.Pools(data.SEED)
        chunk = "".join(rows.rough(pools, data.SEED, 1)).encode()
        noted = chunk.index(b", with a note")
        begin = chunk.rindex(b'\n"[', 0, noted) + 1
        for size in (noted, noted + 3):
            self.assertEqual(data.whole_records(chunk, size), begin)


class Measure(unittest.TestCase):
    def test_memory_of_children_counts(self):
        # Each of two processes holds 60 MB for a while.
        hold = "import time; kept = bytearray(60_000_000); time.sleep(0.5)"
        both = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {hold!r}]); {hold}; p.wait()"
        with tempfile.TemporaryDirectory() as folder:
            took = measure.run([sys.executable, "-c", both], pathlib.Path(folder) / "out")
        self.assertGreater(took.peak_mb, 120)
        self.assertGreater(took.seconds, 0.5)

    def test_a_program_that_fails_is_an_error_with_what_it_said(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(measure.Failed, "no such luck"):
            measure.run([sys.executable, "-c", "raise SystemExit('no such luck')"], pathlib.Path(folder) / "out")


class Publish(unittest.TestCase):
    def test_ratios_say_how_much_longer_a_peer_takes(self):
        taken = lambda *seconds: [(measure.Taken(each, each * 2, 100.0), 5_000_000) for each in seconds]
        facts = {"input_bytes": 10_000_000, "rows": 7, "tags": 9, "refused": 0}
        result = {
            "taken": {"stillhouse": taken(1, 2, 3), "duckdb": taken(6, 5, 4), "polars": taken(9, 9, 9)},
            "again": [],
            "facts": facts,
        }
        found = publish.one(cases.SMOKE["smoke_clean"], result)
        self.assertEqual((found["fastest_peer"], found["ratio_to_fastest_peer"]), ("duckdb", 2.5))
        self.assertEqual(found["spread"], 1)
        self.assertEqual(found["megabytes_a_second"], 5)
        self.assertEqual(found["peers"]["duckdb"]["ratio_by_round"], {"min": 1.33, "median": 2.5, "max": 6})


class Sides(unittest.TestCase):
    def test_the_template_has_the_line_that_the_small_files_change(self):
        source = pathlib.Path(__file__).resolve().parent.parent / "templates/events/sources/events.toml"
        self.assertEqual(source.read_text().count(sides.MONTHLY), 1)


if __name__ == "__main__":
    unittest.main()
