"""Docker, Podman, containerd and CRI, and what can be done to them."""

import random
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Callable

from lab.containerd import Containerd
from lab.cri import Cri
from lab.cut_proxy import CutProxy
from lab.daemon import Watched
from lab.dockerd import Dockerd
from lab.engine import Engine
from lab.parts import running
from lab.played import Endpoint
from lab.podman import Podman

from .workers import Guarded

Fault = tuple[str, Callable[[random.Random], None]]


class RealParts:
    """Docker is watched through a proxy, whose connections can be cut."""

    def __init__(self, folder: Path, parts: ExitStack):
        docker = parts.enter_context(running(Dockerd(folder / "docker", live_restore=True)))
        self._cri = parts.enter_context(running(Cri(folder / "cri")))
        self._cri.need_pod()
        engines: list[Engine] = [docker, parts.enter_context(running(Podman(folder / "podman"))),
                                 parts.enter_context(running(Containerd(folder / "containerd"))), self._cri]
        self.engines = [Guarded(engine) for engine in engines]
        self._proxy = CutProxy(folder / "proxy.sock", docker.socket)
        parts.callback(self._proxy.close)

    def watched(self) -> dict[str, Watched]:
        return {guarded.engine.type: guarded.engine for guarded in self.engines} | {
            "docker": Endpoint("docker", self._proxy.url)}

    def faults(self) -> list[list[Fault]]:
        """Of each engine."""
        each = {guarded.engine.type: _faults_of(guarded) for guarded in self.engines}
        each["docker"] += [("cut docker", lambda _: self._proxy.cut()), ("refuse docker", self._refuse)]
        return list(each.values())

    def alive(self) -> dict[str, set[str]]:
        return {guarded.engine.type: set(guarded.engine.alive()) for guarded in self.engines}

    def remove_all(self) -> None:
        """All that came after the daemon: the pod stays, for the next round's containers."""
        for guarded in self.engines:
            guarded.remove_all()

    def _refuse(self, chance: random.Random) -> None:
        self._proxy.refuse()
        time.sleep(chance.uniform(0, 7))
        self._proxy.accept()


def _faults_of(guarded: Guarded) -> list[Fault]:
    name = guarded.engine.type
    return [(f"kill {name}", lambda chance: _kill(guarded, chance)),
            (f"freeze {name}", lambda chance: _freeze(guarded, chance))]


def _kill(guarded: Guarded, chance: random.Random) -> None:
    """Not in the middle of what a worker asks of it: tests/engines/test_chaos.py does that, and knows what may be lost."""
    with guarded.lock:
        guarded.engine.kill9()
        time.sleep(chance.uniform(0, 7))
        guarded.engine.start()


def _freeze(guarded: Guarded, chance: random.Random) -> None:
    guarded.engine.freeze()
    time.sleep(chance.uniform(0.1, 7))
    guarded.engine.thaw()
