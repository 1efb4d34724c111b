"""What a terminal showed over time, as an SVG that plays it: no script in it, nothing from elsewhere, and it is small.

Each line of the terminal is a strip of all that it ever showed, side by side, which moves in steps. So a line that does
not change costs nothing, and one that does only itself.
"""

import re
from dataclasses import dataclass
from html import escape
from typing import Iterator, Sequence

WIDTH, HEIGHT = 8.43, 18  # of a character, in pixels, of the font size below
FONT_SIZE = 14
MARGIN, BAR = 14, 30
# How long the last picture stays before it begins again, in seconds.
REST = 4.0

BACKGROUND, FOREGROUND = "#1b1f27", "#d5dae3"
COLOURS = {31: "#ef6b73", 32: "#8ac379", 33: "#e5c07b"}


@dataclass(frozen=True)
class Style:
    colour: int = 0
    bold: bool = False
    dim: bool = False
    reversed: bool = False

    def after(self, codes: str) -> "Style":
        """As it is after a sequence for colours and the like, of what shorewatchctl uses."""
        style = self
        for code in (int(code or 0) for code in codes.split(";")):
            if code == 0:
                style = Style()
            elif code in (1, 2, 7):
                name = {1: "bold", 2: "dim", 7: "reversed"}[code]
                style = Style(**{**style.__dict__, name: True})
            elif code in COLOURS or code == 39:
                style = Style(**{**style.__dict__, "colour": code % 39})
        return style


def alone(lines: Sequence[str]) -> list[str]:
    """Each line with all that it takes to draw it, as what was set on one holds on the next."""
    result: list[str] = []
    in_force = ""
    for line in lines:
        result.append(in_force + line if line else line)
        for codes in re.findall("\x1b\\[[0-9;]*m", line):
            in_force = codes if re.match("\x1b\\[0?[m;]", codes) else in_force + codes
    return result


def pieces(line: str) -> Iterator[tuple[int, str, Style]]:
    """Where it begins, what is there, and how it looks, of each piece of a line with escape sequences."""
    style, column = Style(), 0
    # Text and codes by turns.
    for number, part in enumerate(re.split("\x1b\\[([0-9;]*)m", line)):
        if number % 2 == 1:
            style = style.after(part)
        elif part:
            yield column, part, style
            column += len(part)


def words(text: str) -> Iterator[tuple[int, str]]:
    """Wide gaps end a piece, so that columns are straight in any font."""
    for found in re.finditer(r"\S+(?: \S+)*", text):
        yield found.start(), found.group()


def drawn(line: str) -> str:
    """A line as SVG, from 0, 0 on."""
    parts: list[str] = []
    for column, text, style in pieces(line):
        if style.reversed:
            parts.append(f'<rect x="{column * WIDTH:.1f}" width="{len(text) * WIDTH + 0.5:.1f}" height="{HEIGHT}" class="r"/>')
        classes = " ".join([f"c{style.colour}"] * bool(style.colour and not style.reversed) + ["b"] * style.bold +
                           ["d"] * style.dim + ["v"] * style.reversed)
        for start, word in words(text):
            attribute = f' class="{classes}"' if classes else ""
            parts.append(f'<text x="{(column + start) * WIDTH:.1f}" y="13"{attribute}>{escape(word)}</text>')
    return "".join(parts)


def _strip(number: int, states: Sequence[tuple[float, str]], length: float, stride: float) -> tuple[str, str]:
    """The rule and the content for one line: states are what it shows, and from when on."""
    shown: list[str] = []
    steps: list[tuple[float, int]] = []
    for moment, line in states:
        if line not in shown:
            shown.append(line)
        steps.append((moment, shown.index(line)))
    content = "".join(f'<g transform="translate({index * stride:.0f})">{drawn(line)}</g>' if index else drawn(line)
                      for index, line in enumerate(shown))
    y = BAR + MARGIN + number * HEIGHT
    if len(shown) == 1:
        return "", f'<g transform="translate({MARGIN} {y})">{content}</g>' if content else ""
    rule = "".join(f"{100 * moment / length:.2f}%{{transform:translateX({-index * stride:.0f}px)}}" for moment, index in steps)
    # Who plays nothing is shown the end.
    still = f'transform="translate({-steps[-1][1] * stride:.0f})"'
    return (f"@keyframes k{number}{{{rule}}}#k{number}{{animation-name:k{number}}}",
            f'<g transform="translate({MARGIN} {y})"><g id="k{number}" class="k" {still}>{content}</g></g>')


def svg(pictures: Sequence[tuple[float, Sequence[str]]], columns: int, title: str) -> str:
    """pictures: all lines of the terminal, and from which second on."""
    pictures = [(moment, alone(lines)) for moment, lines in pictures]
    length = pictures[-1][0] + REST
    width, height = columns * WIDTH + 2 * MARGIN, len(pictures[0][1]) * HEIGHT + BAR + 2 * MARGIN
    stride = width + 100
    rules, strips = [], []
    for number in range(len(pictures[0][1])):
        states: list[tuple[float, str]] = []
        for moment, lines in pictures:
            if not states or states[-1][1] != lines[number]:
                states.append((moment, lines[number]))
        rule, strip = _strip(number, states, length, stride)
        rules.append(rule)
        strips.append(strip)
    colours = "".join(f".c{code}{{fill:{colour}}}" for code, colour in COLOURS.items())
    dots = "".join(f'<circle cx="{MARGIN + 8 + i * 20}" cy="{BAR / 2 + 3}" r="6" fill="{colour}"/>'
                   for i, colour in enumerate(("#ef6b73", "#e5c07b", "#8ac379")))
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>text{{font:{FONT_SIZE}px 'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:{FOREGROUND};white-space:pre}}"
        f"{colours}.b{{font-weight:bold}}.d{{opacity:.65}}.r{{fill:{FOREGROUND}}}.v{{fill:{BACKGROUND}}}"
        f".k{{animation:{length:.1f}s step-end infinite}}",
        *filter(None, rules),
        "@media (prefers-reduced-motion:reduce){.k{animation:none}}</style>",
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>{dots}',
        f'<svg x="{MARGIN}" width="{columns * WIDTH:.0f}" height="100%" viewBox="{MARGIN} 0 {columns * WIDTH:.0f} {height:.0f}">',
        *filter(None, strips),
        "</svg></svg>", ""])
