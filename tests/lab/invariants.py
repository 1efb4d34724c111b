"""What every subscriber can rely on, whatever happened: exactly once, and in order."""

from dataclasses import dataclass, field
from typing import Optional, Sequence

from .clients import Listing
from .recorder import Signal

_CONTAINER = "org.shorewatch1.Container"


@dataclass
class Run:
    """One life of a container, as it was told. started is None when it had begun before the signals did."""

    started: Optional[Signal]
    exited: Optional[Signal] = None
    pauses: list[Signal] = field(default_factory=list)


def assert_exactly_once(signals: Sequence[Signal], before: Optional[Listing] = None,
                        after: Optional[Listing] = None) -> dict[str, list[Run]]:
    """Checks the signals of one run of the daemon and returns the runs they tell of, by container id.

    - The sequence of the Manager's signals grows by one from each to the next.
    - Of each container: Started and Exited alternate, Paused and Unpaused alternate within a run, nothing else is told
      of it outside of one.
    - A run that has a PID: InterfacesAdded, ContainerStarted … ContainerExited, InterfacesRemoved. One without: none.

    before: a listing that was asked for when the subscriber was listening; signals that it includes are left out, as
    clients do. Without: the subscriber was there before the daemon, which found no container alive. after: a listing;
    it must show exactly what is alive by the signals up to its sequence, and all of those must be there.
    """
    check = _Check(before)
    for signal in signals:
        if after is not None and (signal.sequence or 0) > after.sequence:
            break
        check.take(signal)
    if after is not None:
        check.compare(after)
    return check.runs


class _Check:
    def __init__(self, before: Optional[Listing]):
        self.runs: dict[str, list[Run]] = {}
        self._sequence = before.sequence if before else None  # None: whatever the first signal says
        self._begun = False  # has a signal come that `before` does not include?
        self._paused: set[str] = set()
        self._names: dict[str, str] = {}
        self._objects: set[str] = set(before.containers if before else ())
        self._leaving: set[str] = set()  # told as exited, object still there
        for container in (before.by_id() if before else {}).values():
            self.runs[container["Id"]] = [Run(None)]
            self._names[container["Id"]] = container["Name"]
            if container["Paused"]:
                self._paused.add(container["Id"])

    def take(self, signal: Signal) -> None:
        if signal.sequence is not None:
            if not self._begun and self._sequence is None:
                self._sequence = signal.sequence - 1
            if self._sequence is not None:
                if not self._begun and signal.sequence <= self._sequence:
                    return
                assert signal.sequence == self._sequence + 1, f"sequence {self._sequence} is followed by {signal}"
            self._begun = True
            self._sequence = signal.sequence
            if signal.is_container:
                getattr(self, "_" + signal.member)(signal, self._alive(signal.id))
        elif signal.member == "InterfacesAdded" and _CONTAINER in signal.args[1]:
            assert signal.args[0] not in self._leaving, f"added before it was removed: {signal}"
            self._objects.add(signal.args[0])
        elif signal.member == "InterfacesRemoved" and _CONTAINER in signal.args[1]:
            assert signal.args[0] in self._leaving, f"removed before its container was told as exited: {signal}"
            self._leaving.remove(signal.args[0])
            self._objects.remove(signal.args[0])

    def compare(self, after: Listing) -> None:
        assert self._sequence in (None, after.sequence), f"told up to {self._sequence}, listed up to {after.sequence}"
        told = {id_: (self._names[id_], id_ in self._paused) for id_, runs in self.runs.items()
                if runs[-1].exited is None}
        listed = {id_: (container["Name"], container["Paused"]) for id_, container in after.by_id().items()}
        assert told == listed

    def _alive(self, id_: str) -> Optional[Run]:
        runs = self.runs.get(id_)
        return runs[-1] if runs and runs[-1].exited is None else None

    def _ContainerStarted(self, signal: Signal, alive: Optional[Run]) -> None:
        assert alive is None, f"started twice: {signal}"
        assert signal.object not in self._leaving, f"started with the object of the run before: {signal}"
        assert ("PID" in signal.details) == (signal.object in self._objects), \
            f"an object without PID, or a PID without object: {signal}"
        assert signal.details.get("PID") != 0, f"pid 0: {signal}"
        self.runs.setdefault(signal.id, []).append(Run(signal))
        self._names[signal.id] = signal.name

    def _ContainerExited(self, signal: Signal, alive: Optional[Run]) -> None:
        assert alive is not None, f"exited without a start: {signal}"
        assert signal.name == self._names[signal.id], f"exited under another name: {signal}"
        alive.exited = signal
        self._paused.discard(signal.id)
        if signal.object in self._objects:
            self._leaving.add(signal.object)

    def _ContainerPaused(self, signal: Signal, alive: Optional[Run]) -> None:
        assert alive is not None and signal.id not in self._paused, f"paused out of turn: {signal}"
        alive.pauses.append(signal)
        self._paused.add(signal.id)

    def _ContainerUnpaused(self, signal: Signal, alive: Optional[Run]) -> None:
        assert alive is not None and signal.id in self._paused, f"unpaused out of turn: {signal}"
        alive.pauses.append(signal)
        self._paused.remove(signal.id)

    def _ContainerRenamed(self, signal: Signal, alive: Optional[Run]) -> None:
        assert alive is not None, f"renamed while not alive: {signal}"
        assert signal.details["OldName"] == self._names[signal.id] != signal.name, f"not the name it had: {signal}"
        self._names[signal.id] = signal.name
