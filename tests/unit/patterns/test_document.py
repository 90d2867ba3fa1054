"""A doc.md is a title and five sections; headings inside code fences are code."""

from __future__ import annotations

import pytest

from goretain.model.errors import CorruptFile
from goretain.patterns.document import SECTIONS, parse_document


def document(*sections: str) -> str:
    return "# Title\n\n" + "\n".join(f"## {name}\ntext of {name}\n" for name in sections)


def test_the_sections_are_split_at_their_headings() -> None:
    doc = parse_document("doc.md", document(*SECTIONS))
    assert doc.heading == "Title"
    assert doc.sections["Fix"] == "text of Fix"


def test_a_heading_in_a_code_fence_is_code() -> None:
    text = document(*SECTIONS).replace("text of Fix", "```sh\n## not a heading\n```")
    assert "## not a heading" in parse_document("doc.md", text).sections["Fix"]


def test_further_sections_are_allowed() -> None:
    assert "History" in parse_document("doc.md", document(*SECTIONS, "History")).sections


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (document(*SECTIONS)[2:], "no '# heading' line"),
        (document(*SECTIONS[1:], SECTIONS[0]), "out of order"),
        (document(*SECTIONS, "Fix"), "appears twice"),
        (document(*SECTIONS).replace("text of Fix", ""), "'## Fix' is missing or empty"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(CorruptFile, match=message):
        parse_document("doc.md", text)
