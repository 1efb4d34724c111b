"""Options and parts of the tests of scale."""

from pathlib import Path
from typing import Any, Iterator, Optional

import pytest
from lab.bus import Bus
from lab.played import PlayedEngines, Program


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--minutes", type=float, default=1 / 6, help="how long containers come and go, on each bus")


@pytest.fixture
def minutes(request: pytest.FixtureRequest) -> float:
    return request.config.getoption("--minutes")


class Subscribers(Program):
    """So many strict ones. work: µs that each signal keeps them. user: another than root, in the group of the bus."""

    def __init__(self, bus: Bus, connections: int, work: int = 0, user: Optional[tuple[int, int]] = None):
        inside = [] if user is None else ["setpriv", f"--reuid={user[0]}", f"--regid={user[0]}",
                                          f"--groups={user[1]}"]
        super().__init__("strict-subscriber", bus.address, str(connections), str(work), inside=inside)
        assert self.line(30) == "listening"

    def wait_for(self, digest: str, seconds: float) -> dict[str, Any]:
        """What they have to say once they know the containers with this digest."""
        return self.ask(digest, seconds)


@pytest.fixture
def played_engines() -> Iterator[PlayedEngines]:
    part = PlayedEngines(10_000)
    yield part
    part.close()


@pytest.fixture
def own_folder(folder: Path) -> Path:
    """That other users may look into."""
    folder.chmod(0o755)
    return folder
