"""The system unit under a real systemd: its start, its end, and what comes between."""

import json
from typing import Callable

import dbus
import pytest
from installed import UNIT, Installed

from lab.clients import Client
from lab.guest import Guest
from lab.recorder import Recorder, wait_until
from lab.tasks import Tasks, container, definition

WATCHDOG = "[Service]\nWatchdogSec=2\nTimeoutStopSec=2\n"
FOREVER = ("--restart", "always")


def states(client: Client) -> dict[str, str]:
    return {name: engine["State"] for name, engine in client.engines().items()}


def ask_new_client(guest: Guest, ask: Callable[[Client], object]) -> object:
    """On the bus that there is now."""
    client = Client(guest)
    try:
        return ask(client)
    finally:
        client.close()


def test_what_is_installed_is_enabled_and_started_with_one_command(
        guest: Guest, installed: Installed, client: Client) -> None:
    guest.run("systemctl", "enable", "--now", UNIT)
    assert (installed.show("ActiveState"), installed.show("UnitFileState")) == ("active", "enabled")
    assert states(client) | {"containerd": "watching", "docker": "watching"} == states(client)
    assert "shorewatch" in guest.run("getent", "group", "shorewatch").stdout


def test_systemd_finds_no_fault_with_the_units(guest: Guest, installed: Installed) -> None:
    for flag in ("--system", "--user"):
        done = guest.run("env", "XDG_RUNTIME_DIR=/run", "systemd-analyze", flag, "verify", UNIT)
        assert "shorewatch" not in done.stdout + done.stderr


def test_the_unit_leaves_little_open(guest: Guest, installed: Installed) -> None:
    done = guest.run("systemd-analyze", "security", "--no-pager", "--threshold=15", UNIT, check=False)
    assert done.returncode == 0, done.stdout


def test_at_boot_it_starts_after_the_engines_and_lists_what_they_have(guest: Guest, installed: Installed) -> None:
    guest.run("systemctl", "enable", UNIT)
    installed.run_container("web", *FOREVER)
    guest.stop()
    guest.start()
    assert installed.show("ActiveState") == "active"
    begin, engine = (int(installed.show("ExecMainStartTimestampMonotonic", unit)) for unit in (UNIT, "docker.service"))
    assert engine < begin
    assert ask_new_client(guest, lambda client: list(client.list(engine="docker").by_name())) == ["web"]


def test_engines_that_start_after_it_are_found(guest: Guest, installed: Installed) -> None:
    guest.run("systemctl", "enable", UNIT)
    installed.run_container("web", *FOREVER)
    guest.run("systemctl", "disable", "docker.service", "docker.socket", "containerd.service")
    guest.stop()
    guest.start()
    recorder, client = Recorder(guest), Client(guest)
    try:
        assert installed.show("ActiveState") == "active"
        assert not {"docker", "containerd"} & set(states(client))
        guest.run("systemctl", "enable", "--now", "docker.service", "docker.socket", "containerd.service")
        wait_until(recorder, lambda: list(client.list(engine="docker").by_name()) == ["web"], 30, "the container")
        assert states(client)["docker"] == "watching"
    finally:
        recorder.close()
        client.close()


def test_it_ends_by_itself_also_while_an_engine_hangs(guest: Guest, installed: Installed, client: Client) -> None:
    # A unit that nothing wants is forgotten with its end.
    guest.run("systemctl", "enable", "--now", UNIT)
    assert states(client)["docker"] == "watching"
    guest.run("systemctl", "kill", "--signal=STOP", "docker.service")
    cursor = installed.cursor()
    guest.run("systemctl", "stop", UNIT)
    guest.run("systemctl", "kill", "--signal=CONT", "docker.service")
    # Exited (1) with 0, and not killed (2).
    assert [installed.show(name) for name in ("Result", "ExecMainCode", "ExecMainStatus")] == ["success", "1", "0"]
    after = guest.run("journalctl", "--no-pager", f"--after-cursor={cursor}", "--unit", UNIT).stdout
    assert "timed out" not in after and "Killing" not in after


def test_a_reload_takes_a_good_configuration_and_refuses_a_bad_one(
        guest: Guest, installed: Installed, client: Client, recorder: Recorder) -> None:
    installed.start()
    pid = installed.pid
    installed.configure('[[engine]]\nname = "mine"\nendpoint = "unix:///run/docker.sock"\n')
    guest.run("systemctl", "reload", UNIT)
    wait_until(recorder, lambda: states(client) == {"mine": "watching"}, 30, "the engine that is configured")
    cursor = installed.cursor()
    installed.configure('[[engine]]\nnmae = "mine"\n')
    guest.run("systemctl", "reload", UNIT)
    installed.wait_for_journal(cursor, "shorewatch.toml:2:1: unknown key 'nmae'")
    with pytest.raises(dbus.DBusException, match="unknown key 'nmae'"):
        client.manager("Reload")
    assert states(client) == {"mine": "watching"} and installed.pid == pid


def test_with_a_wrong_configuration_it_is_not_started_again_and_again(guest: Guest, installed: Installed) -> None:
    installed.configure("[[engine]]\nnmae = 1\n")
    assert guest.run("systemctl", "start", UNIT, check=False).returncode != 0
    assert [installed.show(name) for name in ("ActiveState", "ExecMainStatus", "NRestarts")] == ["failed", "78", "0"]


@pytest.mark.parametrize("fault, result", [("STOP", "watchdog"), ("KILL", "signal")])
def test_a_daemon_that_hangs_or_dies_is_replaced_and_the_portfolio_is_right_again(
        guest: Guest, installed: Installed, recorder: Recorder, client: Client, fault: str, result: str) -> None:
    installed.drop_in(WATCHDOG)
    installed.start()
    stays, goes = installed.run_container("stays"), installed.run_container("goes")
    for name in ("stays", "goes"):
        recorder.wait_for("ContainerStarted", name)
    pid, before = installed.pid, client.property("/org/shorewatch1", "org.shorewatch1.Manager", "InstanceId")
    cursor = installed.cursor()
    guest.run("systemctl", "kill", "--kill-who=main", f"--signal={fault}", UNIT)
    guest.run("docker", "rm", "--force", goes)
    comes = installed.run_container("comes")
    installed.wait_for_journal(cursor, f"Failed with result '{result}'")
    installed.wait_for_journal(cursor, "Started ")
    assert installed.pid not in (0, pid)
    assert client.property("/org/shorewatch1", "org.shorewatch1.Manager", "InstanceId") != before
    wait_until(recorder, lambda: set(client.list(engine="docker").by_id()) == {stays, comes}, 30, "what is alive")


def test_a_restart_leaves_the_tasks_of_files_alone(
        guest: Guest, installed: Installed, recorder: Recorder, client: Client) -> None:
    installed.configure('[tasks]\nengine = "docker"\n')
    guest.write("/etc/shorewatch/tasks.d/shop.json", definition("shop", container("web", "busybox")))
    installed.start()
    tasks = Tasks(client, recorder)
    tasks.wait_until(lambda all_: all_.get("shop", {}).get("KnownStatus") == "RUNNING", "the task to run")
    [before] = json.loads("[" + guest.run("docker", "ps", "--quiet", "--no-trunc", "--format", "{{json .ID}}").stdout + "]")
    guest.run("systemctl", "restart", UNIT)
    tasks.wait_until(lambda all_: all_.get("shop", {}).get("KnownStatus") == "RUNNING", "the task to be known")
    assert tasks.list()["shop"]["DesiredStatus"] == "RUNNING"
    assert set(client.list(engine="docker").by_id()) == {before}
    guest.run("systemctl", "stop", UNIT)
    assert json.loads(guest.run("docker", "inspect", "--format", "{{json .State.Running}}", before).stdout) is True
