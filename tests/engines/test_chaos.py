"""The promise under stress: every run told exactly once, while everything is pulled from under the daemon."""

import http.client
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable, Optional

from lab.clients import Client
from lab.cut_proxy import CutProxy
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.engine import Alive
from lab.invariants import Run, assert_exactly_once
from lab.recorder import Recorder, wait_until
from lab.rest_engine import EngineError

WORKERS = 4
CONTAINERS = 100
STEPS = 5 * CONTAINERS  # by all workers, after the containers were started
CUTS = 20
KILLS = 2


@dataclass
class Interval:
    """Wall clock in µs around a request that began a run."""

    begin: int
    end: int
    certain: bool  # the engine said that it did begin
    over: Optional[int] = None  # when a request to end it was sent


def now() -> int:
    return time.time_ns() // 1000


class Progress:
    """Counts the steps of all workers; holds them while the engine is away."""

    def __init__(self) -> None:
        self.steps = 0
        self.engine_up = threading.Event()
        self.engine_up.set()
        self._changed = threading.Condition()

    def step(self) -> None:
        with self._changed:
            self.steps += 1
            self._changed.notify_all()

    def wait_for(self, steps: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.steps >= steps, 300), f"only {self.steps} of {steps} steps"


class Worker:
    """Does things at random to containers of its own."""

    def __init__(self, engine: Dockerd, progress: Progress, seed: int, names: list[str]):
        self._engine = engine
        self._progress = progress
        self._random = random.Random(seed)
        self._names = names
        self._renames = 0
        self._ids: list[str] = []
        self.begun: dict[str, list[Interval]] = {}  # by container id

    def work(self) -> None:
        for name in self._names:
            if id_ := self._attempt(lambda: self._engine.create(name)):
                self._ids.append(id_)
                self._begin(id_, "start")
            self._progress.step()
        for _ in range(STEPS // WORKERS):
            self._step(self._random.choice(self._ids))
            self._progress.step()

    def _step(self, id_: str) -> None:
        state = self._attempt(lambda: self._engine.inspect(id_)["State"]["Status"])
        choices = {"created": ["start"], "exited": ["start", "start", "start", "remove"],
                   "running": ["pause", "pause", "restart", "restart", "rename", "kill", "kill", "remove"],
                   "paused": ["unpause", "unpause", "unpause", "rename", "kill", "remove"]}.get(state or "", [])
        if not choices:  # removed, or on its way there
            return
        action = self._random.choice(choices)
        if action in ("start", "restart"):
            self._begin(id_, action)
        elif action == "rename":
            self._renames += 1
            self._post(id_, action, f"?name={self._names[0]}-{self._renames}")
        elif action == "remove":
            self._end(id_)
            self._attempt(lambda: self._engine.remove(id_))
        else:
            if action == "kill":
                self._end(id_)
            self._post(id_, action)

    def _begin(self, id_: str, action: str) -> None:
        self._end(id_)
        begin = now()
        done = self._post(id_, action, "?t=0" if action == "restart" else "")
        self.begun.setdefault(id_, []).append(Interval(begin, now(), done))

    def _end(self, id_: str) -> None:
        if id_ in self.begun and self.begun[id_][-1].over is None:
            self.begun[id_][-1].over = now()

    def _post(self, id_: str, action: str, query: str = "") -> bool:
        path = f"/containers/{id_}/{action}{query}"
        return self._attempt(lambda: self._engine.api("POST", path)) is not None

    def _attempt(self, request: Callable[[], Optional[str]]) -> Optional[str]:
        """None when the engine refused, or died meanwhile; then, once it is back."""
        try:
            return request()
        except EngineError:
            return None
        except (OSError, http.client.HTTPException):
            assert self._progress.engine_up.wait(120)
            return None


def disturb(progress: Progress, proxy: CutProxy, engine: Dockerd) -> list[tuple[int, int]]:
    """Cuts and kills, spread over the steps. The times in which the engine was away, with 2 s before each."""
    away = []
    disturbances = CUTS + KILLS
    kills = {disturbances * (number + 1) // (KILLS + 1) for number in range(KILLS)}
    for number in range(disturbances):
        progress.wait_for((CONTAINERS + STEPS) * (number + 1) // (disturbances + 1))
        if number in kills:
            progress.engine_up.clear()
            killed = now()
            engine.kill9()
            engine.start()
            away.append((killed - 2_000_000, now()))
            progress.engine_up.set()
        else:
            proxy.cut()
    return away


def stamps_of(runs: list[Run]) -> tuple[list[int], int]:
    """When the runs of one container began, by the engine; and how many there are of which it does not know.

    An engine that is killed within a start may find the container running when it is back. It then has the stamp of
    the run before for it, or none.
    """
    stamps: list[int] = []
    unknown = 0
    before: Optional[Run] = None
    for run in runs:
        details = run.started.details
        if "Timestamp" in details and details["Timestamp"] not in stamps:
            stamps.append(details["Timestamp"])
        else:
            assert details["Cause"] == "resync", f"no time of its own, though an event told of it: {run}"
            told_twice = before is not None and "PID" in details and before.started.details.get("PID") == details["PID"]
            assert not told_twice, f"told twice: {before}, {run}"
            unknown += 1
        before = run
    return stamps, unknown


def assert_all_told(runs: dict[str, list[Run]], begun: dict[str, list[Interval]],
                    away: list[tuple[int, int]]) -> None:
    """Each run that a worker began was told, and no other.

    A run that began and ended around the death of the engine left no trace in it that could be found later.
    """
    for id_, intervals in begun.items():
        told, unknown = stamps_of(runs.get(id_, []))
        maybe = 0  # attempts of which nobody knows whether they began a run
        for interval in intervals:
            inside = [stamp for stamp in told if interval.begin <= stamp <= interval.end]
            untraceable = any(start <= interval.begin and interval.over is not None and interval.over <= end
                              for start, end in away)
            assert len(inside) == 1 or not inside and (untraceable or not interval.certain), \
                f"{id_}: begun {intervals}, told {told}"
            maybe += not inside and not interval.certain
        assert unknown <= maybe, f"{id_}: begun {intervals}, told {runs[id_]}"
        for stamp in told:
            # The engine may finish a start that it was killed in once it is back.
            assert any(interval.begin <= stamp and (stamp <= interval.end or not interval.certain)
                       for interval in intervals), f"{id_}: told {stamp}, begun {intervals}"
    assert runs.keys() <= begun.keys()


def test_each_run_is_told_once_through_cut_connections_and_killed_engines(
        live_restore_dockerd: Dockerd, cut_proxy: Callable[[Dockerd], CutProxy],
        start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    seed = int(os.environ.get("SHOREWATCH_SEED", random.randrange(1 << 32)))
    print(f"SHOREWATCH_SEED={seed}")
    engine = live_restore_dockerd
    proxy = cut_proxy(engine)
    start_daemon({"docker": proxy.url})
    progress = Progress()
    workers = [Worker(engine, progress, seed + number,
                      [f"w{number}-{index}" for index in range(CONTAINERS // WORKERS)]) for number in range(WORKERS)]

    with ThreadPoolExecutor(WORKERS) as pool:
        working = [pool.submit(worker.work) for worker in workers]
        away = disturb(progress, proxy, engine)
        for work in working:
            work.result()

    def shows_what_the_engine_has() -> bool:
        listed = client.list().by_id()
        return {id_: Alive(container["Name"], container["PID"], container["Paused"])
                for id_, container in listed.items()} == engine.alive()

    wait_until(recorder, shows_what_the_engine_has, 60, "ListContainers to show what docker ps shows")
    listing = client.list()
    recorder.wait_until_sequence(listing.sequence)
    assert_exactly_once(recorder.signals.all(), after=listing)

    engine.remove_all()
    wait_until(recorder, lambda: client.list().containers == {}, 60, "the end of all containers")
    listing = client.list()
    recorder.wait_until_sequence(listing.sequence)
    runs = assert_exactly_once(recorder.signals.all(), after=listing)
    assert_all_told(runs, {id_: begun for worker in workers for id_, begun in worker.begun.items()}, away)
    assert len(proxy.connections) > CUTS
    print(f"{sum(map(len, runs.values()))} runs, {len(recorder.signals)} signals, {len(proxy.connections)} connections")
