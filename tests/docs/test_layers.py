"""What docs/architecture.md says of who may include whom."""

import re

import pytest

from lab.paths import SOURCE

ENGINES = ("docker", "podman", "containerd", "cri")


def included(folder: str) -> set[tuple[str, str]]:
    """Files and what they include, as paths from the top."""
    found = {(str(path.relative_to(SOURCE)), name) for path in (SOURCE / folder).rglob("*") if path.suffix in (".h", ".cpp")
             for name in re.findall(r'(?m)^#include "(.*)"', path.read_text())}
    assert found
    return found


@pytest.mark.parametrize("folder, forbidden", [
    ("engines", ("daemon/", "dbus/")),
    ("engines/support", ("engines/http/", "engines/rest/", "engines/grpc/")),
    ("daemon", ("dbus/",)),
    ("dbus/service", ("dbus/ctl/", *(f"engines/{name}/" for name in ENGINES))),
    ("dbus/ctl", ("daemon/", "dbus/service/")),
    *((f"engines/{name}", tuple(f"engines/{other}/" for other in ENGINES if other != name)) for name in ENGINES),
])
def test_arrows_point_one_way(folder: str, forbidden: tuple[str, ...]) -> None:
    wrong = {(file, name) for file, name in included(folder) if name.startswith(forbidden) and file != "daemon/main.cpp"}
    assert not wrong


def test_the_daemon_knows_engines_by_their_factory() -> None:
    wrong = {(file, name) for file, name in included("daemon")
             if name.startswith(tuple(f"engines/{engine}/" for engine in ENGINES)) and file != "daemon/main.cpp"}
    assert not wrong
