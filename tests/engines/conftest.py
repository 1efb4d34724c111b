"""Fixtures of the tests on real engines."""

from pathlib import Path
from typing import Iterator

import pytest

from lab.containerd import Containerd
from lab.cri import Cri
from lab.engine import Engine
from lab.parts import new_folder, running
from lab.podman import Podman


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
