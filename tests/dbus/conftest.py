"""Fixtures of the tests of the contract: the face of the daemon alone, without any engine."""

import contextlib
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from face import Face
from lab.bus import Bus
from lab.recorder import Recorder


@pytest.fixture
def make_face(bus: Bus) -> Iterator[Callable[..., Face]]:
    parts: list[Face] = []

    def make(*arguments: Any, **options: Any) -> Face:
        parts.append(Face(options.pop("bus", bus), *arguments, **options))
        return parts[-1]

    with contextlib.ExitStack() as stack:
        yield make
        for part in parts:
            stack.callback(part.close)


@pytest.fixture
def face(recorder: Recorder, make_face: Callable[..., Face]) -> Face:
    """On the bus, with one engine, docker, which is watched. The recorder has heard all it ever said."""
    part = make_face()
    part.do("publish")
    part.watch("docker")
    return part
