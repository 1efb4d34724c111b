"""The manual pages have all that they are about, and are clean."""

import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from lab.paths import BUILD, CTL, DAEMON, SOURCE

PAGES = BUILD / "docs" / "man"


def shown(name: str) -> str:
    """As a terminal has it, without bold and underlined."""
    text = subprocess.run(["mandoc", "-Tutf8", "-Owidth=1000", PAGES / name], check=True, capture_output=True,
                          text=True).stdout
    return re.sub(".\b", "", text)


def help_of(program: Path, *commands: str) -> str:
    return subprocess.run([program, *commands, "--help"], check=True, capture_output=True, text=True).stdout


def subcommands(text: str) -> list[str]:
    _, found, after = text.partition("\nSubcommands:\n")
    return re.findall(r"(?m)^  ([a-z-]+)", after.split("\n\n")[0]) if found else []


def section(page: str, *commands: str) -> str:
    """From the heading of a command to the next."""
    if not commands:
        return page.split("\nCOMMANDS\n")[0]
    return re.split(r"\n {2,4}(?=\S)|\n(?=\S)", page.split(f"\n   {' '.join(commands)}\n")[1])[0]


@pytest.mark.parametrize("name", ["shorewatchd.8", "shorewatchctl.1", "shorewatch.toml.5", "org.shorewatch1.5"])
def test_a_page_is_clean(name: str) -> None:
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", PAGES / name], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def check_options(page: str, program: Path, *commands: str) -> int:
    text = help_of(program, *commands)
    part = section(page, *commands)
    options = set(re.findall(r"(?m)^  (?:-\w, *)?(--[a-z-]+)", text)) - {"--help"}
    missing = [option for option in options if not re.search(rf"{option}\b", part)]
    assert not missing, (commands, missing)
    return len(options) + sum(check_options(page, program, *commands, name) for name in subcommands(text))


@pytest.mark.parametrize("name, program, least", [("shorewatchd.8", DAEMON, 4), ("shorewatchctl.1", CTL, 60)])
def test_every_option_of_every_command_is_in_the_page(name: str, program: Path, least: int) -> None:
    assert check_options(shown(name), program) >= least


def test_every_key_of_the_configuration_is_in_its_page() -> None:
    page = shown("shorewatch.toml.5")
    keys = re.findall(r'(?m)^ {4}\{"([a-z_]+)",', (SOURCE / "daemon" / "config_section.cpp").read_text())
    assert {"engine", "endpoint", "discover_users", "cleanup_after", "namespaces"} <= set(keys)
    for key in keys:
        assert re.search(rf"(?m)^ *\W*{key}\b", page), key


def test_every_member_of_every_interface_is_in_the_page() -> None:
    page = shown("org.shorewatch1.5")
    count = 0
    for path in (SOURCE / "dbus" / "interfaces").glob("*.xml"):
        for member in ElementTree.parse(path).getroot().iter():
            if member.tag in ("method", "signal", "property"):
                assert re.search(rf"(?m)^ +{member.get('name')}[(:]", page), member.get("name")
                count += 1
    assert count > 100
