"""Start of the process → READY=1, which it says once every engine is listed and the bus has it all."""

import contextlib
import json
import subprocess
import time
from functools import partial
from typing import Any, Callable, Iterator, Sequence

from figures import ENGINES, start_many
from lab.bus import Bus
from lab.containerd import CTR, Containerd
from lab.daemon import Daemon
from lab.engine import Engine
from lab.dockerd import Dockerd
from lab.parts import new_folder, running
from lab.rest_engine import RestEngine, UnixConnection
from suite import Case, Goal, Row, alternate, first_line

CONTAINERS = 200
AT_ONCE = 8  # as many connections as the daemon has to an engine


def listing(engine: RestEngine, inspect: bool) -> float:
    """ms of a list, and of an inspection of each container where wanted, one after another over one connection."""
    connection = UnixConnection(engine.socket)

    def get(path: str) -> Any:
        connection.request("GET", engine.api_prefix + path)
        return json.loads(connection.getresponse().read())

    get("/version")  # connects
    begin = time.monotonic()
    for container in get("/containers/json"):
        if inspect:
            get(f"/containers/{container['Id']}/json")
    taken = (time.monotonic() - begin) * 1000
    connection.close()
    return taken


def _ctr_list(engine: Containerd, what: str) -> float:
    """ms, with ctr's own start."""
    begin = time.monotonic()
    first_line(CTR, "--address", str(engine.socket), what, "list")
    return (time.monotonic() - begin) * 1000


def _at_once(engine: Dockerd) -> Callable[[], float]:
    """ms of all inspections side by side, in C: no client of this engine is faster."""
    urls = "".join(f'url = "http://engine{engine.api_prefix}/containers/{id_}/json"\noutput = /dev/null\n'
                   for id_ in engine.alive())
    command = ["curl", "--silent", "--fail", "--parallel", "--parallel-max", str(AT_ONCE), "--unix-socket",
               str(engine.socket), "--config", "-"]

    def inspect() -> float:
        begin = time.monotonic()
        subprocess.run(command, input=urls, text=True, check=True)
        return (time.monotonic() - begin) * 1000

    return inspect


def _starts(daemon: Daemon) -> Callable[[], float]:
    def start() -> float:
        begin = time.monotonic()
        daemon.start(ready=60)
        taken = (time.monotonic() - begin) * 1000
        daemon.stop()
        return taken

    return start


@contextlib.contextmanager
def _filled(type_: str) -> Iterator[tuple[Engine, Daemon]]:
    with (new_folder() as folder, running(ENGINES[type_](folder / "engine")) as engine,
          running(Bus(folder / "bus")) as bus):
        daemon = Daemon(folder / "daemon", bus, {"engine": engine})
        try:
            start_many(engine, "many", range(CONTAINERS))
            yield engine, daemon
        finally:
            daemon.sweep()


def _row(type_: str, beside: str, ours: Sequence[float], control: Sequence[float], goal: float, note: str = "") -> Row:
    return Row(f"{type_}: start → Ready with {CONTAINERS} containers, beside {beside}", "ms", ours, control, [Goal(goal)],
               note=note)


def measure(type_: str, inspect: bool, goal: float, n: int) -> Iterator[Row]:
    with _filled(type_) as (engine, daemon):
        assert isinstance(engine, RestEngine)
        ours, control = alternate(n, _starts(daemon), lambda: listing(engine, inspect))
    yield _row(type_, f"{CONTAINERS} inspections" if inspect else "one list", ours, control, goal)


def measure_containerd(n: int) -> Iterator[Row]:
    """containerd's tasks are what runs, for which it asks each shim; its containers are what might."""
    with _filled("containerd") as (engine, daemon):
        assert isinstance(engine, Containerd)
        start = _starts(daemon)
        found = [(start(), _ctr_list(engine, "tasks"), _ctr_list(engine, "containers")) for _ in range(n)]
    ours, tasks, containers = zip(*found)
    note = "ctr's own start is in the control"
    yield _row("containerd", "a list of tasks", ours, tasks, 3, note)
    yield _row("containerd", "a list of containers, alive or not", ours, containers, 3, note)


def engine_alone(n: int) -> Iterator[Row]:
    with new_folder() as folder, running(Dockerd(folder / "engine")) as engine:
        start_many(engine, "many", range(CONTAINERS))
        ours, control = alternate(n, _at_once(engine), lambda: listing(engine, True))
        yield Row(f"docker: {CONTAINERS} inspections by curl, {AT_ONCE} at a time, beside one after the other", "ms",
                  ours, control, [], note="no part of ours: the least that a list's inspections take")


CASES = [Case("ready-docker", "start → Ready with 200 Docker containers", 10,
              partial(measure, "docker", True, 0.35)),
         Case("inspections-docker", "200 inspections of Docker, side by side", 10, engine_alone),
         Case("ready-podman", "start → Ready with 200 Podman containers", 10,
              partial(measure, "podman", False, 3)),
         Case("ready-containerd", "start → Ready with 200 containers of containerd", 10, measure_containerd)]
