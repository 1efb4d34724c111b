"""Clients of the daemon: blocking calls by python3-dbus, and command lines."""

import contextlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Optional

import dbus
import dbus.bus

from .bus import Bus
from .paths import CTL
from .record_signals import NAME, plain
from .recorder import MANAGER

ROOT = "/org/shorewatch1"


@dataclass(frozen=True)
class Listing:
    """An answer of ListContainers."""

    sequence: int
    containers: dict[str, dict[str, Any]]  # properties by object path

    def by_name(self) -> dict[str, dict[str, Any]]:
        return {properties["Name"]: properties for properties in self.containers.values()}

    def by_id(self) -> dict[str, dict[str, Any]]:
        return {properties["Id"]: properties for properties in self.containers.values()}


class Client:
    """One connection. Errors are dbus.DBusException, whose get_dbus_name() says which."""

    def __init__(self, bus: Bus):
        self._bus = dbus.bus.BusConnection(bus.address)

    def call(self, path: str, interface: str, method: str, *arguments: Any, seconds: float = 25) -> Any:
        return plain(self._raw(path, interface, method, *arguments, seconds=seconds))

    def descriptor(self, path: str, interface: str, method: str, *arguments: Any) -> int:
        """The caller has to close it."""
        return self._raw(path, interface, method, *arguments).take()

    def descriptors(self, path: str, interface: str, method: str, *arguments: Any) -> dict[str, int]:
        """The caller has to close them."""
        answer = self._raw(path, interface, method, *arguments)
        return {str(key): descriptor.take() for key, descriptor in answer.items()}

    def _raw(self, path: str, interface: str, method: str, *arguments: Any, seconds: float = 25) -> Any:
        target = self._bus.get_object(NAME, path, introspect=False)
        return target.get_dbus_method(method, interface)(*arguments, timeout=seconds)

    def manager(self, method: str, *arguments: Any) -> Any:
        return self.call(ROOT, MANAGER, method, *arguments)

    def list(self, **filters: Any) -> Listing:
        sequence, containers = self.manager("ListContainers", dbus.Dictionary(filters, signature="sv"))
        return Listing(sequence, {path: properties for path, properties in containers})

    def engines(self) -> dict[str, dict[str, Any]]:
        """Properties by name."""
        return {properties["Name"]: properties for _, properties in self.manager("ListEngines")}

    def properties(self, path: str, interface: str) -> dict[str, Any]:
        return self.call(path, "org.freedesktop.DBus.Properties", "GetAll", interface)

    def property(self, path: str, interface: str, name: str) -> Any:
        return self.call(path, "org.freedesktop.DBus.Properties", "Get", interface, name)

    def objects(self) -> dict[str, dict[str, dict[str, Any]]]:
        """GetManagedObjects: properties by path and interface."""
        return self.call(ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")

    def close(self) -> None:
        self._bus.close()


def run(bus: Bus, command: str | Path, *arguments: str, seconds: float = 30,
        environment: Optional[Mapping[str, str]] = None) -> subprocess.CompletedProcess[str]:
    """A command on that bus. Its exit code, stdout and stderr."""
    return subprocess.run([str(command), *arguments], env=bus.environment() | dict(environment or {}), text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds)


def ctl(bus: Bus, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return run(bus, CTL, *arguments, **options)


@contextlib.contextmanager
def started_ctl(bus: Bus, stderr: int = subprocess.PIPE) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """start("run", …): shorewatchctl, that goes on while the test does. Without input, unless it is said."""
    parts: list[subprocess.Popen[str]] = []

    def start(*arguments: str, text: bool = True, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        parts.append(subprocess.Popen([str(CTL), *arguments], env=bus.environment(), text=text, stdin=stdin,
                                      stdout=subprocess.PIPE, stderr=stderr))
        return parts[-1]

    yield start
    for part in parts:
        if part.poll() is None:
            part.kill()
        part.wait()
        for stream in (part.stdin, part.stdout, part.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def line(process: subprocess.Popen[str]) -> str:
    """The next one of its output."""
    assert process.stdout is not None
    return process.stdout.readline()


def busctl(bus: Bus, *arguments: str) -> Any:
    """The JSON of an answer; None where there is none. AssertionError when busctl says no."""
    done = run(bus, "busctl", "--system", "--json=short", *arguments)
    assert done.returncode == 0, f"busctl {' '.join(arguments)}: {done.stderr}"
    return json.loads(done.stdout) if done.stdout.strip() else None


def gdbus(bus: Bus, *arguments: str) -> str:
    done = run(bus, "gdbus", *arguments)
    assert done.returncode == 0, f"gdbus {' '.join(arguments)}: {done.stderr}"
    return done.stdout
