"""Fixtures of the tests on real engines."""

import itertools
import os
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from lab.bus import Bus
from lab.containerd import Containerd
from lab.cri import Cri
from lab.daemon import Daemon
from lab.engine import Engine
from lab.parts import new_folder, running
from lab.podman import Podman
from lab.recorder import Recorder
from lab.runtime import Runtime, root_file_system
from lab.runtime import spec as make_spec


# Each engine in turn, for the tests that hold on all of them. By type: the fixture of one that all tests share, and of
# one that a test may kill.
ENGINES = {"docker": ("dockerd", "live_restore_dockerd"), "podman": ("podman", "own_podman"),
           "containerd": ("containerd", "own_containerd"), "cri": ("cri_pod", "own_cri_pod")}


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    """Without containers but for a pod's own; the test must leave it running."""
    return request.getfixturevalue(ENGINES[request.param][0])


@pytest.fixture(params=list(ENGINES))
def mortal_engine(request: pytest.FixtureRequest) -> Engine:
    """Of the test's own, to be killed and restarted; its containers outlive it."""
    return request.getfixturevalue(ENGINES[request.param][1])


# containerd

@pytest.fixture(scope="session")
def session_containerd() -> Iterator[Containerd]:
    with new_folder() as folder, running(Containerd(folder / "containerd")) as part:
        yield part


@pytest.fixture
def containerd(session_containerd: Containerd) -> Iterator[Containerd]:
    """An engine without containers, which the test must leave running."""
    yield session_containerd
    session_containerd.remove_all()


@pytest.fixture
def own_containerd(folder: Path) -> Iterator[Containerd]:
    """An engine of the test's own, to be killed and restarted; its containers outlive it."""
    with running(Containerd(folder / "containerd")) as part:
        yield part


# podman

@pytest.fixture(scope="session")
def session_podman() -> Iterator[Podman]:
    with new_folder() as folder, running(Podman(folder / "podman")) as part:
        yield part


@pytest.fixture
def podman(session_podman: Podman) -> Iterator[Podman]:
    """An engine without containers, which the test must leave running."""
    yield session_podman
    session_podman.remove_all()


@pytest.fixture
def own_podman(folder: Path) -> Iterator[Podman]:
    """An engine of the test's own, to be killed and restarted; its containers outlive it."""
    with running(Podman(folder / "podman")) as part:
        yield part


# CRI

@pytest.fixture(scope="session")
def session_cri() -> Iterator[Cri]:
    with new_folder() as folder, running(Cri(folder / "cri")) as part:
        yield part


@pytest.fixture
def cri_pod(session_cri: Cri) -> Iterator[Cri]:
    """An engine with one pod, which the test must leave running."""
    session_cri.need_pod()
    yield session_cri
    session_cri.remove_all()


@pytest.fixture
def own_cri_pod(cri: Cri) -> Cri:
    cri.need_pod()
    return cri


@pytest.fixture
def cri(folder: Path) -> Iterator[Cri]:
    """A containerd of the test's own, with the CRI plugin."""
    with running(Cri(folder / "cri")) as part:
        yield part


# The runtime on containerd

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def rootfs() -> Iterator[Path]:
    with new_folder() as folder:
        yield root_file_system(folder / "rootfs")


@pytest.fixture
def start_runtime_daemon(folder: Path, bus: Bus, recorder: Recorder) -> Iterator[Callable[..., Daemon]]:
    """A daemon on a containerd, with lines of the configuration's [runtime]; the state is kept for the next one."""
    parts: list[Daemon] = []

    def start(engine: Containerd, *lines: str) -> Daemon:
        part = Daemon(folder / f"daemon{len(parts) + 1}", bus, {"containerd": engine})
        part.state = folder / "state"
        text = "\n".join(["[runtime]", 'snapshotter = "native"', *lines, ""])
        part.configuration.write_text(part.configuration.read_text() + text)
        parts.append(part)
        part.start()
        return part

    yield start
    for part in parts:
        print(f"--- {part.folder / 'shorewatchd.log'}:\n{part.log()[-10000:]}")
        part.sweep()


@pytest.fixture
def runtime_daemon(start_runtime_daemon: Callable[..., Daemon], containerd: Containerd) -> Daemon:
    return start_runtime_daemon(containerd)


@pytest.fixture
def runtime(runtime_daemon: Daemon, bus: Bus) -> Iterator[Runtime]:
    part = Runtime(bus)
    yield part
    part.close()


@pytest.fixture
def id_() -> str:
    """Of a container: no other test, here or in another run beside this one, has it."""
    return f"c{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def spec(rootfs: Path, containerd: Containerd) -> Callable[..., Any]:
    """spec(id, "sh", "-c", …): of a container on the engine that all tests share."""
    return lambda id_, *arguments, **options: make_spec(rootfs, f"{containerd.cgroup}/{id_}", *arguments, **options)
