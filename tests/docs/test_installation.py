"""What `meson install` puts where."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from lab.paths import BUILD, CTL, DAEMON, SOURCE

# Programs of ours that units and services of D-Bus start, and pages that they name.
NAMED = re.compile(r"(?m)^(?:ExecStart=|Exec=|Documentation=file:):?(/\S+)")


def meson(*arguments: str | Path, **environment: str) -> str:
    return subprocess.run(["meson", *arguments], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env=os.environ | environment).stdout


def installed_of(build: Path) -> set[str]:
    return set(json.loads(meson("introspect", "--installed", build)).values())


def named_in(path: Path) -> list[str]:
    return NAMED.findall(path.read_text())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With all that this build installs."""
    folder = tmp_path_factory.mktemp("root")
    meson("install", "-C", BUILD, "--no-rebuild", "--quiet", DESTDIR=str(folder))
    return folder


def test_all_goes_below_destdir(root: Path) -> None:
    files = {f"/{path.relative_to(root)}" for path in root.rglob("*") if not path.is_dir()}
    assert files == installed_of(BUILD) and len(files) > 30


def test_what_units_name_is_installed(root: Path) -> None:
    units = [path for path in root.rglob("*.service") if path.is_file()]
    # The system bus leaves the start to systemd.
    named = {name for path in units for name in named_in(path) if name != "/bin/false"}
    assert {Path(name).name for name in named} == {"shorewatchd", "shorewatch-on", "reacting.md"}
    for name in named:
        assert (root / name[1:]).is_file(), name
        assert name.endswith(".md") or os.access(root / name[1:], os.X_OK), name


def test_no_file_knows_where_it_was_built(root: Path) -> None:
    for path in root.rglob("*"):
        if path.is_file() and path.name not in (DAEMON.name, CTL.name):
            text = path.read_bytes()
            assert not [folder for folder in (root, BUILD, SOURCE) if os.fsencode(folder) in text], path


@pytest.mark.parametrize("program", ["bin/shorewatchctl", "libexec/shorewatchd"])
def test_programs_look_for_libraries_nowhere_else(root: Path, program: str) -> None:
    path = next(path for path in root.rglob(Path(program).name) if str(path).endswith(program))
    said = subprocess.run(["readelf", "-d", path], check=True, capture_output=True, text=True).stdout
    assert "NEEDED" in said and "RPATH" not in said and "RUNPATH" not in said


@pytest.mark.parametrize("prefix", ["/usr", "/opt/shorewatch"])
def test_all_goes_below_the_prefix(prefix: str, tmp_path: Path) -> None:
    meson("setup", f"--prefix={prefix}", "--libexecdir=lib/shorewatch", tmp_path / "build", SOURCE)
    files = installed_of(tmp_path / "build")
    # Debian 12 has the system's units in /lib, and says so where /usr is meant.
    below = (f"{prefix}/", "/lib/systemd/system/") if prefix == "/usr" else f"{prefix}/"
    assert all(name.startswith(below) for name in files) and len(files) > 30
    assert f"{prefix}/lib/shorewatch/shorewatchd" in files
    # What was made of the units' templates.
    for unit in (tmp_path / "build" / "systemd").glob("*.service"):
        assert all(name.startswith(f"{prefix}/") for name in named_in(unit)), unit
