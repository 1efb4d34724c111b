"""The runtime while parts of it are killed: nothing that was told is told again, and nothing is lost."""

import os
import signal
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from lab.bus import Bus
from lab.containerd import Containerd
from lab.daemon import Daemon
from lab.recorder import Recorder, state
from lab.runtime import ERROR, NAMESPACE, Events, Runtime, descriptors_of, refused
from lab.runtime import spec as make_spec
from lab.waiting import Deadline, wait_for_exit

# Says a number a line, for each line that it reads; the number 7 ends it, with that code.
COUNTER = ("sh", "-c", "n=0; while read -r line; do n=$((n + 1)); echo $n; [ $n = 7 ] && exit 7; done; exit 9")


@pytest.fixture
def daemon(start_runtime_daemon: Callable[..., Daemon], own_containerd: Containerd) -> Daemon:
    return start_runtime_daemon(own_containerd)


@pytest.fixture
def runtime(daemon: Daemon, bus: Bus) -> Iterator[Runtime]:
    part = Runtime(bus)
    yield part
    part.close()


@pytest.fixture
def spec(rootfs: Path, own_containerd: Containerd) -> Callable[..., Any]:
    return lambda id_, *arguments, **options: make_spec(
        rootfs, f"{own_containerd.cgroup}/{id_}", *arguments, **options)


def restart_containerd(containerd: Containerd, recorder: Recorder, meanwhile: Callable[[], None]) -> None:
    seen = len(recorder.signals)
    containerd.kill9()
    recorder.wait_for("EngineStateChanged", where=state("lost"), after=seen)
    meanwhile()
    containerd.start()
    recorder.wait_for("EngineStateChanged", where=state("watching"), after=seen, seconds=60)


def restart_daemon(daemon: Daemon, recorder: Recorder) -> None:
    daemon.process.kill()
    daemon.start()


def test_an_end_while_containerd_is_killed_is_told_once(
        runtime: Runtime, own_containerd: Containerd, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, *COUNTER))
    with runtime.start(id_) as started:
        # Its process is watched from then on: containerd 1.7 forgets how it has ended.
        recorder.wait_for("ContainerStarted", id_)

        def end() -> None:
            started.write(b"\n" * 7)
            wait_for_exit(started.pid, Deadline(10, "the end of the counter"))

        restart_containerd(own_containerd, recorder, end)
        events = Events(recorder, id_)
        assert events.wait("exit", seconds=60)["ExitCode"] == 7
        assert started.read_all() == b"1\n2\n3\n4\n5\n6\n7\n"
    assert runtime.call("DeleteTask", id_)[0] == 7
    assert events.names() == ["create init", "start init", "exit init"]
    runtime.call("Delete", id_)


def test_containers_and_their_streams_outlive_containerd(
        runtime: Runtime, own_containerd: Containerd, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, *COUNTER))
    with runtime.start(id_) as started, runtime.exec(id_, "it", "sh", "-c", "read -r line; exit 5") as it:
        def while_away() -> None:
            started.write(b"\n")
            assert started.read_until(b"1\n") == b"1\n"
            assert refused(runtime.call, "Status", id_) == ERROR + "EngineUnavailable"
            assert refused(runtime.start, id_) == ERROR + "Conflict"

        restart_containerd(own_containerd, recorder, while_away)
        assert runtime.call("Status", id_) == "running"
        it.write(b"\n")
        events = Events(recorder, id_)
        assert events.wait("exit", "it")["ExitCode"] == 5
        started.write(b"\n" * 6)
        assert events.wait("exit")["ExitCode"] == 7
    assert events.names("init") == ["create", "start", "exit"]
    assert events.names("it") == ["exec-added", "exec-started", "exit"]
    runtime.call("Delete", id_)


def test_a_killed_shim_makes_one_exit(
        runtime: Runtime, own_containerd: Containerd, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sleep", "1000"))
    with runtime.start(id_), runtime.exec(id_, "it", "sleep", "1000"):
        os.kill(own_containerd.shim_of(f"{NAMESPACE}/{id_}"), signal.SIGKILL)
        events = Events(recorder, id_)
        assert events.wait("exit")["ExitCode"] == 137
        assert events.wait("exit", "it")["ExitCode"] == 137
    assert runtime.call("DeleteTask", id_)[0] == 137
    assert events.names("init") == ["create", "start", "exit"]
    runtime.call("Delete", id_)


def test_a_container_goes_on_under_a_new_daemon(
        runtime: Runtime, daemon: Daemon, own_containerd: Containerd, spec: Callable[..., Any], recorder: Recorder,
        bus: Bus, id_: str) -> None:
    runtime.create(id_, spec(id_, *COUNTER), Labels={"a": "b"})
    with runtime.start(id_) as started:
        started.write(b"\n")
        assert started.read_until(b"1\n") == b"1\n"
        restart_daemon(daemon, recorder)
        # The caller's own go on by themselves …
        started.write(b"\n")
        assert started.read_until(b"2\n") == b"2\n"
        again = Runtime(bus)
        # … and another one gets new ones.
        alive, restored = again.restore(id_)
        assert alive and restored.pid == started.pid
        assert set(restored.streams) == {"stdin", "stdout", "stderr"}
        row = again.listing()[id_]
        assert row["Labels"]["a"] == "b" and row["PID"] == started.pid and row["Status"] == "running"
        assert refused(again.start, id_) == ERROR + "Conflict"
        with restored:
            started.close()
            restored.write(b"\n" * 5)
            assert restored.read_all() == b"3\n4\n5\n6\n7\n"
    events = Events(recorder, id_)
    assert events.wait("exit")["ExitCode"] == 7
    assert events.names() == ["create init", "start init", "exit init"]
    again.call("Delete", id_)
    assert not list((daemon.state / "runtime/containerd").iterdir())
    again.close()


def test_an_end_without_a_daemon_is_told_by_the_next_one_and_once(
        runtime: Runtime, daemon: Daemon, own_containerd: Containerd, spec: Callable[..., Any], recorder: Recorder,
        bus: Bus, id_: str) -> None:
    runtime.create(id_, spec(id_, *COUNTER))
    with runtime.start(id_) as started:
        daemon.process.kill()
        started.write(b"\n" * 7)
        wait_for_exit(started.pid, Deadline(10, "the end of the counter"))
        assert started.read_all() == b"1\n2\n3\n4\n5\n6\n7\n"
    daemon.start()
    events = Events(recorder, id_)
    assert events.wait("exit")["ExitCode"] == 7
    restart_daemon(daemon, recorder)
    again = Runtime(bus)
    # Who asks for it is told that it is over, and it can be started anew.
    again.wait_until(lambda: again.listing()[id_].get("ExitCode") == 7, "the container to be known")
    alive, nothing = again.restore(id_)
    assert not alive and not nothing.streams
    assert events.names() == ["create init", "start init", "exit init"]
    again.start(id_, Stdin=False).close()
    assert events.wait("exit", count=2)["ExitCode"] == 9
    again.call("Delete", id_)
    again.close()


def test_processes_of_exec_are_known_to_a_new_daemon(
        runtime: Runtime, daemon: Daemon, own_containerd: Containerd, spec: Callable[..., Any], recorder: Recorder,
        bus: Bus, id_: str) -> None:
    runtime.create(id_, spec(id_, "sleep", "1000"))
    runtime.start(id_).close()
    with runtime.exec(id_, "it", "sh", "-c", "read -r line; exit 6") as it:
        restart_daemon(daemon, recorder)
        again = Runtime(bus)
        again.wait_until(lambda: again.listing()[id_].get("Processes") == ["it"], "the process to be known")
        it.write(b"\n")
        events = Events(recorder, id_)
        assert events.wait("exit", "it")["ExitCode"] == 6
    again.call("SignalProcess", id_, "init", 9)
    events.wait("exit")
    again.call("Delete", id_)
    again.close()


def test_a_container_that_somebody_else_deletes_is_forgotten(
        runtime: Runtime, daemon: Daemon, own_containerd: Containerd, spec: Callable[..., Any], recorder: Recorder,
        bus: Bus, id_: str) -> None:
    runtime.create(id_, spec(id_, "true"))
    daemon.process.kill()
    own_containerd.ctr("containers", "rm", id_, namespace=NAMESPACE)
    daemon.start()
    again = Runtime(bus)
    again.wait_until(lambda: id_ not in again.listing(), "the container to be forgotten")
    assert not (daemon.state / "runtime/containerd" / id_).exists()
    again.create(id_, spec(id_, "true"))
    again.call("Delete", id_)
    again.close()


def test_nothing_is_left_open(
        runtime: Runtime, daemon: Daemon, own_containerd: Containerd, spec: Callable[..., Any], recorder: Recorder,
        id_: str) -> None:
    def once(number: int) -> None:
        name = f"{id_}-{number}"
        runtime.create(name, spec(name, "sh", "-c", "cat; exit 4"))
        events = Events(recorder, name)
        with runtime.start(name) as started, runtime.exec(name, "it", "cat") as it:
            runtime.call("CloseStdin", name, "init")
            runtime.call("CloseStdin", name, "it")
            it.close("stdin")
            it.read_all()
            events.wait("exit", "it")
            started.close("stdin")
            started.read_all()
            started.read_all("stderr")
            it.close()
        events.wait("exit")
        runtime.call("Delete", name)

    once(0)
    before = descriptors_of(daemon.process.pid)
    for number in range(1, 6):
        once(number)
    # What the portfolio holds goes with its own event; nothing else is on its way.
    runtime.wait_until(lambda: descriptors_of(daemon.process.pid) <= before, "the descriptors to be closed")
    assert not list((daemon.state / "runtime/containerd").iterdir())
