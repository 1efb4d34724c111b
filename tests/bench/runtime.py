"""Containers created, started, awaited and deleted over the bus, beside `ctr run --rm --null-io` in the same run.

Usage, as root: SHOREWATCH_BUILD_DIR=FOLDER /usr/bin/python3 tests/bench/runtime.py [--runs N] [--clients N]

Absolute figures are this machine's at this hour; the ratios are what can be compared. Nothing is asserted.
"""

import argparse
import contextlib
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).parent.parent))

from figures import figures, line
from lab.bus import Bus
from lab.containerd import Containerd
from lab.daemon import Daemon
from lab.parts import new_folder, running
from lab.recorder import Recorder
from lab.runtime import NAMESPACE, Events, Runtime, root_file_system, spec


def measure(what: str, run: Callable[[str], None], prefix: str, runs: int, clients: int) -> float:
    """Prints figures of one run each, and how many there were in a second; the median in ms."""
    times: list[float] = []

    def timed(number: int) -> None:
        begin = time.monotonic()
        run(f"{prefix}-{number}")
        times.append((time.monotonic() - begin) * 1000)

    timed(runs)
    times.clear()
    begin = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(timed, range(runs)))
    rate = runs / (time.monotonic() - begin)
    line(f"{what}, {clients} at a time", times, more=f"{rate:.1f} a second")
    return figures(times).median


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    with new_folder() as folder, running(Bus(folder / "bus")) as bus, \
            running(Containerd(folder / "containerd")) as engine, contextlib.closing(Recorder(bus)) as recorder, \
            running(Daemon(folder / "daemon", bus, {"containerd": engine})):
        rootfs = root_file_system(folder / "rootfs")
        local = threading.local()

        def over_the_bus(name: str) -> None:
            if not hasattr(local, "runtime"):
                local.runtime = Runtime(bus)
            runtime: Runtime = local.runtime
            runtime.create(name, spec(rootfs, f"{engine.cgroup}/{name}", "true"))
            runtime.start(name, Discard=True).close()
            Events(recorder, name).wait("exit")
            runtime.call("Delete", name)

        def with_ctr(name: str) -> None:
            config = folder / f"{name}.json"
            config.write_text(json.dumps(spec(rootfs, f"{engine.cgroup}/{name}", "true")))
            engine.ctr("run", "--rm", "--null-io", "--config", str(config), name, namespace=NAMESPACE)
            config.unlink()

        for clients in sorted({1, options.clients}):
            ours = measure("over the bus", over_the_bus, f"bus{clients}", options.runs, clients)
            theirs = measure("ctr run --rm --null-io", with_ctr, f"ctr{clients}", options.runs, clients)
            print(f"the bus takes {ours / theirs:.2f} × ctr's time", flush=True)
        engine.remove_all()


if __name__ == "__main__":
    main()
