"""shorewatchctl wait: when it ends, and what with."""

import signal
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from face import Face, container_id
from lab.bus import Bus
from lab.clients import ctl
from lab.paths import CTL
from lab.process import Process
from lists import Lists

WEB = container_id(1)
DB = container_id(2)
STARTED = 1_700_000_000_000_000
TIMED_OUT, NO_EXIT_CODE = 124, 125


class Waits:
    """`shorewatchctl wait`s that run, each known to have looked."""

    def __init__(self, bus: Bus, folder: Path):
        self._bus = bus
        self._folder = folder
        self._parts: list[Process] = []
        self.lists = Lists(bus, folder)

    def start(self, *arguments: str, lists: int = 1) -> Process:
        """Returns when it has had so many lists."""
        log = self._folder / f"wait{len(self._parts)}.log"
        self._parts.append(Process([CTL, "wait", *arguments], log, self._bus.environment()))
        self.lists.wait_for(lists)
        return self._parts[-1]

    def stop(self) -> None:
        for part in self._parts:
            part.stop()
        self.lists.close()


@pytest.fixture
def waits(bus: Bus, folder: Path) -> Iterator[Waits]:
    part = Waits(bus, folder)
    yield part
    part.stop()


def start(face: Face, id_: str, name: str, **more: Any) -> None:
    face.do("start", **({"id": id_, "name": name, "project": "shop", "pid": 11, "started": STARTED} | more))


def ends(process: Process, code: int, said: str = "") -> None:
    """said: on the standard error; nothing is said but that."""
    assert process.wait(20) == code, process.output()
    assert (said in process.output()) if said else (process.output() == ""), process.output()


def fails(bus: Bus, code: int, *arguments: str) -> str:
    done = ctl(bus, "wait", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1), done
    return done.stderr


@pytest.mark.parametrize("code", [0, 3, 137, 255])
def test_it_ends_with_the_exit_code_of_the_container(face: Face, waits: Waits, code: int) -> None:
    start(face, WEB, "web")
    running = [waits.start(*words) for words in (["web"], ["--exited", WEB], [WEB[:8]], ["web", "--project", "shop"])]
    face.do("pause", id=WEB)
    face.do("rename", id=WEB, to="else")
    face.do("exit", id=WEB, exit_code=code)
    for process in running:
        ends(process, code)


def test_the_end_of_another_container_is_not_the_one_that_is_waited_for(face: Face, waits: Waits) -> None:
    start(face, WEB, "web")
    start(face, DB, "db")
    web = waits.start("web")
    face.do("exit", id=DB, exit_code=1)
    start(face, DB, "web")
    face.do("exit", id=DB, exit_code=2)
    face.do("exit", id=WEB, exit_code=3)
    ends(web, 3)


@pytest.mark.parametrize("known", [{}, {"exit_code": 256}, {"exit_code": -1}])
def test_an_exit_code_that_nobody_can_tell_is_125(face: Face, waits: Waits, known: dict[str, int]) -> None:
    start(face, WEB, "web")
    web = waits.start("web")
    face.do("exit", id=WEB, **known)
    ends(web, NO_EXIT_CODE, "container 'web' has ended, with")


def test_what_runs_has_started_and_what_does_not_is_waited_for(bus: Bus, face: Face, waits: Waits) -> None:
    start(face, WEB, "web")
    ends(waits.start("--started", "web"), 0)
    later = [waits.start("--started", *words) for words in (["db"], [DB], ["--project", "other"])]
    start(face, container_id(3), "third", project="else")
    start(face, DB, "db", project="other")
    for process in later:
        ends(process, 0)


def test_a_rename_brings_a_name_too(face: Face, waits: Waits) -> None:
    start(face, WEB, "web")
    renamed = waits.start("--started", "front")
    face.do("rename", id=WEB, to="front")
    ends(renamed, 0)


def test_pauses_are_waited_for(bus: Bus, face: Face, waits: Waits) -> None:
    start(face, WEB, "web")
    ends(waits.start("--unpaused", "web"), 0)
    paused = waits.start("--paused", "web")
    face.do("pause", id=WEB)
    ends(paused, 0)
    ends(waits.start("--paused", "web"), 0)
    unpaused, ended = waits.start("--unpaused", "web"), waits.start("--unpaused", "web")
    face.do("unpause", id=WEB)
    ends(unpaused, 0)
    ends(ended, 0)
    ended = waits.start("--paused", "web")
    face.do("exit", id=WEB, exit_code=4)
    ends(ended, 3, "it has ended, with exit code 4")


def test_a_project_ends_with_its_last_container(face: Face, waits: Waits) -> None:
    start(face, WEB, "web")
    start(face, DB, "db")
    shop = waits.start("--project", "shop")
    face.do("exit", id=WEB, exit_code=1)
    start(face, container_id(3), "third")
    face.do("exit", id=DB, exit_code=1)
    again = waits.start("--project", "shop")
    assert shop.running()
    face.do("exit", id=container_id(3), exit_code=1)
    ends(shop, 0)
    ends(again, 0)


def test_what_is_not_there_has_no_end(bus: Bus, face: Face) -> None:
    start(face, WEB, "web")
    assert "no alive container is called so" in fails(bus, 3, "nope")
    assert "wait for container 'web' to be paused" in fails(bus, 3, "--paused", "web", "--project", "other")
    assert "no alive container belongs to it" in fails(bus, 3, "--project", "nope")
    assert "there are: docker" in fails(bus, 3, "web", "--engine", "nope")
    face.do("add_engine", name="other")
    face.do("status", engine="other", state="unavailable", last_error="there is no socket")
    assert "engine other is unavailable: there is no socket" in fails(bus, 3, "nope")


def test_a_name_of_several_is_refused_and_they_are_named(bus: Bus, face: Face, waits: Waits) -> None:
    start(face, WEB, "web")
    start(face, DB, "web", project="other")
    said = fails(bus, 4, "web")
    waits.lists.wait_for()  # that one's
    assert f"docker/shop/web ({WEB})" in said and f"docker/other/web ({DB})" in said and "--project" in said
    ends(waits.start("--started", "web"), 0)
    shop, by_id = waits.start("web", "--project", "shop"), waits.start(DB)
    face.do("exit", id=WEB, exit_code=5)
    face.do("exit", id=DB, exit_code=6)
    ends(shop, 5)
    ends(by_id, 6)


def test_an_id_counts_before_a_name_and_a_name_before_the_beginning_of_an_id(face: Face, waits: Waits) -> None:
    start(face, WEB, DB)
    start(face, DB, WEB[:8])
    by_id, by_name = waits.start(DB), waits.start(WEB[:8])
    face.do("exit", id=DB, exit_code=7)
    ends(by_id, 7)
    ends(by_name, 7)


def test_an_engine_that_is_listed_still_may_have_what_is_waited_for(face: Face, waits: Waits) -> None:
    face.do("status", state="synchronizing")
    web, missing = waits.start("web"), waits.start("missing")
    waits.lists.wait_for_engines(2)
    start(face, WEB, "web")
    face.do("status", state="watching")
    ends(missing, 3, "no alive container is called so")
    assert web.running()
    face.do("exit", id=WEB, exit_code=8)
    ends(web, 8)


class Restarting:
    """Two waits for a container "web", over the end of the daemon that knows it."""

    def __init__(self, bus: Bus, waits: Waits, *arguments: str):
        before = Face(bus)
        before.watch("docker")
        start(before, WEB, "web")
        before.do("publish")
        self.wait = waits.start(*arguments)
        before.close()
        self.wait.wait_for_output("waiting for it to come back", 20)
        self._waits = waits

    def comes_back(self, face: Face, listed: int = 1) -> None:
        face.do("publish")
        self._waits.lists.wait_for(listed)


@pytest.mark.parametrize("arguments,code", [(["web"], 9), (["--project", "shop"], 0)])
def test_it_waits_on_while_the_daemon_restarts(bus: Bus, waits: Waits, make_face: Callable[..., Face],
                                               arguments: list[str], code: int) -> None:
    restarting = Restarting(bus, waits, *arguments)
    after = make_face()
    after.watch("docker")
    start(after, WEB, "web", started=STARTED + 7)  # another daemon may have found out the time in another way
    restarting.comes_back(after)
    assert restarting.wait.running()
    after.do("exit", id=WEB, exit_code=9)
    ends(restarting.wait, code, "waiting for it")


@pytest.mark.parametrize("arguments", [["web"], ["--project", "shop"]])
def test_an_engine_that_is_not_listed_again_says_nothing_about_an_end(
        bus: Bus, waits: Waits, make_face: Callable[..., Face], arguments: list[str]) -> None:
    restarting = Restarting(bus, waits, *arguments)
    after = make_face()
    after.do("add_engine", name="docker")
    after.do("status", state="connecting")
    restarting.comes_back(after)
    waits.lists.wait_for_engines(1)
    for asked, state in enumerate(("unavailable", "connecting", "synchronizing", "lost", "synchronizing"), 2):
        after.do("status", state=state)
        waits.lists.wait_for_engines(asked)
    start(after, WEB, "web", cause="resync")
    after.do("status", state="watching")
    after.do("exit", id=WEB, exit_code=10)
    ends(restarting.wait, 10 if arguments == ["web"] else 0, "waiting for it")


def test_who_has_ended_meanwhile_is_missing_once_its_engine_is_listed(
        bus: Bus, waits: Waits, make_face: Callable[..., Face]) -> None:
    restarting = Restarting(bus, waits, "web")
    project = waits.start("--started", "--project", "other", lists=0)
    after = make_face()
    after.do("add_engine", name="docker")
    after.do("status", state="synchronizing")
    restarting.comes_back(after, listed=2)
    waits.lists.wait_for_engines(1)
    assert restarting.wait.running()
    after.do("status", state="watching")
    ends(restarting.wait, NO_EXIT_CODE, "nobody knows its exit code")
    start(after, DB, "db", project="other")
    assert project.wait(20) == 0


def test_another_run_of_it_is_not_the_one_that_was_waited_for(
        bus: Bus, waits: Waits, make_face: Callable[..., Face]) -> None:
    restarting = Restarting(bus, waits, "web")
    after = make_face()
    after.watch("docker")
    start(after, WEB, "web", pid=12)
    restarting.comes_back(after)
    ends(restarting.wait, NO_EXIT_CODE, "nobody knows its exit code")


def test_without_a_daemon_only_a_start_is_waited_for(bus: Bus, waits: Waits, make_face: Callable[..., Face]) -> None:
    assert "systemctl start shorewatchd" in fails(bus, 5, "web")
    web = waits.start("--started", "web", lists=0)
    web.wait_for_output("the daemon is not running.*; waiting for it\n", 20)
    late = make_face()
    late.watch("docker")
    late.do("publish")
    start(late, WEB, "web")
    assert web.wait(20) == 0


def test_a_timeout_is_124(bus: Bus, face: Face) -> None:
    start(face, WEB, "web")
    assert "'web' has not ended within 0.1 s" in fails(bus, TIMED_OUT, "web", "--timeout", "0.1")
    assert "'db' has not started within 0.1 s" in fails(bus, TIMED_OUT, "--started", "-t", "0.1", "db")
    assert "project 'shop' has not ended" in fails(bus, TIMED_OUT, "--project", "shop", "-t", "0.1")


def test_the_code_can_be_written(bus: Bus, face: Face, waits: Waits) -> None:
    start(face, WEB, "web")
    web = waits.start("web", "--print")
    face.do("exit", id=WEB, exit_code=3)
    assert web.wait(20) == 0 and web.output() == "3\n"
    fails(bus, 3, "web", "--print")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_wait_is_no_success(face: Face, waits: Waits, number: signal.Signals) -> None:
    start(face, WEB, "web")
    web = waits.start("web")
    web.signal(number)
    assert web.wait(10) == -number


@pytest.mark.parametrize("arguments", [[], ["--project", ""], ["--paused", "--project", "shop"], ["web", "--timeout", "0"],
                                       ["web", "--started", "--exited"], ["web", "--paused", "--unpaused"]])
def test_what_makes_no_sense_is_told(bus: Bus, face: Face, arguments: list[str]) -> None:
    fails(bus, 2, *arguments)


def test_names_of_others_are_no_options_and_no_escapes(bus: Bus, face: Face, waits: Waits) -> None:
    hostile = "--started\x1b[2J $(touch /tmp/x)"
    start(face, WEB, hostile)
    web = waits.start("--", hostile)
    face.do("exit", id=WEB, exit_code=11)
    ends(web, 11)
    assert "\x1b" not in fails(bus, 3, "--", hostile)
