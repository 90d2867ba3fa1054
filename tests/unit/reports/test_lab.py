"""Claims as text and Markdown: outcomes in words, figures over versions, and everything that is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from goretain import api
from goretain.reports import labpage, text
from goretain.reports.figures import figure
from goretain.reports.results import LabClaim, LabReport, LabRun, Value
from goretain.reports.text.lab import verdict

GO = ("1.21.13", "1.23.9", "1.24.11", "1.27.3")


def runs(name: str, *values: Value) -> list[LabRun]:
    return [
        LabRun(go=go, outcome="true", figures={name: value}, wrong=(), unavailable="")
        for go, value in zip(GO, values, strict=True)
    ]


def claim(**more: Any) -> LabClaim:
    values: dict[str, Any] = dict.fromkeys(("depends_on", "reason", "pattern", "note"), "")
    values |= {
        "id": "A06",
        "claim": "clear(m) frees",
        "source": "an article",
        "correct": "It keeps | the table.",
    }
    values |= {"outcome": "false", "recorded": "false", "agrees": True}
    values |= {"experiment": "e", "title": "Tables", "topic": "maps"}
    values["runs"] = tuple(runs("kept_bytes", 1, 1, 1, 1))
    return LabClaim(**{**values, **more})


@pytest.mark.parametrize(
    ("name", "values", "shown"),
    [
        ("kept_bytes", (1 << 20, (1 << 20) + 900, 1 << 20, 1 << 20), "1.0 MiB"),
        (
            "kept_bytes",
            (2 << 20, 2 << 20, 1 << 20, 1 << 20),
            "2.0 MiB (1.21 to 1.23), 1.0 MiB (1.24 to 1.27)",
        ),
        ("rest_bytes", (-208, 16, 5264, 112), "at most 5.1 KiB"),
        ("allocs", (2, 2, 2, 3), "2 (1.21 to 1.24), 3 (1.27)"),
        ("freed", (True, True, True, True), "yes"),
        ("says", ("", "", "", "x" * 100), f"nothing (1.21 to 1.24), {'x' * 57}... (1.27)"),
        ("half", (0.5, 0.5, 0.5, 0.5), "0.5"),
    ],
)
def test_a_figure_is_as_short_as_its_versions_allow(name: str, values: tuple[Value, ...], shown: str) -> None:
    assert figure(runs(name, *values), name) == shown


def test_outcomes_in_words() -> None:
    assert verdict(claim()) == "false"
    assert verdict(claim(outcome="untestable", reason="no workload")) == "can't be tested: no workload"
    assert verdict(claim(outcome=None)) == "unknown: something was not measured"
    assert verdict(claim(outcome="true", depends_on="swiss_maps")) == "true here; depends on swiss_maps"
    classic = LabRun(go="1.23.9", outcome="true", figures={}, wrong=(), unavailable="")
    swiss = LabRun(go="1.24.11", outcome="false", figures={}, wrong=(), unavailable="")
    depends = claim(outcome="depends", depends_on="swiss_maps", runs=(classic, swiss))
    assert verdict(depends) == "depends on swiss_maps: true on 1.23; false on 1.24"


def test_what_is_wrong_is_told_at_the_end() -> None:
    bad = LabRun(go="1.27.3", outcome="true", figures={}, wrong=("it came out true",), unavailable="")
    report = LabReport(
        goretain="0", go=GO, features=(), claims=(claim(runs=(bad,), agrees=False),), disagree=1
    )
    lines = text.render_lab(report, 80).text.splitlines()
    assert lines[-1] == "  A06 on Go 1.27.3: it came out true"


def test_a_page_has_a_chapter_a_section_and_the_claim() -> None:
    report = LabReport(goretain="0", go=GO, features=(), claims=(claim(pattern="GR103"),), disagree=0)
    page = labpage.render_lab(report, patterns={"GR103": "x/doc.md"})
    head, chapter, section, heading, fact = page.split("\n\n")[:5]
    assert head == "1 claim on Go 1.21.13, 1.23.9, 1.24.11, 1.27.3: 1 false."
    assert (chapter, section, heading) == ("## Maps", "### Tables", "#### A06: clear(m) frees")
    assert fact == "**False.** It keeps \\| the table."
    assert "- kept: `1 B`\n" in page
    assert "\nSaid in an article.\n" in page
    assert page.endswith("goretain finds such memory as [GR103](x/doc.md).\n")


def test_everything_that_is_recorded_fits_80_columns() -> None:
    report = api.lab_table()
    for page in (text.render_lab, text.render_lab_table, text.render_lab_list):
        assert [line for line in page(report, 80).text.splitlines() if len(line) > 80] == []
