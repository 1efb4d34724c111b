"""A private dbus-daemon with the rules of a system bus and the project's own policy file."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Mapping, Optional, Sequence

from .paths import POLICY
from .process import Process
from .waiting import Deadline, connect

_TEMPLATE = Path(__file__).parent / "bus.conf.in"
# One that no group of a machine has, most likely.
GROUP_ID = 65_432


class Bus:
    """limits: as in dbus-daemon(1), e.g. {"max_outgoing_bytes": 1000000}; the rest has the defaults of a system bus.

    group: it knows the group shorewatch, by GROUP_ID, whether the machine has that group or not.
    policies: of other services that are to be on the bus.
    """

    def __init__(self, folder: Path, limits: Optional[Mapping[str, int]] = None, group: bool = False,
                 policies: Sequence[Path] = ()):
        self.folder = folder
        self.socket = folder / "bus.sock"
        self.address = f"unix:path={self.socket}"
        self._limits = dict(limits or {})
        self._group = group
        self._policies = tuple(policies)
        self._process: Optional[Process] = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def process(self) -> Process:
        assert self._process is not None, "the bus was not started"
        return self._process

    def start(self) -> None:
        """Returns when connections are taken. After a stop: a new bus at the same address."""
        self._process = Process([*self._with_group(), "/usr/bin/dbus-daemon", "--nofork", "--nopidfile", "--nosyslog",
                                 "--config-file", self.write_configuration()], self.folder / "bus.log")
        connect(self.socket, Deadline(10, f"the bus on {self.socket}")).close()

    def write_configuration(self) -> Path:
        limits = "\n".join(f'<limit name="{name}">{value}</limit>' for name, value in self._limits.items())
        policies = "\n".join(f"<include>{policy}</include>" for policy in self._policies)
        text = _TEMPLATE.read_text()
        for key, value in (("@SOCKET@", self.socket), ("@POLICY@", POLICY), ("@LIMITS@", limits + policies)):
            text = text.replace(key, str(value))
        configuration = self.folder / "bus.conf"
        configuration.write_text(text)
        return configuration

    def _with_group(self) -> list[str | Path]:
        """What a program is run by that is to know the group."""
        if not self._group:
            return []
        groups = [line for line in Path("/etc/group").read_text().splitlines() if not line.startswith("shorewatch:")]
        file = self.folder / "group"
        file.write_text("\n".join([*groups, f"shorewatch:x:{GROUP_ID}:", ""]))
        file.chmod(0o644)
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                'mount --bind "$0" /etc/group && exec "$@"', file]

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            # A stale socket would refuse where there should be none; dbus-daemon leaves it there.
            self.socket.unlink(missing_ok=True)

    def wait_for_owner(self, name: str, seconds: int = 10) -> None:
        """Returns once somebody on the bus has that name."""
        done = subprocess.run(["gdbus", "wait", "--address", self.address, "--timeout", str(seconds), name],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"nobody had the name {name} within {seconds} s: {done.stderr.strip()}")

    def sweep(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def environment(self) -> dict[str, str]:
        """What points a program at this bus, and at none of the machine's. Whoever started us is told of nobody's being
        ready: dbus-broker ends when it can't tell."""
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("DBUS_") and key != "NOTIFY_SOCKET"}
        return environment | {"DBUS_SYSTEM_BUS_ADDRESS": self.address}
