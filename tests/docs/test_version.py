"""The version is said in one place, meson.build; where else it must be said, it is the same."""

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
