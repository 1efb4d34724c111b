"""No program that the daemon might start, or that a library of its starts, gets a descriptor of it."""

import os
from pathlib import Path
from typing import Callable

from lab.cri import Cri
from lab.containerd import Containerd
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.engine import Engine
from lab.podman import Podman
from lab.recorder import Recorder

STANDARD_STREAMS = {0, 1, 2}


def inheritable(pid: int) -> dict[int, str]:
    """Its open descriptors that an exec would keep: what each is, by number."""
    kept = {}
    for entry in Path(f"/proc/{pid}/fdinfo").iterdir():
        flags = next(line for line in entry.read_text().splitlines() if line.startswith("flags:"))
        if not int(flags.split()[1], 8) & os.O_CLOEXEC:
            kept[int(entry.name)] = os.readlink(f"/proc/{pid}/fd/{entry.name}")
    return kept


def test_an_exec_would_keep_none_of_its_descriptors(
        dockerd: Dockerd, podman: Podman, containerd: Containerd, cri_pod: Cri, start_daemon: Callable[..., Daemon],
        recorder: Recorder) -> None:
    engines: list[Engine] = [dockerd, podman, containerd, cri_pod]
    daemon = start_daemon({engine.type: engine for engine in engines})
    for engine in engines:
        engine.run(f"held-{engine.type}")
        recorder.wait_for("ContainerStarted", f"held-{engine.type}")
    open_now = {os.readlink(entry) for entry in Path(f"/proc/{daemon.process.pid}/fd").iterdir()}
    # Of the kinds that there are: sockets, pidfds, and what loops wait on.
    assert {"anon_inode:[eventpoll]", "anon_inode:[eventfd]"} <= open_now
    assert any(name.startswith("socket:") for name in open_now)
    kept = inheritable(daemon.process.pid)
    assert {number: name for number, name in kept.items() if number not in STANDARD_STREAMS} == {}
