"""What an engine leaves behind when it is killed, and how it is done away with: processes, cgroups, mounts."""

import contextlib
import os
from pathlib import Path
from typing import Iterator

from .process import kill_and_wait

# What containerd and dockerd make outside their own folders whatever their options say; deepest first.
_STRAY_FOLDERS = [Path(path) for path in (
    "/opt/containerd/bin", "/opt/containerd/lib", "/opt/containerd", "/run/docker/plugins", "/run/docker",
    "/run/containerd/s", "/run/containerd/fifo", "/run/containerd/runc", "/run/containerd")]


class Strays:
    """Folders that are not there yet: remove() takes away those that came, unless somebody else uses them by now."""

    def __init__(self) -> None:
        self._folders = [path for path in _STRAY_FOLDERS if not path.exists()]

    def remove(self) -> None:
        for folder in self._folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def end_process(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        kill_and_wait(pid)


def processes_with(mark: bytes) -> Iterator[int]:
    """Those that have it in their arguments."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if mark in entry.read_bytes():
                yield int(entry.parent.name)


def end_cgroup(name: str) -> None:
    """Kills all that is in it and below it, in every hierarchy, and removes it."""
    tops = [Path("/sys/fs/cgroup") / name, *Path("/sys/fs/cgroup").glob(f"*/{name}")]
    groups = sorted((path for top in tops for path in [top, *top.rglob("*")] if path.is_dir()), reverse=True)
    # A signal reaches frozen processes only when they thaw: the first file is cgroup v1's, the other v2's.
    for group in groups:
        for file, thawed in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            with contextlib.suppress(OSError):
                if (group / file).exists():
                    (group / file).write_text(thawed)
    for group in groups:
        # An engine's helper may still be removing its container's.
        with contextlib.suppress(FileNotFoundError):
            for pid in (group / "cgroup.procs").read_text().split():
                end_process(int(pid))
            group.rmdir()


def remove_empty_cgroups(name: str) -> None:
    """Those below it, and itself, as far as nobody is in them."""
    for top in [Path("/sys/fs/cgroup") / name, *Path("/sys/fs/cgroup").glob(f"*/{name}")]:
        for group, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(group)


def remove_shim_sockets(tasks: Path) -> None:
    """tasks: containerd's folder of tasks, in which their shims' addresses are; their sockets are elsewhere."""
    for address in tasks.glob("*/*/address"):
        Path(address.read_text().removeprefix("unix://")).unlink(missing_ok=True)


def mounts_below(folder: Path) -> list[str]:
    """The deepest first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [point for point in reversed(points) if point.startswith(f"{folder}/")]
