"""Reads what a Go program prints of itself: goroutine dumps, panics, SIGQUIT, GODEBUG lines, benchmarks.

The forms are those of runtime/traceback.go (goroutineheader, traceback2, printcreatedby), runtime/panic.go,
runtime/mgc.go (gctrace), runtime/mgcscavenge.go (scavtrace) and testing/benchmark.go. Whatever else stands
between the lines is passed over, and what log collectors put in front of them: this is a log. Imports
``golang.packages``, ``snapshot`` and what ``profile`` has of contents, columns and goroutines.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

from goretain.golang.packages import display_name
from goretain.profile.columns import Label
from goretain.profile.contents import Benchmark, Collection, Contents, Scavenge
from goretain.profile.goroutines import Standing
from goretain.snapshot import Frame

_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
#: What collects logs puts in front of lines: kubectl logs --prefix, docker compose; CRI, journalctl, docker
#: logs -t and kubectl logs --timestamps.
_PREFIX = (
    r"(?:\[pod/[^\]\s]{1,300}\] )?(?:[\w.-]{1,100} {0,100}\| )?"
    rf"(?:{_TIME} (?:stdout|stderr) [FP](?: |$)|"
    rf"(?:{_TIME}|[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d) "
    r"[\w.-]{1,100} [^\s\[\]]{1,100}\[\d{1,10}\]:(?: |$)|"
    rf"{_TIME}(?: |$))?"
)
_IN_FRONT = re.compile(_PREFIX)
_HEADER = re.compile(r"goroutine (\d+)(?: gp=\S+)?(?: m=\S+)?(?: mp=\S+)? \[([^\]]{0,200})\](?: \{(.*)\})?:")
_PLACE = re.compile(r"\t(.*):(\d{1,9})(?: \+0x[0-9a-f]+)?(?: fp=.*)?")
_MINUTES = re.compile(r"(\d{1,12}) minutes")
_WORD = r'"(?:[^"\\]|\\.)*"|[^\s:,"{}]+'
_LABEL = re.compile(rf"({_WORD}): ({_WORD})")
_CREATED = re.compile(r"created by (.+?)(?: in goroutine \d+)?")
_ENDED = re.compile(
    r"(?:panic: |fatal error: |runtime: out of memory|SIG[A-Z]+: |unexpected fault address ).*"
)
_N, _F = r"(\d{1,15})", r"([\d.]{1,20})"
_GC = re.compile(
    rf"gc {_N} @{_F}s {_N}%(?: \(checking for goroutine leaks\))?: {_F}\+{_F}\+{_F} ms clock, "
    rf"{_F}\+{_F}/{_F}/{_F}\+{_F} ms cpu, {_N}->{_N}->{_N} MB, {_N} MB goal, {_N} MB stacks, "
    rf"{_N} MB globals, {_N} P( \(forced\))?\s*"
)
_SCAVENGE = re.compile(
    rf"scav {_N} KiB work \(bg\), {_N} KiB work \(eager\), {_N} KiB now, {_N}% util(?: [(\[][^)\]]*[)\]])?\s*"
)
_BENCHMARK = re.compile(rf"(Benchmark\S*)\s+{_N}\s+(-?[\d.].*)")
_METRIC = re.compile(r"(-?\d[\d.e+-]*)\s+(\S+)")
_MIB = 1 << 20
#: Bytes of a line that are looked at.
_LONGEST = 1 << 16
_KINDS = re.compile(
    rf"^{_PREFIX}(?:goroutine |gc |scav |Benchmark|panic: |fatal error: )".encode(), re.MULTILINE
)


def looks_printed(data: bytes) -> bool:
    """Whether any line is one of those that are read here."""
    return _KINDS.search(data) is not None


def read_printed(data: bytes, name: str) -> Contents:
    """All that a program's output says; of what it does not say there is nothing."""
    reader = _Reader()
    for line in io.BytesIO(data):
        text = line[:_LONGEST].decode("utf-8", "backslashreplace").rstrip("\r\n")
        in_front = _IN_FRONT.match(text)
        reader.line(text[in_front.end() :] if in_front else text)
    reader.blank()
    return Contents(
        name=name,
        goroutines=tuple(reader.goroutines),
        ended=reader.ended,
        collections=tuple(reader.collections),
        scavenges=tuple(reader.scavenges),
        benchmarks=tuple(reader.benchmarks),
    )


@dataclass(slots=True)
class _Goroutine:
    """One goroutine whose lines are being read; call: the function whose place comes next."""

    id: str
    status: str
    labels: tuple[Label, ...]
    frames: list[Frame] = field(default_factory=list)
    created_at: Frame | None = None
    call: str = ""
    creator: bool = False

    def standing(self) -> Standing:
        state, *more = self.status.split(", ")
        waited = [int(match[1]) for part in more if (match := _MINUTES.fullmatch(part))]
        return Standing(
            count=1,
            frames=tuple(self.frames),
            state=state.removesuffix(" (scan)"),
            created_at=self.created_at,
            labels=self.labels,
            minutes=waited[0] if waited else None,
        )


class _Reader:
    """The lines of a log, one after another."""

    def __init__(self) -> None:
        self.goroutines: list[Standing] = []
        self.ended = ""
        self.collections: list[Collection] = []
        self.scavenges: list[Scavenge] = []
        self.benchmarks: list[Benchmark] = []
        self._open: _Goroutine | None = None

    def line(self, line: str) -> None:
        """The next line."""
        if match := _HEADER.fullmatch(line):
            self.blank()
            self._open = _Goroutine(match[1], match[2], _labels(match[3] or ""))
        elif self._open is not None and line:
            self._stack(self._open, line)
        elif not line:
            self.blank()
        elif line.startswith("gc ") and (match := _GC.fullmatch(line)):
            self.collections.append(_collection(match))
        elif line.startswith("scav ") and (match := _SCAVENGE.fullmatch(line)):
            background, eager, released, use = (int(text) for text in match.groups())
            self.scavenges.append(
                Scavenge(
                    background=background << 10, eager=eager << 10, released=released << 10, utilisation=use
                )
            )
        elif line.startswith("Benchmark") and (match := _BENCHMARK.fullmatch(line)):
            self.benchmarks.append(_benchmark(match))
        elif not self.ended and _ENDED.fullmatch(line):
            self.ended = line

    def blank(self) -> None:
        """The end of a goroutine."""
        if self._open is not None and self._open.id != "0":  # the scheduler's own stack of a thread
            self.goroutines.append(self._open.standing())
        self._open = None

    def _stack(self, goroutine: _Goroutine, line: str) -> None:
        """A function with its arguments, or behind it the place of the call."""
        if match := _PLACE.fullmatch(line):
            frame = Frame(goroutine.call, match[1], int(match[2]))
            if goroutine.creator:
                goroutine.created_at = frame
            elif goroutine.call and goroutine.call != "runtime.goexit":
                goroutine.frames.append(frame)
            goroutine.call, goroutine.creator = "", False
        elif match := _CREATED.fullmatch(line):
            goroutine.call, goroutine.creator = display_name(match[1]), True
        elif line.startswith("[originating from goroutine"):
            self.blank()  # what follows are the stacks of its ancestors as they were
        elif line.endswith(")") and "(" in line:
            goroutine.call = display_name(line.rpartition("(")[0])
        elif _GC.fullmatch(line) or _SCAVENGE.fullmatch(line):
            self.blank()
            self.line(line)


def _labels(text: str) -> tuple[Label, ...]:
    """``queue: q1, "a b": c``, as GODEBUG=tracebacklabels=1 prints them."""
    return tuple(Label(key.strip('"'), value.strip('"')) for key, value in _LABEL.findall(text))


def _collection(match: re.Match[str]) -> Collection:
    number, at, percent, before, mark, after, *rest = match.groups()
    _, assist, _, _, _, start, end, live, goal, stacks, variables, procs, forced = rest
    return Collection(
        number=int(number),
        at=_float(at),
        cpu_percent=int(percent),
        pauses_ms=(_float(before), _float(after)),
        mark_ms=_float(mark),
        assist_ms=_float(assist),
        start=int(start) * _MIB,
        end=int(end) * _MIB,
        live=int(live) * _MIB,
        goal=int(goal) * _MIB,
        stacks=int(stacks) * _MIB,
        globals=int(variables) * _MIB,
        procs=int(procs),
        forced=forced is not None,
    )


def _float(text: str) -> float:
    whole, _, part = text.partition(".")
    return float(f"{whole or 0}.{part.replace('.', '') or 0}")


def _benchmark(match: re.Match[str]) -> Benchmark:
    values: dict[str, float] = {}
    for amount, unit in _METRIC.findall(match[3]):
        try:
            values[unit] = float(amount)
        except ValueError:
            continue
    return Benchmark(name=match[1], iterations=int(match[2]), values=values)
