#!/usr/bin/env python3
"""Makes a page of a file in docs/: markdown.py DATE MARKDOWN PAGE NAME SECTION WHAT

It knows the Markdown that is written there: headings, paragraphs, lists, fenced code, and tables, each row of which
becomes an entry under the text of its first column.
"""

import re
import sys
from pathlib import Path

import roff


def plain(text: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\(([^)]*)\)", r"\1", text)
    return re.sub(r"\*\*([^*]*)\*\*", r"\1", text).replace("`", "")


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def table(rows: list[str]) -> list[str]:
    titles = cells(rows[0])
    page = [".Bl -tag -width indent"]
    for row in rows[2:]:
        first, *others = cells(row)
        page += [f".It Sy {roff.argument(plain(first))}"]
        said = [(title, plain(cell)) for title, cell in zip(titles[1:], others) if cell]
        named = "; ".join(f"{plain(title)}: {cell}" for title, cell in said if title)
        if named:
            page += [*roff.words(named + ".")]
        for title, cell in said:
            if not title:
                page += [".br"] * bool(named) + roff.words(cell)
    return page + [".El"]


def block_text(block: list[str], after_list: bool) -> list[str]:
    if block[0].startswith("# "):
        return []
    if block[0].startswith("## "):
        title = plain(block[0][3:])
        return [f".Sh {roff.escaped(title.upper() if title.isascii() and '[' not in title else title)}"]
    if block[0].startswith("### "):
        return [f".Ss {roff.escaped(plain(block[0][4:]))}"]
    if block[0].startswith("|"):
        return table(block)
    if block[0].startswith("```"):
        return roff.literal(block[1:-1])
    if block[0].startswith("- "):
        entries = re.split(r"(?m)^- ", "\n".join(block))[1:]
        return [".Bl -bullet", *(line for entry in entries for line in [".It", *roff.words(plain(entry))]), ".El"]
    return [".Pp"] * (not after_list) + roff.words(plain(" ".join(block)))


def blocks(lines: list[str]) -> list[list[str]]:
    """What empty lines part, but within fenced code."""
    found: list[list[str]] = [[]]
    fenced = False
    for line in lines:
        if line or fenced:
            found[-1].append(line)
        elif found[-1]:
            found.append([])
        if line.startswith("```"):
            fenced = not fenced
    return [block for block in found if block]


def main() -> None:
    date, source, page, name, section, what = sys.argv[1:]
    text = [*roff.head(name, int(section), what, date), ".Sh DESCRIPTION"]
    for block in blocks(Path(source).read_text().splitlines()):
        text += block_text(block, after_list=text[-1].startswith(".S"))
    text += [".Sh SEE ALSO", ".Xr shorewatchctl 1 ,", ".Xr shorewatchd 8"]
    Path(page).write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
