"""Drawings as graphviz's dot, and as SVG that needs no other program. Imports this package.

Names come from the program under study: both writers escape whatever could end a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from goretain.reports.export.drawing import Box, Drawing
from goretain.reports.units import cells

#: Pixels of the SVG: a column of text, a line, the inside of a box, between boxes.
_COLUMN, _LINE, _PAD, _GAP, _ARROW = 7.25, 16, 8, 10, 36
_LONGEST = 60
_TITLE = 30


def dot(drawing: Drawing) -> str:
    """A digraph for graphviz; the thicker an arrow the more bytes it leads to."""
    lines = [
        "digraph chains {",
        f"  label={_quoted(drawing.title)}; labelloc=t; rankdir=LR;",
        '  node [shape=box, style="rounded,filled", fontname="monospace", fontsize=10];',
    ]
    for number, (box, above) in enumerate(_numbered(drawing)):
        colour = f"0.09 {0.05 + 0.6 * box.share:.2f} 1.0"
        text = "".join(line + "\n" for line in box.lines)
        lines.append(f'  n{number} [label={_quoted(text)}, fillcolor="{colour}"];')
        if above >= 0:
            lines.append(f"  n{above} -> n{number} [penwidth={1 + 5 * box.share:.2f}];")
    return "\n".join([*lines, "}"]) + "\n"


def _numbered(drawing: Drawing) -> Iterator[tuple[Box, int]]:
    """Every box behind the one above it, with that one's number (-1: none)."""
    waiting = [(box, -1) for box in reversed(drawing.boxes)]
    number = 0
    while waiting:
        box, above = waiting.pop()
        yield box, above
        waiting += [(child, number) for child in reversed(box.children)]
        number += 1


def _quoted(text: str) -> str:
    """A string of dot; every line ends left-aligned."""
    inner = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\l")
    return f'"{inner}"'


def svg(drawing: Drawing) -> str:
    """A picture: a column for each step from the holders, which stand at the left."""
    columns: list[list[Box]] = []
    level = drawing.boxes
    while level:
        columns.append(level)
        level = [child for box in level for child in box.children]
    left = [float(_GAP)]
    for boxes in columns:
        left.append(left[-1] + max(map(_width, boxes)) + _ARROW)
    parts: list[str] = []
    bottom = float(_TITLE)
    for box in drawing.boxes:
        bottom = _place(parts, box, 0, left, bottom)[1] + _GAP
    width, height = max(left[-1], _COLUMN * cells(drawing.title) + 2 * _GAP), bottom + _GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" font-family="monospace" font-size="12">'
    )
    title = f'<text x="{_GAP}" y="20" font-weight="bold">{escape(drawing.title)}</text>'
    return (
        "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', title, *parts, "</svg>"]) + "\n"
    )


def _width(box: Box) -> float:
    return 2 * _PAD + _COLUMN * max(cells(_short(line)) for line in box.lines)


def _place(parts: list[str], box: Box, depth: int, left: list[float], top: float) -> tuple[float, float]:
    """Draw a box beside what it leads to, from ``top`` on; (its middle, where the next may begin)."""
    own = len(box.lines) * _LINE + 2 * _PAD
    middles: list[float] = []
    below = top
    for child in box.children:
        middle, end = _place(parts, child, depth + 1, left, below)
        middles.append(middle)
        below = end + _GAP
    middle = (middles[0] + middles[-1]) / 2 if middles else top + own / 2
    y = max(top, middle - own / 2)
    middle = y + own / 2
    x, width = left[depth], _width(box)
    for child, end in zip(box.children, middles, strict=True):
        parts.append(
            f'<path d="M{x + width:.1f} {middle:.1f} C{left[depth + 1] - 12:.1f} {middle:.1f}'
            f' {x + width + 12:.1f} {end:.1f} {left[depth + 1]:.1f} {end:.1f}" fill="none" stroke="#888"'
            f' stroke-width="{1 + 5 * child.share:.1f}"/>'
        )
    shade = f"hsl(33,100%,{97 - 35 * box.share:.0f}%)"
    parts.append(f'<g><title>{escape(chr(10).join(box.lines))}</title><rect x="{x:.1f}" y="{y:.1f}"')
    parts.append(f'  width="{width:.1f}" height="{own}" rx="5" fill="{shade}" stroke="#555"/>')
    for at, line in enumerate(box.lines):
        baseline = y + _PAD + 12 + at * _LINE
        parts.append(f'  <text x="{x + _PAD:.1f}" y="{baseline:.1f}">{escape(_short(line))}</text>')
    parts.append("</g>")
    return middle, max(y + own, below - _GAP if box.children else top)


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2 - 1]}…{line[-_LONGEST // 2 :]}"
