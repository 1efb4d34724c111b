"""shorewatchctl with real containers: finding the container of a process, entering containers, controlling them."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest

from lab.bus import Bus
from lab.clients import Client, ctl
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.paths import CTL
from lab.recorder import Recorder

# Ends on SIGTERM, with a code of its own, and has a child.
OBEDIENT = ("sh", "-c", "trap 'exit 3' TERM; busybox touch /ready; sleep 1000000 & wait")


@pytest.fixture(autouse=True)
def daemon(start_daemon: Callable[..., Daemon], dockerd: Dockerd, recorder: Recorder) -> Daemon:
    return start_daemon({"docker": dockerd})


@pytest.fixture
def web(dockerd: Dockerd, recorder: Recorder) -> int:
    """The initial process of a container "web" of the project "shop", which has a network and a host name of its own."""
    id_ = dockerd.run("web", *OBEDIENT, labels=dockerd.project_labels("shop"), Hostname="webhost",
                      HostConfig={"NetworkMode": "none"})
    pid: int = recorder.wait_for("ContainerStarted", "web").details["PID"]
    dockerd.exec(id_, "sh", "-c", "until [ -e /ready ]; do sleep 0.02; done")
    return pid


def done(bus: Bus, *arguments: str) -> str:
    result = ctl(bus, *arguments)
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


def fails(bus: Bus, code: int, *arguments: str) -> str:
    result = ctl(bus, *arguments)
    assert result.returncode == code and result.stderr.startswith("shorewatchctl: "), result
    return result.stderr


def child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def test_which_tells_processes_in_containers_from_those_of_the_host(bus: Bus, dockerd: Dockerd, web: int) -> None:
    child = child_of(web)
    id_ = dockerd.inspect("web")["Id"]
    assert [line.split() for line in done(bus, "which", str(web), str(child), "--no-trunc").splitlines()[1:]] == [
        [str(pid), "docker", "shop", "web", id_] for pid in (web, child)]
    result = ctl(bus, "which", "--json", str(child), str(os.getpid()))
    assert result.returncode == 3 and result.stderr == f"shorewatchctl: in no container: process {os.getpid()}\n"
    inside, outside = json.loads(result.stdout)
    assert (inside["pid"], inside["container"]["Id"], outside) == (child, id_, {"pid": os.getpid(), "container": None})


def test_which_refuses_a_process_that_there_is_not(bus: Bus, web: int) -> None:
    over = subprocess.Popen(["true"])
    over.wait()
    result = ctl(bus, "which", str(over.pid), str(web))
    assert result.returncode == 3 and " web " in result.stdout
    assert result.stderr == f"shorewatchctl: cannot tell where process {over.pid} is: No such process\n"


def test_which_shows_how_a_process_got_into_its_container(bus: Bus, dockerd: Dockerd, web: int) -> None:
    child = child_of(web)
    lines = done(bus, "which", "--tree", str(child)).splitlines()
    assert lines[0].startswith("web  docker/shop  ") and lines[1:] == [f"└─ {web}  sh", f"   └─ {child}  sleep"]
    dockerd.docker("exec", "--detach", "web", "sh", "-c", "exec sleep 999999")
    pids = [int(line.split()[1]) for line in dockerd.docker("top", "web").splitlines()[1:] if "sleep 999999" in line]
    (entered,) = pids
    assert done(bus, "which", "--tree", str(entered)).splitlines()[1:] == [
        f"└─ {entered}  sleep  (put into the container from outside)"]


def test_ns_runs_a_command_in_all_that_is_the_container_s_own(bus: Bus, web: int) -> None:
    script = "busybox hostname; busybox readlink /proc/self/ns/net; echo $$; busybox pwd; busybox ls -d /ready"
    hostname, net, pid, folder, ready = done(bus, "ns", "web", "--", "sh", "-c", script).splitlines()
    assert (hostname, net, folder, ready) == ("webhost", os.readlink(f"/proc/{web}/ns/net"), "/", "/ready")
    assert 1 < int(pid) < 1000  # as the container numbers it


def test_ns_enters_nothing_but_what_was_asked_for(bus: Bus, web: int) -> None:
    mnt, net, uts = done(bus, "ns", "--uts", "--net", "web", "--", "readlink", "/proc/self/ns/mnt", "/proc/self/ns/net",
                         "/proc/self/ns/uts").splitlines()
    assert mnt == os.readlink("/proc/self/ns/mnt")
    assert (net, uts) == tuple(os.readlink(f"/proc/{web}/ns/{type_}") for type_ in ("net", "uts"))


def test_ns_ends_as_the_command_does(bus: Bus, web: int) -> None:
    assert ctl(bus, "ns", "web", "--", "sh", "-c", "exit 42").returncode == 42
    assert ctl(bus, "ns", "--net", "web", "--", "sh", "-c", "exit 43").returncode == 43
    assert ctl(bus, "ns", "web", "--", "sh", "-c", "kill -USR1 $$").returncode == 128 + signal.SIGUSR1
    assert "cannot run 'nothing' there" in fails(bus, 127, "ns", "web", "--", "nothing")
    assert "cannot run '/proc' there" in fails(bus, 126, "ns", "web", "--", "/proc")
    assert "No alive container 'none'" in fails(bus, 3, "ns", "none", "--", "true")


def test_ns_passes_signals_on(bus: Bus, web: int) -> None:
    command = "trap 'echo told; exit 7' TERM; echo ready; while :; do sleep 0.1; done"
    running = subprocess.Popen([CTL, "ns", "web", "--", "sh", "-c", command], env=bus.environment(), text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert running.stdout is not None and running.stdout.readline() == "ready\n"
    running.send_signal(signal.SIGTERM)
    assert (running.stdout.read(), running.wait(10)) == ("told\n", 7)
    running.stdout.close()


def test_containers_are_paused_and_let_go_on(bus: Bus, client: Client, web: int, recorder: Recorder) -> None:
    assert done(bus, "pause", "web") == ""
    recorder.wait_for("ContainerPaused", "web")
    assert client.list().by_name()["web"]["Paused"]
    assert "cannot pause 'web': " in fails(bus, 1, "pause", "web")
    assert done(bus, "unpause", "web") == ""
    recorder.wait_for("ContainerUnpaused", "web")


def test_several_containers_are_stopped_also_after_one_that_cannot_be(
        bus: Bus, dockerd: Dockerd, web: int, recorder: Recorder) -> None:
    dockerd.run("other")
    recorder.wait_for("ContainerStarted", "other")
    result = ctl(bus, "stop", "--timeout", "20", "web", "none", "null")
    assert result.returncode == 3
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == ["cannot stop 'none'", "cannot stop 'null'"]
    assert recorder.wait_for("ContainerExited", "web").details["ExitCode"] == 3
    assert done(bus, "stop", "--timeout", "0", "other") == ""
    assert recorder.wait_for("ContainerExited", "other").details["ExitCode"] == 137


@pytest.mark.parametrize("arguments, code", [(["--signal", "SIGTERM"], 3), (["-s", "15"], 3), ([], 137)])
def test_a_signal_is_sent(bus: Bus, web: int, recorder: Recorder, arguments: list[str], code: int) -> None:
    assert done(bus, "kill", "web", *arguments) == ""
    assert recorder.wait_for("ContainerExited", "web").details["ExitCode"] == code


def test_what_the_engine_and_the_network_know_is_shown(bus: Bus, dockerd: Dockerd, web: int) -> None:
    known: Any = json.loads(done(bus, "inspect", "web"))
    assert (known["Id"], known["Config"]["Hostname"]) == (dockerd.inspect("web")["Id"], "webhost")
    assert ["lo", "127.0.0.1/8"] in [line.split() for line in done(bus, "addresses", "web").splitlines()[1:]]
    assert {"interface": "lo", "address": "127.0.0.1/8"} in json.loads(done(bus, "addresses", "--json", "web"))
