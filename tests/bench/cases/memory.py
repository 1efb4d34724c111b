"""Anonymous memory of the daemon, which is nobody else's: RssAnon, once all is known and nothing happens."""

import contextlib
from typing import Iterator

from figures import ENGINES, start_many
from lab.bus import Bus
from lab.clients import Client
from lab.daemon import Daemon, Watched
from lab.dockerd import Dockerd
from lab.parts import new_folder, running
from lab.waiting import Deadline
from programs import PlayedDocker
from suite import Case, Goal, Row

CONTAINERS = 200
MANY = 10_000
LABELS = 8


def _label_bytes(containers: int) -> int:
    """As bench-played-docker sets them."""
    project = sum(len("com.docker.compose.project") + len(f"project-{number % 100}") for number in range(containers))
    return project + containers * sum(len(f"com.example.label.{label}") + 20 for label in range(1, LABELS))


def _anonymous(daemon: Daemon, client: Client, containers: int) -> float:
    daemon.start(ready=120)
    # On a busy machine it is ready before 10,000 are known, as it waits for that only so long.
    deadline = Deadline(60, f"{containers} containers to be published")
    while sum(properties["ContainerTotal"] for _, properties in client.manager("ListEngines")) != containers:
        deadline.left()
    return daemon.process.rss_anon()


def _each(engines: dict[str, Watched], containers: int, n: int) -> list[float]:
    """Bytes after each of n starts."""
    found: list[float] = []
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder())
        bus = stack.enter_context(running(Bus(folder / "bus")))
        daemon = Daemon(folder / "daemon", bus, engines)
        stack.callback(daemon.sweep)
        client = Client(bus)
        stack.callback(client.close)
        for _ in range(n):
            found.append(_anonymous(daemon, client, containers))
            daemon.stop(60)
    return found


def docker_only(n: int) -> Iterator[Row]:
    with new_folder() as folder, running(Dockerd(folder / "docker")) as engine:
        start_many(engine, "many", range(CONTAINERS))
        found = _each({"docker": engine}, CONTAINERS, n)
        yield Row(f"RssAnon, {CONTAINERS} containers, Docker only", "MB", [value / 1e6 for value in found],
                  goals=[Goal(3.5, by="value")])


def all_engines(n: int) -> Iterator[Row]:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder())
        engines = {type_: stack.enter_context(running(engine(folder / type_))) for type_, engine in ENGINES.items()}
        start_many(engines["docker"], "many", range(CONTAINERS))
        pods = 1  # the sandbox of CRI's
        found = _each(dict(engines), CONTAINERS + pods, n)
        yield Row(f"RssAnon, {CONTAINERS} Docker containers, all engines", "MB", [value / 1e6 for value in found],
                  goals=[Goal(7, by="value")])


def of_a_container(n: int) -> Iterator[Row]:
    def played(containers: int) -> list[float]:
        engine = PlayedDocker(containers, LABELS)
        try:
            return _each({"docker": engine}, containers, n)
        finally:
            engine.close()

    few, many = played(0), played(MANY)
    labels = _label_bytes(MANY) / MANY
    each = [(one - other) / MANY - labels for one, other in zip(many, few)]
    yield Row(f"a container of {MANY}, over its labels' own bytes, D-Bus objects included", "KB",
              [value / 1024 for value in each], goals=[Goal(4, by="value")],
              note=f"labels: {labels:.0f} bytes; RssAnon {many[-1] / 1e6:.1f} MB with {MANY}, {few[-1] / 1e6:.1f} MB with none")


CASES = [Case("memory-docker", "memory with 200 Docker containers, Docker only", 3, docker_only),
         Case("memory-all", "memory with 200 Docker containers, all engines watched", 3, all_engines),
         Case("memory-container", "memory a container, of 10,000 in a played Docker engine", 3, of_a_container)]
