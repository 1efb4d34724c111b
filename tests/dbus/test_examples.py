"""The programs in docs/examples do what they say."""

import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterator, Sequence

import pytest
from face import Face, container_id
from lab.bus import Bus
from lab.paths import SOURCE
from lab.process import Process

EXAMPLES = SOURCE / "docs" / "examples"


@pytest.fixture(scope="session")
def follow_cpp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("follow") / "follow"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libsystemd"], check=True, capture_output=True,
                           text=True).stdout.split()
    subprocess.run(["g++", "-std=c++20", "-Wall", "-Wextra", "-Werror", EXAMPLES / "follow.cpp", "-o", program, *flags],
                   check=True)
    return program


@pytest.fixture
def follow(bus: Bus) -> Iterator[Callable[[Sequence[str | Path]], Process]]:
    parts: list[Process] = []

    def start(command: Sequence[str | Path]) -> Process:
        parts.append(Process(command, bus.folder / "follow.log", bus.environment()))
        return parts[-1]

    yield start
    for part in parts:
        part.stop()


def test_the_python_example_tells_what_is_alive_and_then_what_happens(
        face: Face, make_face: Callable[..., Face], follow: Callable[..., Process]) -> None:
    face.do("start", id=container_id(1), name="db", project="shop", pid=4711)
    program = follow([sys.executable, EXAMPLES / "follow.py"])
    program.wait_for_output(r"^alive db 4711$", 10)
    face.do("pause", id=container_id(1))
    face.do("exit", id=container_id(1), exit_code=3)
    program.wait_for_output(r"ContainerExited docker shop db 3", 10)
    face.close()
    second = make_face()
    second.do("publish")
    second.watch("docker")
    second.do("start", id=container_id(2), name="web", pid=4712)
    program.wait_for_output(r"(alive web 4712|ContainerStarted docker - web)", 10)
    second.do("exit", id=container_id(2), exit_code=0)
    program.wait_for_output(r"ContainerExited docker - web 0", 10)
    lines = program.output().splitlines()
    assert lines[:3] == ["alive db 4711", "ContainerPaused docker shop db ", "ContainerExited docker shop db 3"]
    assert len(lines) == 5


def test_the_cpp_example_follows_containers_over_a_restart_of_the_daemon(
        face: Face, make_face: Callable[..., Face], follow: Callable[..., Process], follow_cpp: Path) -> None:
    face.do("start", id=container_id(1), name="db", pid=4711)
    program = follow([follow_cpp])
    program.wait_for_output(r"following\n", 10)
    face.do("rename", id=container_id(1), to="data")
    face.do("status", state="lost")
    face.do("exit", id=container_id(1), exit_code=3)
    program.wait_for_output(r"ContainerRenamed docker data\nContainerExited docker data\n", 10)
    face.close()
    second = make_face()
    second.do("publish")
    program.wait_for_output(r"(?s)following\n.*following\n", 10)
    second.watch("docker")
    second.do("start", id=container_id(2), name="web", pid=4712)
    program.wait_for_output(r"ContainerStarted docker web\n", 10)
    assert "db" not in program.output()
