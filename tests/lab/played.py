"""Four played engines with many containers, in a process of its own (tests/scale/played_engines.cpp)."""

import json
import subprocess
from dataclasses import dataclass
from typing import Any, Sequence

from .paths import BUILD
from .waiting import Deadline

_PROGRAMS = BUILD / "tests" / "scale"


@dataclass(frozen=True)
class Endpoint:
    """What the configuration has to know of an engine."""

    type: str
    url: str


class Program:
    """One of the test's own, which answers a line with a line of JSON."""

    def __init__(self, name: str, *arguments: str, inside: Sequence[str] = ()):
        self._process = subprocess.Popen([*inside, _PROGRAMS / name, *arguments], text=True, start_new_session=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._name = name

    @property
    def pid(self) -> int:
        return self._process.pid

    def line(self, seconds: float) -> str:
        assert self._process.stdout is not None
        Deadline(seconds, f"a line of {self._name}").wait_readable(self._process.stdout.fileno())
        line = self._process.stdout.readline()
        assert line, f"{self._name} ended with {self._process.wait()}"
        return line.rstrip("\n")

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def ask(self, command: str, seconds: float = 60) -> dict[str, Any]:
        self.tell(command)
        return json.loads(self.line(seconds))

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def close(self) -> None:
        """It ends with its input, and cleans up after itself; one that is stopped does not."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def kill(self) -> None:
        self._process.kill()


class PlayedEngines(Program):
    """Docker, Podman, containerd and CRI-O, with so many containers together."""

    def __init__(self, containers: int):
        super().__init__("played-engines", str(containers))
        self.urls: dict[str, str] = json.loads(self.line(60))
