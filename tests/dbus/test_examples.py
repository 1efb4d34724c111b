"""The programs in docs/examples do what they say."""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterator, Sequence

import pytest
from face import Face, container_id
from lab.bus import Bus
from lab.paths import SOURCE
from lab.process import Process
from lab.waiting import Deadline

EXAMPLES = SOURCE / "docs" / "examples"


def compiled(folder: Path, source: str, library: str) -> Path:
    program = folder / Path(source).stem
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", library], check=True, capture_output=True,
                           text=True).stdout.split()
    compiler = ["gcc", "-std=c11"] if source.endswith(".c") else ["g++", "-std=c++20"]
    subprocess.run([*compiler, "-Wall", "-Wextra", "-Werror", EXAMPLES / source, "-o", program, *flags], check=True)
    return program


@pytest.fixture(scope="session")
def follow_cpp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("follow"), "follow.cpp", "libsystemd")


@pytest.fixture
def follow(bus: Bus) -> Iterator[Callable[[Sequence[str | Path]], Process]]:
    parts: list[Process] = []

    def start(command: Sequence[str | Path]) -> Process:
        parts.append(Process(command, bus.folder / "follow.log", bus.environment()))
        return parts[-1]

    yield start
    for part in parts:
        # Scripts have children, and all of them a process group of their own.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(part.pid, signal.SIGTERM)
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


def compiled_rust(folder: Path) -> Path:
    """With what Debian has of zbus, and nothing from elsewhere."""
    registry = Path("/usr/share/cargo/registry")
    cargo = "/usr/bin/cargo"
    if not os.access(cargo, os.X_OK) or not any(registry.glob("zbus-[45].*")):
        pytest.skip("needs cargo and librust-zbus-dev 4 or 5")
    shutil.copytree(EXAMPLES / "started-rs", folder / "started-rs")
    (folder / "config.toml").write_text('[source.crates-io]\nreplace-with = "debian"\n'
                                        f'[source.debian]\ndirectory = "{registry}"\n')
    subprocess.run([cargo, "build", "--offline", "--config", folder / "config.toml", "--target-dir", folder / "target"],
                   cwd=folder / "started-rs", env=os.environ | {"CARGO_HOME": str(folder)}, check=True)
    return folder / "target" / "debug" / "started"


def tell_until_heard(face: Face, program: Process) -> None:
    """For a program that does not say that it listens, as busctl no longer does when it writes JSON."""
    deadline = Deadline(30, "the first start to be told")
    for number in itertools.count(10):
        face.do("start", id=container_id(number), name="try", pid=4710)
        face.do("exit", id=container_id(number))
        if "started docker try" in program.output():
            return
        deadline.left()


@pytest.mark.parametrize("source", ["started.c", "started.cpp", "started.py", "started.js", "started.sh", "started-rs"])
def test_an_example_tells_of_each_start(
        face: Face, follow: Callable[..., Process], tmp_path: Path, source: str) -> None:
    if source.endswith("-rs"):
        program = follow([compiled_rust(tmp_path)])
    elif source.endswith((".c", ".cpp")):
        program = follow([compiled(tmp_path, source, "libsystemd" if source.endswith(".c") else "sdbus-c++")])
    else:
        program = follow([EXAMPLES / source])
    if source.endswith(".sh"):
        tell_until_heard(face, program)
    else:
        program.wait_for_output(r"^watching$", 30)
    face.do("start", id=container_id(1), name="db", project="shop", pid=4711)
    face.do("exit", id=container_id(1), exit_code=3)
    face.do("start", id=container_id(2), name="web", pid=4712)
    program.wait_for_output(r"(?m)^started docker db\nstarted docker web$", 10)
