"""How long after the end of a container a subscriber knows of it, beside the engine's own word of the same end.

The initial process of a container is killed from outside, and three moments are taken of each end, in the same run: when
our signal reaches a subscriber, what the engine's own event says it was told at (its stamp), and when that event reaches
a plain reader of the engine's events. The next one is killed when all have come. Then the engine is stopped (SIGSTOP),
and tells nothing: all are killed at once, and the moments of our signals are taken.
"""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Iterator, Optional

from figures import ENGINES, SUBSCRIBER, start_many
from lab.bus import Bus
from lab.daemon import Daemon
from lab.engine import Engine
from lab.parts import new_folder, running
from lab.recorder import Recorder, Signal
from own_events import OwnEvent, own_events
from suite import Case, Goal, Row

BESIDE = 200  # containers that are alive meanwhile


@dataclass(frozen=True)
class Exit:
    """Moments in µs since 1970."""

    killed: int
    told: Signal
    own: Optional[OwnEvent]  # the engine's


def kill(pid: int) -> int:
    """When."""
    now = time.time_ns() // 1000
    os.kill(pid, signal.SIGKILL)
    return now


@contextlib.contextmanager
def watched(engine: Engine, bus: Bus, folder: Path) -> Iterator[Recorder]:
    daemon = Daemon(folder, bus, {"engine": engine})
    try:
        daemon.start(ready=60)
        recorder = Recorder(bus, [SUBSCRIBER])
        try:
            yield recorder
        finally:
            recorder.close()
        daemon.stop()
    finally:
        daemon.sweep()


def start(engine: Engine, recorder: Recorder, count: int) -> dict[str, int]:
    """Containers that are known to the subscriber: the pids of their initial processes, by id."""
    ids = start_many(engine, "run", range(count))
    for number in range(count):
        recorder.wait_for("ContainerStarted", f"run{number}")
    alive = engine.alive()
    return {id_: alive[id_].pid for id_ in ids}


def exited(recorder: Recorder, id_: str) -> Signal:
    return recorder.wait_for("ContainerExited", seconds=30, where=lambda told: told.id == id_)


def beside_the_engine(engine: Engine, recorder: Recorder, n: int) -> list[Exit]:
    own = own_events(engine)
    try:
        exits = []
        pids = start(engine, recorder, n)
        for id_ in pids:
            own.wait_for("ContainerStarted", id_)
        for id_, pid in pids.items():
            killed = kill(pid)
            exits.append(Exit(killed, exited(recorder, id_), own.wait_for("ContainerExited", id_)))
        return exits
    finally:
        own.close()


def while_frozen(engine: Engine, recorder: Recorder, n: int) -> list[Exit]:
    pids = start(engine, recorder, n)
    engine.freeze()
    try:
        killed = {id_: kill(pid) for id_, pid in pids.items()}
        return [Exit(when, exited(recorder, id_), None) for id_, when in killed.items()]
    finally:
        engine.thaw()


def rows(type_: str, exits: list[Exit]) -> Iterator[Row]:
    """Milliseconds from the kill on."""
    n = len(exits)
    ours = [(one.told.at - one.killed) / 1000 for one in exits]
    own = [one.own for one in exits if one.own is not None]
    kernel = sum(one.told.details["Cause"] == "kernel" for one in exits)
    code = sum("ExitCode" in one.told.details for one in exits)
    stamps = [(event.stamp - one.killed) / 1000 for one, event in zip(exits, own)]
    arrivals = [(event.arrival - one.killed) / 1000 for one, event in zip(exits, own)]
    # By how much on the median, and whether at all: the goals of Docker and of all.
    goals = [Goal(-20, by="difference")] if type_ == "docker" else []
    note = f"told by the kernel: {kernel} of {n}; with an exit code: {code}"
    yield Row(f"{type_}: exit → signal, beside the engine's stamp, {BESIDE} containers", "ms", ours, stamps, goals, note)
    ahead = 100 * sum(mine < stamp for mine, stamp in zip(ours, stamps)) / n
    yield Row(f"{type_}: exits told before the engine's stamp", "%", [ahead],
              goals=[Goal(95, by="value", least=True)])
    yield Row(f"{type_}: exit → signal, beside the engine's event at a reader", "ms", ours, arrivals)


def measure(type_: str, n: int) -> Iterator[Row]:
    with (new_folder() as folder, running(ENGINES[type_](folder / "engine")) as engine,
          running(Bus(folder / "bus")) as bus):
        start_many(engine, "beside", range(BESIDE))
        with watched(engine, bus, folder / "daemon") as recorder:
            exits = beside_the_engine(engine, recorder, n)
        for one in exits:
            engine.remove(one.told.id)
        yield from rows(type_, exits)
        with watched(engine, bus, folder / "daemon-frozen") as recorder:
            frozen = while_frozen(engine, recorder, n)
        yield Row(f"{type_}: exit → signal while the engine is stopped", "ms",
                  [(one.told.at - one.killed) / 1000 for one in frozen])


# Not CRI's: its calls refuse to remove what the kernel alone knows to be over, and its exits are containerd's.
CASES = [Case(f"exits-{type_}", f"exits on {type_}, beside the engine's own word of them", 50, partial(measure, type_))
         for type_ in ("docker", "podman", "containerd")]
