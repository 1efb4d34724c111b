"""The socket of Docker is back after an outage: how long until the portfolio is right again.

The daemon reaches the engine by a proxy that is cut, and meanwhile a container ends and another begins.
"""

import time
from typing import Iterator

from cases.ready import CONTAINERS, listing
from figures import SUBSCRIBER, start_many
from lab.bus import Bus
from lab.cut_proxy import CutProxy
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.parts import new_folder, running
from lab.recorder import Recorder
from suite import Case, Goal, Row, alternate


class Outage:
    """Of one daemon each: a proxy's connections can be cut, and none is in the way of what is measured."""

    def __init__(self, engine: Dockerd, bus: Bus, daemon: Daemon, proxy: CutProxy):
        self._engine = engine
        self._bus = bus
        self._daemon = daemon
        self._proxy = proxy
        self._count = 0

    def take(self) -> float:
        """ms from the socket's return to the state "watching"."""
        self._count += 1
        self._proxy.accept()
        self._daemon.start(ready=60)
        states, told = Recorder(self._bus), Recorder(self._bus, [SUBSCRIBER])
        try:
            self._proxy.refuse()
            states.wait_for("EngineStateChanged", seconds=60, where=lambda signal: signal.args[1] == "lost")
            self._engine.remove(f"many{self._count}")
            self._engine.run(f"new{self._count}")
            back = time.time_ns() // 1000
            self._proxy.path.symlink_to(self._engine.socket)
            told.wait_for("ContainerStarted", f"new{self._count}", seconds=60)
            watching = states.wait_for("EngineStateChanged", seconds=60,
                                       where=lambda signal: signal.args[1] == "watching")
            return (watching.at - back) / 1000
        finally:
            states.close()
            told.close()
            self._daemon.stop()
            self._proxy.path.unlink(missing_ok=True)


def measure(n: int) -> Iterator[Row]:
    with new_folder() as folder, running(Dockerd(folder / "docker")) as engine, running(Bus(folder / "bus")) as bus:
        proxy = CutProxy(folder / "proxy.sock", engine.socket)
        daemon = Daemon(folder / "daemon", bus, {"docker": proxy.url})
        try:
            start_many(engine, "many", range(CONTAINERS))
            ours, control = alternate(n, Outage(engine, bus, daemon, proxy).take, lambda: listing(engine, True))
        finally:
            daemon.sweep()
            proxy.close()
        yield Row(f"docker: socket back → watching with {CONTAINERS} containers, beside a list and inspections", "ms",
                  ours, control, [Goal(0.5)])


CASES = [Case("outage", "socket back → portfolio right, 200 Docker containers", 5, measure)]
