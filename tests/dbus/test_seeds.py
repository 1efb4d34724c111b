"""docs/seeds.md: the files it names are there, and so are the members."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/seeds.md"
# Below a seed's heading: how many of its names there are.
ROWS = {"whalewatcher": 23, "whalewatcher/engineclient": 18, "sealwatcher": 4, "libcontainerd": 58,
        "ecs-agent/agent/engine": 61}


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


def test_each_name_has_one_row() -> None:
    names = [(seed, name) for seed, name, _, _ in rows()]
    assert len(names) == len(set(names))
    assert {seed: sum(1 for one, _ in names if one == seed) for seed, _ in names} == ROWS


@pytest.mark.parametrize("file", sorted({file for _, _, _, file in rows()}))
def test_the_file_is_there_and_has_what_it_is_named_for(file: str) -> None:
    text = (ROOT / file).read_text()
    for _, name, here, of in rows():
        if of != file:
            continue
        # Of members that are written as code, at least one is in the file, by its last part.
        members = [re.split(r"::|\.", one.removesuffix("()"))[-1].strip('"') for one in re.findall(r"`([^`]+)`", here)]
        assert not members or any(member in text for member in members), f"{name}: none of {members} is in {file}"
