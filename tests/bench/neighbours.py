"""What the death of one engine costs the others: all engines on one daemon, each killed in turn.

Usage, as root: SHOREWATCH_BUILD_DIR=FOLDER /usr/bin/python3 tests/bench/neighbours.py [--runs N]

Absolute figures are this machine's at this hour; the ratios are what can be compared. Nothing is asserted.
"""

import argparse
import contextlib
import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from figures import CriWithPod
from lab.bus import Bus
from lab.containerd import Containerd
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.engine import Engine
from lab.parts import new_folder, running
from lab.podman import Podman
from lab.recorder import Recorder


def latency(engine: Engine, recorder: Recorder, runs: int, when: str) -> float:
    """Engine's stamp → signal at a subscriber, of starts and exits together: the median in ms."""
    values = []
    for number in range(runs):
        name = f"{when}-{engine.type}-{number}"
        id_ = engine.run(name)
        started = recorder.wait_for("ContainerStarted", name)
        engine.kill(id_)
        exited = recorder.wait_for("ContainerExited", name)
        engine.remove(id_)
        values += [(signal.at - signal.details["Timestamp"]) / 1000 for signal in (started, exited)
                   if "Timestamp" in signal.details]
    return statistics.median(values)


def measure(engines: dict[str, Engine], recorder: Recorder, runs: int) -> None:
    quiet = {name: latency(engine, recorder, runs, "quiet") for name, engine in engines.items()}
    print("all are there: " + ", ".join(f"{name} {value:.2f} ms" for name, value in quiet.items()), flush=True)
    for victim, dead in engines.items():
        mark = len(recorder.signals)
        dead.kill9()
        recorder.wait_for("EngineStateChanged", after=mark,
                          where=lambda signal: signal.args[:2] == [victim, "lost"])
        beside = {name: latency(engine, recorder, runs, f"without-{victim}")
                  for name, engine in engines.items() if name != victim}
        print(f"{victim} is dead: " + ", ".join(
            f"{name} {value:.2f} ms ({value / quiet[name]:.2f} ×)" for name, value in beside.items()), flush=True)
        dead.start()
        recorder.wait_for("EngineStateChanged", seconds=60, after=mark,
                          where=lambda signal: signal.args[:2] == [victim, "watching"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=30, help="containers an engine and measurement")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder())
        engines: dict[str, Engine] = {
            "docker": stack.enter_context(running(Dockerd(folder / "docker", live_restore=True))),
            "podman": stack.enter_context(running(Podman(folder / "podman"))),
            "containerd": stack.enter_context(running(Containerd(folder / "containerd"))),
            "cri": stack.enter_context(running(CriWithPod(folder / "cri")))}
        bus = stack.enter_context(running(Bus(folder / "bus")))
        daemon = Daemon(folder / "daemon", bus, engines)
        stack.callback(daemon.sweep)
        recorder = Recorder(bus)
        stack.callback(recorder.close)
        daemon.start(ready=30)
        print(f"load {os.getloadavg()[0]:.2f}")
        measure(engines, recorder, options.runs)


if __name__ == "__main__":
    main()
