"""What only a context that lasts keeps alive is reported; so are chains that a loop has made."""

from __future__ import annotations

import pytest

from goretain.heap.heap import Heap
from goretain.model.findings import Finding
from goretain.snapshot import Layer, TypeInfo
from tests.unit.patterns.heaps import find
from tests.unit.snapshot.synthetic import TYPES, Build

KB = 1 << 10
VALUE = TypeInfo(name="context.valueCtx", kind="struct", size=48)


def found(build: Build) -> list[Finding]:
    snapshot = build.snapshot()
    snapshot.types.append(VALUE)
    return find("GR108", Heap(snapshot))


def context(build: Build, value: int, parent: int | None = None) -> tuple[int, int]:
    """A context and its value; ids."""
    ctx = build.add(48, len(TYPES))
    held = build.add(value)
    build.edges.append((ctx, 5, held))
    if parent is not None:
        build.edges.append((ctx, 1, parent))
    return ctx, held


def sessions(count: int, value: int, layer: Layer = Layer.PROGRAM) -> tuple[Build, list[int]]:
    build = Build()
    node = build.node("main.sessions", layer)
    values = []
    for _ in range(count):
        ctx, held = context(build, value)
        build.roots.append((node, ctx, ""))
        values.append(held)
    return build, values


@pytest.mark.parametrize(("value", "count"), [(104 * KB, 1), (100 * KB, 0)])
def test_values_of_some_size_are_reported_together(value: int, count: int) -> None:
    findings = found(sessions(10, value)[0])
    assert [(f.count, f.saving_bytes) for f in findings] == [(10, 10 * value)] * count


def test_a_value_that_somebody_else_uses_does_not_count() -> None:
    build, values = sessions(10, 512 * KB)
    build.roots.append((build.node("goroutine 9 [select] main.work", Layer.RUNNING), values[0], ""))
    (finding,) = found(build)
    assert (finding.count, finding.saving_bytes) == (9, 9 * 512 * KB)


def test_contexts_of_goroutines_at_work_are_left_alone() -> None:
    assert found(sessions(10, 512 * KB, Layer.RUNNING)[0]) == []


@pytest.mark.parametrize(("links", "count"), [(100, 0), (101, 1), (1000, 1)])
def test_a_chain_of_more_than_a_hundred_links_was_made_by_a_loop(links: int, count: int) -> None:
    build, parent = Build(), None
    for _ in range(links):
        parent, _ = context(build, 4 * KB, parent)
    assert parent is not None
    build.roots.append((build.node("main.last", Layer.PROGRAM), parent, ""))
    findings = found(build)
    assert [(f.count, f.saving_bytes) for f in findings] == [(links, (links - 1) * (4 * KB + 48))] * count
