"""How long tasks take to run on a real engine, beside a shell that starts the same containers.

Tasks of two containers each are added at once, and the time is taken until the last is told to run. Then the engine's
own command creates and starts as many containers, with as many shells side by side as there are tasks, each in a loop of
`run -d`. All is in one run, on the same engine, with an image that is there: nothing is pulled.
"""

import contextlib
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Callable, Iterator

from lab.bus import Bus
from lab.clients import Client
from lab.daemon import Daemon
from lab.dockerd import DOCKER, Dockerd
from lab.parts import new_folder, running
from lab.podman import Podman
from lab.recorder import Recorder
from lab.rest_engine import RestEngine
from lab.tasks import Tasks, container, definition
from suite import Case, Goal, Row, alternate

TASKS = 20
CONTAINERS = 2  # of a task
SCRIPT = "trap exit TERM; sleep 1000000 & wait"


def taken(what: Callable[[], None]) -> float:
    """Seconds."""
    begin = time.monotonic()
    what()
    return time.monotonic() - begin


@contextlib.contextmanager
def served(engine: RestEngine, folder: Path) -> Iterator[Tasks]:
    with running(Bus(folder / "bus")) as bus:
        recorder = Recorder(bus)
        daemon = Daemon(folder / "daemon", bus, {engine.type: engine})
        daemon.start(ready=60)
        client = Client(bus)
        try:
            yield Tasks(client, recorder)
        finally:
            client.close()
            daemon.sweep()
            recorder.close()


def run_tasks(tasks: Tasks, image: str, names: list[str]) -> None:
    for name in names:
        tasks.add(definition(name, *(container(f"c{one}", image, SCRIPT) for one in range(CONTAINERS))))
    for name in names:
        tasks.wait(name, "RUNNING", 600)


def remove_tasks(tasks: Tasks, names: list[str]) -> None:
    for name in names:
        tasks.act(name, "Remove")
    tasks.wait_until(lambda all_: not all_, "all tasks to go", 600)


def shell_starts(engine: RestEngine, image: str, loops: int, of_each: int) -> None:
    command = [DOCKER, "--host", engine.url] if isinstance(engine, Dockerd) else engine._command()  # type: ignore
    words = " ".join(str(word) for word in command)
    script = f'for i in $(seq {of_each}); do {words} run -d --entrypoint /bin/busybox {image} sh -c "{SCRIPT}" || exit 1; done'
    environment = engine.environment() if isinstance(engine, Podman) else None
    shells = [subprocess.Popen(["sh", "-c", script], stdout=subprocess.DEVNULL, env=environment) for _ in range(loops)]
    assert all(shell.wait() == 0 for shell in shells)


def measure(type_: str, n: int) -> Iterator[Row]:
    with new_folder() as folder:
        engine: RestEngine = (Dockerd if type_ == "docker" else Podman)(folder / type_)
        image = "busybox" if type_ == "docker" else "localhost/busybox:latest"
        with running(engine), served(engine, folder) as tasks:
            removals: list[float] = []

            def ours() -> float:
                # Names of their own: the recorder still has what was told of the last ones.
                names = [f"bench-{len(removals)}-{number}" for number in range(TASKS)]
                seconds = taken(lambda: run_tasks(tasks, image, names))
                removals.append(taken(lambda: remove_tasks(tasks, names)))
                return seconds

            def control() -> float:
                seconds = taken(lambda: shell_starts(engine, image, TASKS, CONTAINERS))
                engine.remove_all()
                return seconds

            mine, shells = alternate(n, ours, control)
        yield Row(f"{TASKS} tasks of {CONTAINERS} containers on {type_}, beside {TASKS} shells", "s", mine, shells,
                  [Goal(1.0)] if type_ == "docker" else [])
        yield Row(f"their removal on {type_}", "s", removals)


CASES = [Case(f"tasks-{type_}", f"{TASKS} tasks on {type_}, beside shells that start as much", 3, partial(measure, type_))
         for type_ in ("docker", "podman")]
