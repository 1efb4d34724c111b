"""shorewatchctl on a terminal of its own, as somebody has it who types."""

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
from typing import Any, Iterator

from .bus import Bus
from .paths import CTL
from .waiting import Deadline


class Terminal:
    """shorewatchctl on a terminal of its own."""

    def __init__(self, bus: Bus, *arguments: str, size: tuple[int, int] = (24, 80)):
        self.master, self.slave = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen([str(CTL), *arguments], env=bus.environment(), stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, start_new_session=True, preexec_fn=self._take)
        self.seen = b""

    @staticmethod
    def _take() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def wait_for(self, text: str, seconds: float = 10) -> None:
        deadline = Deadline(seconds, f"'{text}' on the terminal")
        while text.encode() not in self.seen:
            deadline.wait_readable(self.master)
            self.seen += os.read(self.master, 65536)

    @property
    def raw(self) -> bool:
        return not termios.tcgetattr(self.slave)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    @property
    def as_before(self) -> bool:
        return termios.tcgetattr(self.slave) == self.before

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@contextlib.contextmanager
def on_terminal(bus: Bus, *arguments: str, **options: Any) -> Iterator[Terminal]:
    part = Terminal(bus, *arguments, **options)
    try:
        yield part
    finally:
        part.close()
