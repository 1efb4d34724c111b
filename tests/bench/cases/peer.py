"""Any other watcher beside ours, on the same containers: a program that prints `name state nanoseconds` lines.

The state is "started", "paused", "unpaused" or "exited"; the nanoseconds are of when it knew, since 1970. Its environment
has DOCKER_HOST. It is started before the containers are, and ended by SIGTERM.
"""

import os
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional

from figures import SUBSCRIBER
from lab.bus import Bus
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.parts import new_folder, running
from lab.recorder import Recorder
from lab.waiting import Arrivals
from own_events import own_events
from suite import Case, Row

MEMBERS = {"ContainerStarted": "started", "ContainerPaused": "paused", "ContainerExited": "exited"}


@dataclass
class Chosen:
    program: Optional[Path] = None


_chosen = Chosen()


def use(program: Optional[Path]) -> None:
    _chosen.program = program


@dataclass(frozen=True)
class Line:
    name: str
    state: str
    at: int  # ns since 1970


class Peer:
    def __init__(self, program: Path, engine: Dockerd):
        self.lines: Arrivals[Line] = Arrivals()
        self._process = subprocess.Popen([program.resolve()], env={**os.environ, "DOCKER_HOST": engine.url},
                                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                         start_new_session=True)
        self._thread = threading.Thread(target=self._read, name="peer")
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            name, state, at = text.split()
            self.lines.add(Line(name.removeprefix("/"), state, int(at)))
        self.lines.end("the peer has ended")

    def wait_for(self, name: str, state: str) -> Line:
        return self.lines.wait_for(lambda line: (line.name, line.state) == (name, state), 60, f"{name} {state}")

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)  # what a shell has started too
        self._process.wait(30)
        self._thread.join()


def measure(n: int) -> Iterator[Row]:
    if _chosen.program is None:
        raise RuntimeError("which peer? --peer PROGRAM says")
    with new_folder() as folder, running(Dockerd(folder / "docker")) as engine, running(Bus(folder / "bus")) as bus:
        # It may need a first container to be known to work.
        engine.run("first")
        daemon = Daemon(folder / "daemon", bus, {"docker": engine})
        daemon.start(ready=60)
        recorder, plain, peer = Recorder(bus, [SUBSCRIBER]), own_events(engine), Peer(_chosen.program, engine)
        moments: dict[str, list[tuple[float, float]]] = {member: [] for member in MEMBERS}
        try:
            peer.wait_for("first", "started")
            for number in range(n):
                name = f"run{number}"
                id_ = engine.run(name)
                for member, act in (("ContainerStarted", lambda _: None), ("ContainerPaused", engine.pause),
                                    ("ContainerExited", engine.remove)):
                    act(id_)
                    stamp = plain.wait_for(member, id_).stamp
                    moments[member].append(((recorder.wait_for(member, name).at - stamp) / 1000,
                                            (peer.wait_for(name, MEMBERS[member]).at / 1000 - stamp) / 1000))
        finally:
            peer.close()
            plain.close()
            recorder.close()
            daemon.sweep()
    for member, pairs in moments.items():
        yield Row(f"{member}, beside {_chosen.program.name}", "ms", [ours for ours, _ in pairs],
                  [theirs for _, theirs in pairs], note="from the engine's stamp of its event on")


CASES = [Case("peer", "another watcher, by --peer, beside ours", 30, measure)]
