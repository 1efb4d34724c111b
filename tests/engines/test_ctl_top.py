"""shorewatchctl top with real containers: what they use of the machine, and what keys do to them."""

import re
from pathlib import Path
from typing import Callable, Iterator

import pytest

from lab.bus import Bus
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.paths import CTL
from lab.parts import running
from lab.recorder import Recorder
from lab.tmux import Tmux

BUSY = ("sh", "-c", "trap 'exit 3' TERM; while :; do :; done")


@pytest.fixture
def top(folder: Path, bus: Bus, start_daemon: Callable[..., Daemon], dockerd: Dockerd, recorder: Recorder) -> Iterator[Tmux]:
    start_daemon({"docker": dockerd})
    environment = {key: value for key, value in bus.environment().items() if key not in ("NO_COLOR", "LC_ALL")}
    with running(Tmux(folder, environment)) as screen:
        screen.run(CTL, "top")
        screen.wait_for("1 engine, 0 containers")
        yield screen


def test_what_containers_use_is_shown(top: Tmux, dockerd: Dockerd, recorder: Recorder) -> None:
    dockerd.run("web", *BUSY, labels=dockerd.project_labels("shop"))
    pid = recorder.wait_for("ContainerStarted", "web").details["PID"]
    # Processor time is known from the second reading on; memory in bytes or more.
    top.wait_for(rf"─ web +running +{pid} +\d+s +[\d.]+ +[\d.]+ [KM]?i?B$")


def test_keys_do_it_to_real_containers(top: Tmux, dockerd: Dockerd) -> None:
    dockerd.run("web", *BUSY, labels=dockerd.project_labels("shop"))
    top.wait_for("─ web +running")
    top.press("End")
    top.type("p")
    top.wait_for("─ web +paused")
    top.wait_for("^paused web$")
    assert dockerd.inspect("web")["State"]["Paused"]
    top.type("p")
    top.wait_for("─ web +running")
    top.wait_for("^unpaused web$")
    top.type("sy")
    lines = top.wait_for("exited +web +docker/shop +exit code 3")
    assert not any(re.search("─ web ", line) for line in lines)
    top.wait_for("^stopped web$")
