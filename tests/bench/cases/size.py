"""What a clean build takes, and what the daemon consists of on disk."""

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Iterator

from lab.parts import new_folder
from lab.paths import DAEMON, SOURCE
from suite import Case, Goal, Row

PROCESSORS = 2


def clean_build(n: int) -> Iterator[Row]:
    """Of everything, tests included, without a cache."""
    environment = {**os.environ, "CXX": "g++", "CCACHE_DISABLE": "1"}
    taken = []
    for _ in range(n):
        with new_folder() as folder:
            begin = time.monotonic()
            subprocess.run(["meson", "setup", folder, SOURCE, "-Dbuildtype=plain", "-Doptimization=2"], check=True,
                           env=environment, stdout=subprocess.DEVNULL)
            subprocess.run(["ninja", "-C", folder, "-j", str(PROCESSORS)], check=True, env=environment,
                           stdout=subprocess.DEVNULL)
            taken.append((time.monotonic() - begin) / 60)
    yield Row(f"clean build of everything, {PROCESSORS} jobs", "min", taken, goals=[Goal(3, by="value")])


def libraries(program: Path) -> list[Path]:
    text = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return sorted(Path(path).resolve() for path in re.findall(r"(/\S+) \(0x", text))


def on_disk(_: int) -> Iterator[Row]:
    with new_folder() as folder:
        stripped = folder / "shorewatchd"
        subprocess.run(["strip", "-o", stripped, DAEMON], check=True)
        yield Row("shorewatchd, stripped", "MB", [stripped.stat().st_size / 1e6])
    loaded = libraries(DAEMON)
    sizes = sorted(((path.stat().st_size, path.name) for path in loaded), reverse=True)
    yield Row(f"the {len(loaded)} libraries that it loads", "MB", [sum(size for size, _ in sizes) / 1e6],
              note=", ".join(f"{name} {size / 1e6:.1f}" for size, name in sizes))


CASES = [Case("size", "the binary and the libraries that it loads", 1, on_disk),
         Case("build", "a clean build of everything", 1, clean_build)]
