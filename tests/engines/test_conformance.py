"""What holds on every engine: one suite, run on each of them, real."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterator

import pytest

from lab.clients import Client, Listing
from lab.daemon import Daemon
from lab.engine import Alive, Engine
from lab.invariants import Run, assert_exactly_once
from lab.recorder import Recorder, state, wait_until
from lab.waiting import Deadline, wait_for_exit

CONTAINER = "org.shorewatch1.Container"
WORKERS = 4


@pytest.fixture
def needs(engine: Engine) -> Callable[[str], None]:
    def check(ability: str) -> None:
        if ability not in engine.abilities:
            pytest.skip(f"{engine.type} can't {ability}")

    return check


@pytest.fixture
def daemon(start_daemon: Callable[..., Daemon], engine: Engine, recorder: Recorder) -> Daemon:
    return start_daemon({"engine": engine})


@pytest.fixture
def before(daemon: Daemon, client: Client) -> Listing:
    """What was there: a pod's sandbox, on engines that have no containers without."""
    return client.list()


def in_parallel(act: Callable[[str], object], items: list[str]) -> list[object]:
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(act, items))


def shown(client: Client) -> dict[str, Alive]:
    """By id."""
    return {id_: Alive(container["Name"], container["PID"], container["Paused"])
            for id_, container in client.list().by_id().items()}


def told_runs(recorder: Recorder, client: Client, before: Listing) -> dict[str, list[Run]]:
    """All runs that began since `before`, up to now, each checked to have been told once and in order."""
    listing = client.list()
    runs = assert_exactly_once(recorder.wait_until_sequence(listing.sequence), before, listing)
    known = before.by_id()
    return {id_: of_one for id_, of_one in runs.items() if id_ not in known}


def test_a_container_is_told_as_started_is_an_object_while_it_lives_and_is_told_as_exited(
        daemon: Daemon, engine: Engine, client: Client, recorder: Recorder, before: Listing) -> None:
    labels = {"tier": "front", "note": "größe", **engine.project_labels("shop")}
    id_ = engine.run("web", labels=labels)
    started = recorder.wait_for("ContainerStarted", "web")
    assert (started.engine, started.project, started.id) == ("engine", "shop", id_)
    pid = engine.alive()[id_].pid
    assert started.details["PID"] == pid
    properties = client.properties(started.object, CONTAINER)
    assert (properties["Id"], properties["Name"], properties["Project"]) == (id_, "web", "shop")
    assert (properties["PID"], properties["Paused"]) == (pid, False)
    assert properties["Labels"].items() >= labels.items()
    assert "busybox" in properties["Image"]
    assert client.list(project="shop").containers == {started.object: properties}

    engine.kill(id_)
    exited = recorder.wait_for("ContainerExited", "web")
    assert (exited.engine, exited.project, exited.id, exited.object) == ("engine", "shop", id_, started.object)
    assert exited.details["ExitCode"] == 137
    recorder.wait_for("InterfacesRemoved", where=lambda signal_: signal_.args[0] == started.object)
    assert [len(runs) for runs in told_runs(recorder, client, before).values()] == [1]


def test_the_engine_says_what_it_is(daemon: Daemon, engine: Engine, client: Client, recorder: Recorder) -> None:
    # Not waited for before the engine counts as watched: Podman asks other programs first.
    wait_until(recorder, lambda: client.engines()["engine"]["Version"] != "", 10, "the engine's version")
    told = client.engines()["engine"]
    assert (told["Type"], told["Api"], told["State"], told["LastError"]) == (engine.type_id, engine.url, "watching", "")
    assert told["PID"] == engine.process.pid


def test_the_exit_code_is_that_of_the_initial_process(
        daemon: Daemon, engine: Engine, recorder: Recorder) -> None:
    engine.run("job", "sh", "-c", "exit 7")
    assert recorder.wait_for("ContainerExited", "job").details["ExitCode"] == 7


def test_containers_that_were_there_before_the_daemon_are_listed_when_it_is_ready(
        engine: Engine, client: Client, start_daemon: Callable[..., Daemon]) -> None:
    for name in ("db", "web"):
        engine.run(name)
    frozen = engine.run("frozen")
    if "pause" in engine.abilities:
        engine.pause(frozen)
    engine.run("over", "true")
    wait_until_dead(engine, "over")
    start_daemon({"engine": engine})
    assert shown(client) == engine.alive()
    paused = {container.name: container.paused for container in shown(client).values()}
    assert paused.items() >= {"db": False, "web": False, "frozen": "pause" in engine.abilities}.items()
    assert "over" not in paused
    if "pause" in engine.abilities:
        engine.unpause(frozen)


def wait_until_dead(engine: Engine, name: str) -> None:
    for container in list(engine.alive().values()):
        if container.name == name:
            wait_for_exit(container.pid, Deadline(10, f"the end of {name}"))


def test_pauses_are_told_and_shown(daemon: Daemon, engine: Engine, client: Client, recorder: Recorder,
                                   before: Listing, needs: Callable[[str], None]) -> None:
    needs("pause")
    id_ = engine.run("web")
    for _ in range(2):
        mark = len(recorder.signals)
        engine.pause(id_)
        recorder.wait_for("ContainerPaused", "web", after=mark)
        wait_until_shown(client, recorder, id_, paused=True)
        engine.unpause(id_)
        recorder.wait_for("ContainerUnpaused", "web", after=mark)
        wait_until_shown(client, recorder, id_, paused=False)
    assert len(told_runs(recorder, client, before)[id_][0].pauses) >= 4


def wait_until_shown(client: Client, recorder: Recorder, id_: str, paused: bool) -> None:
    """That may take more than one word of it: to dockerd, what a busy containerd tells late of a pause that is over is
    another pause, until the end of that has been told, too (ProcessEvent in moby's daemon/monitor.go)."""
    while (listing := client.list()).by_id()[id_]["Paused"] != paused:
        recorder.signals.wait_until(
            lambda all_, seen=listing.sequence: any((signal_.sequence or 0) > seen for signal_ in all_), 10,
            "another word of the pause")


def test_a_restart_is_two_runs(daemon: Daemon, engine: Engine, client: Client, recorder: Recorder, before: Listing,
                               needs: Callable[[str], None]) -> None:
    needs("restart")
    id_ = engine.run("web")
    recorder.wait_for("ContainerStarted", "web")
    mark = len(recorder.signals)
    engine.restart(id_)
    recorder.wait_for("ContainerStarted", "web", after=mark)
    wait_until(recorder, lambda: shown(client) == engine.alive(), 10, "the second run")
    first, second = told_runs(recorder, client, before)[id_]
    assert first.exited is not None and second.exited is None
    assert first.started and second.started and first.started.details["PID"] != second.started.details["PID"]


def test_a_rename_changes_the_name_and_not_the_object(
        daemon: Daemon, engine: Engine, client: Client, recorder: Recorder, before: Listing,
        needs: Callable[[str], None]) -> None:
    needs("rename")
    id_ = engine.run("web")
    started = recorder.wait_for("ContainerStarted", "web")
    engine.rename(id_, "www")
    renamed = recorder.wait_for("ContainerRenamed", "www")
    assert (renamed.id, renamed.object, renamed.details["OldName"]) == (id_, started.object, "web")
    assert client.property(started.object, CONTAINER, "Name") == "www"
    engine.kill(id_)
    recorder.wait_for("ContainerExited", "www")
    told_runs(recorder, client, before)


def test_what_is_executed_in_a_container_neither_starts_nor_ends_it(
        daemon: Daemon, engine: Engine, client: Client, recorder: Recorder) -> None:
    id_ = engine.run("web")
    recorder.wait_for("ContainerStarted", "web")
    engine.exec(id_, "true")
    engine.exec(id_, "sh", "-c", "exit 3")
    engine.kill(id_)
    assert recorder.wait_for("ContainerExited", "web").details["ExitCode"] == 137
    assert recorder.of("web") == ["Started", "Exited"]


def test_short_lived_containers_are_told_in_pairs(
        daemon: Daemon, engine: Engine, client: Client, recorder: Recorder, before: Listing) -> None:
    names = [f"short{number}" for number in range(50)]
    ids = in_parallel(lambda name: engine.run(name, "true"), names)
    recorder.signals.wait_until(
        lambda all_: {signal_.id for signal_ in all_ if signal_.member == "ContainerExited"} >= set(ids), 30, "50 exits")
    assert {signal_.name for signal_ in recorder.signals.all() if signal_.is_container} == set(names)
    runs = told_runs(recorder, client, before)
    assert {id_: len(of_one) for id_, of_one in runs.items()} == dict.fromkeys(ids, 1)


def test_text_from_labels_arrives_whole_and_harmless(
        daemon: Daemon, engine: Engine, client: Client, recorder: Recorder) -> None:
    labels = {"ansi": "\x1b[31mred\x07", "quote": "\"'`$(reboot)\\", "lines": "a\nb\tc", "wide": "日本 \U0001f600",
              "long": "x" * 2000, "PID": "1", "exitCode": "99"}
    id_ = engine.run("odd_name.1-2", labels=labels)
    started = recorder.wait_for("ContainerStarted", "odd_name.1-2")
    assert client.property(started.object, CONTAINER, "Labels").items() >= labels.items()
    engine.kill(id_)
    assert recorder.wait_for("ContainerExited", "odd_name.1-2").details["ExitCode"] == 137


def test_survivors_of_an_engine_restart_are_not_told_again_and_what_died_meanwhile_is_told_once(
        mortal_engine: Engine, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    engine = mortal_engine
    start_daemon({"engine": engine})
    before = client.list()
    ids = {name: engine.run(name) for name in ("survivor", "victim", "frozen")}
    for name in ids:
        recorder.wait_for("ContainerStarted", name)
    if "pause" in engine.abilities:
        engine.pause(ids["frozen"])
        recorder.wait_for("ContainerPaused", "frozen")
    victim = engine.alive()[ids["victim"]].pid
    mark = len(recorder.signals)

    engine.kill9()
    recorder.wait_for("EngineStateChanged", after=mark, where=state("lost"))
    assert set(client.list().by_id()) == set(ids.values()) | set(before.by_id()), "an outage is not a funeral"
    os.kill(victim, signal.SIGKILL)
    wait_for_exit(victim, Deadline(10, "the end of the victim"))
    engine.start()
    recorder.wait_for("EngineStateChanged", after=mark, where=state("watching"), seconds=30)
    recorder.wait_for("ContainerExited", "victim")
    assert recorder.of("survivor") == ["Started"]
    assert recorder.of("victim") == ["Started", "Exited"]
    assert {len(runs) for runs in told_runs(recorder, client, before).values()} == {1}
    assert shown(client) == engine.alive()
    if "pause" in engine.abilities:
        assert recorder.of("frozen") == ["Started", "Paused"]
        engine.unpause(ids["frozen"])


@pytest.fixture
def frozen(engine: Engine) -> Iterator[Callable[[], None]]:
    yield engine.freeze
    engine.thaw()


def test_an_engine_that_hangs_does_not_keep_the_daemon_from_answering_and_ending(
        daemon: Daemon, engine: Engine, client: Client, recorder: Recorder, frozen: Callable[[], None]) -> None:
    engine.run("web")
    recorder.wait_for("ContainerStarted", "web")
    frozen()
    assert "web" in {container.name for container in shown(client).values()}
    assert daemon.stop() == 0


def test_many_containers_at_once_are_all_told_and_all_listed(
        daemon: Daemon, engine: Engine, client: Client, recorder: Recorder, before: Listing,
        start_daemon: Callable[..., Daemon]) -> None:
    names = [f"many{number}" for number in range(200)]
    ids = in_parallel(lambda name: engine.run(name, labels=engine.project_labels("many")), names)
    for name in names:
        recorder.wait_for("ContainerStarted", name, seconds=30)
    alive = engine.alive()
    assert set(alive) - set(before.by_id()) == set(ids)
    assert shown(client) == alive
    told_runs(recorder, client, before)

    assert daemon.stop() == 0
    mark = len(recorder.signals)
    second = start_daemon({"engine": engine})
    wait_until(recorder, lambda: client.engines()["engine"]["State"] == "watching", 30, "all of them, found again")
    assert shown(client) == alive
    engine.remove_all()
    for name in names:
        recorder.wait_for("ContainerExited", name, seconds=30, after=mark)
    wait_until(recorder, lambda: shown(client) == {}, 30, "the end of all")
    assert second.stop() == 0
