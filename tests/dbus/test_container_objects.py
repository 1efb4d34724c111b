"""The objects of containers: one table of libsystemd's serves all paths below an engine's folder of them."""

import subprocess
import xml.etree.ElementTree as ElementTree
from typing import Any, Callable

import dbus
import pytest
from face import Face, container_id
from lab.bus import Bus
from lab.clients import ROOT, Client
from lab.record_signals import NAME
from lab.recorder import Recorder

ENGINE = ROOT + "/engines/docker"
FOLDER = ENGINE + "/containers"
CONTAINER = NAME + ".Container"
PROPERTIES = "org.freedesktop.DBus.Properties"
INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
ERROR = "org.freedesktop.DBus.Error."


def element(number: int) -> str:
    """Of container_id(number): a path element can't begin with a digit."""
    return f"_{ord('0'):02x}{container_id(number)[1:]}"


def path_of(number: int) -> str:
    return f"{FOLDER}/{element(number)}"


def error_of(call: Callable[..., Any], *arguments: Any) -> str:
    """The name of the error that the call ends with, without what is the same of most."""
    with pytest.raises(dbus.DBusException) as caught:
        call(*arguments)
    return caught.value.get_dbus_name().removeprefix(ERROR)


def node(client: Client, path: str) -> tuple[set[str], set[str]]:
    """Its children, and those of its interfaces that are ours."""
    root = ElementTree.fromstring(client.call(path, INTROSPECTABLE, "Introspect"))
    interfaces = {child.get("name", "") for child in root.findall("interface")}
    children = {child.get("name", "") for child in root.findall("node")}
    return children, {interface for interface in interfaces if interface.startswith(NAME)}


@pytest.fixture(autouse=True)
def containers(face: Face) -> None:
    face.watch("other")
    for number, labels in ((1, {"a": "1", "b": "größe"}), (2, {})):
        face.do("start", id=container_id(number), name=f"web{number}", project="shop", pid=number, labels=labels)
    face.do("start", engine="other", id="a/b", name="lone", pid=3, pod="pod1", pod_id="f00d", paused=True)


def test_a_folder_lists_the_containers_that_are_alive_and_has_no_interface_of_ours(face: Face, client: Client) -> None:
    assert node(client, FOLDER) == ({element(1), element(2)}, set())
    assert node(client, path_of(1)) == (set(), {CONTAINER})
    face.do("exit", id=container_id(1))
    assert node(client, FOLDER) == ({element(2)}, set())
    face.do("exit", id=container_id(2))
    assert node(client, FOLDER) == (set(), set())
    assert node(client, ROOT + "/engines/other/containers") == ({"a_2fb"}, set())


@pytest.mark.parametrize("path", [
    path_of(3), FOLDER + "/x", FOLDER + "/_", path_of(1) + "/x",
    FOLDER + "/" + "".join(f"_{ord(letter):02x}" for letter in container_id(1)),  # another way to write an id that is
    ROOT + "/engines/other/containers/a/b", ROOT + "/engines/other/containers/a_2Fb"])
def test_what_is_no_container_is_no_object(client: Client, path: str) -> None:
    assert error_of(client.property, path, CONTAINER, "Name") == "UnknownObject"
    assert error_of(client.properties, path, CONTAINER) == "UnknownObject"
    assert error_of(client.call, path, CONTAINER, "Pause") == "UnknownObject"
    assert error_of(client.call, path, INTROSPECTABLE, "Introspect") == "UnknownObject"


def test_what_can_not_be_read_or_set_is_an_error(client: Client) -> None:
    def put(name: str, value: Any) -> Any:
        return client.call(path_of(1), PROPERTIES, "Set", CONTAINER, name, value)

    assert client.property(path_of(1), CONTAINER, "Name") == "web1"
    assert error_of(client.property, path_of(1), CONTAINER, "Colour") == "UnknownProperty"
    assert error_of(put, "Name", "other") == "PropertyReadOnly"
    assert error_of(put, "Colour", "red") == "UnknownProperty"
    assert error_of(client.properties, path_of(1), NAME + ".Project") == "UnknownInterface"
    assert error_of(client.properties, FOLDER, CONTAINER) == "UnknownInterface"
    assert client.property(path_of(1), CONTAINER, "Name") == "web1"


def test_a_call_with_other_arguments_or_of_what_there_is_not_is_refused(face: Face, client: Client) -> None:
    for method, arguments in (("Stop", []), ("Stop", ["10"]), ("Kill", [dbus.UInt32(9)]), ("Pause", [1]),
                              ("OpenNamespaces", ["net"]), ("Inspect", [""])):
        assert error_of(client.call, path_of(1), CONTAINER, method, *arguments) == "InvalidArgs", (method, arguments)
    assert error_of(client.call, path_of(1), CONTAINER, "Restart") == "UnknownMethod"
    assert face.events() == []


def test_arguments_arrive(face: Face, client: Client) -> None:
    client.call(path_of(1), CONTAINER, "Stop", dbus.UInt32(86400))
    client.call(path_of(2), CONTAINER, "Kill", dbus.Int32(-1))
    assert client.call(path_of(2), CONTAINER, "Inspect") == '{"Id":"played"}'
    face.wait_for_event(f"control docker {container_id(2)} inspect")
    assert face.events() == [f"control docker {container_id(1)} stop 86400", f"control docker {container_id(2)} kill -1",
                             f"control docker {container_id(2)} inspect"]


def test_what_nothing_is_held_of_is_said(client: Client) -> None:
    for method, arguments in (("OpenPIDFD", []), ("GetAddresses", []),
                              ("OpenNamespaces", [dbus.Array(["net", "mnt"], signature="s")])):
        name = error_of(client.call, path_of(1), CONTAINER, method, *arguments)
        assert name == NAME + ".Error.NotSupported", method


def test_objects_have_what_lists_have(client: Client) -> None:
    objects = {path: interfaces[CONTAINER] for path, interfaces in client.objects().items() if CONTAINER in interfaces}
    assert len(objects) == 3
    assert objects == client.list().containers
    assert objects == {path: client.properties(path, CONTAINER) for path in objects}


def test_one_that_goes_is_named_with_the_interfaces_that_it_came_with(face: Face, client: Client, recorder: Recorder) -> None:
    came = set(client.objects()[path_of(1)])
    assert CONTAINER in came
    face.do("exit", id=container_id(1))
    (gone,) = [signal for signal in face.told(recorder) if signal.member == "InterfacesRemoved"]
    assert (gone.args[0], set(gone.args[1])) == (path_of(1), came)
    assert set(client.objects()) & {path_of(1), path_of(2)} == {path_of(2)}


@pytest.mark.parametrize("leave", [{"do": "exit", "id": container_id(1)}, {"do": "remove_engine", "name": "docker"}])
def test_an_answer_can_come_when_the_container_has_gone(
        bus: Bus, face: Face, client: Client, leave: dict[str, str]) -> None:
    face.do("hold_control")
    call = ["busctl", "--system", "call", NAME, path_of(1), CONTAINER]
    with subprocess.Popen([*call, "Inspect"], env=bus.environment(), stdout=subprocess.PIPE, text=True) as asker:
        face.wait_for_event(f"control docker {container_id(1)} inspect")
        face.do_at_once([leave])
        assert error_of(client.property, path_of(1), CONTAINER, "Name") == "UnknownObject"
        face.do("answer_control")
        assert asker.communicate(timeout=20)[0] == 's "{\\"Id\\":\\"played\\"}"\n'
    assert asker.returncode == 0


def test_an_engine_that_comes_back_has_the_containers_that_it_has_now(face: Face, client: Client) -> None:
    face.do("remove_engine", name="docker")
    assert error_of(client.call, FOLDER, INTROSPECTABLE, "Introspect") == "UnknownObject"
    face.watch("docker")
    face.do("start", id=container_id(2), name="again", pid=2)
    assert node(client, FOLDER) == ({element(2)}, set())
    assert client.property(path_of(2), CONTAINER, "Name") == "again"
    assert error_of(client.property, path_of(1), CONTAINER, "Name") == "UnknownObject"
