"""What the death of one engine costs the others: all engines on one daemon, each killed in turn.

The latency is the engine's stamp → signal at a subscriber, of starts and exits together.
"""

import contextlib
from typing import Iterator

from figures import SUBSCRIBER, CriWithPod
from lab.bus import Bus
from lab.containerd import Containerd
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.engine import Engine
from lab.parts import new_folder, running
from lab.podman import Podman
from lab.recorder import Recorder
from suite import Case, Row


def latencies(engine: Engine, recorder: Recorder, runs: int, when: str) -> list[float]:
    """In ms."""
    values: list[float] = []
    for number in range(runs):
        name = f"{when}-{engine.type}-{number}"
        id_ = engine.run(name)
        started = recorder.wait_for("ContainerStarted", name)
        engine.kill(id_)
        exited = recorder.wait_for("ContainerExited", name)
        engine.remove(id_)
        values += [(signal.at - signal.details["Timestamp"]) / 1000 for signal in (started, exited)
                   if "Timestamp" in signal.details]
    return values


def rows(engines: dict[str, Engine], recorder: Recorder, told: Recorder, runs: int) -> Iterator[Row]:
    """recorder: of containers alone; told: of the engines too."""
    for victim, dead in engines.items():
        beside = {name: engine for name, engine in engines.items() if name != victim}
        quiet = {name: latencies(engine, recorder, runs, f"with-{victim}") for name, engine in beside.items()}
        mark = len(told.signals)
        dead.kill9()
        told.wait_for("EngineStateChanged", after=mark, where=lambda signal: signal.args[:2] == [victim, "lost"])
        for name, engine in beside.items():
            yield Row(f"{name} while {victim} is dead, beside before", "ms",
                      latencies(engine, recorder, runs, f"without-{victim}"), quiet[name])
        dead.start()
        told.wait_for("EngineStateChanged", seconds=60, after=mark,
                      where=lambda signal: signal.args[:2] == [victim, "watching"])


def measure(n: int) -> Iterator[Row]:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder())
        engines: dict[str, Engine] = {
            "docker": stack.enter_context(running(Dockerd(folder / "docker", live_restore=True))),
            "podman": stack.enter_context(running(Podman(folder / "podman"))),
            "containerd": stack.enter_context(running(Containerd(folder / "containerd"))),
            "cri": stack.enter_context(running(CriWithPod(folder / "cri")))}
        bus = stack.enter_context(running(Bus(folder / "bus")))
        daemon = Daemon(folder / "daemon", bus, engines)
        stack.callback(daemon.sweep)
        recorder, told = Recorder(bus, [SUBSCRIBER]), Recorder(bus)
        stack.callback(recorder.close)
        stack.callback(told.close)
        daemon.start(ready=30)
        yield from rows(engines, recorder, told, n)


CASES = [Case("neighbours", "what the death of one engine costs the others", 10, measure)]
