"""Fixtures of the tests under a real systemd: a guest that Shorewatch has been installed in."""

import sys
from pathlib import Path
from typing import Any, Generator, Iterator

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from installed import Installed
from lab.clients import Client
from lab.guest import CannotBoot, Guest
from lab.guest_root import CannotMakeRoot, guest_root
from lab.parts import new_folder
from lab.recorder import Recorder


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    report = (yield).get_result()
    guest = getattr(item, "funcargs", {}).get("guest")
    if report.failed and isinstance(guest, Guest):
        report.sections.append(("the guest's logs", guest.logs()))


@pytest.fixture(scope="session")
def root() -> Path:
    try:
        return guest_root()
    except (CannotMakeRoot, FileNotFoundError) as error:
        pytest.skip(f"no Debian can be made for a guest here: {error}")


@pytest.fixture(scope="module")
def guest_bus() -> str:
    return "dbus-daemon"


@pytest.fixture(scope="module")
def guest(root: Path, guest_bus: str) -> Iterator[Guest]:
    """Booted, with Shorewatch installed and not started."""
    with new_folder() as folder:
        part = Guest(root, folder / "guest", guest_bus)
        try:
            part.start()
            part.install()
            yield part
        except CannotBoot as error:
            pytest.skip(f"no guest can be booted here: {error}")
        finally:
            part.sweep()


@pytest.fixture(scope="module")
def _installed(guest: Guest) -> Installed:
    part = Installed(guest)
    part.prepare()
    return part


@pytest.fixture
def installed(_installed: Installed) -> Iterator[Installed]:
    """Not running, with nothing configured; engines without containers."""
    yield _installed
    _installed.reset()


@pytest.fixture
def client(guest: Guest, installed: Installed) -> Iterator[Client]:
    """root."""
    part = Client(guest)
    yield part
    part.close()


@pytest.fixture
def recorder(guest: Guest, installed: Installed) -> Iterator[Recorder]:
    part = Recorder(guest)
    yield part
    part.close()
