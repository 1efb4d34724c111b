"""How many lists the daemon has answered with: so a test knows that a client has looked, of which nothing else tells."""

from pathlib import Path

from lab.bus import Bus
from lab.clients import busctl
from lab.process import Process
from lab.waiting import Deadline


class Lists:
    """Counts from when it is made, by monitoring the bus."""

    def __init__(self, bus: Bus, folder: Path):
        self._containers = 0
        self._monitor = Process(["busctl", "--system", "monitor", "--json=short"], folder / "lists.log", bus.environment())
        # From systemd 257 on it does not say that it has begun when it writes JSON: what is called then shows it.
        deadline = Deadline(20, "busctl monitor")
        while not self._monitor.output():
            busctl(bus, "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus.Peer", "Ping")
            deadline.left()

    def wait_for(self, more: int = 1) -> None:
        """Returns when so many more lists of containers were answered."""
        self._containers += more
        self._answers(r"ta\(oa\{sv\}\)", self._containers)

    def wait_for_engines(self, times: int) -> None:
        """Returns when so many lists of engines were answered, since the beginning."""
        self._answers(r"a\(oa\{sv\}\)", times)

    def _answers(self, signature: str, count: int) -> None:
        if count > 0:
            self._monitor.wait_for_output(r'(?s)("payload":\{"type":"%s".*?){%d}' % (signature, count), 20)

    def close(self) -> None:
        self._monitor.stop()
