"""Plots: how the values of a row lie, ours and the control's, and the ratios of all rows. SVG by hand: no library is worth a
dependency for that.

The first is the share of the values up to each: on a scale where twice as much is always as far, the few slow ones leave
room for the others.
"""

import math
from html import escape
from pathlib import Path
from typing import Sequence

from suite import Result, Row

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 480, 240, 44, 14, 40, 30
_OURS, _CONTROL, _GOAL = "#1a6fb5", "#8a8a8a", "#c0392b"
_FEWEST = 10
_MOST_STEPS = 200


def _open(width: int, height: int) -> list[str]:
    return [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
            'font-size="11">', f'<rect width="{width}" height="{height}" fill="white"/>']


def _text(x: float, y: float, text: str, **attributes: str) -> str:
    said = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{said}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1) -> str:
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{width:g}"/>')


def _ticks(low: float, high: float) -> list[float]:
    """1, 2, 5, 10 … between them; fewer where that is many."""
    steps = (1, 2, 5) if high / low < 100 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [tick for power in powers for tick in (step * 10.0 ** power for step in steps) if low <= tick <= high]


def _stairs(values: Sequence[float]) -> list[tuple[float, float]]:
    """Values and the share of all that is not greater, thinned out but for both ends."""
    ordered = sorted(values)
    picked = sorted({round(step * (len(ordered) - 1) / _MOST_STEPS) for step in range(_MOST_STEPS + 1)})
    return [(ordered[at], (at + 1) / len(ordered)) for at in picked]


def _shares(row: Row) -> str:
    values = [*row.ours, *row.control]
    low, high = min(values), max(values) * 1.0001
    scale = (_WIDTH - _LEFT - _RIGHT) / math.log(high / low)

    def x(value: float) -> float:
        return _LEFT + scale * math.log(value / low)

    def y(share: float) -> float:
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)

    parts = [*_open(_WIDTH, _HEIGHT), _text(8, 16, f"{row.what}, {row.unit}", font_size="12")]
    for share in (0, 0.5, 0.95, 1):
        parts += [_line(_LEFT, y(share), _WIDTH - _RIGHT, y(share), "#dddddd"),
                  _text(_LEFT - 6, y(share) + (9 if share == 0.95 else 4), f"{share:.0%}", text_anchor="end")]
    for tick in _ticks(low, high):
        parts += [_line(x(tick), y(0), x(tick), y(1), "#eeeeee"),
                  _text(x(tick), _HEIGHT - 12, f"{tick:g}", text_anchor="middle")]
    for index, (name, its, colour) in enumerate((("control", row.control, _CONTROL), ("ours", row.ours, _OURS))):
        corners, before = [f"{x(min(its)):.1f},{y(0):.1f}"], 0.0
        for value, share in _stairs(its):
            corners += [f"{x(value):.1f},{y(before):.1f}", f"{x(value):.1f},{y(share):.1f}"]
            before = share
        parts += [f'<polyline points="{" ".join(corners)}" fill="none" stroke="{colour}" stroke-width="2"/>',
                  _text(_WIDTH - _RIGHT - 60 * (1 - index), 30, name, fill=colour, text_anchor="end")]
    return "\n".join([*parts, "</svg>", ""])


def _ratios(rows: Sequence[tuple[Row, float]]) -> str:
    """A line a row, with what it comes to and where its goals are."""
    width, left, height, pitch = 900, 560, 34, 20
    bounds = [goal.bound for row, _ in rows for goal in row.goals if goal.by == "ratio"]
    everything = [ratio for _, ratio in rows] + bounds + [1.0]
    low, high = min(everything) / 1.2, max(everything) * 1.2
    scale = (width - left - 20) / math.log(high / low)

    def x(value: float) -> float:
        return left + scale * math.log(value / low)

    bottom = height + pitch * len(rows)
    parts = [*_open(width, bottom + 28), _text(8, 16, "ours : control, medians; goals are red", font_size="12")]
    for tick in _ticks(low, high):
        parts += [_line(x(tick), height - 8, x(tick), bottom, "#bbbbbb" if tick == 1 else "#eeeeee"),
                  _text(x(tick), bottom + 14, f"{tick:g}", text_anchor="middle")]
    for number, (row, ratio) in enumerate(rows):
        at = height + pitch * number + 4
        parts.append(_text(left - 10, at + 4, row.what, text_anchor="end"))
        parts += [_line(x(goal.bound), at - 6, x(goal.bound), at + 6, _GOAL, 2) for goal in row.goals
                  if goal.by == "ratio" and goal.of == "median"]
        parts.append(f'<circle cx="{x(ratio):.1f}" cy="{at}" r="4" fill="{_OURS}"/>')
    return "\n".join([*parts, "</svg>", ""])


def write_plots(results: Sequence[Result], folder: Path) -> None:
    """CASE.svg, or CASE-2.svg and so on, for each row of enough values and a control; ratios.svg of all that have one."""
    folder.mkdir(parents=True, exist_ok=True)
    compared: list[tuple[Row, float]] = []
    for result in results:
        for number, row in enumerate(result.rows, 1):
            ratio = row.ratio()
            if ratio is None or min([*row.ours, *row.control]) <= 0:
                continue
            compared.append((row, ratio))
            if min(len(row.ours), len(row.control)) >= _FEWEST:
                suffix = "" if number == 1 else f"-{number}"
                (folder / f"{result.case.name}{suffix}.svg").write_text(_shares(row))
    if compared:
        (folder / "ratios.svg").write_text(_ratios(compared))
