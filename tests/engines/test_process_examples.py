"""The programs in docs/examples that are about processes, and the rule in docs/processes.md, do what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterator

import dbus
import pytest

from lab.bus import GROUP_ID, Bus
from lab.clients import Client, run
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.parts import running
from lab.paths import SOURCE
from lab.polkit import BUS_POLICY, Polkit, User, asking
from lab.process import Process
from lab.recorder import Recorder

EXAMPLES = SOURCE / "docs" / "examples"
CONTAINER = "org.shorewatch1.Container"
# Waits for the end of the connection.
CONNECT = ("/usr/bin/python3", "-c", "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
           "s.recv(1)")


@pytest.fixture
def bus(folder: Path) -> Iterator[Bus]:
    # Others than root are to reach what is in it.
    folder.chmod(0o755)
    with running(Bus(folder / "bus", group=True, policies=[BUS_POLICY])) as part:
        yield part


@pytest.fixture(autouse=True)
def daemon(start_daemon: Callable[..., Daemon], dockerd: Dockerd, recorder: Recorder) -> Daemon:
    return start_daemon({"docker": dockerd})


@pytest.fixture
def in_network(folder: Path) -> Path:
    program = folder / "in_network"
    flags = run_text("pkg-config", "--cflags", "--libs", "libsystemd").split()
    run_text("g++", "-std=c++20", "-Wall", "-Wextra", "-Werror", EXAMPLES / "in_network.cpp", "-o", program, *flags)
    return program


@pytest.fixture
def whose(bus: Bus, folder: Path) -> Iterator[Process]:
    part = Process([sys.executable, EXAMPLES / "whose.py", folder / "whose.sock"], folder / "whose.log", bus.environment())
    part.wait_for_output("^listening$", 10)
    yield part
    part.stop()


def run_text(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def test_a_service_knows_which_container_its_client_is_in(
        folder: Path, dockerd: Dockerd, recorder: Recorder, whose: Process) -> None:
    socket = str(folder / "whose.sock")
    dockerd.run("web", HostConfig={"NetworkMode": "host", "Binds": ["/:/host"]})
    path = recorder.wait_for("ContainerStarted", "web").object
    run_text(*CONNECT, socket)
    dockerd.docker("exec", "web", "busybox", "chroot", "/host", *CONNECT, socket)
    _, outside, inside = whose.wait_for_output(r"(?m)^listening\n.+\n.+\n", 10)[0].splitlines()
    assert outside.startswith("org.shorewatch1.Error.NoSuchContainer: ")
    assert inside == path


def test_a_program_of_the_host_runs_in_the_network_of_a_container(
        bus: Bus, dockerd: Dockerd, recorder: Recorder, in_network: Path) -> None:
    dockerd.run("web", HostConfig={"NetworkMode": "none"})
    pid = recorder.wait_for("ContainerStarted", "web").details["PID"]
    done = run(bus, in_network, "web", "readlink", "/proc/self/ns/net", "/proc/self/ns/mnt")
    assert done.stdout.split() == [os.readlink(f"/proc/{pid}/ns/net"), os.readlink("/proc/self/ns/mnt")], done
    done = run(bus, in_network, "none", "true")
    assert done.returncode == 1 and done.stderr.startswith("GetContainer: "), done


def test_the_rule_lets_a_group_do_what_it_says_to_one_project_of_one_engine(
        bus: Bus, folder: Path, dockerd: Dockerd, recorder: Recorder, client: Client) -> None:
    text = (SOURCE / "docs" / "processes.md").read_text()
    (rule,) = re.findall(r"(?s)```js\n(.*?)```", text)
    # The group of the user nobody, who asks, stands in for it.
    rule = rule.replace('"operators"', '"nogroup"')
    assert "nogroup" in rule
    paths = {}
    for name, project in (("web", "shop"), ("other", "site")):
        dockerd.run(name, labels=dockerd.project_labels(project))
        paths[name] = recorder.wait_for("ContainerStarted", name).object
    member = User(65534, [GROUP_ID])

    def ask(name: str, method: str) -> list[str]:
        with asking(bus, member, paths[name], f"{CONTAINER}.{method}") as asker:
            return list(asker.answers(1)[0])

    with running(Polkit(folder / "polkit", bus, rule)):
        assert ask("web", "Pause") == []
        assert client.property(paths["web"], CONTAINER, "Paused")
        assert ask("web", "Unpause") == []
        for name, method in (("other", "Pause"), ("web", "Inspect")):
            assert ask(name, method)[0] == "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
