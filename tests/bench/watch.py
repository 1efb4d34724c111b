"""Figures of the daemon beside a real engine, and beside what a plain reader of its events takes in the same run.

Usage, as root: SHOREWATCH_BUILD_DIR=FOLDER /usr/bin/python3 tests/bench/watch.py [--engine TYPE] [--runs N] …

Absolute figures are this machine's at this hour; the ratios are what can be compared. Nothing is asserted.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from figures import ENGINES, figures, line, start_many
from lab.bus import Bus
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.engine import Engine
from lab.parts import new_folder, running
from lab.recorder import Recorder, Signal
from lab.rest_engine import UnixConnection
from own_events import own_events

_MEMBERS = ("ContainerStarted", "ContainerExited", "ContainerPaused")


def live_and_die(engine: Engine, recorder: Recorder, runs: int) -> None:
    """Containers one after the other: started, paused and unpaused where the engine has that, killed."""
    for number in range(runs):
        name = f"run{number}"
        id_ = engine.run(name, labels=engine.project_labels("bench"))
        recorder.wait_for("ContainerStarted", name)
        if "pause" in engine.abilities:
            engine.pause(id_)
            recorder.wait_for("ContainerPaused", name)
            engine.unpause(id_)
            recorder.wait_for("ContainerUnpaused", name)
        engine.kill(id_)
        recorder.wait_for("ContainerExited", name)
        engine.remove(id_)


def latencies(engine: Engine, bus: Bus, daemon: Daemon, runs: int) -> None:
    """The engine's stamp → the arrival of its own event at a plain reader, and of our signal at a subscriber.

    Of an exit, the signal may come before the engine's stamp: then it is less than 0 (exits.py has more of exits).
    """
    daemon.start()
    recorder = Recorder(bus)
    plain = own_events(engine)
    live_and_die(engine, recorder, runs)
    signals: dict[tuple[str, str], Signal] = {
        (signal.member, signal.id): signal for signal in recorder.signals.all() if signal.is_container}
    for member in _MEMBERS:
        if member == "ContainerPaused" and "pause" not in engine.abilities:
            continue
        mine = {id_: signal.at for (kind, id_), signal in signals.items() if kind == member}
        events = [plain.wait_for(member, id_) for id_ in mine]
        theirs = line(f"stamp → the engine's own event, {member}",
                      [(event.arrival - event.stamp) / 1000 for event in events])
        ours = [(mine[event.id] - event.stamp) / 1000 for event in events]
        ratio = figures(ours).median / theirs
        line(f"stamp → our signal, {member}", ours, more=f"{ratio:.2f} × the engine's own event" if ratio > 0 else "")
    plain.close()
    recorder.close()
    daemon.stop()


def ready(engine: Engine, daemon: Daemon, counts: list[int], starts: int = 10) -> None:
    """Start of the process → READY=1, which it says once every engine is listed and the bus has it all."""
    running = 0
    for count in counts:
        start_many(engine, "many", range(running, count))
        running = count
        times = []
        for _ in range(starts):
            begin = time.monotonic()
            daemon.start(ready=30)
            times.append((time.monotonic() - begin) * 1000)
            anonymous = daemon.process.rss_anon()
            daemon.stop()
        more = f"RssAnon {anonymous / 1e6:.1f} MB"
        if isinstance(engine, Dockerd):
            more += f"; list + {count} inspects one by one: {inspections(engine):.1f} ms"
        line(f"start → Ready with {count} containers", times, more=more)


def inspections(engine: Dockerd) -> float:
    """ms that a list and an inspection of each container take over one connection, one after another."""
    connection = UnixConnection(engine.socket)

    def get(path: str) -> Any:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())

    get("/version")  # connects
    begin = time.monotonic()
    for container in get("/containers/json"):
        get(f"/containers/{container['Id']}/json")
    taken = (time.monotonic() - begin) * 1000
    connection.close()
    return taken


def idle(daemon: Daemon, seconds: float) -> None:
    """How often a thread of the daemon was woken while nothing happened."""
    daemon.start(ready=30)
    tasks = Path(f"/proc/{daemon.process.pid}/task")

    def switches() -> int:
        return sum(int(text.split()[1]) for task in tasks.iterdir() for text in (task / "status").read_text().splitlines()
                   if text.startswith(("voluntary_ctxt", "nonvoluntary_ctxt")))

    time.sleep(2)  # What a start leaves to do, as the release of memory, is over.
    before = switches()
    time.sleep(seconds)
    print(f"wake-ups in {seconds:g} s idle, all threads: {switches() - before}; threads {daemon.process.threads()}, "
          f"descriptors {daemon.process.fds()}")
    daemon.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=sorted(ENGINES), default="docker")
    parser.add_argument("--runs", type=int, default=60, help="containers for the latencies")
    parser.add_argument("--idle", type=float, default=30, help="seconds")
    options = parser.parse_args()
    with (new_folder() as folder, running(ENGINES[options.engine](folder / "engine")) as engine,
          running(Bus(folder / "bus")) as bus):
        daemon = Daemon(folder / "daemon", bus, {"engine": engine})
        print(f"{options.engine}, load {os.getloadavg()[0]:.2f}")
        try:
            latencies(engine, bus, daemon, options.runs)
            ready(engine, daemon, [0, 50, 200])
            idle(daemon, options.idle)
        finally:
            daemon.sweep()


if __name__ == "__main__":
    main()
