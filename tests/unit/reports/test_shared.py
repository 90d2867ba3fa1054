"""Memory that several variables hold: every report names them all, and --focus starts its chains at one."""

from __future__ import annotations

import msgspec
import pytest

from goretain.heap.heap import Heap
from goretain.reports import markdown, text
from goretain.reports.results import SharedRow, WhyReport
from goretain.reports.why import why_report
from goretain.snapshot import Layer, ObjectFlag
from tests.unit.reports import examples
from tests.unit.snapshot.synthetic import ENTRY, U8, Build

NAMES = ("main.left", "main.middle", "main.right")


def report(focus: str = "") -> WhyReport:
    """Three variables with the same three entries, each showing 16 bytes of 1 MiB."""
    build = Build()
    nodes = [build.node(name, Layer.PROGRAM) for name in NAMES]
    for _ in range(3):
        entry = build.add(48, ENTRY)
        body = build.add(1 << 20, U8, ObjectFlag.NOSCAN | ObjectFlag.ARRAY | ObjectFlag.LARGE)
        build.edges.append((entry, 2, body))
        build.windows.append((body, entry, 2, 0, 16, 16))
        build.roots += [(node, entry, "") for node in nodes]
    return why_report("7", Heap(build.snapshot()), focus=focus)


def test_a_finding_names_all_who_share_the_memory() -> None:
    shown = report()
    page = text.render_why(shown, 100).text
    assert "     main.left.body (len 16, cap 16) -> [1048576]uint8\n" in page
    assert "     held by    main.left and main.middle and main.right\n" in page
    assert "   - held by `main.left` and `main.middle` and `main.right`\n" in markdown.render_why(shown)


def test_a_name_with_and_in_it_is_one_holder() -> None:
    held = ("main.cats and dogs", "main.right")
    found = examples.finding(1, holder=" and ".join(held), holders=held)
    shown = msgspec.structs.replace(examples.why(), findings=(found,))
    assert "held by `main.cats and dogs` and `main.right`" in markdown.render_why(shown)


@pytest.mark.parametrize("focus", [*NAMES, "main.middle.body"])
def test_in_focus_is_what_any_of_them_holds_with_chains_from_there(focus: str) -> None:
    shown = report(focus)
    assert [f.chain.root for f in shown.findings] == [focus.removesuffix(".body")]
    assert {f.fingerprint for f in shown.findings} == {f.fingerprint for f in report().findings}
    assert [row.chain.root for row in shown.shared] == ([] if focus.endswith("body") else [focus])


def test_nothing_is_in_the_focus_of_one_who_holds_nothing() -> None:
    assert report("main.other").findings == ()


def test_markdown_tells_what_is_shared_and_by_whom() -> None:
    page = markdown.render_why(report())
    assert "**Shared**: reached from several holders, retained by none of them\n" in page
    assert (
        "- 3.0 MiB in 6 objects, held by `main.left`, `main.middle`, `main.right`, mostly `main.left" in page
    )


def test_the_longest_markdown_has_room_for_the_shared_section() -> None:
    notes, names = tuple("abcdef"), tuple("abcdef")
    found = tuple(
        examples.finding(at, holder="main.a and main.b", holders=("main.a", "main.b")) for at in range(9)
    )
    row = SharedRow(bytes=99 << 20, objects=2, holders=names, chain=found[0].chain)
    long = examples.why(holders=30, look=examples.look(notes=notes), shared=(row,) * 9, shared_total=9)
    long = msgspec.structs.replace(long, findings=found, findings_total=9)
    lines = markdown.render_why(long).splitlines()
    assert len(lines) == 60
    assert lines[-1] == "goretain 0.1.0"
    assert sum("held by `a`, `b`, `c`, 3 more, mostly" in line for line in lines) == 3
    assert sum(line.startswith("| ") for line in lines) > 4
