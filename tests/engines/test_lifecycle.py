"""What is told of the lives of containers on a real dockerd."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Callable

import pytest

from lab.bus import Bus
from lab.clients import Client
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.invariants import assert_exactly_once
from lab.recorder import Recorder

CONTAINER = "org.shorewatch1.Container"
ENGINE = "org.shorewatch1.Engine"


@pytest.fixture(autouse=True)
def daemon(start_daemon: Callable[..., Daemon], dockerd: Dockerd, recorder: Recorder) -> Daemon:
    return start_daemon({"docker": dockerd.url})


def micros(stamp: str) -> int:
    """Microseconds since 1970 of Docker's 2024-05-06T07:08:09.123456789Z."""
    seconds, fraction = re.fullmatch(r"(.*?)(\.\d+)?Z", stamp).groups()  # type: ignore[union-attr]
    whole = datetime.strptime(seconds, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return int(whole.timestamp()) * 1_000_000 + int((fraction or ".0")[1:].ljust(6, "0")[:6])


def test_a_container_is_told_as_started_is_an_object_while_it_lives_and_is_told_as_exited(
        dockerd: Dockerd, client: Client, recorder: Recorder) -> None:
    id_ = dockerd.run("web", "sh", "-c", "trap 'exit 7' TERM; while :; do sleep 1 & wait $!; done",
                      labels={"tier": "front", "note": "größe"})
    started = recorder.wait_for("ContainerStarted", "web")
    state = dockerd.inspect("web")["State"]
    assert (started.engine, started.project, started.id) == ("docker", "", id_)
    assert started.details == {
        "Timestamp": micros(state["StartedAt"]), "PID": state["Pid"], "Labels": {"tier": "front", "note": "größe"},
        "Image": "busybox", "Cause": "event"}

    properties = client.properties(started.object, CONTAINER)
    assert properties["Id"] == id_
    assert properties["Name"] == "web"
    assert properties["PID"] == state["Pid"]
    assert properties["StartedAt"] == micros(state["StartedAt"])
    assert properties["Paused"] is False
    assert client.list().containers == {started.object: properties}
    assert client.objects()[started.object][CONTAINER] == properties

    dockerd.docker("stop", "--time", "30", "web")
    exited = recorder.wait_for("ContainerExited", "web")
    assert (exited.engine, exited.project, exited.id, exited.object) == ("docker", "", id_, started.object)
    assert exited.details["ExitCode"] == 7
    assert "OOMKilled" not in exited.details  # The engine told of none, which may be for being late.
    assert exited.details["Timestamp"] >= started.details["Timestamp"]
    assert exited.details["Labels"] == started.details["Labels"]
    recorder.wait_for("InterfacesRemoved", where=lambda signal: signal.args[0] == started.object)
    runs = assert_exactly_once(recorder.signals.all(), after=client.list())
    assert len(runs[id_]) == 1


def test_containers_that_were_there_before_the_daemon_are_listed_when_it_is_ready(
        dockerd: Dockerd, client: Client, daemon: Daemon, start_daemon: Callable[..., Daemon]) -> None:
    assert daemon.stop() == 0
    ids = {dockerd.run(name) for name in ("db", "web")}
    dockerd.docker("pause", "web")
    start_daemon({"docker": dockerd.url})
    listed = client.list().by_name()
    assert {container["Id"] for container in listed.values()} == ids
    assert {name: container["Paused"] for name, container in listed.items()} == {"db": False, "web": True}


def test_a_container_that_was_over_before_the_daemon_started_is_not_told(
        dockerd: Dockerd, daemon: Daemon, recorder: Recorder, start_daemon: Callable[..., Daemon]) -> None:
    assert daemon.stop() == 0
    mark = len(recorder.signals)
    # The label makes the daemon inspect it, if it takes the event, before it tells anything.
    dockerd.run("over", "true", labels={"exitCode": "99"})
    dockerd.wait_for_event("over", "die")
    start_daemon({"docker": dockerd.url})
    # Longer than the daemon may hold back what it knows in part.
    dockerd.run("later", "sleep", "2")
    recorder.wait_for("ContainerExited", "later", after=mark)
    assert recorder.of("over") == []


def test_compose_labels_make_projects_that_come_and_go_with_their_containers(
        dockerd: Dockerd, client: Client, recorder: Recorder) -> None:
    def service(name: str) -> dict[str, str]:
        return {"com.docker.compose.project": "shop", "com.docker.compose.service": name}

    web = dockerd.run("shop-web-1", labels=service("web"))
    dockerd.run("shop-db-1", labels=service("db"))
    dockerd.run("alone")
    for name, project in (("shop-web-1", "shop"), ("shop-db-1", "shop"), ("alone", "")):
        assert recorder.wait_for("ContainerStarted", name).project == project

    engine = client.manager("ListEngines")[0][0]
    project = client.call(engine, ENGINE, "GetProject", "shop")
    assert client.property(engine, ENGINE, "ProjectNames") == ["shop"]
    assert client.property(project, "org.shorewatch1.Project", "ContainerNames") == ["shop-db-1", "shop-web-1"]
    assert client.call(project, "org.shorewatch1.Project", "GetContainer", "shop-web-1").endswith(web)
    assert set(client.list(project="shop").by_name()) == {"shop-db-1", "shop-web-1"}
    assert set(client.list(project="").by_name()) == {"alone"}
    assert set(client.list(label="com.docker.compose.service=db").by_name()) == {"shop-db-1"}

    dockerd.remove("shop-web-1")
    dockerd.remove("shop-db-1")
    recorder.wait_for("InterfacesRemoved", where=lambda signal: signal.args[0] == project)
    assert client.property(engine, ENGINE, "ProjectNames") == []
    assert set(client.list().by_name()) == {"alone"}


def test_a_restart_is_the_end_of_one_run_and_the_start_of_another(
        dockerd: Dockerd, client: Client, recorder: Recorder) -> None:
    id_ = dockerd.run("web")
    dockerd.docker("restart", "--time", "0", "web")
    recorder.signals.wait_until(lambda _: recorder.of("web") == ["Started", "Exited", "Started"], 10, "a second start")
    first, second = assert_exactly_once(recorder.signals.all(), after=client.list())[id_]
    assert first.started.details["PID"] != second.started.details["PID"]
    assert first.started.details["Timestamp"] < second.started.details["Timestamp"]
    assert client.list().by_id()[id_]["PID"] == dockerd.inspect("web")["State"]["Pid"]


def test_a_rename_changes_the_name_and_nothing_else(dockerd: Dockerd, client: Client, recorder: Recorder) -> None:
    dockerd.run("old")
    before = recorder.wait_for("ContainerStarted", "old")
    dockerd.docker("rename", "old", "new")
    renamed = recorder.wait_for("ContainerRenamed", "new")
    assert renamed.details["OldName"] == "old"
    assert renamed.object == before.object
    changed = recorder.wait_for("PropertiesChanged", where=lambda signal: signal.args[0] == CONTAINER)
    assert changed.path == before.object
    assert changed.args[1]["Name"] == "new"
    assert client.property(before.object, CONTAINER, "Name") == "new"

    dockerd.remove("new")
    recorder.wait_for("ContainerExited", "new")
    assert_exactly_once(recorder.signals.all(), after=client.list())


def test_pausing_and_unpausing_is_told_and_shown(dockerd: Dockerd, client: Client, recorder: Recorder) -> None:
    dockerd.run("web")
    path = recorder.wait_for("ContainerStarted", "web").object
    dockerd.docker("pause", "web")
    assert recorder.wait_for("ContainerPaused", "web").details["Cause"] == "event"
    assert client.property(path, CONTAINER, "Paused") is True
    assert set(client.list(paused=True).by_name()) == {"web"}
    dockerd.docker("unpause", "web")
    recorder.wait_for("ContainerUnpaused", "web")
    assert client.property(path, CONTAINER, "Paused") is False
    assert recorder.of("web") == ["Started", "Paused", "Unpaused"]


def test_a_killed_container_has_the_exit_code_that_a_shell_would_show(dockerd: Dockerd, recorder: Recorder) -> None:
    dockerd.run("web")
    dockerd.docker("kill", "web")
    assert recorder.wait_for("ContainerExited", "web").details["ExitCode"] == 137


def test_a_label_cannot_forge_the_exit_code(dockerd: Dockerd, recorder: Recorder) -> None:
    dockerd.run("web", "sh", "-c", "exit 3", labels={"exitCode": "99"})
    assert recorder.wait_for("ContainerExited", "web").details["ExitCode"] == 3


def test_exec_health_checks_and_signals_that_do_not_kill_change_nothing(
        dockerd: Dockerd, client: Client, recorder: Recorder) -> None:
    dockerd.run("web", "sh", "-c", "trap 'echo hung up' HUP; while :; do sleep 1 & wait $!; done",
                Healthcheck={"Test": ["CMD", "true"], "Interval": 1_000_000_000})
    recorder.wait_for("ContainerStarted", "web")
    dockerd.docker("exec", "web", "sh", "-c", "exit 5", check=False)
    dockerd.docker("kill", "--signal", "HUP", "web")
    dockerd.wait_for_output("web", "hung up")
    dockerd.wait_for_event("web", "health_status")

    dockerd.run("last")
    recorder.wait_for("ContainerStarted", "last")
    assert recorder.of("web") == ["Started"]
    assert set(client.list().by_name()) == {"web", "last"}


def test_each_of_200_containers_that_end_at_once_is_told_as_started_and_exited(
        bus: Bus, dockerd: Dockerd, client: Client, recorder: Recorder) -> None:
    def run(number: int) -> str:
        return dockerd.run(f"short-{number}", "true")

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(run, range(200)))
    recorder.signals.wait_until(
        lambda all_: sum(signal.member == "ContainerExited" for signal in all_) >= 200, 30, "200 exits")
    runs = assert_exactly_once(recorder.signals.all(), after=client.list())
    assert set(runs) == ids
    assert all(len(of_one) == 1 for of_one in runs.values())
    assert {of_one[0].exited.details.get("ExitCode") for of_one in runs.values()} == {0}
    assert client.list().containers == {}
