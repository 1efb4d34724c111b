"""Who may do what on a real system bus, dbus-daemon's and dbus-broker's, with systemd and polkit beside it."""

import json
import subprocess
from typing import Iterator

import pytest
from installed import MEMBER, OTHER_MEMBER, STRANGER, UNIT, Installed

from lab.clients import Client
from lab.guest import Guest
from lab.recorder import Recorder

INSPECT_FOR_ONE = """
polkit.addRule(function(action, subject) {
    if (action.id == "org.shorewatch1.inspect" && subject.user == "%s") return polkit.Result.YES;
});
"""
NO = "polkit.addRule(function(action, subject) { return polkit.Result.NO; });"
LIST = ("org.shorewatch1", "/org/shorewatch1", "org.shorewatch1.Manager", "ListContainers", "a{sv}", "0")


@pytest.fixture(scope="module", params=["dbus-daemon", "dbus-broker"])
def guest_bus(request: pytest.FixtureRequest) -> str:
    bus: str = request.param
    return bus


@pytest.fixture
def web(installed: Installed, recorder: Recorder, client: Client) -> Iterator[str]:
    """The path of a container."""
    installed.start()
    installed.run_container("web")
    yield recorder.wait_for("ContainerStarted", "web").object


def call(guest: Guest, user: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return guest.run("busctl", "--system", "--json=short", "call", *arguments, user=user, check=False)


def error_of(guest: Guest, user: str, path: str, method: str, *arguments: str) -> str:
    """What the call fails with, or nothing."""
    return guest.run("gdbus", "call", "--system", "--dest", "org.shorewatch1", "--object-path", path, "--method",
                     f"org.shorewatch1.{method}", *arguments, user=user, check=False).stderr


def test_the_bus_is_the_one_that_it_should_be(guest: Guest, installed: Installed, guest_bus: str) -> None:
    assert guest.run("systemctl", "is-active", f"{guest_bus}.service" if "broker" in guest_bus else "dbus.service"
                     ).stdout == "active\n"
    running = guest.run("ps", "-e", "-o", "comm=").stdout.split()
    assert guest_bus in running and ({"dbus-daemon", "dbus-broker"} - {guest_bus}).isdisjoint(running)


def test_a_call_of_a_member_of_the_group_starts_the_daemon(guest: Guest, installed: Installed) -> None:
    installed.run_container("web")
    assert installed.show("ActiveState") == "inactive"
    done = call(guest, MEMBER, *LIST)
    assert done.returncode == 0, done.stderr
    _, containers = json.loads(done.stdout)["data"]
    assert [properties["Name"]["data"] for _, properties in containers] == ["web"]
    assert installed.show("ActiveState") == "active"


def test_who_is_not_in_the_group_is_refused(guest: Guest, installed: Installed, guest_bus: str) -> None:
    done = call(guest, STRANGER, *LIST)
    assert done.returncode != 0 and "denied" in done.stderr.lower(), done.stderr
    # dbus-broker has a service started for whoever calls it, and looks only then who may.
    assert installed.show("ActiveState") == "inactive" or guest_bus == "dbus-broker"
    installed.start()
    done = call(guest, STRANGER, *LIST)
    assert done.returncode != 0 and "denied" in done.stderr.lower(), done.stderr


def test_who_is_not_in_the_group_is_told_nothing(guest: Guest, installed: Installed, web: str) -> None:
    cursor = installed.cursor()

    def heard(user: str, pattern: str) -> str:
        return guest.wait_for_line(pattern, 30, "journalctl", "--no-pager", "--follow", f"--after-cursor={cursor}",
                                   "--unit", f"hears-{user}")

    for user in (MEMBER, STRANGER):
        guest.run("systemd-run", f"--unit=hears-{user}", f"--uid={user}", "--collect", "gdbus", "monitor", "--system",
                  "--dest", "org.shorewatch1")
        heard(user, "is owned by")
    installed.run_container("db")
    heard(MEMBER, "ContainerStarted")
    guest.run("systemctl", "stop", UNIT)
    # What the bus itself says, which comes after all else.
    assert "ContainerStarted" not in heard(STRANGER, "does not have an owner")
    for user in (MEMBER, STRANGER):
        guest.run("systemctl", "stop", f"hears-{user}")


def test_nobody_else_can_take_the_name(guest: Guest, installed: Installed) -> None:
    taking = ("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "RequestName", "su", "org.shorewatch1", "4")
    for user in (MEMBER, STRANGER):
        done = call(guest, user, *taking)
        assert done.returncode != 0, done.stdout


def test_root_may_do_everything_whatever_polkit_says(
        guest: Guest, installed: Installed, web: str, client: Client) -> None:
    installed.rules(NO)
    assert json.loads(client.call(web, "org.shorewatch1.Container", "Inspect"))["Name"] == "/web"
    client.call(web, "org.shorewatch1.Container", "Pause")
    client.call(web, "org.shorewatch1.Container", "Unpause")
    client.manager("Reload")


def test_a_member_of_the_group_may_only_read(guest: Guest, installed: Installed, web: str) -> None:
    for method in (["Inspect"], ["OpenPIDFD"], ["GetAddresses"], ["OpenNamespaces", "[]"], ["Pause"], ["Kill", "9"]):
        assert "has to authenticate" in error_of(guest, MEMBER, web, f"Container.{method[0]}", *method[1:]), method
    assert "has to authenticate" in error_of(guest, MEMBER, "/org/shorewatch1", "Manager.Reload")
    assert "has to authenticate" in error_of(guest, MEMBER, "/org/shorewatch1/engines/docker", "Engine.Resync")
    assert "org.shorewatch1.run" in error_of(guest, MEMBER, "/org/shorewatch1/engines/containerd", "Runtime.Delete", "x")


def test_a_rule_lets_one_user_inspect_and_nothing_else(guest: Guest, installed: Installed, web: str) -> None:
    installed.rules(INSPECT_FOR_ONE % MEMBER)
    done = call(guest, MEMBER, "org.shorewatch1", web, "org.shorewatch1.Container", "Inspect")
    assert done.returncode == 0, done.stderr
    [inspection] = json.loads(done.stdout)["data"]
    assert json.loads(inspection)["Name"] == "/web"
    assert "has to authenticate" in error_of(guest, MEMBER, web, "Container.Pause")
    assert "has to authenticate" in error_of(guest, OTHER_MEMBER, web, "Container.Inspect")
    assert "AccessDenied" in error_of(guest, STRANGER, web, "Container.Inspect")


def test_the_example_opens_reading_to_everybody_and_nothing_else(
        guest: Guest, installed: Installed, web: str) -> None:
    file = guest.files / "etc/dbus-1/system.d/zz-readers.conf"
    file.write_text(installed.example("org.shorewatch1-readers.conf"))
    reload = ("busctl", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "ReloadConfig")
    try:
        guest.run(*reload)
        assert call(guest, STRANGER, *LIST).returncode == 0
        for method in ("Inspect", "Pause"):
            assert "AccessDenied" in error_of(guest, STRANGER, web, f"Container.{method}")
    finally:
        file.unlink()
        guest.run(*reload)
    assert call(guest, STRANGER, *LIST).returncode != 0
