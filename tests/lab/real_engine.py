"""What the engines of the lab have in common: a process in a folder of its own, and what it leaves when it is killed.

Only the standard library is used, so that quickstart can show its demo with it.
"""

import shutil
import signal
import subprocess
from pathlib import Path
from typing import Optional

from .leftovers import end_cgroup, mounts_below
from .process import Process

# Debian's before others.
PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"


def program(name: str) -> str:
    """Its path, or its name alone where it is not installed."""
    return shutil.which(name, path=PATH) or name


class RealEngine:
    """start() and stop() as often as wanted; sweep() at the end, whatever happened, leaves nothing of it."""

    def __init__(self, folder: Path, socket: str):
        """socket: the name, in the folder, of what the engine listens on."""
        self.folder = folder
        self.socket = folder / socket
        self.url = f"unix://{self.socket}"
        self.cgroup = f"shorewatch-lab-{folder.parent.name}-{folder.name}"
        self._process: Optional[Process] = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def process(self) -> Process:
        assert self._process is not None, f"{type(self).__name__} was not started"
        return self._process

    def kill9(self) -> None:
        """Containers live on, with their shims or conmons."""
        self.process.kill()

    def freeze(self) -> None:
        self.process.freeze()

    def thaw(self) -> None:
        self.process.signal(signal.SIGCONT)

    def sweep(self) -> None:
        """Ends the engine, what it has started, and containers, and removes all they made: mounts, cgroups, files."""
        if self._process is not None and self._process.running():
            self._process.kill()
        self._end_helpers()
        end_cgroup(self.cgroup)
        for mount_point in mounts_below(self.folder):
            subprocess.run(["umount", "--lazy", mount_point], check=True)
        self._remove_strays()
        shutil.rmtree(self.folder)

    def _end_helpers(self) -> None:
        """Ends what is in no container's cgroup and lives on without the engine: shims, conmons."""
        raise NotImplementedError

    def _remove_strays(self) -> None:
        """Removes what is outside of the folder."""
        raise NotImplementedError
