"""What is told on the bus of what happens, and in which order."""

import random
from typing import Any, Callable

import pytest
from face import Face, container_id
from lab.clients import ROOT, Client
from lab.invariants import assert_exactly_once
from lab.recorder import MANAGER, Recorder, Signal

ENGINE = ROOT + "/engines/docker"
NOW = 1_700_000_000_000_000


def path_of(number: int) -> str:
    """Of container_id(number): a path element can't begin with a digit."""
    id_ = container_id(number)
    return f"{ENGINE}/containers/_{ord(id_[0]):02x}{id_[1:]}"


def short(signal: Signal) -> tuple[Any, ...]:
    """What it is, and of which object."""
    if signal.member == "PropertiesChanged":
        _, changed, invalidated = signal.args
        return "PropertiesChanged", signal.path, changed or set(invalidated)
    if signal.member in ("InterfacesAdded", "InterfacesRemoved"):
        return signal.member, signal.args[0]
    return signal.member, signal.sequence


def since(signals: list[Signal], before: list[Signal]) -> list[tuple[Any, ...]]:
    return [short(signal) for signal in signals[len(before):]]


def test_a_run_is_told_in_order_and_completely(face: Face, recorder: Recorder) -> None:
    before = face.told(recorder)
    face.do("start", id=container_id(1), name="web", project="shop", pid=7, image="nginx", started=NOW - 5, time=NOW,
            labels={"a": "1", "größe": "2"}, privileged=True)
    face.do("exit", id=container_id(1), exit_code=137, oom_killed=True, time=NOW + 9, cause="kernel")
    signals = face.told(recorder)
    shop = ENGINE + "/projects/shop"
    total = {"ContainerTotal"}
    assert since(signals, before) == [
        ("InterfacesAdded", shop),
        ("InterfacesAdded", path_of(1)),
        ("ContainerStarted", 2),
        ("PropertiesChanged", ENGINE, {"ContainerTotal", "ProjectNames"}),
        ("PropertiesChanged", ROOT, total),
        ("ContainerExited", 3),
        ("InterfacesRemoved", path_of(1)),
        ("InterfacesRemoved", shop),
        ("PropertiesChanged", ENGINE, {"ContainerTotal", "ProjectNames"}),
        ("PropertiesChanged", ROOT, total)]
    added, started, exited = (signals[len(before) + i] for i in (1, 2, 5))
    labels = {"a": "1", "größe": "2"}
    assert added.args[1]["org.shorewatch1.Container"] == {
        "Id": container_id(1), "Name": "web", "Engine": ENGINE, "Project": "shop", "ProjectPath": shop,
        "Labels": labels, "LabelsTruncated": False, "PID": 7, "Paused": False, "Image": "nginx", "StartedAt": NOW - 5,
        "Namespace": "", "Pod": "", "PodId": "", "Sandbox": False, "Privileged": True,
        "CgroupPath": "", "Unit": ""}
    assert started.args == ["docker", "shop", "web", container_id(1), path_of(1), 2,
                            {"Timestamp": NOW, "PID": 7, "Labels": labels, "Image": "nginx", "Cause": "event"}]
    assert exited.args == ["docker", "shop", "web", container_id(1), path_of(1), 3,
                           {"Timestamp": NOW + 9, "ExitCode": 137, "OOMKilled": True, "Labels": labels,
                            "Cause": "kernel"}]


def test_what_is_not_known_is_absent(face: Face, recorder: Recorder) -> None:
    face.do("start", id=container_id(1), name="web", pid=7, cause="resync")
    face.do("pause", id=container_id(1))
    face.do("exit", id=container_id(1), cause="resync")
    details = {signal.member: signal.details for signal in face.told(recorder) if signal.is_container}
    assert details == {"ContainerStarted": {"PID": 7, "Labels": {}, "Cause": "resync"},
                       "ContainerPaused": {"Cause": "event"},
                       "ContainerExited": {"Labels": {}, "Cause": "resync"}}


def test_a_run_too_short_to_inspect_is_told_and_gets_no_object(face: Face, recorder: Recorder, client: Client) -> None:
    before = face.told(recorder)
    face.do_at_once([{"do": "start", "id": container_id(1), "name": "true", "project": "shop", "image": "busybox"},
                     {"do": "exit", "id": container_id(1), "name": "true", "project": "shop", "exit_code": 0}])
    signals = face.told(recorder)
    assert since(signals, before) == [("ContainerStarted", 2), ("ContainerExited", 3)]
    started, exited = signals[len(before):]
    assert started.args[:5] == exited.args[:5] == ["docker", "shop", "true", container_id(1), path_of(1)]
    assert started.details == {"Image": "busybox", "Cause": "event"}
    assert exited.details == {"ExitCode": 0, "Cause": "event"}
    assert (client.list().sequence, client.list().containers) == (3, {})


def test_a_pause_shows_in_the_property_before_it_is_told(face: Face, recorder: Recorder) -> None:
    face.do("start", id=container_id(1), name="web", pid=7)
    before = face.told(recorder)
    face.do("pause", id=container_id(1), time=NOW)
    face.do("unpause", id=container_id(1), time=NOW + 1)
    signals = face.told(recorder)
    assert since(signals, before) == [
        ("PropertiesChanged", path_of(1), {"Paused": True}), ("ContainerPaused", 3),
        ("PropertiesChanged", path_of(1), {"Paused": False}), ("ContainerUnpaused", 4)]
    assert [signal.details for signal in signals[len(before):] if signal.is_container] == [
        {"Timestamp": NOW, "Cause": "event"}, {"Timestamp": NOW + 1, "Cause": "event"}]


def test_a_rename_changes_the_name_and_leaves_the_object(face: Face, recorder: Recorder, client: Client) -> None:
    face.do("start", id=container_id(1), name="web", project="shop", pid=7)
    before = face.told(recorder)
    face.do("rename", id=container_id(1), to="www", time=NOW)
    signals = face.told(recorder)
    assert since(signals, before) == [
        ("PropertiesChanged", path_of(1), {"Name": "www"}), ("ContainerRenamed", 3),
        ("PropertiesChanged", ENGINE + "/projects/shop", {"ContainerNames", "Containers"})]
    (renamed,) = [signal for signal in signals if signal.member == "ContainerRenamed"]
    assert renamed.args == ["docker", "shop", "www", container_id(1), path_of(1), 3,
                            {"OldName": "web", "Timestamp": NOW, "Cause": "event"}]
    assert client.manager("GetContainer", "www") == path_of(1)


def test_a_project_comes_before_its_first_container_and_goes_after_its_last(face: Face, recorder: Recorder) -> None:
    before = face.told(recorder)
    for number in (1, 2):
        face.do("start", id=container_id(number), project="shop", pid=number)
    for number in (1, 2):
        face.do("exit", id=container_id(number))
    shop = ENGINE + "/projects/shop"
    told = [signal for signal in since(face.told(recorder), before) if "Interfaces" in signal[0] or signal[1] == shop]
    assert told == [
        ("InterfacesAdded", shop), ("InterfacesAdded", path_of(1)), ("InterfacesAdded", path_of(2)),
        ("PropertiesChanged", shop, {"ContainerNames", "Containers"}),
        ("InterfacesRemoved", path_of(1)),
        ("PropertiesChanged", shop, {"ContainerNames", "Containers"}),
        ("InterfacesRemoved", path_of(2)), ("InterfacesRemoved", shop)]


def test_in_a_batch_every_run_is_told_and_every_list_only_once(face: Face, recorder: Recorder, client: Client) -> None:
    before = face.told(recorder)
    face.do_at_once([{"do": "start", "id": container_id(n), "project": "shop", "pid": n} for n in range(1, 101)] +
                    [{"do": "exit", "id": container_id(n)} for n in range(1, 51)])
    signals = face.told(recorder)[len(before):]
    assert [signal.sequence for signal in signals if signal.is_container] == list(range(2, 152))
    changed = [short(signal) for signal in signals if signal.member == "PropertiesChanged"]
    assert sorted(changed) == [
        ("PropertiesChanged", ROOT, {"ContainerTotal"}),
        ("PropertiesChanged", ENGINE, {"ContainerTotal", "ProjectNames"}),
        ("PropertiesChanged", ENGINE + "/projects/shop", {"ContainerNames", "Containers"})]
    assert client.property(ROOT, MANAGER, "ContainerTotal") == 50
    assert_exactly_once(recorder.signals.all(), after=client.list())


def test_a_state_of_an_engine_is_told_with_what_else_changed(face: Face, recorder: Recorder) -> None:
    before = face.told(recorder)
    face.do("status", state="lost", last_error="no socket", since=NOW)
    signals = face.told(recorder)
    assert since(signals, before) == [
        ("PropertiesChanged", ENGINE, {"State": "lost", "LastError": "no socket", "Since": NOW}),
        ("EngineStateChanged", 2)]
    assert signals[-1].args == ["docker", "lost", ENGINE, 2,
                                {"OldState": "watching", "LastError": "no socket", "Timestamp": NOW}]


def test_what_is_learned_of_an_engine_changes_properties_and_is_no_signal(face: Face, recorder: Recorder) -> None:
    before = face.told(recorder)
    face.do("status", state="watching", id="abc", version="20.10.24", pid=12)
    face.do("status", state="watching", id="abc", version="20.10.24", pid=12)
    assert since(face.told(recorder), before) == [
        ("PropertiesChanged", ENGINE, {"Id": "abc", "Version": "20.10.24", "PID": 12})]


def test_an_engine_that_is_removed_takes_its_objects_along_and_no_container_exits(
        face: Face, recorder: Recorder, client: Client) -> None:
    face.do("start", id=container_id(1), project="shop", pid=7)
    before = face.told(recorder)
    face.do("remove_engine", name="docker")
    assert since(face.told(recorder), before)[1:] == [
        ("EngineStateChanged", 3), ("InterfacesRemoved", path_of(1)), ("InterfacesRemoved", ENGINE + "/projects/shop"),
        ("InterfacesRemoved", ENGINE), ("PropertiesChanged", ROOT, {"ContainerTotal"})]
    assert not [path for path in client.objects() if path.startswith(ENGINE)]


def test_an_engine_that_is_added_is_an_object(face: Face, recorder: Recorder, client: Client) -> None:
    before = face.told(recorder)
    face.do("add_engine", name="second", api="tcp://host:2375")
    (added,) = face.told(recorder)[len(before):]
    properties = added.args[1]["org.shorewatch1.Engine"]
    assert added.args[0] == ROOT + "/engines/second"
    assert (properties["Name"], properties["Type"], properties["Api"], properties["State"]) == (
        "second", "docker.com", "tcp://host:2375", "connecting")


def test_being_ready_is_a_property_that_changes_once(
        recorder: Recorder, make_face: Callable[..., Face], client: Client) -> None:
    face = make_face()
    face.do("add_engine", name="docker")
    face.do("configured")
    face.do("publish")
    assert client.property(ROOT, MANAGER, "Ready") is False
    face.do("status", state="unavailable")
    face.do("status", state="watching")
    ready = [short(signal) for signal in face.told(recorder) if "Ready" in str(signal.args)]
    assert ready == [("PropertiesChanged", ROOT, {"Ready": True})]
    assert client.property(ROOT, MANAGER, "Ready") is True


def test_what_happened_before_publication_is_listed_and_not_told(
        recorder: Recorder, make_face: Callable[..., Face], client: Client) -> None:
    face = make_face()
    face.watch()
    face.do("start", id=container_id(1), project="shop", pid=7)
    face.do("publish")
    assert [signal.member for signal in face.told(recorder)] == ["NameOwnerChanged"]
    assert set(client.list().containers) == {path_of(1)}
    assert client.list().sequence == 2


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_each_run_has_one_start_and_one_exit(
        face: Face, recorder: Recorder, client: Client, seed: int) -> None:
    dice = random.Random(seed)
    alive: dict[int, bool] = {}  # is it paused
    commands: list[dict[str, Any]] = []
    for step in range(600):
        number = dice.randrange(20)
        if number not in alive:
            pid = dice.choice([0, step + 1])
            commands.append({"do": "start", "id": container_id(number), "project": dice.choice(["", "a", "b"]),
                             "name": f"name{number}", "pid": pid})
            if pid:
                alive[number] = False
            else:
                commands.append({"do": "exit", "id": container_id(number), "name": f"name{number}"})
        elif dice.random() < 0.3:
            commands.append({"do": "unpause" if alive[number] else "pause", "id": container_id(number)})
            alive[number] = not alive[number]
        elif dice.random() < 0.2:
            commands.append({"do": "rename", "id": container_id(number), "to": f"name{number}-{step}"})
        else:
            commands.append({"do": "exit", "id": container_id(number), "exit_code": 0})
            del alive[number]
    while commands:
        size = dice.randint(1, 60)
        face.do_at_once(commands[:size])
        del commands[:size]
    face.told(recorder)
    runs = assert_exactly_once(recorder.signals.all(), after=client.list())
    assert {id_ for id_, told in runs.items() if told[-1].exited is None} == {container_id(n) for n in alive}
