"""Engines in containers: found by discover = "deep", and watched as all others are."""

import os
import signal
from pathlib import Path
from typing import Callable, Iterator

import dbus
import pytest

from lab.clients import Client
from lab.daemon import Daemon, engine_table
from lab.dockerd import Dockerd
from lab.invariants import assert_exactly_once
from lab.nested import InnerContainerd, InnerDockerd, own_pids
from lab.parts import running
from lab.recorder import Recorder, wait_until

CONTAINER = "org.shorewatch1.Container"


@pytest.fixture
def inner_dockerd(dockerd: Dockerd, folder: Path) -> Iterator[InnerDockerd]:
    with running(InnerDockerd(dockerd, folder / "inner")) as part:
        yield part


@pytest.fixture
def start_deep(dockerd: Dockerd, folder: Path, start_daemon: Callable[..., Daemon],
               client: Client) -> Callable[..., Daemon]:
    """A daemon that watches the engine of the test's containers, and those in its containers."""
    def start(**options: object) -> Daemon:
        (folder / "run").mkdir()
        daemon = start_daemon({}, run=folder / "run", **options)
        daemon.configuration.write_text('discover = "deep"\n' + engine_table("host", dockerd))
        client.manager("Reload")
        return daemon
    return start


def name_in(container: str, type_: str = "docker") -> str:
    return f"{type_}-in-{container.split('/')[-1][:12]}"


def is_watching(client: Client, name: str) -> bool:
    return client.engines().get(name, {}).get("State") == "watching"


def test_docker_in_docker_is_watched_and_goes_with_its_container(
        dockerd: Dockerd, folder: Path, start_deep: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    start_deep()
    with running(InnerDockerd(dockerd, folder / "inner")) as inner:
        name = name_in(inner.container)
        wait_until(recorder, lambda: is_watching(client, name), 30, "the engine in the container")
        engine = client.engines()[name]
        outer = client.list(engine="host").by_name()["outer"]
        assert (engine["Type"], engine["Api"]) == (
            "docker.com", f"unix:///proc/{inner.outer_pid()}/root/run/docker.sock")
        assert client.property(engine["Holder"], CONTAINER, "Id") == inner.container == outer["Id"]
        assert own_pids(engine["PID"])[0] == engine["PID"] and len(own_pids(engine["PID"])) == 2

        first = inner.run("first")
        told = recorder.wait_for("ContainerStarted", "first")
        assert (told.engine, told.id) == (name, first)
        assert own_pids(told.details["PID"])[:2] == [told.details["PID"], inner.inspect(first)["State"]["Pid"]]
        # Of the two containers that it is in, the inner one.
        assert client.manager("GetContainerByPID", dbus.UInt32(told.details["PID"])) == told.object
        assert client.manager("GetContainerByPID", dbus.UInt32(inner.outer_pid())) == next(
            path for path, properties in client.list(engine="host").containers.items() if properties["Name"] == "outer")
        inner.pause(first)
        recorder.wait_for("ContainerPaused", "first")
        inner.unpause(first)
        recorder.wait_for("ContainerUnpaused", "first")
        inner.kill(first)
        assert recorder.wait_for("ContainerExited", "first").details["ExitCode"] == 137

        inner.run("last")
        recorder.wait_for("ContainerStarted", "last")
        dockerd.kill(inner.container)
        recorder.wait_for("ContainerExited", "last")
        recorder.wait_for("ContainerExited", "outer")
        wait_until(recorder, lambda: list(client.engines()) == ["host"], 10, "the end of the engine in it")
    listing = client.list()
    recorder.wait_until_sequence(listing.sequence)
    assert_exactly_once(recorder.signals.all(), after=listing)


def test_an_engine_in_a_container_that_runs_already_is_found_and_followed_over_its_restart(
        inner_dockerd: InnerDockerd, start_deep: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    inner = inner_dockerd
    inner.run("before")
    start_deep()
    name = name_in(inner.container)
    wait_until(recorder, lambda: is_watching(client, name), 30, "the engine in the container")
    assert list(client.list(engine=name).by_name()) == ["before"]
    os.kill(client.engines()[name]["PID"], signal.SIGTERM)
    recorder.wait_for("ContainerExited", "before", 30)
    recorder.wait_for("EngineStateChanged", seconds=30,
                      where=lambda told: told.args[:2] == [name, "lost"])
    wait_until(recorder, lambda: is_watching(client, name), 60, "the engine's return")
    inner.run("after")
    assert recorder.wait_for("ContainerStarted", "after").engine == name


def test_a_containerd_in_a_container_is_watched_in_all_its_namespaces(
        dockerd: Dockerd, folder: Path, start_deep: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    start_deep()
    with running(InnerContainerd(dockerd, folder / "inner")) as inner:
        name = name_in(inner.container, "containerd")
        wait_until(recorder, lambda: is_watching(client, name), 30, "the engine in the container")
        for namespace in ("default", "k8s.io"):
            id_ = inner.run(f"in-{namespace}", namespace)
            told = recorder.wait_for("ContainerStarted", f"in-{namespace}")
            assert (told.engine, told.id) == (name, id_)
            assert len(own_pids(told.details["PID"])) == 3
            inner.kill(id_)
            assert recorder.wait_for("ContainerExited", f"in-{namespace}").details["ExitCode"] == 137


def test_a_socket_of_the_host_in_a_container_is_no_engine_in_it(
        dockerd: Dockerd, start_deep: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    start_deep()
    dockerd.run("tool", HostConfig={"NetworkMode": "none", "Binds": [f"{dockerd.socket}:/run/docker.sock"]})
    recorder.wait_for("ContainerStarted", "tool")
    # Whoever asks after a container's start was told is told what was found in it.
    assert list(client.engines()) == ["host"]


def test_an_engine_in_a_container_that_says_it_is_the_hosts_takes_nobodys_place(
        dockerd: Dockerd, folder: Path, start_daemon: Callable[..., Daemon], client: Client,
        recorder: Recorder) -> None:
    run = folder / "run"
    run.mkdir()
    daemon = start_daemon({}, run=run)
    daemon.configuration.write_text('discover = "deep"\n')
    client.manager("Reload")
    (run / "docker.sock").symlink_to(dockerd.socket)
    wait_until(recorder, lambda: is_watching(client, "docker"), 10, "the host's engine")
    with running(InnerDockerd(dockerd, folder / "inner", impostor=True)) as inner:
        given_up = f"engine {name_in(inner.container)} is engine docker, at another socket"
        wait_until(recorder, lambda: given_up in daemon.log(), 30, "the impostor being given up")
        assert list(client.engines()) == ["docker"]
        dockerd.run("some")
        assert recorder.wait_for("ContainerStarted", "some").engine == "docker"
    assert is_watching(client, "docker")


def test_engines_in_containers_need_no_more_rights_than_the_documentation_says(
        inner_dockerd: InnerDockerd, start_deep: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    inner = inner_dockerd
    start_deep(capabilities="sys_ptrace,dac_override")
    wait_until(recorder, lambda: is_watching(client, name_in(inner.container)), 30, "the engine in the container")
    inner.run("some")
    told = recorder.wait_for("ContainerStarted", "some")
    assert own_pids(told.details["PID"])[0] == told.details["PID"]
