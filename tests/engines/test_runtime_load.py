"""The runtime under load: much output, many containers, several clients. Order holds, and nothing is left."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

from lab.bus import Bus
from lab.containerd import Containerd
from lab.daemon import Daemon
from lab.recorder import Recorder
from lab.runtime import NAMESPACE, Events, Runtime, descriptors_of
from lab.waiting import Deadline

GIB = 1 << 30
CLIENTS = 8
CYCLES = 200


def resident(pid: int) -> int:
    """Bytes of memory."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_gibibyte_of_output_does_not_pass_through_the_daemon(
        runtime: Runtime, runtime_daemon: Daemon, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sh", "-c", f"yes shorewatch | head -c {GIB}"))
    before = resident(runtime_daemon.process.pid)
    line = b"shorewatch\n"
    block = line * 100_000
    taken = 0
    deadline = Deadline(300, "the end of the output")
    with runtime.start(id_, Stdin=False) as started:
        while True:
            deadline.wait_readable(started.streams["stdout"])
            part = os.read(started.streams["stdout"], 1 << 20)
            if not part:
                break
            begin = taken % len(line)
            assert part == block[begin:begin + len(part)]
            taken += len(part)
            if taken % (GIB // 8) < len(part):
                # A pause of the reader: the container waits, and others are served meanwhile.
                assert runtime.call("Status", id_) in ("running", "stopped")
        assert taken == GIB
    assert Events(recorder, id_).wait("exit")["ExitCode"] == 0
    assert resident(runtime_daemon.process.pid) < before + (16 << 20)


def test_what_nobody_reads_waits_and_a_reader_that_dies_ends_no_container(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sh", "-c", "yes | head -c 1000000; read -r line; exit 8"))
    with runtime.start(id_) as started:
        started.read_until(b"y\n")
        started.close("stdout", "stderr")
        # Another one takes over what is left.
        alive, restored = runtime.restore(id_)
        assert alive
        with restored:
            restored.write(b"\n")
            restored.read_all()
    assert Events(recorder, id_).wait("exit")["ExitCode"] == 8


def one_cycle(runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sh", "-c", "read -r line; echo $line; exit 3"))
    events = Events(recorder, id_)
    with runtime.start(id_) as started:
        with runtime.exec(id_, "it", "sh", "-c", "echo inside; exit 4", Stdin=False) as it:
            assert it.read_all() == b"inside\n"
        assert events.wait("exit", "it", seconds=120)["ExitCode"] == 4
        started.write(id_.encode() + b"\n")
        assert started.read_all(seconds=120) == id_.encode() + b"\n"
    assert events.wait("exit", seconds=120)["ExitCode"] == 3
    runtime.call("Delete", id_)


def test_many_containers_of_many_clients(
        runtime: Runtime, runtime_daemon: Daemon, containerd: Containerd, spec: Callable[..., Any],
        recorder: Recorder, bus: Bus, id_: str) -> None:
    one_cycle(runtime, spec, recorder, f"{id_}-first")
    before = descriptors_of(runtime_daemon.process.pid)
    ids = [f"{id_}-{number}" for number in range(CYCLES)]
    local = threading.local()
    clients: list[Runtime] = []

    def cycle(name: str) -> None:
        if not hasattr(local, "runtime"):
            local.runtime = Runtime(bus)
            clients.append(local.runtime)
        one_cycle(local.runtime, spec, recorder, name)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(cycle, ids))
    for name in ids:
        events = Events(recorder, name)
        assert events.names("init") == ["create", "start", "exit"]
        assert events.names("it") == ["exec-added", "exec-started", "exit"]
        assert events.names()[:2] == ["create init", "start init"] and events.names()[-1] == "exit init"
    sequences = [told.args[3] for told in recorder.signals.all() if told.member == "Event"]
    assert sequences == list(range(1, len(sequences) + 1))
    for part in clients:
        part.close()
    assert runtime.listing() == {}
    assert not list((runtime_daemon.state / "runtime/containerd").iterdir())
    assert containerd.ctr("containers", "ls", "--quiet", namespace=NAMESPACE) == ""
    assert containerd.ctr("tasks", "ls", "--quiet", namespace=NAMESPACE) == ""
    assert containerd.ctr("leases", "ls", "--quiet", namespace=NAMESPACE) == ""
    runtime.wait_until(lambda: descriptors_of(runtime_daemon.process.pid) <= before, "the descriptors to be closed")
