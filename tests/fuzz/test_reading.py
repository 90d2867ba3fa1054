"""Damaged profiles, texts, dumps, logs and traces: an error with its offset, or an answer; no crash, no hang.

The files are those of real programs. One mutation again: ``python -m tests.fuzz.reading FOLDER SEED 1`` with
the folder that the failure names (``pytest --basetemp`` keeps it).
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.reading import TRACE
from tests.fuzz.test_fuzz import ROOT
from tests.support import profiles
from tests.support.golang import VERSIONS
from tests.support.traces import trace_of

SHORT, LONG = 60, 1000
_BENCHMARKS = """goos: linux
goarch: amd64
pkg: example.com/store
BenchmarkPut-8   \t 1000000\t      1046 ns/op\t     320 B/op\t       4 allocs/op
BenchmarkPut-8   \t 1000000\t      1051.5 ns/op\t     320 B/op\t       4 allocs/op
BenchmarkGet/size=10-8 \t 5000000\t 240 ns/op\t 12.50 MB/s
PASS
ok  \texample.com/store\t3.102s
"""


def sound(folder: Path) -> None:
    """One file of every form."""
    folder.mkdir()
    oldest, newest = VERSIONS[0], VERSIONS[-1]
    _, kinds = profiles.collect_all(newest, folder)
    for path in kinds[1:]:
        path.write_bytes(gzip.decompress(path.read_bytes()))
    (folder / "lose").unlink()
    texts = [f"/debug/pprof/{kind}?debug=1" for kind in ("heap", "goroutine", "block", "mutex")]
    profiles.collect(oldest, folder, [*texts, "/debug/pprof/goroutine?debug=2"])
    output = folder / "output"
    output.mkdir()
    profiles.ended(newest, output, "/gone", GODEBUG="gctrace=1,scavtrace=1", GOTRACEBACK="all")
    (output / "output").rename(folder / "log")
    (output / "heap").unlink()
    output.rmdir()
    (folder / "benchmarks").write_text(_BENCHMARKS)
    for version, debug in ((VERSIONS[1], ""), (newest, ""), (newest, "traceallocfree=1")):
        scratch = folder.with_name("scratch")
        scratch.mkdir(exist_ok=True)
        trace_of(version, scratch, rounds=1, debug=debug).rename(folder / f"{version}{debug}{TRACE}")


def damage(folder: Path, count: int) -> None:
    """Damage each file so often, and hold every outcome to what it must be."""
    sound(folder / "sound")
    words = [sys.executable, "-m", "tests.fuzz.reading", str(folder), "0", str(count)]
    done = subprocess.run(words, check=False, cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=1800)
    at = (folder / "at").read_text()
    assert done.returncode == 0, f"{at}: {done.stderr[-3000:]}"
    rows: list[dict[str, Any]] = [json.loads(line) for line in (folder / "outcomes").read_text().splitlines()]
    files = [path.name for path in (folder / "sound").iterdir()]
    assert len(rows) == len(files) * count
    assert [row for row in rows if row["what"] == "failed"] == []
    placeless = [row for row in rows if row["what"] == "refused" and row["offset"] is None]
    assert [row for row in placeless if "how fast its clock ticks" not in row["error"]] == []
    for name in files:
        own = [row for row in rows if row["file"] == name]
        counts = Counter(row["what"] for row in own)
        slowest = max(row["seconds"] for row in own)
        print(f"{name:32} {counts['refused']:5} refused {counts['read']:5} read  slowest {slowest:.2f} s")


def test_damaged_profiles_are_refused_with_the_offset_or_read(tmp_path: Path) -> None:
    damage(tmp_path, SHORT)


@pytest.mark.long
def test_thousands_of_damaged_profiles(tmp_path: Path) -> None:
    damage(tmp_path, LONG)
