"""Containers that are over at once: are all of them told, each with a start and an exit, beside the engine's own events?"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Iterator

from figures import ENGINES, SUBSCRIBER
from lab.bus import Bus
from lab.daemon import Daemon
from lab.parts import new_folder, running
from lab.recorder import Recorder
from own_events import own_events
from suite import Case, Goal, Row

AT_A_TIME = 4


def measure(type_: str, n: int) -> Iterator[Row]:
    with (new_folder() as folder, running(ENGINES[type_](folder / "engine")) as engine,
          running(Bus(folder / "bus")) as bus):
        daemon = Daemon(folder / "daemon", bus, {"engine": engine})
        try:
            daemon.start(ready=60)
            recorder = Recorder(bus, [SUBSCRIBER])
            plain = own_events(engine)
            try:
                with ThreadPoolExecutor(AT_A_TIME) as pool:
                    ids = set(pool.map(lambda number: engine.run(f"short{number}", "true"), range(n)))
                for id_ in ids:
                    plain.wait_for("ContainerExited", id_, 60)
                engine.run("last")  # After it, the daemon has nothing left to tell of the others but exits it waits for.
                recorder.wait_for("ContainerStarted", "last", seconds=60)
                recorder.signals.wait_until(
                    lambda all_: {one.id for one in all_ if one.member == "ContainerExited"} >= ids, 60,
                    "the exits of all short-lived containers")
            finally:
                plain.close()
                recorder.close()
            daemon.stop()
        finally:
            daemon.sweep()
        told = {id_: [one.member for one in recorder.signals.all() if one.is_container and one.id == id_] for id_ in ids}
        once = sum(members == ["ContainerStarted", "ContainerExited"] for members in told.values())
        yield Row(f"{type_}: of {n} × true that the engine told of, told once each", "%", [100 * once / n],
                  goals=[Goal(100, by="value", least=True)])


CASES = [Case(f"short-lived-{type_}", f"short-lived containers on {type_}", 500, partial(measure, type_))
         for type_ in ("docker", "podman", "containerd")]
