"""Tables for people, and the list for programs."""

import json
import statistics

from suite import Contestant

OURS = Contestant.ours


class Result:
    """The rounds of one server in one scenario."""

    def __init__(self, suite, scenario, server):
        self.suite = suite
        self.scenario = scenario
        self.server = server
        self.throughputs = []
        self.p50s = []
        self.p99s = []
        self.costs = []
        self.peak = None
        self.instructions = None

    def add(self, load, user, kernel):
        self.throughputs.append(load.throughput)
        self.costs.append((user * 1e6 / load.operations, kernel * 1e6 / load.operations))

    def row(self):
        """CPU is the mean of the middle half of the rounds, those that cost the most and the least left out; the rest are
        medians of the rounds."""
        def median(values):
            return statistics.median(values) if values else None

        middle = sorted(self.costs, key=sum)[len(self.costs) // 4:len(self.costs) - len(self.costs) // 4]

        def mean(part):
            return statistics.fmean(cost[part] for cost in middle) if middle else None
        return {
            "suite": self.suite, "scenario": self.scenario, "server": self.server,
            "throughput": median(self.throughputs), "p50Millis": median(self.p50s), "p99Millis": median(self.p99s),
            "userMicros": mean(0), "kernelMicros": mean(1), "peakKiB": self.peak,
            "instructions": self.instructions,
        }


# Column title, key, how it is written, and whether more is better.
TIMED = [
    ("throughput", "throughput", "{:,.0f}", True), ("p50 ms", "p50Millis", "{:.3f}", False),
    ("p99 ms", "p99Millis", "{:.3f}", False), ("user µs", "userMicros", "{:.2f}", False),
    ("kernel µs", "kernelMicros", "{:.2f}", False), ("total µs", "totalMicros", "{:.2f}", False),
    ("peak KiB", "peakKiB", "{:,.0f}", False),
]
COUNTED = [("instructions/op", "instructions", "{:,.0f}", False)]


def bars(suite, ours, peers, scenario, static):
    """What the project promises: (text, ratio, limit, ratio must be at least the limit). `static`: our row for static
    names, when these were measured too."""
    def best(key, more=False, only=None):
        values = [peer[key] for name, peer in peers.items() if peer.get(key) and (not only or name in only)]
        return (max if more else min)(values) if values else None

    def ratio(key, against):
        return ours[key] / against if ours.get(key) and against else None
    wanted = []
    if suite == "dns":
        wanted = [
            ("user CPU against gdnsd", ratio("userMicros", best("userMicros", only={"gdnsd"})), 1.0, False),
            ("total CPU against the better of gdnsd and Knot",
             ratio("totalMicros", best("totalMicros", only={"gdnsd", "knot"})), 1.05, False),
            ("instructions against gdnsd", ratio("instructions", best("instructions", only={"gdnsd"})), 1.0, False),
            ("queries/s against the better of gdnsd and Knot",
             ratio("throughput", best("throughput", True, only={"gdnsd", "knot"})), 1.0, True),
        ]
        if scenario == "steered" and static:
            wanted += [
                ("queries/s against our static names", ratio("throughput", static["throughput"]), 0.9, True),
                ("user CPU against our static names", ratio("userMicros", static["userMicros"]), 1.1, False),
                ("instructions against our static names", ratio("instructions", static["instructions"]), 1.1, False),
            ]
    elif suite == "l7" and scenario == "small":
        wanted = [
            ("requests/s against the better of nginx and HAProxy", ratio("throughput", best("throughput", True)), 1.0,
             True),
            ("user CPU against nginx", ratio("userMicros", best("userMicros", only={"nginx"})), 0.5, False),
            ("instructions against nginx", ratio("instructions", best("instructions", only={"nginx"})), 0.4, False),
        ]
    elif suite == "l4" and scenario == "small":
        wanted = [
            ("messages/s against the better of nginx and HAProxy", ratio("throughput", best("throughput", True)), 0.95,
             True),
            ("user CPU against the better of nginx and HAProxy", ratio("userMicros", best("userMicros")), 1.0, False),
            ("instructions against nginx", ratio("instructions", best("instructions", only={"nginx"})), 1.0, False),
        ]
    return [bar for bar in wanted if bar[1] is not None]


def table(suite, rows, counted):
    columns = COUNTED if counted else TIMED
    for row in rows:
        if row["userMicros"] is not None:
            row["totalMicros"] = row["userMicros"] + row["kernelMicros"]
    for scenario in dict.fromkeys(row["scenario"] for row in rows):
        here = {row["server"]: row for row in rows if row["scenario"] == scenario}
        print(f"\n{suite.name}: {scenario} ({suite.unit})")
        print(f"  {'':22}" + "".join(f"{title:>16}" for title, *_ in columns))
        for name, row in here.items():
            print(f"  {name:22}" + "".join(
                f"{form.format(row[key]) if row.get(key) is not None else '-':>16}" for _, key, form, _ in columns))
        peers = {name: row for name, row in here.items() if name != OURS}
        if OURS not in here or not peers:
            continue
        line = f"  {'ours / best peer':22}"
        for _, key, _, more in columns:
            values = [row[key] for row in peers.values() if row.get(key)]
            own = here[OURS].get(key)
            line += f"{own / (max if more else min)(values):16.2f}" if values and own is not None else f"{'-':>16}"
        print(line)
        static = next((row for row in rows if row["scenario"] == "static" and row["server"] == OURS), None)
        for text, ratio, limit, at_least in bars(suite.name, here[OURS], peers, scenario, static):
            kept = ratio >= limit if at_least else ratio <= limit
            print(f"  {'kept  ' if kept else 'MISSED'} {text}: {ratio:.2f} ({'>=' if at_least else '<='} {limit})")


def write_json(path, rows):
    keys = ("suite", "scenario", "server", "throughput", "p50Millis", "p99Millis", "userMicros", "kernelMicros",
            "peakKiB", "instructions")
    with open(path, "w", encoding="utf-8") as file:
        json.dump([{key: row[key] for key in keys} for row in rows], file, indent=2)
        file.write("\n")
