"""A Podman with folders, a socket, locks and a cgroup of its own, beside whatever else the machine runs.

Its one image, busybox, is made from the machine's own busybox-static. Containers have no network.
"""

import contextlib
import os
import select
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any, Mapping, Optional, Union
from urllib.parse import quote

from . import busybox
from .engine import Alive
from .leftovers import end_process, processes_with, remove_empty_cgroups
from .process import Process
from .real_engine import PATH, program
from .rest_engine import EngineError, RestEngine
from .waiting import Deadline, FileWatch, wait_for_exit

PODMAN = program("podman")
RUNC = program("runc")
IMAGE = "localhost/busybox:latest"
ALIVE = ("running", "paused", "stopping")

# crun refuses hybrid cgroups. Locks in shared memory and runc's notes would be in places that all Podmans share.
_CONFIGURATION = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "{events_logger}"
events_logfile_max_size = {log_size}
lock_type = "file"
[engine.runtimes]
runc = ["{folder}/runc"]
"""
_RUNTIME = """#!/bin/sh
exec {runc} --root {folder}/runc.state "$@"
"""

# What Podman makes outside of its folders whatever its options say; deepest first.
_STRAYS = [Path(path) for path in (
    "/var/lib/containers/cache/blob-info-cache-v1.boltdb", "/var/lib/containers/cache", "/var/lib/containers",
    "/run/runc")]


class Podman(RestEngine):
    """The process is the service's: containers and their conmons need none."""

    type = "podman"
    type_id = "podman.io"
    abilities = frozenset({"pause", "rename", "restart"})
    api_prefix = "/v4.0.0/libpod"
    removal = {"force": "true", "timeout": "0"}

    def __init__(self, folder: Path, service_seconds: int = 0, log_size: int = 1_000_000, events_logger: str = "file",
                 runtime: Union[str, Path] = RUNC):
        """service_seconds: without connections, the service ends after these; 0: never. log_size: bytes of the log of
        events, beyond which it is rotated. events_logger: "none" for no events. runtime: instead of runc."""
        super().__init__(folder, "podman.sock")
        self._service_seconds = service_seconds
        self._strays = [path for path in _STRAYS if not path.exists()]
        (folder / "containers.conf").write_text(_CONFIGURATION.format(
            folder=folder, log_size=log_size, events_logger=events_logger))
        wrapper = folder / "runc"
        wrapper.write_text(_RUNTIME.format(runc=runtime, folder=folder))
        wrapper.chmod(0o755)

    def trust(self, registry: str) -> None:
        """From its next start on it pulls from there without TLS, as Docker does from 127.0.0.1."""
        (self.folder / "registries.conf").write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')

    # The engine's process.

    def start(self) -> None:
        """Returns when the engine answers and has its image."""
        self._process = Process(self.service_command(self.url), self.folder / "podman.log", self.environment())
        self._wait_until_answering(Deadline(30, f"podman to answer on {self.socket}"))
        self.need_image()

    def stop(self) -> None:
        """A regular end. Its containers would live on: they are removed first."""
        self.remove_all()
        self.process.stop(30)

    def _end_helpers(self) -> None:
        # Conmons, and those that clean up after them, which they start: until there is none. All have the folder in
        # their arguments.
        while helpers := list(processes_with(os.fsencode(f"{self.folder}/root"))):
            for pid in helpers:
                end_process(pid)

    def _remove_strays(self) -> None:
        # Of containers that name no cgroup, as those of tasks do: shared by all Podmans.
        remove_empty_cgroups("libpod_parent")
        for stray in self._strays:
            with contextlib.suppress(OSError):  # somebody else's by now
                stray.rmdir() if stray.is_dir() else stray.unlink()

    # What it runs.

    def podman(self, *arguments: str, check: bool = True, seconds: float = 60) -> str:
        """What the podman command says, which acts by itself and not through the service; without the last newline."""
        done = subprocess.run(self._command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds, env=self.environment())
        if check and done.returncode != 0:
            raise EngineError(done.returncode, f"podman {' '.join(arguments)}: {done.stdout}")
        return done.stdout.rstrip("\n")

    def podman_run(self, name: str, *command: str, options: tuple[str, ...] = ()) -> str:
        """As run(), by the command."""
        return self.podman("run", "--detach", "--name", name, "--cgroup-parent", f"/{self.cgroup}", *options, IMAGE,
                           *(command or ("sleep", "1000000")))

    def create(self, name: str, *command: str, labels: Optional[Mapping[str, str]] = None, **config: Any) -> str:
        # In a pod, the network and the cgroup are the pod's.
        own = {} if "pod" in config else {"netns": {"nsmode": "none"}, "cgroup_parent": f"/{self.cgroup}"}
        return self.api("POST", "/containers/create", {
            "name": name, "image": IMAGE, "command": list(command or ("sleep", "1000000")),
            "labels": dict(labels or {}), **own, **config})["Id"]

    def create_pod(self, name: str) -> str:
        """A pod with an infra container. Its id."""
        return self.api("POST", "/pods/create", {
            "name": name, "netns": {"nsmode": "none"}, "cgroup_parent": f"/{self.cgroup}"})["Id"]

    def remove_pod(self, pod: str) -> None:
        self.api("DELETE", f"/pods/{quote(pod)}", query=self.removal)

    def kill(self, container: str, signal: str = "KILL") -> None:
        pid = self.inspect(container)["State"]["Pid"]
        super().kill(container, signal)
        if signal == "KILL":
            wait_for_exit(pid, Deadline(10, f"the end of container {container}"))

    def exec(self, container: str, *command: str) -> None:
        """A command that fails is no error."""
        self.podman("exec", container, *command, check=False)

    def remove_all(self) -> None:
        for pod in self.api("GET", "/pods/json"):
            self.remove_pod(pod["Id"])
        super().remove_all()

    def alive(self) -> dict[str, Alive]:
        return {entry["Id"]: Alive(entry["Names"][0], entry["Pid"], entry["State"] == "paused")
                for entry in self.containers() if entry["State"] in ALIVE and entry["Pid"] > 0}

    def project_labels(self, project: str) -> dict[str, str]:
        # podman-compose sets both.
        return {"io.podman.compose.project": project, "com.docker.compose.project": project}

    def wait_for_output(self, container: str, text: str, seconds: float = 30) -> None:
        """Returns when the container has written it to its standard output."""
        log = Path(self.inspect(container)["HostConfig"]["LogConfig"]["Path"])
        deadline = Deadline(seconds, f"{text!r} in the output of {container}")
        with FileWatch(log) as watch:
            while text not in log.read_text():
                watch.wait(deadline.left())

    def rotations(self) -> int:
        """Of the log of events, that are told in it still."""
        return (self.folder / "tmp/events/events.log").read_text().count('"log-rotation"')

    def need_image(self) -> None:
        try:
            self.api("GET", f"/images/{quote(IMAGE, safe='')}/exists")
        except EngineError:
            self.api("POST", "/images/import", busybox.layer(), {"reference": IMAGE})

    # How it is done.

    def service_command(self, *arguments: str) -> list[str]:
        return self._command("system", "service", f"--time={self._service_seconds}", *arguments)

    def environment(self) -> dict[str, str]:
        registries = self.folder / "registries.conf"
        return {**os.environ, "PATH": PATH, "CONTAINERS_CONF": str(self.folder / "containers.conf"),
                **({"CONTAINERS_REGISTRIES_CONF": str(registries)} if registries.exists() else {})}

    def _command(self, *arguments: str) -> list[str]:
        return [PODMAN, "--root", f"{self.folder}/root", "--runroot", f"{self.folder}/run", "--tmpdir",
                f"{self.folder}/tmp", "--storage-driver", "vfs", "--log-level", "error", *arguments]


class Activation:
    """Listens on Podman's socket as systemd's podman.socket does: a connection starts the service when it is not there.

    From the moment it is made until close(), which ends the service.
    """

    def __init__(self, engine: Podman):
        self.engine = engine
        self._services: list[Process] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(engine.socket))
        self._listener.listen(64)
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="activation")
        self._thread.start()

    @property
    def service(self) -> Process:
        """The latest."""
        return self._services[-1]

    @property
    def started(self) -> int:
        """How many services were started so far."""
        return len(self._services)

    def close(self) -> None:
        self._stop.close()
        self._thread.join()
        self._stopped.close()
        self._listener.close()
        self.engine.socket.unlink(missing_ok=True)

    def _serve(self) -> None:
        while self._wait(self._listener.fileno()):
            number = self._listener.fileno()
            # Its own pid is what a process can't be told before it is there.
            process = Process(
                ["/bin/bash", "-c", f'exec 3<&{number}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "activation",
                 *self.engine.service_command()], self.engine.folder / "podman.log", self.engine.environment(),
                pass_fds=(number,))
            self._services.append(process)
            ended = os.pidfd_open(process.pid)
            going_on = self._wait(ended)
            os.close(ended)
            if not going_on:
                process.kill()
                return
            process.wait(10)

    def _wait(self, descriptor: int) -> bool:
        """Until it is readable; False: until close()."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(self._stopped, select.POLLIN | select.POLLHUP)
        return self._stopped.fileno() not in dict(poll.poll())
