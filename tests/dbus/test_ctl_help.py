"""shorewatchctl --help: every command has examples, and every example is one that shorewatchctl takes."""

import os
import pty
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from lab.bus import Bus
from lab.clients import ctl
from lab.paths import CTL

USAGE = 2


def subcommands(help_: str) -> list[str]:
    """Those that a --help lists."""
    listed = re.search(r"(?ms)^Subcommands:\n(.*?)^(?=\S)", help_ + "\nend")
    return re.findall(r"(?m)^  (\S+) ", listed[1]) if listed else []


def all_commands(bus: Bus, *path: str) -> dict[tuple[str, ...], str]:
    """The --help of each, at any depth."""
    done = ctl(bus, *path, "--help")
    assert (done.returncode, done.stderr) == (0, ""), path
    found = {path: done.stdout}
    for name in subcommands(done.stdout):
        found |= all_commands(bus, *path, name)
    return found


def examples(help_: str) -> list[str]:
    """The lines after "Examples:"."""
    _, _, after = help_.partition("\nExamples:\n")
    return [line.strip() for line in re.findall(r"(?m)^  .*\n?", after)]


def calls(line: str) -> list[list[str]]:
    """What shorewatchctl is given in a line of shell, for each time that it is called there. What only a shell could
    say, as how $(…) ends, is 1."""
    found = [call for inner in re.findall(r"\$\(([^)]*)\)", line) for call in calls(inner)]
    words = shlex.shlex(re.sub(r"\$\([^)]*\)|\$\$", "1", line), posix=True, punctuation_chars=";|&<>()")
    words.whitespace_split = True
    current = None
    for word in words:
        if word == "shorewatchctl":
            current = []
            found.append(current)
        elif set(word) <= set(";|&<>()"):
            current = None
        elif current is not None:
            current.append(word)
    return found


def test_examples_are_found_in_lines_of_shell() -> None:
    assert calls("tar c . | shorewatchctl run -i --rm -- sha256sum; echo") == [["run", "-i", "--rm", "--", "sha256sum"]]
    assert calls("shorewatchctl rm $(shorewatchctl ps -q) 'a b'") == [["ps", "-q"], ["rm", "1", "a b"]]
    assert calls("shorewatchctl list --json | jq '.x | y'") == [["list", "--json"]]


def test_every_command_has_examples_of_itself(bus: Bus) -> None:
    commands = all_commands(bus)
    assert len(commands) > 30 and ("task", "show") in commands
    for path, help_ in commands.items():
        if path == ():
            continue
        lines = examples(help_)
        assert lines, f"{' '.join(path)} has no examples"
        assert any(path == tuple(word for word in call if word in path)[:len(path)] for line in lines
                   for call in calls(line)), f"no example of {' '.join(path)} is one of it: {lines}"


def test_every_example_is_taken(bus: Bus, folder: Path) -> None:
    """Where there is no bus, each fails for that reason, or for want of a screen, and not for how it is called."""
    (folder / "bin").mkdir()
    (folder / "bin" / "ssh").write_text("#!/bin/sh\nexit 255\n")
    (folder / "bin" / "ssh").chmod(0o755)
    (folder / "shop.json").write_text("{}")
    environment = bus.environment() | {"PATH": f"{folder}/bin:/usr/bin:/bin",
                                       "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder}/none"}
    ours, theirs = pty.openpty()
    for help_ in all_commands(bus).values():
        for call in (call for line in examples(help_) for call in calls(line)):
            input_ = theirs if "-it" in call else subprocess.DEVNULL
            done = subprocess.run([CTL.resolve(), *call], env=environment, cwd=folder, stdin=input_, text=True,
                                  capture_output=True, timeout=30)
            reason = "cannot show a screen" if "top" in call else "bus"
            assert done.returncode not in (0, USAGE) and reason in done.stderr, (call, done)
    os.close(theirs)
    os.close(ours)


@pytest.mark.parametrize("arguments,says", [
    (["wait", "--nope", "web"], "see shorewatchctl wait --help"), (["task", "show"], "see shorewatchctl task show --help"),
    (["nope"], "no command or option 'nope'; see shorewatchctl --help"), (["kill", "-s", "NOPE", "web"], "kill -l")])
def test_a_wrong_call_is_told_where_to_look(bus: Bus, arguments: list[str], says: str) -> None:
    done = ctl(bus, *arguments)
    assert (done.returncode, done.stdout) == (USAGE, "") and says in done.stderr, done.stderr
