"""The engines of tests/scale, with fewer containers, and what can be done to them."""

import random
import signal
import time
from contextlib import ExitStack
from typing import Callable

from lab.played import Endpoint, PlayedEngines

_CONTAINERS = 200
_RATE = 4  # starts a second, and as many exits
_TYPES = {"crio": "cri"}

Fault = tuple[str, Callable[[random.Random], None]]


class Played:
    """Their names are not those of the real ones: "played" and the type."""

    def __init__(self, parts: ExitStack):
        self._engines = PlayedEngines(_CONTAINERS)
        parts.callback(self._engines.close)
        self._seconds = 0.0

    def watched(self) -> dict[str, Endpoint]:
        return {f"played{name}": Endpoint(_TYPES.get(name, name), url) for name, url in self._engines.urls.items()}

    def faults(self) -> list[Fault]:
        return [("freeze the played", self._freeze)]

    def begin(self, seconds: float) -> None:
        """Containers come and go for so long."""
        self._seconds = seconds
        self._engines.tell(f"churn {round(seconds)} {_RATE}")

    def end(self) -> None:
        self._engines.line(10 * self._seconds + 60)

    def alive(self) -> dict[str, set[str]]:
        truth = self._engines.ask("truth")["alive"]
        return {f"played{name}": set(ids) for name, ids in truth.items()}

    def _freeze(self, chance: random.Random) -> None:
        self._engines.signal(signal.SIGSTOP)
        time.sleep(chance.uniform(0.1, 7))
        self._engines.signal(signal.SIGCONT)
