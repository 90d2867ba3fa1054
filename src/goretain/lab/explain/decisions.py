"""What the compiler decided for each value, and why: reads what ``-m=2`` printed.

Source: cmd/compile/internal/escape (escape.go, solve.go: explainPath, finish) and inline/inl.go. A decision's
reasons stand indented below a line of their own ("x escapes to heap:"), one for each step on the value's way;
its outcome stands on another ("x escapes to heap"). Imports the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

Outcome = Literal["heap", "stack", "leaks", "captures", "inlined"]

_LINE = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<text>.*)$")
_STEP = re.compile(r"^from (?P<what>.*) \((?P<reason>[^()]*)\) at (?P<file>.*):(?P<line>\d+):\d+$")
#: Since Go 1.27 the line above the reasons names the function: "x escapes to heap in main.f:".
_OUTCOMES: tuple[tuple[re.Pattern[str], Outcome], ...] = (
    (re.compile(r"^moved to heap: (?P<what>.*)$"), "heap"),
    (re.compile(r"^(?P<what>.*) escapes to heap(?: in .*)?$"), "heap"),
    (re.compile(r"^(?P<what>.*) does not escape$"), "stack"),
    (re.compile(r"^leaking param(?: content)?: (?P<what>\S+)(?P<more>.*)$"), "leaks"),
    (re.compile(r"^parameter (?P<what>\S+) leaks to (?P<more>.*)$"), "leaks"),
    (re.compile(r"^.* capturing by (?P<more>value|ref): (?P<what>\S+) .*$"), "captures"),
    (re.compile(r"^inlining call to (?P<what>.*)$"), "inlined"),
)
_CAN_INLINE = re.compile(r"^can inline (?P<what>.*?)(?: with cost (?P<cost>\d+) as: .*)?$")
_CANNOT_INLINE = re.compile(r"^cannot inline (?P<what>.*?): (?P<why>.*)$")


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision at a place.

    Attributes:
        line, column: in the file, from 1.
        what: the value in the compiler's words: ``make([]byte, n)``.
        outcome: "heap": it is allocated there; "stack": it is not; "leaks": a parameter whose target must
            outlive the call; "captures": a closure has it; "inlined": the call's code stands here.
        why: steps of its way to where it must outlive the function, ``m[k] = v (assign) line 23``.
    """

    line: int
    column: int
    what: str
    outcome: Outcome
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inlining:
    """Whether a function's calls can be replaced by its code: ``verdict`` in the compiler's words."""

    line: int
    function: str
    verdict: str


def decisions(printed: Iterable[str], file: str) -> list[Decision]:
    """Decisions about a file's lines, by place; each place, value and outcome once.

    Args:
        printed: what the compiler printed for the package; file: base name.
    """
    found: dict[tuple[int, int, str, Outcome], tuple[str, ...]] = {}
    for line, column, text, steps in _entries(printed, file):
        for pattern, outcome in _OUTCOMES:
            match = pattern.match(text.removesuffix(":"))
            if match is not None:
                key = (line, column, match["what"], outcome)
                found[key] = found.get(key) or steps
                break
    _name_moved(found)
    return [Decision(*key, why) for key, why in sorted(found.items())]


def inlinings(printed: Iterable[str], file: str) -> list[Inlining]:
    """What the compiler said about inlining each function that begins in a file."""
    found = []
    for line, _, text, _ in _entries(printed, file):
        if (match := _CAN_INLINE.match(text)) is not None:
            cost = f", cost {match['cost']}" if match["cost"] else ""
            found.append(Inlining(line, match["what"], f"can be inlined{cost}"))
        elif (match := _CANNOT_INLINE.match(text)) is not None:
            found.append(Inlining(line, match["what"], f"not inlined: {match['why']}"))
    return found


def _entries(printed: Iterable[str], file: str) -> Iterator[tuple[int, int, str, tuple[str, ...]]]:
    """Line, column, text and reasons of every entry about the file."""
    head: tuple[int, int, str] | None = None
    steps: list[str] = []
    for text in printed:
        match = _LINE.match(text)
        if match is None or PurePath(match["file"]).name != file:
            continue
        said = match["text"]
        if not said.startswith("  "):
            if head is not None:
                yield *head, tuple(steps)
            head, steps = (int(match["line"]), int(match["column"]), said), []
        elif (step := _STEP.match(said.strip())) is not None and step["reason"] != "spill":
            steps.append(f"{step['what']} ({step['reason']}) {_place(step['file'], file)}{step['line']}")
    if head is not None:
        yield *head, tuple(steps)


def _place(of: str, file: str) -> str:
    """Before the number of a line: another file's name."""
    name = PurePath(of).name
    return "line " if name == file else f"{name}:"


def _name_moved(found: dict[tuple[int, int, str, Outcome], tuple[str, ...]]) -> None:
    """Reasons of "moved to heap: x" stand below "x escapes to heap": one decision, which it already is; what
    was said of one value both ways (a generic function's instances) stays heap."""
    for line, column, what, outcome in list(found):
        if outcome == "stack" and (line, column, what, "heap") in found:
            del found[line, column, what, outcome]
