"""Many changes at once: how fast their signals reach subscribers, beside sd_bus_send in a loop of the same signals."""

import contextlib
import time
from functools import partial
from typing import Callable, Iterator

from cases import bus_calls  # which knows where Face is
from face import Face, container_id
from lab.parts import new_folder, running
from programs import BusClient, MinimalServer, open_bus
from suite import Case, Goal, Row, alternate

CHANGES = 10_000


def _rate(subscribers: list[BusClient], sender: str, signals: int, begin: Callable[[], None]) -> float:
    """Signals a second, until the last subscriber has the last."""
    for one in subscribers:
        assert one.ask(f"count {sender} {signals}") == "counting"
    began = time.monotonic_ns()
    begin()
    last = max(int(one.answer().split()[1]) for one in subscribers)
    return signals / ((last - began) / 1e9)


def _flood(subscribers: int, n: int) -> Iterator[Row]:
    with contextlib.ExitStack() as stack:
        bus = stack.enter_context(running(open_bus(stack.enter_context(new_folder()) / "bus")))
        face = Face(bus)
        stack.callback(face.close)
        face.watch()
        face.do("start", id=container_id(1), name="web", project="shop", pid=7, labels={"a": "1"})
        face.do("publish")
        bus.wait_for_owner("org.shorewatch1")
        server = MinimalServer(bus)
        stack.callback(server.close)
        server.ask("learn org.shorewatch1")
        clients = [BusClient(bus) for _ in range(subscribers)]
        for client in clients:
            stack.callback(client.close)

        # A pair of changes: what it sends is what the control sends.
        learner = clients[0]
        face.do("flood", id=container_id(1), count=1)
        face.wait_for_event("flooded")
        learner.calls(bus_calls.LIST, 1)  # By its answer all of that is on the bus, and the same for the server:
        learner.calls(server.call("Empty"), 1)
        pair = int(server.ask("learnt"))
        if pair < 2:
            raise RuntimeError(f"a pause and an unpause made {pair} signals")
        signals = CHANGES // 2 * pair

        def ours() -> float:
            return _rate(clients, "org.shorewatch1", signals,
                         lambda: face.do("flood", id=container_id(1), count=CHANGES // 2))

        def control() -> float:
            rate = _rate(clients, server.unique_name, signals, lambda: server.tell(f"flood {signals}"))
            assert server.answer() == "flooded"
            return rate

        alternate(1, ours, control)
        mine, theirs = alternate(n, ours, control)
        yield Row(f"{CHANGES} changes, {subscribers} subscribers", "signals/s", mine, theirs, [Goal(0.7, least=True)],
                  note=f"{pair / 2:g} signals a change")


CASES = [Case(f"flood-{count}", f"a flood of {CHANGES} changes at {count} subscribers", 10, partial(_flood, count))
         for count in (1, 20)]
