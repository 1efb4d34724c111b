"""The cases of the benches. A module has a list CASES of suite.Case; a new one is named here."""

from suite import Case

from . import bus_calls, exits, flood, idle, memory, neighbours, outage, peer, ready, runtime, short_lived, size, starts, storm, tasks

_MODULES = (starts, storm, exits, short_lived, ready, outage, bus_calls, flood, memory, idle, runtime, tasks, neighbours,
            size, peer)

CASES: list[Case] = [case for module in _MODULES for case in module.CASES]
