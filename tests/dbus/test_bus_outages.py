"""When the bus goes, stands still, or gives the name to somebody else."""

import os
import signal
from pathlib import Path
from typing import Callable, Iterator

import dbus
import dbus.bus
import pytest
from face import Face, container_id
from lab.bus import Bus
from lab.clients import ROOT, Client, busctl
from lab.record_signals import NAME
from lab.recorder import MANAGER, Recorder

DRIVER = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")


def wait_for_owner(bus: Bus, recorder: Recorder) -> None:
    connection = dbus.bus.BusConnection(bus.address)
    if not connection.name_has_owner(NAME):
        recorder.wait_for("NameOwnerChanged", where=lambda signal_: signal_.args[2] != "")
    connection.close()


@pytest.fixture
def rival(bus: Bus) -> Iterator[dbus.bus.BusConnection]:
    """Somebody else who may own the name."""
    connection = dbus.bus.BusConnection(bus.address)
    yield connection
    connection.close()


def test_without_a_bus_it_ends_and_says_which_bus_there_is_not(bus: Bus, make_face: Callable[..., Face]) -> None:
    nowhere = bus.environment() | {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent/bus"}
    face = make_face(environment=nowhere, ends_with=1)
    assert face.wait() == 1
    assert "Can't connect to the system bus (unix:path=/nonexistent/bus)" in face.log()
    assert "No such file or directory" in face.log()


def test_a_user_s_daemon_is_on_the_session_bus(bus: Bus, make_face: Callable[..., Face], client: Client) -> None:
    session = bus.environment() | {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent/bus",
                                   "DBUS_SESSION_BUS_ADDRESS": bus.address}
    face = make_face("--user", environment=session)
    face.watch()
    face.do("publish")
    assert sorted(client.engines()) == ["docker"]
    client.manager("Reload")
    face.wait_for_event("reload")


def test_a_name_that_is_taken_is_fatal_and_the_owner_keeps_it(
        bus: Bus, face: Face, make_face: Callable[..., Face], client: Client) -> None:
    face.do("start", id=container_id(1), pid=7)
    second = make_face()
    second.watch()
    second.do("publish")
    second.wait_for_event(f"fatal The bus name {NAME} is taken, by process {face.pid}; is the daemon running already?")
    assert set(client.list().by_id()) == {container_id(1)}
    assert face.events() == []


def test_a_policy_that_refuses_the_name_is_fatal(bus: Bus, make_face: Callable[..., Face]) -> None:
    configuration = bus.folder / "bus.conf"
    text = configuration.read_text()
    configuration.write_text(text.replace("</busconfig>", """<policy context="mandatory">
        <deny own="org.shorewatch1"/></policy></busconfig>"""))
    busctl(bus, "call", *DRIVER, "ReloadConfig")
    face = make_face(bus=bus)
    face.do("publish")
    face.wait_for_event(f"fatal The bus's policy does not let us own the name {NAME}; is the policy file installed, "
                        "and does it name this user?")


def test_a_name_that_is_taken_over_is_fatal(
        face: Face, rival: dbus.bus.BusConnection) -> None:
    assert rival.request_name(NAME, dbus.bus.NAME_FLAG_REPLACE_EXISTING) == dbus.bus.REQUEST_NAME_REPLY_PRIMARY_OWNER
    face.wait_for_event(f"fatal The bus name {NAME} was taken over")


def test_a_bus_that_was_restarted_gets_everything_again(bus: Bus, face: Face, recorder: Recorder) -> None:
    for number in (1, 2):
        face.do("start", id=container_id(number), project="shop", pid=number)
    client = Client(bus)
    instance, before = client.property(ROOT, MANAGER, "InstanceId"), client.list()
    client.close()
    bus.stop()
    face.do("exit", id=container_id(1))
    face.do("start", id=container_id(3), project="other", pid=3)
    bus.start()
    again = Recorder(bus)
    try:
        wait_for_owner(bus, again)
        client = Client(bus)
        after = client.list()
        assert client.property(ROOT, MANAGER, "InstanceId") == instance
        assert after.sequence == before.sequence + 2
        assert set(after.by_id()) == {container_id(2), container_id(3)}
        assert {path for path in client.objects() if "/projects/" in path} == {
            ROOT + "/engines/docker/projects/shop", ROOT + "/engines/docker/projects/other"}
        client.close()
        face.do("exit", id=container_id(2))
        assert again.wait_for("ContainerExited").sequence == after.sequence + 1
        assert "ContainerStarted" not in [signal_.member for signal_ in again.signals.all()]
    finally:
        again.close()
    assert "Lost the bus" in face.log() and "Connected to the bus again" in face.log()


def test_a_rival_that_has_the_name_on_the_restarted_bus_is_fatal(bus: Bus, face: Face) -> None:
    os.kill(face.pid, signal.SIGSTOP)
    bus.stop()
    bus.start()
    rival = dbus.bus.BusConnection(bus.address)
    try:
        rival.request_name(NAME, dbus.bus.NAME_FLAG_ALLOW_REPLACEMENT)
        os.kill(face.pid, signal.SIGCONT)
        face.wait_for_event(
            f"fatal The bus name {NAME} is taken, by process {os.getpid()}; is the daemon running already?", 20)
    finally:
        rival.close()


@pytest.fixture
def tight_bus(folder: Path) -> Iterator[Bus]:
    """Takes little from a sender whose messages have not been read."""
    part = Bus(folder / "tight", {"max_incoming_bytes": 1_000_000})
    part.start()
    yield part
    part.sweep()


# How many pauses and unpauses, of about 1.5 kB together. With few, all that the bus does not read fits into the socket,
# and nothing waits within the daemon: it has to notice that otherwise.
@pytest.mark.parametrize("count", [5000, 1500])
def test_a_subscriber_that_never_reads_stops_nobody_else(
        tight_bus: Bus, make_face: Callable[..., Face], count: int) -> None:
    recorder, dead = Recorder(tight_bus), Recorder(tight_bus)
    face = make_face(bus=tight_bus)
    try:
        face.do("publish")
        face.watch()
        face.do("start", id=container_id(1), name="web", pid=7)
        client = Client(tight_bus)
        instance = client.property(ROOT, MANAGER, "InstanceId")
        client.close()
        old = recorder.wait_for("NameOwnerChanged").args[2]
        dead.freeze()
        face.do("flood", id=container_id(1), count=count)
        face.wait_for_event("flooded", 60)
        changed = recorder.wait_for("NameOwnerChanged", seconds=60, where=lambda signal_: signal_.args[1] == old)
        new = changed.args[2]
        # From the one to the other: there was no time without an owner.
        assert new not in ("", old)
        client = Client(tight_bus)
        assert client.property(ROOT, MANAGER, "InstanceId") == instance
        listed = client.list()
        client.close()
        assert listed.sequence == 2 + 2 * count
        face.do("start", id=container_id(2), name="db", pid=8)
        assert recorder.wait_for("ContainerStarted", "db").sequence == listed.sequence + 1
        assert [signal_.sequence for signal_ in recorder.signals.all()
                if signal_.sender == new and signal_.sequence] == [listed.sequence + 1]
    finally:
        dead.close()
        recorder.close()
