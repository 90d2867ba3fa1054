"""What a watch of ten processes costs: processor time, memory, file.

Run: ``python -m benchmarks.bench_watch [--for SECONDS] [--every SECONDS]``; as many looks as an hour has
unless told otherwise. Half of the processes are named by PID. They record every allocation, so their profiles
(some 450 stacks) are larger than those of most services. Fails above one percent of a core at a look every
30 s, or 200 MB.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.support.golang import VERSIONS, go_program, running

PROCESSES = 10
#: What issue and docs promise, at a look every half a minute.
CORE, MEMORY, PACE = 0.01, 200e6, 30.0


def main(seconds: float = 120.0, every: float = 1.0) -> None:
    """Watch, and print what it took."""
    with ExitStack() as stack:
        binary = go_program("paced", VERSIONS[-1])
        targets = [stack.enter_context(running(binary)) for _ in range(PROCESSES)]
        names = [str(target.pid) for target in targets[::2]]
        names += [target.facts["url"][0][0] for target in targets[1::2]]
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        start, _ = _watch(names, folder / "once", 0.0, every)
        whole, most = _watch(names, folder / "many", seconds, every)
        size = (folder / "many").stat().st_size
    rounds = int(seconds // every)
    share = (whole - start) / rounds / PACE
    print(f"start and report   {start:.2f} s of CPU, one look at each of {PROCESSES} included")
    print(f"one more look      {(whole - start) / rounds / PROCESSES * 1000:.1f} ms of CPU for each process")
    print(f"a look every {PACE:.0f} s  {share:.2%} of a core for {PROCESSES} processes")
    print(f"largest memory     {most / 1e6:.0f} MB")
    print(f"file               {size / 1e6:.1f} MB after {rounds + 1} looks at each")
    if share > CORE or most > MEMORY:
        raise SystemExit("that is more than docs/growth.md promises")


def _watch(names: list[str], file: Path, seconds: float, every: float) -> tuple[float, int]:
    """Processor seconds and largest resident bytes of one watch."""
    command = [sys.executable, "-m", "goretain.cli.main", "watch", *names, "-o", str(file), "--json"]
    pace = ["--every", f"{every}s", "--for", f"{seconds}s"]
    with subprocess.Popen([*command, *pace], stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--for", dest="seconds", type=float, default=120.0)
    parser.add_argument("--every", type=float, default=1.0)
    asked = parser.parse_args()
    main(asked.seconds, asked.every)
