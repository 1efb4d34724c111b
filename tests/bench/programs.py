"""The benches' programs on the bus (client.cpp, minimal_server.cpp) and the played engine (played_docker.cpp)."""

import subprocess
from pathlib import Path
from typing import Sequence

from lab.bus import Bus
from lab.paths import BUILD

_FOLDER = BUILD / "tests" / "bench"
_POLICY = """<busconfig><policy user="root"><allow send_type="method_call"/></policy></busconfig>
"""


class Program:
    """Answers a line with a line, and ends with its input."""

    def __init__(self, name: str, *arguments: str):
        self._name = name
        self._process = subprocess.Popen([_FOLDER / name, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True, start_new_session=True)

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._name} ended with {self._process.wait()}")
        return line.rstrip("\n")

    def ask(self, line: str) -> str:
        self.tell(line)
        return self.answer()

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


class BusProgram(Program):
    def __init__(self, name: str, bus: Bus):
        super().__init__(name, bus.address)
        self.unique_name = self.answer()


class BusClient(BusProgram):
    def __init__(self, bus: Bus):
        super().__init__("bench-client", bus)

    def calls(self, what: Sequence[str], count: int) -> list[float]:
        """what: destination, path, interface, method, signature, number. ms of each."""
        return [int(word) / 1e6 for word in self.ask(f"call {' '.join(what)} {count}").split()]

    def turns(self, one: Sequence[str], other: Sequence[str], count: int) -> tuple[list[float], list[float]]:
        """ms of each of two calls, in turns."""
        times = [int(word) / 1e6 for word in self.ask(f"turns {count} {' '.join([*one, *other])}").split()]
        return times[::2], times[1::2]


class MinimalServer(BusProgram):
    def __init__(self, bus: Bus):
        super().__init__("bench-minimal-server", bus)

    def call(self, member: str) -> tuple[str, ...]:
        return (self.unique_name, "/", "bench.Minimal", member, "-", "0")


class PlayedDocker(Program):
    """A played engine that has these containers."""

    type = "docker"

    def __init__(self, containers: int, labels: int):
        super().__init__("bench-played-docker", str(containers), str(labels))
        self.url = f"unix://{self.answer()}"


def open_bus(folder: Path) -> Bus:
    """On which root may call any service, the minimal one among them."""
    folder.mkdir(parents=True, exist_ok=True)
    policy = folder / "minimal.conf"
    policy.write_text(_POLICY)
    return Bus(folder, policies=[policy])
