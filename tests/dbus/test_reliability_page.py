"""docs/reliability.md: each of its promises names tests, and the tests are there."""

import re

from lab.paths import SOURCE

PAGE = SOURCE / "docs" / "reliability.md"


def rows() -> list[list[str]]:
    """The cells of its tables, without their headings."""
    lines = re.findall(r"^\| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    cells = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    return [row for row in cells if row[-1] != "tests" and set(row[-1]) != {"-"}]


def test_every_promise_names_a_test() -> None:
    assert len(rows()) > 30
    assert [row[0] for row in rows() if len(row) != 3 or "::" not in row[2]] == []


def test_every_test_that_is_named_is_there() -> None:
    missing = []
    for file, test in re.findall(r"`(tests/[^`]+?)::([^`]+)`", PAGE.read_text()):
        # Long names of C++ tests are on a line of their own.
        definition = rf"^def {test}\(" if file.endswith(".py") else rf'TEST_CASE\(\s*"{re.escape(test)}"'
        if not (SOURCE / file).is_file() or not re.search(definition, (SOURCE / file).read_text(), re.MULTILINE):
            missing.append(f"{file}::{test}")
    assert missing == []


def test_every_page_that_is_linked_is_there() -> None:
    assert [page for page in re.findall(r"\]\(([^)]+)\)", PAGE.read_text()) if not (PAGE.parent / page).is_file()] == []
