"""Exports and notebook pages: well-formed whatever the names are, and with the figures of the heap."""

from __future__ import annotations

import gzip
import re
import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.api import Snapshot
from goretain.model.errors import UsageError
from goretain.model.findings import Chain
from goretain.profile.message import profile_class
from goretain.reports import notebook
from goretain.reports.export import FORMATS, format_of
from goretain.reports.export.drawing import MOST, Drawing, draw
from goretain.reports.export.graphs import dot, svg
from goretain.reports.results import ChainNode, QueryColumn, QueryReport, TypeSum
from goretain.snapshot import Layer
from tests.support.heapdsl import HeapBuilder
from tests.unit.reports import examples
from tests.unit.snapshot.synthetic import small

NASTY = st.text(st.sampled_from("ab<>&\"'\\;|{}\n\r\x1b\u202e\ud800 é世"), min_size=1, max_size=20)


def decoded(data: bytes) -> Any:
    message = profile_class()()
    message.ParseFromString(gzip.decompress(data))
    return message


def stacks(profile: Any, at: int) -> Counter[tuple[str, ...]]:
    """Frames from the holder on -> the amount at a place in the values."""
    texts, functions = (
        [text.decode() for text in profile.string_table],
        {f.id: f.name for f in profile.function},
    )
    names = {place.id: texts[functions[place.line[0].function_id]] for place in profile.location}
    found: Counter[tuple[str, ...]] = Counter()
    for sample in profile.sample:
        found[tuple(names[k] for k in reversed(sample.location_id))] += sample.value[at]
    return +found


def test_a_profile_has_every_object_once_by_chains_and_once_by_dominators() -> None:
    snapshot = Snapshot(small(), "small")
    profile = decoded(snapshot.export("pprof"))
    texts = [text.decode() for text in profile.string_table]
    assert texts[0] == ""
    assert [(texts[t.type], texts[t.unit]) for t in profile.sample_type] == [
        ("inuse_objects", "count"), ("inuse_space", "bytes"),
        ("retained_objects", "count"), ("retained_space", "bytes"),
    ]  # fmt: skip
    expected = {
        ("main.cache", "[]*main.Entry"): 32,
        ("main.cache", "main.cache[*]", "main.Entry"): 3 * 48,
        ("main.cache", "main.cache[*]", "main.cache[*].body", "[]uint8"): 3 << 20,
        (
            "goroutine 18 [chan receive] main.worker",
            "goroutine 18 [chan receive] main.worker:buf",
            "[]uint8",
        ): 65536,
    }
    assert stacks(profile, 1) == expected
    assert stacks(profile, 3) == expected
    assert sum(stacks(profile, 0).values()) == sum(stacks(profile, 2).values()) == 8
    labels = {(texts[label.key], texts[label.str]) for sample in profile.sample for label in sample.label}
    assert labels == {
        ("holder", "main.cache"), ("holder", "goroutine 18 [chan receive] main.worker"),
        ("site", "main.load main.go:12"),
    }  # fmt: skip
    assert texts[profile.default_sample_type] == "inuse_space"
    assert profile.time_nanos == int(snapshot.meta.taken_at * 1e9)


def test_the_chains_to_some_objects_have_no_retained_amounts() -> None:
    profile = decoded(Snapshot(small(), "small").export("pprof", what="main.Entry"))
    assert list(stacks(profile, 0).items()) == [(("main.cache", "main.cache[*]", "main.Entry"), 3)]
    assert not stacks(profile, 3)


def test_the_same_heap_gives_the_same_bytes() -> None:
    for form in FORMATS:
        assert Snapshot(small(), "x").export(form) == Snapshot(small(), "x").export(form)


def test_no_such_format_or_name() -> None:
    snapshot = Snapshot(small(), "small")
    with pytest.raises(UsageError, match="there is no format 'png'"):
        snapshot.export("png")
    for form in FORMATS:
        with pytest.raises(UsageError, match=r"is called 'main\.none'"):
            snapshot.export(form, what="main.none")
    assert [format_of(name) for name in ("a/b.pb.gz", "x.svg", "x.gv", "x.gz", "svg")] == [
        "pprof", "svg", "dot", None, None,
    ]  # fmt: skip


@given(names=st.lists(NASTY, min_size=3, max_size=3))
@settings(deadline=None, max_examples=60)
def test_no_name_gets_out_of_its_place(names: list[str]) -> None:
    h = HeapBuilder()
    h.struct(names[0], next="unsafe.Pointer")
    first, second = h.objects(2, 8, names[0])
    h.edge(first, second)
    h.root(names[1], first, layer=Layer.PROGRAM, path=names[2])
    snapshot = Snapshot(h.build(), names[1])
    texts = [text.decode() for text in decoded(snapshot.export("pprof")).string_table]
    assert names[0].encode("utf-8", "backslashreplace").decode() in texts
    root = ET.fromstring(snapshot.export("svg").decode())
    assert {child.tag.rpartition("}")[2] for child in root} <= {"rect", "text", "path", "g"}
    for line in snapshot.export("folded").decode().splitlines():
        assert re.fullmatch(r"[^;]+(;[^;]+)* \d+", line)
    for line in snapshot.export("dot").decode().splitlines()[3:-1]:
        text = r'"(?:[^"\\]|\\["\\l])*"'
        assert re.fullmatch(
            rf"  n\d+ (\[label={text}, fillcolor={text}\]|-> n\d+ \[penwidth=[\d.]+\]);", line
        )
    report = snapshot.why()
    for page in (report._repr_html_(), snapshot.chains("0")._repr_html_()):
        assert tags(page) <= {"p", "b", "table", "tr", "th", "td", "ul", "li"}


def tags(page: str) -> set[str]:
    """Elements of a page, which must close each other in order and have no attributes."""
    seen: set[str] = set()
    still_open: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert attrs == []
            seen.add(tag)
            still_open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert still_open.pop() == tag

    reader = Reader()
    reader.feed(page)
    reader.close()
    assert still_open == []
    return seen


def test_a_drawing_has_the_largest_boxes() -> None:
    nodes = tuple(ChainNode(link=f"main.v{k}", objects=1, bytes=1000 - k) for k in range(300))
    drawing = draw(examples.chains(chains=nodes, bytes=100_000))
    assert [box.lines[0] for box in drawing.boxes] == [f"main.v{k}" for k in range(MOST)]
    assert drawing.boxes[0].share == 0.01


def test_a_drawing_of_one_object_has_all_its_chains() -> None:
    routes = (
        Chain(root="main.a", links=(".b",), end="main.T"),
        Chain(root="main.a", links=(".c",), end="main.T"),
    )
    drawing = draw(examples.chains(kind="object", routes=routes))
    (box,) = drawing.boxes
    assert [child.lines for child in box.children] == [[".b"], [".c"]]
    assert dot(drawing).count("->") == 6  # four arrows, two ends
    ET.fromstring(svg(drawing))


def test_a_drawing_of_nothing_is_well_formed() -> None:
    empty = Drawing("nothing", [])
    assert dot(empty).startswith("digraph")
    ET.fromstring(svg(empty))


def test_long_lines_of_a_picture_are_cut_and_there_in_full() -> None:
    end = TypeSum(type="x" * 200, objects=1, bytes=8)
    node = ChainNode(link="main.v", objects=1, bytes=8, ends=(end,))
    picture = svg(draw(examples.chains(chains=(node,))))
    assert "x" * 200 in picture
    assert f"{'x' * 26}…{'x' * 20}" in picture


def test_a_notebook_shows_findings_queries_and_chains() -> None:
    snapshot = Snapshot(small(), "small")
    page = snapshot.findings()._repr_html_()
    assert "<td>GR101 subslice-pins-array</td>" in page
    assert "main.cache[" in page
    assert snapshot.why()._repr_html_().startswith("<p><b>shop</b> pid 4242, go1.26.6, ")
    assert "main.cache" in snapshot.chains("main.Entry")._repr_html_()
    columns = (QueryColumn(name="<a>", type="VARCHAR"),)
    rows = (("<script>",), (None,), *((k,) for k in range(notebook.MOST)))
    report = QueryReport(goretain="0", look=examples.look(), sql="", columns=columns, rows=rows, more=True)
    page = report._repr_html_()
    assert "<th>&lt;a&gt;</th>" in page
    assert "<td>&lt;script&gt;</td></tr>\n<tr><td></td></tr>" in page
    assert "2 more rows" in page
    assert "there are more rows" in page
    assert tags(page) == {"table", "tr", "th", "td", "p"}


def test_findings_are_still_a_tuple() -> None:
    found = Snapshot(small(), "small").findings()
    assert isinstance(found, tuple)
    assert found == tuple(found)
    assert notebook.Findings()._repr_html_() == "<p>no findings</p>"
