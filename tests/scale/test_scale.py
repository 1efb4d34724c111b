"""10,000 containers on four played engines, 500 starts and exits a second, and 20 subscribers of which not all keep up."""

import signal
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Callable

import pytest
from conftest import Subscribers
from lab.broker import Broker
from lab.bus import GROUP_ID, Bus
from lab.clients import Client
from lab.daemon import Daemon, Watched
from lab.parts import running
from lab.played import Endpoint, PlayedEngines
from lab.waiting import Deadline, FileWatch

CONTAINERS = 10_000
RATE = 500  # starts a second, and as many exits
# µs that the slow subscriber spends on each signal: it gets along with half of what comes.
SLOW = 2_000
STRICT = 18
# Of signals that tell an engine's state.
MOST_STATES = 40
# Not the daemon's own user: dbus-broker holds users, not connections, responsible for what they leave unread.
OTHER_USER = (65534, GROUP_ID)
# Of the daemon's own memory, beyond what it had after the first part of the churn.
ALLOWED_GROWTH = 0.10
ALLOWED_BYTES = 8 << 20


def endpoints(urls: dict[str, str]) -> dict[str, Watched]:
    types = {"crio": "cri"}
    return {name: Endpoint(types.get(name, name), url) for name, url in urls.items()}


def listed(client: Client) -> dict[str, list[str]]:
    """Ids by engine, of all that the daemon shows."""
    ids: dict[str, list[str]] = {}
    for path, properties in client.list().containers.items():
        ids.setdefault(path.split("/engines/")[1].split("/")[0], []).append(properties["Id"])
    return ids


def in_order(ids: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: sorted(of_engine) for name, of_engine in ids.items()}


def allowed(before: int) -> float:
    return before * (1 + ALLOWED_GROWTH) + ALLOWED_BYTES


def settled_rss_anon(daemon: Daemon, most: float, seconds: float = 10) -> int:
    """Bytes, as soon as they are no more than that, or what they still are after a while: nobody tells of memory that is
    given back."""
    client = Client(daemon.bus)
    deadline = Deadline(seconds, "memory to be given back")
    with closing(client), suppress(TimeoutError):
        while daemon.process.rss_anon() > most:
            client.engines()
            deadline.left()
    return daemon.process.rss_anon()


@pytest.mark.parametrize("make_bus", [Bus, Broker])
def test_every_subscriber_that_reads_is_told_everything_in_order(
        make_bus: Callable[..., Bus], own_folder: Path, played_engines: PlayedEngines, minutes: float) -> None:
    with ExitStack() as parts:
        bus = parts.enter_context(running(make_bus(own_folder / "bus", group=True)))
        strict = Subscribers(bus, STRICT)
        parts.callback(strict.close)
        slow = Subscribers(bus, 1, SLOW, OTHER_USER)
        parts.callback(slow.close)
        dead = Subscribers(bus, 1, 0, OTHER_USER)
        parts.callback(dead.close)
        parts.callback(dead.kill)
        dead.signal(signal.SIGSTOP)

        daemon = Daemon(own_folder / "daemon", bus, endpoints(played_engines.urls))
        parts.callback(daemon.sweep)
        daemon.start(ready=60)
        strict.wait_for(played_engines.ask("truth")["digest"], 120)

        # The first part is for what the daemon gets once and keeps: buffers, arenas, queues.
        seconds = round(60 * minutes)
        warm_up = max(1, seconds // 4)
        churned = played_engines.ask(f"churn {warm_up} {RATE}", 10 * warm_up + 60)["churned"]
        strict.wait_for(played_engines.ask("truth")["digest"], 120)
        warm = daemon.process.rss_anon()
        churned += played_engines.ask(f"churn {seconds - warm_up} {RATE}", 10 * seconds + 60)["churned"]
        truth = played_engines.ask("truth")
        told = strict.wait_for(truth["digest"], 300)
        # Beyond a minute: as often as a heap is given back that was large for a while.
        after = settled_rss_anon(daemon, allowed(warm), seconds=90)

        print(f"{make_bus.__name__}: {churned} starts and exits; RssAnon {warm >> 10} kB, then {after >> 10} kB; {told}")
        print(daemon.log()[-2000:])
        assert churned == seconds * RATE
        assert told["faults"] == []
        if told["most_lists"] == 1:
            # However far behind it is. dbus-daemon leaves out what is beyond its limit for one subscriber, and before
            # that the daemon takes a new connection.
            assert slow.ask("now")["faults"] == []
        assert told["alive"] == CONTAINERS
        assert after <= allowed(warm)
        # Each start and each exit once, and nothing besides but how the engines were found.
        assert 0 <= told["sequence"] - CONTAINERS - 2 * churned <= MOST_STATES
        client = Client(bus)
        parts.callback(client.close)
        assert in_order(listed(client)) == in_order(truth["alive"])
        assert [engine["State"] for engine in client.engines().values()] == ["watching"] * 4


def test_what_many_lists_and_a_bus_that_stood_still_cost_is_given_back(
        own_folder: Path, played_engines: PlayedEngines) -> None:
    with ExitStack() as parts:
        bus = parts.enter_context(running(Bus(own_folder / "bus", group=True)))
        daemon = Daemon(own_folder / "daemon", bus, endpoints(played_engines.urls))
        parts.callback(daemon.sweep)
        daemon.start(ready=60)
        before = settled_rss_anon(daemon, 0, seconds=3)
        daemon.stop()
        # Each of them takes a list, of megabytes, and another when the daemon has had to take a new connection.
        strict = Subscribers(bus, STRICT)
        parts.callback(strict.close)
        daemon.start(ready=60)
        strict.wait_for(played_engines.ask("truth")["digest"], 120)
        after_lists = settled_rss_anon(daemon, allowed(before))
        assert after_lists <= allowed(before), f"RssAnon {before >> 10} kB, then {after_lists >> 10} kB"
        bus.process.signal(signal.SIGSTOP)
        parts.callback(bus.process.signal, signal.SIGCONT)
        with FileWatch(daemon.folder / "shorewatchd.log") as log:
            played_engines.ask(f"churn 3 {RATE}", 60)
            while "Lost the bus" not in daemon.log():
                log.wait(60)
        bus.process.signal(signal.SIGCONT)
        told = strict.wait_for(played_engines.ask("truth")["digest"], 120)
        assert told["faults"] == [] and told["most_lists"] == 2
        after = settled_rss_anon(daemon, allowed(before))
        assert after <= allowed(before), f"RssAnon {before >> 10} kB, then {after >> 10} kB"
