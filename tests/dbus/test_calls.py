"""What the methods answer, and the errors that they answer with."""

import subprocess
from typing import Any, Callable

import dbus
import pytest
from face import Face, container_id
from lab.bus import Bus
from lab.clients import ROOT, Client, run
from lab.record_signals import NAME
from lab.recorder import MANAGER

ENGINE = ROOT + "/engines/docker"
INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"
NO_SUCH_CONTAINER = "org.shorewatch1.Error.NoSuchContainer"


def path_of(number: int, engine: str = ENGINE) -> str:
    id_ = container_id(number)
    return f"{engine}/containers/_{ord(id_[0]):02x}{id_[1:]}"


@pytest.fixture(autouse=True)
def containers(face: Face) -> None:
    """1 web and 2 db of shop, 3 lone of no project, 4 web of shop on another engine."""
    face.watch("other")
    face.do("start", id=container_id(1), name="web", project="shop", pid=11, labels={"tier": "front", "a=b": "c=d"})
    face.do("start", id=container_id(2), name="db", project="shop", pid=12, labels={"tier": "back"}, paused=True)
    face.do("start", id=container_id(3), name="lone", pid=13, pod="pod1", pod_id="f00d", labels={"empty": ""})
    face.do("start", engine="other", id=container_id(4), name="web", project="shop", pid=14)


def error_of(call: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[str, str]:
    """The name and the text of the error that the call ends with."""
    with pytest.raises(dbus.DBusException) as caught:
        call(*arguments, **options)
    return caught.value.get_dbus_name(), caught.value.get_dbus_message()


@pytest.mark.parametrize("filters, numbers", [
    ({}, {1, 2, 3, 4}),
    ({"engine": "docker"}, {1, 2, 3}),
    ({"engine": "none"}, set()),
    ({"project": "shop"}, {1, 2, 4}),
    ({"project": ""}, {3}),
    ({"name": "web"}, {1, 4}),
    ({"name": "we"}, set()),
    ({"label": "tier"}, {1, 2}),
    ({"label": "tier=front"}, {1}),
    ({"label": "tier="}, set()),
    ({"label": "empty="}, {3}),
    ({"label": "a=b=c=d"}, {1}),
    ({"label": ["tier", "a=b=c=d"]}, {1}),
    ({"label": dbus.Array([], signature="s")}, {1, 2, 3, 4}),
    ({"paused": True}, {2}),
    ({"paused": False}, {1, 3, 4}),
    ({"pod": "pod1"}, {3}),
    ({"pod": "f00d"}, {3}),
    ({"engine": "docker", "project": "shop", "paused": False}, {1}),
])
def test_filters_must_all_match(client: Client, filters: dict[str, Any], numbers: set[int]) -> None:
    assert set(client.list(**filters).by_id()) == {container_id(number) for number in numbers}


@pytest.mark.parametrize("filters, named", [
    ({"colour": "red"}, "'colour'"),
    ({"engine": 1}, "'engine' takes type s, not i"),
    ({"paused": "yes"}, "'paused' takes type b, not s"),
    ({"label": True}, "'label' takes type s or as, not b"),
    ({"label": [1]}, "'label' takes type s or as, not ai"),
])
def test_a_filter_that_is_unknown_or_of_the_wrong_type_is_named(
        client: Client, filters: dict[str, Any], named: str) -> None:
    name, text = error_of(client.list, **filters)
    assert name == INVALID_ARGS
    assert named in text


def test_the_answer_of_list_says_which_signals_it_includes(client: Client, face: Face) -> None:
    before = client.list()
    assert before.sequence == client.property(ROOT, MANAGER, "Sequence")
    face.do("exit", id=container_id(1))
    after = client.list()
    assert after.sequence == before.sequence + 1
    assert set(before.by_id()) - set(after.by_id()) == {container_id(1)}


def test_the_length_of_the_queue_can_be_read(client: Client, face: Face) -> None:
    assert client.property(ROOT, MANAGER, "QueueLength") == 0
    face.do("queue", length=70_000)
    assert client.property(ROOT, MANAGER, "QueueLength") == 70_000


@pytest.mark.parametrize("wanted, number", [
    (container_id(2), 2), ("db", 2), ("lone", 3), (container_id(3)[:8], 3), (container_id(4)[:63], 4)])
def test_a_container_is_found_by_id_by_name_and_by_the_beginning_of_its_id(
        client: Client, wanted: str, number: int) -> None:
    assert client.manager("GetContainer", wanted) == path_of(number, ROOT + "/engines/other" if number == 4 else ENGINE)


@pytest.mark.parametrize("wanted", ["nothing", "", container_id(5), container_id(1) + "0", "000"])
def test_a_container_that_is_not_alive_is_not_found(client: Client, wanted: str) -> None:
    name, text = error_of(client.manager, "GetContainer", wanted)
    assert name == NO_SUCH_CONTAINER
    assert f"'{wanted}'" in text


def test_an_ambiguous_name_is_answered_with_where_each_is(client: Client) -> None:
    name, text = error_of(client.manager, "GetContainer", "web")
    assert name == "org.shorewatch1.Error.Ambiguous"
    for number, engine in ((1, "docker"), (4, "other")):
        assert f"'web' (engine '{engine}', project 'shop', id {container_id(number)})" in text


def test_an_error_names_ten_of_many_ambiguous_containers(client: Client, face: Face) -> None:
    for number in range(20, 50):
        face.do("start", id=container_id(number), name="same", pid=number)
    _, text = error_of(client.manager, "GetContainer", "same")
    assert text.startswith("'same' could be any of 30: ")
    assert text.count("project ''") == 10
    assert " and others" in text


def test_engines_and_projects_find_what_they_have(client: Client) -> None:
    def engine(method: str, argument: str) -> Any:
        return client.call(ENGINE, NAME + ".Engine", method, argument)

    def shop(argument: str) -> Any:
        return client.call(ENGINE + "/projects/shop", NAME + ".Project", "GetContainer", argument)

    assert engine("GetProject", "shop") == ENGINE + "/projects/shop"
    assert engine("GetProject", "") == ENGINE + "/projects/_"
    assert engine("GetContainer", "web") == engine("GetContainer", container_id(1)) == path_of(1)
    assert shop("db") == shop(container_id(2)) == path_of(2)
    assert error_of(engine, "GetProject", "none")[0] == "org.shorewatch1.Error.NoSuchProject"
    assert error_of(engine, "GetContainer", container_id(4))[0] == NO_SUCH_CONTAINER
    assert error_of(shop, "lone")[0] == NO_SUCH_CONTAINER


def test_projects_list_their_containers_in_one_order(client: Client) -> None:
    shop = client.properties(ENGINE + "/projects/shop", NAME + ".Project")
    assert shop == {"Name": "shop", "Engine": ENGINE, "ContainerNames": ["db", "web"],
                    "Containers": [path_of(2), path_of(1)]}
    assert client.properties(ENGINE + "/projects/_", NAME + ".Project")["ContainerNames"] == ["lone"]


def test_engines_count_what_they_have(client: Client) -> None:
    docker = client.engines()["docker"]
    assert (docker["ContainerTotal"], docker["ProjectNames"], docker["State"]) == (3, ["shop"], "watching")
    assert sorted(client.engines()) == ["docker", "other"]


def test_reload_and_resync_reach_the_daemon(client: Client, face: Face) -> None:
    client.manager("Reload")
    client.call(ENGINE, NAME + ".Engine", "Resync")
    face.wait_for_event("resync docker")
    assert face.events() == ["reload", "resync docker"]


def test_a_configuration_that_cannot_be_used_is_answered_with_what_is_wrong(client: Client, face: Face) -> None:
    face.do("fail_reload", why="/etc/shorewatch/shorewatch.toml:3:1: unknown key 'nmae'; expected name")
    assert error_of(client.manager, "Reload") == (
        "org.shorewatch1.Error.InvalidConfiguration",
        "/etc/shorewatch/shorewatch.toml:3:1: unknown key 'nmae'; expected name")


def test_others_than_root_may_read_and_not_change(bus: Bus, face: Face, client: Client) -> None:
    # The group is not there on every machine, so that the bus is asked to let everybody in.
    configuration = bus.folder / "bus.conf"
    text = configuration.read_text()
    configuration.write_text(text.replace("</busconfig>", """<policy context="mandatory">
        <allow send_destination="org.shorewatch1"/></policy></busconfig>"""))
    run(bus, "busctl", "--system", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "ReloadConfig")

    def as_nobody(path: str, method: str) -> subprocess.CompletedProcess[str]:
        return run(bus, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "dbus-send", "--system",
                   "--print-reply", f"--dest={NAME}", path, f"{NAME}.{method}")

    bus.folder.parent.chmod(0o755)
    assert as_nobody(ROOT, "Manager.ListEngines").returncode == 0
    for path, method in ((ROOT, "Manager.Reload"), (ENGINE, "Engine.Resync")):
        refused = as_nobody(path, method)
        assert refused.returncode != 0
        assert refused.stderr.startswith("Error org.freedesktop.DBus.Error.AccessDenied: Only root may have ")
    assert face.events() == []
