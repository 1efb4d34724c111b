"""A plot of a row: each value as a dot, ours and the control's side by side, the medians as lines. SVG by hand: no library
is worth a dependency for that."""

from html import escape
from pathlib import Path
from typing import Sequence

from figures import figures
from suite import Result, Row

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 480, 240, 70, 34, 30
_MOST_DOTS = 200


def _svg(row: Row) -> str:
    sides: list[tuple[str, Sequence[float], str]] = [("ours", row.ours, "#1a6fb5")]
    if row.control:
        sides.append(("control", row.control, "#999999"))
    top = max(max(values) for _, values, _ in sides) or 1.0

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - max(value, 0) / top * (_HEIGHT - _BOTTOM - _TOP)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
             'font-family="sans-serif" font-size="11">',
             f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
             f'<text x="8" y="16" font-size="12">{escape(row.what)}, {escape(row.unit)}</text>']
    for share in (0.0, 0.5, 1.0):
        at = y(top * share)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{at:.1f}" y2="{at:.1f}" stroke="#dddddd"/>'
                     f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{top * share:.4g}</text>')
    width = (_WIDTH - _LEFT - 10) / len(sides)
    for index, (name, values, colour) in enumerate(sides):
        begin = _LEFT + index * width + 10
        step = max(1, len(values) // _MOST_DOTS)
        shown = values[::step]
        for number, value in enumerate(shown):
            x = begin + (width - 20) * (number + 0.5) / len(shown)
            parts.append(f'<circle cx="{x:.1f}" cy="{y(value):.1f}" r="1.8" fill="{colour}" fill-opacity="0.6"/>')
        median = figures(values).median
        parts.append(f'<line x1="{begin:.1f}" x2="{begin + width - 20:.1f}" y1="{y(median):.1f}" '
                     f'y2="{y(median):.1f}" stroke="{colour}" stroke-width="2"/>'
                     f'<text x="{begin + width / 2 - 10:.1f}" y="{_HEIGHT - 10}" text-anchor="middle">'
                     f'{name}: median {median:.4g}</text>')
    return "\n".join([*parts, "</svg>", ""])


def write_plots(results: Sequence[Result], folder: Path) -> None:
    """A file a row: CASE.svg, or CASE-2.svg and so on for further rows."""
    folder.mkdir(parents=True, exist_ok=True)
    for result in results:
        for number, row in enumerate(result.rows, 1):
            suffix = "" if number == 1 else f"-{number}"
            (folder / f"{result.case.name}{suffix}.svg").write_text(_svg(row))
