"""A private dbus-daemon with the rules of a system bus and the project's own policy file."""

import os
import shutil
from pathlib import Path
from typing import Mapping, Optional

from .paths import POLICY
from .process import Process
from .waiting import Deadline, connect

_TEMPLATE = Path(__file__).parent / "bus.conf.in"


class Bus:
    """limits: as in dbus-daemon(1), e.g. {"max_outgoing_bytes": 1000000}; the rest has the defaults of a system bus."""

    def __init__(self, folder: Path, limits: Optional[Mapping[str, int]] = None):
        self.folder = folder
        self.socket = folder / "bus.sock"
        self.address = f"unix:path={self.socket}"
        self._limits = dict(limits or {})
        self._process: Optional[Process] = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def process(self) -> Process:
        assert self._process is not None, "the bus was not started"
        return self._process

    def start(self) -> None:
        """Returns when connections are taken. After a stop: a new bus at the same address."""
        limits = "\n".join(f'<limit name="{name}">{value}</limit>' for name, value in self._limits.items())
        text = _TEMPLATE.read_text()
        for key, value in (("@SOCKET@", self.socket), ("@POLICY@", POLICY), ("@LIMITS@", limits)):
            text = text.replace(key, str(value))
        configuration = self.folder / "bus.conf"
        configuration.write_text(text)
        self._process = Process(["/usr/bin/dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", "--config-file",
                                 configuration], self.folder / "bus.log")
        connect(self.socket, Deadline(10, f"the bus on {self.socket}")).close()

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            # A stale socket would refuse where there should be none; dbus-daemon leaves it there.
            self.socket.unlink(missing_ok=True)

    def sweep(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def environment(self) -> dict[str, str]:
        """What points a program at this bus, and at none of the machine's."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("DBUS_")}
        return environment | {"DBUS_SYSTEM_BUS_ADDRESS": self.address}
