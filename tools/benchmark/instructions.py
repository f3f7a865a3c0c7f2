"""User-mode instructions per operation, counted by callgrind: they repeat where times do not. Each server runs twice,
with N and with 2 N operations, and the difference is N operations without the start and the end."""

import glob
import os
import re
import subprocess

from processes import Failure

# Valgrind counts `rep stosb` and `rep movsb` once per octet, where the processor executes one instruction. With these the
# C library clears and copies large blocks with vector loops instead, for every server alike.
PLAIN_COPIES = "GLIBC_TUNABLES=glibc.cpu.x86_rep_stosb_threshold=1073741824:glibc.cpu.x86_rep_movsb_threshold=1073741824"


def make_countable(program, folder):
    """What our program needs to run under valgrind 3.19, which Debian 12 has: it gives up on the debugging information that
    Swift 6 writes, and see sigsuspend.c."""
    built = os.path.join(os.environ["MERIDIAN_BIN"], program)
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sigsuspend.c")
    binaries = os.path.join(folder, "countable")
    os.makedirs(binaries, exist_ok=True)
    shim = os.path.join(binaries, "sigsuspend.so")
    for command in (["strip", "--strip-debug", "-o", os.path.join(binaries, program), built],
                    ["clang", "-shared", "-fPIC", "-o", shim, source]):
        try:
            subprocess.run(command, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Failure(f"{' '.join(command)}: {error}") from error
    os.environ["MERIDIAN_BIN"] = binaries
    return shim


def measure(contestant, suite, scenario, folder, shim):
    count = scenario.details.get("counted", suite.counted)
    first = total(contestant, suite, scenario, folder, shim, count)
    second = total(contestant, suite, scenario, folder, shim, 2 * count)
    return (second - first) / count


def total(contestant, suite, scenario, folder, shim, count):
    """All instructions of one life of the server, its children included."""
    out = os.path.join(folder, f"callgrind-{contestant.name}-{count}")
    preload = [f"LD_PRELOAD={shim}"] if shim and contestant.name == contestant.ours else []
    wrapper = ["env", PLAIN_COPIES, *preload, "valgrind", "--tool=callgrind", "--trace-children=no", f"--callgrind-out-file={out}.%p", "--quiet"]
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
