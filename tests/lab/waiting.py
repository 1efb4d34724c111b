"""Waiting for events with a deadline: descriptors, exits, files. Nothing here sleeps."""

import ctypes
import os
import select
import socket
import threading
import time
from pathlib import Path
from typing import Callable, Generic, Optional, TypeVar

T = TypeVar("T")

# Under valgrind everything takes longer.
PATIENCE = float(os.environ.get("SHOREWATCH_PATIENCE", "1"))


class Deadline:
    """A moment after which waiting is an error that says what was waited for."""

    def __init__(self, seconds: float, what: str):
        self._seconds = seconds * PATIENCE
        self._end = time.monotonic() + self._seconds
        self._what = what

    def left(self) -> float:
        """Seconds left, more than 0; raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"waited {self._seconds:g} s for {self._what}")
        return left

    def wait_readable(self, descriptor: int) -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while not poll.poll(self.left() * 1000):
            pass


def wait_for_exit(pid: int, deadline: Deadline) -> None:
    """Returns once the process is over; who its parent is doesn't matter. A pid that is free already counts."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        deadline.wait_readable(process)
    finally:
        os.close(process)


class FileWatch:
    """Wakes on changes of a file, or of what is in a folder."""

    _EVENTS = 0x2 | 0x4 | 0x40 | 0x80 | 0x100 | 0x200  # modify, attrib, moved from, moved to, create, delete
    _libc = ctypes.CDLL(None, use_errno=True)

    def __init__(self, path: Path):
        self._descriptor = self._libc.inotify_init1(os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        if self._libc.inotify_add_watch(self._descriptor, os.fsencode(path), self._EVENTS) < 0:
            error = ctypes.get_errno()
            os.close(self._descriptor)
            raise OSError(error, f"inotify_add_watch {path}")

    def __enter__(self) -> "FileWatch":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def wait(self, seconds: float) -> None:
        """Returns at the next change, or when the time is over."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        if poll.poll(seconds * 1000):
            os.read(self._descriptor, 65536)


def connect(path: Path, deadline: Deadline) -> socket.socket:
    """A connection to the unix socket at path, once somebody listens there. Its folder must exist."""
    with FileWatch(path.parent) as watch:
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(str(path))
                return connection
            except (FileNotFoundError, ConnectionRefusedError):
                connection.close()
            # A file appears at bind(), and nothing in the folder tells of the listen() right after it: hence the bound.
            watch.wait(min(deadline.left(), 0.05))


class Arrivals(Generic[T]):
    """Things that one thread collects and another waits for."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._ended: Optional[str] = None
        self._changed = threading.Condition()

    def add(self, item: T) -> None:
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    def end(self, why: str) -> None:
        """Nothing more will come: whoever waits fails at once."""
        with self._changed:
            self._ended = why
            self._changed.notify_all()

    def all(self) -> list[T]:
        with self._changed:
            return list(self._items)

    def __len__(self) -> int:
        with self._changed:
            return len(self._items)

    def wait_until(self, holds: Callable[[list[T]], bool], seconds: float, what: str) -> list[T]:
        """All that has come, once holds(all) is true; otherwise an AssertionError that shows the latest."""
        deadline = time.monotonic() + seconds * PATIENCE
        with self._changed:
            while not holds(self._items):
                left = deadline - time.monotonic()
                if self._ended is not None or left <= 0:
                    latest = "\n  ".join(str(item) for item in self._items[-20:])
                    why = self._ended or f"not within {seconds:g} s"
                    raise AssertionError(f"{what}: {why}; of {len(self._items)}, the latest:\n  {latest}")
                self._changed.wait(left)
            return list(self._items)

    def wait_for(self, wanted: Callable[[T], bool], seconds: float, what: str, after: int = 0) -> T:
        """The first item from index `after` on that is wanted."""
        items = self.wait_until(lambda all_: any(wanted(item) for item in all_[after:]), seconds, what)
        return next(item for item in items[after:] if wanted(item))
