"""Lines break between pieces and nowhere else."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from goretain.reports.text.page import Page, breakable, chain_pieces, encodable, split_list, split_words

NAMES = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=30)


@given(root=NAMES, links=st.lists(NAMES, max_size=8), end=NAMES, width=st.integers(40, 120))
def test_a_chain_breaks_between_links_only_and_loses_nothing(
    root: str, links: list[str], end: str, width: int
) -> None:
    page = Page(width)
    pieces = chain_pieces(root, links, end)
    page.pieces(pieces, lead=[("   ", "")], hang="     ")
    lines = [line.strip() for line in page.text.splitlines()]
    rest = [piece.strip() for piece in pieces]
    for line in lines:
        taken = 0
        while line and taken < len(rest) and line.strip().startswith(rest[taken]):
            line = line.strip()[len(rest[taken]) :]
            taken += 1
        assert taken, (line, rest)
        assert not line.strip()
        del rest[:taken]
    assert not rest


@given(
    words=st.lists(st.text("abc/.", min_size=1, max_size=30), min_size=1, max_size=30),
    width=st.integers(40, 200),
)
def test_prose_stays_in_the_width_unless_one_word_is_wider(words: list[str], width: int) -> None:
    page = Page(width)
    page.fact("label", " ".join(words))
    longest = max(len(word) for word in words)
    assert all(len(line) <= max(page.prose, longest + 13) for line in page.text.splitlines())
    assert page.text.split()[1:] == words


def test_a_number_keeps_its_unit() -> None:
    assert split_words("1.5 MiB in 2,000 objects of it") == [
        "1.5 MiB ",
        "in ",
        "2,000 objects ",
        "of ",
        "it ",
    ]
    assert split_list("a b, c, d") == ["a b, ", "c, ", "d"]


def test_a_name_too_long_for_its_column_stands_below_in_one_piece() -> None:
    page = Page(40)
    page.table(("bytes", "name"), [("1.0 KiB", "short"), ("12 B", "x" * 60)], left=1, styles={})
    assert page.text.splitlines() == ["    bytes  name", "  1.0 KiB  short", "     12 B", "      " + "x" * 60]


def test_the_last_head_stands_below_too_where_it_has_no_room() -> None:
    page, head = Page(40), "site and its callers, outermost last"
    page.table(("in use", head), [("1.0 KiB", "main.f")], left=1, styles={})
    assert page.text.splitlines() == ["   in use", f"      {head}", "  1.0 KiB  main.f"]


def test_a_first_piece_without_room_after_its_lead_goes_below_it() -> None:
    page = Page(40)
    page.pieces(["x" * 30], lead=[("  1.2 MiB  9 objects, mostly ", "")], hang="    ")
    assert page.text == "  1.2 MiB  9 objects, mostly\n    " + "x" * 30 + "\n"


def test_a_piece_wider_than_a_line_is_cut_at_its_blanks_and_nowhere_else() -> None:
    name = "goroutine 18 [chan receive, 5 minutes] " + "main." + "x" * 40
    assert breakable([name, "short one"], 20) == [
        *(f"{word} " for word in name.split()[:-1]),
        name.rsplit(maxsplit=1)[-1],
        "short one",
    ]
    assert breakable([name], 200) == [name]
    assert "".join(breakable([" -> " + name], 20)) == " -> " + name


def test_a_name_is_never_markup_and_never_cropped() -> None:
    page = Page(40)
    page.add("m[red]x[/red] :smile: " + "y" * 80)
    out = io.StringIO()
    page.print(Console(file=out, width=40))
    assert out.getvalue() == "m[red]x[/red] :smile: " + "y" * 80 + "\n"


def test_what_an_encoding_lacks_is_spelt_out() -> None:
    assert encodable("f·1", "ascii") == "f\\xb71"
    assert encodable("f·1", "utf-8") == "f·1"
    raw = io.BytesIO()
    page = Page(80)
    page.add("main.größe")
    out = io.TextIOWrapper(raw, "ascii", write_through=True)
    page.print(Console(file=out, width=80))
    assert raw.getvalue() == b"main.gr\\xf6\\xdfe\n"
