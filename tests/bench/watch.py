"""Figures of the daemon beside a real engine; with Docker, also beside what a plain client takes in the same run.

Usage, as root: SHOREWATCH_BUILD_DIR=FOLDER /usr/bin/python3 tests/bench/watch.py [--engine TYPE] [--runs N] …

Absolute figures are this machine's at this hour; the ratios are what can be compared. Nothing is asserted.
"""

import argparse
import contextlib
import http.client
import json
import os
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent.parent))

from lab.bus import Bus
from lab.containerd import Containerd
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.engine import Engine
from lab.parts import new_folder, running
from lab.podman import Podman
from lab.recorder import Recorder, Signal
from lab.rest_engine import UnixConnection
from lab.waiting import Arrivals

_ENGINES = {engine.type: engine for engine in (Dockerd, Podman, Containerd)}
# Docker's name of what happened, and ours.
_KINDS = {"start": "ContainerStarted", "die": "ContainerExited", "pause": "ContainerPaused"}


class PlainSubscriber:
    """What any client can have: Docker's event stream, each event stamped on arrival. No inspection, no bus."""

    def __init__(self, engine: Dockerd):
        self.events: Arrivals[tuple[str, str, int, int]] = Arrivals()  # action, id, stamp and arrival in µs
        self._connection = UnixConnection(engine.socket)
        self._connection.request("GET", "/events?" + urlencode({"since": str(time.time()), "filters": json.dumps(
            {"type": ["container"], "event": list(_KINDS)})}))
        self._answer = self._connection.getresponse()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def close(self) -> None:
        self._connection.sock.shutdown(2)
        self._thread.join()
        self._connection.close()

    def _read(self) -> None:
        rest = b""
        with contextlib.suppress(http.client.IncompleteRead):  # close()
            while chunk := self._answer.read1(65536):
                arrival = time.time_ns() // 1000
                *lines, rest = (rest + chunk).split(b"\n")
                for text in filter(None, lines):
                    event = json.loads(text)
                    self.events.add((event["Action"], event["Actor"]["ID"], event["timeNano"] // 1000, arrival))


def line(what: str, values: list[float], unit: str = "ms", more: str = "") -> float:
    """Prints median and 95th percentile; the median."""
    median, worst = statistics.median(values), statistics.quantiles(values, n=20)[-1]
    print(f"{what:46} n {len(values):4}  median {median:7.2f} {unit}  p95 {worst:7.2f} {unit}  {more}", flush=True)
    return median


def live_and_die(engine: Engine, recorder: Recorder, runs: int) -> None:
    """Containers one after the other: started, paused, unpaused, killed."""
    for number in range(runs):
        name = f"run{number}"
        id_ = engine.run(name, labels=engine.project_labels("bench"))
        recorder.wait_for("ContainerStarted", name)
        engine.pause(id_)
        recorder.wait_for("ContainerPaused", name)
        engine.unpause(id_)
        recorder.wait_for("ContainerUnpaused", name)
        engine.kill(id_)
        recorder.wait_for("ContainerExited", name)
        engine.remove(id_)


def latencies(engine: Engine, bus: Bus, daemon: Daemon, runs: int) -> None:
    """The engine's stamp, as our signals have it → their arrival at a subscriber."""
    daemon.start()
    recorder = Recorder(bus)
    plain = PlainSubscriber(engine) if isinstance(engine, Dockerd) else None
    live_and_die(engine, recorder, runs)
    signals: dict[tuple[str, str], Signal] = {
        (signal.member, signal.id): signal for signal in recorder.signals.all() if signal.is_container}
    for action, member in _KINDS.items():
        mine = [signal for (kind, _), signal in signals.items() if kind == member]
        if plain is None:
            line(f"stamp → {member}", [(signal.at - signal.details["Timestamp"]) / 1000 for signal in mine])
            continue
        events = plain.events.wait_until(lambda all_: len(all_) >= 3 * runs, 10, "Docker's events")
        stamps = {id_: (stamp, arrival) for kind, id_, stamp, arrival in events if kind == action}
        theirs = line(f"stamp → docker events, {action}",
                      [(arrival - stamp) / 1000 for stamp, arrival in stamps.values()])
        ours = [(signal.at - stamps[signal.id][0]) / 1000 for signal in mine]
        line(f"stamp → {member}", ours, more=f"{statistics.median(ours) / theirs:.2f} × docker events")
    if plain is not None:
        plain.close()
    recorder.close()
    daemon.stop()


def ready(engine: Engine, daemon: Daemon, counts: list[int], starts: int = 10) -> None:
    """Start of the process → READY=1, which it says once every engine is listed and the bus has it all."""
    running = 0
    for count in counts:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: engine.run(f"many{number}", labels=engine.project_labels("many")),
                          range(running, count)))
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
    parser.add_argument("--engine", choices=sorted(_ENGINES), default="docker")
    parser.add_argument("--runs", type=int, default=60, help="containers for the latencies")
    parser.add_argument("--idle", type=float, default=30, help="seconds")
    options = parser.parse_args()
    with (new_folder() as folder, running(_ENGINES[options.engine](folder / "engine")) as engine,
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
