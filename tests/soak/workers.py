"""Who has containers come and go on real engines, a thread for each."""

import itertools
import random
import threading
from typing import Callable

from lab.engine import Engine

_MOST = 6  # containers of an engine
_numbers = itertools.count(1)


class Guarded:
    """An engine, of which one thing is asked at a time; and which of its containers are a worker's."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.lock = threading.Lock()
        self.ids: list[str] = []
        self.paused: set[str] = set()

    def remove_all(self) -> None:
        for id_ in self.ids:
            self.engine.remove(id_)
        self.ids.clear()
        self.paused.clear()

    def step(self, chance: random.Random) -> None:
        """Something of what can be done to containers as they are."""
        with self.lock:
            if not self.ids or len(self.ids) < _MOST and chance.random() < 0.5:
                self.ids.append(self.engine.run(f"soak{next(_numbers)}"))
                return
            id_ = chance.choice(self.ids)
            chance.choice(self._choices(id_))(id_)

    def _choices(self, id_: str) -> list[Callable[[str], None]]:
        if id_ in self.paused:
            return [self._unpause]
        choices: list[Callable[[str], None]] = [self._remove, self._remove]
        if "pause" in self.engine.abilities:
            choices.append(self._pause)
        if "restart" in self.engine.abilities:
            choices.append(self.engine.restart)
        return choices

    def _remove(self, id_: str) -> None:
        self.engine.kill(id_)
        self.engine.remove(id_)
        self.ids.remove(id_)

    def _pause(self, id_: str) -> None:
        self.engine.pause(id_)
        self.paused.add(id_)

    def _unpause(self, id_: str) -> None:
        self.engine.unpause(id_)
        self.paused.remove(id_)


class Workers:
    """Work from the moment they are made."""

    def __init__(self, engines: list[Guarded], seed: int):
        self._ending = threading.Event()
        self._failed: list[Exception] = []
        self._threads = [threading.Thread(target=self._work, args=[engine, seed + number], name=engine.engine.type)
                         for number, engine in enumerate(engines)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Returns when nothing is asked any more. Raises what went wrong, which no fault explains."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def _work(self, engine: Guarded, seed: int) -> None:
        chance = random.Random(seed)
        try:
            while not self._ending.wait(chance.uniform(0, 0.5)):
                engine.step(chance)
        except Exception as failure:  # told by end(), on the thread that can do something about it
            self._failed.append(failure)
