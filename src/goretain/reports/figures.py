"""Measured values over Go versions in as few words as they need. Imports ``model.units``, results, units."""

from __future__ import annotations

from collections.abc import Sequence

from goretain.model.units import iec
from goretain.reports.results import LabRun, Value

#: Texts longer than this are cut: the code of a function is a measurement too.
_LONGEST = 60
#: Sizes that differ by less are one figure: what else a process does adds some bytes to every measurement.
_SAME = 0.02
#: What is left of memory that was given back is not measured more exactly than this.
_REST, _REST_SEEN = 8 << 10, 1 << 10


def figure(runs: Sequence[LabRun], name: str) -> str:
    """A measurement: one value, or the values with the versions that have them."""
    groups: list[tuple[list[str], list[Value]]] = []
    for run in runs:
        if name not in run.figures:
            continue
        value = run.figures[name]
        if groups and all(_same(name, value, other) for other in groups[-1][1]):
            groups[-1][0].append(run.go)
            groups[-1][1].append(value)
        else:
            groups.append(([run.go], [value]))
    if not groups:
        return "not measured"
    if len(groups) == 1:
        return shown(name, groups[0][1][-1])
    sizes = [value for _, values in groups for value in values if isinstance(value, int)]
    if name.endswith("_bytes") and sizes and min(sizes) < _REST_SEEN and max(sizes) < _REST:
        return f"at most {iec(max(sizes))}"
    return ", ".join(f"{shown(name, values[-1])} ({_span(versions)})" for versions, values in groups)


def _same(name: str, one: Value, other: Value) -> bool:
    if name.endswith("_bytes") and isinstance(one, int) and isinstance(other, int):
        return abs(one - other) <= max(_SAME * max(abs(one), abs(other)), 64)
    return one == other


def _span(versions: Sequence[str]) -> str:
    lines = [".".join(version.split(".")[:2]) for version in versions]
    return lines[0] if len(lines) == 1 else f"{lines[0]} to {lines[-1]}"


def shown(name: str, value: Value) -> str:
    """One value: bytes with a unit, numbers with separators, texts as they are, cut where they are long."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return iec(value) if name.endswith("_bytes") else f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3g}"
    text = value or "nothing"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def label(name: str) -> str:
    """A measurement's name as words: ``cleared_bytes`` -> ``cleared``."""
    return name.removesuffix("_bytes").replace("_", " ")
