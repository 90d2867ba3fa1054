"""explain against the program itself: what it says allocates, allocates when it runs; sizes are unsafe's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from goretain.api import explain
from goretain.model.errors import ToolchainError, UsageError
from goretain.reports.results import ExplainReport
from tests.support.golang import VERSIONS, ZOO, go_program

PLACE = ZOO / "explained" / "place.go"
OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]
#: The variable or literal whose slot is compared with what an allocation of it takes.
WIDE = "Wide{...}"


def line_of(name: str, file: Path = PLACE) -> int:
    """The line that a comment marks."""
    lines = file.read_text("utf-8").splitlines()
    return next(at for at, text in enumerate(lines, 1) if text.endswith(f"// line: {name}"))


def said(report: ExplainReport, name: str, at: int = 0) -> set[tuple[str, str]]:
    """Kinds and words for a marked line, of one version."""
    line = line_of(name)
    return {(row.kind, row.what) for row in report.evidence if row.line == line and row.counts[at]}


def measured(version: str) -> dict[str, list[str]]:
    """What the program prints about itself."""
    output = subprocess.run(
        [go_program("explained", version)], capture_output=True, text=True, check=True, timeout=60
    )
    rows = [line.split() for line in output.stdout.splitlines()]
    return {" ".join(row[:-1]) if row[0] == "allocates" else row[0]: row[1:] for row in rows}


@pytest.fixture(scope="module")
def both() -> ExplainReport:
    """The whole file, by the oldest Go and the newest."""
    return explain(PLACE, go=[OLDEST, NEWEST])


@pytest.mark.parametrize("at", [0, 1], ids=[OLDEST, NEWEST])
def test_what_is_said_to_allocate_allocates(both: ExplainReport, at: int) -> None:
    facts = measured(both.go[at])
    names = [name.partition(" ")[2] for name in facts if name.startswith("allocates")]
    assert len(names) == 9
    for name in names:
        kinds = {kind for kind, _ in said(both, name, at)}
        allocates = float(facts[f"allocates {name}"][-1]) > 0
        assert ("allocates" in kinds) == allocates, name


@pytest.mark.parametrize("at", [0, 1], ids=[OLDEST, NEWEST])
def test_every_kind_of_decision_is_told(both: ExplainReport, at: int) -> None:
    assert ("heap", "&Loose{...}") in said(both, "stores", at)
    assert ("stack", "&Loose{...}") in said(both, "stays", at)
    assert ("allocates", "runtime.convT64") in said(both, "boxes", at)
    assert ("checks", "index checked") in said(both, "reads", at)
    assert ("leaks", "what") in said(both, "passes", at)
    assert ("inlined", "small") in said(both, "inlines", at)
    assert ("heap", "value") in said(both, "generic", at)
    (stored,) = (row for row in both.evidence if (row.line, row.kind) == (line_of("stores"), "heap"))
    assert stored.why == (f"kept = &Loose{{...}} (assign) line {line_of('stores')}",)


def test_layouts_are_those_of_unsafe(both: ExplainReport) -> None:
    loose = next(row for row in both.structs if row.name == "Loose")
    assert loose.go == both.go
    assert (loose.size, loose.best) == (40, 32)
    facts = [str(loose.size), *(str(field.offset) for field in loose.fields[1:])]
    assert facts == measured(NEWEST)["struct"]
    assert sum(field.size + field.padding for field in loose.fields) == loose.size


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_slot_is_what_the_allocator_takes(version: str) -> None:
    report = explain(PLACE, line_of("wides"), go=[version])
    (wide,) = (row for row in report.sizes if row.text == WIDE)
    assert wide.sizes == (608,)
    assert [str(slot) for slot in wide.slots] == measured(version)["bytes"]


def test_a_test_file_is_compiled_as_one() -> None:
    file = PLACE.with_name("place_test.go")
    report = explain(file, line_of("keeps", file), go=[NEWEST])
    assert ("heap", "&Loose{}") in {(row.kind, row.what) for row in report.evidence}
    assert [row.name for row in report.functions] == ["TestKeeps"]


def test_a_file_without_a_module_is_explained_too(tmp_path: Path) -> None:
    (tmp_path / "alone.go").write_text("package main\n\nvar p *int\n\nfunc main() { p = new(int) }\n")
    report = explain(tmp_path / "alone.go", 5, go=[NEWEST])
    assert ("heap", "new(int)") in {(row.kind, row.what) for row in report.evidence}


def test_what_cannot_be_explained_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "broken.go").write_text("package main\n\nfunc main() { return 1 }\n")
    with pytest.raises(ToolchainError, match=r"cannot compile.*\n.*broken\.go:3:\d+: too many return values"):
        explain(tmp_path / "broken.go", go=[NEWEST])
    with pytest.raises(UsageError, match=re.escape("nowhere_plan9.go is not built by Go")):
        explain(PLACE.with_name("nowhere_plan9.go"), go=[NEWEST])
    with pytest.raises(UsageError, match=r"place\.go has no line 9999"):
        explain(PLACE, 9999, go=[NEWEST])
    with pytest.raises(UsageError, match="is not a Go file"):
        explain(PLACE.with_name("go.mod"), go=[NEWEST])
    with pytest.raises(UsageError, match="there is no file"):
        explain(tmp_path / "missing.go", go=[NEWEST])
