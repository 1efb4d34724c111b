"""shorewatchctl monitor --exec: a program for each event."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from face import ID, Face
from lab.bus import Bus
from lab.clients import ctl
from lab.paths import CTL
from lab.process import Process
from lab.waiting import Deadline, FileWatch

HOSTILE = "$(touch /tmp/gotcha); `id` \"' \\ * \x1b[2J\n漢字"
STARTED = 1_700_000_000_000_000
# Writes its variables and its input as a line of JSON.
KEEP = """import json, os, sys
with open(sys.argv[1], "a") as out:
    mine = {key[11:]: value for key, value in os.environ.items() if key.startswith("SHOREWATCH_")}
    out.write(json.dumps({"variables": mine, "input": json.load(sys.stdin), "arguments": sys.argv[2:]}) + "\\n")
"""


class Monitors:
    def __init__(self, bus: Bus, folder: Path):
        self._bus = bus
        self.folder = folder
        self.kept = folder / "kept"
        self.kept.touch()
        self._parts: list[Process] = []
        (folder / "keep.py").write_text(KEEP)

    def start(self, *arguments: str, **variables: str) -> Process:
        log = self.folder / f"monitor{len(self._parts)}.log"
        self._parts.append(Process([CTL, "monitor", *arguments], log, self._bus.environment() | variables))
        return self._parts[-1]

    def start_keeping(self, *arguments: str, further: tuple[str, ...] = (), **variables: str) -> Process:
        """What the program is given is in all(). Returns when it is subscribed, and has run for the end of a list."""
        process = self.start("--since-sync", "--exec", *arguments, "--", "python3", str(self.folder / "keep.py"),
                             str(self.kept), *further, **variables)
        self.wait_for(process, lambda all_: bool(all_) and all_[-1]["variables"]["EVENT"] == "synchronized")
        return process

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.kept.read_text().splitlines()]

    def wait_for(self, process: Process, wanted: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        deadline = Deadline(20, "what is kept of events")
        with FileWatch(self.kept) as watch:
            while not wanted(self.all()):
                assert process.running(), process.output()
                watch.wait(min(deadline.left(), 0.5))
        return self.all()

    def stop(self) -> None:
        for part in self._parts:
            part.stop()


@pytest.fixture
def monitors(bus: Bus, folder: Path) -> Iterator[Monitors]:
    part = Monitors(bus, folder)
    yield part
    part.stop()


def events(kept: list[dict[str, Any]]) -> list[str]:
    return [one["variables"]["EVENT"] for one in kept]


def test_each_event_is_a_run_of_the_program_in_order(face: Face, monitors: Monitors) -> None:
    process = monitors.start_keeping()
    face.do("start", id=ID, name="web", project="shop", image="nginx:1", pid=20, time=STARTED, started=STARTED)
    face.do("pause", id=ID)
    face.do("unpause", id=ID)
    face.do("rename", id=ID, to="front")
    face.do("exit", id=ID, name="front", time=STARTED + 1500, exit_code=137, oom_killed=True, cause="kernel")
    face.do("status", state="lost", last_error="it hung up")
    kept = monitors.wait_for(process, lambda all_: len(all_) == 7)
    assert events(kept) == ["synchronized", "started", "paused", "unpaused", "renamed", "exited", "engine-state"]
    path = f"/org/shorewatch1/engines/docker/containers/_30{ID[1:]}"  # no name begins with a digit there
    started, renamed, exited, engine = (kept[i]["variables"] for i in (1, 4, 5, 6))
    same = {"ENGINE": "docker", "PROJECT": "shop", "CONTAINER_ID": ID, "PATH": path}
    assert started == same | {"EVENT": "started", "CONTAINER_NAME": "web", "PID": "20", "IMAGE": "nginx:1",
                              "CAUSE": "event", "TIMESTAMP": str(STARTED), "SEQUENCE": started["SEQUENCE"]}
    assert (renamed["CONTAINER_NAME"], renamed["OLD_NAME"]) == ("front", "web")
    assert exited == same | {"EVENT": "exited", "CONTAINER_NAME": "front", "EXIT_CODE": "137", "OOM_KILLED": "1",
                             "CAUSE": "kernel", "TIMESTAMP": str(STARTED + 1500), "RAN": "1500",
                             "SEQUENCE": exited["SEQUENCE"]}
    assert (engine["ENGINE"], engine["STATE"], engine["LAST_ERROR"]) == ("docker", "lost", "it hung up")
    assert kept[5]["input"]["details"]["ExitCode"] == 137 and kept[5]["input"]["name"] == "front"
    process.signal(signal.SIGTERM)
    assert process.wait(10) == 0 and process.output() == ""


def test_nothing_that_a_container_is_called_is_ever_run(face: Face, monitors: Monitors) -> None:
    """Neither by us nor, as it is a variable, by a shell."""
    mark = monitors.folder / "gotcha"
    name = HOSTILE.replace("/tmp/gotcha", str(mark))
    process = monitors.start_keeping(further=("$SHOREWATCH_CONTAINER_NAME", "a b", ""))
    face.do("start", id=ID, name=name, project=name, image=name, pid=20, labels={name: name})
    kept = monitors.wait_for(process, lambda all_: len(all_) == 2)
    assert kept[1]["variables"] | {"CONTAINER_NAME": name, "PROJECT": name, "IMAGE": name} == kept[1]["variables"]
    assert kept[1]["arguments"] == ["$SHOREWATCH_CONTAINER_NAME", "a b", ""]
    shell = monitors.start("--since-sync", "--event", "present", "--exec", "--", "sh", "-c",
                           f'echo "$SHOREWATCH_CONTAINER_NAME" > {monitors.folder}/name; echo done')
    shell.wait_for_output("done\n", 20)
    assert (monitors.folder / "name").read_text() == name + "\n"
    assert not mark.exists()


def test_what_is_not_known_of_an_event_has_no_variable(face: Face, monitors: Monitors) -> None:
    process = monitors.start_keeping(SHOREWATCH_EXIT_CODE="0", SHOREWATCH_PID="1", SHOREWATCHES="stays")
    face.do("start", id=ID, name="web")
    face.do("exit", id=ID, name="web")
    kept = monitors.wait_for(process, lambda all_: len(all_) == 3)
    for one in kept:
        assert not {"EXIT_CODE", "OOM_KILLED", "PID", "TIMESTAMP"} & one["variables"].keys()
    assert "ENGINE" not in kept[0]["variables"] and kept[1]["variables"]["PROJECT"] == ""


def test_only_wanted_events_are_a_run(face: Face, monitors: Monitors) -> None:
    process = monitors.start_keeping("--event", "exited", "--event", "synchronized", "--project", "shop")
    face.do("start", id=ID, name="web", project="shop", pid=1)
    face.do("start", id="b" * 64, name="db", pid=2)
    face.do("exit", id="b" * 64, exit_code=1)
    face.do("exit", id=ID, exit_code=2)
    kept = monitors.wait_for(process, lambda all_: len(all_) == 2)
    assert kept[1]["variables"]["CONTAINER_NAME"] == "web"


def test_starts_of_one_container_are_runs_and_so_is_that_it_is_there(face: Face, monitors: Monitors) -> None:
    """As docs/recipes.md has it."""
    face.do("start", id=ID, name="web", project="shop", pid=1)
    process = monitors.start("--since-sync", "--name", "web", "--event", "started", "--event", "present", "--exec", "--",
                             "python3", str(monitors.folder / "keep.py"), str(monitors.kept))
    monitors.wait_for(process, lambda all_: len(all_) == 1)
    face.do("exit", id=ID, exit_code=1)
    face.do("start", id="b" * 64, name="db", pid=2)
    face.do("start", id="c" * 64, name="web", pid=3)
    kept = monitors.wait_for(process, lambda all_: len(all_) == 2)
    assert [one["variables"]["EVENT"] for one in kept] == ["present", "started"]
    assert kept[1]["input"]["id"] == "c" * 64


def test_one_runs_at_a_time_and_none_is_forgotten(face: Face, monitors: Monitors) -> None:
    """Each says so if another runs."""
    lock = monitors.folder / "lock"
    script = f"mkdir {lock} || echo TWO; cat >> {monitors.kept}; sleep 0.01; rmdir {lock}"
    process = monitors.start("--since-sync", "--exec", "--", "sh", "-c", script)
    monitors.wait_for(process, lambda all_: len(all_) == 1)
    face.do("start", id=ID, name="busy", pid=1)
    face.do("flood", id=ID, count=50)
    face.wait_for_event("flooded")
    face.do("exit", id=ID, name="busy")
    kept = monitors.wait_for(process, lambda all_: all_[-1]["event"] == "exited")
    assert [one["sequence"] for one in kept] == list(range(kept[0]["sequence"], kept[0]["sequence"] + 103))
    assert process.output() == ""


def test_a_program_that_fails_is_told_of_and_ends_nothing(face: Face, monitors: Monitors) -> None:
    process = monitors.start("--since-sync", "--exec", "--", "sh", "-c",
                             'case $SHOREWATCH_EVENT in started) exit 3;; paused) kill -KILL $$;; *) echo well;; esac')
    process.wait_for_output("well\n", 20)
    face.do("start", id=ID, name="web\n", pid=1)
    face.do("pause", id=ID)
    face.do("unpause", id=ID)
    process.wait_for_output(r"(?s)well\n.*well\n", 20)
    assert process.output() == ("well\nshorewatchctl: for started web\\n: 'sh' ended with 3\n"
                                "shorewatchctl: for paused web\\n: 'sh' was ended by SIGKILL\nwell\n")
    process.signal(signal.SIGINT)
    assert process.wait(10) == 0


def test_a_program_that_is_not_there_is_told_of(face: Face, monitors: Monitors) -> None:
    process = monitors.start("--since-sync", "-x", "nothing-of-that-name")
    process.wait_for_output("for synchronized: cannot run 'nothing-of-that-name': No such file or directory\n", 20)
    face.do("start", id=ID, name="web")
    process.wait_for_output("for started web: cannot run", 20)
    assert process.stop() == 0


def test_a_program_is_not_cut_off_by_the_end_unless_that_is_told_twice(face: Face, monitors: Monitors) -> None:
    fifo = monitors.folder / "fifo"
    os.mkfifo(fifo)
    command = ["--since-sync", "--exec", "--", "sh", "-c", f"echo begun; read line < {fifo}; echo ended"]
    once = monitors.start(*command)
    once.wait_for_output("begun\n", 20)
    face.do("start", id=ID, name="web")
    once.signal(signal.SIGTERM)
    fifo.write_text("go on\n")
    assert once.wait(10) == 0
    assert once.output() == "begun\nended\n"  # and not for what waited
    twice = monitors.start(*command)
    twice.wait_for_output("begun\n", 20)
    twice.signal(signal.SIGTERM)
    twice.signal(signal.SIGINT)
    assert twice.wait(10) == 0
    fifo.write_text("go on\n")


def test_the_program_has_signals_as_nobody_touched_them(face: Face, monitors: Monitors) -> None:
    process = monitors.start("--since-sync", "--exec", "--", "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status")
    process.wait_for_output("SigIgn", 20)
    masks = [int(line.split()[1], 16) & 0x7FFFFFFF for line in process.output().splitlines()]  # glibc has two above
    # Who runs the tests may have some ignored, as nohup does, and Python does not pass on what it ignores itself.
    ours = int(re.search(r"(?m)^SigIgn:\s+(\w+)", Path("/proc/self/status").read_text())[1], 16)
    assert masks == [0, ours & ~(1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1)]


def test_without_exec_it_is_watch(bus: Bus, face: Face, monitors: Monitors) -> None:
    process = monitors.start("--since-sync", "--json", "--event", "started", "--event", "synchronized")
    process.wait_for_output("synchronized", 20)
    face.do("start", id=ID, name="web", pid=1)
    face.do("pause", id=ID)
    face.do("exit", id=ID)
    face.do("start", id=ID, name="again", pid=2)
    process.wait_for_output("again", 20)
    assert [json.loads(line)["event"] for line in process.output().splitlines()] == ["synchronized", "started", "started"]


@pytest.mark.parametrize("arguments,says", [
    (["--exec"], "--exec wants a program"), (["echo"], "say --exec before it"), (["--exec", "--json", "echo"], "--json"),
    (["--exec", "--event", "nope", "echo"], "nope")])
def test_what_makes_no_sense_is_told(bus: Bus, face: Face, arguments: list[str], says: str) -> None:
    done = ctl(bus, "monitor", *arguments)
    assert (done.returncode, done.stdout) == (2, "") and says in done.stderr


def test_a_daemon_that_comes_and_goes_is_an_event_too(bus: Bus, monitors: Monitors) -> None:
    process = monitors.start("--exec", "--", "sh", "-c", 'echo "<$SHOREWATCH_EVENT>"')
    process.wait_for_output("<daemon-awaited>", 20)
    part = Face(bus)
    part.do("publish")
    process.wait_for_output("<daemon-up>", 20)
    part.close()
    process.wait_for_output("<daemon-down>", 20)
    assert process.stop() == 0
