"""Engines in a container of Docker's, made of this machine's own programs: no image of them is needed."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from . import busybox
from .containerd import CONTAINERD, CTR, IMAGE
from .dockerd import DOCKERD, Dockerd
from .leftovers import end_cgroup

# By number (capabilities(7)). Docker 20.10 knows no later ones.
_CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ").split()
# The image has a /bin of its own: each goes where the program expects it.
_PROGRAMS = ("/usr:/usr", "/usr/bin:/bin", "/usr/sbin:/sbin", "/usr/lib:/lib", "/usr/lib64:/lib64", "/etc:/etc")


def _host_config(folder: Path) -> dict[str, Any]:
    """As privileged as can be, where this machine has not all there is itself; --privileged wants all of it."""
    with open("/proc/self/status", encoding="ascii") as status:
        have = int(next(line for line in status if line.startswith("CapBnd:")).split()[1], 16)
    return {
        "NetworkMode": "none", "CgroupnsMode": "host", "MaskedPaths": [], "ReadonlyPaths": [],
        "CapAdd": [name for number, name in enumerate(_CAPABILITIES) if have >> number & 1],
        "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"], "DeviceCgroupRules": ["a *:* rwm"],
        "Binds": [*_PROGRAMS, "/sys/fs/cgroup:/sys/fs/cgroup", f"{folder}:{folder}"]}


class InnerDockerd(Dockerd):
    """start() starts the container, whose initial process starts dockerd again whenever it ends."""

    def __init__(self, outer: Dockerd, folder: Path, impostor: bool = False):
        """impostor: it says that it is the outer one."""
        super().__init__(folder)
        self.outer = outer
        self.container = ""  # its id
        if impostor:
            self._take_identity()

    def start(self) -> None:
        """Returns when the engine answers and has its image."""
        settings = self.folder / "daemon.json"
        settings.write_text(json.dumps(self._settings()))
        command = " ".join([
            DOCKERD, f"--config-file {settings} --host unix:///run/docker.sock", f"--data-root {self.folder}/data", "--exec-root /run/docker",
            "--storage-driver=vfs --bridge=none --iptables=false --ip6tables=false",
            f"--exec-opt=native.cgroupdriver=cgroupfs --cgroup-parent=/{self.cgroup} 2>&1"])
        self.container = self.outer.create("outer", "sh", "-c", f"while true; do {command}; done",
                                           HostConfig=_host_config(self.folder))
        self.outer.start_container(self.container)
        self.socket = Path(f"/proc/{self.outer_pid()}/root/run/docker.sock")
        self.url = f"unix://{self.socket}"
        self.outer.wait_for_output(self.container, "API listen on /run/docker.sock", 60)
        self._import_image()

    def outer_pid(self) -> int:
        pid: int = self.outer.inspect(self.container)["State"]["Pid"]
        return pid

    def sweep(self) -> None:
        if self.container:
            self.outer.remove(self.container)
        end_cgroup(self.cgroup)

    def _take_identity(self) -> None:
        (self.folder / "data").mkdir()
        # Docker 20.10's, and that of later ones.
        for name in ("key.json", "data/engine-id"):
            if (self.outer.folder / name).exists():
                shutil.copy(self.outer.folder / name, self.folder / name)


class InnerContainerd:
    """A containerd as initial process of a container, as in a kind node. Ids: "NAMESPACE/ID"."""

    def __init__(self, outer: Dockerd, folder: Path):
        self.outer = outer
        self.folder = folder
        self.cgroup = f"shorewatch-lab-{os.getpid()}-{folder.name}"
        self.container = ""
        folder.mkdir(parents=True)

    def start(self) -> None:
        configuration = self.folder / "config.toml"
        configuration.write_text(
            f'version = 2\nroot = "{self.folder}/root"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        self.container = self.outer.create("node", "sh", "-c", f"exec {CONTAINERD} --config {configuration} 2>&1",
                                           HostConfig=_host_config(self.folder))
        self.outer.start_container(self.container)
        self.outer.wait_for_output(self.container, "containerd successfully booted")
        (self.folder / "image.tar").write_bytes(busybox.oci_archive(IMAGE))

    def run(self, name: str, namespace: str = "default") -> str:
        self._ctr(namespace, "images", "import", "--snapshotter", "native", f"{self.folder}/image.tar")
        self._ctr(namespace, "run", "--detach", "--null-io", "--snapshotter", "native", "--cgroup",
                  f"/{self.cgroup}/{name}", IMAGE, name, "sleep", "1000000")
        return f"{namespace}/{name}"

    def kill(self, container: str) -> None:
        namespace, name = container.split("/")
        self._ctr(namespace, "tasks", "kill", "--signal", "KILL", name)

    def sweep(self) -> None:
        if self.container:
            self.outer.remove(self.container)
        end_cgroup(self.cgroup)

    def _ctr(self, namespace: str, *arguments: str) -> str:
        return self.outer.docker("exec", self.container, CTR, "--namespace", namespace, *arguments)


def own_pids(pid: int) -> list[int]:
    """The pids of a process of ours: here, and in each pid namespace inwards to its own."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    return [int(number) for number in next(
        line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]]
