"""What the three suites have in common: contestants, scenarios, and where files go."""

import os

from processes import SERVER_CORE, Process, free_port


class Scenario:
    """`servers` names who takes part, None for all. `quick` scenarios run with --quick as well. Scenarios of one `stage`
    share running servers."""

    def __init__(self, name, quick=True, servers=None, stage="", **details):
        self.name = name
        self.quick = quick
        self.servers = servers
        self.stage = stage
        self.details = details


class Contestant:
    """A server that can be started: `configure(folder, port)` writes its files and returns its command."""

    ours = "meridian"

    def __init__(self, name, configure, stage=""):
        self.name = name
        self.configure = configure
        self.stage = stage
        self.process = None
        self.port = None

    def start(self, folder, answers, wrapper=(), seconds=15):
        """Starts the server and waits until `answers(port)`; `wrapper` is a command to run it under."""
        self.port = free_port()
        home = os.path.join(folder, f"{self.name}-{self.port}")
        os.makedirs(home)
        command, environment = self.configure(home, self.port)
        self.process = Process(self.name, [*wrapper, *command], home, SERVER_CORE, environment)
        self.process.wait_for(lambda: answers(self.port), seconds)
        return self

    def stop(self, seconds=20):
        if self.process:
            self.process.stop(seconds)
            self.process = None


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return path


def ours(program, folder, topology):
    """How one of our nodes is started from a topology with a node named `bench`."""
    path = write(folder, "topology.yaml", topology)
    binary = os.path.join(os.environ["MERIDIAN_BIN"], program)
    return [binary, "serve", "--topology", path, "--node", "bench"], {}
