"""A client of org.shorewatch1.Runtime: specifications that run here, calls, descriptors, events."""

import json
import os
import select
import subprocess
import threading
from pathlib import Path
from typing import Any, Callable, Mapping, Optional

import dbus
import dbus.bus
import dbus.lowlevel
import pytest

from .busybox import APPLETS, BUSYBOX
from .bus import Bus
from .clients import ROOT
from .record_signals import NAME, plain
from .recorder import MANAGER, Recorder, Signal
from .waiting import Deadline

INTERFACE = "org.shorewatch1.Runtime"
ERROR = "org.shorewatch1.Error."
INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"
NAMESPACE = "shorewatch"
_MORE_APPLETS = ("cat", "dd", "echo", "head", "kill", "stty", "tr", "wc", "yes", "id", "ls")
_MASKED = ["/proc/kcore", "/proc/keys", "/proc/timer_list"]


def root_file_system(folder: Path) -> Path:
    """A folder with busybox in it."""
    for part in ("bin", "dev", "etc", "proc", "sys", "tmp"):
        (folder / part).mkdir(parents=True)
    (folder / "bin/busybox").write_bytes(Path(BUSYBOX).read_bytes())
    (folder / "bin/busybox").chmod(0o755)
    for applet in (*APPLETS, *_MORE_APPLETS):
        (folder / "bin" / applet).symlink_to("busybox")
    return folder


def process(*arguments: str, terminal: bool = False) -> dict[str, Any]:
    capabilities = ["CAP_KILL", "CAP_CHOWN", "CAP_SETUID", "CAP_SETGID"]
    return {"args": list(arguments), "cwd": "/", "env": ["PATH=/bin", "TERM=xterm"], "terminal": terminal,
            "user": {"uid": 0, "gid": 0},
            "capabilities": {name: capabilities for name in ("bounding", "effective", "permitted")}}


def spec(rootfs: Path, cgroup: str, *arguments: str, terminal: bool = False,
         resources: Optional[Mapping[str, Any]] = None) -> dict[str, Any]:
    return {
        "ociVersion": "1.0.2", "process": process(*arguments, terminal=terminal), "root": {"path": str(rootfs)},
        "hostname": "lab",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755", "size=65536k"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
             "options": ["newinstance", "ptmxmode=0666", "mode=0620"]}],
        "linux": {"cgroupsPath": f"/{cgroup}", "resources": dict(resources or {}), "maskedPaths": _MASKED,
                  "namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "network")]}}


class Runtime:
    """One connection. Errors are dbus.DBusException."""

    def __init__(self, bus: Bus, engine: str = "containerd"):
        self._bus = dbus.bus.BusConnection(bus.address)
        self._path = f"{ROOT}/engines/{engine}"

    def raw(self, method: str, *arguments: Any, seconds: float = 60) -> Any:
        target = self._bus.get_object(NAME, self._path, introspect=False)
        return target.get_dbus_method(method, INTERFACE)(*arguments, timeout=seconds)

    def call(self, method: str, *arguments: Any, seconds: float = 60) -> Any:
        arguments = tuple(options_of(argument) if isinstance(argument, dict) else argument for argument in arguments)
        if method == "ResizeTerminal":
            arguments = (*arguments[:2], *map(dbus.UInt32, arguments[2:]))
        return plain(self.raw(method, *arguments, seconds=seconds))

    def create(self, id_: str, specification: Mapping[str, Any] | str, **options: Any) -> None:
        text = specification if isinstance(specification, str) else json.dumps(specification)
        self.call("Create", id_, text, options_of(options))

    def start(self, id_: str, **options: Any) -> "Started":
        return Started(*self.raw("Start", id_, options_of(options)))

    def exec(self, id_: str, name: str, *arguments: str, description: Optional[str] = None,
             **options: Any) -> "Started":
        text = description if description is not None else json.dumps(process(*arguments))
        return Started(*self.raw("Exec", id_, name, text, options_of(options)))

    def reload(self) -> None:
        """Has the daemon read its configuration again."""
        self._bus.get_object(NAME, ROOT, introspect=False).get_dbus_method("Reload", MANAGER)()

    def answers(self) -> bool:
        """Is the engine connected?"""
        try:
            self.call("Version")
        except dbus.DBusException:
            return False
        return True

    def restore(self, id_: str) -> tuple[bool, "Started"]:
        alive, pid, stdio = self.raw("Restore", id_, options_of({}))
        return bool(alive), Started(pid, stdio)

    def begin(self, method: str, *arguments: Any) -> Callable[[], "Started"]:
        """Sends Start or Exec, and returns what waits for the answer."""
        message = dbus.lowlevel.MethodCallMessage(NAME, self._path, INTERFACE, method)
        message.append(*arguments[:-1], options_of(arguments[-1]), signature="s" * (len(arguments) - 1) + "a{sv}")
        answers: list[Any] = []
        pending = self._bus.send_message_with_reply(message, answers.append, 60)

        def wait() -> "Started":
            pending.block()
            # The message holds descriptors of its own as long as it lives.
            return Started(*answers.pop().get_args_list())

        return wait

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
        """For what no event tells of: asks again and again."""
        deadline = Deadline(seconds, what)
        while not holds():
            deadline.left()

    def listing(self) -> dict[str, dict[str, Any]]:
        return {id_: row for id_, row in self.call("List", options_of({}))[1]}

    def close(self) -> None:
        self._bus.close()


def refused(function: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """The name of the error that a call comes to."""
    with pytest.raises(dbus.DBusException) as caught:
        function(*arguments, **options)
    return caught.value.get_dbus_name()


def options_of(options: Mapping[str, Any]) -> Any:
    return dbus.Dictionary(options, signature="sv")


class Started:
    """A process, and the caller's ends of its streams, which have to be closed."""

    def __init__(self, pid: Any, stdio: Mapping[Any, Any]):
        self.pid = int(pid)
        self.streams = {str(name): end.take() for name, end in stdio.items()}

    def __enter__(self) -> "Started":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, *names: str) -> None:
        """All of them, or these."""
        for name in names or list(self.streams):
            descriptor = self.streams.pop(name, None)
            if descriptor is not None:
                os.close(descriptor)

    def write(self, text: bytes) -> None:
        os.write(self.streams["stdin"], text)

    def read_until(self, end: bytes, stream: str = "stdout", seconds: float = 30) -> bytes:
        """What comes, up to and with that."""
        deadline = Deadline(seconds, f"{end!r} from {stream}")
        text = b""
        while end not in text:
            deadline.wait_readable(self.streams[stream])
            part = os.read(self.streams[stream], 65536)
            assert part, f"{stream} ended after {text!r}, without {end!r}"
            text += part
        return text

    def read_all(self, stream: str = "stdout", seconds: float = 60) -> bytes:
        """To its end."""
        deadline = Deadline(seconds, f"the end of {stream}")
        text = b""
        while True:
            wait_readable_or_over(self.streams[stream], deadline)
            part = os.read(self.streams[stream], 1 << 20)
            if not part:
                return text
            text += part


def wait_readable_or_over(descriptor: int, deadline: Deadline) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    while not poll.poll(deadline.left() * 1000):
        pass


class Events:
    """What a recorder has of one container's events."""

    def __init__(self, recorder: Recorder, id_: str):
        self._recorder = recorder
        self._id = id_

    def all(self) -> list[Signal]:
        return [told for told in self._recorder.signals.all() if self._is_ours(told)]

    def names(self, process_: Optional[str] = None) -> list[str]:
        """Types, of one process or, with the processes' names, of all."""
        if process_ is not None:
            return [told.args[1] for told in self.all() if told.args[2] == process_]
        return [f"{told.args[1]} {told.args[2]}" for told in self.all()]

    def wait(self, type_: str, process_: str = "init", seconds: float = 30, count: int = 1) -> dict[str, Any]:
        """What the event of that type says, or the count-th of them."""
        def wanted(told: Signal) -> bool:
            return self._is_ours(told) and told.args[1] == type_ and told.args[2] == process_

        items = self._recorder.signals.wait_until(
            lambda all_: sum(map(wanted, all_)) >= count, seconds, f"{type_} of {self._id} {process_}")
        return [told for told in items if wanted(told)][count - 1].args[4]

    def _is_ours(self, told: Signal) -> bool:
        return told.interface == INTERFACE and told.args[0] == self._id


def descriptors_of(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def in_background(target: Any, *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments)
    thread.start()
    return thread


def has_criu() -> bool:
    return subprocess.run(["sh", "-c", "command -v criu"], stdout=subprocess.DEVNULL).returncode == 0
