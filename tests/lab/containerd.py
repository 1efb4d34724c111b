"""A containerd with a folder, a socket and a cgroup of its own, beside whatever else the machine runs.

Its containers are made by ctr, which comes with it; its one image, busybox, is made from the machine's busybox-static.
"""

import itertools
import json
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Mapping, Optional

from .busybox import oci_archive
from .engine import Alive
from .leftovers import Strays, end_process, processes_with, remove_shim_sockets
from .process import Process
from .real_engine import PATH, RealEngine, program
from .waiting import Deadline, connect, wait_for_exit

CONTAINERD = program("containerd")
CTR = program("ctr")
IMAGE = "docker.io/library/busybox:latest"
NAMESPACE = "default"

_CONFIGURATION = """version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = [{disabled}]
[grpc]
address = "{folder}/containerd.sock"
[ttrpc]
address = "{folder}/containerd.sock.ttrpc"
[debug]
address = "{folder}/debug.sock"
"""
# What needs a network, a loop device, or /opt/containerd. The CRI's name is that of containerd 1 and of 2.
_CRI = ("io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime")
_UNWANTED = ("io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.devmapper",
             "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
             "io.containerd.snapshotter.v1.aufs")


class CtrError(Exception):
    """ctr said no."""


class Containerd(RealEngine):
    """Containers are named as the daemon publishes them, "NAMESPACE/ID"; an id alone is one in the namespace
    "default"."""

    type = "containerd"
    type_id = "containerd.io"
    abilities = frozenset({"pause", "rename", "restart"})

    def __init__(self, folder: Path, extra_configuration: str = ""):
        """extra_configuration: tables of config.toml; with any, the CRI plugin is on."""
        super().__init__(folder, "containerd.sock")
        self._extra = extra_configuration
        self._with_image: set[str] = set()
        self._importing = threading.Lock()
        self._exec_numbers = itertools.count(1)
        self._strays = Strays()

    # The engine's process.

    def start(self) -> None:
        """Returns when the engine answers."""
        disabled = _UNWANTED if self._extra else _UNWANTED + _CRI
        settings = self.folder / "config.toml"
        settings.write_text(_CONFIGURATION.format(
            folder=self.folder, disabled=", ".join(f'"{name}"' for name in disabled)) + self._extra)
        self._process = Process([CONTAINERD, "--config", settings], self.folder / "containerd.log",
                                {**os.environ, "PATH": PATH})
        connect(self.socket, Deadline(30, f"containerd to listen on {self.socket}")).close()
        self.ctr("version")

    def stop(self) -> None:
        """A regular end. Its containers would live on: they are removed first."""
        self.remove_all()
        self.process.stop(30)

    def _end_helpers(self) -> None:
        for pid in processes_with(os.fsencode(self.socket)):
            end_process(pid)

    def _remove_strays(self) -> None:
        remove_shim_sockets(self.folder / "state/io.containerd.runtime.v2.task")
        self._strays.remove()

    # What it runs.

    def ctr(self, *arguments: str, namespace: str = NAMESPACE, check: bool = True, seconds: float = 60) -> str:
        """What ctr says, without the last newline."""
        # It would wait for 10 s, and containerd may be stopped for longer.
        done = subprocess.run([CTR, "--address", str(self.socket), "--connect-timeout", f"{seconds:.0f}s",
                               "--namespace", namespace, *arguments],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=seconds, env={**os.environ, "PATH": PATH})
        if check and done.returncode != 0:
            raise CtrError(f"ctr {' '.join(arguments)}: {done.stdout}")
        return done.stdout.rstrip("\n")

    def create(self, name: str, *command: str, labels: Optional[Mapping[str, str]] = None,
               namespace: str = NAMESPACE) -> str:
        """A container without a task, and never to have one. Its id."""
        self.need_image(namespace)
        self.ctr("container", "create", *self._options(labels), IMAGE, name, *(command or ("sleep", "1000000")),
                 namespace=namespace)
        return f"{namespace}/{name}"

    def run(self, name: str, *command: str, labels: Optional[Mapping[str, str]] = None,
            namespace: str = NAMESPACE) -> str:
        """Without a command: sleeps until it is killed. The id."""
        self.need_image(namespace)
        # runc's own notes on containers would else be in a folder that all containerds of the machine share.
        self.ctr("run", "--detach", "--null-io", "--cgroup", f"/{self.cgroup}/{name}", "--runc-root",
                 str(self.folder / "runc"), *self._options(labels), IMAGE, name,
                 *(command or ("sleep", "1000000")), namespace=namespace)
        return f"{namespace}/{name}"

    def kill(self, container: str, signal: str = "KILL") -> None:
        namespace, name = _parted(container)
        pid = self.alive()[f"{namespace}/{name}"].pid
        self.ctr("task", "kill", "--signal", signal, name, namespace=namespace)
        if signal == "KILL":
            wait_for_exit(pid, Deadline(10, f"the end of container {container}"))

    def pause(self, container: str) -> None:
        namespace, name = _parted(container)
        self.ctr("task", "pause", name, namespace=namespace)

    def unpause(self, container: str) -> None:
        namespace, name = _parted(container)
        self.ctr("task", "resume", name, namespace=namespace)

    def restart(self, container: str) -> None:
        namespace, name = _parted(container)
        self.ctr("task", "rm", "--force", name, namespace=namespace)
        self.ctr("task", "start", "--detach", "--null-io", name, namespace=namespace)

    def rename(self, container: str, name: str) -> None:
        """As nerdctl does: by a label."""
        namespace, own = _parted(container)
        self.ctr("container", "label", own, f"nerdctl/name={name}", namespace=namespace)

    def exec(self, container: str, *command: str) -> None:
        """A command that fails is no error."""
        namespace, name = _parted(container)
        self.ctr("task", "exec", "--exec-id", f"exec-{next(self._exec_numbers)}", name, *command,
                 namespace=namespace, check=False)

    def remove(self, container: str) -> None:
        namespace, name = _parted(container)
        self._remove(namespace, [name])

    def remove_all(self) -> None:
        for namespace in self.namespaces():
            names = self.ctr("container", "ls", "--quiet", namespace=namespace).split()
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda some: self._remove(namespace, some), [names[part::4] for part in range(4)]))

    def namespaces(self) -> list[str]:
        return self.ctr("namespaces", "ls", "--quiet").split()

    def alive(self) -> dict[str, Alive]:
        """By id; of all namespaces that are watched without being named."""
        found: dict[str, Alive] = {}
        for namespace in self.namespaces():
            if namespace in ("moby", "k8s.io"):
                continue
            named = self.ctr("container", "ls", "--quiet", 'labels."nerdctl/name"', namespace=namespace).split()
            names = {name: self.info(f"{namespace}/{name}")["Labels"]["nerdctl/name"] for name in named}
            for name, pid, status in self.tasks(namespace):
                if status in ("RUNNING", "PAUSED", "PAUSING"):
                    found[f"{namespace}/{name}"] = Alive(names.get(name, name), int(pid), status != "RUNNING")
        return found

    def tasks(self, namespace: str) -> list[list[str]]:
        """Name, pid and status of each."""
        return [line.split() for line in self.ctr("task", "ls", namespace=namespace).splitlines()[1:]]

    def info(self, container: str) -> Any:
        namespace, name = _parted(container)
        return json.loads(self.ctr("container", "info", name, namespace=namespace))

    def shim_of(self, container: str) -> int:
        """The pid of the process that containerd asks about the container's task."""
        namespace, name = _parted(container)
        # With the engine's address: another engine of the machine may have a container of that name.
        mark = b"\0-namespace\0%b\0-id\0%b\0-address\0%b\0" % (
            os.fsencode(namespace), os.fsencode(name), os.fsencode(self.socket))
        return next(processes_with(mark))

    def make_namespaces_until(self, holds: Callable[[], bool]) -> None:
        """Namespaces one after the other, each of which makes an event, until somebody has seen one."""
        deadline = Deadline(30, "somebody who follows events")
        for number in itertools.count():
            if holds():
                return
            deadline.left()
            self.ctr("namespaces", "create", f"none-{number}")
            self.ctr("namespaces", "rm", f"none-{number}")

    def project_labels(self, project: str) -> dict[str, str]:
        return {"com.docker.compose.project": project}

    def need_image(self, namespace: str, name: str = IMAGE, entrypoint: tuple[str, ...] = ()) -> None:
        with self._importing:
            if f"{namespace} {name}" in self._with_image:
                return
            self.import_image(namespace, oci_archive(name, entrypoint))
            self._with_image.add(f"{namespace} {name}")

    def import_image(self, namespace: str, archive: bytes, *options: str) -> None:
        file = self.folder / "image.tar"
        file.write_bytes(archive)
        self.ctr("images", "import", "--snapshotter", "native", *options, str(file), namespace=namespace)
        file.unlink()

    def _remove(self, namespace: str, names: list[str]) -> None:
        if not names:
            return
        for name, _, status in self.tasks(namespace):
            if name in names and status == "PAUSED":
                self.ctr("task", "resume", name, namespace=namespace, check=False)
        self.ctr("task", "rm", "--force", *names, namespace=namespace, check=False)
        self.ctr("container", "rm", *names, namespace=namespace)

    @staticmethod
    def _options(labels: Optional[Mapping[str, str]]) -> list[str]:
        options = ["--snapshotter", "native"]
        for key, value in (labels or {}).items():
            options += ["--label", f"{key}={value}"]
        return options


def _parted(container: str) -> tuple[str, str]:
    namespace, slash, name = container.rpartition("/")
    return (namespace if slash else NAMESPACE, name)
