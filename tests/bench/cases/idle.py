"""How often the daemon is woken, and what it computes, while nothing happens: all that is to be seen of an idle one."""

import contextlib
import os
import time
from functools import partial
from pathlib import Path
from typing import Iterator, Mapping, Sequence

from figures import ENGINES, start_many
from lab.bus import Bus
from lab.daemon import Daemon
from lab.parts import new_folder, running
from suite import Case, Goal, Row

CONTAINERS = 200
SECONDS = 30
# A start leaves something to do, as the release of memory.
SETTLING = 10


def _threads(pid: int) -> Mapping[str, int]:
    """How often each thread was scheduled, by "name pid"."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        switches = sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
        found[f"{(task / 'comm').read_text().strip()} {task.name}"] = switches
    return found


def _cpu(pid: int) -> float:
    """Seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(types: Sequence[str], n: int) -> Iterator[Row]:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder())
        engines = {type_: stack.enter_context(running(ENGINES[type_](folder / type_))) for type_ in types}
        start_many(engines[types[0]], "many", range(CONTAINERS))
        bus = stack.enter_context(running(Bus(folder / "bus")))
        daemon = Daemon(folder / "daemon", bus, engines)
        stack.callback(daemon.sweep)
        daemon.start(ready=60)
        pid = daemon.process.pid
        time.sleep(SETTLING)
        wakes, cpu, woken = [], [], set()
        for _ in range(n):
            before, cpu_before = _threads(pid), _cpu(pid)
            time.sleep(SECONDS)
            after = _threads(pid)
            change = {name: count - before.get(name, 0) for name, count in after.items()}
            woken |= {name.rpartition(" ")[0] for name, count in change.items() if count > 0}
            wakes.append(float(sum(change.values())))
            cpu.append(_cpu(pid) - cpu_before)
        threads = f"{len(after)} threads; woken: {', '.join(sorted(woken)) or 'none'}"
        which = ", ".join(types)
        # Of gRPC 1.51's own timers there are 3 a second.
        goal = 0 if set(types) <= {"docker", "podman"} else 3 * SECONDS
        yield Row(f"wake-ups in {SECONDS} s idle: {which}", "times", wakes, goals=[Goal(goal, by="value")], note=threads)
        yield Row(f"CPU in {SECONDS} s idle: {which}", "s", cpu, goals=[Goal(0, by="value")])


CASES = [Case("idle", "wake-ups with Docker and Podman, 200 containers", 1, partial(measure, ("docker", "podman"))),
         Case("idle-all", "wake-ups with all engines, 200 containers", 1, partial(measure, tuple(ENGINES)))]
