"""shorewatchctl top on a real terminal, which tmux is, with the daemon's face on the bus."""

import os
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest
from face import ID, Face
from lab.bus import GROUP_ID, Bus
from lab.clients import run
from lab.parts import running
from lab.paths import CTL
from lab.tmux import PROMPT, Tmux

WEB = "a" * 64
# No process can have it (it is past the kernel's PID_MAX_LIMIT), so that nothing is read of control groups.
NOBODY = 5_000_000
COLOUR = re.compile("\x1b\\[(?:\\d+;)*3[0-7]m")


@pytest.fixture
def face(make_face: Callable[..., Face]) -> Face:
    """docker, with web, and db, which is paused, of the project shop, and alone, of none."""
    part = make_face()
    fill(part)
    return part


def fill(face: Face) -> None:
    started = int(time.time() * 1_000_000) - 3600 * 1_000_000
    face.watch("docker", version="20.10")
    face.do("start", id=WEB, name="web", project="shop", image="nginx:1", pid=NOBODY, started=started)
    face.do("start", id="b" * 64, name="db", project="shop", image="postgres", pid=NOBODY + 1, started=started, paused=True)
    face.do("start", id="c" * 64, name="alone", image="busybox", pid=NOBODY + 2, started=started)
    face.do("publish")


@pytest.fixture
def open_tmux(folder: Path, bus: Bus) -> Iterator[Callable[..., Tmux]]:
    """open_tmux(LC_ALL="C", …): a shell in a terminal of 80 by 24, on the test's bus."""
    parts: list[Tmux] = []

    def start(size: tuple[int, int] = (80, 24), **environment: str) -> Tmux:
        clean = {key: value for key, value in bus.environment().items()
                 if key not in ("TERM", "LANG", "LC_ALL", "NO_COLOR", "COLUMNS", "LINES")}
        home = folder / f"tmux{len(parts)}"
        home.mkdir()
        parts.append(Tmux(home, clean | environment, size))
        parts[-1].start()
        return parts[-1]

    yield start
    for part in parts:
        part.sweep()


def wait_for_all(screen: Tmux, header: str) -> list[str]:
    """All lines, once the header has that. The line of the keys is drawn last."""
    return screen.wait_for(lambda lines: header in lines[0] and lines[-1].startswith("q quit"), f"{header} on the screen")


@pytest.fixture
def top(face: Face, open_tmux: Callable[..., Tmux]) -> Tmux:
    """It runs, and shows what is alive."""
    screen = open_tmux()
    screen.run(CTL, "top")
    wait_for_all(screen, "1 engine, 3 containers")
    return screen


def row(lines: list[str], name: str) -> str:
    """That of a container in the tree."""
    return next(line for line in lines if re.search(rf"─ {name} ", line))


def is_prompt(lines: list[str]) -> bool:
    return any(line == PROMPT.rstrip() for line in lines)


def test_the_screen_has_the_tree_and_the_events(face: Face, top: Tmux) -> None:
    lines = top.lines()
    assert lines[0] == "shorewatch  system bus  1 engine, 3 containers (1 paused)"
    assert lines[1].split() == ["NAME", "STATE", "PID", "UPTIME", "CPU", "%", "MEMORY"]
    assert [line.split("  ")[0].rstrip() for line in lines[2:4]] == ["docker", "├─ (no project)"]
    assert lines[4].split() == ["│", "└─", "alone", "running", "5000002", "1h0m", "-", "-"]
    assert lines[5] == "└─ shop"
    assert lines[6].split() == ["├─", "db", "paused", "5000001", "1h0m", "-", "-"]
    assert lines[7].split() == ["└─", "web", "running", "5000000", "1h0m", "-", "-"]
    assert lines[-1].startswith("q quit")
    face.do("start", id=ID, name="job", project="night", image="busybox", pid=NOBODY)
    face.do("pause", id=WEB)
    lines = top.wait_for(r"paused +web +docker/shop")
    assert row(lines, "web").split()[2] == "paused"
    assert "4 containers (2 paused)" in lines[0]
    assert any(re.search(r"started +job +docker/night +pid 5000000", line) for line in lines[lines.index("EVENTS"):])
    face.do("exit", id=ID, name="job", exit_code=3)
    lines = top.wait_for(r"exited +job +docker/night +exit code 3")
    assert "3 containers" in lines[0] and not any("─ job" in line for line in lines)
    face.do("status", state="lost", last_error="it hung up")
    top.wait_for(r"^docker +lost  it hung up")


def test_q_gives_the_terminal_back_as_it_was(face: Face, open_tmux: Callable[..., Tmux]) -> None:
    screen = open_tmux()
    screen.run("stty", "-g")
    settings = screen.wait_for(r"^[0-9a-f:]{20,}")[1]
    for end in ("q", "C-c"):
        screen.run(CTL, "top")
        screen.wait_for("3 containers")
        assert screen.ask("alternate_on") == "1"
        screen.press(end)
        lines = screen.wait_for(lambda lines: settings in lines, "what was there before")
        assert screen.ask("alternate_on") == "0" and screen.ask("cursor_flag") == "1"
        assert not any("engine" in line for line in lines)
        screen.type("clear; stty -g; echo code $?")
        screen.press("Enter")
        assert screen.wait_for("code 0")[0] == settings


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back_too(top: Tmux, number: signal.Signals) -> None:
    top.press("C-z")
    top.wait_for(is_prompt, "the shell")
    assert top.ask("alternate_on") == "0"
    top.type("fg")
    top.press("Enter")
    top.wait_for("1 engine, 3 containers")
    shell = int(top.ask("pane_pid"))
    child = int(Path(f"/proc/{shell}/task/{shell}/children").read_text())
    os.kill(child, number)
    top.wait_for(is_prompt, "the shell")
    assert top.ask("alternate_on") == "0"


def test_keys_pause_and_stop(face: Face, top: Tmux) -> None:
    top.press("End")
    top.type("p")
    face.wait_for_event(f"control docker {WEB} pause")
    top.wait_for("^paused web$")
    face.do("pause", id=WEB)
    top.wait_for(r"paused +web +docker/shop")
    top.type("p")
    face.wait_for_event(f"control docker {WEB} unpause")
    top.type("s")
    top.wait_for("^stop web\\? y/n$")
    top.type("n")
    top.wait_for("^q quit")
    top.type("sy")
    face.wait_for_event(f"control docker {WEB} stop 10")
    top.wait_for("^stopped web$")
    assert sum("stop" in event for event in face.events()) == 1
    top.press("Up", "Up")
    top.type("p")
    top.wait_for("select a container first")


def test_what_the_engine_refuses_is_said(face: Face, top: Tmux) -> None:
    face.do("fail_control", kind="conflict", why="it is on\nfire")
    top.press("End")
    top.type("p")
    top.wait_for(r"^cannot pause 'web': .*it is on")
    top.type("k")
    top.wait_for("^q quit")


def test_who_may_not_is_told_so(folder: Path, make_face: Callable[..., Face], open_tmux: Callable[..., Tmux]) -> None:
    folder.chmod(0o755)
    with running(Bus(folder / "closed", group=True)) as bus:
        part = make_face(bus=bus)
        fill(part)
        program = shutil.copy(CTL, folder)  # The build may be in a folder that only root may enter.
        screen = open_tmux(size=(160, 24), **bus.environment())
        screen.run("setpriv", "--reuid=65534", "--regid=65534", f"--groups={GROUP_ID}", program, "top")
        screen.wait_for("1 engine, 3 containers")
        screen.press("End")
        screen.type("p")
        screen.wait_for(r"^cannot pause 'web': access denied")
        assert not part.events()
        part.close()


def test_filter_follow_and_help(face: Face, top: Tmux) -> None:
    top.type("/WE")
    lines = top.wait_for("^filter: WE")
    assert any("─ web " in line for line in lines) and not any("─ db " in line for line in lines)
    top.press("Enter")
    top.wait_for("3 containers .*filter: WE")
    top.press("Escape")
    top.wait_for("─ db ")
    face.do("unpause", id="b" * 64)
    top.wait_for("unpaused +db")
    top.press("End", "Enter")
    top.wait_for(lambda lines: any(line.startswith("EVENTS of web") for line in lines) and f"id {WEB}" in lines and
                 not any("unpaused" in line for line in lines), "what there is to know of web alone")
    face.do("pause", id=WEB)
    top.wait_for(r"paused +web +docker/shop")
    top.type("f")
    top.wait_for("unpaused +db")
    top.type("?")
    top.wait_for("Any key goes back")
    top.type("x")
    top.wait_for("^EVENTS$")


def test_the_screen_goes_by_the_size_of_the_terminal(top: Tmux) -> None:
    top.resize(44, 10)
    top.wait_for(lambda lines: len(lines) == 10 and lines[1].startswith("NAME") and lines[1].endswith("UPTIME") and
                 lines[-1].startswith("q quit") and not any("EVENTS" in line for line in lines), "a small screen")
    top.resize(120, 40)
    top.wait_for(lambda lines: len(lines) == 40 and lines[1].endswith("MEMORY") and len(lines[1]) == 120 and
                 lines[-1].startswith("q quit"), "a large screen")
    top.resize(8, 2)
    top.resize(80, 24)
    top.wait_for(lambda lines: len(lines) == 24 and len(lines[1]) == 80 and lines[-1].startswith("q quit"), "80 by 24")


def test_colours_are_where_they_are_wanted(face: Face, open_tmux: Callable[..., Tmux]) -> None:
    for variable, arguments, coloured in (("A=b", [], True), ("NO_COLOR=1", [], False), ("A=b", ["--color=never"], False),
                                          ("TERM=vt100", [], False)):
        screen = open_tmux()
        screen.run("env", variable, CTL, *arguments, "top")
        wait_for_all(screen, "3 containers")
        assert bool(COLOUR.search("".join(screen.lines(escapes=True)))) == coloured, (variable, arguments)
        screen.press("Down", "Down")
        screen.type("s")
        screen.wait_for("^stop alone")


def test_in_the_c_locale_it_is_ascii(face: Face, open_tmux: Callable[..., Tmux]) -> None:
    face.do("start", id=ID, name="漢字", project="shop", pid=NOBODY)
    screen = open_tmux(LC_ALL="C")
    screen.run(CTL, "top")
    lines = wait_for_all(screen, "4 containers")
    assert "".join(lines).isascii()
    assert any(re.match(r"`- shop", line) for line in lines) and any(re.match(r"   \|- \w+ ", line) for line in lines)
    assert any(r"\u{6f22}\u{5b57}" in line for line in lines)


def test_hostile_names_change_nothing_but_their_line(face: Face, open_tmux: Callable[..., Tmux]) -> None:
    face.do("start", id=ID, name="evil\x1b[2J\x07\u202e\n漢字" + "字" * 50, project="z\x1b]0;x\x07", image="busybox",
            pid=NOBODY)
    screen = open_tmux()
    screen.run(CTL, "top")
    lines = wait_for_all(screen, "4 containers")
    assert len(lines) == 24 and lines[1].startswith("NAME") and lines[-1].startswith("q quit")
    assert any(re.search(r"─ evil\\x1b\[2J\\x07.*… +running", line) for line in lines)
    # Wide characters are measured: the column of the states is straight. tmux shows each as one character of a line.
    widths = {sum(2 if ord(c) > 0x2E80 else 1 for c in line[:re.search(" (running|paused) ", line).start()])
              for line in lines if re.search("─ .* (running|paused) ", line)}
    assert len(widths) == 1


@pytest.mark.parametrize("terminal, says", [("dumb", "TERM=dumb can't put the cursor"), ("no-such-terminal", "not known"),
                                            ("", "no TERM")])
def test_a_terminal_that_is_no_screen_is_refused(face: Face, open_tmux: Callable[..., Tmux], terminal: str,
                                                 says: str) -> None:
    screen = open_tmux(size=(200, 24))
    screen.type(f"TERM={terminal} {CTL} top; echo code $?")
    screen.press("Enter")
    lines = screen.wait_for("^code 1")
    assert any(line.startswith("shorewatchctl: cannot show a screen: ") and says in line and "watch --since-sync" in line
               for line in lines)


def test_without_a_terminal_or_a_bus_it_ends_at_once(bus: Bus, face: Face, open_tmux: Callable[..., Tmux]) -> None:
    done = run(bus, CTL, "top")
    assert (done.returncode, done.stdout) == (1, "") and "not both a terminal" in done.stderr
    screen = open_tmux(size=(200, 24), DBUS_SYSTEM_BUS_ADDRESS="unix:path=/none")
    screen.type(f"{CTL} top; echo code $?")
    screen.press("Enter")
    assert any("cannot reach the system bus" in line for line in screen.wait_for("^code 5"))


def test_a_daemon_that_goes_and_comes_back_is_said(bus: Bus, make_face: Callable[..., Face],
                                                   open_tmux: Callable[..., Tmux]) -> None:
    screen = open_tmux()
    screen.run(CTL, "top")
    screen.wait_for("waiting for the daemon")
    first = make_face()
    fill(first)
    screen.wait_for("1 engine, 3 containers")
    first.close()
    lines = screen.wait_for("daemon +down")
    assert "the daemon went" in lines[0]
    assert any("─ web " in line for line in lines)
    screen.press("End")
    screen.type("p")
    screen.wait_for("^cannot pause 'web': the daemon is not there")
    second = make_face()
    second.watch("docker")
    second.do("start", id=ID, name="new", project="shop", pid=NOBODY)
    second.do("publish")
    screen.wait_for(lambda lines: lines[0].endswith("1 engine, 1 container") and
                    any("─ new " in line for line in lines) and not any("─ web " in line for line in lines), "new alone")


def test_a_bus_that_goes_and_comes_back_is_said(bus: Bus, make_face: Callable[..., Face],
                                                open_tmux: Callable[..., Tmux]) -> None:
    first = make_face(ends_with=0)
    fill(first)
    screen = open_tmux()
    screen.run(CTL, "top")
    screen.wait_for("1 engine, 3 containers")
    bus.stop()
    lines = screen.wait_for("the bus is gone, trying again")
    assert any("─ web " in line for line in lines)
    screen.press("End")
    screen.type("p")
    screen.wait_for("the bus is gone: nothing can be asked")
    bus.start()
    second = make_face()
    fill(second)
    screen.wait_for("1 engine, 3 containers")
    screen.type("q")
    screen.wait_for(is_prompt, "the shell")


def test_engines_come_and_go(face: Face, top: Tmux) -> None:
    face.watch("podman")
    top.wait_for("^podman +watching")
    face.do("status", engine="podman", state="unavailable", last_error="it is not there")
    top.wait_for("^podman +unavailable")
    face.do("remove_engine", name="podman")
    top.wait_for(lambda lines: "1 engine, " in lines[0] and not any(line.startswith("podman ") for line in lines),
                 "podman to go")
    face.do("remove_engine", name="docker")
    top.wait_for("0 engines, 0 containers")


def test_a_flood_of_changes_ends_as_it_is(face: Face, top: Tmux) -> None:
    face.do("flood", id=WEB, count=3000)
    face.wait_for_event("flooded", seconds=60)
    face.do("exit", id=WEB, name="web")
    lines = top.wait_for(r"exited +web")
    assert "2 containers" in lines[0]


def test_many_containers_are_a_tree_that_can_be_walked(face: Face, top: Tmux) -> None:
    face.do("start_many", count=5000, labels=1)
    top.wait_for("1 engine, 5003 containers", seconds=60)
    top.press("End")
    top.wait_for("─ web +running")
    top.type("/container-4999")
    top.wait_for(lambda lines: [line.split()[1] for line in lines if "─ container-" in line] == ["container-4999"],
                 "that one alone")


def test_another_host_has_no_usage_and_its_connection_is_not_made_again(
        bus: Bus, face: Face, folder: Path, open_tmux: Callable[..., Tmux]) -> None:
    """With an ssh that only runs the bridge here."""
    ssh = folder / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(f'#!/bin/sh\nexec systemd-stdio-bridge -p {bus.address}\n')
    ssh.chmod(0o755)
    face.do("start", id=ID, name="here", pid=os.getpid())
    screen = open_tmux(size=(160, 24), PATH=f"{ssh.parent}:{os.environ['PATH']}", DBUS_SYSTEM_BUS_ADDRESS="unix:path=/none")
    screen.type(f"{CTL} -H me@there top; echo code $?")
    screen.press("Enter")
    lines = wait_for_all(screen, "me@there  1 engine, 4 containers")
    assert row(lines, "here").split()[-2:] == ["-", "-"]
    bus.stop()
    lines = screen.wait_for("^code 5")
    assert any(line.startswith("shorewatchctl: cannot watch the containers: ") for line in lines)
    assert screen.ask("alternate_on") == "0"
