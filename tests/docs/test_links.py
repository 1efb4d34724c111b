"""Links in documentation lead somewhere."""

import re
from pathlib import Path

import pytest

from lab.paths import SOURCE

PAGES = [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", SOURCE / "CHANGELOG.md", *sorted((SOURCE / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"(?s)```.*?```", "", page.read_text())
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]*)\)", text) if not link.startswith(("http", "#"))]
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing
