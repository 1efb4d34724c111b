"""docs/seeds.md: the files it names are there, and so are the members."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/seeds.md"
NAMES = ROOT / "tests/dbus/seed_names.txt"
INTERFACES = ROOT / "dbus/interfaces"


def seed_names() -> set[tuple[str, str]]:
    """Seed, name: all that the seeds export."""
    found, seed = set(), ""
    for line in NAMES.read_text().splitlines():
        if line.startswith("["):
            seed = line[1:-1]
        elif line and not line.startswith("#"):
            found.add((seed, line))
    return found


def rows() -> list[tuple[str, str, str, str]]:
    """Seed, name, what it is here, file."""
    found, seed = [], ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            seed = line[3:]
        elif line.startswith("| `"):
            _, name, here, link, _ = (part.strip() for part in line.split("|"))
            found.append((seed, name.strip("`"), here, re.fullmatch(r"\[(.+)\]\(\.\./\1\)", link).group(1)))
    return found


def last_part(member: str) -> str:
    return re.split(r"::|\.", member.removesuffix("()"))[-1].strip('"')


def test_each_name_has_one_row() -> None:
    names = [(seed, name) for seed, name, _, _ in rows()]
    assert len(names) == len(set(names))
    assert set(names) == seed_names()


def test_what_is_named_on_d_bus_is_there() -> None:
    named = {one for _, _, here, _ in rows() for one in re.findall(r"`([A-Z]\w+\.[A-Z]\w+)`", here)}
    assert named
    for one in named:
        interface, member = one.split(".")
        xml = (INTERFACES / f"org.shorewatch1.{interface}.xml").read_text()
        assert re.search(f'<(method|property|signal) name="{member}"', xml), one


@pytest.mark.parametrize("file", sorted({file for _, _, _, file in rows()}))
def test_the_file_is_there_and_has_what_it_is_named_for(file: str) -> None:
    text = (ROOT / file).read_text()
    for _, name, here, of in rows():
        if of != file:
            continue
        members = re.findall(r"`([^`]+)`", here)
        # Members of C++ all have to be in it, by their last part; of what else is written as code, one has to.
        missing = [one for one in members if "::" in one and last_part(one) not in text]
        assert not missing, f"{name}: {missing} not in {file}"
        assert not members or any(last_part(one) in text for one in members), f"{name}: none of {members} is in {file}"
