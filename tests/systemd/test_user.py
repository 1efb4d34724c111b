"""The user unit, under the service manager of an ordinary user, with that user's Podman."""

import json
import subprocess
from typing import Iterator

import pytest
from installed import ROOTFS, Installed

from lab.guest import Guest

USER = "dora"
UNIT = "shorewatchd.service"


class Session:
    """Commands of the user, in the session that lingers."""

    def __init__(self, guest: Guest):
        self.guest = guest
        uid = guest.run("id", "--user", USER).stdout.strip()
        self.folder = f"/run/user/{uid}"

    def run(self, *command: str, **options: object) -> subprocess.CompletedProcess[str]:
        return self.guest.run("env", "--chdir", f"/home/{USER}", f"XDG_RUNTIME_DIR={self.folder}",
                              f"DBUS_SESSION_BUS_ADDRESS=unix:path={self.folder}/bus", *command, user=USER,
                              **options)  # type: ignore[arg-type]

    def make(self, unit: str, script: str) -> str:
        """Runs it as a service, which goes on with what the script leaves behind. What it fails with, or nothing."""
        done = self.run("systemd-run", "--user", f"--unit={unit}", "--property=Type=oneshot",
                        "--property=RemainAfterExit=yes", "sh", "-c", script, check=False)
        if done.returncode == 0:
            return ""
        return self.guest.run("journalctl", "--boot", "--no-pager", "--lines=10", f"_SYSTEMD_USER_UNIT={unit}.service"
                              ).stdout + done.stderr


@pytest.fixture(scope="module")
def session(guest: Guest, _installed: Installed) -> Session:
    guest.run("useradd", "--create-home", USER)
    lingers = guest.run("loginctl", "enable-linger", USER, check=False)
    if "Protocol driver not attached" in lingers.stderr:
        # systemd 257 in a guest whose host has the first version of cgroups.
        pytest.skip(f"no user can have services of their own in a guest here: {lingers.stderr.strip()}")
    assert lingers.returncode == 0, lingers.stderr
    part = Session(guest)
    guest.run("systemctl", "start", f"user@{part.folder.rpartition('/')[2]}.service")
    return part


@pytest.fixture
def unit(session: Session) -> Iterator[Session]:
    session.run("systemctl", "--user", "enable", "--now", "podman.socket")
    session.run("systemctl", "--user", "enable", "--now", UNIT)
    yield session
    session.run("systemctl", "--user", "disable", "--now", UNIT)


def listed(session: Session) -> dict[str, str]:
    """Engine by name, of containers."""
    containers = json.loads(session.run("shorewatchctl", "--user", "list", "--json").stdout)
    return {one["Name"]: one["Engine"].rpartition("/")[2] for one in containers}


def test_it_runs_beside_the_system_s_and_shows_nothing_of_it(
        guest: Guest, installed: Installed, unit: Session) -> None:
    installed.start()
    installed.run_container("web")
    assert unit.run("systemctl", "--user", "is-active", UNIT).stdout == "active\n"
    assert listed(unit) == {}


def test_it_is_started_by_a_call_and_ends_by_itself(unit: Session) -> None:
    unit.run("systemctl", "--user", "stop", UNIT)
    assert listed(unit) == {}
    assert unit.run("systemctl", "--user", "is-active", UNIT).stdout == "active\n"
    unit.run("systemctl", "--user", "stop", UNIT)
    shown = unit.run("systemctl", "--user", "show", "--property=Result,ExecMainCode,ExecMainStatus", UNIT).stdout
    assert set(shown.split()) == {"Result=success", "ExecMainCode=1", "ExecMainStatus=0"}


def test_a_container_of_the_user_s_podman_is_shown(guest: Guest, unit: Session) -> None:
    guest.write(f"/home/{USER}/.config/containers/storage.conf", '[storage]\ndriver = "vfs"\n')
    guest.run("chown", "-R", USER, f"/home/{USER}/.config")
    problem = unit.make("mine", f"tar -C {ROOTFS} -c . | podman import - localhost/busybox && podman run --detach "
                        "--name mine --network=none localhost/busybox sleep 1000")
    if problem:
        pytest.skip(f"this machine lets no ordinary user run containers: {problem[-700:]}")
    followed = guest.wait_for_line("mine", 30, "runuser", "-u", USER, "--", "env", f"XDG_RUNTIME_DIR={unit.folder}",
                                   "shorewatchctl", "--user", "watch", "--since-sync")
    assert "mine" in followed and listed(unit) == {"mine": "podman"}
    assert unit.make("away", "podman rm --force --time=0 mine") == ""
