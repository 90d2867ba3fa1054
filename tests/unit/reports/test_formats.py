"""Text, Markdown and JSON of the same answers; golden files hold whole pages (--update writes them anew)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.model.findings import Chain, Confidence
from goretain.reports import json as json_report
from goretain.reports import markdown, text
from goretain.reports.results import ChainsReport, Coverage, DiffReport, GoroutineSection, Sampling, WhyReport
from tests.unit.reports import examples

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "golden"
NASTY = st.text(st.sampled_from("ab|`*_[]<>#\\\n\r\x1b\u202e é世"), min_size=1, max_size=30)


def compare(name: str, shown: str, request: pytest.FixtureRequest) -> None:
    path = GOLDEN / name
    if request.config.getoption("--update"):
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8")


@pytest.mark.parametrize("width", [80, 200])
def test_why_as_text(width: int, request: pytest.FixtureRequest) -> None:
    compare(f"why-{width}.txt", text.render_why(examples.why(), width).text, request)


@pytest.mark.parametrize("width", [80, 200])
def test_diff_as_text(width: int, request: pytest.FixtureRequest) -> None:
    compare(f"diff-{width}.txt", text.render_diff(examples.diff(), width).text, request)


@pytest.mark.parametrize("width", [80, 200])
def test_chains_as_text(width: int, request: pytest.FixtureRequest) -> None:
    compare(f"chains-{width}.txt", text.render_chains(examples.chains(), width).text, request)


def test_chains_to_one_object_as_text() -> None:
    routes = (Chain(root="main.a", links=(".b",), end="main.T"), Chain(root="main.c", links=(), end="main.T"))
    report = examples.chains(kind="object", name="main.T at 0xc000000000", routes=routes, routes_total=5)
    page = text.render_chains(report, 80).text
    assert page.partition("Shortest chains, from 5 roots\n")[2] == (
        "  main.a.b -> main.T\n  main.c -> main.T\n  3 more roots: --top 5\n"
    )


def test_one_sampled_object_has_the_stack_that_allocated_it() -> None:
    report = examples.chains(kind="object", allocated=("main.load load.go:31", "main.main"), chains=())
    page = text.render_chains(report, 80).text
    assert "\nAllocated by " in page
    assert (
        page.partition("Allocated by ")[2]
        .partition("\n")[2]
        .startswith("  main.load load.go:31\n  main.main\n")
    )


@pytest.mark.parametrize(
    ("rate", "objects", "said"),
    [
        (0, 0, "nothing: the program records no allocation sites (runtime.MemProfileRate is 0)"),
        (None, 0, "nothing: whether the program records allocation sites is unknown"),
        (
            1 << 19,
            0,
            "0 of 2,310,455 objects, with the stacks that allocated them (one per 512.0 KiB allocated)",
        ),
        (0, 1, "nothing: the program records no allocation sites (runtime.MemProfileRate is 0)"),
        (0, 9, "9 of 2,310,455 objects, with the stacks that allocated them; no more are recorded"),
    ],
)
def test_what_is_not_sampled_is_not_said_to_be_nothing(rate: int | None, objects: int, said: str) -> None:
    report = examples.why(sampling=Sampling(rate=rate, objects=objects, stacks=objects))
    assert f"  sampled    {said}\n" in text.render_why(report, 200).text


def test_a_place_without_enough_samples_is_not_named() -> None:
    few = msgspec.structs.replace(examples.sampled(), sites=())
    report = examples.why(findings=1, holders=1)
    report = msgspec.structs.replace(
        report,
        findings=tuple(msgspec.structs.replace(f, sampled=few) for f in report.findings),
        holders=tuple(msgspec.structs.replace(h, sampled=few) for h in report.holders),
    )
    assert "sampled (" not in text.render_why(report, 80).text + markdown.render_why(report)


def test_what_if_is_said_in_text_and_markdown() -> None:
    report = examples.why(without=examples.what_if())
    page = text.render_why(report, 80).text
    assert page.partition("Without main.sessions and 1 more\n")[2].startswith(
        "  comes back 100.0 MiB in 400,000 objects, 12.3% of the live heap: nothing else\n"
        "             reaches it\n"
        "               99.0 MiB  390,000 x main.Session\n"
        "  stays      3.0 KiB in 17 objects: others reach it too\n"
        "                3.0 KiB  goroutine 7 [select] main.(*server).janitor\n"
        "                         8 more: --json\n"
    ), page
    freed = "- without `main.sessions` and 1 more: **100.0 MiB** in 400,000 objects come back"
    assert f"{freed}, 3.0 KiB stay: others reach them" in markdown.render_why(report).splitlines()


def test_why_and_diff_as_markdown(request: pytest.FixtureRequest) -> None:
    compare("why.md", markdown.render_why(examples.why()), request)
    compare("diff.md", markdown.render_diff(examples.diff()), request)


def test_why_and_diff_as_json(request: pytest.FixtureRequest) -> None:
    compare("why.json", json_report.render(examples.why()), request)
    compare("diff.json", json_report.render(examples.diff()), request)
    compare("chains.json", json_report.render(examples.chains()), request)


@pytest.mark.parametrize("name", json_report.SCHEMAS)
def test_the_schemas_in_docs_are_those_of_the_structs(name: str, request: pytest.FixtureRequest) -> None:
    path = ROOT / "docs" / "schema" / name
    if request.config.getoption("--update"):
        path.write_text(json_report.schema(name), "utf-8")
    assert path.read_text("utf-8") == json_report.schema(name)


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        (examples.why(without=examples.what_if()), WhyReport),
        (examples.diff(), DiffReport),
        (examples.chains(), ChainsReport),
    ],
)
def test_json_holds_everything(
    report: WhyReport | DiffReport | ChainsReport, kind: type[WhyReport | DiffReport | ChainsReport]
) -> None:
    assert msgspec.json.decode(json_report.render(report), type=kind) == report


def test_the_docs_of_the_schema_name_every_field() -> None:
    page = (ROOT / "docs" / "json-schema.md").read_text("utf-8")
    for name in json_report.SCHEMAS:
        for struct in json.loads(json_report.schema(name))["$defs"].values():
            for field in struct.get("properties", {}):
                assert f"`{field}`" in page, field


def test_unknown_is_never_zero() -> None:
    report = examples.why(look=examples.look(pause_ns=None, rss_bytes=None, copied_bytes=None))
    report = msgspec.structs.replace(report, coverage=Coverage())
    page = text.render_why(report, 200).text
    assert "RSS        unknown" in page
    assert "pause      unknown" in page
    assert "enumerated unknown, typed unknown of bytes, held by a named root unknown" in page
    assert "RSS unknown" in markdown.render_why(report)
    assert json.loads(json_report.render(report))["look"]["rss_bytes"] is None


def test_a_core_has_no_pause_and_notes_are_shown() -> None:
    look = examples.look(source="core", pause_ns=None, notes=("the core is truncated at 0x7f00",))
    page = text.render_why(examples.why(look=look), 80).text
    assert page.startswith("shop  core of pid 4242, go1.26.6")
    assert "pause" not in page
    assert "note       the core is truncated at 0x7f00" in page


def test_no_findings_says_so_and_what_was_asked() -> None:
    report = examples.why(
        findings=0, findings_total=0, min_bytes=1 << 20, focus="main.", small_findings=2, holders_total=3
    )
    report = msgspec.structs.replace(report, findings=())
    page = text.render_why(report, 80).text
    assert "No findings from 1.0 MiB, under main." in page
    assert "2 smaller than 1.0 MiB" in page


def test_holders_of_crumbs_are_shown_on_demand() -> None:
    report = examples.why()
    assert "net/http.DefaultServeMux\n" not in text.render_why(report, 200).text.partition("Top holders")[2]
    assert "net/http.DefaultServeMux\n" in text.render_why(report, 200, small=True).text


@given(name=NASTY, count=st.integers(0, 30), notes=st.lists(NASTY, max_size=20))
@settings(deadline=None)
def test_markdown_is_at_most_60_lines_and_no_name_gets_out_of_its_place(
    name: str, count: int, notes: list[str]
) -> None:
    chain = Chain(root=name, links=(name,) * 20, end=name)
    confidence = Confidence(level="likely", reason=name, decide=name)
    found = tuple(
        examples.finding(at, chain=chain, confidence=confidence, type=name, fix=name, also_from=(name,) * 9)
        for at in range(count)
    )
    report = examples.why(holders=30, look=examples.look(program=name, notes=tuple(notes)))
    report = msgspec.structs.replace(report, findings=found, findings_total=count)
    lines = markdown.render_why(report).splitlines()
    assert len(lines) <= 60
    assert lines[-1] == "goretain 0.1.0"
    assert not any("\x1b" in line or "\u202e" in line for line in lines)
    shape = re.compile(r"(#{3} |- |\*\*|\d+\. |   - |\.\.\. |\||goretain |$)")
    assert all(shape.match(line) for line in lines)


@given(text_=NASTY)
def test_a_code_span_ends_where_its_name_ends(text_: str) -> None:
    span = markdown.code(text_)
    fence = re.match(r"`+", span)
    assert fence is not None
    inner = span[len(fence[0]) : -len(fence[0])]
    assert re.search(rf"(?<!`){fence[0]}(?!`)", inner) is None


@given(name=NASTY)
@settings(deadline=None)
def test_text_of_a_nasty_program_is_printable(name: str) -> None:
    chain = Chain(root=name, links=(name, name), end=name)
    report = examples.why(look=examples.look(program=name, go_version=name, notes=(name,)))
    report = msgspec.structs.replace(
        report, findings=(examples.finding(chain=chain, type=name, pattern=name),)
    )
    assert all(line.isprintable() for line in text.render_why(report, 80).text.split("\n"))


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (examples.goroutine_section(), "640 of 1,196 leaked: 40.0 MiB and stacks of 5.0 MiB"),
        (examples.goroutine_section(proved=False), "640 of 1,196 probably leaked"),
        (examples.goroutine_section(leaked=None, leaked_bytes=None), "which are leaked is unknown"),
    ],
)
def test_what_is_known_of_leaked_goroutines_is_said(section: GoroutineSection, said: str) -> None:
    page = text.render_why(examples.why(goroutines=section), 120).text
    assert said in page.partition("\nGoroutines")[2].splitlines()[0]
    shown = markdown.render_why(examples.why(goroutines=section))
    assert ("leaked**" in shown) == (section.leaked is not None)


def test_stacks_that_hold_nothing_are_not_shown() -> None:
    quiet = tuple(
        msgspec.structs.replace(row, leaked=False, retained_bytes=0)
        for row in examples.goroutine_section().stacks
    )
    page = text.render_why(examples.why(goroutines=examples.goroutine_section(stacks=quiet)), 120).text
    assert "\nGoroutines" not in page
