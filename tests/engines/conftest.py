"""Fixtures of the tests on real engines."""

import shutil
import tempfile
from pathlib import Path
from typing import Iterator

import pytest

from lab.podman import Podman


# podman

@pytest.fixture(scope="session")
def session_podman() -> Iterator[Podman]:
    folder = Path(tempfile.mkdtemp(prefix="shorewatch-"))
    part = Podman(folder / "podman")
    try:
        part.start()
        yield part
    finally:
        part.sweep()
        shutil.rmtree(folder)


@pytest.fixture
def podman(session_podman: Podman) -> Iterator[Podman]:
    """An engine without containers, which the test must leave running."""
    yield session_podman
    session_podman.remove_all()


@pytest.fixture
def own_podman(folder: Path) -> Iterator[Podman]:
    """An engine of the test's own, to be killed and restarted; its containers outlive it."""
    part = Podman(folder / "podman")
    try:
        part.start()
        yield part
    finally:
        part.sweep()
