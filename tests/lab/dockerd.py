"""A dockerd with a folder, a socket, a containerd and a cgroup of its own, beside whatever else the machine runs.

No registry is needed: its one image, busybox, is made from the machine's own busybox-static. Containers use no network,
and are in the host's, as one of its own is most of the work of a start. Only the standard library is used, so that
quickstart can show its demo with it.
"""

import contextlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Mapping, Optional
from urllib.parse import quote, urlencode

from . import busybox
from .engine import Alive
from .leftovers import Strays, end_process, processes_with, remove_shim_sockets
from .process import Process
from .real_engine import program
from .rest_engine import EngineError, RestEngine, UnixConnection
from .waiting import Deadline, wait_for_exit

DOCKERD = program("dockerd")
DOCKER = program("docker")
IMAGE = "busybox"


class Dockerd(RestEngine):
    type = "docker"
    type_id = "docker.com"
    abilities = frozenset({"pause", "rename", "restart"})

    def __init__(self, folder: Path, live_restore: bool = False, runtime: Optional[Path] = None):
        """runtime: instead of runc."""
        super().__init__(folder, "docker.sock")
        self._runtime = runtime
        self._live_restore = live_restore
        self._strays = Strays()

    # The engine's process.

    def start(self) -> None:
        """Returns when the engine answers and has its image."""
        settings = self.folder / "daemon.json"
        settings.write_text(json.dumps(self._settings()))
        self._process = Process(
            [DOCKERD, "--config-file", settings, "--host", self.url, "--data-root", self.folder / "data",
             "--exec-root", self.folder / "exec", "--pidfile", self.folder / "pid", "--storage-driver=vfs",
             "--bridge=none", "--iptables=false", "--ip6tables=false", "--exec-opt=native.cgroupdriver=cgroupfs",
             f"--cgroup-parent=/{self.cgroup}"] + (["--live-restore"] if self._live_restore else []),
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
        super().kill9()
        wait_for_exit(containerd, Deadline(10, f"the end of containerd, pid {containerd}"))
        # The next dockerd would take the pid of a zombie, which it is until its new parent reaps it, for a containerd.
        pid_file.unlink()

    def _end_helpers(self) -> None:
        # containerd and its shims.
        for pid in processes_with(os.fsencode(self.folder / "exec" / "containerd") + b"/"):
            end_process(pid)

    def _remove_strays(self) -> None:
        remove_shim_sockets(self.folder / "exec/containerd/daemon/io.containerd.runtime.v2.task")
        self._strays.remove()

    # What it runs.

    def docker(self, *arguments: str, check: bool = True, seconds: float = 60) -> str:
        """What the docker command says, without the last newline."""
        done = subprocess.run([DOCKER, "--host", self.url, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
        if check and done.returncode != 0:
            raise EngineError(done.returncode, f"docker {' '.join(arguments)}: {done.stdout}")
        return done.stdout.rstrip("\n")

    def create(self, name: str, *command: str, labels: Optional[Mapping[str, str]] = None, **config: Any) -> str:
        return self.api("POST", "/containers/create", query={"name": name}, body={
            "Image": IMAGE, "Cmd": list(command or ("sleep", "1000000")), "Labels": dict(labels or {}),
            "HostConfig": {"NetworkMode": "host"}, **config})["Id"]

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

    def exec(self, container: str, *command: str) -> None:
        """A command that fails is no error."""
        self.docker("exec", container, *command, check=False)

    def project_labels(self, project: str) -> dict[str, str]:
        return {"com.docker.compose.project": project}

    # How it is done.

    def _settings(self) -> Mapping[str, Any]:
        settings: dict[str, Any] = {}
        if self._runtime is not None:
            settings.update({"runtimes": {"lab": {"path": str(self._runtime)}}, "default-runtime": "lab"})
        # A file of its own, since the machine's /etc/docker/daemon.json is for the machine's dockerd. Docker 20.10
        # writes a key to /etc/docker unless told where; later ones know neither the key nor the setting.
        version = subprocess.run([DOCKERD, "--version"], check=True, capture_output=True, text=True).stdout
        if "version 20." in version:
            settings["deprecated-key-path"] = str(self.folder / "key.json")
        return settings

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
