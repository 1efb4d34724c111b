"""What callers get wrong, or on purpose: refused by name, naming the field, and nothing comes of it."""

import json
from pathlib import Path
from typing import Any, Callable

import dbus
import pytest

from lab.bus import Bus
from lab.containerd import Containerd
from lab.daemon import Daemon
from lab.runtime import ERROR, INVALID_ARGS, NAMESPACE, Runtime, refused

MIB = 1 << 20
BAD_IDS = ["", "a/b", "..", ".", "a" * 300, "-a", "a-", "a..b", "a b", "a\nb", "é", "a\u202eb", "\U0001f433"]


@pytest.fixture(autouse=True)
def nothing_comes_of_it(runtime: Runtime, runtime_daemon: Daemon, containerd: Containerd) -> Any:
    yield
    assert runtime.listing() == {}
    folder = runtime_daemon.state / "runtime/containerd"
    assert not folder.exists() or not list(folder.iterdir())
    assert containerd.ctr("containers", "ls", "--quiet", namespace=NAMESPACE) == ""
    assert containerd.ctr("leases", "ls", "--quiet", namespace=NAMESPACE) == ""


def words(function: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[str, str]:
    """Of the error: its name, and what it says."""
    with pytest.raises(dbus.DBusException) as caught:
        function(*arguments, **options)
    return caught.value.get_dbus_name(), caught.value.get_dbus_message()


@pytest.mark.parametrize("bad", BAD_IDS, ids=range(len(BAD_IDS)))
def test_ids_that_are_none(runtime: Runtime, spec: Callable[..., Any], bad: str) -> None:
    name, said = words(runtime.create, bad, spec("x", "true"))
    assert name == INVALID_ARGS and "id" in said and len(said) < 1000
    for method in ("Status", "Delete", "DeleteTask", "Stats", "Pause"):
        assert refused(runtime.call, method, bad) == ERROR + "NoSuchContainer"


BAD_SPECIFICATIONS = {
    "empty": "", "array": "[]", "number": "7", "null": "null", "cut": "{", "process": '{"process": 7}',
    "terminal": '{"process": {"terminal": "yes"}}', "long": '{"a": "' + "x" * MIB + '"}', "brackets": "[" * 100_000,
    "deep": '{"a":' * 1000 + "1" + "}" * 1000}


@pytest.mark.parametrize("bad", list(BAD_SPECIFICATIONS.values()), ids=list(BAD_SPECIFICATIONS))
def test_specifications_that_are_none(runtime: Runtime, bad: str, id_: str) -> None:
    assert refused(runtime.create, id_, bad) == ERROR + "InvalidSpec"


def test_what_runc_does_not_take_for_a_specification_can_be_deleted_again(
        runtime: Runtime, spec: Callable[..., Any], id_: str) -> None:
    wrong = spec(id_, "true")
    wrong["process"]["args"] = "true"
    runtime.create(id_, wrong)
    assert refused(runtime.start, id_) == ERROR + "InvalidSpec"
    runtime.call("Delete", id_)


@pytest.mark.parametrize("options, field", [
    ({"Namespace": 7}, "Namespace"), ({"Image": True}, "Image"), ({"Labels": "a=b"}, "Labels"),
    ({"Labels": dbus.Dictionary({"a": 1}, signature="si")}, "Labels"), ({"RemoveOnExit": "yes"}, "RemoveOnExit"),
    ({"Snapshotter": "native"}, "Snapshotter"), ({"Snapshotter": "../x", "Image": "y"}, "Snapshotter"),
    ({"Namespace": "k8s.io"}, "Namespace"), ({"Namespace": "moby"}, "Namespace"), ({"Namespace": "../x"}, "Namespace"),
    ({"Labels": {"": "x"}}, "Labels"), ({"Labels": {"org.shorewatch.runtime": "2"}}, "Labels"),
    ({"Labels": {"a": "x" * 5000}}, "Labels"), ({"Labels": {str(n): "x" * 4000 for n in range(20)}}, "Labels"),
    ({"Colour": "blue"}, "Colour")])
def test_options_of_create(
        runtime: Runtime, spec: Callable[..., Any], options: dict[str, Any], field: str, id_: str) -> None:
    name, said = words(runtime.create, id_, spec(id_, "true"), **options)
    assert name == INVALID_ARGS and field in said


def test_options_of_processes(runtime: Runtime, spec: Callable[..., Any], id_: str) -> None:
    runtime.create(id_, spec(id_, "true"))
    for options, field in (({"Terminal": "yes"}, "Terminal"), ({"Discard": 1}, "Discard"), ({"Stdin": ""}, "Stdin"),
                           ({"CheckpointDirectory": "relative"}, "CheckpointDirectory"), ({"Tty": True}, "Tty"),
                           ({"Terminal": True, "Discard": True}, "Discard")):
        name, said = words(runtime.start, id_, **options)
        assert name == INVALID_ARGS and field in said
    for options in ({"CheckpointDirectory": "/tmp"}, {"Terminal": 1}):
        assert refused(runtime.exec, id_, "it", "true", **options) == INVALID_ARGS
    assert refused(runtime.call, "Restore", id_, {"Terminal": True}) == INVALID_ARGS
    assert refused(runtime.call, "List", {"All": True}) == INVALID_ARGS
    runtime.call("Delete", id_)


def test_there_are_no_more_containers_than_configured(
        start_runtime_daemon: Callable[..., Daemon], runtime_daemon: Daemon, containerd: Containerd, bus: Bus,
        runtime: Runtime, spec: Callable[..., Any], id_: str) -> None:
    runtime_daemon.configuration.write_text(runtime_daemon.configuration.read_text() + "most_containers = 2\n")
    runtime.reload()
    runtime.wait_until(lambda: runtime.answers(), "the runtime to be there again")
    for number in (1, 2):
        runtime.create(f"{id_}-{number}", spec(id_, "true"))
    name, said = words(runtime.create, f"{id_}-3", spec(id_, "true"))
    assert name == "org.freedesktop.DBus.Error.LimitsExceeded" and "most_containers" in said
    runtime.call("Delete", f"{id_}-1")
    runtime.create(f"{id_}-3", spec(id_, "true"))
    for number in (2, 3):
        runtime.call("Delete", f"{id_}-{number}")


def test_specifications_of_almost_a_mebibyte_are_taken(
        runtime: Runtime, spec: Callable[..., Any], id_: str, folder: Path) -> None:
    large = spec(id_, "true")
    large["annotations"] = {"filler": "x" * (MIB - len(json.dumps(large)) - 100)}
    runtime.create(id_, large)
    runtime.call("Delete", id_)
