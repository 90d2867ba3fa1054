"""A busy server whose threads start and end, the load on it, and captures of it: what they cost it.

The server and a load generator are one Go program (``tests/zoo/loaded``); where wrk is installed it adds
its load. For the tests and for ``benchmarks/bench_load.py``.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from goretain.capture.frozen.process import capture_process
from goretain.capture.source import Plan
from goretain.debuginfo.elf.elf import Elf
from goretain.golang.layout import Layout, open_layout
from goretain.golang.plan import lean_plan
from tests.support.golang import Target, go_program, running

VERSION = "1.26.6"
#: A load that nobody ends, because the tests were killed, ends itself.
LIMIT_SECONDS = 900
CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses of many captures of one process, in nanoseconds.

    Attributes:
        sorted: every time that it stood still. given_up: how many of them were attempts that were given up.
        longest: what the capture with the longest one was spent on.
        faults, switches: page faults of the capturing thread, and how often a processor was taken from it.
    """

    sorted: list[int]
    given_up: int
    longest: str
    faults: int
    switches: int

    @property
    def median(self) -> float:
        return statistics.median(self.sorted)

    @property
    def ratio(self) -> float:
        """The longest by the median."""
        return self.sorted[-1] / self.median

    def __str__(self) -> str:
        p99 = self.sorted[int(len(self.sorted) * 0.99)]
        values = {"min": self.sorted[0], "median": self.median, "p99": p99, "max": self.sorted[-1]}
        shown = "  ".join(f"{name} {value / 1e6:.1f}" for name, value in values.items())
        return (
            f"{len(self.sorted) - self.given_up} captures, pause ms {shown}; the longest is {self.ratio:.2f}"
            f" medians ({self.longest}); {self.given_up} pauses were given up and tried again;"
            f" in all of them {self.faults} page faults and {self.switches} involuntary switches of ours"
        )


@dataclass(slots=True)
class Load:
    """What the clients saw; filled in when the load ends.

    Attributes:
        failures: what went wrong, as the clients name it; longest_ms: the slowest request.
    """

    requests: int = 0
    failures: list[str] = field(default_factory=list)
    longest_ms: float = 0.0


@contextmanager
def busy_server() -> Iterator[tuple[Target, Load]]:
    """The server under load, and what becomes of its clients."""
    binary, seen = go_program("loaded", VERSION), Load()
    with running(binary, ["serve"]) as server:
        port = str(server.fact("Port"))
        clients = [_go_client(binary, port, seen)]
        if shutil.which("wrk"):
            clients.append(_wrk(port, seen))
        with contextlib.ExitStack() as stack:
            for client in clients:
                stack.enter_context(client)
            time.sleep(0.5)
            yield server, seen


@contextmanager
def _go_client(binary: Path, port: str, seen: Load) -> Iterator[None]:
    process = subprocess.Popen(
        [binary, "load", port, str(CONNECTIONS)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield
        process.send_signal(signal.SIGTERM)
        done, failed, longest, why = process.communicate(timeout=10)[0].strip("\n").split(" ", 3)
        seen.requests += int(done)
        seen.longest_ms = int(longest) / 1e6
        if int(failed):
            seen.failures.append(f"{failed} requests failed, the last with {why}")
    finally:
        process.kill()
        process.wait()


@contextmanager
def _wrk(port: str, seen: Load) -> Iterator[None]:
    process = subprocess.Popen(
        [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{LIMIT_SECONDS}s",
            "--timeout",
            "2s",
            f"http://127.0.0.1:{port}/?id=7",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield
        process.send_signal(signal.SIGINT)
        out = process.communicate(timeout=10)[0]
        counted = re.search(r"(\d+) requests in", out)
        assert counted is not None, out
        seen.requests += int(counted[1])
        # wrk prints these lines only when there is something to print.
        seen.failures += [
            f"wrk: {line.strip()}"
            for line in out.splitlines()
            if "Socket errors" in line or "Non-2xx" in line
        ]
    finally:
        process.kill()
        process.wait()


def threads_started(server: Target) -> int:
    """How many threads the server has started and ended since it runs."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.fact('Port')}/threads", timeout=5) as answer:
        return int(answer.read())


def disturbed(pid: int) -> list[str]:
    """Threads of the process that are stopped or traced."""
    found: list[str] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            lines = (task / "status").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue  # threads come and go
        facts = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
        if facts["TracerPid"] != "0" or facts["State"][0] in "tT":
            found.append(f"{task.name}: {facts['State']}, traced by {facts['TracerPid']}")
    return found


def pauses_of(server: Target, captures: int) -> Pauses:
    """Capture again and again, all in this process; raises AssertionError if a capture left a trace."""
    layouts: dict[str, Layout] = {}
    costs: list[tuple[int, int]] = []  # at the beginning and at the end of each pause

    def plan_for(binary: Elf, bias: int) -> Plan:
        if binary.path not in layouts:
            layouts[binary.path] = open_layout(binary)
        return lean_plan(layouts[binary.path], bias)

    def once() -> tuple[list[int], str]:
        steps: list[tuple[str, float]] = []

        def on_phase(phase: str) -> None:
            steps.append((phase, time.monotonic()))
            if phase in ("seizing", "releasing"):
                used = resource.getrusage(resource.RUSAGE_THREAD)
                costs.append((used.ru_minflt + used.ru_majflt, used.ru_nivcsw))

        image = capture_process(server.pid, plan_for, on_phase=on_phase)
        assert sum(image.facts.pauses_ns) == image.facts.pause_ns
        assert disturbed(server.pid) == []
        spent = [
            f"{name} {(after - at) * 1e3:.1f}" for (name, at), (_, after) in itertools.pairwise(steps[1:])
        ]
        return image.facts.pauses_ns, ", ".join(spent)

    for _ in range(3):  # the first ones read the binary and warm the caches
        once()
    costs.clear()
    found = [once() for _ in range(captures)]
    pauses = sorted(itertools.chain.from_iterable(pauses for pauses, _ in found))
    longest = max(found, key=lambda one: max(one[0]))[1]
    faults, switches = (sum(one[1::2]) - sum(one[::2]) for one in zip(*costs, strict=True))
    return Pauses(pauses, len(pauses) - captures, longest, faults, switches)


def first_on_this_machine(work: Callable[[], None]) -> None:
    """Do something in a child whose session goes before all other sessions, where that is allowed.

    How long a pause takes depends on what else runs; only the server and its load are meant to. sched(7).
    """
    child = os.fork()
    if not child:
        failed = True
        try:
            os.setsid()
            with contextlib.suppress(OSError):
                Path("/proc/self/autogroup").write_text("-20")
            work()
            failed = False
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(failed)
    assert os.waitpid(child, 0)[1] == 0
