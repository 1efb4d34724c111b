"""Calls of a face with many containers, beside the least that a service on sd-bus can do for the same bytes.

Behind the face there is a registry and no engine (tests/dbus/face_driver.cpp): an engine has no part in these calls. For
look-ups by a pid there is a real engine, whose containers have processes.
"""

import contextlib
import sys
from pathlib import Path
from typing import Iterator

sys.path.append(str(Path(__file__).resolve().parents[2] / "dbus"))

from face import Face
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.parts import new_folder, running
from programs import BusClient, MinimalServer, open_bus
from suite import Case, Goal, Row, alternate

CONTAINERS = 10_000
LABELS = 8
_NAME = "org.shorewatch1"
_ROOT = "/org/shorewatch1"
_MANAGER = "org.shorewatch1.Manager"
LIST = (_NAME, _ROOT, _MANAGER, "ListContainers", "a{sv}", "0")
OBJECTS = (_NAME, _ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "-", "0")


def _bulk(what: tuple[str, ...], bound: float, n: int) -> Iterator[Row]:
    with contextlib.ExitStack() as stack:
        bus = stack.enter_context(running(open_bus(stack.enter_context(new_folder()) / "bus")))
        face = Face(bus)
        stack.callback(face.close)
        face.watch()
        face.do("start_many", seconds=120, count=CONTAINERS, labels=LABELS)
        face.do("publish", seconds=120)
        bus.wait_for_owner(_NAME)
        server = MinimalServer(bus)
        stack.callback(server.close)
        client = BusClient(bus)
        stack.callback(client.close)
        server.ask("answer " + " ".join(what))
        # Once each that does not count: buffers grow to what they need.
        alternate(1, lambda: client.calls(what, 1)[0], lambda: client.calls(server.call("Answer"), 1)[0])
        ours, control = alternate(n, lambda: client.calls(what, 1)[0],
                                  lambda: client.calls(server.call("Answer"), 1)[0])
        yield Row(f"{what[3]}, {CONTAINERS} containers of {LABELS} labels", "ms", ours, control, [Goal(bound)])


def list_containers(n: int) -> Iterator[Row]:
    return _bulk(LIST, 1.3, n)


def managed_objects(n: int) -> Iterator[Row]:
    return _bulk(OBJECTS, 2, n)


def look_ups(n: int) -> Iterator[Row]:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder())
        bus = stack.enter_context(running(open_bus(folder / "bus")))
        engine = stack.enter_context(running(Dockerd(folder / "docker")))
        id_ = engine.run("one")
        daemon = Daemon(folder / "daemon", bus, {"docker": engine})
        stack.callback(daemon.sweep)
        daemon.start(ready=60)
        server = MinimalServer(bus)
        stack.callback(server.close)
        client = BusClient(bus)
        stack.callback(client.close)
        first = engine.alive()[id_].pid
        # An orphan, which its first process has got by the time that this returns.
        engine.exec(id_, "sh", "-c", "sleep 1000000 > /dev/null 2>&1 < /dev/null &")
        other = int(Path(f"/proc/{first}/task/{first}/children").read_text().split()[0])
        for kind, pid in (("the first", first), ("another", other)):
            what = (_NAME, _ROOT, _MANAGER, "GetContainerByPID", "u", str(pid))
            ours, control = client.turns(what, server.call("Empty"), n)
            yield Row(f"GetContainerByPID of {kind} process of a container, against a method that does nothing", "ms",
                      ours, control, [Goal(1.5)])


CASES = [Case("list-containers", "ListContainers with 10,000 containers", 20, list_containers),
         Case("managed-objects", "GetManagedObjects with 10,000 containers", 20, managed_objects),
         Case("look-ups", "GetContainerByPID", 100_000, look_ups)]
