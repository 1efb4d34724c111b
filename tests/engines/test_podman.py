"""What is Podman's own: pods, containers that no service started, services that come and go, its events' gaps."""

import contextlib
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Callable, Iterator

import pytest

from lab.clients import Client
from lab.cut_proxy import CutProxy
from lab.daemon import Daemon
from lab.invariants import Run, assert_exactly_once
from lab.podman import Activation, Podman
from lab.process import kill_and_wait
from lab.recorder import Recorder, state
from lab.rest_engine import EngineError

CONTAINER = "org.shorewatch1.Container"
POD_NAME = "io.github.thediveo/podman/podname"
POD_ID = "io.github.thediveo/podman/podid"
INFRA = "io.github.thediveo/podman/infra"
PRIVILEGED = "github.com/thediveo/whalewatcher/moby/privileged"


def states(recorder: Recorder, after: int = 0) -> list[str]:
    return [told.args[1] for told in recorder.signals.all()[after:] if told.member == "EngineStateChanged"]


def runs_so_far(client: Client, recorder: Recorder) -> dict[str, list[Run]]:
    """By id, checked against a list of now. The engine's state may change meanwhile."""
    listing = client.list()
    signals = recorder.signals.wait_until(
        lambda all_: any((told.sequence or 0) >= listing.sequence for told in all_), 10, "the signals that are listed")
    return assert_exactly_once(signals, after=listing)


@pytest.fixture
def daemon(start_daemon: Callable[..., Daemon], podman: Podman, recorder: Recorder) -> Daemon:
    return start_daemon({"podman": podman})


def test_a_container_is_told_as_started_is_an_object_while_it_lives_and_is_told_as_exited(
        daemon: Daemon, podman: Podman, client: Client, recorder: Recorder) -> None:
    id_ = podman.run("web", "sh", "-c", "trap 'exit 7' TERM; while :; do sleep 1 & wait $!; done",
                     labels={"tier": "front", "note": "größe", "exitCode": "99", "containerExitCode": "98"} |
                     podman.project_labels("shop"))
    started = recorder.wait_for("ContainerStarted", "web")
    pid = podman.inspect("web")["State"]["Pid"]
    assert (started.engine, started.project, started.id) == ("podman", "shop", id_)
    assert started.details["PID"] == pid
    assert started.details["Image"] == "localhost/busybox:latest"
    assert started.details["Labels"].items() >= {"tier": "front", "note": "größe"}.items()
    assert started.details["Cause"] == "event"

    properties = client.properties(started.object, CONTAINER)
    assert (properties["Id"], properties["Name"], properties["PID"]) == (id_, "web", pid)
    assert (properties["Privileged"], properties["Pod"], properties["PodId"], properties["Sandbox"]) == (
        False, "", "", False)
    assert client.list().containers == {started.object: properties}

    podman.kill("web", "TERM")
    exited = recorder.wait_for("ContainerExited", "web")
    assert exited.details["ExitCode"] == 7
    runs = runs_so_far(client, recorder)
    assert len(runs[id_]) == 1


def test_the_engine_is_told_by_its_version_its_service_and_a_stable_id(
        podman: Podman, client: Client, recorder: Recorder, start_daemon: Callable[..., Daemon]) -> None:
    def identity() -> tuple[str, str, int]:
        engine = client.engines()["podman"]
        return engine["Id"], engine["Version"], engine["PID"]

    daemon = start_daemon({"podman": podman})
    # It comes after the containers: Podman runs other programs to tell it.
    recorder.signals.wait_until(lambda _: identity()[0] != "", 10, "an id")
    first = identity()
    assert first[0].endswith(f":{podman.folder}/root")
    assert first[1:] == (podman.api("GET", "/info")["version"]["Version"], podman.process.pid)
    assert client.engines()["podman"]["Type"] == "podman.io"
    assert daemon.stop() == 0
    mark = len(recorder.signals)
    start_daemon({"podman": podman})
    recorder.signals.wait_until(lambda all_: len(all_) > mark and identity()[0] != "", 10, "an id again")
    assert identity() == first


def test_members_of_a_pod_and_its_infra_container_are_marked_by_properties_and_labels(
        daemon: Daemon, podman: Podman, client: Client, recorder: Recorder) -> None:
    pod = podman.create_pod("tide")
    member = podman.run("member", pod="tide")
    recorder.wait_for("ContainerStarted", "member")
    infra = podman.api("GET", f"/pods/{pod}/json")["InfraContainerID"]
    recorder.wait_for("ContainerStarted", where=lambda told: told.id == infra)
    podman.run("alone")
    recorder.wait_for("ContainerStarted", "alone")

    shown = client.list().by_id()
    for id_, sandbox in ((member, False), (infra, True)):
        container = shown[id_]
        assert (container["Pod"], container["PodId"], container["Sandbox"]) == ("tide", pod, sandbox)
        assert container["Labels"].items() >= {POD_NAME: "tide", POD_ID: pod}.items()
        assert (INFRA in container["Labels"]) == sandbox
    alone = client.list().by_name()["alone"]
    assert (alone["Pod"], alone["PodId"], alone["Sandbox"]) == ("", "", False)
    assert not {POD_NAME, POD_ID, INFRA} & set(alone["Labels"])

    podman.remove_pod("tide")
    for id_ in (member, infra):
        recorder.wait_for("ContainerExited", where=lambda told, id_=id_: told.id == id_)
    runs_so_far(client, recorder)
    assert set(client.list().by_name()) == {"alone"}


def test_a_daemon_that_comes_later_shows_the_same_of_pods_and_privileges(
        daemon: Daemon, podman: Podman, client: Client, recorder: Recorder,
        start_daemon: Callable[..., Daemon]) -> None:
    podman.create_pod("tide")
    podman.run("member", pod="tide", privileged=True)
    podman.run("frozen")
    podman.pause("frozen")
    recorder.wait_for("ContainerPaused", "frozen")
    recorder.wait_for("ContainerStarted", "member")
    recorder.signals.wait_until(lambda _: len(client.list().containers) == 3, 10, "all three")
    before = client.list().containers
    assert daemon.stop() == 0
    start_daemon({"podman": podman})
    assert client.list().containers == before


def test_a_privileged_container_is_marked(daemon: Daemon, podman: Podman, client: Client, recorder: Recorder) -> None:
    podman.run("mighty", privileged=True)
    path = recorder.wait_for("ContainerStarted", "mighty").object
    properties = client.properties(path, CONTAINER)
    assert properties["Privileged"] is True
    assert PRIVILEGED in properties["Labels"]


def test_what_the_command_does_without_the_service_is_told(
        daemon: Daemon, podman: Podman, client: Client, recorder: Recorder) -> None:
    id_ = podman.podman_run("web", options=("--label", "tier=front"))
    started = recorder.wait_for("ContainerStarted", "web")
    assert started.id == id_
    assert started.details["PID"] == podman.inspect("web")["State"]["Pid"]
    podman.podman("pause", "web")
    recorder.wait_for("ContainerPaused", "web")
    podman.podman("unpause", "web")
    recorder.wait_for("ContainerUnpaused", "web")
    podman.podman("rename", "web", "shore")
    recorder.wait_for("ContainerRenamed", "shore")
    podman.podman("restart", "--time", "0", "shore")
    recorder.signals.wait_until(lambda _: recorder.of("shore")[-2:] == ["Exited", "Started"], 10, "a restart")
    podman.podman("rm", "--force", "--time", "0", "shore")
    recorder.signals.wait_until(lambda _: recorder.of("shore")[-1:] == ["Exited"], 10, "the end")
    runs = runs_so_far(client, recorder)
    assert [run.exited is not None for run in runs[id_]] == [True, True]


def test_labels_of_any_size_and_text_harm_nobody(
        daemon: Daemon, podman: Podman, client: Client, recorder: Recorder) -> None:
    podman.create_pod("tide")
    podman.run("big", pod="tide", labels={"x": "y" * 100_000, "\x1b[31m\n": "😀", "": "no key", POD_NAME: "forged"})
    path = recorder.wait_for("ContainerStarted", "big").object
    properties = client.properties(path, CONTAINER)
    assert properties["LabelsTruncated"] is True
    assert properties["Labels"].items() >= {"\x1b[31m\n": "😀", "": "no key", POD_NAME: "tide"}.items()
    assert "x" not in properties["Labels"]


def test_an_exec_is_no_exit(daemon: Daemon, podman: Podman, client: Client, recorder: Recorder) -> None:
    podman.run("web")
    recorder.wait_for("ContainerStarted", "web")
    podman.exec("web", "sh", "-c", "exit 5")
    podman.run("last")
    recorder.wait_for("ContainerStarted", "last")
    assert recorder.of("web") == ["Started"]
    assert set(client.list().by_name()) == {"web", "last"}


def test_each_of_50_containers_that_end_at_once_is_told_as_started_and_exited(
        daemon: Daemon, podman: Podman, client: Client, recorder: Recorder) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda number: podman.run(f"short-{number}", "true"), range(50)))
    recorder.signals.wait_until(
        lambda all_: ids <= {told.id for told in all_ if told.member == "ContainerExited"}, 60, "50 exits")
    runs = runs_so_far(client, recorder)
    assert set(runs) == ids
    assert all(len(of_one) == 1 for of_one in runs.values())
    # None: Podman was busy for longer than its word is waited for.
    assert {of_one[0].exited.details.get("ExitCode") for of_one in runs.values()} in ({0}, {0, None})
    assert client.list().containers == {}


def test_a_container_that_is_removed_while_it_is_stopping_has_ended(
        daemon: Daemon, podman: Podman, client: Client, recorder: Recorder) -> None:
    # Of such a container Podman 4.3 tells no end.
    id_ = podman.run("web", "sh", "-c", "trap 'echo asked' TERM; while :; do sleep 1 & wait $!; done")
    recorder.wait_for("ContainerStarted", "web")
    with ThreadPoolExecutor(1) as pool:
        def stop() -> None:
            with contextlib.suppress(EngineError):  # as it is gone by then
                podman.api("POST", "/containers/web/stop", query={"timeout": "10"})

        stopping = pool.submit(stop)
        podman.wait_for_output("web", "asked")
        # Alive as long as it is stopping, whoever asks.
        path = recorder.wait_for("ContainerStarted", "web").object
        engine = client.manager("ListEngines")[0][0]
        client.call(engine, "org.shorewatch1.Engine", "Resync")
        assert client.property(path, CONTAINER, "Id") == id_
        podman.remove("web")
        stopping.result(60)
    recorder.wait_for("ContainerExited", "web")
    runs = runs_so_far(client, recorder)
    assert len(runs[id_]) == 1
    assert client.list().containers == {}


def test_containers_outlive_a_service_that_is_killed_and_what_died_meanwhile_is_told_once(
        own_podman: Podman, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    start_daemon({"podman": own_podman})
    ids = {name: own_podman.run(name) for name in ("survivor", "victim", "frozen", "restarted")}
    for name in ids:
        recorder.wait_for("ContainerStarted", name)
    own_podman.pause("frozen")
    recorder.wait_for("ContainerPaused", "frozen")
    victim = own_podman.alive()[ids["victim"]].pid
    mark = len(recorder.signals)

    own_podman.kill9()
    lost = recorder.wait_for("EngineStateChanged", after=mark, where=state("lost"))
    assert lost.details["LastError"]
    assert set(client.list().by_id()) == set(ids.values()), "an outage is not a funeral"
    kill_and_wait(victim)
    own_podman.podman("restart", "--time", "0", "restarted")
    own_podman.podman_run("new")
    own_podman.start()
    recorder.wait_for("EngineStateChanged", after=mark, where=state("watching"), seconds=30)
    recorder.wait_for("ContainerExited", "victim")
    recorder.wait_for("ContainerStarted", "new")
    recorder.signals.wait_until(
        lambda _: recorder.of("restarted") == ["Started", "Exited", "Started"], 10, "a restart")

    assert recorder.of("survivor") == ["Started"]
    assert recorder.of("victim") == ["Started", "Exited"]
    assert recorder.wait_for("ContainerExited", "victim").details["ExitCode"] == 137
    assert recorder.of("frozen") == ["Started", "Paused"]
    runs_so_far(client, recorder)
    assert set(client.list().by_id()) == set(own_podman.alive())


@pytest.fixture
def activation(folder: Path) -> Iterator[Activation]:
    """A Podman whose service is started by its socket, and ends a second after the last connection."""
    engine = Podman(folder / "podman", service_seconds=1)
    part = Activation(engine)
    try:
        engine.need_image()
        yield part
    finally:
        part.close()
        engine.sweep()


def test_a_service_with_a_time_limit_is_there_as_long_as_it_is_watched(
        activation: Activation, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    daemon = start_daemon({"podman": activation.engine})
    service = activation.service
    # Longer than the limit.
    activation.engine.podman_run("web", "sleep", "3")
    assert recorder.wait_for("ContainerExited", "web").details["ExitCode"] == 0
    assert activation.service is service
    assert service.running()
    assert "lost" not in states(recorder)
    assert daemon.stop() == 0
    service.wait(30)
    assert_exactly_once(recorder.signals.all())


def test_a_service_that_its_socket_starts_anew_is_not_lost(
        activation: Activation, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    engine = activation.engine
    start_daemon({"podman": engine})
    # Longer than a stream has to last to count as a good one.
    ids = {name: engine.podman_run(name) for name in ("survivor", "victim")}
    engine.podman_run("clock", "sleep", "1.5")
    recorder.wait_for("ContainerExited", "clock")
    mark = len(recorder.signals)
    first, victim = activation.service, engine.alive()[ids["victim"]].pid
    first.signal(signal.SIGKILL)
    first.wait(10)
    kill_and_wait(victim)
    recorder.wait_for("ContainerExited", "victim")
    engine.podman_run("later")
    recorder.wait_for("ContainerStarted", "later")
    assert activation.service is not first
    assert "lost" not in states(recorder, after=mark)
    assert recorder.of("survivor") == ["Started"]
    runs_so_far(client, recorder)
    assert set(client.list().by_id()) == set(engine.alive())


def test_nothing_is_missed_or_told_twice_while_podman_rotates_its_log(
        folder: Path, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    engine = Podman(folder / "podman", log_size=30_000)
    try:
        engine.start()
        start_daemon({"podman": engine})
        # A container makes 1 kB of events here: the log is rotated more than once. Half of it stays each time: what is
        # rotated away before a busy machine lets anybody read it is lost, and a smaller log would be all gone by then.
        with ThreadPoolExecutor(4) as pool:
            ids = set(pool.map(lambda number: engine.run(f"short-{number}", "true"), range(60)))
        recorder.signals.wait_until(
            lambda all_: ids <= {told.id for told in all_ if told.member == "ContainerExited"}, 60, "60 exits")
        engine.run("last")
        recorder.wait_for("ContainerStarted", "last", seconds=30)
        assert engine.rotations() > 0
        runs = runs_so_far(client, recorder)
        assert ids <= set(runs)
        assert all(len(runs[id_]) == 1 for id_ in ids)
        assert set(client.list().by_name()) == {"last"}
    finally:
        engine.sweep()


def test_a_podman_that_keeps_no_events_is_unavailable_and_the_journal_says_so_once(
        folder: Path, cut_proxy: Callable[[Podman], CutProxy], start_daemon: Callable[..., Daemon]) -> None:
    engine = Podman(folder / "podman", events_logger="none")
    try:
        engine.start()
        proxy = cut_proxy(engine)
        daemon = start_daemon({"podman": SimpleNamespace(type=Podman.type, url=proxy.url)})
        # It is ready when its first attempt is over.
        of_one = len(proxy.connections)
        proxy.connections.wait_until(lambda all_: len(all_) >= 3 * of_one, 30, "a third attempt")
        assert daemon.log().count("is unavailable") == 1
        assert '"none" backend' in daemon.log()
    finally:
        engine.sweep()
