"""How long tasks take to run on a real engine, beside a shell that starts the same containers one after the other.

Usage, as root: SHOREWATCH_BUILD_DIR=FOLDER /usr/bin/python3 tests/bench/tasks.py [--engine docker|podman] [--n N]

N tasks of two containers each are added at once, and the time is taken until the last is told to run. Then the engine's
own command creates and starts as many containers, one after the other as `docker compose up` in a shell loop would, and
with as many of these loops side by side as there are tasks. All is in one run, on the same engine, with an image that is
there: nothing is pulled. The ratio is what can be compared. Nothing is asserted.
"""

import argparse
import contextlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Iterator

sys.path.insert(0, str(Path(__file__).parent.parent))

from lab.bus import Bus
from lab.clients import Client
from lab.daemon import Daemon
from lab.dockerd import DOCKER, Dockerd
from lab.parts import new_folder, running
from lab.podman import Podman
from lab.recorder import Recorder
from lab.rest_engine import RestEngine
from lab.tasks import Tasks, container, definition

CONTAINERS = 2  # of a task
SCRIPT = "exec sleep 1000000"


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


def run_tasks(tasks: Tasks, image: str, count: int) -> None:
    for number in range(count):
        tasks.add(definition(f"bench-{number}", *(container(f"c{one}", image, SCRIPT) for one in range(CONTAINERS))))
    for number in range(count):
        tasks.wait(f"bench-{number}", "RUNNING", 600)


def remove_tasks(tasks: Tasks, count: int) -> None:
    for number in range(count):
        tasks.act(f"bench-{number}", "Remove")
    tasks.wait_until(lambda all_: not all_, "all tasks to go", 600)


def shell_starts(engine: RestEngine, image: str, loops: int, of_each: int) -> None:
    command = [DOCKER, "--host", engine.url] if isinstance(engine, Dockerd) else engine._command()  # type: ignore
    words = " ".join(str(word) for word in command)
    script = f'for i in $(seq {of_each}); do {words} run -d --entrypoint /bin/busybox {image} sh -c "{SCRIPT}" || exit 1; done'
    environment = engine.environment() if isinstance(engine, Podman) else None
    shells = [subprocess.Popen(["sh", "-c", script], stdout=subprocess.DEVNULL, env=environment) for _ in range(loops)]
    assert all(shell.wait() == 0 for shell in shells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=["docker", "podman"], default="docker")
    parser.add_argument("--n", type=int, default=20, help="tasks")
    options = parser.parse_args()
    with new_folder() as folder:
        engine: RestEngine = (Dockerd if options.engine == "docker" else Podman)(folder / options.engine)
        image = "busybox" if options.engine == "docker" else "localhost/busybox:latest"
        with running(engine):
            with served(engine, folder) as tasks:
                ours = taken(lambda: run_tasks(tasks, image, options.n))
                removal = taken(lambda: remove_tasks(tasks, options.n))
            serial = taken(lambda: shell_starts(engine, image, 1, options.n * CONTAINERS))
            engine.remove_all()
            parallel = taken(lambda: shell_starts(engine, image, options.n, CONTAINERS))
            engine.remove_all()
    print(f"{options.n} tasks of {CONTAINERS} containers on {options.engine}")
    print(f"as tasks, until the last is told to run  {ours:7.2f} s")
    print(f"removed, until the last is gone          {removal:7.2f} s")
    print(f"one shell, one after the other           {serial:7.2f} s   ratio {ours / serial:.2f}")
    print(f"{options.n} shells side by side                  {parallel:7.2f} s   ratio {ours / parallel:.2f}")


if __name__ == "__main__":
    main()
