"""Command lines that documentation shows have the commands and options that there are."""

import re
import subprocess
from pathlib import Path

import pytest

from lab.paths import CTL, DAEMON, SOURCE

PAGES = [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *sorted((SOURCE / "docs").glob("*.md")),
         *sorted((SOURCE / "docs" / "examples").glob("*.sh")), SOURCE / "debian" / "shorewatch.README.Debian",
         SOURCE / "debian" / "tests" / "watches-docker"]
PROGRAMS = {"shorewatchctl": CTL, "shorewatchd": DAEMON}


def help_of(program: Path, *commands: str) -> str:
    return subprocess.run([program, *commands, "--help"], check=True, capture_output=True, text=True).stdout


def names(text: str, title: str) -> set[str]:
    return set(re.findall(r"(?m)^  ([a-z-]+)", text.partition(f"\n{title}:\n")[2].partition("\n\n")[0]))


def command_lines(page: Path) -> list[list[str]]:
    """In code: spans, indented lines, and scripts."""
    text = page.read_text()
    if page.suffix == ".md":
        text = "\n".join([*re.findall(r"`([^`\n]+)`", text), *re.findall(r"(?m)^ {4}(.*)$", text)])
    found = re.findall(r"(?<![\w./-])(shorewatchctl|shorewatchd) ([^#|;&<>\n\"'`]*)", text)
    return [[program, *rest.split(" -- ")[0].split()] for program, rest in found]


def unknown(line: list[str]) -> list[str]:
    program, *words = line
    help_ = help_of(PROGRAMS[program])
    known, commands = help_, []
    wrong = []
    takes_value = False
    for word in words:
        if takes_value:
            takes_value = False
        elif word.startswith("-"):
            option = word.split("=")[0]
            shown = re.search(rf"(?m)^  (?:.*, ?)?{re.escape(option)}(?:[, ](.*))?$", known)
            if shown is None and not re.fullmatch(r"-[a-z]{2,}", option):
                wrong.append(option)
            takes_value = word in ("-H", "--host", "--color")
        elif names(help_, "Subcommands"):
            if word not in names(help_, "Subcommands"):
                # A word of a sentence, or a place for any command.
                return wrong + ([] if not word.islower() else [word])
            commands.append(word)
            help_ = help_of(PROGRAMS[program], *commands)
            known += help_
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_they_are_there(page: Path) -> None:
    wrong = {" ".join(line): words for line in command_lines(page) if (words := unknown(line))}
    assert not wrong


def test_they_are_found() -> None:
    assert sum(len(command_lines(page)) for page in PAGES) > 60
