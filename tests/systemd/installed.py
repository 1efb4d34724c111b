"""Shorewatch as it has been installed in a guest, with the engines beside it."""

import io
import shutil
import tarfile
from typing import Optional

from lab import busybox
from lab.guest import Guest, prefix
from lab.tasks import STOPPABLE

UNIT = "shorewatchd.service"
MEMBER, OTHER_MEMBER, STRANGER = "alice", "carol", "bob"
ROOTFS = "/srv/rootfs"

_DROP_IN = "/run/systemd/system/shorewatchd.service.d/test.conf"
_RULES = "/etc/polkit-1/rules.d/10-test.rules"


class Installed:
    def __init__(self, guest: Guest):
        self.guest = guest

    def prepare(self) -> None:
        """What the tests need besides: users, an image, a root file system."""
        guest = self.guest
        for user in (MEMBER, OTHER_MEMBER):
            guest.run("useradd", "--create-home", "--groups", "shorewatch", user)
        guest.run("useradd", "--create-home", STRANGER)
        guest.run("systemctl", "enable", "--now", "podman.socket")  # which Debian 13 leaves to the administrator
        guest.run("docker", "import", "-", "busybox", stdin=busybox.layer())
        with tarfile.open(fileobj=io.BytesIO(busybox.layer())) as tar:
            tar.extractall(guest.files / ROOTFS.lstrip("/"))

    def reset(self) -> None:
        """As prepare() has left it."""
        guest = self.guest
        guest.run("systemctl", "disable", "--now", UNIT)
        for path in ("/etc/shorewatch", "/var/lib/shorewatch", _DROP_IN, _RULES):
            file = guest.files / path.lstrip("/")
            if not path.startswith("/run/"):
                shutil.rmtree(file, ignore_errors=True) if file.is_dir() else file.unlink(missing_ok=True)
        guest.run("rm", "-f", _DROP_IN)
        guest.run("systemctl", "daemon-reload")
        guest.run("systemctl", "reset-failed")
        guest.run("systemctl", "start", "docker.socket", "docker.service", "containerd.service")
        for container in guest.run("docker", "ps", "--all", "--quiet").stdout.split():
            guest.run("docker", "rm", "--force", container)

    # The service.

    def start(self) -> None:
        self.guest.run("systemctl", "start", UNIT)

    def show(self, name: str, unit: str = UNIT) -> str:
        """A property of the unit."""
        return self.guest.run("systemctl", "show", "--property", name, "--value", unit).stdout.strip()

    @property
    def pid(self) -> int:
        """In the guest; 0: it does not run."""
        return int(self.show("MainPID"))

    def drop_in(self, text: str) -> None:
        """Settings of the unit, until the end of the test."""
        self.guest.run("mkdir", "-p", _DROP_IN.rpartition("/")[0])
        self.guest.run("tee", _DROP_IN, stdin=text.encode())
        self.guest.run("systemctl", "daemon-reload")

    def configure(self, text: str) -> None:
        self.guest.write("/etc/shorewatch/shorewatch.toml", text)

    def rules(self, text: str) -> None:
        """Of polkit, until the end of the test. polkitd is started anew when it is asked."""
        self.guest.write(_RULES, text)
        self.guest.run("systemctl", "stop", "polkit")

    def journal(self, unit: str = UNIT) -> str:
        """Of the unit, from the guest's boot on."""
        return self.guest.run("journalctl", "--boot", "--no-pager", "--unit", unit).stdout

    def wait_for_journal(self, cursor: str, pattern: str, seconds: float = 30) -> None:
        """Until a line of the unit after the cursor matches."""
        self.guest.wait_for_line(pattern, seconds, "journalctl", "--no-pager", "--follow", f"--after-cursor={cursor}",
                                 "--unit", UNIT)

    def cursor(self) -> str:
        """Of the journal's end."""
        shown = self.guest.run("journalctl", "--boot", "--no-pager", "--lines=1", "--show-cursor").stdout
        return shown.strip().rpartition("-- cursor: ")[2]

    def example(self, name: str) -> str:
        """One of the files that are installed as examples."""
        folder = self.guest.files / prefix().lstrip("/") / "share/doc/shorewatch/examples"
        return (folder / name).read_text()

    # Docker beside it.

    def run_container(self, name: str, *arguments: str, command: Optional[str] = None) -> str:
        """Its id."""
        shell = command or STOPPABLE
        return self.guest.run("docker", "run", "--detach", "--name", name, "--network", "none", *arguments, "busybox",
                              "sh", "-c", shell).stdout.strip()
