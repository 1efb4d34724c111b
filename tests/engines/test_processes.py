"""From processes to containers and from containers to their processes: one suite, run on each engine, real."""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any, Callable, Iterator

import dbus
import pytest

from lab.clients import Client
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.engine import Engine
from lab.invariants import assert_exactly_once
from lab.podman import Podman
from lab.recorder import Recorder, state, wait_until

CONTAINER = "org.shorewatch1.Container"
ERROR = "org.shorewatch1.Error."
# A shell with a child, which has a child.
FAMILY = ("sh", "-c", "sh -c 'sleep 1000000 & wait' & wait")
CLONE_NEWNET = 0x40000000
LAST_PID = Path("/proc/sys/kernel/ns_last_pid")

libc = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def outsider() -> Iterator[int]:
    """A process of the host's."""
    process = subprocess.Popen(["sleep", "1000000"])
    yield process.pid
    process.kill()
    process.wait()


def kernel_keeps_exit_codes() -> bool:
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int("".join(c for c in minor if c.isdigit()))) >= (6, 15)


def descendants(pid: int) -> list[int]:
    children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()]
    return [pid, *(found for child in children for found in descendants(child))]


def family(recorder: Recorder, pid: int) -> list[int]:
    """Three processes of one container, once they are there."""
    wait_until(recorder, lambda: len(descendants(pid)) == 3, 10, "the processes of a container")
    return descendants(pid)


def error_of(call: Callable[[], Any]) -> str:
    with pytest.raises(dbus.DBusException) as caught:
        call()
    return caught.value.get_dbus_name()


def namespace(pid: int | str, type_: str) -> int:
    return os.stat(f"/proc/{pid}/ns/{type_}").st_ino


def by_pid(client: Client, pid: int) -> str:
    return client.manager("GetContainerByPID", dbus.UInt32(pid))


def by_pidfd(client: Client, pid: int) -> str:
    pidfd = os.pidfd_open(pid)
    try:
        return client.manager("GetContainerByPIDFD", dbus.types.UnixFd(pidfd))
    finally:
        os.close(pidfd)


def test_each_process_of_a_container_is_found_in_it_and_the_hosts_in_none(
        engine: Engine, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder, outsider: int) -> None:
    start_daemon({"engine": engine})
    ids = {name: engine.run(name, *FAMILY) for name in ("web", "db")}
    for name, id_ in ids.items():
        path = recorder.wait_for("ContainerStarted", name).object
        for pid in family(recorder, engine.alive()[id_].pid):
            assert by_pid(client, pid) == by_pidfd(client, pid) == path
        properties = client.properties(path, CONTAINER)
        assert properties["CgroupPath"], properties
        # As the kernel has it, and so has everything below.
        cgroups = Path(f"/proc/{properties['PID']}/cgroup").read_text().splitlines()
        assert any(line.split(":", 2)[2].startswith(properties["CgroupPath"]) for line in cgroups)
        cgroup = str(properties["CgroupPath"])
        assert client.manager("GetContainerByCgroup", cgroup) == path
        assert client.manager("GetContainerByCgroup", cgroup + "/below/it") == path
        assert client.list().containers[path] == properties
    for pid in (1, os.getpid(), outsider, 0):
        assert error_of(lambda: by_pid(client, pid)) == ERROR + "NoSuchContainer"
    assert error_of(lambda: by_pidfd(client, outsider)) == ERROR + "NoSuchContainer"
    assert error_of(lambda: client.manager("GetContainerByCgroup", "/")) == ERROR + "NoSuchContainer"
    assert error_of(lambda: client.manager("GetContainerByCgroup", "web")).endswith("InvalidArgs")
    assert error_of(lambda: client.manager("GetContainerByUnit", "web.service")) == ERROR + "NoSuchContainer"


def test_a_process_that_has_ended_is_none(
        dockerd: Dockerd, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    start_daemon({"docker": dockerd})
    process = subprocess.Popen(["sleep", "1000000"])
    pidfd = os.pidfd_open(process.pid)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    for _ in ("dead", "waited for"):
        assert error_of(lambda: by_pid(client, process.pid)) == ERROR + "NoSuchProcess"
        assert error_of(lambda: client.manager(
            "GetContainerByPIDFD", dbus.types.UnixFd(pidfd))) == ERROR + "NoSuchProcess"
        process.wait()
    os.close(pidfd)
    with open("/dev/null") as other:
        assert error_of(lambda: client.manager("GetContainerByPIDFD", dbus.types.UnixFd(other))).endswith("InvalidArgs")


def test_a_thread_is_found_where_its_process_is(
        dockerd: Dockerd, start_daemon: Callable[..., Daemon], client: Client) -> None:
    start_daemon({"docker": dockerd})
    asked: list[str] = []

    def ask() -> None:
        asked.append(error_of(lambda: by_pid(client, threading.get_native_id())))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert asked == [ERROR + "NoSuchContainer"]


def test_descriptors_of_a_container_are_of_its_initial_process(
        engine: Engine, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    start_daemon({"engine": engine})
    id_ = engine.run("web")
    path = recorder.wait_for("ContainerStarted", "web").object
    pid = engine.alive()[id_].pid
    pidfd = client.descriptor(path, CONTAINER, "OpenPIDFD")
    assert f"Pid:\t{pid}\n" in Path(f"/proc/self/fdinfo/{pidfd}").read_text()
    namespaces = client.descriptors(path, CONTAINER, "OpenNamespaces", dbus.Array([], signature="s"))
    assert set(namespaces) >= {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}
    assert {type_: os.fstat(fd).st_ino for type_, fd in namespaces.items()} == {
        type_: namespace(pid, type_) for type_ in namespaces}
    some = client.descriptors(path, CONTAINER, "OpenNamespaces", ["net", "uts"])
    assert set(some) == {"net", "uts"}
    assert error_of(lambda: client.descriptors(path, CONTAINER, "OpenNamespaces", ["net", "nest"])
                    ).endswith("InvalidArgs")

    child = os.fork()
    if child == 0:  # setns() of a process of its own: it is for good
        entered = libc.setns(some["net"], CLONE_NEWNET) == 0 and namespace("self", "net") == namespace(pid, "net")
        os._exit(0 if entered else 1)
    assert os.waitpid(child, 0)[1] == 0

    engine.kill(id_)
    assert select.select([pidfd], [], [], 10)[0], "a pidfd becomes readable at the end of its process"
    recorder.wait_for("ContainerExited", "web")
    for fd in (pidfd, *namespaces.values(), *some.values()):
        os.close(fd)


def test_addresses_are_those_of_the_containers_own_network(
        dockerd: Dockerd, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    daemon = start_daemon({"docker": dockerd})
    id_ = dockerd.run("web", HostConfig={"NetworkMode": "none"})
    path = recorder.wait_for("ContainerStarted", "web").object
    assert ["lo", "127.0.0.1/8"] in [list(row) for row in client.call(path, CONTAINER, "GetAddresses")]
    add_address(dockerd.alive()[id_].pid, "10.9.8.7/24")
    found = [list(row) for row in client.call(path, CONTAINER, "GetAddresses")]
    assert ["lo", "10.9.8.7/24"] in found
    # Nobody has entered anything but the thread that asked.
    assert namespace(daemon.process.pid, "net") == namespace("self", "net")


def add_address(pid: int, address: str) -> None:
    """To the loopback of the network that the process has."""
    busybox = f"/proc/{os.getpid()}/root/bin/busybox"
    subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", busybox, "ip", "addr", "add", address, "dev", "lo"],
                   check=True, timeout=10)


def test_the_unit_of_a_container_is_found_and_finds_it(
        podman: Podman, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    start_daemon({"podman": podman})
    unit = f"shorewatch-test-{os.getpid()}.service"
    podman.podman("run", "--detach", "--name", "web", "--cgroup-parent", f"/system.slice/{unit}", "localhost/busybox",
                  "sleep", "1000000")
    path = recorder.wait_for("ContainerStarted", "web").object
    try:
        assert client.property(path, CONTAINER, "Unit") == unit
        assert client.manager("GetContainerByUnit", unit) == path
        assert client.list().containers[path]["Unit"] == unit
    finally:
        podman.remove_all()
        recorder.wait_for("ContainerExited", "web")
        for top in (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir()):
            for folder in (f"system.slice/{unit}", "system.slice"):
                with contextlib.suppress(OSError):
                    (top / folder).rmdir()
    assert error_of(lambda: client.manager("GetContainerByUnit", unit)) == ERROR + "NoSuchContainer"


def test_the_kernel_tells_of_ends_while_the_engine_hangs_and_nothing_is_told_twice(
        mortal_engine: Engine, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    engine = mortal_engine
    start_daemon({"engine": engine})
    # A pod has a container of its own.
    before = client.list()
    ids = [engine.run(f"web{number}") for number in range(20)]
    for number in range(20):
        recorder.wait_for("ContainerStarted", f"web{number}")
    pids = {id_: engine.alive()[id_].pid for id_ in ids}
    mark = len(recorder.signals)
    engine.freeze()
    try:
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        for number in range(20):
            exited = recorder.wait_for("ContainerExited", f"web{number}", seconds=15)
            if kernel_keeps_exit_codes():
                assert (exited.details["Cause"], exited.details["ExitCode"]) == ("kernel", 137)
                assert exited.details["Timestamp"] > 0
    finally:
        engine.thaw()
    engine.run("later")
    recorder.wait_for("ContainerStarted", "later")
    assert [told.member for told in recorder.signals.all()[mark:] if told.member.startswith("Container")].count(
        "ContainerExited") == 20
    listing = client.list()
    recorder.wait_until_sequence(listing.sequence)
    assert_exactly_once(recorder.signals.all(), before, listing)


def test_the_kernel_tells_of_ends_while_the_engine_is_dead(
        mortal_engine: Engine, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    engine = mortal_engine
    start_daemon({"engine": engine})
    # A pod has a container of its own.
    before = client.list()
    ids = [engine.run(f"web{number}") for number in range(20)]
    for number in range(20):
        recorder.wait_for("ContainerStarted", f"web{number}")
    pids = [engine.alive()[id_].pid for id_ in ids]
    mark = len(recorder.signals)
    engine.kill9()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for number in range(20):
        exited = recorder.wait_for("ContainerExited", f"web{number}", seconds=15)
        if kernel_keeps_exit_codes():
            assert (exited.details["Cause"], exited.details["ExitCode"]) == ("kernel", 137)
    engine.start()
    recorder.wait_for("EngineStateChanged", after=mark, where=state("watching"), seconds=30)
    listing = client.list()
    recorder.wait_until_sequence(listing.sequence)
    assert set(listing.by_id()) == set(before.by_id())
    assert_exactly_once(recorder.signals.all(), before, listing)


def test_containers_beyond_the_limit_of_descriptors_are_followed_by_the_engines_events(
        dockerd: Dockerd, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    daemon = start_daemon({"docker": dockerd}, descriptors=80)  # half of them for processes
    ids = [dockerd.run(f"web{number}") for number in range(50)]
    for number in range(50):
        recorder.wait_for("ContainerStarted", f"web{number}")
    assert daemon.log().count("no descriptors are left") == 1
    last = dockerd.alive()[ids[-1]].pid
    assert by_pid(client, last) == recorder.wait_for("ContainerStarted", "web49").object
    pidfd = client.descriptor(recorder.wait_for("ContainerStarted", "web49").object, CONTAINER, "OpenPIDFD")
    assert f"Pid:\t{last}\n" in Path(f"/proc/self/fdinfo/{pidfd}").read_text()
    os.close(pidfd)
    dockerd.remove_all()
    for number in range(50):
        assert recorder.wait_for("ContainerExited", f"web{number}").details["ExitCode"] == 137
    listing = client.list()
    recorder.wait_until_sequence(listing.sequence)
    assert_exactly_once(recorder.signals.all(), after=listing)


def test_a_restart_that_overtakes_the_engines_word_is_a_new_run(
        dockerd: Dockerd, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    start_daemon({"docker": dockerd})
    id_ = dockerd.run("web")
    recorder.wait_for("ContainerStarted", "web")
    for _ in range(5):
        mark = len(recorder.signals)
        dockerd.restart(id_)
        recorder.wait_for("ContainerStarted", "web", after=mark)
        pidfd = client.descriptor(recorder.wait_for("ContainerStarted", "web", after=mark).object, CONTAINER, "OpenPIDFD")
        assert f"Pid:\t{dockerd.alive()[id_].pid}\n" in Path(f"/proc/self/fdinfo/{pidfd}").read_text()
        os.close(pidfd)
    assert len(assert_exactly_once(recorder.signals.all(), after=client.list())[id_]) == 6


def test_a_thousand_processes_are_all_found_where_they_are(
        dockerd: Dockerd, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    start_daemon({"docker": dockerd})
    each = 45
    paths = {}
    for number in range(20):
        # Children of the shell, which have a cgroup of their own in every third.
        script = f"for i in $(seq {each - 1}); do sleep 1000000 & done; wait"
        id_ = dockerd.run(f"web{number}", "sh", "-c", script)
        paths[id_] = recorder.wait_for("ContainerStarted", f"web{number}").object
    outside = [subprocess.Popen(["sleep", "1000000"]) for _ in range(100)]
    try:
        asked = 0
        for id_, alive in dockerd.alive().items():
            wait_until(recorder, lambda: len(descendants(alive.pid)) == each, 20, "the processes of a container")
            for pid in descendants(alive.pid):
                assert by_pid(client, pid) == paths[id_]
                asked += 1
        for process in outside:
            assert error_of(lambda: by_pid(client, process.pid)) == ERROR + "NoSuchContainer"
        assert asked + len(outside) == 1000
    finally:
        for process in outside:
            process.kill()
            process.wait()


@pytest.mark.skipif(not os.access(LAST_PID, os.W_OK), reason=f"{LAST_PID} can't be written to here")
def test_a_pid_that_goes_around_between_a_container_and_the_host_is_never_found_in_the_wrong_place(
        dockerd: Dockerd, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    start_daemon({"docker": dockerd})
    dockerd.run("web")
    path = recorder.wait_for("ContainerStarted", "web").object
    cgroup = str(client.property(path, CONTAINER, "CgroupPath")).lstrip("/")
    procs = [top / cgroup / "cgroup.procs" for top in (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir())
             if (top / cgroup / "cgroup.procs").exists()]
    carousel = Carousel(procs)
    right = gone = 0
    with carousel:
        while right + gone < 10_000:
            before = carousel.now
            try:
                answer = by_pid(client, carousel.pid)
            except dbus.DBusException as error:
                answer = error.get_dbus_name().removeprefix(ERROR)
                assert answer in ("NoSuchContainer", "NoSuchProcess"), error
            after = carousel.now
            assert answer in (path, "NoSuchContainer", "NoSuchProcess")
            if answer == "NoSuchProcess" or before != after or before[1] is None:
                gone += 1
                continue
            # One process had the number all along.
            assert answer == (path if before[1] else "NoSuchContainer"), before
            right += 1
    assert right > 100 and carousel.rounds > 100, (right, carousel.rounds)


class Carousel:
    """Processes with one and the same pid, one after the other: in a container's cgroup, and outside of it.

    now: the number of the round, and whether the process that has the pid is inside; it changes before a process ends
    and after the next one is where it belongs.
    """

    def __init__(self, procs: list[Path]):
        self._procs = procs
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        first = os.posix_spawn("/bin/true", ["true"], {})
        os.waitpid(first, 0)
        self.pid = first
        self.rounds = 0
        self.now: tuple[int, bool | None] = (0, None)

    def _spawn(self) -> int:
        """A process with the number. Others may take it first."""
        while True:
            LAST_PID.write_text(str(self.pid - 1))
            child = os.posix_spawn("/bin/sleep", ["sleep", "1000000"], {})
            if child == self.pid:
                return child
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def _run(self) -> None:
        while not self._stop.is_set():
            child = self._spawn()
            inside = self.rounds % 2 == 0
            if inside:
                for procs in self._procs:
                    procs.write_text(str(child))
            self.rounds += 1
            self.now = (self.rounds, inside)
            self._stop.wait(0.002)  # how long it lives
            self.now = (self.rounds, None)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def __enter__(self) -> "Carousel":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def test_ten_thousand_calls_leave_no_descriptor_behind(
        dockerd: Dockerd, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder, outsider: int) -> None:
    daemon = start_daemon({"docker": dockerd})
    id_ = dockerd.run("web")
    path = recorder.wait_for("ContainerStarted", "web").object
    pid = dockerd.alive()[id_].pid

    def round_of_calls() -> None:
        by_pid(client, pid)
        by_pidfd(client, pid)
        os.close(client.descriptor(path, CONTAINER, "OpenPIDFD"))
        for fd in client.descriptors(path, CONTAINER, "OpenNamespaces", dbus.Array([], signature="s")).values():
            os.close(fd)
        error_of(lambda: by_pidfd(client, outsider))
        error_of(lambda: client.descriptors(path, CONTAINER, "OpenNamespaces", ["net", "nest"]))

    def descriptors() -> list[str]:
        links = []
        for entry in Path(f"/proc/{daemon.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                links.append(os.readlink(entry))
        return sorted(links)

    for _ in range(20):
        client.call(path, CONTAINER, "GetAddresses")
        round_of_calls()
    before = descriptors()
    for number in range(1666):
        round_of_calls()
        if number % 10 == 0:
            client.call(path, CONTAINER, "GetAddresses")
    assert [link.split(":")[0] for link in descriptors()] == [link.split(":")[0] for link in before]
