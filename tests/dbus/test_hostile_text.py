"""Whatever an engine calls its containers, the bus connection stays and everything can be read."""

from typing import Callable

import dbus
import pytest
from face import Face, container_id
from lab.bus import Bus
from lab.clients import ROOT, Client, busctl
from lab.record_signals import NAME
from lab.recorder import Recorder

ENGINE = ROOT + "/engines/docker"
DRIVER = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
TEXTS = {
    "empty": "",
    "a path": "/org/shorewatch1/../../etc",
    "dots": "..",
    "control characters": "\x01\x1b[31m\r\n\x7f\x9b",
    "quotes and braces": "'\"{}%s%n\\",
    "wide characters": "größe 漢字 \U0001f433",
    "right to left": "\u202egnp.txt",
    "long": "x" * 30_000,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_any_text_can_be_published_in_every_place(
        face: Face, recorder: Recorder, client: Client, text: str) -> None:
    face.do("start", id=text, name=text, project=text, image=text, pod=text, pod_id=text, namespace=text, pid=7)
    face.do("start", id=container_id(1), name="other", labels={text: text}, pid=7)
    face.do("status", state="lost", last_error=text, id=text, version=text)
    started = recorder.wait_for("ContainerStarted", text)
    assert (started.project, started.id) == (text, text)
    listed = client.list(project=text).by_id()[text]
    assert all(listed[key] == text for key in ("Name", "Project", "Image", "Pod", "PodId", "Namespace"))
    assert client.list().by_id()[container_id(1)]["Labels"] == {text: text}
    assert client.objects()[started.object]["org.shorewatch1.Container"] == listed
    assert client.call(ENGINE, "org.shorewatch1.Engine", "GetProject", text) == listed["ProjectPath"]
    assert client.engines()["docker"]["LastError"] == text
    if text:
        assert client.manager("GetContainer", text) == started.object
    face.do("exit", id=text)
    recorder.wait_for("InterfacesRemoved", where=lambda signal: signal.args[0] == started.object)
    assert {signal.sender for signal in face.told(recorder) if signal.sender.startswith(":")} == {started.sender}


@pytest.mark.parametrize("text", ["\x00", "\ufdd0", "\ufffe", "\U0010ffff"])
def test_text_that_a_bus_does_not_take_is_published_without_what_it_does_not_take(
        face: Face, client: Client, text: str) -> None:
    face.do("start", id=container_id(1), name=f"a{text}b", labels={text: text}, pid=7)
    (container,) = client.list().containers.values()
    assert (container["Name"], container["Labels"]) == ("a\ufffdb", {"\ufffd": "\ufffd"})


def test_a_caller_that_sends_a_noncharacter_is_answered_and_harms_nobody(face: Face, client: Client) -> None:
    with pytest.raises(dbus.DBusException):
        client.manager("GetContainer", "\ufffe")
    assert client.list().containers == {}


def test_ids_that_differ_have_objects_that_differ(face: Face, client: Client) -> None:
    ids = ["a", "A", "_", "_5f", "a_", "a/b", "a.b", "a-b", "ab", "a" * 76 + ".b.c", "1", "_31"]
    for id_ in ids:
        face.do("start", id=id_, pid=7)
    objects = {properties["org.shorewatch1.Container"]["Id"]: path for path, properties in client.objects().items()
               if "org.shorewatch1.Container" in properties}
    assert set(objects) == set(ids)
    assert len(set(objects.values())) == len(ids)


def test_labels_of_one_container_are_capped_by_whole_keys(face: Face, recorder: Recorder, client: Client) -> None:
    face.do("start", id=container_id(1), pid=7, labels={"large": "x" * 65_000, "small": "y", "medium": "z" * 600})
    labels = {"small": "y", "medium": "z" * 600}
    (listed,) = client.list().containers.values()
    assert (listed["Labels"], listed["LabelsTruncated"]) == (labels, True)
    started = recorder.wait_for("ContainerStarted")
    assert (started.details["Labels"], started.details["LabelsTruncated"]) == (labels, True)


def test_labels_of_all_containers_are_capped_so_that_every_answer_fits_the_bus(
        face: Face, recorder: Recorder, client: Client) -> None:
    for number in range(300):
        face.do("start", id=container_id(number), pid=7, labels={"large": "x" * 60_000})
    objects = client.objects()
    containers = [interfaces["org.shorewatch1.Container"] for interfaces in objects.values()
                  if "org.shorewatch1.Container" in interfaces]
    assert len(containers) == 300
    left_out = [container for container in containers if container["LabelsTruncated"]]
    assert all(container["Labels"] == {} for container in left_out)
    assert 15_000_000 < sum(len(value) for container in containers for value in container["Labels"].values())
    assert len(left_out) > 10
    assert len(client.list().containers) == 300
    assert [signal.member for signal in face.told(recorder)].count("NameOwnerChanged") == 1


def test_a_list_too_large_for_the_bus_is_an_error_and_its_parts_can_be_had(
        make_face: Callable[..., Face], bus: Bus, client: Client) -> None:
    face = make_face()
    face.watch()
    face.do("start_many", count=40_000, labels=8)
    face.do("publish")
    owner = busctl(bus, "call", *DRIVER, "GetNameOwner", "s", NAME)
    with pytest.raises(dbus.DBusException) as caught:
        client.list()
    assert caught.value.get_dbus_name() == "org.freedesktop.DBus.Error.LimitsExceeded"
    assert len(client.list(project="project-3").containers) == 400
    assert busctl(bus, "call", *DRIVER, "GetNameOwner", "s", NAME) == owner
