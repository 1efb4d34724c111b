"""A booted Debian beside the machine's own: systemd as PID 1, in namespaces and a cgroup of its own (systemd-nspawn)."""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Optional

from .leftovers import end_cgroup
from .notify import NotifySocket
from .paths import BUILD
from .process import Process
from .waiting import Deadline

_LEADER = "X_NSPAWN_LEADER_PID="
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}

# In a cgroup of its own in each hierarchy, below which all that the guest makes is.
_IN_CGROUP = """
name=$0
for top in $(findmnt --raw --noheadings --output TARGET --types cgroup,cgroup2); do
    mkdir "$top/$name" || exit
    if [ -e "$top/cpuset.cpus" ]; then
        cat "$top/cpuset.cpus" > "$top/$name/cpuset.cpus" && cat "$top/cpuset.mems" > "$top/$name/cpuset.mems" || exit
    fi
    echo $$ > "$top/$name/cgroup.procs" || exit
done
exec "$@"
"""
# What a container engine in the guest needs of it: cgroups that it may write, and, for users' engines, a procfs and a
# sysfs that nothing is mounted over.
_PREPARE = """[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=sh -c 'for one in $$(findmnt -rno TARGET -t cgroup,cgroup2); do mount -o remount,bind,rw $$one; done'
ExecStart=mkdir -p /run/whole/proc /run/whole/sys
ExecStart=mount -t proc proc /run/whole/proc
ExecStart=mount -t sysfs sysfs /run/whole/sys
"""
_DOCKER = {"storage-driver": "vfs", "bridge": "none", "iptables": False, "ip6tables": False}


class CannotBoot(Exception):
    """Says what systemd-nspawn said."""


class Guest:
    """start() and stop() as often as wanted, as a machine that is booted again; sweep() at the end.

    address: of its system bus, for clients outside of it, which are root there.
    """

    def __init__(self, root: Path, folder: Path, bus: str = "dbus-daemon"):
        """root: is not changed. bus: or "dbus-broker"."""
        self.folder = folder
        self.files = folder / "root"
        self._base = root
        self._bus = bus
        self._cgroup = f"shorewatch-lab-{folder.parent.name}-{folder.name}"
        self._process: Optional[Process] = None
        self._leader = 0

    @property
    def leader(self) -> int:
        """The pid of its PID 1."""
        assert self._leader, "the guest does not run"
        return self._leader

    @property
    def address(self) -> str:
        return f"unix:path=/proc/{self.leader}/root/run/dbus/system_bus_socket"

    def start(self) -> None:
        """Returns when all that starts with it has started."""
        if not self.files.exists():
            self._make_files()
        notify = NotifySocket(self.folder / "notify.sock")
        self._process = Process(
            ["sh", "-c", _IN_CGROUP, self._cgroup, "systemd-nspawn", "--quiet", "--directory", self.files,
             f"--machine=shorewatch-{os.getpid()}", "--hostname=guest", "--register=no", "--keep-unit", "--private-network",
             "--capability=all", "--system-call-filter=add_key keyctl bpf", "--resolv-conf=off", "--timezone=off",
             "--link-journal=no", "--console=pipe", "--notify-ready=yes", "--boot"],
            self.folder / "console.log", {**os.environ, "NOTIFY_SOCKET": str(notify.path)})
        try:
            self._wait_for_boot(notify)
        finally:
            notify.close()

    def stop(self) -> None:
        """As its power button does; returns when it is off."""
        if self._process is not None and self._process.running() and self._leader:
            os.kill(self._leader, signal.SIGRTMIN + 4)
            try:
                self._process.wait(60)
            except TimeoutError:
                os.kill(self._leader, signal.SIGKILL)
                self._process.wait(10)
        self._leader = 0
        end_cgroup(self._cgroup)

    def run(self, *command: str | Path, user: Optional[str] = None, check: bool = True, stdin: Optional[bytes] = None,
            seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """A command in it, as root or as that user; stdout and stderr are text. AssertionError when it fails."""
        as_user = [] if user is None else ["runuser", "-u", user, "--"]
        done = subprocess.run([*self._enter(), *as_user, *map(str, command)], input=stdin or b"", capture_output=True,
                              timeout=seconds, env=self._environment(user))
        text = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(errors="replace"),
                                           done.stderr.decode(errors="replace"))
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, command))} in the guest ended with {done.returncode}: "
                                 f"{text.stdout}{text.stderr}")
        return text

    def wait_for_line(self, pattern: str, seconds: float, *command: str) -> str:
        """Until a command that goes on says a line with the pattern in it."""
        deadline = Deadline(seconds, f"/{pattern}/ from {' '.join(command)}")
        # It would not notice that nobody listens any more.
        bounded = [*self._enter(), "timeout", str(int(seconds) + 1), *command]
        with subprocess.Popen(bounded, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=_ENVIRONMENT) as process:
            assert process.stdout is not None
            said = b""
            try:
                while re.search(pattern, said.decode(errors="replace")) is None:
                    deadline.wait_readable(process.stdout.fileno())
                    chunk = os.read(process.stdout.fileno(), 65536)
                    if not chunk:
                        raise AssertionError(f"no /{pattern}/ in {said.decode(errors='replace')}")
                    said += chunk
            finally:
                process.kill()
        return said.decode(errors="replace")

    def write(self, path: str, text: str) -> None:
        """A file in it, world-readable; its folder is made."""
        file = self.files / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def install(self) -> None:
        """What the build installs, and what README.md says is to be done then, but for the start."""
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--skip-subprojects", "--quiet"], check=True,
                       env={**os.environ, "DESTDIR": str(self.files)}, stdin=subprocess.DEVNULL, capture_output=True)
        for folder in ("dbus-1/system.d", "polkit-1/actions"):
            self._link_into_usr(folder)
        self.run("systemd-sysusers")
        self.run("systemctl", "daemon-reload")
        self.run("busctl", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "ReloadConfig")

    def logs(self) -> str:
        """What there is to be read after a failure."""
        console = (self.folder / "console.log").read_text(errors="replace")[-3000:]
        if not self._leader:
            return console
        return console + self.run("journalctl", "--boot", "--no-pager", "--lines=200", check=False).stdout

    def sweep(self) -> None:
        if self._process is not None:
            if not self._leader and self._process.running():
                self._process.stop()
            self.stop()
        if os.path.ismount(self.files):
            subprocess.run(["umount", "--lazy", self.files], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    # How it is done.

    def _make_files(self) -> None:
        """A layer over the root, or a copy where the file system can have no layer."""
        for name in ("root", "upper", "work"):
            (self.folder / name).mkdir(parents=True)
        layers = f"lowerdir={self._base},upperdir={self.folder}/upper,workdir={self.folder}/work"
        layered = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, self.files], capture_output=True)
        if layered.returncode != 0:
            subprocess.run(["cp", "--archive", "--reflink=auto", f"{self._base}/.", self.files], check=True)
        self.write("/etc/systemd/system/prepare-guest.service", _PREPARE)
        self._want("prepare-guest.service", "sysinit.target")
        self.write("/etc/docker/daemon.json", json.dumps(_DOCKER))
        if self._bus == "dbus-daemon":
            for alias in ("dbus.service", "messagebus.service"):
                (self.files / "etc/systemd/system" / alias).unlink(missing_ok=True)

    def _want(self, unit: str, by: str) -> None:
        link = self.files / f"etc/systemd/system/{by}.wants" / unit
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"/etc/systemd/system/{unit}")

    def _wait_for_boot(self, notify: NotifySocket) -> None:
        assert self._process is not None
        deadline = Deadline(120, "the guest to boot")
        while True:
            try:
                notify.wait_for("READY=1", min(deadline.left(), 1))
                break
            except AssertionError:
                # Its end is told by nobody: hence the bound.
                if not self._process.running():
                    raise CannotBoot(f"systemd-nspawn ended: {self._process.output()[-2000:]}") from None
            except TimeoutError:
                raise CannotBoot(f"no guest within 120 s: {self._process.output()[-2000:]}") from None
        told = next(message for message in notify.messages.all() if message.startswith(_LEADER))
        self._leader = int(told.removeprefix(_LEADER))

    def _enter(self) -> list[str]:
        return ["nsenter", "--target", str(self.leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
                "--"]

    def _environment(self, user: Optional[str]) -> dict[str, str]:
        return _ENVIRONMENT | {"HOME": "/root" if user is None else f"/home/{user}"}

    def _link_into_usr(self, folder: str) -> None:
        """What is looked for there alone, if the build has a prefix of its own."""
        own = prefix()
        if own == "/usr":
            return
        for file in (self.files / own.lstrip("/") / "share" / folder).glob("org.shorewatch1.*"):
            link = self.files / "usr/share" / folder / file.name
            link.unlink(missing_ok=True)
            link.symlink_to(f"{own}/share/{folder}/{file.name}")


def prefix() -> str:
    """Of the build, where it is installed."""
    listed = subprocess.run(["meson", "introspect", "--buildoptions", BUILD], check=True, capture_output=True, text=True)
    found: str = next(option["value"] for option in json.loads(listed.stdout) if option["name"] == "prefix")
    return found
