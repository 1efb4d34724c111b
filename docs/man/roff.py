"""Text as mdoc(7) wants it. What the makers of pages beside this file share."""

import re
from typing import Iterable


def escaped(text: str) -> str:
    """Text as it is to be read. Hyphens are those that are typed: options are copied from pages."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def argument(text: str) -> str:
    """One argument of a macro."""
    return '"' + escaped(text).replace('"', '\\(dq') + '"'


def head(name: str, section: int, what: str, date: str) -> list[str]:
    return [f".Dd {date}", f".Dt {name.upper()} {section}", ".Os Shorewatch", ".Sh NAME", f".Nm {escaped(name)}",
            f".Nd {escaped(what)}"]


def literal(lines: Iterable[str]) -> list[str]:
    return [".Bd -literal -offset indent", *map(escaped, lines), ".Ed"]


def words(text: str) -> list[str]:
    """A paragraph, a sentence a line."""
    return [escaped(line) for line in re.split(r'(?<=[\w)"][.?]) (?=["A-Z])', " ".join(text.split())) if line]
