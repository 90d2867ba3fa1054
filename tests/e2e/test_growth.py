"""``goretain growth`` on heap profiles of a running service, taken one after another."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from goretain.cli import main
from goretain.profile.message import profile_class
from tests.support import profiles
from tests.support.golang import VERSIONS, go_program, running

TICKS = 30


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Profiles of a process, and then of the same program started anew."""
    folder = tmp_path_factory.mktemp("growth")
    taken = []
    for process, ticks in ((0, TICKS), (1, 3)):
        with running(go_program("paced", VERSIONS[-1])) as target:
            for tick in range(ticks):
                profiles.fetched(target, "/tick")
                taken.append(folder / f"{process}-{tick}.pb")
                packed = profiles.fetched(target, "/debug/pprof/heap?gc=1")
                taken[-1].write_bytes(at_minute(packed, process * TICKS + tick))
    return taken


def at_minute(packed: bytes, minute: int) -> bytes:
    """A profile as if it had been taken in that minute: the ticks of a test are not even in time."""
    made = profile_class().FromString(gzip.decompress(packed))
    made.time_nanos = (1_700_000_000 + 60 * minute) * 10**9
    data: bytes = made.SerializeToString()
    return data


def asked(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    assert main.run(["growth", "--json", "--top", "1000", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def trends(report: Any) -> dict[str, str]:
    rows = [*report["grows"], *report["undecided"], *report["settles"]]
    return {row["place"]["function"]: row["trend"] for row in rows}


def test_what_leaks_grows_and_nothing_else_does(
    files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    report = asked(capsys, "--limit", "1GiB", *reversed(files))
    found = trends(report)
    # every object counts at this rate: the runtime's own few, such as threads under load, may rise too
    grows = {name for name, trend in found.items() if trend == "grows" and name.startswith("main.")}
    assert grows == {"main.session"}
    for name in ("entry", "batch", "request", "setting"):
        assert found[f"main.{name}"] == "settles"
    assert [run["profiles"] for run in report["runs"]] == [TICKS, 3]
    assert report["judged"] == 0
    assert "2 processes" in report["notes"][0]
    (leak,) = (row for row in report["grows"] if row["place"]["function"] == "main.session")
    assert len(leak["in_use_bytes"]) == TICKS
    low, slope, high = (leak["bytes_an_hour"][at] for at in (1, 0, 2))
    assert low <= slope <= high
    assert slope == 100 * 1024 * 60
    assert leak["limit_seconds"] == pytest.approx((2**30 - report["in_use_bytes"][-1]) / slope * 3600)
    assert 0 < report["limit_seconds"] <= leak["limit_seconds"]


def test_the_status_says_whether_a_site_grows(files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    paths = list(map(str, files[:TICKS]))
    for level, status in (("grows", 1), ("undecided", 1), ("never", 0)):
        assert main.run(["growth", "--fail-on", level, "--top", "0", *paths]) == status
    assert main.run(["growth", "--fail-on", "grows", *paths[:2]]) == 0  # too few to say so
    capsys.readouterr()


def test_the_page_says_why_and_what_would_decide(
    files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["growth", "--limit", "1GiB", *map(str, files[:TICKS])]) == 0
    page = capsys.readouterr().out
    assert "main.session main.go:" in page
    assert "reached in" in page
    assert main.run(["growth", "--limit", "1KiB", *map(str, files[:TICKS])]) == 0
    assert "1.0 KiB: reached (" in capsys.readouterr().out
    few = files[:5]
    assert main.run(["growth", *map(str, few)]) == 0
    page = capsys.readouterr().out
    assert "none that these profiles show" in page
    assert "to decide: collect 7 more profiles" in " ".join(page.split())


def test_files_that_say_nothing_about_growth_are_refused(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["growth", str(files[0])]) == 2
    assert "two profiles of one process" in capsys.readouterr().err
    goroutines = tmp_path / "goroutines"
    goroutines.write_text("goroutine profile: total 1\n1 @ 0x1\n#\t0x1\tmain.f+0x1\t/a.go:1\n")
    assert main.run(["growth", str(goroutines), str(files[0])]) == 2
    assert "no heap profile" in capsys.readouterr().err
    again = asked(capsys, files[0], files[1], files[1])
    assert again["repeated"] == 1
