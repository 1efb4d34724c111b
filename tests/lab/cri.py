"""Kubernetes' container runtime interface on a containerd of the test's own, asked as a kubelet asks it.

Messages are written by hand, by their field numbers: a handful of requests needs no generated code.
"""

import os
import signal as signals
from pathlib import Path
from typing import Any, Iterator, Mapping, Optional

import grpc

from .containerd import Containerd
from .engine import Alive
from .waiting import Deadline, FileWatch, wait_for_exit

PAUSE = "docker.io/library/pause:latest"
IMAGE = "docker.io/library/busybox:latest"

_CONFIGURATION = """
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{folder}/cni"
conf_dir = "{folder}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
Root = "{folder}/runc"
"""

EVENT_TYPES = ("created", "started", "stopped", "deleted")

Fields = Mapping[int, Any]


def encoded(fields: Fields) -> bytes:
    """A message: numbers, text, messages (mappings of int), maps (mappings of str), and lists of these."""
    return b"".join(_field(number, value) for number, value in fields.items())


def _field(number: int, value: Any) -> bytes:
    if isinstance(value, list):
        return b"".join(_field(number, one) for one in value)
    if value == {}:
        return b""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return b"".join(_field(number, {1: key, 2: text}) for key, text in value.items())
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = encoded(value) if isinstance(value, Mapping) else os.fsencode(value)
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


# A NamespaceOption as a kubelet has it, but for the network, which is the host's: a pid namespace for each container.
# With one for all of a pod, containerd's shim (1.6) hangs itself up over twenty ends at once.
_NAMESPACES = {1: 2, 2: 1}

# The pod of the containers for which none is named.
_POD = "pod"


class Cri(Containerd):
    """A containerd with its CRI plugin. Ids are CRI's, as the daemon publishes them."""

    type = "cri"
    type_id = "k8s.io/cri-api"
    abilities = frozenset()

    def __init__(self, folder: Path):
        super().__init__(folder, _CONFIGURATION.format(pause=PAUSE, folder=folder))
        self._sandboxes: dict[str, Fields] = {}
        self._pod: Optional[str] = None
        self._names: dict[str, str] = {}

    def start(self) -> None:
        super().start()
        self._wait_until_initialized(Deadline(30, "containerd's CRI plugin to be initialized"))
        self.need_image("k8s.io", IMAGE)
        self.need_image("k8s.io", PAUSE, ("/bin/sleep", "1000000"))

    def _wait_until_initialized(self, deadline: Deadline) -> None:
        """containerd listens before its plugin knows what there is; the plugin logs what it does meanwhile."""
        with FileWatch(self.process.log) as watch:
            while True:
                try:
                    self.call("ListPodSandbox", {})
                    return
                except grpc.RpcError as error:
                    if "not initialized" not in str(error):
                        raise
                watch.wait(min(deadline.left(), 0.1))

    def call(self, method: str, request: Fields) -> bytes:
        """One call of the runtime service: what comes back, serialized."""
        with grpc.insecure_channel(self.url, [("grpc.default_authority", "localhost")]) as channel:
            return channel.unary_unary(f"/runtime.v1.RuntimeService/{method}")(encoded(request), timeout=60,
                                                                               wait_for_ready=True)

    def events(self, seconds: float = 30) -> Iterator[tuple[str, str]]:
        """What the runtime has for a kubelet, and keeps until somebody has taken it: ids, and what was their lot."""
        with grpc.insecure_channel(self.url, [("grpc.default_authority", "localhost")]) as channel:
            for message in channel.unary_stream("/runtime.v1.RuntimeService/GetContainerEvents")(
                    b"", timeout=seconds, wait_for_ready=True):
                # Field 1 is the id, field 2 the number of the type, left out when it is 0.
                end = 2 + message[1]
                yield message[2:end].decode(), EVENT_TYPES[message[end + 1] if message[end] == 2 << 3 else 0]

    def run_pod(self, name: str, namespace: str = "default", labels: Optional[Mapping[str, str]] = None,
                annotations: Optional[Mapping[str, str]] = None) -> str:
        """A pod without containers, in the host's network. The id of its sandbox."""
        config: Fields = {
            1: {1: name, 2: f"uid-of-{name}", 3: namespace}, 3: str(self.folder / "logs"), 6: dict(labels or {}),
            7: dict(annotations or {}), 8: {1: f"/{self.cgroup}", 2: {1: _NAMESPACES}}}
        id_ = _text(self.call("RunPodSandbox", {1: config}))
        self._sandboxes[id_] = config
        self._names[id_] = name
        return id_

    def run_in(self, pod: str, name: str, *command: str, labels: Optional[Mapping[str, str]] = None,
               annotations: Optional[Mapping[str, str]] = None) -> str:
        """A container in a pod. Without a command: sleeps until it is killed. The id."""
        config: Fields = {1: {1: name}, 2: {1: IMAGE}, 3: list(command or ("sleep", "1000000")), 9: dict(labels or {}),
                          10: dict(annotations or {}), 11: f"{name}.log", 15: {2: {3: _NAMESPACES}}}
        id_ = _text(self.call("CreateContainer", {1: pod, 2: config, 3: self._sandboxes[pod]}))
        self.call("StartContainer", {1: id_})
        self._names[id_] = name
        return id_

    # What the conformance suite asks for: containers, all in one pod.

    def need_pod(self) -> str:
        """That pod, which is there before anything is watched. The id of its sandbox."""
        if self._pod is None:
            self._pod = self.run_pod(_POD)
        return self._pod

    def run(self, name: str, *command: str, labels: Optional[Mapping[str, str]] = None, **_: Any) -> str:
        return self.run_in(self.need_pod(), name, *command, labels=labels)

    def kill(self, container: str, signal: str = "KILL") -> None:
        """Kubernetes has no call for signals."""
        pid = self.pid_of(container)
        os.kill(pid, getattr(signals, f"SIG{signal}"))
        if signal == "KILL":
            wait_for_exit(pid, Deadline(10, f"the end of container {container}"))

    def exec(self, container: str, *command: str) -> None:
        self.exec_in(container, *command)

    def remove(self, container: str) -> None:
        self._remove_ended(f"the end of container {container}", "Container", {1: container}, {2: 0})

    def alive(self) -> dict[str, Alive]:
        return {id_: Alive(self._names[id_], int(pid), False) for id_, pid, status in self.tasks("k8s.io")
                if status == "RUNNING"}

    def exec_in(self, container: str, *command: str) -> None:
        self.call("ExecSync", {1: container, 2: list(command)})

    def stop_container(self, container: str) -> None:
        """At once."""
        self.call("StopContainer", {1: container, 2: 0})

    def stop_pod(self, pod: str) -> None:
        self.call("StopPodSandbox", {1: pod})

    def remove_all(self) -> None:
        for pod in list(self._sandboxes):
            self._remove_ended(f"the end of all containers of pod {pod}", "PodSandbox", {1: pod}, {})
            del self._sandboxes[pod]
        self._pod = None

    def _remove_ended(self, what: str, kind: str, which: Fields, how_to_stop: Fields) -> None:
        """containerd refuses it while it is not through with the end of a container, and tells nobody when it is."""
        deadline = Deadline(10, what)
        while True:
            try:
                self.call(f"Stop{kind}", {**which, **how_to_stop})
                self.call(f"Remove{kind}", which)
                return
            except grpc.RpcError as error:
                # Of a container that is over; of a shim that went with it while it was being asked to end it.
                if not any(words in error.details() for words in ("still running", "ttrpc: closed")):
                    raise
                deadline.left()

    def pid_of(self, container: str) -> int:
        """By containerd itself."""
        return {name: int(pid) for name, pid, _ in self.tasks("k8s.io")}[container]


def _text(message: bytes) -> str:
    """The one field, number 1, of a short message."""
    assert message[0] == 1 << 3 | 2 and message[1] == len(message) - 2, message
    return message[2:].decode()
