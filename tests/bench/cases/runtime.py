"""Containers created, started, awaited and deleted over the bus, beside `ctr run --rm --null-io` in the same run."""

import contextlib
import itertools
import json
import time
from typing import Callable, Iterator

from lab.bus import Bus
from lab.containerd import Containerd
from lab.daemon import Daemon
from lab.parts import new_folder, running
from lab.recorder import Recorder
from lab.runtime import NAMESPACE, Events, Runtime, root_file_system, spec
from suite import Case, Goal, Row, alternate


def measure(n: int) -> Iterator[Row]:
    with new_folder() as folder, running(Bus(folder / "bus")) as bus, \
            running(Containerd(folder / "containerd")) as engine, contextlib.closing(Recorder(bus)) as recorder, \
            running(Daemon(folder / "daemon", bus, {"containerd": engine})):
        rootfs = root_file_system(folder / "rootfs")
        runtime = Runtime(bus)

        def over_the_bus(name: str) -> None:
            runtime.create(name, spec(rootfs, f"{engine.cgroup}/{name}", "true"))
            runtime.start(name, Discard=True).close()
            Events(recorder, name).wait("exit")
            runtime.call("Delete", name)

        def with_ctr(name: str) -> None:
            config = folder / f"{name}.json"
            config.write_text(json.dumps(spec(rootfs, f"{engine.cgroup}/{name}", "true")))
            engine.ctr("run", "--rm", "--null-io", "--config", str(config), name, namespace=NAMESPACE)
            config.unlink()

        def timed(run: Callable[[str], None], prefix: str) -> Callable[[], float]:
            """In ms, of a container with a name of its own each time."""
            numbers = itertools.count()

            def once() -> float:
                begin = time.monotonic()
                run(f"{prefix}-{next(numbers)}")
                return (time.monotonic() - begin) * 1000

            return once

        bus_run, ctr_run = timed(over_the_bus, "bus"), timed(with_ctr, "ctr")
        alternate(1, bus_run, ctr_run)
        ours, control = alternate(n, bus_run, ctr_run)
        yield Row("create, start, exit, delete on Runtime, beside ctr run --rm --null-io", "ms", ours, control,
                  [Goal(0.8)])
        engine.remove_all()


CASES = [Case("runtime", "containers run over the bus, beside ctr", 50, measure)]
