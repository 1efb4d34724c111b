"""Containers that are created and run over the bus, on a real containerd: a scenario a test."""

import json
import os
import signal
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, Callable

import dbus
import pytest

from lab.clients import ROOT
from lab.containerd import Containerd
from lab.daemon import Daemon
from lab.recorder import Recorder
from lab.paths import SOURCE
from lab.runtime import ERROR, INTERFACE, INVALID_ARGS, NAMESPACE, Events, Runtime, process, refused
from lab.waiting import Deadline, wait_for_exit

MIB = 1 << 20


def test_a_container_says_something_and_ends(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sh", "-c", "echo hello; echo oh no >&2; exit 3"))
    with runtime.start(id_) as started:
        assert started.read_all() == b"hello\n"
        assert started.read_all("stderr") == b"oh no\n"
    events = Events(recorder, id_)
    end = events.wait("exit")
    assert end["ExitCode"] == 3 and end["PID"] == started.pid and not end["OOMKilled"] and end["ExitedAt"] > 0
    assert events.names() == ["create init", "start init", "exit init"]
    assert runtime.call("Status", id_) == "stopped"
    assert runtime.call("DeleteTask", id_) == [3, end["ExitedAt"]]
    assert refused(runtime.call, "Status", id_) == ERROR + "NotAlive"
    runtime.call("Delete", id_)
    assert refused(runtime.call, "Status", id_) == ERROR + "NoSuchContainer"


def test_what_a_container_reads_ends_when_its_stdin_is_closed_at_both_ends(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "cat"))
    with runtime.start(id_) as started:
        started.write(b"one\n")
        assert started.read_until(b"\n") == b"one\n"
        started.write(b"two\n")
        runtime.call("CloseStdin", id_, "init")
        started.close("stdin")
        assert started.read_all() == b"two\n"
    assert Events(recorder, id_).wait("exit")["ExitCode"] == 0


def test_stdin_may_be_closed_before_start_has_answered(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str, bus: Any) -> None:
    runtime.create(id_, spec(id_, "cat"))
    pending = runtime.begin("Start", id_, {})
    # The same connection: the daemon takes it after Start, and long before runc has done its part.
    runtime.call("CloseStdin", id_, "init")
    with pending() as started:
        started.close("stdin")
        assert started.read_all() == b""
    assert Events(recorder, id_).wait("exit")["ExitCode"] == 0


def test_a_container_can_be_started_again_once_its_task_is_deleted(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "echo", "again"))
    events = Events(recorder, id_)
    for number in (1, 2):
        with runtime.start(id_) as started:
            assert started.read_all() == b"again\n"
        events.wait("exit", count=number)
        assert refused(runtime.start, id_) == ERROR + "Conflict"
        runtime.call("DeleteTask", id_)
    assert events.names() == ["create init", "start init", "exit init"] * 2


def test_discarded_and_missing_streams(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sh", "-c", "echo nobody hears; cat; exit 5"))
    with runtime.start(id_, Discard=True) as started:
        assert not started.streams
    events = Events(recorder, id_)
    assert events.wait("exit")["ExitCode"] == 5
    runtime.call("DeleteTask", id_)
    with runtime.start(id_, Stdin=False) as started:
        assert set(started.streams) == {"stdout", "stderr"}
        assert started.read_all() == b"nobody hears\n"
    assert events.wait("exit", count=2)["ExitCode"] == 5


def test_an_id_is_taken_once(runtime: Runtime, spec: Callable[..., Any], containerd: Containerd, id_: str) -> None:
    runtime.create(id_, spec(id_, "true"))
    assert refused(runtime.create, id_, spec(id_, "true")) == ERROR + "Conflict"
    assert refused(runtime.create, id_, spec(id_, "true"), Namespace="default") == ERROR + "Conflict"
    runtime.call("Delete", id_)
    # Of somebody else's, too.
    containerd.create(id_, namespace=NAMESPACE)
    assert refused(runtime.create, id_, spec(id_, "true")) == ERROR + "Conflict"
    assert refused(runtime.call, "Delete", id_) == ERROR + "NoSuchContainer"
    containerd.remove(f"{NAMESPACE}/{id_}")


def test_a_killed_process_ends_with_137_and_can_t_be_killed_again(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sleep", "1000"))
    assert refused(runtime.call, "SignalProcess", id_, "init", 9) == ERROR + "NotAlive"
    runtime.start(id_).close()
    assert refused(runtime.call, "DeleteTask", id_) == ERROR + "Conflict"
    assert refused(runtime.call, "Delete", id_) == ERROR + "Conflict"
    assert refused(runtime.call, "SignalProcess", id_, "nobody", 9) == ERROR + "NoSuchProcess"
    assert refused(runtime.call, "SignalProcess", id_, "init", 65) == INVALID_ARGS
    runtime.call("SignalProcess", id_, "init", 9)
    end = Events(recorder, id_).wait("exit")
    assert end["ExitCode"] == 137 and end["ExitedAt"] > 0
    assert refused(runtime.call, "SignalProcess", id_, "init", 9) == ERROR + "NoSuchProcess"
    runtime.call("Delete", id_)


def test_pause_resume_and_status(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sleep", "1000"))
    assert refused(runtime.call, "Pause", id_) == ERROR + "NotAlive"
    runtime.start(id_).close()
    assert runtime.call("Status", id_) == "running"
    assert refused(runtime.call, "Resume", id_) == ERROR + "Conflict"
    runtime.call("Pause", id_)
    assert runtime.call("Status", id_) == "paused"
    assert refused(runtime.call, "Pause", id_) == ERROR + "Conflict"
    events = Events(recorder, id_)
    events.wait("paused")
    assert runtime.listing()[id_]["Status"] == "paused"
    assert refused(runtime.exec, id_, "later", "true") == ERROR + "Conflict"
    runtime.call("Resume", id_)
    events.wait("resumed")
    runtime.call("SignalProcess", id_, "init", 9)
    events.wait("exit")
    assert events.names() == ["create init", "start init", "paused init", "resumed init", "exit init"]


def test_exec_tells_of_its_process_in_order(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sleep", "1000"))
    assert refused(runtime.exec, id_, "early", "true") == ERROR + "NotAlive"
    runtime.start(id_).close()
    with runtime.exec(id_, "it", "sh", "-c", "cat; exit 42") as it:
        assert refused(runtime.exec, id_, "it", "true") == ERROR + "Conflict"
        assert refused(runtime.exec, id_, "init", "true") == INVALID_ARGS
        assert [row[1] for row in runtime.call("Summary", id_) if row[0] == it.pid] == ["it"]
        assert it.pid in runtime.call("ListPids", id_)
        it.write(b"through")
        runtime.call("CloseStdin", id_, "it")
        it.close("stdin")
        assert it.read_all() == b"through"
    events = Events(recorder, id_)
    assert events.wait("exit", "it")["ExitCode"] == 42
    assert events.names("it") == ["exec-added", "exec-started", "exit"]
    assert runtime.call("Status", id_) == "running"


def test_the_name_of_a_process_is_free_once_it_has_ended_and_was_read(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sleep", "1000"))
    runtime.start(id_).close()

    def run(number: int) -> bool:
        try:
            it = runtime.exec(id_, "it", "echo", str(number))
        except dbus.DBusException as error:
            assert error.get_dbus_name() == ERROR + "Conflict"
            return False
        with it:
            assert it.read_all() == f"{number}\n".encode()
        Events(recorder, id_).wait("exit", "it", count=number)
        return True

    for number in (1, 2, 3):
        runtime.wait_until(lambda: run(number), f"the name to be free, round {number}")


@pytest.mark.parametrize("program, code", [("/bin/nothing", 127), ("nothing", 127), ("/etc", 126)])
def test_a_program_that_can_t_be_run_ends_as_in_a_shell(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str, program: str, code: int) -> None:
    runtime.create(id_, spec(id_, program))
    assert refused(runtime.start, id_) == ERROR + "EngineError"
    events = Events(recorder, id_)
    end = events.wait("exit")
    assert end["ExitCode"] == code and program in end["Error"]
    assert refused(runtime.call, "Status", id_) == ERROR + "NotAlive"
    runtime.call("Delete", id_)
    other = id_ + "-2"
    runtime.create(other, spec(other, "sleep", "1000"))
    runtime.start(other).close()
    assert refused(runtime.exec, other, "it", program) == ERROR + "EngineError"
    events = Events(recorder, other)
    assert events.wait("exit", "it")["ExitCode"] == code
    assert events.names("it") == ["exec-added", "exit"]


def test_a_terminal_has_the_size_that_it_is_given(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sh", "-c", "read line; stty size; read line; stty size"))
    with runtime.start(id_, Terminal=True) as started:
        assert set(started.streams) == {"stdin", "stdout"}
        runtime.call("ResizeTerminal", id_, "init", 120, 40)
        started.write(b"\n")
        started.read_until(b"40 120\r\n")
        runtime.call("ResizeTerminal", id_, "init", 81, 25)
        started.write(b"\n")
        started.read_until(b"25 81\r\n")
    Events(recorder, id_).wait("exit")
    runtime.call("DeleteTask", id_)
    # What the specification had, and the option has now.
    with runtime.start(id_, Terminal=False) as started:
        assert set(started.streams) == {"stdin", "stdout", "stderr"}
        assert refused(runtime.call, "ResizeTerminal", id_, "init", 80, 24) == ERROR + "NotSupported"
        with runtime.exec(id_, "it", "sh", "-c", "read line; stty size", Terminal=True) as it:
            assert refused(runtime.call, "ResizeTerminal", id_, "it", 0, 24) == INVALID_ARGS
            runtime.call("ResizeTerminal", id_, "it", 33, 22)
            it.write(b"\n")
            it.read_until(b"22 33\r\n")


def test_the_kernel_kills_for_want_of_memory(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "dd", "if=/dev/zero", "of=/dev/null", "bs=200M",
                             resources={"memory": {"limit": 20 * MIB, "swap": 20 * MIB}}))
    runtime.start(id_).close()
    events = Events(recorder, id_)
    end = events.wait("exit")
    assert end["ExitCode"] == 137 and end["OOMKilled"]
    assert events.names() == ["create init", "start init", "oom init", "exit init"]
    assert runtime.listing()[id_]["OOMKilled"]
    runtime.call("DeleteTask", id_)


def test_figures_of_the_kernel(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    limit = 64 * MIB
    runtime.create(id_, spec(id_, "sleep", "1000", resources={"memory": {"limit": limit}, "pids": {"limit": 20}}))
    assert refused(runtime.call, "Stats", id_) == ERROR + "NotAlive"
    runtime.start(id_).close()
    at, figures = runtime.call("Stats", id_)
    assert at > 0
    version = figures["CgroupVersion"]
    assert figures["pids.current"] >= 1 and figures["pids.max"] == 20
    assert figures[{1: "memory.limit_in_bytes", 2: "memory.max"}[version]] == limit
    assert figures[{1: "cpuacct.usage", 2: "cpu.stat.usage_usec"}[version]] > 0
    runtime.call("UpdateResources", id_, json.dumps({"memory": {"limit": 2 * limit}, "pids": {"limit": 30}}))
    _, figures = runtime.call("Stats", id_)
    assert figures[{1: "memory.limit_in_bytes", 2: "memory.max"}[version]] == 2 * limit
    assert figures["pids.max"] == 30
    assert refused(runtime.call, "UpdateResources", id_, "[]") == ERROR + "InvalidSpec"


def test_a_container_that_removes_itself_is_gone_when_it_was_read(
        runtime: Runtime, runtime_daemon: Daemon, spec: Callable[..., Any], recorder: Recorder,
        containerd: Containerd, id_: str) -> None:
    runtime.create(id_, spec(id_, "sh", "-c", "yes | head -c 300000"), RemoveOnExit=True)
    assert runtime.listing()[id_]["RemoveOnExit"]
    with runtime.start(id_) as started:
        assert len(started.read_all()) == 300000
        assert started.read_all("stderr") == b""
        Events(recorder, id_).wait("exit")
    runtime.wait_until(lambda: id_ not in runtime.listing(), "the container to be gone")
    assert id_ not in containerd.ctr("containers", "ls", "--quiet", namespace=NAMESPACE).split()
    assert not (runtime_daemon.state / "runtime/containerd" / id_).exists()


def test_its_containers_are_watched_like_all_others(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, client: Any, id_: str) -> None:
    runtime.create(id_, spec(id_, "sleep", "1000"), Labels={"color": "blue"})
    started = runtime.start(id_)
    told = recorder.wait_for("ContainerStarted", id_)
    assert told.id == f"{NAMESPACE}/{id_}" and told.details["Labels"]["color"] == "blue"
    assert client.manager("GetContainerByPID", dbus.UInt32(started.pid)) == told.object
    runtime.call("SignalProcess", id_, "init", 15)
    runtime.call("SignalProcess", id_, "init", 9)
    recorder.wait_for("ContainerExited", id_)
    started.close()


def test_a_checkpoint_is_written_and_restored_or_refused_with_the_runtime_s_words(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, folder: Path, id_: str) -> None:
    runtime.create(id_, spec(id_, "sleep", "1000"))
    assert refused(runtime.call, "CreateCheckpoint", id_, str(folder / "c"), False) == ERROR + "NotAlive"
    assert refused(runtime.start, id_, CheckpointDirectory="/nothing") == "org.freedesktop.DBus.Error.FileNotFound"
    assert runtime.listing()[id_]["Status"] == ""
    runtime.start(id_, Discard=True).close()
    assert refused(runtime.call, "CreateCheckpoint", id_, "c", False) == INVALID_ARGS
    assert refused(runtime.call, "CreateCheckpoint", id_, str(folder), False) == "org.freedesktop.DBus.Error.FileExists"
    assert refused(runtime.call, "CreateCheckpoint", id_, str(folder / "no/c"),
                   False) == "org.freedesktop.DBus.Error.FileNotFound"
    place = folder / "checkpoint"
    try:
        runtime.call("CreateCheckpoint", id_, str(place), True)
    except Exception as error:
        assert error.get_dbus_name() == ERROR + "NotSupported", error  # type: ignore[attr-defined]
        assert not place.exists()
        assert runtime.call("Status", id_) == "running"
        return
    events = Events(recorder, id_)
    events.wait("exit")
    runtime.call("DeleteTask", id_)
    runtime.start(id_, Discard=True, CheckpointDirectory=str(place)).close()
    assert runtime.call("Status", id_) == "running"
    assert events.names()[-2:] == ["create init", "start init"]


def test_introspection_says_what_the_xml_says(runtime: Runtime, client: Any) -> None:
    path = ROOT + "/engines/containerd"
    text = client.call(path, "org.freedesktop.DBus.Introspectable", "Introspect")
    installed = (SOURCE / "dbus/interfaces/org.shorewatch1.Runtime.xml").read_text()
    assert members_of(text) == members_of(installed)
    assert INTERFACE in client.objects()[path]


def members_of(text: str) -> dict[str, Any]:
    """Of the Runtime: each member's kind and arguments."""
    (interface,) = [child for child in ElementTree.fromstring(text) if child.get("name") == INTERFACE]
    return {member.get("name", ""): (member.tag, [(arg.get("name"), arg.get("type"), arg.get("direction", "out"))
                                                  for arg in member.iter("arg")]) for member in interface}


def test_version(runtime: Runtime, containerd: Containerd) -> None:
    version, _ = runtime.call("Version")
    assert version and version in containerd.ctr("version")


def test_list_goes_on_from_the_events(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sleep", "1000"))
    sequence, rows = runtime.call("List", {})
    row = dict(map(tuple, rows))[id_]
    assert row["Status"] == "" and "PID" not in row and row["CreatedAt"] > 0 and row["Namespace"] == NAMESPACE
    started = runtime.start(id_)
    started.close()
    events = Events(recorder, id_)
    events.wait("start")
    assert [told.args[3] for told in events.all()] == [sequence + 1, sequence + 2]
    row = runtime.listing()[id_]
    assert row["Status"] == "running" and row["PID"] == started.pid and row["Processes"] == []
    runtime.call("SignalProcess", id_, "init", signal.SIGKILL)
    events.wait("exit")
    row = runtime.listing()[id_]
    assert row["Status"] == "stopped" and row["ExitCode"] == 137 and "PID" not in row


def test_what_is_not_deleted_holds_no_process_after_the_end(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sleep", "1000"))
    with runtime.start(id_) as started:
        with runtime.exec(id_, "it", "sleep", "1000") as it:
            runtime.call("SignalProcess", id_, "init", 9)
            events = Events(recorder, id_)
            events.wait("exit", "it")
            events.wait("exit")
            for pid in (started.pid, it.pid):
                wait_for_exit(pid, Deadline(10, "the process's end"))
    assert not os.path.exists(f"/proc/{started.pid}")


def test_process_json_is_what_exec_takes(runtime: Runtime, spec: Callable[..., Any], id_: str) -> None:
    runtime.create(id_, spec(id_, "sleep", "1000"))
    runtime.start(id_).close()
    for wrong in ("", "[]", "{", '{"terminal": 1}', "x" * MIB + "y", json.dumps({**process(), "args": 7})):
        assert refused(runtime.exec, id_, "it", description=wrong) == ERROR + "InvalidSpec", wrong[:30]
    assert runtime.listing()[id_]["Processes"] == []
