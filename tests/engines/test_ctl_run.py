"""shorewatchctl run and its kin, on a real containerd."""

import itertools
import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from lab.bus import Bus
from lab.clients import ctl, line, started_ctl
from lab.containerd import IMAGE, Containerd
from lab.daemon import Daemon
from lab.paths import CTL
from lab.recorder import Recorder
from lab.terminal import on_terminal

_numbers = itertools.count(1)
Done = subprocess.CompletedProcess[str]


def own_filters() -> int:
    """Of system calls, ours: what we start has them too."""
    return int(re.search(r"^Seccomp_filters:\s+(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)[1])


@pytest.fixture(autouse=True)
def daemon(runtime_daemon: Daemon) -> Daemon:
    return runtime_daemon


@pytest.fixture
def name() -> str:
    """Of a container: no other test, here or in another run beside this one, has it."""
    return f"ctl{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def options(containerd: Containerd, rootfs: Path, name: str) -> list[str]:
    """Of a container on busybox, in a control group of the test's own."""
    return ["--name", name, "--cgroup-parent", f"/{containerd.cgroup}", "--rootfs", str(rootfs)]


@pytest.fixture
def run(bus: Bus, options: list[str]) -> Callable[..., Done]:
    """run("--rm", "--", "sh", …)"""
    return lambda *arguments: ctl(bus, "run", *options, *arguments)


@pytest.fixture
def start(bus: Bus) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    with started_ctl(bus, stderr=subprocess.STDOUT) as begin:
        yield begin


def good(done: Done) -> str:
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def listed(bus: Bus) -> dict[str, Any]:
    return {row["Id"]: row for row in json.loads(good(ctl(bus, "ps", "--json")))}


def test_a_command_runs_in_a_folder_and_ends_as_it_does(bus: Bus, run: Callable[..., Done], name: str) -> None:
    done = run("--", "sh", "-c", "echo out; echo err >&2; exit 42")
    assert (done.returncode, done.stdout, done.stderr) == (42, "out\n", "err\n")
    assert listed(bus)[name]["ExitCode"] == 42
    assert good(ctl(bus, "rm", name)) == "" and listed(bus) == {}


def test_a_container_is_removed_when_that_was_asked_for(
        bus: Bus, run: Callable[..., Done], name: str, recorder: Recorder) -> None:
    assert good(run("--rm", "--", "echo", "once")) == "once\n"
    recorder.wait_for("ContainerExited", name)
    assert good(run("--rm", "--", "echo", "again")) == "again\n"


def test_a_container_has_no_more_rights_than_it_should(run: Callable[..., Done], name: str) -> None:
    script = ("cat /proc/self/status; echo pid $$; cat /proc/sys/kernel/hostname; cat /proc/keys | wc -c; "
              "echo x > /proc/sys/kernel/hostname; echo x > /sys/kernel/mm/ksm/run; ls /sys/class/net; echo fine > /dev/null")
    done = run("--rm", "--", "sh", "-c", script)
    assert done.returncode == 0, done
    status = dict(re.findall(r"^(\w+):\s+(\w+)", done.stdout, re.MULTILINE))
    assert status["CapEff"] == status["CapBnd"] == status["CapPrm"] == "00000000a80425fb"
    assert (status["CapInh"], status["NoNewPrivs"], status["Seccomp"]) == ("0000000000000000", "1", "2")
    assert int(status["Seccomp_filters"]) == own_filters() + 1
    assert f"pid 1\n{name}\n0\n" in done.stdout and done.stdout.endswith("\nlo\n")
    assert done.stderr.count("Read-only file system") == 2


def test_rights_and_limits_are_as_they_were_asked_for(run: Callable[..., Done], folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data/file").write_text("of the host\n")
    script = ("cat /data/file; echo no > /data/file; id -u; id -g; cat /sys/fs/cgroup/pids/pids.max || cat "
              "/sys/fs/cgroup/pids.max; ulimit -n; cat /proc/self/status; echo $MOOD")
    done = run("--rm", "-v", f"{folder}/data:/data:ro", "-u", "7:8", "--pids-limit", "20", "--ulimit", "nofile=77",
               "--cap-drop", "all", "--seccomp", "none", "-e", "MOOD=good", "--", "sh", "-c", script)
    assert done.stdout.startswith("of the host\n7\n8\n20\n77\n") and done.stdout.endswith("\ngood\n"), done
    status = dict(re.findall(r"^(\w+):\s+(\w+)", done.stdout, re.MULTILINE))
    assert (status["CapBnd"], int(status["Seccomp_filters"])) == ("0000000000000000", own_filters())
    assert (folder / "data/file").read_text() == "of the host\n"


def test_an_image_runs_with_its_own_command(bus: Bus, containerd: Containerd, name: str) -> None:
    containerd.need_image("shorewatch")
    options = ["--name", name, "--cgroup-parent", f"/{containerd.cgroup}", "--rm"]
    done = subprocess.run([str(CTL), "run", "-i", *options, IMAGE], env=bus.environment(), text=True,
                          input="echo $PATH; echo x > /new; exit 5\n", capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (5, "/bin\n"), done
    none = ctl(bus, "run", *options, "docker.io/library/none:latest")
    assert none.returncode == 3 and "docker.io/library/none:latest" in none.stderr


def test_a_program_that_cannot_be_run_is_told_as_shells_do(bus: Bus, run: Callable[..., Done]) -> None:
    assert run("--", "/no/such/program").returncode == 127
    assert run("--", "/tmp").returncode == 126
    assert listed(bus) == {}


def test_input_comes_to_its_end(bus: Bus, options: list[str]) -> None:
    text = "".join(f"line {number}\n" for number in range(100_000))
    done = subprocess.run([str(CTL), "run", "-i", "--rm", *options, "--", "wc", "-c"], env=bus.environment(), text=True,
                          input=text, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, str(len(text))), done


def test_signals_are_passed_on(options: list[str], start: Callable[..., Any]) -> None:
    process = start("run", "--rm", *options, "--", "sh", "-c",
                    "trap 'echo told; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
    assert line(process) == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert (line(process), process.wait(10)) == ("told\n", 7)


def test_a_terminal_is_the_command_s_and_follows_ours(bus: Bus, options: list[str]) -> None:
    script = "stty size; read a; stty size; tty; echo got $a; exit 9"
    with on_terminal(bus, "run", "-it", "--rm", *options, "--", "sh", "-c", script, size=(43, 132)) as terminal:
        terminal.wait_for("43 132", 30)
        assert terminal.raw
        terminal.type("it\r")
        terminal.wait_for("got it")
        assert b"/dev/pts/0" in terminal.seen
        assert terminal.process.wait(10) == 9 and terminal.as_before


def test_a_terminal_is_resized_with_ours(bus: Bus, options: list[str]) -> None:
    script = "trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.05; done"
    with on_terminal(bus, "run", "-it", "--rm", *options, "--", "sh", "-c", script, size=(0, 0)) as terminal:
        terminal.wait_for("ready", 30)
        terminal.resize(50, 100)
        terminal.wait_for("50 100")
        assert terminal.process.wait(10) == 3 and terminal.as_before


def test_one_more_command_is_like_the_container_s_own(bus: Bus, run: Callable[..., Done], name: str,
                                                      recorder: Recorder) -> None:
    assert good(run("-d", "-e", "MOOD=good", "-w", "/tmp", "--", "sleep", "1000000")) == name + "\n"
    recorder.wait_for("ContainerStarted", name)
    done = ctl(bus, "exec", name, "--", "sh", "-c", "echo $MOOD; pwd; cat /proc/self/status; exit 4")
    status = dict(re.findall(r"^(\w+):\s+(\w+)", done.stdout, re.MULTILINE))
    assert done.returncode == 4 and done.stdout.startswith("good\n/tmp\n"), done
    assert (status["CapEff"], status["Seccomp"], status["NoNewPrivs"]) == ("00000000a80425fb", "2", "1")
    assert good(ctl(bus, "exec", "-u", "7:8", "-w", "/", name, "--", "sh", "-c", "id -u; pwd")) == "7\n/\n"
    assert ctl(bus, "exec", name, "--", "/no/such/program").returncode == 127
    assert ctl(bus, "exec", name, "--", "sh", "-c", "kill -9 $$").returncode == 137
    with on_terminal(bus, "exec", "-it", name, "--", "sh", "-c", "stty size; exit 6", size=(33, 99)) as terminal:
        terminal.wait_for("33 99", 30)
        assert terminal.process.wait(10) == 6 and terminal.as_before
    assert ctl(bus, "rm", name).returncode == 1
    assert good(ctl(bus, "rm", "--force", name)) == "" and listed(bus) == {}


def test_a_paused_container_is_removed_by_force(bus: Bus, run: Callable[..., Done], name: str, recorder: Recorder) -> None:
    good(run("-d", "--", "sleep", "1000000"))
    recorder.wait_for("ContainerStarted", name)
    good(ctl(bus, "pause", name))
    recorder.wait_for("ContainerPaused", name)
    assert good(ctl(bus, "rm", "-f", name)) == "" and listed(bus) == {}


def test_a_container_that_was_made_here_is_like_all_others(
        bus: Bus, run: Callable[..., Done], name: str, recorder: Recorder) -> None:
    good(run("-d", "-l", "tier=front", "--", "sleep", "1000000"))
    told = recorder.wait_for("ContainerStarted", name)
    assert told.id == f"shorewatch/{name}" and told.details["Labels"]["tier"] == "front"
    assert f" {name} " in good(ctl(bus, "which", str(told.details["PID"])))
    assert name in good(ctl(bus, "list"))
    good(ctl(bus, "kill", name))
    assert recorder.wait_for("ContainerExited", name).details["ExitCode"] == 137
    good(ctl(bus, "rm", name))


def test_what_is_used_is_read_and_limited(bus: Bus, run: Callable[..., Done], name: str) -> None:
    good(run("-d", "--memory", "64m", "--pids-limit", "20", "--", "sh", "-c", "while :; do :; done"))
    usage = json.loads(good(ctl(bus, "stats", "--once", "--json", name)))
    assert (usage["id"], usage["memory_limit"], usage["process_limit"]) == (name, 64 << 20, 20)
    assert usage["cpu_percent"] > 0 and usage["processes"] == 1 and 0 < usage["memory"] < 64 << 20
    good(ctl(bus, "update", "--memory", "128m", "--pids-limit", "30", name))
    usage = json.loads(good(ctl(bus, "stats", "--once", "--json", name)))
    assert (usage["memory_limit"], usage["process_limit"]) == (128 << 20, 30)
    good(ctl(bus, "rm", "-f", name))
    assert ctl(bus, "stats", name).returncode == 3


def test_a_command_goes_on_when_the_daemon_is_killed_and_started_anew(
        options: list[str], start: Callable[..., Any], daemon: Daemon) -> None:
    process = start("run", "-i", *options, "--", "sh", "-c", "read a; echo $a; read b; echo $b; exit 5",
                    stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write("before\n")
    process.stdin.flush()
    assert line(process) == "before\n"
    daemon.process.kill()
    daemon.start()
    process.stdin.write("after\n")
    process.stdin.flush()
    assert (line(process), process.wait(30)) == ("after\n", 5)


def test_a_command_is_attached_to_again(bus: Bus, options: list[str], name: str, start: Callable[..., Any]) -> None:
    process = start("run", "-i", *options, "--", "sh", "-c", "while read a; do echo $a; done; exit 8",
                    stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write("one\n")
    process.stdin.flush()
    assert line(process) == "one\n"
    process.kill()
    process.wait()
    again = start("restore", "-i", name, stdin=subprocess.PIPE)
    assert again.stdin is not None
    again.stdin.write("two\n")
    again.stdin.close()
    assert (line(again), again.wait(30)) == ("two\n", 8)


def test_a_terminal_that_was_left_is_attached_to_again(bus: Bus, options: list[str], name: str) -> None:
    with on_terminal(bus, "run", "-it", *options, "--", "sh", "-c", "echo ready; read a; echo got $a; exit 7") as terminal:
        terminal.wait_for("ready", 30)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(10) == 128 + signal.SIGTERM and terminal.as_before
    with on_terminal(bus, "restore", name) as terminal:
        terminal.type("it\r")
        terminal.wait_for("got it", 30)
        assert terminal.process.wait(10) == 7 and terminal.as_before


def test_a_checkpoint_is_gone_on_with_where_there_can_be_one(
        bus: Bus, run: Callable[..., Done], name: str, folder: Path) -> None:
    good(run("-d", "--", "sleep", "1000000"))
    done = ctl(bus, "checkpoint", name, str(folder / "checkpoint"), seconds=60)
    if done.returncode != 0:
        assert done.returncode == 1 and "criu" in done.stderr.lower(), done
        good(ctl(bus, "rm", "-f", name))
        pytest.skip(f"there is no CRIU here that can do it: {done.stderr}")
    assert listed(bus)[name]["Status"] != "running"
    assert ctl(bus, "restore", "-d", "--from", str(folder / "checkpoint"), name).returncode == 0
    assert listed(bus)[name]["Status"] == "running"
    good(ctl(bus, "rm", "-f", name))
