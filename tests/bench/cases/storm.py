"""A canary container is paused and unpaused while others come and go as fast as the engine can, beside a plain reader."""

import subprocess
from typing import Iterator

from figures import SUBSCRIBER
from lab.bus import Bus
from lab.daemon import Daemon
from lab.dockerd import DOCKER, IMAGE, Dockerd
from lab.parts import new_folder, running
from lab.recorder import Recorder
from own_events import own_events
from suite import Case, Goal, Row

LOOPS = 8


def measure(n: int) -> Iterator[Row]:
    with new_folder() as folder, running(Dockerd(folder / "docker")) as engine, running(Bus(folder / "bus")) as bus:
        daemon = Daemon(folder / "daemon", bus, {"docker": engine})
        try:
            daemon.start(ready=60)
            recorder = Recorder(bus, [SUBSCRIBER])
            plain = own_events(engine)
            try:
                moments = _canary(engine, recorder, plain, n)
            finally:
                plain.close()
                recorder.close()
            daemon.stop()
        finally:
            daemon.sweep()
        yield Row(f"pause → signal during {LOOPS} loops of docker run --rm true, beside events", "ms",
                  [ours for ours, _ in moments], [theirs for _, theirs in moments], [Goal(1.5), Goal(2, of="p95")],
                  note="from the engine's stamp of its event on")


def _canary(engine: Dockerd, recorder: Recorder, plain: "object", n: int) -> list[tuple[float, float]]:
    canary = engine.run("canary")
    recorder.wait_for("ContainerStarted", "canary")
    loop = f"while [ ! -e {engine.folder}/calm ]; do {DOCKER} --host {engine.url} run --rm --network host {IMAGE} true; done"
    shells = [subprocess.Popen(["sh", "-c", loop], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True) for _ in range(LOOPS)]
    moments = []
    try:
        # The storm has begun when one of it has ended.
        recorder.wait_for("ContainerExited", seconds=60)
        seen = 0
        for _ in range(n):
            mark = len(recorder.signals)
            engine.pause(canary)
            signal = recorder.wait_for("ContainerPaused", "canary", seconds=60, after=mark)
            event = plain.events.wait_for(  # type: ignore[attr-defined]
                lambda event: (event.member, event.id) == ("ContainerPaused", canary), 60, "the pause", after=seen)
            seen = plain.events.all().index(event) + 1  # type: ignore[attr-defined]
            moments.append(((signal.at - event.stamp) / 1000, (event.arrival - event.stamp) / 1000))
            engine.unpause(canary)
            recorder.wait_for("ContainerUnpaused", "canary", seconds=60, after=mark)
    finally:
        (engine.folder / "calm").touch()
        for shell in shells:
            shell.wait(60)
    return moments


CASES = [Case("storm", "a pause during a storm of short-lived containers", 30, measure)]
