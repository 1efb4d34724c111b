"""Who may run containers over the bus: root, and whom polkit lets."""

import contextlib
from pathlib import Path
from typing import Iterator

import pytest

from lab.bus import GROUP_ID, Bus
from lab.clients import ROOT
from lab.parts import running
from lab.polkit import BUS_POLICY, Polkit, User, asking
from lab.runtime import ERROR, INTERFACE, Runtime

MEMBER = User(65534, [GROUP_ID])
WRITES = {
    "Create": "('x', '{}', @a{sv} {})", "Start": "('x', @a{sv} {})", "SignalProcess": "('x', 'init', 9)",
    "Exec": "('x', 'it', '{}', @a{sv} {})", "ResizeTerminal": "('x', 'init', uint32 80, uint32 24)",
    "CloseStdin": "('x', 'init')", "Pause": "('x',)", "Resume": "('x',)", "DeleteTask": "('x',)", "Delete": "('x',)",
    "UpdateResources": "('x', '{}')", "CreateCheckpoint": "('x', '/x', false)", "Restore": "('x', @a{sv} {})"}
READS = {"Version": "()", "ImageConfig": "('x', @a{sv} {})", "List": "(@a{sv} {},)", "Stats": "('x',)",
         "ListPids": "('x',)", "Summary": "('x',)", "Status": "('x',)"}
YES_TO_READING = """
polkit.addRule(function(action, subject) {
    if (action.id == "org.shorewatch1.inspect" && action.lookup("engine") == "containerd") return polkit.Result.YES;
});
"""


@pytest.fixture
def bus(folder: Path) -> Iterator[Bus]:
    # Others than root are to reach what is in it.
    folder.chmod(0o755)
    with running(Bus(folder / "bus", group=True, policies=[BUS_POLICY])) as part:
        yield part


def ask(bus: Bus, method: str, arguments: str) -> list[str]:
    """As a member of the group: the name and the text of the error, or []."""
    with asking(bus, MEMBER, f"{ROOT}/engines/containerd", f"{INTERFACE}.{method}", f"--arguments={arguments}") as asker:
        return list(asker.answers(1)[0])


def test_writing_is_one_action_and_reading_another(runtime: Runtime, folder: Path, bus: Bus) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(running(Polkit(folder / "polkit", bus, YES_TO_READING)))
        for method, arguments in WRITES.items():
            name, text = ask(bus, method, arguments)
            assert name.endswith("InteractiveAuthorizationRequired"), (method, text)
            assert "org.shorewatch1.run" in text, method
        for method, arguments in READS.items():
            answer = ask(bus, method, arguments)
            assert answer == [] or answer[0].startswith(ERROR), (method, answer)
    assert runtime.listing() == {}
