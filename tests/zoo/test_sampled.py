"""Allocation sites: as many sampled objects for each stack as the program's own heap profile has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from goretain.debuginfo.pclntab.pclntab import printed_name
from goretain.heap.heap import Heap
from goretain.reports import text
from goretain.reports.query import query_report
from goretain.reports.why import why_report
from goretain.snapshot import Snapshot, load, save
from tests.support.golang import VERSIONS, go_program, release, running, wait_until_blocked
from tests.support.heaps import snapshot_of

SHORT = (VERSIONS[0], VERSIONS[-1])
ALL = [pytest.param(v, marks=() if v in SHORT else (pytest.mark.long,)) for v in VERSIONS]
#: Function and place of each frame, innermost first.
Stack = tuple[tuple[str, str], ...]


def look(
    version: str, mode: str, folder: Path, *, stripped: bool = False
) -> tuple[Snapshot, dict[Stack, list[int]]]:
    """A snapshot of tests/zoo/sampled, and per stack what its own profile says: objects and bytes in use."""
    binary = go_program("sampled", version, flags=["-ldflags=-s -w"] if stripped else [])
    # With several Ps, those that have not seen yet that the rate has changed sample once more.
    with running(binary, [mode, str(folder / "profile")], env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        return snapshot_of(target.pid), profile(folder / "profile")


def profile(path: Path) -> dict[Stack, list[int]]:
    """The records of a heap profile as text (pprof's debug=1), which hides what the runtime itself did."""
    found: dict[Stack, list[int]] = {}
    records = path.read_text().partition("\n")[2].partition("\n# runtime.MemStats")[0]
    for record in filter(None, map(str.strip, records.split("\n\n"))):
        head, *frames = record.split("\n")
        count, size = head.partition("[")[0].split(":")
        rows = [line.split() for line in frames if line.startswith("#")]
        stack = shown([(name.rpartition("+")[0], at) for _, _, name, at in rows])
        total = found.setdefault(stack, [0, 0])
        total[0] += int(count)
        total[1] += int(size)
    return {stack: total for stack, total in found.items() if total[0]}


def shown(frames: list[tuple[str, str]]) -> Stack:
    """A stack as a profile prints it."""
    frames = [frame for frame in frames if frame[0] != "runtime.goexit"]
    of_runtime = [name.startswith(("runtime.", "internal/runtime/")) for name, _ in frames]
    first = of_runtime.index(False) if False in of_runtime else 0
    return tuple(frames[first:])


def sampled(snapshot: Snapshot) -> dict[Stack, list[int]]:
    """Per stack the objects with samples, and what the sites table says: objects and bytes."""
    assert snapshot.samples is not None
    assert snapshot.sites is not None
    samples = np.bincount(snapshot.samples.sample_site, minlength=len(snapshot.sites))
    found: dict[Stack, list[int]] = {}
    for site, count in zip(snapshot.sites, samples.tolist(), strict=True):
        stack = shown([(printed_name(f.function), f"{f.file}:{f.line}") for f in site.frames])
        total = found.setdefault(stack, [0, 0, 0])
        assert site.objects is not None
        assert site.bytes is not None
        for k, figure in enumerate((count, site.objects, site.bytes)):
            total[k] += figure
    return found


def check_sites(snapshot: Snapshot, said: dict[Stack, list[int]]) -> None:
    found = {stack: row for stack, row in sampled(snapshot).items() if not _writes_profile(stack)}
    assert {stack: row[0] for stack, row in found.items()} == {stack: row[0] for stack, row in said.items()}
    assert {stack: row[1:] for stack, row in found.items()} == said


def _writes_profile(stack: Stack) -> bool:
    """Whether it was sampled while the profile was written, which does not say it."""
    return any(name.startswith("runtime/pprof.") for name, _ in stack)


def check_timers(snapshot: Snapshot) -> None:
    """Those of setTimers, with the time that is left until they fire."""
    sql = "SELECT kind, function, round(fires_in_ns / 6e10), period_ns, target IS NULL FROM timers"
    found = query_report("sampled", Heap(snapshot), sql, limit=100).rows
    # The runtime's own sleeper (the scavenger) wakes soon; a function without captures is no object.
    assert sorted(row for row in found if row[2] > 0) == [
        ("channel", "time.sendTime", 30.0, 30 * 60 * 10**9, False),
        *[("function", "main.expire", 60.0, 0, True)] * 3,
        ("sleep", "runtime.goroutineReady", 120.0, 0, False),
    ]


@pytest.mark.parametrize("stripped", [False, True], ids=["whole", "stripped"])
@pytest.mark.parametrize("version", ALL)
def test_every_site_has_the_objects_of_the_programs_own_profile(
    version: str, stripped: bool, tmp_path: Path
) -> None:
    snapshot, said = look(version, "every", tmp_path, stripped=stripped)
    check_sites(snapshot, said)
    functions = {stack[:2][k][0] for stack in said for k in range(len(stack[:2]))}
    # Inlined, generic, a closure, of the standard library, deeper than a profile's stack.
    assert {"main.small", "main.push", "main.newBox[...]", "main.fill.func1", "main.descend"} <= functions
    deepest = max(len(site.frames) for site in snapshot.sites or ())
    assert deepest > 50 if release(version) >= (1, 23) else deepest == 32
    if stripped:
        assert snapshot.meta.profile_rate == (0 if release(version) >= (1, 24) else None)


@pytest.mark.parametrize("version", ALL)
def test_the_usual_rate_names_who_allocated_what_a_holder_keeps(version: str, tmp_path: Path) -> None:
    snapshot, said = look(version, "usual", tmp_path)
    check_sites(snapshot, said)
    check_timers(snapshot)
    assert snapshot.meta.profile_rate == 512 << 10
    save(snapshot, tmp_path / "saved.goretain")
    heap = Heap(load(tmp_path / "saved.goretain"))
    report = why_report("sampled", heap, top=1000)
    assert report.sampling is not None
    assert report.sampling.objects >= sum(count for count, _ in said.values())
    by_name = {row.name: row for row in report.holders}
    large = by_name["main.large"].sampled
    assert large is not None
    # Each of 20 arrays of 1 MiB is sampled with probability 1 - e^-2.
    assert [site.text for site in large.sites] == ["main.fill main.go:109"]
    assert 6 <= large.objects <= 21
    records = by_name["main.records"].sampled
    assert records is not None
    assert {site.function for site in records.sites} == {"main.load"}
    page = text.render_why(report, 200).text
    assert f"sampled ({large.objects} objects): " in page
    sql = (
        "SELECT count(*), count(DISTINCT site) FROM samples JOIN sites s ON s.id = site"
        " JOIN dominators d ON d.object = samples.object WHERE state <> 'unreached'"
    )
    answer = query_report("sampled", heap, sql, limit=1)
    assert answer.rows == ((report.sampling.objects, report.sampling.stacks),)


def test_a_program_that_samples_nothing_is_said_to(tmp_path: Path) -> None:
    """Where nothing can read a profile the linker has the runtime record none; or the rate is 0."""
    none, _ = look(VERSIONS[-1], "none", tmp_path)
    with running(go_program("planted", VERSIONS[-1])) as target:
        wait_until_blocked(target.pid)
        without_pprof = snapshot_of(target.pid)
    for snapshot in (none, without_pprof):
        assert snapshot.meta.profile_rate == 0
        page = text.render_why(why_report("sampled", Heap(snapshot)), 200).text
        assert "sampled    nothing: the program records no allocation sites" in page
