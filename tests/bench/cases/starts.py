"""Starts and pauses: when our signal reaches a subscriber, and when a client of the engine could know as much.

The control reads the engine's own events, and inspects what has started on a connection that is kept alive: it has then
what our signal and object have. Both are of the same containers, at the same moments.
"""

import json
import time
from functools import partial
from typing import Callable, Iterator

import grpc
from figures import ENGINES, SUBSCRIBER
from lab.bus import Bus
from lab.containerd import Containerd
from lab.daemon import Daemon
from lab.engine import Engine
from lab.parts import new_folder, running
from lab.recorder import Recorder
from lab.rest_engine import RestEngine, UnixConnection
from own_events import own_events
from suite import Case, Goal, Row


class Inspector:
    """GET /containers/ID/json, on a connection of its own that is kept."""

    def __init__(self, engine: RestEngine):
        self._engine = engine
        self._connection = UnixConnection(engine.socket)
        self._get("/version")  # connects

    def _get(self, path: str) -> None:
        self._connection.request("GET", self._engine.api_prefix + path)
        json.loads(self._connection.getresponse().read())

    def inspect(self, id_: str) -> int:
        """When the answer was there, in µs since 1970."""
        self._get(f"/containers/{id_}/json")
        return time.time_ns() // 1000

    def close(self) -> None:
        self._connection.close()


class Getter:
    """containerd's Containers.Get, for labels and image, which its events do not have; on a connection that is kept."""

    def __init__(self, engine: Containerd):
        self._channel = grpc.insecure_channel(f"unix:{engine.socket}", [("grpc.default_authority", "localhost")])
        self._get = self._channel.unary_unary("/containerd.services.containers.v1.Containers/Get")
        grpc.channel_ready_future(self._channel).result(timeout=30)

    def inspect(self, id_: str) -> int:
        """id_: NAMESPACE/ID. When the answer was there, in µs since 1970."""
        namespace, _, id_ = id_.partition("/")
        # The first field of the request; an id has less than 128 bytes.
        self._get(b"\n" + bytes([len(id_)]) + id_.encode(), timeout=30, metadata=[("containerd-namespace", namespace)])
        return time.time_ns() // 1000

    def close(self) -> None:
        self._channel.close()


def _inspecting(engine: Engine) -> tuple[Callable[[str], int], Callable[[], None]]:
    if isinstance(engine, RestEngine):
        inspector = Inspector(engine)
        return inspector.inspect, inspector.close
    assert isinstance(engine, Containerd)
    getter = Getter(engine)
    return getter.inspect, getter.close


def measure(type_: str, n: int) -> Iterator[Row]:
    with (new_folder() as folder, running(ENGINES[type_](folder / "engine")) as engine,
          running(Bus(folder / "bus")) as bus):
        daemon = Daemon(folder / "daemon", bus, {"engine": engine})
        try:
            daemon.start(ready=60)
            yield from _rows(engine, bus, n)
            daemon.stop()
        finally:
            daemon.sweep()


def _rows(engine: Engine, bus: Bus, n: int) -> Iterator[Row]:
    recorder = Recorder(bus, [SUBSCRIBER])
    inspect, close = _inspecting(engine)
    plain = own_events(engine, then={"ContainerStarted": inspect})
    moments: dict[str, list[tuple[float, float]]] = {"ContainerStarted": [], "ContainerPaused": []}
    try:
        for number in range(n):
            name = f"run{number}"
            id_ = engine.run(name, labels=engine.project_labels("bench"))
            _note(moments["ContainerStarted"], recorder, plain, "ContainerStarted", name, id_)
            if "pause" in engine.abilities:
                engine.pause(id_)
                _note(moments["ContainerPaused"], recorder, plain, "ContainerPaused", name, id_)
                engine.unpause(id_)
            engine.remove(id_)
    finally:
        plain.close()
        close()
        recorder.close()
    yield _row(f"{engine.type}: start → ContainerStarted, beside events and an inspection",
               moments["ContainerStarted"], [Goal(0.3, by="difference"), Goal(1, by="difference", of="p95")])
    if "pause" in engine.abilities:
        yield _row(f"{engine.type}: pause → ContainerPaused, beside events", moments["ContainerPaused"],
                   [Goal(0.25, by="difference")])


def _note(to: list[tuple[float, float]], recorder: Recorder, plain: "object", member: str, name: str, id_: str) -> None:
    signal = recorder.wait_for(member, name, seconds=30)
    event = plain.wait_for(member, id_)  # type: ignore[attr-defined]
    to.append(((signal.at - event.stamp) / 1000, (max(event.arrival, event.then) - event.stamp) / 1000))


def _row(what: str, moments: list[tuple[float, float]], goals: list[Goal]) -> Row:
    return Row(what, "ms", [ours for ours, _ in moments], [theirs for _, theirs in moments], goals,
               note="from the engine's stamp of its event on")


CASES = [Case(f"start-{type_}", f"starts and pauses on {type_}, beside a plain reader of its events", 60,
              partial(measure, type_)) for type_ in ("docker", "podman", "containerd")]
