"""A subscriber that is not our code (libdbus, by python3-dbus), which keeps every signal of the daemon, in order."""

import json
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

from .bus import Bus
from .waiting import Arrivals, Deadline

_SCRIPT = Path(__file__).parent / "record_signals.py"
_LIFECYCLE = {"ContainerStarted", "ContainerExited", "ContainerPaused", "ContainerUnpaused", "ContainerRenamed"}
MANAGER = "org.shorewatch1.Manager"


@dataclass(frozen=True)
class Signal:
    at: int  # µs since 1970, when it reached us
    sender: str  # unique name
    path: str
    interface: str
    member: str
    args: list[Any]

    @property
    def is_container(self) -> bool:
        """Of the Manager, about a container; then the members below are there."""
        return self.interface == MANAGER and self.member in _LIFECYCLE

    engine = property(lambda self: self.args[0])
    project = property(lambda self: self.args[1])
    name = property(lambda self: self.args[2])
    id = property(lambda self: self.args[3])
    object = property(lambda self: self.args[4])
    details = property(lambda self: self.args[-1])

    @property
    def sequence(self) -> Optional[int]:
        """None when it is no signal of the Manager: only those are numbered."""
        return self.args[-2] if self.interface == MANAGER else None

    def __str__(self) -> str:
        return f"{self.member} {json.dumps(self.args)[:300]}"


class Recorder:
    """Listens from the moment it is made."""

    def __init__(self, bus: Bus, program: Sequence[str | Path] = (sys.executable, _SCRIPT)):
        """program: given the bus's address, prints what that script does."""
        self.signals: Arrivals[Signal] = Arrivals()
        self._process = subprocess.Popen([*program, bus.address], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "listening\n":
            raise AssertionError(f"the recorder ended with {self._process.wait()}")
        self._thread = threading.Thread(target=self._read, name="recorder")
        self._thread.start()

    def wait_for(self, member: str, name: Optional[str] = None, seconds: float = 10, after: int = 0,
                 where: Callable[[Signal], bool] = lambda _: True) -> Signal:
        """The first signal of that kind, about the container `name` if one is given, from index `after` on."""
        return self.signals.wait_for(
            lambda signal_: signal_.member == member and (name is None or signal_.name == name) and where(signal_),
            seconds, f"{member} of {name or 'anything'}", after)

    def of(self, name: str) -> list[str]:
        """What was told about a container so far: the signals' names, without "Container"."""
        return [signal_.member.removeprefix("Container") for signal_ in self.signals.all()
                if signal_.is_container and signal_.name == name]

    def wait_until_sequence(self, sequence: int, seconds: float = 10) -> list[Signal]:
        """All signals, once the one with this number has come."""
        if sequence == 0:
            return self.signals.all()
        return self.signals.wait_until(
            lambda all_: any((signal_.sequence or 0) >= sequence for signal_ in reversed(all_)),
            seconds, f"the signal with sequence {sequence}")

    def freeze(self) -> None:
        """From now on a subscriber that does not read."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.signals.add(Signal(**json.loads(line)))
        self.signals.end("the recorder is over")


def state(wanted: str) -> Callable[[Signal], bool]:
    """For wait_for("EngineStateChanged", where=…)."""
    return lambda told: told.args[1] == wanted


def wait_until(recorder: Recorder, holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Asks again after each signal: for what is asked of the daemon by a call, and changes with a signal."""
    deadline = Deadline(seconds, what)
    while True:
        told = len(recorder.signals)
        if holds():
            return
        recorder.signals.wait_until(lambda all_: len(all_) > told, deadline.left(), what)
