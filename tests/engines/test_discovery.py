"""Engines that nobody has named are found by their sockets."""

from pathlib import Path
from typing import Callable

import pytest

from lab.clients import Client
from lab.cut_proxy import CutProxy
from lab.daemon import Daemon, engine_table
from lab.dockerd import Dockerd
from lab.engine import Engine
from lab.podman import Podman
from lab.recorder import Recorder, wait_until


@pytest.fixture
def run(folder: Path) -> Path:
    """What the daemon sees as /run."""
    path = folder / "run"
    for name in ("containerd", "podman", "user"):
        (path / name).mkdir(parents=True)
    return path


def offer(engine: Engine, at: Path) -> None:
    """The engine listens there."""
    at.symlink_to(engine.url.removeprefix("unix://"))


def watched(client: Client) -> dict[str, str]:
    """State by the name of the engine."""
    return {name: engine["State"] for name, engine in client.engines().items()}


def test_every_well_known_socket_is_watched_whether_it_was_there_or_appears(
        run: Path, dockerd: Dockerd, containerd: Engine, podman: Engine, start_daemon: Callable[..., Daemon],
        client: Client, recorder: Recorder) -> None:
    offer(dockerd, run / "docker.sock")
    start_daemon({}, run=run)
    assert watched(client) == {"docker": "watching"}
    offer(containerd, run / "containerd/containerd.sock")
    offer(podman, run / "podman/podman.sock")
    everything = {"containerd": "watching", "docker": "watching", "podman": "watching"}
    wait_until(recorder, lambda: watched(client) == everything, 10, "all three engines")
    for engine in (dockerd, containerd, podman):
        engine.run(f"on-{engine.type}")
        assert recorder.wait_for("ContainerStarted", f"on-{engine.type}").engine == engine.type


def test_without_any_engine_the_daemon_is_ready_and_waits(
        run: Path, start_daemon: Callable[..., Daemon], client: Client) -> None:
    start_daemon({}, run=run)
    assert client.manager("ListEngines") == []


def test_one_engine_can_be_switched_off_and_all_that_are_not_named(
        run: Path, dockerd: Dockerd, podman: Engine, start_daemon: Callable[..., Daemon], client: Client,
        recorder: Recorder) -> None:
    offer(dockerd, run / "docker.sock")
    offer(podman, run / "podman/podman.sock")
    daemon = start_daemon({}, run=run)
    assert set(watched(client)) == {"docker", "podman"}
    daemon.configuration.write_text('[[engine]]\nname = "docker"\nenabled = false\n')
    client.manager("Reload")
    assert set(watched(client)) == {"podman"}
    daemon.configuration.write_text("discover = false\n")
    client.manager("Reload")
    assert watched(client) == {}
    daemon.configuration.write_text("")
    client.manager("Reload")
    wait_until(recorder, lambda: watched(client) == {"docker": "watching", "podman": "watching"}, 10, "both again")


def test_an_engine_that_is_named_is_not_discovered_again(
        run: Path, dockerd: Dockerd, start_daemon: Callable[..., Daemon], client: Client) -> None:
    offer(dockerd, run / "docker.sock")
    daemon = start_daemon({"mine": dockerd}, run=run)
    assert watched(client) == {"mine": "watching"}
    daemon.configuration.write_text("discover = true\n" + engine_table("mine", dockerd))
    client.manager("Reload")
    assert watched(client) == {"mine": "watching"}


def test_the_same_engine_behind_two_sockets_is_watched_once(
        run: Path, dockerd: Dockerd, cut_proxy: Callable[[Dockerd], CutProxy], start_daemon: Callable[..., Daemon],
        client: Client, recorder: Recorder) -> None:
    other_socket = cut_proxy(dockerd).url
    daemon = start_daemon({"mine": other_socket}, run=run)
    wait_until(recorder, lambda: client.engines()["mine"]["Id"] != "", 10, "the engine's id")
    daemon.configuration.write_text("discover = true\n" + engine_table("mine", other_socket))
    offer(dockerd, run / "docker.sock")
    mark = len(recorder.signals)
    client.manager("Reload")
    recorder.wait_for("InterfacesRemoved", after=mark,
                      where=lambda signal: signal.args[0] == "/org/shorewatch1/engines/docker")
    assert set(watched(client)) == {"mine"}


def test_podman_behind_dockers_socket_is_not_taken_for_docker(
        run: Path, podman: Podman, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    offer(podman, run / "docker.sock")
    start_daemon({}, run=run)
    engine = client.engines()["docker"]
    assert engine["State"] == "unavailable"
    assert "Podman" in engine["LastError"]
