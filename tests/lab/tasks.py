"""A client of org.shorewatch1.TaskEngine: definitions that run here, calls, and what is told."""

import json
from typing import Any, Callable, List, Mapping, Optional

from .clients import ROOT, Client
from .recorder import Recorder, Signal, wait_until

PATH = f"{ROOT}/tasks"
ENGINE = "org.shorewatch1.TaskEngine"
TASK = "org.shorewatch1.Task"
ERROR = "org.shorewatch1.Error."
STATUSES = ("NONE", "PULLED", "CREATED", "RUNNING", "STOPPED", "DEAD")
# PID 1 of a container has no handler for SIGTERM but its own.
STOPPABLE = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"
STUBBORN = "trap '' TERM; while :; do sleep 1; done"


def container(name: str, image: str, script: str = STOPPABLE, **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": image, "entryPoint": ["/bin/busybox", "sh", "-c"], "command": [script], **fields}


def definition(arn: str, *containers: Mapping[str, Any], **fields: Any) -> str:
    return json.dumps({"taskArn": arn, "family": fields.pop("family", "lab"), "revision": 1,
                       "containerDefinitions": list(containers), **fields})


class Tasks:
    """Errors are dbus.DBusException."""

    def __init__(self, client: Client, recorder: Recorder):
        self.client = client
        self.recorder = recorder

    def add(self, text: str) -> str:
        """The path of its object."""
        return self.client.call(PATH, ENGINE, "AddTask", text)

    def list(self) -> dict[str, dict[str, Any]]:
        """Properties by arn."""
        return {properties["Arn"]: properties for _, properties in self.client.call(PATH, ENGINE, "ListTasks")}

    def act(self, arn: str, method: str) -> None:
        self.client.call(self.client.call(PATH, ENGINE, "GetTask", arn), TASK, method)

    def images(self) -> List[tuple[str, List[str], int, int]]:
        """Id, names, size and time of each."""
        return [(str(identity), [str(name) for name in names], int(size), int(created))
                for identity, names, size, created, _ in self.client.call(PATH, ENGINE, "ListImages")]

    def export(self) -> Any:
        return json.loads(self.client.call(PATH, ENGINE, "ExportState"))

    def problem(self) -> str:
        return self.client.property(PATH, ENGINE, "Problem")

    def wait(self, arn: str, status: str, seconds: float = 60) -> Signal:
        """Until the task is told to have reached it."""
        try:
            return self.recorder.wait_for("TaskStateChanged", seconds=seconds,
                                          where=lambda told: told.args[:2] == [arn, status])
        except TimeoutError as error:
            raise AssertionError(f"{error}; it is {json.dumps(self.list().get(arn), indent=1)}") from None

    def wait_until(self, holds: Callable[[dict[str, dict[str, Any]]], bool], what: str, seconds: float = 60) -> None:
        """Asks after each signal."""
        wait_until(self.recorder, lambda: holds(self.list()), seconds, what)

    def told(self, arn: str, container_name: Optional[str] = None) -> List[str]:
        """The statuses of a task, or of one of its containers, in the order in which they were told."""
        member = "TaskStateChanged" if container_name is None else "ContainerStateChanged"
        return [signal.args[1 if container_name is None else 2] for signal in self.recorder.signals.all()
                if signal.member == member and signal.args[0] == arn
                and (container_name is None or signal.args[1] == container_name)]

    def check_story(self) -> None:
        """What holds of all that one daemon ever tells: statuses rise, none is told twice, a container's come before its
        task's, and the sequence has no gap. One that was killed may have told what it has not kept yet."""
        known: dict[tuple[str, ...], int] = {}
        last: dict[str, int] = {}
        for signal in self.recorder.signals.all():
            if signal.member not in ("TaskStateChanged", "ContainerStateChanged"):
                continue
            of_task = signal.member == "TaskStateChanged"
            key = (signal.sender, *(signal.args[:1] if of_task else signal.args[:2]))
            status = STATUSES.index(signal.args[1 if of_task else 2])
            assert known.get(key, 0) < status, f"{key} is told to be {STATUSES[status]} after {STATUSES[known[key]]}"
            known[key] = status
            if of_task:
                for other, its in known.items():
                    assert len(other) == 2 or other[:2] != key or its >= status, f"{key} before {other}"
            sequence = signal.args[-2]
            assert sequence == last.get(signal.sender, sequence - 1) + 1, f"{signal} after {last}"
            last[signal.sender] = sequence
