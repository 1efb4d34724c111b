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
    n: int
    median: float
    p95: float
    max: float


def figures(values: Sequence[float]) -> Figures:
    p95 = statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]
    return Figures(len(values), statistics.median(values), p95, max(values))


def start_many(engine: Engine, prefix: str, numbers: range) -> list[str]:
    """Containers PREFIX0, PREFIX1 … of a project of that name, four at a time. Their ids."""
    labels = engine.project_labels(prefix)
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda number: engine.run(f"{prefix}{number}", labels=labels), numbers))
