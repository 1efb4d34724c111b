"""Tasks while the daemon, or the engine, is killed in the middle of each step: nothing is made twice, nothing is left.

A run takes one task up, or up and away again, and kills at one of its steps: as soon as that many statuses were told, so
that the next step is under way. SHOREWATCH_TASK_KILLS is how many runs there are of each victim on each engine.
"""

import itertools
import os
from typing import Any, Callable

import pytest

from lab.daemon import Daemon
from lab.rest_engine import RestEngine
from lab.tasks import Tasks, container, definition
from test_tasks import (  # noqa: F401  (fixtures)
    LABEL, StartTasks, engine, owned, registry, session_engine, start, tasks, web)

RUNS = int(os.environ.get("SHOREWATCH_TASK_KILLS", "12"))
# Of two containers that are pulled, made and started.
STEPS_UP = 6
# And of their end and their removal.
STEPS_AWAY = 4


def statuses_told(tasks_: Tasks, arn: str) -> Callable[[list[Any]], int]:
    return lambda signals: sum(signal.member == "ContainerStateChanged" and signal.args[0] == arn
                               for signal in signals)


def kill_after(tasks_: Tasks, arn: str, count: int, kill: Callable[[], None]) -> None:
    """As soon as so many statuses of the task's containers were told."""
    told = statuses_told(tasks_, arn)
    tasks_.recorder.signals.wait_until(lambda all_: told(all_) >= count, 60, f"{count} statuses of {arn}")
    kill()


def volumes(engine_: RestEngine) -> list[str]:
    path = "/volumes/json" if engine_.type == "podman" else "/volumes"
    answer = engine_.api("GET", path)
    entries = answer if isinstance(answer, list) else answer["Volumes"] or []
    return [entry["Name"] for entry in entries]


def up(tasks_: Tasks, arn: str, image: str) -> None:
    scratch = [{"sourceVolume": "scratch", "containerPath": "/scratch"}]
    tasks_.add(definition(arn, container("a", image, mountPoints=scratch),
                          container("b", image, links=["a"], mountPoints=scratch), volumes=[{"name": "scratch"}]))


def check_up(tasks_: Tasks, engine_: RestEngine, arn: str, must_run: bool) -> None:
    """It comes to run, or at least to an end that is explained; and the engine has what is known and no more."""
    settled = ("RUNNING",) if must_run else ("RUNNING", "STOPPED")
    tasks_.wait_until(lambda all_: all_.get(arn, {}).get("KnownStatus") in settled, f"{arn} to settle")
    task = tasks_.list()[arn]
    if task["KnownStatus"] == "STOPPED":
        assert task["Reason"], task
    known = sorted(one["Id"] for one in task["Containers"].values() if one["Id"])
    assert sorted(one["Id"] for one in owned(engine_, arn)) == known


def check_away(tasks_: Tasks, engine_: RestEngine, arn: str) -> None:
    tasks_.wait_until(lambda all_: arn not in all_, f"{arn} to go")
    assert not owned(engine_, arn)
    assert not volumes(engine_)


@pytest.mark.parametrize("victim", ["daemon", "engine"])
def test_a_kill_at_any_step_makes_nothing_twice_and_leaves_nothing(
        victim: str, start: StartTasks, engine: RestEngine, tasks: Tasks, web: str) -> None:
    daemons: list[Daemon] = [start()]

    def kill() -> None:
        if victim == "daemon":
            daemons[-1].process.kill()
            daemons.append(start())
        else:
            engine.kill9()
            engine.start()

    steps = itertools.cycle([*((step, False) for step in range(STEPS_UP + 1)),
                             *((step, True) for step in range(STEPS_AWAY + 1))])
    for number, (step, away) in zip(range(RUNS), steps):
        arn = f"run-{number}"
        up(tasks, arn, web)
        if not away:
            kill_after(tasks, arn, step, kill)
        check_up(tasks, engine, arn, must_run=victim == "daemon" or away)
        before = statuses_told(tasks, arn)(tasks.recorder.signals.all())
        tasks.act(arn, "Remove")
        if away:
            kill_after(tasks, arn, before + step, kill)
        check_away(tasks, engine, arn)
    assert not [one for one in engine.containers() if LABEL in (one["Labels"] or {})]
