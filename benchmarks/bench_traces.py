"""A large execution trace: goretain beside ``go tool trace``, in events a CPU second.

Of the Go tool the whole process that walks all events and prints what takes how many bytes (``-d=footprint``,
its quickest way through a trace); of goretain the reader in a process whose kernels are loaded, with memory
that the system has yet to give and once more, the same with what the report says, and the whole command.
Run: ``python -m benchmarks.bench_traces [rounds of the traced program]``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.bench_profiles import best, command
from goretain.profile.sources.source import Source
from goretain.profile.trace.read import read_trace
from goretain.reports.profile.trace import trace_report
from tests.support.golang import VERSIONS, toolchain
from tests.support.traces import trace_of

#: What issue 5 asks for: events a CPU second.
SPEED = 10e6
_RUNS = 3


def ours(source: Source) -> tuple[int, float, float]:
    """How many events a trace has, the CPU seconds that it took to read them, and with what they mean."""
    before = time.process_time()
    trace = read_trace(source)
    read = time.process_time()
    trace_report(trace)
    return len(trace), read - before, time.process_time() - before


def main(rounds: int = 2400) -> None:
    """Print the figures; fails where they are worse than asked for."""
    version = VERSIONS[-1]
    with tempfile.TemporaryDirectory() as scratch:
        small, large = (trace_of(version, Path(scratch), rounds=count) for count in (1, rounds))
        compare(small, large, str(toolchain(version).go))


def compare(small: Path, large: Path, go: str) -> None:
    """Print the figures of a large trace; a small one loads what is loaded once."""
    ours(Source("small", small.read_bytes()))  # compiles or loads the kernels
    source = Source("large", large.read_bytes())
    (count, first, _), *more = (ours(source) for _ in range(_RUNS))
    again, answer = min(read for _, read, _ in more), min(whole for _, _, whole in more)
    command([go, "tool", "trace", "-d=footprint", str(small)])  # builds the tool
    of_go = best(lambda: command([go, "tool", "trace", "-d=footprint", str(large)]))
    whole = best(lambda: command([sys.executable, "-m", "goretain.cli.main", "trace", str(large)]))
    speed = [count / took / 1e6 for took in (of_go, first, again, answer, whole)]
    print(f"{count:,} events in {len(source.data) / 1e6:.0f} MB, million a CPU second: go tool trace")
    print(f"  {speed[0]:.1f}, goretain {speed[1]:.1f}, again {speed[2]:.1f}, with what they mean")
    print(f"  {speed[3]:.1f}; the whole command {speed[4]:.1f}", flush=True)
    assert count / again >= SPEED


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
