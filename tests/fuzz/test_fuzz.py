"""Damaged snapshots, images, cores, binaries, heap dumps: refused, or read with sums that agree.

Replay one mutation: ``python -m tests.fuzz.worker FOLDER/NAME.json FOLDER KIND SEED 1`` with the folder that
the failure names (``pytest --basetemp`` keeps it).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.made import FEW, PROGRAMS, Program, make
from tests.fuzz.subjects import KINDS

ROOT = Path(__file__).resolve().parents[2]
#: Mutations of one kind of file of one program: a cheap kind gets more.
SHARES = {"snapshot": 10, "image": 4, "core": 3, "binary": 3, "heapdump": 4}
LONG, SHORT = 10_000, 200
#: Notes that say that sums are too small.
LOSSES = ("not counted", "not followed", "is unknown", "counts are wrong", "not captured", "are missed")
#: At a time, in the long run.
WORKERS = 2


@dataclass(frozen=True)
class Job:
    """A share of the mutations of one kind of one program, for one worker."""

    made: Path
    kind: str
    count: int
    folder: Path

    def command(self, coverage: Path | None = None) -> list[str]:
        words = [sys.executable, "-m", "tests.fuzz.worker", self.made, self.folder, self.kind, 0, self.count]
        return [*map(str, words), *([str(coverage)] if coverage else [])]

    def outcomes(self) -> list[dict[str, Any]]:
        file = self.folder / "outcomes"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def jobs(folder: Path, count: int, programs: Sequence[Program] = PROGRAMS) -> Iterator[Job]:
    """count mutations and a few more, by the shares of kinds and the weights of programs."""
    weights = sum(program.weight for program in programs) * sum(SHARES.values())
    for program in programs:
        made = make(program, folder)
        for kind in KINDS:
            place = folder / f"{program.name}-{kind}"
            place.mkdir()
            yield Job(made, kind, -(-count * SHARES[kind] * program.weight // weights), place)


def run(waiting: list[Job], *, coverage: bool, timeout: float) -> list[str]:
    """Run all jobs, WORKERS at a time; what went wrong, one line each."""
    wrong: list[str] = []
    running: list[tuple[Job, subprocess.Popen[str]]] = []
    while waiting or running:
        while waiting and len(running) < WORKERS:
            job = waiting.pop()
            measured = job.folder / "coverage" if coverage else None
            words = job.command(measured)
            process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)
            running.append((job, process))
        job, process = running.pop(0)
        _, errors = process.communicate(timeout=timeout)
        wrong += problems(job, process.returncode, errors)
    return wrong


def problems(job: Job, code: int, errors: str) -> list[str]:
    name = f"{job.made} {job.kind}"
    rows = job.outcomes()
    found = [f"{name} seed {row['seed']}: {row['error']}" for row in rows if row["what"] == "failed"]
    if code or len(rows) != job.count + 1:
        at = (job.folder / "at").read_text().strip() if (job.folder / "at").exists() else "none"
        found.append(f"{name} seed {at}: the worker ended with {code}: {errors[-3000:]}")
    if rows and rows[0]["what"] != "read":
        found.append(f"{name}: undamaged it was {rows[0]}")
    if rows and job.kind == "binary":
        # What damages the binary's own tables cannot change what is in memory.
        sums = rows[0].get("sums")
        other = [row for row in rows if row["what"] == "read" and row["sums"] != sums]
        changed = [row for row in other if not any(loss in note for note in row["notes"] for loss in LOSSES)]
        found += [f"{name} seed {row['seed']}: {row['sums']} instead of {sums}" for row in changed]
    return found


def table(done: list[Job]) -> str:
    lines = []
    for kind in KINDS:
        rows = [row for job in done if job.kind == kind for row in job.outcomes() if row["seed"] >= 0]
        counts = Counter(row["what"] for row in rows)
        slowest = max(row["seconds"] for row in rows)
        lines.append(
            f"{kind:10} {len(rows):6,} damaged  {counts['refused']:6,} refused  {counts['read']:6,} read"
            f"  slowest {slowest:.1f} s"
        )
    return "\n".join(lines)


def test_damaged_files_are_refused_or_read_with_sums_that_agree(tmp_path: Path) -> None:
    todo = list(jobs(tmp_path, SHORT, FEW))
    assert run(list(todo), coverage=False, timeout=600) == []
    print("\n" + table(todo))


@pytest.mark.long
def test_ten_thousand_damaged_files(tmp_path: Path) -> None:
    todo = list(jobs(tmp_path, LONG))
    wrong = run(list(todo), coverage=True, timeout=1800)
    print("\n" + table(todo))
    assert wrong == []
    assert covered([job.folder / "coverage" for job in todo]) >= 85


def covered(files: list[Path]) -> float:
    """Percent of the readers' lines that ran."""
    import coverage

    whole = coverage.Coverage(files[0].with_name("whole"))
    whole.combine(map(str, files))
    include, omit = ([f"{ROOT}/src/goretain/{name}" for name in names] for names in (READERS, OMITTED))
    return whole.report(include=include, omit=omit, show_missing=True)


#: What decodes files; the rest of capture deals with live processes, or writes.
READERS = (
    "snapshot/*",
    "capture/cores/core.py",
    "capture/cores/corefile.py",
    "capture/cores/truncated.py",
    "capture/binaries/program.py",
    "capture/imagefile/binary.py",
    "capture/imagefile/blocks.py",
    "capture/imagefile/contents.py",
    "capture/imagefile/files.py",
    "capture/imagefile/reader.py",
    "capture/imagefile/sparse.py",
    "capture/imagefile/tables.py",
    "debuginfo/*",
    "golang/*",
)
#: Looks for debug files by their names, which no damage to files changes.
OMITTED = ("debuginfo/beside/separate.py",)
