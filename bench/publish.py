"""Figures to docs/benchmarks.json and docs/benchmarks.md."""

import datetime
import json
import os
import pathlib
import statistics
import subprocess

import machine

HERE = pathlib.Path(__file__).resolve().parent
TEXT = HERE / "benchmarks.md"
# Of benchmarks.json, for whoever reads it.
FORMAT = 1
MEGABYTE = 1_000_000
# Speed of the decoder alone that we want to keep, in GB/s on one core: of finding records and fields, and of the way
# that understands every byte.
GOALS = {**{f"decoder/index/{way}": 2.0 for way in ("sse2", "avx2", "avx512")}, "decoder/byte_by_byte": 0.3}


class Report:
    """Collects what was measured. Cases that were not measured this time keep their figures, with the date on them."""

    def __init__(self, folder, profile, all_sides):
        self.json = folder / "benchmarks.json"
        self.markdown = folder / "benchmarks.md"
        self.profile = profile
        self.versions = {side.name: side.version() for side in all_sides}
        self.machine = machine.describe()
        self.found = json.loads(self.json.read_text()) if self.json.exists() else {}
        self.found["format"] = FORMAT

    def stamp(self):
        """What a figure depends on besides the program."""
        return {
            "measured_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes").replace("+00:00", "Z"),
            "commit": commit(),
            "profile": self.profile,
            "versions": self.versions,
            "machine": self.machine,
            "load_average": round(os.getloadavg()[0], 2),
        }

    def add(self, case, result):
        self.found[case.name] = one(case, result) | self.stamp()
        if case.again:
            self.found[case.again] = of_again(case, result) | self.stamp()
        self.write()

    def add_micro(self, speeds):
        self.found["micro"] = {
            "gigabytes_a_second": {name: round(speed, 3) for name, speed in speeds.items()},
            "goals": GOALS,
        } | self.stamp()
        self.write()

    def write(self):
        self.json.parent.mkdir(parents=True, exist_ok=True)
        self.json.write_text(json.dumps(self.found, indent=2) + "\n")
        self.markdown.write_text(page(self.found))


def commit():
    command = ["git", "-C", str(HERE), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def one(case, result):
    """A case: our figures, and below `peers` those of each peer."""
    facts = result["facts"]
    figures = {name: summary(taken) for name, taken in result["taken"].items()}
    ours = figures.pop("stillhouse")
    for name, peer in figures.items():
        peer["ratio"] = ratio(peer, ours)
        peer["ratio_by_round"] = by_round(result["taken"][name], result["taken"]["stillhouse"])
        peer["cpu_ratio"] = round(peer["cpu_seconds"] / ours["cpu_seconds"], 2)
    found = {"title": case.title, "work": case.work.name, **against(figures), **ours}
    found |= {"megabytes_a_second": speed(facts, ours), **facts}
    if case.limit_seconds:
        found |= limit(case.limit_seconds, ours)
    if case.goal:
        found["goals"] = goals(case.goal, ours, figures)
    return found | {"rounds": len(result["taken"]["stillhouse"]), "peers": figures}


def against(peers):
    if not peers:
        return {}
    fastest = min(peers, key=lambda name: peers[name]["seconds_median"])
    return {"ratio_to_fastest_peer": peers[fastest]["ratio"], "fastest_peer": fastest}


def goals(goal, ours, peers):
    """Each goal in words, with what it is held against, and whether that is reached."""
    found = []
    against_whom = [goal.peer] if goal.peer else list(peers)
    if against_whom and peers.keys() >= set(against_whom):
        ratio = min(peers[name]["ratio"] for name in against_whom)
        whom = goal.peer or "the fastest peer"
        wanted = f"at least {goal.ratio:g} times as fast as {whom}"
        found.append({"goal": wanted, "found": ratio, "reached": ratio >= goal.ratio})
    if goal.peak_mb:
        peak = ours["peak_rss_mb"]
        found.append({"goal": f"at most {goal.peak_mb:g} MB of memory", "found": peak, "reached": peak <= goal.peak_mb})
    return found


def of_again(case, result):
    """The run again, in which there is nothing to do."""
    ours = summary([(took, 0) for took in result["again"]])
    del ours["output_mb"]
    title = f"{case.title}, run again: nothing to do"
    return {"title": title, **ours, **limit(case.limit_again_seconds, ours), "rounds": len(result["again"])}


def limit(seconds, ours):
    return {"limit_seconds": seconds, "within_limit": ours["seconds_median"] <= seconds}


def summary(taken):
    seconds = [took.seconds for took, _ in taken]
    median = statistics.median(seconds)
    return {
        "seconds_median": round(median, 3),
        "seconds_min": round(min(seconds), 3),
        "seconds_max": round(max(seconds), 3),
        # Of the median, between the slowest and the quickest round.
        "spread": round((max(seconds) - min(seconds)) / median, 3),
        "cpu_seconds": round(statistics.median(took.cpu_seconds for took, _ in taken), 3),
        "peak_rss_mb": round(max(took.peak_mb for took, _ in taken), 1),
        "output_mb": round(statistics.median(size for _, size in taken) / MEGABYTE, 1),
    }


def ratio(peer, ours):
    return round(peer["seconds_median"] / ours["seconds_median"], 2)


def by_round(peer, ours):
    """Their time over ours in each round, where both had the same machine: least, median, most."""
    ratios = [theirs.seconds / mine.seconds for (theirs, _), (mine, _) in zip(peer, ours)]
    return {
        "min": round(min(ratios), 2), "median": round(statistics.median(ratios), 2), "max": round(max(ratios), 2),
    }


def speed(facts, ours):
    return round(facts["input_bytes"] / MEGABYTE / ours["seconds_median"], 1)


def page(found):
    """The whole page: what does not change is in bench/benchmarks.md."""
    measured = {name: value for name, value in found.items() if isinstance(value, dict) and "title" in value}
    beside = {name: case for name, case in measured.items() if "limit_seconds" not in case}
    parts = {
        "machine": machines(found),
        "reports": tables({name: case for name, case in beside.items() if case.get("work", "events") == "events"}),
        "loads": tables({name: case for name, case in beside.items() if case.get("work", "events") != "events"}),
        "limits": limits({name: case for name, case in measured.items() if "limit_seconds" in case}),
        "micro": micro_table(found.get("micro")),
    }
    text = TEXT.read_text()
    for name, part in parts.items():
        text = text.replace("{{" + name + "}}", part)
    return text


def machines(found):
    """When, where and of what; one line for each different answer."""
    stamped = [value for value in found.values() if isinstance(value, dict) and "machine" in value]
    lines = dict.fromkeys(stamp_line(value) for value in stamped)
    return "\n".join(f"- {line}" for line in lines)


def stamp_line(value):
    box, versions = value["machine"], value["versions"]
    others = ", ".join(f"{name} {version}" for name, version in versions.items() if name != "stillhouse")
    return (
        f"{value['measured_at'][:10]}: {box['processor']}, {box['processors']} processors, {box['memory_gb']} GB, "
        f"{box['kernel']}, {box['file_system']}; Stillhouse {versions['stillhouse']} ({value['commit']}), profile "
        f"`{value['profile']}`; {others or 'no peers'}; Python {box['python']}"
    )


HEAD = ["", "median s", "least–most s", "ratio", "ratio by round", "processor s", "peak MB", "stored MB"]


def tables(measured):
    return "\n\n".join(table(name, case) for name, case in measured.items()) or "Not measured yet."


def table(name, case):
    """One case with all sides."""
    rows = [side_row("**Stillhouse**", case, "1")]
    rows += [side_row(peer, figures, f"{figures['ratio']:.2f}") for peer, figures in case["peers"].items()]
    said = (
        f"{loaded(case)} loaded, {case['refused']:,} records refused; {case['megabytes_a_second']:,} MB/s. "
        f"{case['rounds']} rounds, load average {case['load_average']}."
    )
    for goal in case.get("goals", []):
        said += f" Goal: {goal['goal']}; {'reached' if goal['reached'] else '**missed**'}."
    return f"### {case['title']} (`{name}`)\n\n{markdown(HEAD, rows)}\n\n{said}"


def loaded(case):
    """How many rows of each table."""
    # Figures of before there were other works have these two.
    rows = case.get("loaded") or {"events": case["rows"], "tags": case["tags"]}
    counts = [f"{count:,} {table.replace('event_', '')}" for table, count in rows.items()]
    return " and ".join([", ".join(counts[:-1]), counts[-1]] if counts[:-1] else counts)


def side_row(title, figures, times):
    spread = figures.get("ratio_by_round")
    return [
        title, f"{figures['seconds_median']:.2f}", f"{figures['seconds_min']:.2f}–{figures['seconds_max']:.2f}", times,
        f"{spread['min']:.2f}–{spread['max']:.2f}" if spread else "", f"{figures['cpu_seconds']:.2f}",
        f"{figures['peak_rss_mb']:.0f}", f"{figures['output_mb']:.1f}",
    ]


def limits(measured):
    rows, said = [], []
    for name, case in measured.items():
        verdict = "yes" if case["within_limit"] else "**no**"
        spread = f"{case['seconds_min']:.2f}–{case['seconds_max']:.2f}"
        rows.append([
            f"{case['title']} (`{name}`)", f"{case['seconds_median']:.2f}", spread, f"{case['cpu_seconds']:.2f}",
            f"{case['peak_rss_mb']:.0f}", f"{case['limit_seconds']} s", verdict,
        ])
        if "receipts" in case:
            peers = ", ".join(f"{peer} {figures['seconds_median']:.2f} s" for peer, figures in case["peers"].items())
            said.append(
                f"`{name}`: {case['receipts']:,} receipts in {case['commits']:,} commits to all tables; the peers: "
                f"{peers or 'not measured'}."
            )
    head = ["", "median s", "least–most s", "processor s", "peak MB", "limit", "kept"]
    return "\n\n".join([markdown(head, rows), *said]) if rows else "Not measured yet."


def micro_table(micro):
    if not micro:
        return "Not measured yet."
    goals = micro["goals"]
    rows = [
        [name, f"{speed:.2f}", f"{goals[name]:.1f}" if name in goals else ""]
        for name, speed in micro["gigabytes_a_second"].items()
    ]
    return markdown(["one core", "GB/s of CSV", "goal"], rows)


def markdown(head, rows):
    line = lambda cells: "| " + " | ".join(str(cell) for cell in cells) + " |"
    return "\n".join([line(head), line(["---"] + ["---:"] * (len(head) - 1)), *map(line, rows)])
