"""Completion of shorewatchctl, in the shells that it is for, typed as somebody types."""

import fcntl
import os
import pty
import subprocess
import termios
import threading
from pathlib import Path
from typing import Callable, Iterator

import pytest
from face import Face, container_id
from lab.bus import Bus
from lab.clients import ctl
from lab.paths import CTL, SOURCE
from lab.waiting import Deadline, FileWatch

FILES = SOURCE / "dbus" / "ctl" / "completion"
# What no shell may take for anything but a name.
HOSTILE = "odd $(touch gotcha) `touch gotcha` \"a' \\ & ; | * ?#~!{x,y}<>="

# What each shell is told first. When shorewatchctl is to do anything but complete, it writes what it is given.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             "PS1='rea''dy> '; set +o history; . {files}/shorewatchctl.bash; shorewatchctl() {{ printf '%s\\0' \"$@\" > given; }}"),
    "zsh": (["zsh", "-f", "-i"],
            "PS1='rea''dy> '; fpath=({files} $fpath); autoload -Uz compinit; compinit -u -d ./dump; "
            "shorewatchctl() {{ printf '%s\\0' \"$@\" > given; }}"),
    "fish": (["fish", "--no-config", "-i"],
             "source {files}/shorewatchctl.fish; function shorewatchctl; printf '%s\\0' $argv > given; end; "
             "function fish_prompt; echo -n 'rea''dy> '; end"),
}


class Shell:
    """An interactive shell on a terminal of its own, in a folder of its own."""

    def __init__(self, name: str, bus: Bus, folder: Path):
        command, first = SHELLS[name]
        self.folder = folder / name
        (self.folder / "bin").mkdir(parents=True)
        (self.folder / "bin" / "shorewatchctl").symlink_to(CTL.resolve())
        self._master, slave = pty.openpty()
        environment = bus.environment() | {"HOME": str(self.folder), "TERM": "xterm", "LC_ALL": "C.UTF-8",
                                           "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        self._process = subprocess.Popen(command, cwd=self.folder, env=environment, stdin=slave, stdout=slave,
                                         stderr=slave, start_new_session=True, preexec_fn=self._take)
        os.close(slave)
        self.screen = self.folder / "screen"
        self.screen.touch()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        self.type(first.format(files=FILES) + "\r")
        self._wait(self.screen, lambda: b"ready> " in self.screen.read_bytes())

    @staticmethod
    def _take() -> None:
        """The terminal is to be the session's: shells have jobs."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def given(self, line: str) -> list[str]:
        """What shorewatchctl is given when that is typed after its name, as the shell has understood it."""
        given = self.folder / "given"
        given.unlink(missing_ok=True)
        self.type(f"shorewatchctl {line}\r")
        self._wait(self.folder, lambda: given.exists() and given.read_bytes().endswith(b"\0"))
        return given.read_text().split("\0")[:-1]

    def _wait(self, path: Path, over: Callable[[], bool]) -> None:
        deadline = Deadline(30, "the shell")
        with FileWatch(path) as watch:
            while not over():
                assert self._process.poll() is None
                try:
                    watch.wait(min(deadline.left(), 0.5))
                except TimeoutError:
                    raise AssertionError(self.screen.read_text(errors="replace")) from None

    def _read(self) -> None:
        with self.screen.open("ab", buffering=0) as out:
            try:
                while piece := os.read(self._master, 65536):
                    out.write(piece)
            except OSError:  # EIO: everybody has closed it
                pass

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()
        os.close(self._master)


@pytest.fixture
def face(make_face: Callable[..., Face]) -> Face:
    part = make_face()
    part.watch("docker")
    part.watch("podman")
    part.do("start", id=container_id(1), name="website", project="shop-front", pid=1)
    part.do("start", id=container_id(2), name=HOSTILE, project=HOSTILE, pid=2)
    part.do("start", id=container_id(3), name="with:colon=sign", pid=3)
    part.do("start", id=container_id(4), name="zline\nend", pid=4)
    part.do("start", id=container_id(5), name="--zoption", pid=5)
    part.do("publish")
    return part


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, bus: Bus, folder: Path, face: Face) -> Iterator[Shell]:
    part = Shell(request.param, bus, folder)
    yield part
    part.close()


def candidates(bus: Bus, *words: str) -> list[str]:
    done = ctl(bus, "__complete", *words)
    assert (done.returncode, done.stderr) == (0, "")
    kind, *lines = done.stdout.splitlines()
    return [line.split("\t")[0] for line in lines] if kind == "words" else [f"<{kind}>"]


def test_shells_complete_commands_options_and_names(shell: Shell) -> None:
    assert shell.given("resy\t") == ["resync"]
    assert shell.given("list --proj\t") == ["list", "--project"]
    assert shell.given("show web\t") == ["show", "website"]
    assert shell.given("list --engine pod\t") == ["list", "--engine", "podman"]
    assert shell.given("list -p shop\t") == ["list", "-p", "shop-front"]
    assert shell.given("--color ne\t list") == ["--color", "never", "list"]
    assert shell.given("task exp\t") == ["task", "export"]
    (shell.folder / "definition.json").touch()
    assert shell.given("task add def\t") == ["task", "add", "definition.json"]


def test_names_reach_the_program_as_they_are_whatever_they_mean_to_a_shell(shell: Shell) -> None:
    assert shell.given("show od\t") == ["show", HOSTILE]
    assert shell.given("list --project od\t") == ["list", "--project", HOSTILE]
    assert shell.given("show with\t") == ["show", "with:colon=sign"]
    assert shell.given("show with:co\t") == ["show", "with:colon=sign"]
    assert not (shell.folder / "gotcha").exists()


def test_values_after_an_equals_sign_are_completed(shell: Shell) -> None:
    assert shell.given("list --engine=pod\t") == ["list", "--engine=podman"]


def test_what_is_offered(bus: Bus, face: Face) -> None:
    assert {"list", "wait", "monitor", "task"} <= set(candidates(bus, ""))
    assert not any(word.startswith("_") for word in candidates(bus, ""))
    assert {"--engine", "--timeout", "--help", "--user", "--host"} <= set(candidates(bus, "wait", "--"))
    assert "--timeout" not in candidates(bus, "list", "--")
    assert candidates(bus, "list", "-e", "") == candidates(bus, "resync", "") == ["docker", "podman"]
    assert candidates(bus, "list", "--project", "") == sorted(["shop-front", HOSTILE])
    names = ["website", HOSTILE, "with:colon=sign"]
    assert sorted(candidates(bus, "show", "")) == sorted(names)
    # Where it can't be taken for an option, a name may look like one.
    assert sorted(candidates(bus, "show", "--", "")) == sorted([*names, "--zoption"])
    assert candidates(bus, "show", "website", "") == []
    assert sorted(candidates(bus, "pause", "website", "")) == sorted(names)
    assert candidates(bus, "list", "--engine=x") == ["--engine=docker", "--engine=podman"]
    assert "exited" in candidates(bus, "watch", "--event", "")
    assert "HUP" in candidates(bus, "kill", "-s", "")
    assert candidates(bus, "task", "add", "") == ["<files>"]
    assert candidates(bus, "ns", "website", "--", "") == ["<commands>"]
    assert candidates(bus, "nope", "") == candidates(bus, "list", "--nope=") == []


def test_nothing_is_said_and_nothing_started_without_a_daemon(bus: Bus, folder: Path) -> None:
    for words in (["show", ""], ["list", "-e", ""], ["task", "show", ""], ["rm", ""], ["-H", "nowhere", "show", ""]):
        assert candidates(bus, *words) == []
    nowhere = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder}/none"}
    done = ctl(bus, "__complete", "show", "", environment=nowhere)
    assert (done.returncode, done.stdout, done.stderr) == (0, "words\n", "")


def test_every_word_that_is_offered_is_taken(bus: Bus, folder: Path) -> None:
    """Each command's --help has the options that completion knows, and the other way round."""
    def walk(*path: str) -> None:
        text = ctl(bus, *path, "--help").stdout
        for word in candidates(bus, *path, "--"):
            own = ctl(bus, "--help").stdout
            assert word in text or word in own, (path, word)
        for word in candidates(bus, *path, ""):
            if f"\n  {word} " in text:
                walk(*path, word)

    walk()
