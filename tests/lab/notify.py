"""What a service manager hears from a service: a catcher for sd_notify(3)."""

import socket
import threading
from pathlib import Path

from .waiting import Arrivals


class NotifySocket:
    """Give its path as NOTIFY_SOCKET. `messages` has the assignments, e.g. "READY=1", in the order they came."""

    def __init__(self, path: Path):
        self.path = path
        self.messages: Arrivals[str] = Arrivals()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        # Always read: the sender blocks when about ten messages lie unread.
        self._thread = threading.Thread(target=self._read, name="notify")
        self._thread.start()

    def wait_for(self, assignment: str, seconds: float, after: int = 0) -> None:
        self.messages.wait_for(lambda message: message == assignment, seconds, assignment, after)

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", str(self.path))
        self._thread.join()
        self._socket.close()
        self.path.unlink()

    def _read(self) -> None:
        while datagram := self._socket.recv(65536):
            for assignment in datagram.decode(errors="replace").splitlines():
                self.messages.add(assignment)
