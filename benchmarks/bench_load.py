"""What a thousand captures cost a busy server: the pauses, the requests that failed, what was left behind.

The server answers HTTP requests while its threads start and end all the time. The captures are made one
after another in one process, so that no pause pays for a first time. Every time that the server stood still
counts, also where the attempt was given up; so do page faults and lost processors of ours in the pauses.
Nothing else should run; where the kernel allows it, the session
of this program goes before others (autogroup, sched(7)).
Run: ``python -m benchmarks.bench_load [captures]``.
"""

from __future__ import annotations

import sys

from tests.support.load import Pauses, busy_server, first_on_this_machine, pauses_of, threads_started

#: The longest pause may be so many medians.
MOST_MEDIANS = 3.0


def main(captures: int = 1000) -> None:
    """Print the figures, from a child process; fails when a request failed or a pause stands out."""
    first_on_this_machine(lambda: _measure(captures))


def _measure(captures: int) -> None:
    with busy_server() as (server, load):
        pauses: Pauses = pauses_of(server, captures)
        threads = threads_started(server)
    print(f"{pauses}; {threads:,} threads started and ended meanwhile")
    print(f"{load.requests:,} requests, {len(load.failures)} kinds of failures {load.failures}")
    print(f"the slowest request took {load.longest_ms:.1f} ms", flush=True)
    assert not load.failures
    assert pauses.ratio < MOST_MEDIANS


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
