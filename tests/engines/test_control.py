"""What is done to containers by way of the bus: one suite, run on each engine, real."""

import json
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Callable, Iterator

import dbus
import pytest

from lab.bus import Bus
from lab.clients import Client
from lab.daemon import Daemon
from lab.engine import Engine
from lab.recorder import Recorder, state

CONTAINER = "org.shorewatch1.Container"
ERROR = "org.shorewatch1.Error."
# It sees SIGTERM and SIGUSR1, and ends by each with a code of its own.
OBEDIENT = ("sh", "-c", "trap 'exit 3' TERM; trap 'exit 5' USR1; touch /ready; while :; do sleep 0.1; done")
DEAF = ("sh", "-c", "trap '' TERM; touch /ready; while :; do sleep 0.1; done")
SIGUSR1 = 10


@pytest.fixture
def daemon(start_daemon: Callable[..., Daemon], engine: Engine, recorder: Recorder) -> Daemon:
    return start_daemon({"engine": engine})


@pytest.fixture
def needs_control(engine: Engine) -> None:
    """Who can be asked for a pause can be asked for everything."""
    if "pause" not in engine.abilities:
        pytest.skip(f"{engine.type} has calls for stopping and inspecting only")


@pytest.fixture
def aside(bus: Bus) -> Iterator[Callable[..., "Future[Any]"]]:
    """Calls a container's method on a connection and a thread of its own."""
    other = Client(bus)
    with ThreadPoolExecutor(1) as pool:
        yield lambda path, method, *arguments: pool.submit(
            other.call, path, CONTAINER, method, *arguments, seconds=90)
    other.close()


def started(recorder: Recorder, name: str) -> str:
    """The object's path of a container that has just been made."""
    return recorder.wait_for("ContainerStarted", name).object


def run_shell(engine: Engine, name: str, command: tuple[str, ...]) -> str:
    """The id of a container whose shell has come to its traps: before, it would be deaf to all but SIGKILL."""
    id_ = engine.run(name, *command)
    engine.exec(id_, "sh", "-c", "until [ -e /ready ]; do sleep 0.02; done")
    return id_


def refused(client: Client, path: str, method: str, *arguments: Any) -> str:
    """The name of the error."""
    with pytest.raises(dbus.DBusException) as caught:
        client.call(path, CONTAINER, method, *arguments)
    return caught.value.get_dbus_name()


def test_pause_and_unpause_are_done_and_told(
        daemon: Daemon, needs_control: None, engine: Engine, client: Client, recorder: Recorder) -> None:
    id_ = engine.run("web")
    path = started(recorder, "web")
    client.call(path, CONTAINER, "Pause")
    assert engine.alive()[id_].paused
    recorder.wait_for("ContainerPaused", "web")
    assert refused(client, path, "Pause") == ERROR + "Conflict"
    client.call(path, CONTAINER, "Unpause")
    assert not engine.alive()[id_].paused
    recorder.wait_for("ContainerUnpaused", "web")
    assert refused(client, path, "Unpause") == ERROR + "Conflict"
    assert recorder.of("web") == ["Started", "Paused", "Unpaused"]


def test_a_signal_reaches_the_initial_process(
        daemon: Daemon, needs_control: None, engine: Engine, client: Client, recorder: Recorder) -> None:
    run_shell(engine, "web", OBEDIENT)
    client.call(started(recorder, "web"), CONTAINER, "Kill", dbus.Int32(SIGUSR1))
    assert recorder.wait_for("ContainerExited", "web").details["ExitCode"] == 5


def test_a_stop_is_answered_when_the_container_has_ended(
        daemon: Daemon, engine: Engine, client: Client, recorder: Recorder) -> None:
    id_ = run_shell(engine, "web", OBEDIENT)
    client.call(started(recorder, "web"), CONTAINER, "Stop", dbus.UInt32(30), seconds=60)
    assert id_ not in engine.alive()
    assert recorder.wait_for("ContainerExited", "web").details["ExitCode"] == 3


@pytest.mark.parametrize("seconds", (0, 1))
def test_who_does_not_end_in_time_is_killed(
        daemon: Daemon, engine: Engine, client: Client, recorder: Recorder, seconds: int) -> None:
    id_ = run_shell(engine, "deaf", DEAF)
    path = started(recorder, "deaf")
    client.call(path, CONTAINER, "Stop", dbus.UInt32(seconds), seconds=60)
    assert id_ not in engine.alive()
    assert recorder.wait_for("ContainerExited", "deaf").details["ExitCode"] == 137
    assert recorder.of("deaf") == ["Started", "Exited"]


def test_an_inspection_is_the_engines_own_json(
        daemon: Daemon, engine: Engine, client: Client, recorder: Recorder) -> None:
    id_ = engine.run("web", labels={"note": "größe"})
    text = client.call(started(recorder, "web"), CONTAINER, "Inspect")
    assert isinstance(json.loads(text), dict)
    assert id_.rpartition("/")[2] in text
    assert "größe" in json.dumps(json.loads(text), ensure_ascii=False)


def test_what_an_engine_has_no_call_for_is_not_supported(
        daemon: Daemon, engine: Engine, client: Client, recorder: Recorder) -> None:
    if "pause" in engine.abilities:
        pytest.skip(f"{engine.type} has them all")
    id_ = engine.run("web")
    path = started(recorder, "web")
    for method, arguments in (("Pause", ()), ("Unpause", ()), ("Kill", (dbus.Int32(15),))):
        assert refused(client, path, method, *arguments) == ERROR + "NotSupported"
    assert id_ in engine.alive()


@pytest.fixture
def frozen(engine: Engine) -> Iterator[Callable[[], None]]:
    yield engine.freeze
    engine.thaw()


def test_a_call_to_an_engine_that_hangs_holds_up_nobody_and_is_answered_when_it_goes_on(
        daemon: Daemon, engine: Engine, client: Client, recorder: Recorder, frozen: Callable[[], None],
        aside: Callable[..., "Future[Any]"]) -> None:
    id_ = engine.run("web", *DEAF)
    path = started(recorder, "web")
    frozen()
    call = aside(path, "Stop", dbus.UInt32(0))
    assert id_ in client.list().by_id()
    assert client.property(path, CONTAINER, "Name") == "web"
    assert not call.done()
    engine.thaw()
    assert call.result(60) is None
    recorder.wait_for("ContainerExited", "web")


def test_a_call_to_an_engine_that_dies_is_answered_by_an_error(
        mortal_engine: Engine, start_daemon: Callable[..., Daemon], recorder: Recorder, client: Client,
        aside: Callable[..., "Future[Any]"]) -> None:
    engine = mortal_engine
    start_daemon({"engine": engine})
    engine.run("web", *DEAF)
    path = started(recorder, "web")
    mark = len(recorder.signals)
    engine.freeze()
    call = aside(path, "Stop", dbus.UInt32(60))
    # Whichever of the two is the faster.
    engine.kill9()
    with pytest.raises(dbus.DBusException) as caught:
        call.result(60)
    assert caught.value.get_dbus_name() == ERROR + "EngineUnavailable"
    recorder.wait_for("EngineStateChanged", after=mark, where=state("lost"))
    assert refused(client, path, "Stop", dbus.UInt32(1)) == ERROR + "EngineUnavailable"
    engine.start()
    recorder.wait_for("EngineStateChanged", after=mark, where=state("watching"), seconds=30)
    client.call(path, CONTAINER, "Stop", dbus.UInt32(0), seconds=60)
    recorder.wait_for("ContainerExited", "web")
