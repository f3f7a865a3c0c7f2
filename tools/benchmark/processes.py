"""Child processes pinned to a core, and what the kernel says they used."""

import ctypes
import os
import signal
import socket
import subprocess
import time

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = CORES[0]
CLIENT_CORE = CORES[1] if len(CORES) > 1 else CORES[0]
TICK = 1 / os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """Something that the person at the terminal should read; it ends the run."""


def bound_to_parent(core):
    """What a child does before exec: take its core, and die with us however we die."""

    def prepare():
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, {core})

    return prepare


class Process:
    """A server under measurement, or a backend: started at once, `stop()` ends it and its descendants."""

    def __init__(self, name, command, folder, core=SERVER_CORE, environment=None):
        self.name = name
        self.log = os.path.join(folder, f"{name}.log")
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=bound_to_parent(core), env={**os.environ, **(environment or {})})

    def wait_for(self, ready, seconds):
        deadline = time.monotonic() + seconds
        while True:
            if self.child.poll() is not None:
                raise Failure(f"{self.name} ended with status {self.child.returncode}:\n{self.tail()}")
            if ready():
                return
            if time.monotonic() > deadline:
                raise Failure(f"{self.name} does not answer after {seconds} s:\n{self.tail()}")
            time.sleep(0.02)

    def tail(self):
        with open(self.log, "rb") as log:
            return log.read()[-3000:].decode(errors="replace")

    def members(self):
        """The child and all its descendants: nsd forks its workers."""
        parents = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat") as stat:
                        fields = stat.read().rpartition(") ")[2].split()
                    parents.setdefault(int(fields[1]), []).append(int(entry))
                except OSError:
                    pass
        found, queue = [], [self.child.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue += parents.get(pid, [])
        return found

    def seconds(self):
        """CPU seconds used so far: (user, kernel). The kernel samples the split at its tick and scales it to the exact
        sum, so the split needs a second or more of work to mean something."""
        user = kernel = 0.0
        for pid in self.members():
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    fields = stat.read().rpartition(") ")[2].split()
                user += int(fields[11]) * TICK
                kernel += int(fields[12]) * TICK
            except OSError:
                pass
        return user, kernel

    def peak(self):
        """The most memory that was ever resident, KiB."""
        total = 0
        for pid in self.members():
            try:
                with open(f"/proc/{pid}/status") as status:
                    total += sum(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
            except OSError:
                pass
        return total

    def stop(self, seconds=20):
        """SIGTERM, then SIGKILL to whatever is left of the session."""
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()


def client(command, seconds):
    """Runs a load generator on the client core and returns what it printed."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=seconds, preexec_fn=bound_to_parent(CLIENT_CORE), check=False)
    except subprocess.TimeoutExpired as expired:
        raise Failure(f"{command[0]} did not end within {seconds} s") from expired
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: status {done.returncode}\n{done.stdout[-2000:]}")
    return done.stdout


def free_port():
    """A port that neither TCP nor UDP uses on 127.0.0.1 right now, below the range of outgoing connections."""
    for port in range(free_port.next, 32000):
        free_port.next = port + 1
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
            return port
        except OSError:
            continue
    raise Failure("no free port on 127.0.0.1")


free_port.next = 20000 + os.getpid() % 5000


def accepts(port):
    """Whether something accepts TCP connections on 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), 0.5):
            return True
    except OSError:
        return False
