"""What is on the bus is what the installed XML says."""

import xml.etree.ElementTree as ElementTree

import pytest

from face import Face, container_id
from lab.bus import Bus
from lab.clients import ROOT, Client, busctl, gdbus, run
from lab.paths import SOURCE
from lab.record_signals import NAME

XML = SOURCE / "dbus" / "interfaces"
ENGINE = ROOT + "/engines/docker"
OBJECTS = {
    "Manager": ROOT,
    "Engine": ENGINE,
    "Project": ENGINE + "/projects/shop",
    "Container": f"{ENGINE}/containers/_{ord('0'):02x}{container_id(0)[1:]}",
}
KINDS = sorted(OBJECTS)


def interface_of(text: str, name: str) -> dict[str, object]:
    """Members with their arguments and annotations, as plain values."""
    (interface,) = [child for child in ElementTree.fromstring(text) if child.get("name") == name]
    members: dict[str, object] = {}
    for member in interface:
        arguments = [(arg.get("name"), arg.get("type"), arg.get("direction", "out")) for arg in member.iter("arg")]
        annotations = {a.get("name"): a.get("value") for a in member.iter("annotation")}
        # true is what is meant where nothing is said; the other one is for the generator of code alone.
        annotations = {key: value for key, value in annotations.items()
                       if value != "true" and key != "org.freedesktop.DBus.Method.Async"}
        members[member.get("name", "")] = (member.tag, member.get("type"), member.get("access"), arguments, annotations)
    return members


def contract(kind: str) -> dict[str, object]:
    return interface_of((XML / f"{NAME}.{kind}.xml").read_text(), f"{NAME}.{kind}")


def property_types(kind: str) -> dict[str, str]:
    return {name: member[1] for name, member in contract(kind).items() if member[0] == "property"}  # type: ignore


@pytest.fixture(autouse=True)
def container(face: Face) -> None:
    face.do("start", id=container_id(0), name="web", project="shop", pid=7, labels={"a": "b"})


@pytest.mark.parametrize("kind", KINDS)
def test_introspection_says_what_the_xml_says(client: Client, kind: str) -> None:
    text = client.call(OBJECTS[kind], "org.freedesktop.DBus.Introspectable", "Introspect")
    assert interface_of(text, f"{NAME}.{kind}") == contract(kind)


# The played engine has no runtime and no tasks: test_runtime.py and test_tasks.py of tests/engines ask real ones.
@pytest.mark.parametrize("kind", [*KINDS, "Runtime", "Task", "TaskEngine"])
def test_every_member_and_argument_has_a_doc_comment(kind: str) -> None:
    builder = ElementTree.TreeBuilder(insert_comments=True)
    root = ElementTree.fromstring((XML / f"{NAME}.{kind}.xml").read_text(), ElementTree.XMLParser(target=builder))
    (interface,) = root.iter("interface")
    children = list(interface)
    for before, member in zip([None, *children], children):
        if member.tag is ElementTree.Comment:
            continue
        assert before is not None and before.tag is ElementTree.Comment, member.get("name")
        lines = [line.strip() for line in (before.text or "").strip().splitlines()]
        assert lines[0] == f"{member.get('name')}:"
        documented = [line[1:].split(":")[0] for line in lines if line.startswith("@")]
        assert documented == [arg.get("name") for arg in member.iter("arg")] + ["since"], member.get("name")
        assert lines[-1] and lines[-1] != documented[-1], f"{member.get('name')} has no text"


@pytest.mark.parametrize("kind", KINDS)
def test_all_properties_can_be_read_and_have_their_types(bus: Bus, kind: str) -> None:
    answer = busctl(bus, "call", NAME, OBJECTS[kind], "org.freedesktop.DBus.Properties", "GetAll", "s", f"{NAME}.{kind}")
    assert {name: value["type"] for name, value in answer["data"][0].items()} == property_types(kind)


@pytest.mark.parametrize("method, kind", [("ListContainers", "Container"), ("ListEngines", "Engine")])
def test_lists_carry_all_properties_with_their_types_and_values(bus: Bus, method: str, kind: str) -> None:
    arguments = ["a{sv}", "0"] if method == "ListContainers" else []
    answer = busctl(bus, "call", NAME, ROOT, NAME + ".Manager", method, *arguments)
    ((path, row),) = answer["data"][-1]
    assert path == OBJECTS[kind]
    assert {name: value["type"] for name, value in row.items()} == property_types(kind)
    properties = busctl(bus, "call", NAME, path, "org.freedesktop.DBus.Properties", "GetAll", "s", f"{NAME}.{kind}")
    assert row == properties["data"][0]


def test_the_object_manager_has_every_object_with_the_properties_that_the_objects_have(client: Client) -> None:
    objects = client.objects()
    assert set(objects) == set(OBJECTS.values()) - {ROOT}
    for kind in set(KINDS) - {"Manager"}:
        interface = f"{NAME}.{kind}"
        assert objects[OBJECTS[kind]][interface] == client.properties(OBJECTS[kind], interface)


def test_other_clients_can_walk_the_tree(bus: Bus) -> None:
    tree = run(bus, "busctl", "--system", "--list", "tree", NAME)
    assert set(OBJECTS.values()) < set(tree.stdout.split())
    members = run(bus, "busctl", "--system", "introspect", NAME, ROOT)
    assert ".ListContainers" in members.stdout and not members.stderr
    nodes = gdbus(bus, "introspect", "--address", bus.address, "--dest", NAME, "--object-path", ROOT, "--recurse")
    for path in OBJECTS.values():
        assert f"node {path} {{" in nodes
