"""docs/security.md: the tests it names are there, and what it says is open of the unit is what is open."""

import json
import re
import subprocess

from lab.paths import BUILD, SOURCE

PAGE = SOURCE / "docs/security.md"
UNIT = BUILD / "systemd/system-shorewatchd.service"


def quoted() -> list[str]:
    return re.findall(r"`([^`\n]+)`", PAGE.read_text())


def test_every_test_it_names_is_there() -> None:
    named = [one.split("::", 1) for one in quoted() if "::" in one]
    assert len(named) > 40
    missing = []
    for file, test in named:
        text = (SOURCE / file).read_text()
        definition = rf"^def {test}\(" if file.endswith(".py") else rf'^TEST_CASE\("{re.escape(test)}"'
        if re.search(definition, text, re.MULTILINE) is None:
            missing.append(f"{file}::{test}")
    assert not missing


def test_every_area_of_claims_has_tests() -> None:
    for row in re.findall(r"^\| .* \|$", PAGE.read_text().partition("## Who may do what")[2].partition("## The system")[0],
                          re.MULTILINE):
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if cells[-1] not in ("test", "tests") and set(cells[-1]) != {"-"}:
            assert "::" in cells[-1], f"no test for: {cells[0]}"


def test_the_lines_that_are_open_are_those_of_the_unit() -> None:
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--json=short", UNIT],
                          check=True, capture_output=True, text=True)
    is_open = {line["name"] for line in json.loads(done.stdout) if not line["set"]}
    table = PAGE.read_text().partition("| open | why |")[2].partition("\n\n")[0]
    explained = {name for row in table.splitlines()[2:] for name in re.findall("`([^`]+)`", row.split("|")[1])}
    assert explained == is_open


def test_the_unit_is_rated_as_the_page_says() -> None:
    limit = re.search(r"rates it (\d)\.(\d) at most", PAGE.read_text())
    assert limit is not None
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                           f"--threshold={limit[1]}{limit[2]}", UNIT], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
