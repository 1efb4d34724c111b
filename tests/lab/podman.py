"""A Podman with folders, a socket, locks and a cgroup of its own, beside whatever else the machine runs.

Its one image, busybox, is made from the machine's own busybox-static. Containers have no network.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Mapping, Optional
from urllib.parse import quote, urlencode

from . import busybox
from .dockerd import UnixConnection
from .engine import Alive
from .leftovers import end_cgroup, end_process, mounts_below, processes_with
from .process import Process
from .waiting import Deadline, FileWatch, connect, wait_for_exit

# Debian's before others.
_PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
PODMAN = shutil.which("podman", path=_PATH) or "podman"
RUNC = shutil.which("runc", path=_PATH) or "runc"
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


class PodmanError(Exception):
    """The engine's answer was an error."""

    def __init__(self, status: int, message: str):
        super().__init__(f"{status}: {message}")
        self.status = status


class Podman:
    """start() and stop() as often as wanted; sweep() at the end, whatever happened, leaves nothing of it.

    The process is the service's: containers and their conmons need none.
    """

    type = "podman"
    type_id = "podman.io"
    abilities = frozenset({"pause", "rename", "restart"})

    def __init__(self, folder: Path, service_seconds: int = 0, log_size: int = 1_000_000, events_logger: str = "file"):
        """service_seconds: without connections, the service ends after these; 0: never. log_size: bytes of the log of
        events, beyond which it is rotated. events_logger: "none" for no events."""
        self.folder = folder
        self.socket = folder / "podman.sock"
        self.url = f"unix://{self.socket}"
        self._service_seconds = service_seconds
        self._cgroup = f"shorewatch-lab-{folder.parent.name}-{folder.name}"
        self._process: Optional[Process] = None
        folder.mkdir(parents=True, exist_ok=True)
        self._strays = [path for path in _STRAYS if not path.exists()]
        (folder / "containers.conf").write_text(_CONFIGURATION.format(
            folder=folder, log_size=log_size, events_logger=events_logger))
        runtime = folder / "runc"
        runtime.write_text(_RUNTIME.format(runc=RUNC, folder=folder))
        runtime.chmod(0o755)

    # The engine's process.

    @property
    def process(self) -> Process:
        assert self._process is not None, "the service was not started"
        return self._process

    def start(self) -> None:
        """Returns when the engine answers and has its image."""
        self._process = Process(self.service_command(self.url), self.folder / "podman.log", self.environment())
        connect(self.socket, Deadline(30, f"podman to listen on {self.socket}")).close()
        self.need_image()

    def stop(self) -> None:
        """A regular end. Its containers would live on: they are removed first."""
        self.remove_all()
        self.process.stop(30)

    def kill9(self) -> None:
        """Containers live on, with their conmons."""
        self.process.kill()

    def freeze(self) -> None:
        self.process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.signal(signal.SIGCONT)

    def sweep(self) -> None:
        """Ends the service, conmons and containers, and removes all they made: mounts, cgroups, files."""
        if self._process is not None and self._process.running():
            self._process.kill()
        # Conmons first, and those that clean up after them, which they start: until there is none. All have the folder
        # in their arguments.
        while helpers := list(processes_with(os.fsencode(f"{self.folder}/root"))):
            for pid in helpers:
                end_process(pid)
        end_cgroup(self._cgroup)
        for mount_point in mounts_below(self.folder):
            subprocess.run(["umount", "--lazy", mount_point], check=True)
        for stray in self._strays:
            with contextlib.suppress(OSError):  # somebody else's by now
                stray.rmdir() if stray.is_dir() else stray.unlink()
        shutil.rmtree(self.folder)

    # What it runs.

    def podman(self, *arguments: str, check: bool = True, seconds: float = 60) -> str:
        """What the podman command says, which acts by itself and not through the service; without the last newline."""
        done = subprocess.run(self._command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds, env=self.environment())
        if check and done.returncode != 0:
            raise PodmanError(done.returncode, f"podman {' '.join(arguments)}: {done.stdout}")
        return done.stdout.rstrip("\n")

    def podman_run(self, name: str, *command: str, options: tuple[str, ...] = ()) -> str:
        """As run(), by the command."""
        return self.podman("run", "--detach", "--name", name, "--cgroup-parent", f"/{self._cgroup}", *options, IMAGE,
                           *(command or ("sleep", "1000000")))

    def api(self, method: str, path: str, body: Any = None, query: Optional[Mapping[str, Any]] = None,
            seconds: float = 60) -> Any:
        """One request; the answer's JSON, or its text where it is none. PodmanError from status 400 on."""
        connection = UnixConnection(self.socket, seconds)
        try:
            data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
            headers = {} if data is None else {
                "Content-Type": "application/x-tar" if isinstance(body, bytes) else "application/json"}
            connection.request(method, "/v4.0.0/libpod" + path + ("?" + urlencode(query) if query else ""), data,
                               headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        if answer.status >= 400:
            raise PodmanError(answer.status, text)
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text

    def create(self, name: str, *command: str, labels: Optional[Mapping[str, str]] = None, **config: Any) -> str:
        """A container that is not started. Its id."""
        # In a pod, the network and the cgroup are the pod's.
        own = {} if "pod" in config else {"netns": {"nsmode": "none"}, "cgroup_parent": f"/{self._cgroup}"}
        return self.api("POST", "/containers/create", {
            "name": name, "image": IMAGE, "command": list(command or ("sleep", "1000000")),
            "labels": dict(labels or {}), **own, **config})["Id"]

    def start_container(self, container: str) -> None:
        self.api("POST", f"/containers/{quote(container)}/start")

    def run(self, name: str, *command: str, labels: Optional[Mapping[str, str]] = None, **config: Any) -> str:
        """Without a command: sleeps until it is killed. The id."""
        container = self.create(name, *command, labels=labels, **config)
        self.start_container(container)
        return container

    def create_pod(self, name: str) -> str:
        """A pod with an infra container. Its id."""
        return self.api("POST", "/pods/create", {
            "name": name, "netns": {"nsmode": "none"}, "cgroup_parent": f"/{self._cgroup}"})["Id"]

    def remove_pod(self, pod: str) -> None:
        self.api("DELETE", f"/pods/{quote(pod)}", query={"force": "true", "timeout": "0"})

    def kill(self, container: str, signal: str = "KILL") -> None:
        pid = self.inspect(container)["State"]["Pid"]
        self.api("POST", f"/containers/{quote(container)}/kill", query={"signal": signal})
        if signal == "KILL":
            wait_for_exit(pid, Deadline(10, f"the end of container {container}"))

    def pause(self, container: str) -> None:
        self.api("POST", f"/containers/{quote(container)}/pause")

    def unpause(self, container: str) -> None:
        self.api("POST", f"/containers/{quote(container)}/unpause")

    def restart(self, container: str) -> None:
        self.api("POST", f"/containers/{quote(container)}/restart", query={"t": "0"})

    def rename(self, container: str, name: str) -> None:
        self.api("POST", f"/containers/{quote(container)}/rename", query={"name": name})

    def exec(self, container: str, *command: str) -> None:
        """A command that fails is no error."""
        self.podman("exec", container, *command, check=False)

    def remove(self, container: str) -> None:
        self.api("DELETE", f"/containers/{quote(container)}", query={"force": "true", "timeout": "0"})

    def remove_all(self) -> None:
        def remove(container: Any) -> None:
            with contextlib.suppress(PodmanError):
                self.remove(container["Id"])

        for pod in self.api("GET", "/pods/json"):
            self.remove_pod(pod["Id"])
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(remove, self.containers()))

    def inspect(self, container: str) -> Any:
        return self.api("GET", f"/containers/{quote(container)}/json")

    def containers(self) -> Any:
        """All containers, alive or dead, as the API lists them."""
        return self.api("GET", "/containers/json", query={"all": "true"})

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
        except PodmanError:
            self.api("POST", "/images/import", busybox.layer(), {"reference": IMAGE})

    # How it is done.

    def service_command(self, *arguments: str) -> list[str]:
        return self._command("system", "service", f"--time={self._service_seconds}", *arguments)

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PATH": _PATH, "CONTAINERS_CONF": str(self.folder / "containers.conf")}

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
