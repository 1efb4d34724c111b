"""Containers that are made of images: what is unpacked, what stays, and what is left of images that are none."""

import json
from typing import Any, Callable, Iterator

import dbus
import pytest

from lab.busybox import digest_of, layer, oci_archive
from lab.containerd import Containerd
from lab.recorder import Recorder
from lab.runtime import ERROR, NAMESPACE, Events, Runtime, refused

SNAPSHOTS = ("snapshots", "--snapshotter", "native")


def snapshots(containerd: Containerd) -> set[str]:
    lines = containerd.ctr(*SNAPSHOTS, "ls", namespace=NAMESPACE).splitlines()[1:]
    return {line.split()[0] for line in lines}


def test_a_container_of_an_image(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, containerd: Containerd, id_: str) -> None:
    image = "docker.io/library/busybox:latest"
    assert refused(runtime.create, id_, spec(id_, "true"), Image="nothing/of:that") == ERROR + "NoSuchImage"
    containerd.need_image(NAMESPACE)
    config = json.loads(runtime.call("ImageConfig", image, {}))
    assert config["config"] == {"Env": ["PATH=/bin"], "Cmd": ["sh"]}
    runtime.create(id_, spec(id_, "sh", "-c", "echo > /made; echo done"), Image=image)
    assert id_ in snapshots(containerd)
    with runtime.start(id_) as started:
        assert started.read_all() == b"done\n"
    Events(recorder, id_).wait("exit")
    assert runtime.listing()[id_]["Image"] == image
    runtime.call("Delete", id_)
    assert id_ not in snapshots(containerd)
    assert containerd.ctr("leases", "ls", "--quiet", namespace=NAMESPACE) == ""


def test_an_image_is_unpacked_when_it_is_not_yet(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, containerd: Containerd, id_: str) -> None:
    name = "docker.io/library/packed:latest"
    containerd.need_image(NAMESPACE, name, ("sh",))
    # What ctr has unpacked goes with the namespace's snapshots; the content stays.
    for snapshot in snapshots(containerd):
        containerd.ctr(*SNAPSHOTS, "rm", snapshot, namespace=NAMESPACE)
    runtime.create(id_, spec(id_, "sh", "-c", "echo unpacked"), Image=name)
    with runtime.start(id_) as started:
        assert started.read_all() == b"unpacked\n"
    Events(recorder, id_).wait("exit")


@pytest.fixture
def broken_image(containerd: Containerd) -> Iterator[Callable[..., str]]:
    """Imports an image that was never unpacked, and of which something is wrong. Its name."""
    name = "docker.io/library/broken:latest"

    def make(**parts: Any) -> str:
        containerd.import_image(NAMESPACE, oci_archive(name, **parts), "--no-unpack")
        return name

    yield make
    containerd.ctr("images", "rm", "--sync", name, namespace=NAMESPACE)


@pytest.mark.parametrize("parts, words", [
    ({"files": b"no archive at all" * 100}, "tar"),
    ({"files": layer()[:100_000]}, "EOF"),
    ({"diff_ids": [digest_of(b"something else")]}, "not what the image's configuration says"),
    ({"diff_ids": []}, "other layers than its manifest"),
], ids=["no-archive", "cut", "another-layer", "no-layers"])
def test_a_broken_image_is_refused_and_leaves_nothing(
        runtime: Runtime, spec: Callable[..., Any], containerd: Containerd, broken_image: Callable[..., str], id_: str,
        parts: dict[str, Any], words: str) -> None:
    image = broken_image(**parts)
    before = snapshots(containerd)
    with pytest.raises(dbus.DBusException) as caught:
        runtime.create(id_, spec(id_, "true"), Image=image)
    assert words in caught.value.get_dbus_message()
    assert caught.value.get_dbus_name() == ERROR + "EngineError"
    assert snapshots(containerd) == before
    assert containerd.ctr("leases", "ls", "--quiet", namespace=NAMESPACE) == ""
    assert id_ not in containerd.ctr("containers", "ls", "--quiet", namespace=NAMESPACE).split()
    # The id is free.
    runtime.create(id_, spec(id_, "true"))
    runtime.call("Delete", id_)
