"""A stand-in for the daemon's Runtime, whose containers are plain processes of this machine: what shorewatchctl asks of it,
and what it makes of answers that a real engine seldom gives.

Takes the address of a bus, and prints each call and, of commands on its standard input, each that is done, a JSON object
a line. Commands: "away" leaves the bus, "back" is on it again, as a daemon that was started anew and has learned meanwhile
how processes have ended; "forge ID" tells of an exit in another's name.
"""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from typing import Any, Callable, Optional

import dbus
import dbus.bus
import dbus.lowlevel
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = "org.shorewatch1"
RUNTIME = NAME + ".Runtime"
ENGINE = "/org/shorewatch1/engines/box"


class Refusal(dbus.DBusException):
    def __init__(self, name: str, text: str):
        super().__init__(text, name=f"{NAME}.Error.{name}")


class Running:
    """A process with its streams."""

    def __init__(self, process: dict[str, Any], options: dict[str, Any], on_exit: Callable[[int], None]):
        self.terminal: Optional[int] = None
        self.kept: list[int] = []
        self.ends: dict[str, int] = {}
        streams = self._terminal(process) if options.get("Terminal") else self._pipes(options)
        environment = dict(variable.split("=", 1) for variable in process["env"])
        self.popen = subprocess.Popen(process["args"], env=environment, cwd=process["cwd"], stdin=streams[0],
                                      stdout=streams[1], stderr=streams[2], start_new_session=True,
                                      preexec_fn=self._take_terminal if self.terminal is not None else None)
        for stream in {stream for stream in streams if stream >= 0} - set(self.kept):
            os.close(stream)
        GLib.child_watch_add(GLib.PRIORITY_DEFAULT, self.popen.pid, lambda _, status: on_exit(
            os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)))

    def _terminal(self, process: dict[str, Any]) -> list[int]:
        self.terminal, inner = pty.openpty()
        size = process.get("consoleSize", {"height": 0, "width": 0})
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size["height"], size["width"], 0, 0))
        self.ends = {"stdin": self.terminal, "stdout": self.terminal}
        return [inner] * 3

    @staticmethod
    def _take_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def _pipes(self, options: dict[str, Any]) -> list[int]:
        if options.get("Discard"):
            return [subprocess.DEVNULL] * 3
        stdin = subprocess.DEVNULL
        if options.get("Stdin", True):
            stdin, self.ends["stdin"] = os.pipe()
            # Held by the shim, until CloseStdin.
            self.kept.append(os.dup(self.ends["stdin"]))
        self.ends["stdout"], stdout = os.pipe()
        self.ends["stderr"], stderr = os.pipe()
        return [stdin, stdout, stderr]

    def hand_over(self) -> dict[str, dbus.types.UnixFd]:
        return {name: dbus.types.UnixFd(fd) for name, fd in self.ends.items()}

    def close_ends(self) -> None:
        for fd in set(self.ends.values()) - {self.terminal}:
            os.close(fd)
        self.ends = {}

    def close_input(self) -> None:
        while self.kept:
            os.close(self.kept.pop())


class Container:
    def __init__(self, spec: dict[str, Any], options: dict[str, Any]):
        self.spec, self.options = spec, options
        self.processes: dict[str, Running] = {}
        self.exit_code: Optional[int] = None


class Engine(dbus.service.Object):
    # One after the other.
    SUPPORTS_MULTIPLE_CONNECTIONS = True

    def __init__(self) -> None:
        super().__init__()
        self.containers: dict[str, Container] = {}
        self.sequence = 0
        self.bus: Optional[dbus.bus.BusConnection] = None

    def say(self, what: str, **more: Any) -> None:
        print(json.dumps({"what": what, **more}), flush=True)

    # The bus.

    def arrive(self, bus: dbus.bus.BusConnection) -> None:
        self.bus = bus
        self.add_to_connection(bus, ENGINE)
        Manager(bus, self)
        Published(bus, self)
        bus.request_name(NAME)

    def leave(self) -> None:
        assert self.bus is not None
        self.bus.release_name(NAME)
        self.remove_from_connection()
        self.bus.close()
        self.bus = None

    def tell(self, container: str, type_: str, process: str = "init", **info: Any) -> None:
        self.sequence += 1
        if self.bus is not None:
            self.Event(container, type_, process, dbus.UInt64(self.sequence), dbus.Dictionary(info, signature="sv"))

    @dbus.service.signal(RUNTIME, signature="sssta{sv}")
    def Event(self, container: str, type_: str, process: str, sequence: int, info: dict[str, Any]) -> None:
        pass

    # Processes.

    def find(self, id_: str) -> Container:
        if id_ not in self.containers:
            raise Refusal("NoSuchContainer", f"There is no container '{id_}'")
        return self.containers[id_]

    def begin(self, id_: str, name: str, process: dict[str, Any], options: dict[str, Any]) -> Running:
        container = self.find(id_)

        def on_exit(code: int) -> None:
            running = container.processes.pop(name)
            self.say("ended", id=id_)
            running.close_input()
            if running.terminal is not None:
                os.close(running.terminal)
            if name == "init":
                container.exit_code = code
            self.tell(id_, "exit", name, ExitCode=dbus.UInt32(code))
            if name == "init" and container.options.get("RemoveOnExit"):
                self.containers.pop(id_, None)

        try:
            running = Running(process, options, on_exit)
        except (FileNotFoundError, PermissionError) as error:
            code = 127 if isinstance(error, FileNotFoundError) else 126
            self.tell(id_, "exit", name, ExitCode=dbus.UInt32(code), Error=str(error))
            raise Refusal("EngineError", f"the runtime says: {error}") from None
        container.processes[name] = running
        return running

    def started(self, id_: str, name: str, running: Running) -> tuple[int, dict[str, dbus.types.UnixFd]]:
        self.tell(id_, "start" if name == "init" else "exec-started", name, PID=dbus.UInt32(running.popen.pid))
        ends = running.hand_over()
        running.close_ends()
        return dbus.UInt32(running.popen.pid), ends

    @dbus.service.method(RUNTIME, in_signature="ssa{sv}")
    def Create(self, id_: str, spec: str, options: dict[str, Any]) -> None:
        self.say("Create", id=id_, spec=json.loads(spec), options=options)
        if id_ in self.containers:
            raise Refusal("Conflict", f"There is a container '{id_}' already")
        self.containers[id_] = Container(json.loads(spec), options)
        self.tell(id_, "create")

    @dbus.service.method(RUNTIME, in_signature="sa{sv}", out_signature="ua{sh}")
    def Start(self, id_: str, options: dict[str, Any]) -> Any:
        self.say("Start", id=id_, options=options)
        container = self.find(id_)
        if container.exit_code is not None:
            raise Refusal("Conflict", f"Container '{id_}' was started already; its task has to be deleted before")
        return self.started(id_, "init", self.begin(id_, "init", container.spec["process"], options))

    @dbus.service.method(RUNTIME, in_signature="sssa{sv}", out_signature="ua{sh}")
    def Exec(self, id_: str, name: str, process: str, options: dict[str, Any]) -> Any:
        self.say("Exec", id=id_, process=json.loads(process), options=options)
        self.tell(id_, "exec-added", name)
        return self.started(id_, name, self.begin(id_, name, json.loads(process), options))

    @dbus.service.method(RUNTIME, in_signature="ssi")
    def SignalProcess(self, id_: str, name: str, number: int) -> None:
        self.say("SignalProcess", id=id_, signal=number)
        running = self.find(id_).processes.get(name)
        if running is None:
            raise Refusal("NotAlive", "it does not run")
        os.kill(running.popen.pid, number)

    @dbus.service.method(RUNTIME, in_signature="ssuu")
    def ResizeTerminal(self, id_: str, name: str, width: int, height: int) -> None:
        running = self.find(id_).processes.get(name)
        if running is None or running.terminal is None:
            raise Refusal("NotSupported", "it has no terminal")
        fcntl.ioctl(running.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.say("ResizeTerminal", width=width, height=height)

    @dbus.service.method(RUNTIME, in_signature="ss")
    def CloseStdin(self, id_: str, name: str) -> None:
        self.say("CloseStdin", id=id_)
        self.find(id_).processes[name].close_input()

    @dbus.service.method(RUNTIME, in_signature="s", out_signature="ut")
    def DeleteTask(self, id_: str) -> Any:
        self.say("DeleteTask", id=id_)
        container = self.find(id_)
        if container.processes:
            raise Refusal("Conflict", f"Container '{id_}' runs")
        code, container.exit_code = container.exit_code or 0, None
        return dbus.UInt32(code), dbus.UInt64(1)

    @dbus.service.method(RUNTIME, in_signature="s")
    def Delete(self, id_: str) -> None:
        self.say("Delete", id=id_)
        if self.find(id_).processes:
            raise Refusal("Conflict", f"Container '{id_}' runs")
        del self.containers[id_]

    @dbus.service.method(RUNTIME, in_signature="ss")
    def UpdateResources(self, id_: str, resources: str) -> None:
        self.find(id_)
        self.say("UpdateResources", id=id_, resources=json.loads(resources))

    @dbus.service.method(RUNTIME, in_signature="ssb")
    def CreateCheckpoint(self, id_: str, directory: str, exit_: bool) -> None:
        self.say("CreateCheckpoint", id=id_, directory=directory, exit=bool(exit_))
        raise Refusal("NotSupported", "criu is not installed")

    @dbus.service.method(RUNTIME, in_signature="sa{sv}", out_signature="bua{sh}")
    def Restore(self, id_: str, options: dict[str, Any]) -> Any:
        running = self.find(id_).processes.get("init")
        return (True, dbus.UInt32(running.popen.pid), {}) if running else (False, dbus.UInt32(0), {})

    @dbus.service.method(RUNTIME, in_signature="s", out_signature="ta{sv}")
    def Stats(self, id_: str) -> Any:
        if not self.find(id_).processes:
            raise Refusal("NotAlive", f"Container '{id_}' does not run")
        self.sequence += 1
        return dbus.UInt64(self.sequence * 1_000_000), dbus.Dictionary({
            "CgroupVersion": dbus.UInt32(1), "cpuacct.usage": dbus.UInt64(self.sequence * 500_000_000),
            "memory.usage_in_bytes": dbus.UInt64(3 << 20), "pids.current": dbus.UInt64(1)}, signature="sv")

    @dbus.service.method(RUNTIME, in_signature="sa{sv}", out_signature="s")
    def ImageConfig(self, image: str, options: dict[str, Any]) -> str:
        if image != "box:latest":
            raise Refusal("NoSuchImage", f"There is no image '{image}'")
        return json.dumps({"config": {"Entrypoint": ["/bin/sh", "-c"], "Cmd": ["echo of the image: $MOOD"],
                                      "Env": ["MOOD=good"], "WorkingDir": "/tmp", "User": "0"}})

    @dbus.service.method(RUNTIME, in_signature="a{sv}", out_signature="ta(sa{sv})")
    def List(self, options: dict[str, Any]) -> Any:
        rows = []
        for id_, container in sorted(self.containers.items()):
            running = container.processes.get("init")
            row: dict[str, Any] = {"Namespace": "default", "Status": "running" if running else "", "Image": "",
                                   "CreatedAt": dbus.UInt64(1), "Processes": dbus.Array(
                                       [name for name in container.processes if name != "init"], signature="s")}
            if running:
                row["PID"], row["Terminal"] = dbus.UInt32(running.popen.pid), running.terminal is not None
            elif container.exit_code is not None:
                row["Status"], row["ExitCode"] = "stopped", dbus.UInt32(container.exit_code)
            rows.append((id_, dbus.Dictionary(row, signature="sv")))
        return dbus.UInt64(self.sequence), dbus.Array(rows, signature="(sa{sv})")


class Manager(dbus.service.Object):
    def __init__(self, bus: dbus.bus.BusConnection, engine: Engine):
        super().__init__(bus, "/org/shorewatch1")

    @dbus.service.method(NAME + ".Manager", out_signature="a(oa{sv})")
    def ListEngines(self) -> Any:
        properties = {"Name": "box", "Type": "containerd.io", "State": "watching"}
        return [(dbus.ObjectPath(ENGINE), dbus.Dictionary(properties, signature="sv"))]


class Published(dbus.service.FallbackObject):
    """The containers as all see them."""

    def __init__(self, bus: dbus.bus.BusConnection, engine: Engine):
        super().__init__(bus, ENGINE + "/containers")
        self._engine = engine

    @dbus.service.method(NAME + ".Container", out_signature="s", rel_path_keyword="rel_path")
    def Inspect(self, rel_path: str) -> str:
        return json.dumps({"Spec": self._engine.find(rel_path.lstrip("/")).spec})


def main() -> None:
    DBusGMainLoop(set_as_default=True)
    address = sys.argv[1]
    engine = Engine()

    def arrive() -> None:
        bus = dbus.bus.BusConnection(address)
        bus.set_exit_on_disconnect(False)
        engine.arrive(bus)

    def forge(id_: str) -> None:
        other = dbus.bus.BusConnection(address)
        message = dbus.lowlevel.SignalMessage(ENGINE, RUNTIME, "Event")
        message.append(id_, "exit", "init", dbus.UInt64(1), dbus.Dictionary({"ExitCode": dbus.UInt32(99)}, signature="sv"),
                       signature="sssta{sv}")
        other.send_message(message)
        other.flush()
        other.close()

    def on_command(*_: object) -> bool:
        command, *arguments = sys.stdin.readline().split() or ["end"]
        {"away": engine.leave, "back": arrive, "forge": forge, "report": lambda: None, "end": loop.quit}[command](*arguments)
        engine.say("done", command=command)
        return True

    arrive()
    engine.say("ready")
    loop = GLib.MainLoop()
    GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, on_command)
    loop.run()
    for container in engine.containers.values():
        for running in list(container.processes.values()):
            running.popen.send_signal(signal.SIGKILL)
            running.popen.wait()


if __name__ == "__main__":
    main()
