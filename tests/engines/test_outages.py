"""What is told when a real dockerd goes away and comes back, and when the daemon itself has to go."""

from pathlib import Path
from typing import Callable

from lab.clients import Client
from lab.cut_proxy import CutProxy
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.invariants import assert_exactly_once
from lab.process import kill_and_wait
from lab.recorder import Recorder, state


def test_survivors_of_an_engine_restart_are_not_told_again_and_what_died_meanwhile_is_told_once(
        live_restore_dockerd: Dockerd, start_daemon: Callable[..., Daemon], client: Client,
        recorder: Recorder) -> None:
    engine = live_restore_dockerd
    daemon = start_daemon({"docker": engine.url})
    daemon.notify.wait_for("STATUS=Engines watched: 1 of 1", 10)
    ids = {name: engine.run(name) for name in ("survivor", "victim", "frozen")}
    engine.docker("pause", "frozen")
    recorder.wait_for("ContainerPaused", "frozen")
    victim = engine.inspect("victim")["State"]["Pid"]
    mark = len(recorder.signals)

    engine.kill9()
    lost = recorder.wait_for("EngineStateChanged", after=mark, where=state("lost"))
    assert lost.details["LastError"]
    daemon.notify.wait_for("STATUS=Engines watched: 0 of 1", 10)
    assert set(client.list().by_id()) == set(ids.values()), "an outage is not a funeral"
    kill_and_wait(victim)
    engine.start()
    recorder.wait_for("EngineStateChanged", after=mark, where=state("watching"), seconds=30)
    recorder.wait_for("ContainerExited", "victim")

    runs = assert_exactly_once(recorder.signals.all(), after=client.list())
    assert {name: len(runs[id_]) for name, id_ in ids.items()} == {"survivor": 1, "victim": 1, "frozen": 1}
    assert recorder.of("survivor") == ["Started"]
    assert recorder.of("victim") == ["Started", "Exited"]
    assert recorder.of("frozen") == ["Started", "Paused"]
    assert set(client.list().by_name()) == {"survivor", "frozen"}


def test_what_happens_while_the_connection_is_away_is_told_as_the_difference(
        dockerd: Dockerd, cut_proxy: Callable[[Dockerd], CutProxy], start_daemon: Callable[..., Daemon],
        client: Client, recorder: Recorder) -> None:
    proxy = cut_proxy(dockerd)
    start_daemon({"docker": proxy.url})
    for name in ("stays", "ends", "pauses", "renamed", "restarts"):
        dockerd.run(name)
        recorder.wait_for("ContainerStarted", name)
    mark = len(recorder.signals)

    proxy.refuse()
    recorder.wait_for("EngineStateChanged", after=mark, where=state("lost"))
    dockerd.docker("kill", "ends")
    dockerd.docker("pause", "pauses")
    dockerd.docker("rename", "renamed", "other")
    dockerd.docker("restart", "--time", "0", "restarts")
    dockerd.run("new")
    proxy.accept()
    recorder.wait_for("EngineStateChanged", after=mark, where=state("watching"), seconds=30)
    for member, name in (("ContainerExited", "ends"), ("ContainerPaused", "pauses"), ("ContainerRenamed", "other"),
                         ("ContainerStarted", "new")):
        recorder.wait_for(member, name, after=mark)
    recorder.wait_for("ContainerStarted", "restarts", after=mark)

    assert recorder.of("stays") == ["Started"]
    assert recorder.of("ends") == ["Started", "Exited"]
    assert recorder.of("restarts") == ["Started", "Exited", "Started"]
    assert recorder.wait_for("ContainerExited", "ends").details["ExitCode"] == 137
    assert_exactly_once(recorder.signals.all(), after=client.list())
    assert set(client.list().by_id()) == set(dockerd.alive())


def test_an_engine_that_appears_later_is_watched_from_then_on(
        folder: Path, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    engine = Dockerd(folder / "late")
    try:
        start_daemon({"docker": engine.url})
        assert client.engines()["docker"]["State"] == "unavailable"
        assert str(engine.socket) in client.engines()["docker"]["LastError"]
        engine.start()
        recorder.wait_for("EngineStateChanged", where=state("watching"), seconds=30)
        engine.run("web")
        recorder.wait_for("ContainerStarted", "web")
    finally:
        engine.sweep()


def test_the_daemon_ends_within_a_second_while_an_engine_hangs(
        live_restore_dockerd: Dockerd, cut_proxy: Callable[[Dockerd], CutProxy],
        start_daemon: Callable[..., Daemon], recorder: Recorder) -> None:
    engine = live_restore_dockerd
    daemon = start_daemon({"docker": engine.url, "proxied": cut_proxy(engine).url})
    engine.run("web")
    recorder.wait_for("ContainerStarted", "web", where=lambda told: told.engine == "docker")
    engine.freeze()
    try:
        # Inspections that hang: of a list that is asked for while the engine does not answer.
        client = Client(daemon.bus)
        path = next(path for path, properties in client.manager("ListEngines") if properties["Name"] == "docker")
        client.call(path, "org.shorewatch1.Engine", "Resync")
        client.close()
        assert daemon.stop(1.0) == 0
    finally:
        engine.thaw()
