"""User-mode instructions per operation, counted by callgrind: they repeat where times do not. Each server runs twice,
with N and with 2 N operations, and the difference is N operations without the start and the end."""

import glob
import os
import re

from processes import Failure

# Valgrind counts `rep stosb` and `rep movsb` once per octet, where the processor executes one instruction. With these the
# C library clears and copies large blocks with vector loops instead, for every server alike.
PLAIN_COPIES = "GLIBC_TUNABLES=glibc.cpu.x86_rep_stosb_threshold=1073741824:glibc.cpu.x86_rep_movsb_threshold=1073741824"


def measure(contestant, suite, scenario, folder):
    count = scenario.details.get("counted", suite.counted)
    first = total(contestant, suite, scenario, folder, count)
    second = total(contestant, suite, scenario, folder, 2 * count)
    return (second - first) / count


def total(contestant, suite, scenario, folder, count):
    """All instructions of one life of the server, its children included."""
    out = os.path.join(folder, f"callgrind-{contestant.name}-{count}")
    wrapper = ["env", PLAIN_COPIES, "valgrind", "--tool=callgrind", "--trace-children=no", f"--callgrind-out-file={out}.%p", "--quiet"]
    contestant.start(folder, suite.answers, wrapper, seconds=90)
    try:
        wrong = suite.check(contestant, scenario)
        if wrong:
            raise Failure(f"{contestant.name}: {wrong}")
        suite.exactly(contestant, scenario, count)
    finally:
        log = contestant.process
        contestant.stop(seconds=60)
    instructions = 0
    for path in glob.glob(f"{out}.*"):
        with open(path, encoding="utf-8", errors="replace") as file:
            found = [int(value) for value in re.findall(r"^(?:summary|totals): (\d+)", file.read(), re.MULTILINE)]
        instructions += max(found, default=0)
        os.remove(path)
    if instructions == 0:
        raise Failure(f"{contestant.name}: callgrind left no count\n{log.tail()}")
    return instructions
