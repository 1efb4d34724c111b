"""Containers that are created and run over the bus, on a real containerd: a scenario a test."""

import itertools
import os
from pathlib import Path
from typing import Any, Callable, Iterator

import dbus
import pytest

from lab.bus import Bus
from lab.containerd import Containerd
from lab.daemon import Daemon
from lab.recorder import Recorder
from lab.runtime import ERROR, Events, Runtime

_numbers = itertools.count(1)


@pytest.fixture
def id_() -> str:
    """Of a container: no other test, here or in another run beside this one, has it."""
    return f"c{os.getpid()}-{next(_numbers)}"


def refused(function: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """The name of the error."""
    with pytest.raises(dbus.DBusException) as caught:
        function(*arguments, **options)
    return caught.value.get_dbus_name()


def test_a_container_says_something_and_ends(
        runtime: Runtime, spec: Callable[..., Any], recorder: Recorder, id_: str) -> None:
    runtime.create(id_, spec(id_, "sh", "-c", "echo hello; echo oh no >&2; exit 3"))
    with runtime.start(id_) as started:
        assert started.read_all() == b"hello\n"
        assert started.read_all("stderr") == b"oh no\n"
    events = Events(recorder, id_)
    end = events.wait("exit")
    assert end["ExitCode"] == 3 and end["PID"] == started.pid and not end["OOMKilled"] and end["ExitedAt"] > 0
    assert events.names() == ["create init", "start init", "exit init"]
    assert runtime.call("Status", id_) == "stopped"
    code, at = runtime.call("DeleteTask", id_)
    assert code == 3 and at == end["ExitedAt"]
    runtime.call("Delete", id_)
    assert refused(runtime.call, "Status", id_) == ERROR + "NoSuchContainer"
