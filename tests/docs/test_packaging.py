"""Packages have the version that meson.build says, and want what it is built with."""

import re
import subprocess

from lab.paths import CTL, DAEMON, SOURCE

VERSION = re.findall(r"(?m)^  version: '(.*)',$", (SOURCE / "meson.build").read_text())[0]


def test_programs_say_it() -> None:
    for program in (DAEMON, CTL):
        said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
        assert said == f"{program.name} {VERSION}\n"


def test_packages_have_it() -> None:
    first = (SOURCE / "debian" / "changelog").read_text().splitlines()[0]
    assert first.startswith(f"shorewatch ({VERSION}")
    packaging = SOURCE / "docs" / "packaging"
    assert re.findall(r"(?m)^Version: +(.*)$", (packaging / "shorewatch.spec").read_text()) == [VERSION]
    assert re.findall(r"(?m)^pkgver=(.*)$", (packaging / "PKGBUILD").read_text()) == [VERSION]


def test_the_changelog_begins_with_it() -> None:
    titles = re.findall(r"(?m)^## (\S+)", (SOURCE / "CHANGELOG.md").read_text())
    assert titles[0] == VERSION


def test_the_package_is_built_with_all_that_is_needed() -> None:
    said = subprocess.run(["bash", "-c", '. "$1"; printf "%s\\n" "${build_packages[@]}"', "bash",
                           SOURCE / "tests" / "lab" / "packages.sh"], check=True, capture_output=True, text=True).stdout
    control = (SOURCE / "debian" / "control").read_text().partition("\n\n")[0]
    wanted = set(re.findall(r"(?m)^(?:Build-Depends:)? +([a-z0-9+.-]+)", control))
    # What every package is built with, and what Meson brings.
    assert set(said.split()) - {"g++", "ninja-build", "pkg-config"} <= wanted
    assert re.findall(r"(?m)^(?:Build-Depends:)? +([a-z0-9+.-]+) .*<!nocheck>", control) == ["catch2"]


def test_packages_elsewhere_are_built_with_all_that_meson_wants() -> None:
    builds = [SOURCE / "meson.build", *(path for folder in ("engines", "daemon", "dbus", "systemd")
                                        for path in (SOURCE / folder).rglob("meson.build"))]
    text = "".join(path.read_text() for path in builds)
    names = set(re.findall(r"dependency\('([^']+)'(?![^)]*required: false)", text)) - {"threads"}
    spec = (SOURCE / "docs" / "packaging" / "shorewatch.spec").read_text()
    assert len(names) > 8
    assert not [name for name in names
                if not re.search(rf"(?im)^BuildRequires: +(pkgconfig\(|cmake\(|){re.escape(name)}(?![\w+])", spec)]
