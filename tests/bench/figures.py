"""What the benches have in common: the engines, many containers at once, and figures of what was measured."""

import statistics
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Sequence

from lab.containerd import Containerd
from lab.cri import Cri
from lab.dockerd import Dockerd
from lab.engine import Engine
from lab.paths import BUILD
from lab.podman import Podman

# As a recorder's program: it wakes as fast as any subscriber can. It tells of containers only.
SUBSCRIBER = BUILD / "tests" / "bench" / "bench-subscriber"


class CriWithPod(Cri):
    """Whose pod is there before anything is watched, and before several containers are made at once."""

    def start(self) -> None:
        super().start()
        self.need_pod()


ENGINES = {engine.type: engine for engine in (Dockerd, Podman, Containerd, CriWithPod)}


@dataclass(frozen=True)
class Figures:
    """Of two values or more."""

    n: int
    median: float
    p95: float
    max: float

    def __str__(self) -> str:
        return f"n {self.n:4}  median {self.median:8.2f} ms  p95 {self.p95:8.2f} ms  max {self.max:8.2f} ms"


def figures(values: Sequence[float]) -> Figures:
    return Figures(len(values), statistics.median(values), statistics.quantiles(values, n=20, method="inclusive")[-1],
                   max(values))


def line(what: str, values: Sequence[float], more: str = "") -> float:
    """Prints the figures of some milliseconds; the median."""
    those = figures(values)
    print(f"{what:50} {those}  {more}".rstrip(), flush=True)
    return those.median


def start_many(engine: Engine, prefix: str, numbers: range) -> list[str]:
    """Containers PREFIX0, PREFIX1 … of a project of that name, four at a time. Their ids."""
    labels = engine.project_labels(prefix)
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda number: engine.run(f"{prefix}{number}", labels=labels), numbers))
