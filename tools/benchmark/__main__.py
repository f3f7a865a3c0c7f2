"""Runs one suite: see tools/bench."""

import argparse
import shutil
import sys
import tempfile
import time

import dns
import instructions
import l4
import l7
import report
from processes import CLIENT_CORE, SERVER_CORE, Failure


def timed(suite, contestants, scenarios, quick):
    """Every server stays up; rounds alternate between them, so that what the machine does meanwhile hits all alike."""
    # Many short rounds: on a shared machine trouble comes in spells of seconds, and then spoils few of them.
    rounds, seconds, pause, sampled_rounds = (2, 1, 1, 1) if quick else (12, 2, 2, 4)
    results = {}
    running = []
    for scenario in scenarios:
        here = [each for each in contestants if each.stage == scenario.stage]
        for contestant in [each for each in running if each not in here]:
            contestant.stop()
        for contestant in [each for each in here if each not in running]:
            contestant.start(suite.folder, suite.answers, seconds=120)
        running = here
        takers = [each for each in here if not scenario.servers or each.name in scenario.servers]
        for contestant in takers:
            wrong = suite.check(contestant, scenario)
            if wrong:
                raise Failure(f"{contestant.name}, {scenario.name}: {wrong}")
            results[scenario.name, contestant.name] = report.Result(suite.name, scenario.name, contestant.name)
        for turn in range(rounds):
            # Each round starts with another server.
            for contestant in takers[turn % len(takers):] + takers[:turn % len(takers)]:
                result = results[scenario.name, contestant.name]
                before = contestant.process.seconds()
                load = suite.load(contestant, scenario, seconds)
                after = contestant.process.seconds()
                result.add(load, after[0] - before[0], after[1] - before[1])
                sampled = suite.latency(contestant, scenario, pause) if turn < sampled_rounds else None
                for p50, p99 in [sampled or (load.p50, load.p99)]:
                    if p50 is not None:
                        result.p50s.append(p50)
                        result.p99s.append(p99)
                result.peak = contestant.process.peak()
                print(f"  {scenario.name}, round {turn + 1}, {contestant.name}: {load.throughput:,.0f} {suite.unit}",
                      file=sys.stderr)
    return [result.row() for result in results.values()]


def counted(suite, contestants, scenarios):
    rows = []
    shim = None
    if any(each.name == each.ours for each in contestants):
        shim = instructions.make_countable(f"meridian-{suite.name}", suite.folder)
    for scenario in scenarios:
        if scenario.details.get("counted") == 0:
            continue
        for contestant in contestants:
            if contestant.stage != scenario.stage or scenario.servers and contestant.name not in scenario.servers:
                continue
            result = report.Result(suite.name, scenario.name, contestant.name)
            result.instructions = round(instructions.measure(contestant, suite, scenario, suite.folder, shim))
            rows.append(result.row())
            print(f"  {scenario.name}, {contestant.name}: {result.instructions:,} instructions", file=sys.stderr)
    return rows


def main():
    parser = argparse.ArgumentParser(prog="tools/bench")
    parser.add_argument("suite", choices=["dns", "l7", "l4"])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--only", metavar="NAME,NAME")
    parser.add_argument("--scenario", metavar="NAME,NAME")
    options = parser.parse_args()
    suite = {"dns": dns, "l7": l7, "l4": l4}[options.suite].Suite()
    names = options.only.split(",") if options.only else [each.name for each in suite.contestants]
    contestants = [each for each in suite.contestants if each.name in names]
    scenarios = [each for each in suite.scenarios
                 if (each.quick or not options.quick) and (not options.scenario or each.name in options.scenario.split(","))]
    if not contestants or not scenarios:
        parser.error("no such server or scenario")
    began = time.monotonic()
    suite.folder = tempfile.mkdtemp(prefix="meridian-bench-")
    try:
        if CLIENT_CORE == SERVER_CORE:
            print("one core only: client, backend and servers share it", file=sys.stderr)
        suite.scenarios = scenarios
        suite.prepare(suite.folder)
        rows = counted(suite, contestants, scenarios) if options.instructions else timed(
            suite, contestants, scenarios, options.quick)
        report.table(suite, rows, options.instructions)
        if options.json:
            report.write_json(options.json, rows)
        print(f"\n{time.monotonic() - began:.0f} s")
    except Failure as failure:
        print(f"tools/bench: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        for contestant in suite.contestants:
            contestant.stop(seconds=3)
        suite.finish()
        shutil.rmtree(suite.folder, ignore_errors=True)
    return 0


sys.exit(main())
