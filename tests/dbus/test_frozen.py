"""Version 1 of the contract is frozen: what contract-1.txt has of it stays as it is for as long as the bus name does.

A member that is new has a line of its own at the end of its interface, and @since says from which version on it is there. No
line is ever changed or removed.
"""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from lab.paths import SOURCE

FROZEN = Path(__file__).parent / "contract-1.txt"
XML = SOURCE / "dbus" / "interfaces"
INTERFACES = sorted(path.stem for path in XML.glob("*.xml"))
_EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"


def _line(interface: str, member: ElementTree.Element) -> str:
    """As `interface.name kind what-it-is`: all that a client is compiled or written against."""
    name = f"{interface}.{member.get('name')}"
    if member.tag == "property":
        emits = {note.get("name"): note.get("value") for note in member.iter("annotation")}.get(_EMITS, "true")
        return f"{name} property {member.get('type')} {member.get('access')} emits-changed={emits}"
    arguments = ", ".join(f"{'-> ' if member.tag == 'method' and each.get('direction') == 'out' else ''}"
                          f"{each.get('type')} {each.get('name')}" for each in member.iter("arg"))
    return f"{name} {member.tag} ({arguments})"


def _contract() -> list[str]:
    """In the order of the files, as their members are in them."""
    lines: list[str] = []
    for interface in INTERFACES:
        (declared,) = ElementTree.parse(XML / f"{interface}.xml").getroot().iter("interface")
        lines += [_line(interface, member) for member in declared if member.tag in ("method", "property", "signal")]
    return lines


def _frozen() -> list[str]:
    return [line for line in FROZEN.read_text().splitlines() if line and not line.startswith("#")]


def test_what_was_promised_is_so() -> None:
    gone = [line for line in _frozen() if line not in set(_contract())]
    assert not gone, "changed or removed in dbus/interfaces, which clients rely on"


def test_what_is_new_is_promised_with_it() -> None:
    unsaid = [line for line in _contract() if line not in set(_frozen())]
    assert not unsaid, f"to be added to {FROZEN.name}: from its release on it stays"


@pytest.mark.parametrize("interface", INTERFACES)
def test_the_name_says_which_version_it_is(interface: str) -> None:
    assert interface.startswith("org.shorewatch1.")
