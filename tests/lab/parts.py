"""What a test has for as long as it needs it: folders, and parts that run in them."""

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Iterator, Protocol, TypeVar


class Part(Protocol):
    def start(self) -> None: ...
    def sweep(self) -> None: ...


P = TypeVar("P", bound=Part)


@contextlib.contextmanager
def new_folder() -> Iterator[Path]:
    """Short enough for the path of a socket below it (108 bytes), which pytest's tmp_path is not; removed at the end."""
    path = Path(tempfile.mkdtemp(prefix="shorewatch-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextlib.contextmanager
def running(part: P) -> Iterator[P]:
    """Started, and swept at the end, whatever happened, its start included."""
    try:
        part.start()
        yield part
    finally:
        part.sweep()
