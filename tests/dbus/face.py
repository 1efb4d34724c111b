"""The daemon's face on the bus without the daemon: what happens is told to it by the test (face_driver.cpp)."""

import json
import subprocess
import threading
from typing import Any, Optional

from lab.bus import Bus
from lab.paths import BUILD
from lab.process import STRICT_MEMORY
from lab.recorder import Recorder, Signal
from lab.waiting import Arrivals

DRIVER = BUILD / "tests" / "dbus" / "face-driver"
ID = "0123456789abcdef" * 4


def container_id(number: int) -> str:
    """64 hexadecimal digits that begin with the number's, in 8."""
    return f"{number:08x}" + "ab" * 28


class Face:
    """Not on the bus until publish(). Its errors are in the log."""

    def __init__(self, bus: Bus, *arguments: str, environment: Optional[dict[str, str]] = None, ends_with: int = 0):
        self._ends_with = ends_with
        self.answers: Arrivals[dict[str, str]] = Arrivals()
        self._done = 0
        self._fences = 0
        self._log = bus.folder / "face.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([DRIVER, *arguments], env=(environment or bus.environment()) | STRICT_MEMORY,
                                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                             start_new_session=True)
        self._thread = threading.Thread(target=self._read, name="face")
        self._thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def do(self, what: str, seconds: float = 30, **arguments: Any) -> None:
        """Returns when it is done; what it sends may be on its way still."""
        self.do_at_once([{"do": what} | arguments], seconds)

    def do_at_once(self, commands: list[dict[str, Any]], seconds: float = 30) -> None:
        """All in one turn of its loop: a batch. Several are not more than 64 KiB together."""
        done = self._done + len(commands)
        text = "".join(json.dumps(command) + "\n" for command in commands).encode()
        assert len(commands) == 1 or len(text) <= 65536
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()
        self.answers.wait_until(lambda all_: sum("did" in answer for answer in all_) >= done, seconds,
                                f"the end of {commands[-1]['do']}")
        self._done = done

    def watch(self, engine: str = "docker", **status: Any) -> None:
        """An engine that is watched."""
        self.do("add_engine", name=engine)
        self.do("status", engine=engine, state="watching", **status)

    def told(self, recorder: Recorder) -> list[Signal]:
        """All that was told by now, in order. What it knows that by is an engine of its own, which stays."""
        self._fences += 1
        name = f"fence{self._fences}"
        self.do("add_engine", name=name)
        is_fence = lambda signal: signal.member == "InterfacesAdded" and signal.args[0].endswith(name)
        signals = recorder.signals.wait_until(lambda all_: any(is_fence(signal) for signal in all_), 10, name)
        return [signal for signal in signals if "fence" not in str(signal.args[0])]

    def wait_for_event(self, event: str, seconds: float = 10) -> None:
        self.answers.wait_for(lambda answer: answer.get("event") == event, seconds, f"'{event}'\n{self.log()}")

    def events(self) -> list[str]:
        return [answer["event"] for answer in self.answers.all() if "event" in answer]

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait(self, seconds: float = 10) -> int:
        return self._process.wait(seconds)

    def close(self) -> None:
        """Ends it; an AssertionError when it ended with another code than it should."""
        assert self._process.stdin is not None
        if self._process.poll() is None:
            self._process.stdin.close()
        try:
            code = self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._thread.join()
        assert code == self._ends_with, f"face-driver ended with {code}\n{self.log()}"

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.answers.add(json.loads(line))
        self.answers.end("face-driver is over")
