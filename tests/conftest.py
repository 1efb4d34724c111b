"""Fixtures of the black-box tests: each starts real parts, and leaves nothing of them behind."""

import itertools
import os
import signal
import sys
from pathlib import Path
from typing import Any, Callable, Generator, Iterator, Mapping

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lab.bus import Bus
from lab.clients import Client
from lab.cut_proxy import CutProxy
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.parts import new_folder, running
from lab.paths import DAEMON
from lab.recorder import Recorder


def pytest_configure() -> None:
    # A SIGTERM is to end the parts too, as a Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Ignored in what a shell has put in the background, and then in all that is started here, whatever is tested of it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionstart() -> None:
    if os.geteuid() != 0:
        pytest.exit("these tests start container engines: run them as root", 1)
    if not DAEMON.exists():
        pytest.exit(f"{DAEMON} is not built; SHOREWATCH_BUILD_DIR names the build folder", 1)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    report = (yield).get_result()
    if report.when == "call":
        item.stash[_FAILED] = report.failed


_FAILED = pytest.StashKey[bool]()


@pytest.fixture
def folder() -> Iterator[Path]:
    with new_folder() as path:
        yield path


@pytest.fixture
def bus(folder: Path) -> Iterator[Bus]:
    with running(Bus(folder / "bus")) as part:
        yield part


@pytest.fixture
def client(bus: Bus) -> Iterator[Client]:
    part = Client(bus)
    yield part
    part.close()


@pytest.fixture
def recorder(bus: Bus) -> Iterator[Recorder]:
    """Listens before any daemon is started."""
    part = Recorder(bus)
    yield part
    part.close()


@pytest.fixture(scope="session")
def session_dockerd() -> Iterator[Dockerd]:
    with new_folder() as folder, running(Dockerd(folder / "docker")) as part:
        yield part


@pytest.fixture
def dockerd(session_dockerd: Dockerd) -> Iterator[Dockerd]:
    """An engine without containers, which the test must leave running."""
    yield session_dockerd
    session_dockerd.remove_all()


@pytest.fixture
def live_restore_dockerd(folder: Path) -> Iterator[Dockerd]:
    """An engine of the test's own, to be killed and restarted; its containers outlive it."""
    with running(Dockerd(folder / "docker", live_restore=True)) as part:
        yield part


@pytest.fixture
def cut_proxy(folder: Path) -> Iterator[Callable[[Dockerd], CutProxy]]:
    parts: list[CutProxy] = []

    def make(engine: Dockerd) -> CutProxy:
        parts.append(CutProxy(folder / "proxy.sock", engine.socket))
        return parts[-1]

    yield make
    for part in parts:
        part.close()


@pytest.fixture
def start_daemon(folder: Path, bus: Bus, request: pytest.FixtureRequest) -> Iterator[Callable[..., Daemon]]:
    """start_daemon({"docker": url}, …): a daemon on the test's bus, ready; the rest goes to Daemon.start()."""
    parts: list[Daemon] = []
    numbers = itertools.count(1)

    def start(engines: Mapping[str, str], *arguments: str, **options: Any) -> Daemon:
        part = Daemon(folder / f"daemon{next(numbers)}", bus, engines)
        parts.append(part)
        part.start(*arguments, **options)
        return part

    yield start
    for part in parts:
        if request.node.stash.get(_FAILED, True):
            print(f"--- {part.folder / 'shorewatchd.log'}:\n{part.log()[-10000:]}")
        part.sweep()
