"""What the conformance suite asks of an engine, so that one suite runs on all of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Optional, Protocol

from .process import Process


@dataclass(frozen=True)
class Alive:
    """A container with an initial process, running or frozen, in the engine's own words."""

    name: str
    pid: int
    paused: bool


class Engine(Protocol):
    """start() and stop() as often as wanted; sweep() at the end, whatever happened, leaves nothing of it.

    Ids are the ones that the daemon publishes. Methods return when the engine has done what they say.
    """

    type: str  # as in the configuration
    type_id: str  # as on the bus
    abilities: frozenset[str]  # of "pause", "rename", "restart"; what is missing, the engine has no call for
    folder: Path
    url: str

    @property
    def process(self) -> Process: ...

    # The engine's process.
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill9(self) -> None: ...  # its containers live on
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...
    def sweep(self) -> None: ...

    # Its containers.
    def run(self, name: str, *command: str, labels: Optional[Mapping[str, str]] = None) -> str: ...
    def kill(self, container: str, signal: str = "KILL") -> None: ...
    def pause(self, container: str) -> None: ...
    def unpause(self, container: str) -> None: ...
    def restart(self, container: str) -> None: ...
    def rename(self, container: str, name: str) -> None: ...
    def exec(self, container: str, *command: str) -> None: ...  # in it, until that ends
    def remove(self, container: str) -> None: ...  # killed first if need be
    def remove_all(self) -> None: ...
    def alive(self) -> dict[str, Alive]: ...  # by id
    def project_labels(self, project: str) -> dict[str, str]: ...  # as its composer sets them
