"""A dockerd with a folder, a socket, a containerd and a cgroup of its own, beside whatever else the machine runs.

No registry is needed: its one image, busybox, is made from the machine's own busybox-static. Containers have no
network. Only the standard library is used, so that quickstart can show its demo with it.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Mapping, Optional
from urllib.parse import quote, urlencode

from . import busybox
from .engine import Alive
from .leftovers import Strays, end_cgroup, end_process, mounts_below, processes_with
from .process import Process
from .waiting import Deadline, connect, wait_for_exit

# Debian's before others.
_PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
DOCKERD = shutil.which("dockerd", path=_PATH) or "dockerd"
DOCKER = shutil.which("docker", path=_PATH) or "docker"
IMAGE = "busybox"


class DockerError(Exception):
    """The engine's answer was an error."""

    def __init__(self, status: int, message: str):
        super().__init__(f"{status}: {message}")
        self.status = status


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float = 60):
        super().__init__("docker", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Dockerd:
    """start() and stop() as often as wanted; sweep() at the end, whatever happened, leaves nothing of it."""

    type = "docker"
    type_id = "docker.com"
    abilities = frozenset({"pause", "rename", "restart"})

    def __init__(self, folder: Path, live_restore: bool = False):
        self.folder = folder
        self.socket = folder / "docker.sock"
        self.url = f"unix://{self.socket}"
        self._live_restore = live_restore
        self._cgroup = f"shorewatch-lab-{folder.parent.name}-{folder.name}"
        self._process: Optional[Process] = None
        folder.mkdir(parents=True, exist_ok=True)
        self._strays = Strays()

    # The engine's process.

    @property
    def process(self) -> Process:
        assert self._process is not None, "dockerd was not started"
        return self._process

    def start(self) -> None:
        """Returns when the engine answers and has its image."""
        settings = self.folder / "daemon.json"
        settings.write_text(json.dumps(self._settings()))
        self._process = Process(
            [DOCKERD, "--config-file", settings, "--host", self.url, "--data-root", self.folder / "data",
             "--exec-root", self.folder / "exec", "--pidfile", self.folder / "pid", "--storage-driver=vfs",
             "--bridge=none", "--iptables=false", "--ip6tables=false", "--exec-opt=native.cgroupdriver=cgroupfs",
             f"--cgroup-parent=/{self._cgroup}"] + (["--live-restore"] if self._live_restore else []),
            self.folder / "dockerd.log")
        self._wait_until_answering(Deadline(60, f"dockerd to answer on {self.socket}"))
        if not any(f"{IMAGE}:latest" in (image["RepoTags"] or []) for image in self.api("GET", "/images/json")):
            self._import_image()

    def stop(self) -> None:
        """A regular end. Its containers end with it, unless it does live-restore."""
        if not self._live_restore:
            self.remove_all()
        self.process.stop(60)

    def kill9(self) -> None:
        """Containers live on. Its containerd ends with it."""
        pid_file = self.folder / "exec/containerd/containerd.pid"
        containerd = int(pid_file.read_text())
        self.process.kill()
        wait_for_exit(containerd, Deadline(10, f"the end of containerd, pid {containerd}"))
        # The next dockerd would take the pid of a zombie, which it is until its new parent reaps it, for a containerd.
        pid_file.unlink()

    def freeze(self) -> None:
        self.process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.signal(signal.SIGCONT)

    def sweep(self) -> None:
        """Ends dockerd, containerd, shims and containers, and removes all they made: mounts, cgroups, files."""
        if self._process is not None and self._process.running():
            self._process.kill()
        # containerd and its shims.
        for pid in processes_with(os.fsencode(self.folder / "exec" / "containerd") + b"/"):
            end_process(pid)
        end_cgroup(self._cgroup)
        for address in self.folder.glob("exec/containerd/daemon/io.containerd.runtime.v2.task/*/*/address"):
            Path(address.read_text().removeprefix("unix://")).unlink(missing_ok=True)
        for mount_point in mounts_below(self.folder):
            subprocess.run(["umount", "--lazy", mount_point], check=True)
        self._strays.remove()
        shutil.rmtree(self.folder)

    # What it runs.

    def docker(self, *arguments: str, check: bool = True, seconds: float = 60) -> str:
        """What the docker command says, without the last newline."""
        done = subprocess.run([DOCKER, "--host", self.url, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
        if check and done.returncode != 0:
            raise DockerError(done.returncode, f"docker {' '.join(arguments)}: {done.stdout}")
        return done.stdout.rstrip("\n")

    def api(self, method: str, path: str, body: Any = None, query: Optional[Mapping[str, Any]] = None,
            seconds: float = 60) -> Any:
        """One request; the answer's JSON, or its text where it is none. DockerError from status 400 on."""
        connection = UnixConnection(self.socket, seconds)
        try:
            data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
            headers = {} if data is None else {
                "Content-Type": "application/x-tar" if isinstance(body, bytes) else "application/json"}
            connection.request(method, path + ("?" + urlencode(query) if query else ""), data, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        if answer.status >= 400:
            raise DockerError(answer.status, text)
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text

    def create(self, name: str, *command: str, labels: Optional[Mapping[str, str]] = None, **config: Any) -> str:
        """A container that is not started, by the API, which is faster than the command. Its id."""
        return self.api("POST", "/containers/create", query={"name": name}, body={
            "Image": IMAGE, "Cmd": list(command or ("sleep", "1000000")), "Labels": dict(labels or {}),
            "HostConfig": {"NetworkMode": "none"}, **config})["Id"]

    def start_container(self, container: str) -> None:
        self.api("POST", f"/containers/{quote(container)}/start")

    def run(self, name: str, *command: str, labels: Optional[Mapping[str, str]] = None, **config: Any) -> str:
        """Without a command: sleeps until it is killed. The id."""
        container = self.create(name, *command, labels=labels, **config)
        self.start_container(container)
        return container

    def inspect(self, container: str) -> Any:
        return self.api("GET", f"/containers/{quote(container)}/json")

    def wait_for_event(self, container: str, action: str, seconds: float = 30) -> None:
        """Returns when the engine has told an event whose action begins so; one of the last 256 counts too."""
        query = {"since": "1", "filters": json.dumps({"container": [container]})}
        self._wait_for_bytes("/events", query, f'"Action":"{action}', seconds)

    def wait_for_output(self, container: str, text: str, seconds: float = 30) -> None:
        query = {"follow": "true", "stdout": "true"}
        self._wait_for_bytes(f"/containers/{quote(container)}/logs", query, text, seconds)

    def alive(self) -> dict[str, Alive]:
        """What `docker ps` shows, but for what is between two runs."""
        states = (self.inspect(entry["Id"]) for entry in self.api("GET", "/containers/json"))
        return {one["Id"]: Alive(one["Name"].removeprefix("/"), one["State"]["Pid"], one["State"]["Paused"])
                for one in states if one["State"]["Pid"] > 0}

    def kill(self, container: str, signal: str = "KILL") -> None:
        self.api("POST", f"/containers/{quote(container)}/kill", query={"signal": signal})

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
        self.docker("exec", container, *command, check=False)

    def project_labels(self, project: str) -> dict[str, str]:
        return {"com.docker.compose.project": project}

    def remove(self, container: str) -> None:
        self.api("DELETE", f"/containers/{quote(container)}", query={"force": "true"})

    def remove_all(self) -> None:
        def remove(container: Any) -> None:
            with contextlib.suppress(DockerError):
                self.remove(container["Id"])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(remove, self.api("GET", "/containers/json", query={"all": "true"})))

    # How it is done.

    def _settings(self) -> Mapping[str, str]:
        # A file of its own, since the machine's /etc/docker/daemon.json is for the machine's dockerd. Docker 20.10
        # writes a key to /etc/docker unless told where; later ones know neither the key nor the setting.
        version = subprocess.run([DOCKERD, "--version"], check=True, capture_output=True, text=True).stdout
        if "version 20." in version:
            return {"deprecated-key-path": str(self.folder / "key.json")}
        return {}

    def _wait_until_answering(self, deadline: Deadline) -> None:
        # The socket takes connections before the engine serves them: the request waits for it.
        while True:
            with connect(self.socket, deadline) as connection:
                connection.settimeout(deadline.left())
                with contextlib.suppress(ConnectionError):  # a dying predecessor's
                    connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                    if b" 200 " in connection.recv(4096):
                        return
            if not self.process.running():
                raise AssertionError(f"dockerd ended with {self.process.wait(1)}:\n{self.process.output()[-3000:]}")

    def _wait_for_bytes(self, path: str, query: Mapping[str, str], wanted: str, seconds: float) -> None:
        deadline = Deadline(seconds, f"{wanted} in the answer to GET {path}")
        connection = UnixConnection(self.socket, deadline.left())
        try:
            connection.request("GET", f"{path}?{urlencode(query)}")
            answer = connection.getresponse()
            seen = b""
            while wanted.encode() not in seen:
                connection.sock.settimeout(deadline.left())
                chunk = answer.read1(65536)
                if not chunk:
                    raise AssertionError(f"GET {path} ended without {wanted}: {seen!r}")
                seen += chunk
        finally:
            connection.close()

    def _import_image(self) -> None:
        self.api("POST", "/images/create", busybox.layer(), {"fromSrc": "-", "repo": IMAGE, "tag": "latest"})
