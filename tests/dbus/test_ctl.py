"""shorewatchctl: what it says of the daemon's face on the bus, and what it ends with."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import shutil
import subprocess
import termios
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

import dbus
import dbus.bus
import dbus.lowlevel
import pytest
from face import ID, Face
from lab.bus import Bus
from lab.clients import ctl
from lab.paths import CTL
from lab.process import Process
from lab.waiting import Deadline, connect

HOSTILE = "evil\x1b[2J\x07\u009b\u202e\n漢字\" \\"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
STARTED = 1_700_000_000_000_000


@pytest.fixture
def face(make_face: Callable[..., Face]) -> Face:
    """With an engine "docker" and no containers."""
    part = make_face()
    part.watch("docker", version="20.10", since=STARTED)
    part.do("publish")
    return part


class Watch:
    """`shorewatchctl watch --json`, and what it has written so far."""

    def __init__(self, bus: Bus, log: Path, *arguments: str, environment: Optional[dict[str, str]] = None):
        self.process = Process([CTL, "watch", "--json", *arguments], log,
                               bus.environment() | dict(environment or {}))

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.process.output().splitlines() if line.startswith("{")]

    def texts(self) -> list[str]:
        """"started web" for each."""
        return [" ".join([event["event"], event.get("name", "")]).strip() for event in self.events()]

    def wait_for(self, event: str, count: int = 1) -> None:
        self.process.wait_for_output(r'(?s)("event":"%s".*\n.*){%d}' % (event, count), 20)

    def end(self) -> None:
        assert self.process.stop() == 0, self.process.output()


@pytest.fixture
def watch(bus: Bus, folder: Path) -> Iterator[Any]:
    parts: list[Watch] = []

    def start(*arguments: str) -> Watch:
        parts.append(Watch(bus, folder / f"watch{len(parts)}.log", *arguments))
        return parts[-1]

    yield start
    for part in parts:
        part.process.stop()


def start_three(face: Face) -> None:
    face.do("start", id="a" * 64, name="web", project="shop", image="nginx:1", pid=11, started=STARTED,
            labels={"tier": "front", "site": "here"})
    face.do("start", id="b" * 64, name="db", project="shop", image="postgres", pid=12, started=STARTED, paused=True,
            labels={"tier": "back"})
    face.do("start", id="c" * 64, name="alone", image="busybox", pid=13, started=STARTED)


def lines(bus: Bus, *arguments: str, **options: Any) -> list[str]:
    done = ctl(bus, *arguments, **options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def names(bus: Bus, *arguments: str) -> list[str]:
    return [container["Name"] for container in json.loads("".join(lines(bus, "list", "--json", *arguments)))]


def fails(bus: Bus, code: int, *arguments: str, **options: Any) -> str:
    """The one line that says why."""
    done = ctl(bus, *arguments, **options)
    assert (done.returncode, done.stdout) == (code, ""), done
    assert done.stderr.startswith("shorewatchctl: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_list_shows_the_alive_containers_sorted(bus: Bus, face: Face) -> None:
    assert [line.split() for line in lines(bus, "list")] == [
        ["NAME", "ENGINE", "PROJECT", "IMAGE", "PID", "STATE", "AGE", "ID"]]
    start_three(face)
    rows = [line.split() for line in lines(bus, "list")]
    assert [row[:6] + row[7:] for row in rows[1:]] == [
        ["alone", "docker", "-", "busybox", "13", "running", "c" * 12],
        ["db", "docker", "shop", "postgres", "12", "paused", "b" * 12],
        ["web", "docker", "shop", "nginx:1", "11", "running", "a" * 12]]
    assert "a" * 64 in lines(bus, "list", "--no-trunc")[3]


def test_list_takes_filters(bus: Bus, face: Face) -> None:
    start_three(face)
    assert names(bus) == ["alone", "db", "web"]
    assert names(bus, "--project", "shop") == ["db", "web"]
    assert names(bus, "--project", "") == ["alone"]
    assert names(bus, "--paused") == ["db"]
    assert names(bus, "--running") == ["alone", "web"]
    assert names(bus, "--name", "web") == ["web"]
    assert names(bus, "--engine", "other") == []
    assert names(bus, "--label", "tier") == ["db", "web"]
    assert names(bus, "--label", "tier=front", "--label", "site") == ["web"]
    assert names(bus, "--label", "tier=back", "--label", "site") == []


def test_json_has_all_properties_as_the_bus_has_them(bus: Bus, face: Face) -> None:
    start_three(face)
    web = json.loads("".join(lines(bus, "show", "--json", "web")))
    assert web == json.loads("".join(lines(bus, "list", "--json", "--name", "web")))[0]
    assert web["Path"] == f"/org/shorewatch1/engines/docker/containers/{'a' * 64}"
    assert (web["Labels"], web["PID"], web["StartedAt"], web["Paused"]) == (
        {"tier": "front", "site": "here"}, 11, STARTED, False)
    engine = json.loads("".join(lines(bus, "engines", "--json")))[0]
    assert (engine["Name"], engine["State"], engine["ContainerTotal"]) == ("docker", "watching", 3)


def test_engines_and_tree_show_what_is_watched(bus: Bus, face: Face) -> None:
    start_three(face)
    face.do("add_engine", name="other")
    face.do("status", engine="other", state="unavailable", last_error="there is no socket")
    engines = lines(bus, "engines")
    assert engines[1].split()[:5] == ["docker", "docker.com", "watching", "3", "20.10"]
    assert engines[2].endswith("there is no socket")
    assert lines(bus, "tree", environment={"LC_ALL": "C.UTF-8"}) == [
        "docker  watching  20.10",
        "├─ (no project)",
        "│  └─ alone  running  pid 13",
        "└─ shop",
        "   ├─ db  paused  pid 12",
        "   └─ web  running  pid 11",
        "other  unavailable  there is no socket"]
    assert all(line.isascii() for line in lines(bus, "tree", environment={"LC_ALL": "C"}))


def test_show_finds_by_name_and_by_id(bus: Bus, face: Face) -> None:
    start_three(face)
    for wanted in ("web", "a" * 64, "aaaa"):
        shown = lines(bus, "show", wanted)
        assert "Name:        web" in shown and "PID:         11" in shown and f"Id:          {'a' * 64}" in shown
    assert "'nope'" in fails(bus, 3, "show", "nope")
    face.do("start", id="d" * 64, name="web", project="other", pid=14)
    ambiguous = fails(bus, 4, "show", "web")
    assert "shop" in ambiguous and "other" in ambiguous


def test_reload_and_resync_reach_the_daemon(bus: Bus, face: Face) -> None:
    assert lines(bus, "reload") == []
    face.wait_for_event("reload")
    assert lines(bus, "resync", "docker") == []
    face.wait_for_event("resync docker")
    assert "there are: docker" in fails(bus, 3, "resync", "nope")
    face.do("fail_reload", why="/etc/shorewatch/shorewatch.toml:3:1: not a value")
    assert "shorewatch.toml:3:1: not a value" in fails(bus, 1, "reload")


@pytest.mark.parametrize("arguments", [[], ["nope"], ["list", "--nope"], ["show"], ["list", "--paused", "--running"],
                                       ["list", "--color", "blue"], ["list", "--user", "-H", "there"]])
def test_a_wrong_command_line_ends_with_2(bus: Bus, arguments: list[str]) -> None:
    assert "--help" in fails(bus, 2, *arguments)


@pytest.mark.parametrize("arguments", [["list"], ["tree"], ["engines"], ["show", "x"], ["reload"], ["resync", "x"]])
def test_without_a_daemon_or_a_bus_it_ends_with_5(bus: Bus, folder: Path, arguments: list[str]) -> None:
    assert "systemctl start shorewatchd" in fails(bus, 5, *arguments)
    nowhere = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder}/none", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/none"}
    assert "cannot reach the system bus" in fails(bus, 5, *arguments, environment=nowhere)
    assert "cannot reach the session bus" in fails(bus, 5, "--user", *arguments, environment=nowhere)


@pytest.mark.parametrize("arguments", [["list"], ["watch"], ["watch", "--since-sync"], ["reload"]])
def test_who_may_not_is_told_what_to_do(bus: Bus, face: Face, folder: Path, arguments: list[str]) -> None:
    folder.chmod(0o755)
    program = shutil.copy(CTL, folder)  # The build may be in a folder that only root may enter.
    done = subprocess.run([program, *arguments], env=bus.environment(), text=True, capture_output=True, timeout=30,
                          user="nobody", group="nogroup", extra_groups=[])
    assert (done.returncode, done.stdout) == (6, "")
    assert "access denied" in done.stderr and "root" in done.stderr


def test_what_containers_are_called_never_reaches_a_terminal_as_it_is(bus: Bus, face: Face, watch: Any) -> None:
    face.do("start", id=ID, name=HOSTILE, project=HOSTILE, image=HOSTILE, pid=1, started=STARTED,
            labels={HOSTILE: HOSTILE})
    face.do("status", state="lost", last_error=HOSTILE)
    for arguments in (["list"], ["list", "--json"], ["tree"], ["engines"], ["show", ID], ["show", ID, "--json"]):
        done = ctl(bus, *arguments)
        assert done.returncode == 0 and not CONTROL.search(done.stdout), arguments
    assert not CONTROL.search(fails(bus, 3, "show", HOSTILE + "?").rstrip("\n"))
    assert names(bus) == [HOSTILE]
    running = watch("--since-sync")
    running.wait_for("synchronized")
    assert running.events()[0]["name"] == HOSTILE
    assert not CONTROL.search(running.process.output())


def in_terminal(bus: Bus, columns: int, arguments: list[str], **environment: str) -> str:
    """What a command writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    inherited = {key: value for key, value in bus.environment().items() if key not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen([CTL, *arguments], env=inherited | {"TERM": "xterm", "LC_ALL": "C.UTF-8"} | environment,
                               stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 65536):
            text += piece
    except OSError:  # EIO: everybody has closed it
        pass
    os.close(ours)
    assert process.wait(20) == 0
    return text.decode().replace("\r\n", "\n")


def test_on_a_terminal_tables_fit_and_are_coloured(bus: Bus, face: Face) -> None:
    start_three(face)
    face.do("start", id=ID, name="x" * 100, project="y" * 50, image="z" * 200, pid=1, started=STARTED)
    for columns in (20, 60, 200):
        text = in_terminal(bus, columns, ["list"], NO_COLOR="1")
        assert "\x1b" not in text and "…" in text
        assert max(map(len, text.splitlines())) <= columns
    assert max(map(len, in_terminal(bus, 200, ["list"], NO_COLOR="1", COLUMNS="50").splitlines())) <= 50
    assert "\x1b[" in in_terminal(bus, 80, ["list"])
    assert "\x1b[" not in in_terminal(bus, 80, ["list", "--color", "never"])
    assert "\x1b[" in "".join(lines(bus, "list", "--color=always"))
    assert "z" * 200 in "".join(lines(bus, "list", environment={"COLUMNS": "50"}))


def test_watch_tells_what_happens_with_all_that_the_signals_say(face: Face, watch: Any) -> None:
    start_three(face)
    running = watch("--since-sync")
    running.wait_for("synchronized")
    face.do("start", id=ID, name="job", image="busybox", pid=20, time=STARTED, started=STARTED)
    face.do("pause", id=ID)
    face.do("unpause", id=ID)
    face.do("rename", id=ID, to="work")
    face.do("exit", id=ID, name="work", time=STARTED + 1500, exit_code=137, oom_killed=True, cause="kernel")
    face.do("status", state="lost", last_error="it hung up")
    running.wait_for("engine-state")
    assert running.texts() == ["present alone", "present db", "present web", "synchronized", "started job",
                               "paused job", "unpaused job", "renamed work", "exited work", "engine-state"]
    events = running.events()
    listed = events[3]["sequence"]
    assert [event["sequence"] for event in events[4:]] == list(range(listed + 1, listed + 7))
    started, exited, engine = events[4], events[8], events[9]
    assert (started["engine"], started["project"], started["id"]) == ("docker", "", ID)
    assert started["details"]["PID"] == 20 and started["details"]["Image"] == "busybox"
    assert events[7]["details"]["OldName"] == "job"
    assert exited["details"] == exited["details"] | {"ExitCode": 137, "OOMKilled": True, "Cause": "kernel"}
    assert exited["ran"] == 1500
    assert (engine["state"], engine["details"]["LastError"]) == ("lost", "it hung up")
    running.end()


def test_watch_shows_only_what_was_asked_for(face: Face, watch: Any) -> None:
    start_three(face)
    running = watch("--since-sync", "--project", "shop")
    running.wait_for("synchronized")
    face.do("pause", id="c" * 64)
    face.do("pause", id="a" * 64)
    running.wait_for("paused")
    assert running.texts() == ["present db", "present web", "synchronized", "paused web"]


def test_watch_since_sync_has_no_gap_and_no_repeat_while_much_happens(face: Face, watch: Any) -> None:
    face.do("start", id=ID, name="busy", pid=1)
    face.do("flood", id=ID, count=4000)
    watchers = [watch("--since-sync") for _ in range(5)]
    face.wait_for_event("flooded", seconds=60)
    face.do("exit", id=ID, name="busy")
    for running in watchers:
        running.wait_for("exited")
        events = running.events()
        assert [event["event"] for event in events[:2]] == ["present", "synchronized"]
        listed = events[1]["sequence"]
        assert [event["sequence"] for event in events[2:]] == list(range(listed + 1, listed + len(events) - 1))
        # From the state that was listed on, each change is one.
        paused = events[0]["details"]["Paused"]
        for event in events[2:-1]:
            assert event["event"] == ("unpaused" if paused else "paused")
            paused = not paused
        running.end()


def test_watch_waits_for_the_daemon_and_says_when_it_goes_and_comes_back(bus: Bus, watch: Any) -> None:
    synced, plain = watch("--since-sync"), watch()
    for running in (synced, plain):
        running.wait_for("daemon-awaited")
    assert "systemctl start shorewatchd" in synced.events()[0]["reason"]
    for number in (1, 2):
        part = Face(bus)
        part.do("add_engine", name="docker")
        part.do("start", id=ID, name="web", pid=1)
        part.do("publish")
        for running in (synced, plain):
            running.wait_for("daemon-up", number)
        part.do("pause", id=ID)
        for running in (synced, plain):
            running.wait_for("paused", number)
        part.close()
        for running in (synced, plain):
            running.wait_for("daemon-down", number)
    once = ["daemon-up", "paused web", "daemon-down"]
    assert plain.texts() == ["daemon-awaited", *once, *once]
    again = ["daemon-up", "present web", "synchronized", "paused web", "daemon-down"]
    # The pause may be in the list already, which then shows it.
    assert [text for text in synced.texts() if text != "paused web"] == [
        "daemon-awaited", *[text for text in again * 2 if text != "paused web"]]


def test_watch_has_the_daemon_started_once_and_never_again(folder: Path) -> None:
    """A bus that can start services; what it starts for the name only writes a line."""
    (folder / "start").write_text(f"#!/bin/sh\necho started >> {folder}/starts\nexit 1\n")
    (folder / "start").chmod(0o755)
    (folder / "org.shorewatch1.service").write_text(
        f"[D-BUS Service]\nName=org.shorewatch1\nExec={folder}/start\n")
    (folder / "bus.conf").write_text(
        f"<busconfig><type>session</type><listen>unix:path={folder}/session.sock</listen>"
        f"<servicedir>{folder}</servicedir><policy context='default'><allow send_destination='*'/>"
        "<allow receive_sender='*'/><allow own='*'/></policy></busconfig>")
    address = f"unix:path={folder}/session.sock"
    environment = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": address}
    session = Process(["/usr/bin/dbus-daemon", "--nofork", "--nopidfile", f"--config-file={folder}/bus.conf"],
                      folder / "bus.log")
    try:
        connect(folder / "session.sock", Deadline(10, "the session bus")).close()
        running = Process([CTL, "--user", "watch", "--json"], folder / "watch.log", environment)
        running.wait_for_output("daemon-awaited.*could not be started", 20)
        owner = dbus.bus.BusConnection(address)
        owner.request_name("org.shorewatch1")
        running.wait_for_output("daemon-up", 20)
        owner.close()
        running.wait_for_output("daemon-down", 20)
        running.stop()
        assert (folder / "starts").read_text() == "started\n"
    finally:
        session.stop()


def test_watch_believes_nobody_but_the_daemon(bus: Bus, face: Face, watch: Any) -> None:
    running = watch("--since-sync")
    running.wait_for("synchronized")
    stranger = dbus.bus.BusConnection(bus.address)
    driver = stranger.get_object("org.freedesktop.DBus", "/org/freedesktop/DBus", introspect=False)
    unique = next(str(name) for name in driver.ListNames() if name.startswith(":") and
                  driver.GetConnectionUnixProcessID(name) == running.process.pid)

    def forge(path: str, interface: str, member: str, signature: str, *arguments: Any) -> None:
        message = dbus.lowlevel.SignalMessage(path, interface, member)
        message.set_destination(unique)
        message.append(*arguments, signature=signature)
        stranger.send_message(message)

    forge("/org/shorewatch1", "org.shorewatch1.Manager", "ContainerStarted", "ssssota{sv}",
          "docker", "", "forged", ID, "/x", 1000, {})
    forge("/org/shorewatch1", "org.shorewatch1.Manager", "ContainerStarted", "u", 7)
    forge("/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss",
          "org.shorewatch1", "", stranger.get_unique_name())
    stranger.flush()
    driver.GetId()  # Answered after the bus has passed on what came before.
    face.do("start", id=ID, name="real", pid=1)
    running.wait_for("started")
    assert running.texts() == ["synchronized", "started real"]
    running.end()
    stranger.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watch_ends_well_when_it_is_interrupted(face: Face, watch: Any, number: signal.Signals) -> None:
    running = watch("--since-sync")
    running.wait_for("synchronized")
    running.process.signal(number)
    assert running.process.wait(10) == 0
    assert running.texts() == ["synchronized"]


def start_piped(bus: Bus, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([CTL, "watch", "--json", *arguments], env=bus.environment(), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def test_watch_ends_quietly_when_nobody_reads_it_any_more(bus: Bus, face: Face) -> None:
    running = start_piped(bus, "--since-sync")
    assert running.stdout is not None and running.stderr is not None
    assert b"synchronized" in running.stdout.readline()
    running.stdout.close()  # and nothing happens after it
    assert running.wait(10) == 0
    assert running.stderr.read() == b""
    running.stderr.close()


def test_a_reader_that_stands_still_holds_up_nobody_and_misses_nothing(bus: Bus, face: Face) -> None:
    face.do("start", id=ID, name="busy", pid=1)
    running = start_piped(bus, "--since-sync")
    assert running.stdout is not None and running.stderr is not None
    assert b"present" in running.stdout.readline()
    face.do("flood", id=ID, count=5000)  # far more than a pipe holds
    face.wait_for_event("flooded", seconds=60)
    face.do("exit", id=ID, name="busy")
    listed = json.loads(running.stdout.readline())["sequence"]
    got = [json.loads(running.stdout.readline()) for _ in range(10_001)]
    assert [event["sequence"] for event in got] == list(range(listed + 1, listed + 10_002))
    assert got[-1]["event"] == "exited"
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 0
    running.stdout.close()
    running.stderr.close()


def test_watch_for_people_has_one_line_an_event(bus: Bus, face: Face, folder: Path) -> None:
    running = Process([CTL, "watch", "--since-sync"], folder / "text.log", bus.environment())
    running.wait_for_output("listed +0 containers", 20)
    face.do("start", id=ID, name="web", project="shop", image="nginx", pid=20, time=STARTED)
    face.do("exit", id=ID, name="web", project="shop", time=STARTED + 2_500_000, exit_code=143)
    running.wait_for_output(r"started +web +docker/shop +pid 20, nginx\n", 20)
    running.wait_for_output(r"exited +web +docker/shop +exit code 143 \(SIGTERM\), ran 2\.500s\n", 20)
    assert running.stop() == 0


def test_another_host_is_reached_by_ssh_and_its_stdio_bridge(bus: Bus, face: Face, folder: Path) -> None:
    """With an ssh that only runs the bridge here, and keeps how it was called."""
    start_three(face)
    ssh = folder / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(f'#!/bin/sh\necho "$@" > {folder}/called\nexec systemd-stdio-bridge -p {bus.address}\n')
    ssh.chmod(0o755)
    path = {"PATH": f"{ssh.parent}:{os.environ['PATH']}", "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/none"}
    assert len(lines(bus, "-H", "me@there", "list", environment=path)) == 4
    called = (folder / "called").read_text()
    assert "me" in called and "there" in called and "systemd-stdio-bridge" in called
    ssh.write_text("#!/bin/sh\nexit 255\n")
    assert "ssh me@there systemd-stdio-bridge" in fails(bus, 5, "--host=me@there", "list", environment=path)


def test_help_and_version_go_to_the_standard_output(bus: Bus) -> None:
    assert re.fullmatch(r"shorewatchctl \d+\.\d+\.\d+", lines(bus, "--version")[0])
    assert "Exit codes:" in lines(bus, "--help")
    for command in ("list", "tree", "show", "watch", "top", "engines", "which", "ns", "inspect", "addresses", "pause",
                    "unpause", "stop", "kill", "reload", "resync"):
        assert any(line.startswith("  shorewatchctl ") for line in lines(bus, command, "--help")), command
