"""Reads one damaged file after the other in a process of its own, so that a crash is seen and costs no test.

``python -m tests.fuzz.worker MADE.json FOLDER KIND SEED COUNT [COVERAGE]``: writes the seed that it is at to
FOLDER/at before each reading, and one JSON line to FOLDER/outcomes after it.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from goretain.snapshot import Snapshot

#: A reading that takes longer hangs; undamaged files take a tenth of a second.
LIMIT_SECONDS = 60
#: Coverage is measured during the first readings only: it triples what they take.
MEASURED = 40
#: Memory beyond what an undamaged reading takes.
_MEMORY = 2 << 30


def main(made_path: str, folder: str, kind: str, seed: str, count: str, coverage_file: str = "") -> None:
    """Run ``count`` mutations of a kind from a seed on."""
    stop = _measured(coverage_file) if coverage_file else lambda: None
    _run(made_path, Path(folder), kind, range(int(seed), int(seed) + int(count)), stop)


def _measured(coverage_file: str) -> Callable[[], None]:
    """Start to measure; what ends it and saves the result."""
    import coverage

    measured = coverage.Coverage(coverage_file, source=["goretain"])
    measured.start()

    def stop() -> None:
        measured.stop()
        measured.save()

    return stop


def _run(made_path: str, folder: Path, kind: str, seeds: range, stop: Callable[[], None]) -> None:
    import msgspec

    from tests.fuzz.subjects import Made, subject

    _own_cache(folder)
    made = msgspec.json.decode(Path(made_path).read_bytes(), type=Made)
    target = subject(kind, made, folder)
    baseline = _outcome(target.read)
    limit_memory()
    at = (folder / "at").open("w")
    with (folder / "outcomes").open("w") as outcomes:
        outcomes.write(json.dumps({"seed": -1, **baseline}) + "\n")
        for seed in seeds:
            if seed == seeds[0] + MEASURED:
                stop()
            at.seek(0)
            at.write(f"{seed:20d}")
            at.flush()
            faulthandler.dump_traceback_later(LIMIT_SECONDS, exit=True)
            began = time.monotonic()
            with target.damaged(Random(f"{made.name} {kind} {seed}")):
                outcome = _outcome(target.read)
            faulthandler.cancel_dump_traceback_later()
            outcome["seconds"] = round(time.monotonic() - began, 3)
            outcomes.write(json.dumps({"seed": seed, **outcome}) + "\n")
            outcomes.flush()
    if len(seeds) <= MEASURED:
        stop()


def _own_cache(folder: Path) -> None:
    """Indexes of damaged programs stay out of the user's cache, which lends its kernels."""
    from goretain.model.places import user_cache

    kernels = user_cache() / "kernels"
    kernels.mkdir(exist_ok=True)
    os.environ["XDG_CACHE_HOME"] = str(folder)
    link = user_cache() / "kernels"
    if not link.is_symlink():
        link.symlink_to(kernels)


def _outcome(read: Callable[[], Snapshot]) -> dict[str, object]:
    from goretain.model.errors import GoretainError
    from tests.fuzz.checks import report_of

    try:
        report = report_of(read())
    except GoretainError as refused:
        return {"what": "refused", "error": f"{type(refused).__name__}: {refused.message}"}
    except Exception:
        return {"what": "failed", "error": traceback.format_exc()}
    look = report.look
    sums = [report.heap.reachable_objects, report.heap.reachable_bytes, report.heap.unreached_objects]
    return {"what": "read", "sums": sums, "notes": list(look.notes)}


def limit_memory() -> None:
    """From here on memory beyond what is in use is bounded."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(*sys.argv[1:])
