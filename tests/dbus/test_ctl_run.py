"""shorewatchctl run and its kin, with a stand-in for the daemon: streams, signals, terminals and exit codes."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from lab.bus import Bus
from lab.clients import ctl, line, started_ctl
from lab.paths import CTL
from lab.terminal import on_terminal
from lab.waiting import Arrivals

Start = Callable[..., subprocess.Popen[str]]
_STAND_IN = Path(__file__).parent / "runtime_stand_in.py"


class StandIn:
    def __init__(self, bus: Bus):
        self.calls: Arrivals[dict[str, Any]] = Arrivals()
        self._process = subprocess.Popen([sys.executable, _STAND_IN, bus.address], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, start_new_session=True)
        self._thread = threading.Thread(target=self._read, name="stand-in")
        self._thread.start()
        self.wait_for("ready")

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for said in lines:
                self.calls.add(json.loads(said))
        self.calls.end("the stand-in is over")

    def wait_for(self, what: str, after: int = 0, **members: Any) -> dict[str, Any]:
        return self.calls.wait_for(
            lambda call: call["what"] == what and all(call[key] == value for key, value in members.items()), 10, what, after)

    def do(self, command: str) -> None:
        assert self._process.stdin is not None
        after = len(self.calls)
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        self.wait_for("done", after)

    def names(self) -> list[str]:
        """Of all calls so far: what it has said of them has been read when it has answered."""
        self.do("report")
        return [call["what"] for call in self.calls.all() if call["what"] not in ("ready", "ended", "done")]

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        finally:
            os.killpg(self._process.pid, signal.SIGKILL) if self._process.poll() is None else None
            self._thread.join()


@pytest.fixture
def runtime(bus: Bus) -> Iterator[StandIn]:
    part = StandIn(bus)
    yield part
    part.close()


@pytest.fixture
def root(folder: Path) -> str:
    (folder / "root").mkdir()
    return str(folder / "root")


@pytest.fixture
def start(bus: Bus, runtime: StandIn) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    with started_ctl(bus) as begin:
        yield begin


def test_output_and_exit_code_are_the_command_s(bus: Bus, runtime: StandIn, root: str) -> None:
    done = ctl(bus, "run", "--rootfs", root, "--name", "job", "--", "sh", "-c", "echo out; echo err >&2; exit 42")
    assert (done.returncode, done.stdout, done.stderr) == (42, "out\n", "err\n")
    assert runtime.names() == ["Create", "Start"]
    created = runtime.wait_for("Create")
    assert created["id"] == "job" and created["spec"]["root"] == {"path": root, "readonly": False}
    assert runtime.wait_for("Start")["options"] == {"Stdin": False, "Terminal": False}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGUSR1])
def test_an_end_by_a_signal_is_told_as_shells_do(bus: Bus, runtime: StandIn, root: str, number: int) -> None:
    assert ctl(bus, "run", "--rootfs", root, "--", "sh", "-c", f"kill -{int(number)} $$").returncode == 128 + number


def test_a_program_that_cannot_be_run_is_told_as_shells_do_and_leaves_nothing(bus: Bus, runtime: StandIn, root: str) -> None:
    missing = ctl(bus, "run", "--rootfs", root, "--name", "job", "--", "/no/such/program")
    assert missing.returncode == 127 and "cannot start container 'job': the runtime says" in missing.stderr
    assert ctl(bus, "run", "--rootfs", root, "--name", "job", "--", "/etc/passwd").returncode == 126
    assert runtime.names() == ["Create", "Start", "Delete"] * 2


def test_input_is_passed_on_to_its_end(bus: Bus, runtime: StandIn, root: str) -> None:
    text = "".join(f"line {number}\n" for number in range(100_000))
    done = subprocess.run([str(CTL), "run", "-i", "--rootfs", root, "--", "wc", "-c"], env=bus.environment(), text=True,
                          input=text, capture_output=True, timeout=30)
    assert (done.returncode, done.stdout.strip()) == (0, str(len(text)))
    assert "CloseStdin" in runtime.names()


def test_without_i_the_command_has_no_input(bus: Bus, runtime: StandIn, root: str) -> None:
    done = subprocess.run([str(CTL), "run", "--rootfs", root, "--", "cat"], env=bus.environment(), text=True,
                          input="not for you", capture_output=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "")


def test_all_output_comes_also_to_a_slow_reader(bus: Bus, runtime: StandIn, root: str, start: Start) -> None:
    process = start("run", "--rootfs", root, "--", "head", "-c", "30000000", "/dev/zero", text=False)
    assert process.stdout is not None
    # It is there, and waits for us; nobody else holds more of it than pipes do.
    first = process.stdout.read(1)
    runtime.wait_for("Start")
    rest = process.stdout.read()
    assert len(first) + len(rest) == 30_000_000 and process.wait(10) == 0


def test_a_reader_that_goes_ends_a_pipeline_as_it_would_here(bus: Bus, runtime: StandIn, root: str, start: Start) -> None:
    process = start("run", "--rootfs", root, "--", "yes")
    assert line(process) == "y\n"
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(10) == 128 + signal.SIGPIPE


def test_signals_are_passed_on(bus: Bus, runtime: StandIn, root: str, start: Start) -> None:
    script = "trap 'echo told; exit 7' TERM; trap 'echo user' USR1; echo ready; while :; do sleep 0.05; done"
    process = start("run", "--rootfs", root, "--", "sh", "-c", script)
    assert line(process) == "ready\n"
    process.send_signal(signal.SIGUSR1)
    assert line(process) == "user\n"
    process.send_signal(signal.SIGTERM)
    assert (line(process), process.wait(10)) == ("told\n", 7)


def test_a_command_that_does_not_listen_can_be_left(bus: Bus, runtime: StandIn, root: str, start: Start) -> None:
    process = start("run", "--name", "deaf", "--rootfs", root, "--", "sh", "-c",
                    "trap '' INT; echo ready; exec sleep 1000000")
    assert line(process) == "ready\n"
    for _ in range(2):
        after = len(runtime.calls)
        process.send_signal(signal.SIGINT)
        runtime.wait_for("SignalProcess", after)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 128 + signal.SIGINT
    assert process.stderr is not None and "shorewatchctl restore deaf" in process.stderr.read()
    assert json.loads(ctl(bus, "ps", "--json").stdout)[0]["Status"] == "running"


def test_a_daemon_that_is_started_anew_does_not_disturb(bus: Bus, runtime: StandIn, root: str, start: Start) -> None:
    process = start("run", "-i", "--rootfs", root, "--", "sh", "-c", "read a; echo $a; read b; echo $b; exit 5",
                    stdin=subprocess.PIPE)
    assert process.stdin is not None
    runtime.wait_for("Start")
    runtime.do("away")
    process.stdin.write("while it is away\n")
    process.stdin.flush()
    assert line(process) == "while it is away\n"
    runtime.do("back")
    process.stdin.write("and after\n")
    process.stdin.flush()
    assert (line(process), process.wait(10)) == ("and after\n", 5)


def test_an_end_while_the_daemon_is_away_is_learned_when_it_is_back(bus: Bus, runtime: StandIn, root: str, start: Start) -> None:
    process = start("run", "-i", "--rootfs", root, "--", "sh", "-c", "read a; exit 6", stdin=subprocess.PIPE)
    runtime.wait_for("Start")
    runtime.do("away")
    assert process.stdin is not None
    process.stdin.write("end\n")
    process.stdin.close()
    runtime.wait_for("ended")
    runtime.do("back")
    assert process.wait(10) == 6


def test_nobody_else_can_tell_of_an_end(bus: Bus, runtime: StandIn, root: str, start: Start) -> None:
    process = start("run", "-i", "--name", "web", "--rootfs", root, "--", "sh", "-c", "read a; exit 3",
                    stdin=subprocess.PIPE)
    runtime.wait_for("Start")
    runtime.do("forge web")
    assert process.stdin is not None
    process.stdin.write("end\n")
    process.stdin.close()
    assert process.wait(10) == 3


def test_a_terminal_is_raw_meanwhile_and_as_before_afterwards(bus: Bus, runtime: StandIn, root: str) -> None:
    with on_terminal(bus, "run", "-it", "--rootfs", root, "--", "sh", "-c",
                     "stty size; stty -icanon -isig; echo ready; head -c 1 | od -An -c; stty icanon isig; read a; echo got $a; exit 9", size=(43, 132)) as terminal:
        terminal.wait_for("43 132")
        runtime.wait_for("ResizeTerminal", width=132, height=43)
        assert terminal.raw
        terminal.wait_for("ready")
        terminal.type("\x03")
        terminal.wait_for("003")
        terminal.type("it\r")
        terminal.wait_for("got it")
        assert terminal.process.wait(10) == 9
        assert terminal.as_before
    created = runtime.wait_for("Create")["spec"]["process"]
    assert created["terminal"] and created["consoleSize"] == {"height": 43, "width": 132}
    assert "TERM=xterm" in created["env"]


def test_a_terminal_follows_ours_in_size(bus: Bus, runtime: StandIn, root: str) -> None:
    script = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done"
    with on_terminal(bus, "run", "-it", "--rootfs", root, "--", "sh", "-c", script) as terminal:
        terminal.wait_for("ready")
        runtime.wait_for("ResizeTerminal", width=80, height=24)
        terminal.resize(50, 100)
        terminal.wait_for("50 100")
        assert terminal.process.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_terminal_is_as_before_when_we_are_ended(bus: Bus, runtime: StandIn, root: str, number: signal.Signals) -> None:
    with on_terminal(bus, "run", "-it", "--name", "web", "--rootfs", root, "--", "sh", "-c",
                     "echo ready; exec sleep 1000000") as terminal:
        terminal.wait_for("ready")
        assert terminal.raw
        terminal.process.send_signal(number)
        assert terminal.process.wait(10) == 128 + number
        assert terminal.as_before
    assert "SignalProcess" not in runtime.names()


def test_a_terminal_is_as_before_while_we_are_stopped(bus: Bus, runtime: StandIn, root: str) -> None:
    with on_terminal(bus, "run", "-it", "--rootfs", root, "--", "sh", "-c", "echo ready; read a; echo got $a") as terminal:
        terminal.wait_for("ready")
        terminal.process.send_signal(signal.SIGTSTP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        assert terminal.as_before
        terminal.process.send_signal(signal.SIGCONT)
        terminal.type("it\r")
        terminal.wait_for("got it")
        assert terminal.process.wait(10) == 0 and terminal.as_before


def test_a_terminal_is_as_before_when_the_command_cannot_be_run(bus: Bus, runtime: StandIn, root: str) -> None:
    with on_terminal(bus, "run", "-it", "--rootfs", root, "--", "/no/such/program") as terminal:
        assert terminal.process.wait(10) == 127 and terminal.as_before


def test_an_image_has_its_own_command_and_environment(bus: Bus, runtime: StandIn) -> None:
    assert ctl(bus, "run", "box:latest").stdout == "of the image: good\n"
    assert ctl(bus, "run", "-e", "MOOD=better", "box:latest").stdout == "of the image: better\n"
    moved = ctl(bus, "run", "box:latest", "--", "pwd")
    assert moved.stdout == "/tmp\n", moved
    assert ctl(bus, "run", "--entrypoint", "/bin/echo", "box:latest", "--", "a", "b").stdout == "a b\n"
    assert all(call["options"]["Image"] == "box:latest" for call in runtime.calls.all() if call["what"] == "Create")
    none = ctl(bus, "run", "other:latest")
    assert none.returncode == 3 and "There is no image 'other:latest'" in none.stderr


def test_what_is_asked_for_is_in_the_specification(bus: Bus, runtime: StandIn, root: str) -> None:
    done = ctl(bus, "run", "--rm", "--rootfs", root, "--name", "web", "--memory", "64m", "--cpus", "0.5", "--pids-limit",
               "20", "-v", "/srv:/data:ro", "-v", "/tmp:/scratch", "-e", "A=b c", "-e", "HOME", "-w", "/tmp", "-u", "7:8",
               "--cap-drop", "all", "--cap-add", "net_admin", "--ulimit", "nofile=10:20", "-l", "tier=front", "--network",
               "host", "--hostname", "h", "--cgroup-parent", "/a/b", "--read-only", "--allow-new-privileges", "--seccomp",
               "none", "--", "true", "-x")
    assert (done.returncode, done.stderr) == (0, "")
    call = runtime.wait_for("Create")
    spec, process, linux = call["spec"], call["spec"]["process"], call["spec"]["linux"]
    assert call["options"] == {"Labels": {"tier": "front"}, "RemoveOnExit": 1}
    assert process["args"] == ["true", "-x"] and process["cwd"] == "/tmp" and process["user"] == {"uid": 7, "gid": 8}
    assert "A=b c" in process["env"] and f"HOME={os.environ['HOME']}" in process["env"]
    assert process["capabilities"]["bounding"] == ["CAP_NET_ADMIN"] and not process["noNewPrivileges"]
    assert process["rlimits"] == [{"type": "RLIMIT_NOFILE", "hard": 20, "soft": 10}]
    assert linux["resources"]["memory"] == {"limit": 64 << 20} and linux["resources"]["pids"] == {"limit": 20}
    assert linux["resources"]["cpu"] == {"quota": 50_000, "period": 100_000}
    assert linux["cgroupsPath"] == "/a/b/web" and "seccomp" not in linux
    assert {"type": "network"} not in linux["namespaces"] and spec["hostname"] == "h" and spec["root"]["readonly"]
    assert [(mount["source"], mount["destination"], mount["options"][-1]) for mount in spec["mounts"][-2:]] == [
        ("/srv", "/data", "ro"), ("/tmp", "/scratch", "rw")]


def test_exec_is_like_the_container_s_own_command(bus: Bus, runtime: StandIn, root: str) -> None:
    assert ctl(bus, "run", "-d", "--name", "web", "-e", "A=1", "-w", "/tmp", "--rootfs", root, "--", "sleep",
               "1000000").stdout == "web\n"
    done = ctl(bus, "exec", "web", "--", "sh", "-c", "echo $A; pwd; exit 4")
    assert (done.returncode, done.stdout) == (4, "1\n/tmp\n")
    done = ctl(bus, "exec", "-e", "A=2", "-w", "/", "web", "--", "sh", "-c", "echo $A; pwd")
    assert (done.returncode, done.stdout) == (0, "2\n/\n")
    assert ctl(bus, "exec", "web", "--", "/no/such/program").returncode == 127
    none = ctl(bus, "exec", "other", "--", "true")
    assert none.returncode == 3 and "there is no container 'other'" in none.stderr
    with on_terminal(bus, "exec", "-it", "web", "--", "sh", "-c", "tty; exit 6") as terminal:
        terminal.wait_for("/dev/pts/")
        assert terminal.process.wait(10) == 6 and terminal.as_before
    assert ctl(bus, "rm", "web").returncode == 1
    assert ctl(bus, "rm", "-f", "web").returncode == 0
    assert ctl(bus, "ps", "-q").stdout == ""


def test_containers_that_have_ended_are_listed_until_they_are_removed(bus: Bus, runtime: StandIn, root: str) -> None:
    ctl(bus, "run", "--name", "job", "--rootfs", root, "--", "sh", "-c", "exit 3")
    ctl(bus, "run", "--name", "gone", "--rm", "--rootfs", root, "--", "true")
    ctl(bus, "run", "-d", "--name", "web", "--rootfs", root, "--", "sleep", "1000000")
    rows = [row.split()[:3] for row in ctl(bus, "ps").stdout.splitlines()[1:]]
    assert rows == [["job", "-", "exited"], ["web", "-", "running"]]
    assert ctl(bus, "ps", "-q", "--running").stdout == "web\n"
    done = ctl(bus, "exec", "job", "--", "true")
    assert done.returncode == 3 and "it does not run" in done.stderr
    assert ctl(bus, "rm", "job").returncode == 0
    assert ctl(bus, "ps", "-q").stdout == "web\n"


def test_statistics_are_read_again_and_again(bus: Bus, runtime: StandIn, root: str, start: Start) -> None:
    ctl(bus, "run", "-d", "--name", "web", "--rootfs", root, "--", "sleep", "1000000")
    once = json.loads(ctl(bus, "stats", "--once", "--json", "web").stdout)
    assert (once["id"], once["memory"], once["cpu_percent"], once["bytes_read"]) == ("web", 3 << 20, 50.0, None)
    process = start("stats", "--json")
    first, second = json.loads(line(process)), json.loads(line(process))
    assert first["cpu_percent"] is None and second["cpu_percent"] == 50.0
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    none = ctl(bus, "stats", "other")
    assert none.returncode == 3 and "There is no container 'other'" in none.stderr


def test_limits_and_checkpoints_are_asked_for(bus: Bus, runtime: StandIn, root: str, folder: Path) -> None:
    ctl(bus, "run", "-d", "--name", "web", "--rootfs", root, "--", "sleep", "1000000")
    assert ctl(bus, "update", "--memory", "1g", "--cpus", "unlimited", "web").returncode == 0
    assert runtime.wait_for("UpdateResources")["resources"] == {
        "memory": {"limit": 1 << 30}, "cpu": {"quota": -1, "period": 100_000}}
    assert ctl(bus, "update", "web").returncode == 2
    done = ctl(bus, "checkpoint", "--leave-running", "web", "state")
    assert done.returncode == 1 and "criu is not installed" in done.stderr
    asked = runtime.wait_for("CreateCheckpoint")
    assert (asked["directory"], asked["exit"]) == (os.path.abspath("state"), False)
    # What runs is not replaced.
    after = len(runtime.calls)
    assert ctl(bus, "restore", "-d", "--from", "/srv/state", "web").returncode in (0, 1)
    assert runtime.wait_for("Start", after)["options"] == {"CheckpointDirectory": "/srv/state", "Discard": 1}
    assert "DeleteTask" not in runtime.names()


def test_a_container_goes_on_from_a_checkpoint_that_has_ended_it(bus: Bus, runtime: StandIn, root: str) -> None:
    ctl(bus, "run", "--name", "web", "--rootfs", root, "--", "true")
    before = len(runtime.names())
    assert ctl(bus, "restore", "-d", "--from", "/srv/state", "web").returncode == 0
    assert runtime.names()[before:] == ["DeleteTask", "Start"]


@pytest.mark.parametrize("arguments", [
    ["run"], ["run", "--rootfs", "/"], ["run", "-d", "-i", "x"], ["run", "--memory", "many", "x"], ["run", "-v", "a:b", "x"],
    ["run", "--cap-add", "FLY", "x"], ["run", "--network", "bridge", "x"], ["run", "-it", "x"], ["exec", "web"],
    ["run", "--ulimit", "x", "x"], ["run", "-w", "a", "x"], ["update"], ["--host", "h", "run", "x"], ["restore", "-d", "x"]])
def test_what_makes_no_sense_is_refused(bus: Bus, runtime: StandIn, arguments: list[str]) -> None:
    done = ctl(bus, *arguments)
    assert done.returncode == 2 and done.stderr.startswith("shorewatchctl: "), done
    assert runtime.names() == []


def test_a_root_that_is_not_there_is_refused(bus: Bus, runtime: StandIn) -> None:
    done = ctl(bus, "run", "--rootfs", "/no/such/folder", "--", "true")
    assert done.returncode == 1 and "'/no/such/folder'" in done.stderr
    assert runtime.names() == []
