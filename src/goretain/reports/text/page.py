"""A page of text: lines that break only where a reader would break them.

Rich paints the lines and knows the terminal; where a line breaks is decided here, because a chain of Go
names may break between two links and nowhere else, and because a name that is longer than the terminal is
wide must stay in one piece to be copied. Imports rich and this package's units.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from goretain.reports.units import cells, clean

if TYPE_CHECKING:
    from rich.console import Console

#: A run of text with a rich style ("" plain).
Span = tuple[str, str]

_BLANK = re.compile(r"(?<!\d) | (?!(?:B|[KMGTP]iB|us|ms|s|min|h|x|objects?)(?:[\s,.;:)]|$))")

#: Sentences are not set wider than this; names and chains are.
_PROSE = 110
#: Width of the labels of facts.
_LABEL = 10


class Page:
    """Lines to print, at most ``width`` columns wide where names allow it."""

    def __init__(self, width: int) -> None:
        self.width = max(width, 40)
        self.prose = min(self.width, _PROSE)
        self.lines: list[list[Span]] = []

    def add(self, *spans: Span | str) -> None:
        """One line; plain strings are unstyled."""
        self.lines.append([span if isinstance(span, tuple) else (span, "") for span in spans])

    def title(self, text: str, note: str = "") -> None:
        """An empty line, a heading, and a note at the right edge (on the next line if there is no room)."""
        self.add()
        gap = self.prose - cells(text) - cells(note)
        if not note:
            self.add((text, "bold"))
        elif gap >= 2:
            self.add((text, "bold"), (" " * gap, ""), (note, "dim"))
        else:
            self.add((text, "bold"))
            self.add((note, "dim"))

    def pieces(
        self,
        pieces: Sequence[str],
        *,
        lead: Sequence[Span] = (),
        hang: str = "",
        style: str = "",
        width: int | None = None,
    ) -> None:
        """Fill lines with pieces, breaking only between them.

        Args:
            pieces: what may not be broken; put together as they stand (blanks at a break are dropped).
            lead: before the first line.
            hang: before every further line, and before the first piece where only that leaves it room.
            width: of the lines where it is not the page's.
        """
        room = width or self.width
        spans, line, used = list(lead), "", sum(cells(text) for text, _ in lead)
        first = cells(pieces[0].rstrip()) if pieces else 0
        if used + first > room and used > cells(hang) and cells(hang) + first <= room:
            self.add(*spans)
            spans, used = [(hang, "")], cells(hang)
        for piece in pieces:
            if line.strip() and used + cells(line) + cells(piece.rstrip()) > room:
                self.add(*spans, (line.rstrip(), style))
                spans, line, used = [(hang, "")], "", cells(hang)
            line += piece if line else piece.lstrip()
        self.add(*spans, (line.rstrip(), style))

    def words(self, text: str, *, lead: Sequence[Span] = (), hang: str = "", style: str = "") -> None:
        """Fill lines with the words of a text."""
        self.pieces(split_words(clean(text)), lead=lead, hang=hang, style=style, width=self.prose)

    def fact(
        self,
        name: str,
        text: str,
        *,
        indent: str = "  ",
        style: str = "",
        split: Callable[[str], list[str]] | None = None,
    ) -> None:
        """A labelled text with its further lines under its first word."""
        pieces = (split or split_words)(clean(text))
        lead = [(f"{indent}{name:<{_LABEL}} ", "dim")]
        self.pieces(pieces, lead=lead, hang=" " * (len(indent) + _LABEL + 1), style=style, width=self.prose)

    def table(
        self,
        heads: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        left: int,
        styles: dict[int, str],
        split: Callable[[str], list[str]] | None = None,
        below: Sequence[Sequence[str]] = (),
    ) -> None:
        """Columns as wide as their content; the last one wraps under itself.

        Args:
            heads: column heads.
            left: how many columns at the right are flush left; the others are numbers.
            styles: column -> rich style.
            split: cuts the last column into what may not be broken; words unless given.
            below: for each row the pieces of a note under its last column, if any.
        """
        split = split or split_words
        body = [[clean(cell) for cell in row] for row in rows]
        last = len(heads) - 1
        widths = [max(cells(row[at]) for row in (heads, *body)) for at in range(last)]

        def lead(row: Sequence[str], style: str | None = None) -> list[Span]:
            spans: list[Span] = []
            for at, width in enumerate(widths):
                gap = " " * (width - cells(row[at]))
                text = f"  {row[at]}{gap}" if at >= len(heads) - left else f"  {gap}{row[at]}"
                spans.append((text, styles.get(at, "") if style is None else style))
            return [*spans, ("  ", "")]

        start, style = sum(widths) + 2 * len(heads), styles.get(last, "")
        if start + cells(heads[last]) > self.width:
            self.add(*lead(heads, "dim"))
            self.add((" " * 6, ""), (heads[last], "dim"))
        else:
            self.add(*lead(heads, "dim"), (heads[last], "dim"))
        for number, row in enumerate(body):
            words, spans, hang = split(row[last]), lead(row), " " * (start + 2)
            if start + max(cells(word.rstrip()) for word in words) > self.width:  # below, in one piece
                self.add(*spans)
                spans, hang = [(" " * 6, "")], " " * 8
            self.pieces(words, lead=spans, hang=hang, style=style)
            if below and below[number]:
                pieces = breakable(below[number], self.width - len(hang))
                self.pieces(pieces, lead=[(hang, "")], hang=hang, style="dim")

    def print(self, console: Console) -> None:
        """Print on a rich console; characters that its encoding lacks are spelt out."""
        from rich.text import Text

        for line in self.lines:
            text = Text(end="")
            for part, style in line:
                text.append(encodable(part, console.encoding), style or None)
            text.rstrip()
            console.print(text, soft_wrap=True, highlight=False, markup=False, emoji=False)

    @property
    def text(self) -> str:
        """The page without styles."""
        return "\n".join("".join(part for part, _ in line).rstrip() for line in self.lines) + "\n"


def encodable(text: str, encoding: str) -> str:
    """The text with whatever ``encoding`` has no code for written as an escape."""
    return text if text.isascii() else text.encode(encoding, "backslashreplace").decode(encoding)


def split_words(text: str) -> list[str]:
    """Words, each with the blank after it; a number stays with its unit."""
    return [f"{word} " for word in _BLANK.split(text)]


def split_list(text: str) -> list[str]:
    """Items of a list, each with the comma and blank after it."""
    items = text.split(", ")
    return [*(f"{item}, " for item in items[:-1]), items[-1]]


def breakable(pieces: Sequence[str], room: int) -> list[str]:
    """The pieces, those that are wider than a line cut at their blanks."""
    return [
        part
        for piece in pieces
        for part in ([piece] if cells(piece.rstrip()) <= room else re.findall(r"\s*\S+\s?", piece))
    ]


def chain_pieces(root: str, links: Sequence[str], end: str) -> list[str]:
    """A chain in the pieces that may stand on a line of their own: root, each link, the end."""
    return [clean(root), *(clean(link) for link in links), f" -> {clean(end)}"]
