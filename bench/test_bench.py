"""Tests of the benchmark itself: `python3 -m unittest discover -s bench`. They need the standard library only; those
that run the peers are skipped where `make bench` has not installed them."""

import decimal
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import cases
import compare
import data
import measure
import micro
import orders
import publish
import rows
import sides

BENCH_PYTHON = data.cache().parent / "bench-venv/bin/python"

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

    def test_tables_that_differ_are_named(self):
        ours = {"children": [2, "17", "1.50"], "items": [3, "4", "9.99"]}
        theirs = {"children": [2, "17", "1.50"], "items": [3, "5", "9.98"]}
        self.assertEqual(compare.rows(ours, ours), [])
        expected = ["rows of items: ours [3, '4', '9.99'], theirs [3, '5', '9.98']"]
        self.assertEqual(compare.rows(ours, theirs), expected)


class Data(unittest.TestCase):
    def test_the_same_seed_gives_the_same_bytes(self):
        data.start_worker()
        beginnings = {
            "clean": "fb1f514ad5a83e7f", "rough": "d5834b096e1ee910", "lines": "d935232584347e09",
            "orders": "7f1df529b425da45",
        }
        for kind, expected in beginnings.items():
            self.assertEqual(hashlib.sha256(data.make_chunk(kind, 1)).hexdigest()[:16], expected, kind)

    def test_json_lines_are_the_clean_events(self):
        pools = rows.Pools(data.SEED)
        last = json.loads(rows.lines(pools, data.SEED, 1)[-1])
        tags = str(last.pop("tags"))
        fields = [*(str(value) for value in last.values()), f'"{tags}"']
        self.assertEqual(",".join(fields) + "\n", rows.clean(pools, data.SEED, 1)[-1])

    def test_ids_of_children_do_not_meet_those_of_the_next_order(self):
        pools = orders.Pools(data.SEED)
        for line in orders.lines(pools, data.SEED, 1):
            self.assertLess(len(json.loads(line)["children"]), orders.CHILDREN_MOST)

    def test_a_file_ends_with_a_whole_record(self):
        pools = rows.Pools(data.SEED)
        chunk = "".join(rows.rough(pools, data.SEED, 1)).encode()
        noted = chunk.index(b", with a note")
        begin = chunk.rindex(b'\n"[', 0, noted) + 1
        for size in (noted, noted + 3):
            self.assertEqual(data.whole_records(data.KINDS["rough"], chunk, size), begin)
        self.assertEqual(data.whole_records(data.KINDS["lines"], b'{"a": 1}\n{"a": 2}\n', 17), 9)


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

    def test_goals_are_held_against_the_fastest_peer_or_the_one_named(self):
        peers = {"duckdb": {"ratio": 2.5}, "polars": {"ratio": 1.9}}
        reached = lambda goal, peers: [each["reached"] for each in publish.goals(goal, {"peak_rss_mb": 399.9}, peers)]
        self.assertEqual(reached(cases.Goal(2, peak_mb=400), peers), [False, True])
        self.assertEqual(reached(cases.Goal(2, peer="duckdb"), peers), [True])
        self.assertEqual(reached(cases.Goal(2, peer="pyarrow"), peers), [])
        self.assertEqual(reached(cases.Goal(2), {}), [])

    def test_what_was_loaded_is_said_table_by_table(self):
        loaded = {"orders": 2130, "children": 823_766, "items": 4_938_401}
        self.assertEqual(publish.loaded({"loaded": loaded}), "2,130 orders, 823,766 children and 4,938,401 items")
        self.assertEqual(publish.loaded({"rows": 7, "tags": 9}), "7 events and 9 tags")


class Sides(unittest.TestCase):
    def test_the_template_has_the_lines_that_the_benchmark_changes(self):
        source = pathlib.Path(__file__).resolve().parent.parent / "templates/events/sources/events.toml"
        for line in (sides.MONTHLY, *sides.AS_JSON):
            self.assertEqual(source.read_text().count(line), 1, line)


@unittest.skipUnless(BENCH_PYTHON.exists(), "scripts/bench-deps.sh has not installed the peers")
class Peers(unittest.TestCase):
    """The small cases without the program: a difference among the peers is a bug of the benchmark."""

    def test_peers_make_the_same_of_the_same_data(self):
        for case in cases.SMOKE.values():
            with self.subTest(case.name):
                self.hold_and_answer_the_same(case)

    def hold_and_answer_the_same(self, case):
        peers = [sides.Peer(name, BENCH_PYTHON) for name in sides.PEERS]
        path = made(case)
        with tempfile.TemporaryDirectory() as scratch:
            folders = {peer.name: pathlib.Path(scratch) / peer.name for peer in peers}
            for peer in peers:
                peer.prepare(folders[peer.name], path, case)
                measure.run(peer.command(folders[peer.name], path, case), pathlib.Path(scratch) / f"{peer.name}.out")
            held = compare.held(str(BENCH_PYTHON), {peer.name: peer.paths(folders[peer.name], case) for peer in peers})
            answers = {peer.name: peer.queries(folders[peer.name], None, case) for peer in peers}
        first, *others = held
        self.assertEqual(len(answers[first]), 13 if case.work.report else 0)
        for name in others:
            self.assertEqual(compare.rows(held[first]["tables"], held[name]["tables"]), [], name)
            self.assertEqual(compare.refused(held[first]["refused"], held[name]["refused"]), [], name)
            self.assertEqual(compare.answers(answers[first], answers[name]), [], name)
        if case.work is cases.ORDERS:
            found = {table: [each[0], *each[2:]] for table, each in held[first]["tables"].items()}
            self.assertEqual(found, counted(path))


def made(case):
    """The path of its data, made by a Python that has what this needs."""
    command = [BENCH_PYTHON, data.__file__, case.data]
    return pathlib.Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def counted(path):
    """Rows of orders, and rows and money of children and items, as the standard library reads them."""
    parse = json.JSONDecoder(parse_float=decimal.Decimal).decode
    all_orders = [parse(line) for line in path.read_text().splitlines()]
    children = [child for order in all_orders for child in order["children"]]
    items = [item for child in children for item in child["items"]]
    score, price = (sum(each[name] for each in of) for of, name in ((children, "score"), (items, "price")))
    return {
        "orders": [len(all_orders)],
        "children": [len(children), f"{score:.4f}"],
        "items": [len(items), f"{price:.2f}"],
    }


if __name__ == "__main__":
    unittest.main()
