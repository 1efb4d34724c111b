"""An OCI runtime that starts no container for as long as it is held: what an engine whose runtime hangs is like."""

import contextlib
import os
from pathlib import Path
from typing import Iterator

from .real_engine import program

# Opening a FIFO waits for whoever opens its other end.
SCRIPT = """#!/bin/sh
for word; do
    if [ "$word" = start ] && [ -p {hold} ]; then cat {hold} > /dev/null; fi
done
exec {runc} "$@"
"""


class HeldRuntime:
    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "held-runc"
        self._hold = folder / "hold"
        self.path.write_text(SCRIPT.format(hold=self._hold, runc=program("runc")))
        self.path.chmod(0o755)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        os.mkfifo(self._hold)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # nobody waits
                os.close(os.open(self._hold, os.O_WRONLY | os.O_NONBLOCK))
            self._hold.unlink()
