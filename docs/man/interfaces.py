#!/usr/bin/env python3
"""Makes org.shorewatch1(5) of the contract: interfaces.py DATE PAGE XML…

The comment before an interface or a member begins with its name, has a line "@argument: what it is" for each argument,
and then its text, in paragraphs; lines that begin with "* " or with a quoted name begin an entry of a list.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import roff

KINDS = (("property", "Properties"), ("method", "Methods"), ("signal", "Signals"))


class Comment:
    def __init__(self, text: str):
        self.arguments: dict[str, str] = {}
        self.text: list[str] = []
        argument = None
        for line in [line.strip() for line in text.strip().splitlines()][1:]:
            if line.startswith("@"):
                argument, _, what = line[1:].partition(":")
                self.arguments[argument] = what.strip()
            elif argument and line and not self.text:
                self.arguments[argument] += " " + line
            else:
                argument = None
                self.text.append(line)


def paragraphs(lines: list[str]) -> list[str]:
    page: list[str] = []
    for block in "\n".join(lines).strip().split("\n\n"):
        entries: list[str] = []
        for line in block.splitlines():
            begins = line.startswith("* ") or re.match(r'"[\w-]+" \(', line)
            if begins or not entries:
                entries.append(line)
            else:
                entries[-1] += " " + line
        page.append(".Pp")
        for number, entry in enumerate(entries):
            page += [".br"] * (number > 0) + roff.words(entry)
    return page


def signature(member: ElementTree.Element) -> str:
    if member.tag == "property":
        access = "" if member.get("access") == "read" else ", can be written"
        return f"{member.get('name')}: {member.get('type')}{access}"
    given, returned = ([f"{arg.get('type')} {arg.get('name')}" for arg in member.iter("arg")
                        if (arg.get("direction") == "out") == out] for out in (False, True))
    return f"{member.get('name')}({', '.join(given)})" + (f" -> {', '.join(returned)}" if returned else "")


def is_constant(member: ElementTree.Element) -> bool:
    return any(annotation.get("value") == "const" for annotation in member.iter("annotation"))


def member_text(member: ElementTree.Element, comment: Comment) -> list[str]:
    page = [f".It Sy {roff.argument(signature(member))}", *paragraphs(comment.text)[1:]]
    if is_constant(member):
        page += ["It never changes."]
    arguments = [arg.get("name", "") for arg in member.iter("arg")]
    if arguments:
        page += [".Bl -tag -width indent -compact"]
        for name in arguments:
            page += [f".It Ar {roff.argument(name)}", *roff.words(comment.arguments[name])]
        page += [".El"]
    return page


def interface(path: Path) -> list[str]:
    builder = ElementTree.TreeBuilder(insert_comments=True)
    root = ElementTree.fromstring(path.read_text(), ElementTree.XMLParser(target=builder))
    comment, element = [child for child in root if child.tag is ElementTree.Comment or child.tag == "interface"][-2:]
    about = Comment(comment.text or "")
    page = [f".Sh {element.get('name', '').split('.')[-1].upper()}", f"The interface {element.get('name')}:",
            *roff.words(about.arguments["short_description"].rstrip(".") + "."), *paragraphs(about.text)]
    members: dict[str, list[str]] = {tag: [] for tag, _ in KINDS}
    before = None
    for child in element:
        if child.tag is not ElementTree.Comment:
            members[child.tag] += member_text(child, Comment(before.text))
        before = child
    for tag, title in KINDS:
        if members[tag]:
            page += [f".Ss {title}", ".Bl -tag -width indent", *members[tag], ".El"]
    return page


def main() -> None:
    date, page, *files = sys.argv[1:]
    text = roff.head("org.shorewatch1", 5, "the D-Bus interfaces of shorewatchd", date)
    text += [".Sh DESCRIPTION", *roff.words(
        "What shorewatchd(8) publishes on the system bus, or with --user on the session bus, under the name "
        "org.shorewatch1. This page is made from the XML in /usr/share/dbus-1/interfaces, which says the same to programs."
        " Types are written as D-Bus has them: s is a string, u a number of 32 bits, t one of 64, b true or false, "
        "o an object, h a descriptor, a{sv} a dictionary of values by their names.")]
    for file in files:
        text += interface(Path(file))
    text += [".Sh SEE ALSO", ".Xr busctl 1 ,", ".Xr shorewatchctl 1 ,", ".Xr shorewatchd 8"]
    Path(page).write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
