"""``doc.md`` of a pattern, parsed: a title and five sections that every pattern must have.

The sections are what ``goretain rule``, the docs and an incident report show, so a missing one is an error of
the catalogue and not a blank on somebody's screen. Imports ``model`` only.
"""

from __future__ import annotations

import re

import msgspec

from goretain.model.errors import CorruptFile

#: Headings every doc.md has, in this order.
SECTIONS = (
    "What it does",
    "Why memory stays alive",
    "How to see it",
    "Fix",
    "When it is fine",
)

_COMMENT = re.compile(r"^<!--.*?-->\n", re.MULTILINE | re.DOTALL)
_SNIPPET = re.compile(
    r"^(?:<!-- go\n(?P<context>.*?)^-->\n)?```go\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The text of one pattern.

    Attributes:
        heading: the text of the ``#`` line.
        sections: heading -> Markdown below it, in file order; has every name of ``SECTIONS``.
        text: the whole file, without its comments.
        snippets: its Go code blocks.
    """

    heading: str
    sections: dict[str, str]
    text: str
    snippets: tuple[Snippet, ...] = ()


class Snippet(msgspec.Struct, frozen=True, kw_only=True):
    """A block of Go code: statements of a function's body.

    Attributes:
        code: as it is shown.
        context: declarations that it needs, from the comment ``<!-- go ... -->`` before it; "" for none.
    """

    code: str
    context: str


def parse_document(path: str, text: str) -> Document:
    """Split the Markdown of a ``doc.md`` at its headings.

    Raises:
        CorruptFile: no ``#`` heading, a section of ``SECTIONS`` is missing, empty, repeated or out of order.
    """
    shown = _COMMENT.sub("", text)
    heading, sections = _split(path, shown)
    if not heading:
        raise CorruptFile(path, None, "has no '# heading' line")
    known = [name for name in sections if name in SECTIONS]
    for name in SECTIONS:
        if not sections.get(name):
            raise CorruptFile(
                path,
                None,
                f"section '## {name}' is missing or empty",
                hint=f"a pattern's doc.md has, in this order: {', '.join(SECTIONS)}",
            )
    if known != list(SECTIONS):
        raise CorruptFile(path, None, f"sections are out of order: {', '.join(known)}")
    snippets = tuple(
        Snippet(code=found["code"], context=found["context"] or "") for found in _SNIPPET.finditer(text)
    )
    return Document(heading=heading, sections=sections, text=shown, snippets=snippets)


def _split(path: str, text: str) -> tuple[str, dict[str, str]]:
    """The heading and heading -> body; lines inside code fences are never headings."""
    heading, current, fenced = "", "", False
    bodies: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        if not fenced and line.startswith("# ") and not heading:
            heading = line[2:].strip()
        elif not fenced and line.startswith("## "):
            current = line[3:].strip()
            if current in bodies:
                raise CorruptFile(path, None, f"section '## {current}' appears twice")
            bodies[current] = []
        elif current:
            bodies[current].append(line)
    return heading, {name: "\n".join(lines).strip() for name, lines in bodies.items()}
