"""A private dbus-broker with the rules of a system bus and the project's own policy file: as lab.bus, by the other bus."""

import shutil
import socket
import threading
from pathlib import Path
from typing import Optional

from .bus import Bus
from .process import Process
from .waiting import Deadline, connect

# dbus-broker-launch logs to a journal, and gives up where there is none: in a mount namespace of its own, /run holds one
# that is the bus's. It takes its listening socket as systemd hands it over.
_INSIDE = """
mount --bind "$1" /run
fd=$2
shift 2
exec 3<&"$fd"
LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"
"""
_JOURNAL = "systemd/journal/socket"


class Broker(Bus):
    """It has no limits of a configuration, and no policies but the project's."""

    def __init__(self, folder: Path, group: bool = False):
        super().__init__(folder, group=group)
        self._journal: Optional[socket.socket] = None
        self._reader: Optional[threading.Thread] = None

    @staticmethod
    def program() -> Optional[str]:
        return shutil.which("dbus-broker-launch")

    def start(self) -> None:
        program = self.program()
        assert program is not None, "dbus-broker is not installed"
        self._open_journal()
        self.socket.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(self.socket))
            self.socket.chmod(0o666)
            listener.listen(128)
            run = ["unshare", "--mount", "--propagation", "private", "bash", "-ec", _INSIDE, "bash",
                   self.folder / "run", str(listener.fileno())]
            self._process = Process(
                [*self._with_group(), *run, program, "--scope", "system", "--config-file", self.write_configuration()],
                self.folder / "bus.log", self.environment(), pass_fds=[listener.fileno()])
        self._await_answer()

    def _await_answer(self) -> None:
        """That the socket takes connections says nothing: it did before the broker was there."""
        deadline = Deadline(30, f"an answer of the bus on {self.socket}")
        answer = b""
        with connect(self.socket, deadline) as connection:
            try:
                connection.sendall(b"\0AUTH EXTERNAL\r\nDATA\r\n")
                while b"OK " not in answer:
                    deadline.wait_readable(connection.fileno())
                    part = connection.recv(4096)
                    assert part, f"dbus-broker does not answer, but {answer!r}:\n{self.process.output()}"
                    answer += part
            except OSError as error:
                raise AssertionError(f"dbus-broker does not answer: {error}:\n{self.process.output()}") from error

    def stop(self) -> None:
        super().stop()
        if self._journal is not None:
            self._journal.shutdown(socket.SHUT_RDWR)
            if self._reader is not None:
                self._reader.join()
            self._journal.close()
            self._journal = None

    def _open_journal(self) -> None:
        path = self.folder / "run" / _JOURNAL
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._journal.bind(str(path))
        self._reader = threading.Thread(target=self._read_journal, args=[self._journal], name="journal")
        self._reader.start()

    def _read_journal(self, journal: socket.socket) -> None:
        with (self.folder / "bus.log").open("ab") as log:
            while entry := journal.recv(1 << 16):
                log.write(entry)
                log.flush()
