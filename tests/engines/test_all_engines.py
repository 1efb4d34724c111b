"""All kinds of engines at once on one daemon: none of them is another's business."""

from typing import Callable

from lab.clients import Client
from lab.containerd import Containerd
from lab.cri import Cri
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.engine import Engine
from lab.invariants import assert_exactly_once
from lab.podman import Podman
from lab.recorder import Recorder, wait_until


def test_the_death_of_any_engine_leaves_the_others_as_they_were(
        live_restore_dockerd: Dockerd, own_podman: Podman, own_containerd: Containerd, own_cri_pod: Cri,
        start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    engines: list[Engine] = [live_restore_dockerd, own_podman, own_containerd, own_cri_pod]
    start_daemon({engine.type: engine for engine in engines})
    before = client.list()
    for dead in engines:
        dead.kill9()
        mark = len(recorder.signals)
        wait_until(recorder, lambda: client.engines()[dead.type]["State"] == "lost", 10, f"the loss of {dead.type}")
        for engine in engines:
            if engine is dead:
                continue
            name = f"on-{engine.type}-without-{dead.type}"
            id_ = engine.run(name)
            assert recorder.wait_for("ContainerStarted", name, after=mark).engine == engine.type
            engine.kill(id_)
            assert recorder.wait_for("ContainerExited", name, after=mark).details["ExitCode"] == 137
        told = {signal.engine for signal in recorder.signals.all()[mark:] if signal.member == "EngineStateChanged"}
        assert told <= {dead.type}
        dead.start()
        # By its signal, which would else count as one of what follows.
        recorder.wait_for("EngineStateChanged", seconds=30, after=mark,
                          where=lambda signal: (signal.engine, signal.args[1]) == (dead.type, "watching"))
    listing = client.list()
    assert_exactly_once(recorder.wait_until_sequence(listing.sequence), before, listing)
