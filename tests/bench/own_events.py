"""What any client of an engine can have without us: its own stream of events, each stamped on arrival. No inspection,
no bus."""

import contextlib
import http.client
import json
import os
import subprocess
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Callable, Mapping, Optional
from urllib.parse import urlencode

from lab.containerd import CTR, Containerd
from lab.cri import Cri
from lab.dockerd import Dockerd
from lab.engine import Engine
from lab.podman import Podman
from lab.real_engine import PATH
from lab.rest_engine import RestEngine, UnixConnection
from lab.waiting import Arrivals


@dataclass(frozen=True)
class OwnEvent:
    member: str  # the signal of ours that tells the same
    id: str  # as the daemon publishes it
    stamp: int  # the engine's, in µs since 1970
    arrival: int  # here, in µs since 1970
    then: int = 0  # when what was to be done then was done


class OwnEvents:
    """Of the start, the exit and the pauses of containers, from the moment it is made."""

    def __init__(self, then: Mapping[str, Callable[[str], int]]) -> None:
        """then: what is done at once with the id of an event of that member; returns when it was done."""
        self.events: Arrivals[OwnEvent] = Arrivals()
        self._then = then
        self._thread = threading.Thread(target=self._read, name="the engine's own events")
        self._thread.start()

    def wait_for(self, member: str, id_: str, seconds: float = 30) -> OwnEvent:
        return self.events.wait_for(lambda event: (event.member, event.id) == (member, id_), seconds,
                                    f"the engine's own word of {member} of {id_}")

    def close(self) -> None:
        self._end()
        self._thread.join()

    def _read(self) -> None:
        rest = b""
        while chunk := self._next():
            arrival = time.time_ns() // 1000
            *lines, rest = (rest + chunk).split(b"\n")
            for text in filter(None, lines):
                if event := self._decode(text, arrival):
                    if event.member in self._then:
                        event = replace(event, then=self._then[event.member](event.id))
                    self.events.add(event)
        self.events.end("the engine's own events are over")

    def _next(self) -> bytes:
        """Some bytes; none at the end."""
        raise NotImplementedError

    def _decode(self, text: bytes, arrival: int) -> Optional[OwnEvent]:
        raise NotImplementedError

    def _end(self) -> None:
        raise NotImplementedError


class RestEvents(OwnEvents):
    """Docker's and Podman's, as `docker events` and `podman events` ask for them."""

    def __init__(self, engine: RestEngine, kinds: Mapping[str, str], query: Mapping[str, str],
                 then: Mapping[str, Callable[[str], int]]):
        """kinds: the engine's names of events, with ours."""
        self._kinds = kinds
        self._connection = UnixConnection(engine.socket, timeout=600)
        filters = {"type": ["container"], "event": list(kinds)}
        self._connection.request("GET", f"{engine.api_prefix}/events?" + urlencode(
            {**query, "filters": json.dumps(filters)}))
        self._answer = self._connection.getresponse()
        super().__init__(then)

    def _next(self) -> bytes:
        with contextlib.suppress(http.client.IncompleteRead):  # _end()
            return self._answer.read1(65536)
        return b""

    def _decode(self, text: bytes, arrival: int) -> Optional[OwnEvent]:
        event = json.loads(text)
        return OwnEvent(self._kinds[event["Action"]], event["Actor"]["ID"], event["timeNano"] // 1000, arrival)

    def _end(self) -> None:
        self._connection.sock.shutdown(2)

    def close(self) -> None:
        super().close()
        self._connection.close()


class CtrEvents(OwnEvents):
    """containerd's, by `ctr events`; of a CRI engine too, which is one. The stamp is that of the event; its exited_at is a little earlier."""

    _KINDS = {"/tasks/start": "ContainerStarted", "/tasks/exit": "ContainerExited", "/tasks/paused": "ContainerPaused"}

    def __init__(self, engine: Containerd, then: Mapping[str, Callable[[str], int]]):
        self._told_any = False
        self._ids_have_namespaces = not isinstance(engine, Cri)
        self._process = subprocess.Popen([CTR, "--address", str(engine.socket), "events"], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, env={**os.environ, "PATH": PATH},
                                         start_new_session=True)
        super().__init__(then)
        # It does not say when it has begun to listen.
        engine.make_namespaces_until(lambda: self._told_any)

    def _next(self) -> bytes:
        assert self._process.stdout is not None
        chunk = os.read(self._process.stdout.fileno(), 65536)
        self._told_any = True
        return chunk

    def _decode(self, text: bytes, arrival: int) -> Optional[OwnEvent]:
        # 2026-11-22 04:12:38.123456789 +0000 UTC default /tasks/exit {"container_id":"web",…}
        day, clock, _, _, namespace, topic, json_text = text.decode().split(" ", 6)
        if topic not in self._KINDS:
            return None
        event = json.loads(json_text)
        if event.get("id", event["container_id"]) != event["container_id"]:
            return None  # the exit of what was executed in it
        seconds, _, fraction = clock.partition(".")
        time_of_day = datetime.fromisoformat(f"{day} {seconds}").replace(tzinfo=timezone.utc)
        stamp = int(time_of_day.timestamp()) * 1_000_000 + int(fraction.ljust(6, "0")[:6])
        id_ = f"{namespace}/{event['container_id']}" if self._ids_have_namespaces else event["container_id"]
        return OwnEvent(self._KINDS[topic], id_, stamp, arrival)

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        super().close()
        assert self._process.stdout is not None
        self._process.stdout.close()


def own_events(engine: Engine, then: Mapping[str, Callable[[str], int]] = {}) -> OwnEvents:
    kinds = {"start": "ContainerStarted", "pause": "ContainerPaused"}
    if isinstance(engine, Dockerd):
        return RestEvents(engine, {**kinds, "die": "ContainerExited"}, {"since": str(time.time())}, then)
    if isinstance(engine, Podman):
        return RestEvents(engine, {**kinds, "died": "ContainerExited"},
                          {"stream": "true", "since": str(int(time.time()))}, then)
    assert isinstance(engine, Containerd)
    return CtrEvents(engine, then)
