"""Children of a context count as lost only when nobody but their parent could use or cancel them."""

from __future__ import annotations

import pytest

from goretain.heap.heap import Heap
from goretain.snapshot import Layer
from tests.unit.patterns.contexts import CANCEL, TIMER, children, heap_of
from tests.unit.patterns.heaps import find
from tests.unit.snapshot.synthetic import Build


def server(count: int, *, size: int = 2048, type: int = CANCEL, layer: Layer = Layer.PROGRAM) -> Heap:
    build = Build()
    node = build.node("main.server", layer)
    return heap_of(build, 0, children(build, node, count, size, type))


def test_children_that_only_their_parent_leads_to_are_lost() -> None:
    (finding,) = find("GR107", server(100))
    assert (finding.holder, finding.count, finding.saving_bytes) == ("main.server", 100, 100 * 2048)
    assert (finding.type, finding.confidence.level) == ("context.cancelCtx", "proved")


def test_those_with_a_deadline_go_when_it_passes() -> None:
    (finding,) = find("GR107", server(100, type=TIMER))
    assert finding.confidence.level == "likely"
    assert finding.confidence.decide


@pytest.mark.parametrize(("count", "size"), [(63, 2048), (100, 512)])
def test_few_children_and_few_bytes_are_left_alone(count: int, size: int) -> None:
    assert find("GR107", server(count, size=size)) == []


def test_what_a_goroutine_at_work_holds_is_left_alone() -> None:
    assert find("GR107", server(100, layer=Layer.RUNNING)) == []


@pytest.mark.parametrize(
    ("layer", "left"), [(Layer.RUNTIME, 100), (Layer.RUNNING, 99), (Layer.PARKED, 99), (Layer.PROGRAM, 99)]
)
def test_a_child_that_somebody_but_the_runtime_refers_to_is_in_use(layer: Layer, left: int) -> None:
    build = Build()
    found = children(build, build.node("main.server", Layer.PROGRAM), 100, 2048)
    build.roots.append((build.node("another", layer), found[7], ""))
    (finding,) = find("GR107", heap_of(build, 0, found))
    assert (finding.count, finding.saving_bytes) == (left, left * 2048)
