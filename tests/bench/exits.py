"""How long after the end of a container a subscriber knows of it, beside the engine's own word of the same end.

Usage, as root: SHOREWATCH_BUILD_DIR=FOLDER /usr/bin/python3 tests/bench/exits.py [--engine TYPE] [--n N] …

The initial process of a container is killed from outside, and three moments are taken of each end, in the same run: when
our signal reaches a subscriber, what the engine's own event says it was told at (its stamp), and when that event reaches
a plain reader of the engine's events. The next one is killed when all have come. With --frozen the engine is stopped
first (SIGSTOP), and tells nothing: all are killed at once, and the moments of our signals are taken.

Absolute figures are this machine's at this hour; the ratios and the counts are what can be compared. Nothing is asserted.
"""

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Iterator, Optional, Sequence

sys.path.insert(0, str(Path(__file__).parent.parent))

from figures import ENGINES, SUBSCRIBER, Figures, figures, start_many
from lab.bus import Bus
from lab.daemon import Daemon
from lab.engine import Engine
from lab.parts import new_folder, running
from lab.recorder import Recorder, Signal
from own_events import OwnEvent, own_events

FROZEN = 20  # containers that are killed while the engine is

# Not CRI's: its calls refuse to remove what the kernel alone knows to be over, and its exits are containerd's.
TYPES = sorted(set(ENGINES) - {"cri"})


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


def while_frozen(engine: Engine, recorder: Recorder) -> list[Exit]:
    pids = start(engine, recorder, FROZEN)
    engine.freeze()
    try:
        killed = {id_: kill(pid) for id_, pid in pids.items()}
        return [Exit(when, exited(recorder, id_), None) for id_, when in killed.items()]
    finally:
        engine.thaw()


def result(exits: Sequence[Exit]) -> dict[str, Any]:
    """Milliseconds from the kill on, but for what is counted."""
    with_own = [(one, one.own) for one in exits if one.own is not None]
    found: dict[str, Any] = {
        "n": len(exits), "with_exit_code": sum("ExitCode" in one.told.details for one in exits),
        "told_by_kernel": sum(one.told.details["Cause"] == "kernel" for one in exits),
        "signal": figures([(one.told.at - one.killed) / 1000 for one in exits])}
    if with_own:
        found |= {
            "ahead_of_stamp": sum(one.told.at < own.stamp for one, own in with_own),
            "ahead_of_event": sum(one.told.at < own.arrival for one, own in with_own),
            "engine_stamp": figures([(own.stamp - one.killed) / 1000 for one, own in with_own]),
            "engine_event": figures([(own.arrival - one.killed) / 1000 for one, own in with_own])}
        found |= {f"{name}_to_signal": found[name].median / found["signal"].median
                  for name in ("engine_stamp", "engine_event")}
    return found


def show(case: dict[str, Any]) -> None:
    state = "stopped" if case["frozen"] else "running"
    print(f"{case['engine']}, {state}, {case['containers']} containers beside, load {case['load']:.2f}")
    rows = [("signal", "kill → our signal at a subscriber"), ("engine_stamp", "kill → the engine's own stamp"),
            ("engine_event", "kill → the engine's own event at a reader")]
    for key, what in rows:
        if key in case:
            ratio = f"  {case[f'{key}_to_signal']:.2f} × our signal" if f"{key}_to_signal" in case else ""
            print(f"  {what:42} {case[key]}{ratio}")
    n = case["n"]
    print(f"  with an exit code: {case['with_exit_code']} of {n}; told by the kernel: {case['told_by_kernel']} of {n}")
    if "ahead_of_stamp" in case:
        print(f"  ahead of the engine's stamp: {case['ahead_of_stamp']} of {n}; "
              f"of its event: {case['ahead_of_event']} of {n}")
    sys.stdout.flush()


def measure(type_: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A case for each number of containers beside, in rising order."""
    with (new_folder() as folder, running(ENGINES[type_](folder / "engine")) as engine,
          running(Bus(folder / "bus")) as bus):
        beside: list[str] = []
        for containers in sorted(options.containers):
            beside += start_many(engine, "beside", range(len(beside), containers))
            load = os.getloadavg()[0]
            with watched(engine, bus, folder / f"daemon-{containers}") as recorder:
                exits = (while_frozen(engine, recorder) if options.frozen
                         else beside_the_engine(engine, recorder, options.n))
            for one in exits:
                engine.remove(one.told.id)
            yield {"engine": type_, "frozen": options.frozen, "containers": containers, "load": load, **result(exits)}


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def at_least_two(text: str) -> int:
    if (value := int(text)) < 2:
        raise argparse.ArgumentTypeError("figures are of 2 or more")
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=TYPES, action="append", help="default: each of them")
    parser.add_argument("--n", type=at_least_two, default=50, help="containers that are killed, at least 2; default: 50")
    parser.add_argument("--containers", type=numbers, default=[0, 200], metavar="N,N…",
                        help="how many others are alive; default: 0,200")
    parser.add_argument("--frozen", action="store_true", help=f"stop the engine first; then N is {FROZEN}")
    parser.add_argument("--json", action="store_true", help="an object a case, each on a line")
    options = parser.parse_args()
    for type_ in options.engine or TYPES:
        for case in measure(type_, options):
            if options.json:
                print(json.dumps({key: asdict(value) if isinstance(value, Figures) else value
                                  for key, value in case.items()}), flush=True)
            else:
                show(case)


if __name__ == "__main__":
    main()
