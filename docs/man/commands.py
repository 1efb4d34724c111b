#!/usr/bin/env python3
"""Fills the place @OPTIONS@ of a page with what a program's --help says: commands.py DATE TEMPLATE PAGE PROGRAM

A program with subcommands gets a section for each, with those of subcommands in turn.
"""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import roff

# "  -e,--engine ENGINE          Only of this engine", the text perhaps on the lines that follow.
ENTRY = re.compile(r"  (\S.*?)(?:\s{2,}(\S.*))?")
CONTINUED = re.compile(r"\s{20,}(\S.*)")
# Said by the library that reads the command line, after an option's name.
EXCLUDES = re.compile(r" Excludes: (.*)$")
CHOICE = re.compile(r":\{(.*)\}")
RANGE = re.compile(r":\w+ in \[(\S+) - (\S+)\]")


class Help:
    def __init__(self, program: str, *commands: str):
        lines = subprocess.run([program, *commands, "--help"], check=True, capture_output=True, text=True,
                               env={"LC_ALL": "C.UTF-8"}).stdout.splitlines()
        usage = next(number for number, line in enumerate(lines) if line.startswith("Usage:"))
        self.what = " ".join(" ".join(lines[:usage]).split())
        self.usage = lines[usage].removeprefix("Usage:").strip()
        self.groups: dict[str, list[tuple[str, str]]] = {}
        self.footer: list[str] = []
        group = None
        for line in lines[usage + 1:]:
            if not line:
                continue
            entry, continued = ENTRY.fullmatch(line), CONTINUED.fullmatch(line)
            if group is not None and continued and self.groups[group]:
                name, text = self.groups[group][-1]
                self.groups[group][-1] = name, f"{text} {continued[1]}".strip()
            elif group is not None and entry:
                self.groups[group].append((re.sub(r",\s*", ", ", entry[1], count=1), entry[2] or ""))
            elif not self.footer and re.fullmatch(r"[A-Z]\w+:", line) and line not in ("Examples:",):
                group = line[:-1]
                self.groups[group] = []
            else:
                group = None
                self.footer.append(line)

    def subcommands(self) -> list[str]:
        names = self.groups.get("Subcommands") or self.groups.get("SUBCOMMANDS") or []
        return [name for name, _ in names]


def entry_text(name: str, text: str) -> list[str]:
    excluded = EXCLUDES.search(name)
    name = EXCLUDES.sub("", name)
    if (choice := CHOICE.search(name)) and not all(word in text for word in choice[1].split(",")):
        text += f" ({choice[1].replace(',', ', ')})"
    if bounds := RANGE.search(name):
        text += f" ({bounds[1]} to {bounds[2]})"
    name = RANGE.sub("", CHOICE.sub("", name)).replace(" REQUIRED", "")
    if excluded:
        text += f"; not with {excluded[1]}"
    return [f".It Sy {roff.argument(name)}", *roff.words(text)]


def footer(lines: list[str]) -> list[str]:
    """Plain lines are paragraphs, indented ones are as they are."""
    page: list[str] = []
    for indented, block in itertools.groupby(lines, lambda line: line.startswith("  ")):
        if indented:
            page += roff.literal(line[2:] for line in block)
        else:
            page += [".Pp", *roff.words(" ".join(block))]
    return page


def described(help_: Help, program: str, commands: list[str]) -> list[str]:
    page: list[str] = []
    if commands:
        page += [f".Ss {roff.escaped(' '.join(commands))}", *roff.words(help_.what.rstrip(".") + "."), ".Pp",
                 f".Sy {roff.argument(help_.usage)}"]
    for group, entries in help_.groups.items():
        entries = [entry for entry in entries if not commands or not entry[0].startswith("-h, --help")]
        if group.lower() != "subcommands" and entries:
            titled = [] if group.lower() in ("options", "positionals") else [".Pp", f"{group}:"]
            page += [*titled, ".Bl -tag -width indent", *(line for entry in entries for line in entry_text(*entry)), ".El"]
    page += footer(help_.footer)
    if help_.subcommands() and not commands:
        page += [".Sh COMMANDS"]
    for name in help_.subcommands():
        page += described(Help(program, *commands, name), program, [*commands, name])
    return page


def main() -> None:
    date, template, page, program = sys.argv[1:]
    text = Path(template).read_text().replace("@DATE@", date)
    Path(page).write_text(text.replace("@OPTIONS@", "\n".join(described(Help(program), program, []))))


if __name__ == "__main__":
    main()
