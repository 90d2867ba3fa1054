"""Each rule that exactness rests on is needed: with the rule switched off, a test of another file turns red.

One capture is read twice, as it should be and with one rule replaced; the first reading must pass the named
test, the second must fail it. (That spill slots hold arguments is also shown by itself in
``tests/unit/golang/test_roots.py``.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from goretain.capture.image import Image
from goretain.golang.layout import Program
from goretain.golang.memory import objects, spans
from goretain.golang.memory.sweeping import Marks
from goretain.golang.roots import rootobjects
from goretain.golang.stacks import stackscan
from goretain.golang.types import masks
from goretain.golang.types.universe import TypeUniverse
from goretain.heap.heap import Heap
from goretain.kernels.heapscan import Masks
from tests.support.golang import Target
from tests.zoo import test_exact as exact
from tests.zoo import test_planted as planted

I64 = NDArray[np.int64]


def swept(image: Image, program: Program, read: Callable[[str], I64], marks: Marks) -> NDArray[np.bool_]:
    """As if no span waited for its sweep."""
    return np.zeros(len(marks.at), np.bool_)


def no_inline_marks(image: Image, start: I64) -> I64:
    """As if Green Tea kept no marks inside spans."""
    return np.full(len(start), -1, np.int64)


def first_elements(universe: TypeUniverse, keys: I64) -> Masks:
    """As if the mask of an array's type were that of the whole array."""
    found = masks.read_masks(universe, keys)
    return found._replace(size=np.full_like(found.size, 1 << 40))


def no_finalizer_roots(*columns: object) -> tuple[NDArray[np.int32], NDArray[np.uint32]]:
    """As if finalizers rooted nothing but their functions."""
    return np.empty(0, np.int32), np.empty(0, np.uint32)


@dataclass(frozen=True, slots=True)
class Mutation:
    """One rule switched off.

    Attributes:
        rule: its name.
        place, name, instead: the attribute to replace, and by what.
        version, state: of ``exact`` that needs the rule.
        fact: the test that must turn red.
    """

    rule: str
    place: object
    name: str
    instead: object
    version: str
    state: str
    fact: Callable[[exact.Reading], None]


_UNREACHED = exact.test_nothing_is_unreached_but_what_awaits_its_finalizer
_MUTATIONS = [
    Mutation(
        *("unswept rule", spans, "find_unswept", swept, "1.23.9", "unswept"),
        exact.test_only_an_unswept_heap_has_dead_objects,
    ),
    Mutation(
        *("inline marks", spans, "_inline_marks", no_inline_marks, "1.27.3", "unswept"),
        exact.test_no_pointer_leads_to_a_free_slot,
    ),
    Mutation("later array elements", objects, "read_masks", first_elements, "1.24.11", "quiet", _UNREACHED),
    Mutation(
        *("spill slots", stackscan, "argument_words", lambda plan: (), "1.27.3", "quiet"),
        _UNREACHED,
    ),
    Mutation(
        *("finalizer rule", rootobjects, "finalizer_roots", no_finalizer_roots, "1.27.3", "quiet"),
        _UNREACHED,
    ),
    Mutation(
        *("masks on demand", masks.MaskReader, "made_on_demand", lambda self, raw: False, "1.27.3", "quiet"),
        _UNREACHED,
    ),
]


@cache
def captured(version: str, state: str) -> tuple[Target, Image]:
    """One image for all mutations that want the same."""
    return exact.capture(version, "", state)


@pytest.mark.parametrize("mutation", _MUTATIONS, ids=lambda m: m.rule.replace(" ", "-"))
def test_exactness_needs_the_rule(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    target, image = captured(mutation.version, mutation.state)
    mutation.fact(exact.read(mutation.state, target, image))
    monkeypatch.setattr(mutation.place, mutation.name, mutation.instead)
    mutated = exact.read(mutation.state, target, image)
    with pytest.raises(AssertionError):
        mutation.fact(mutated)


def test_holders_need_layered_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    planted.check_variants("1.27.3")
    monkeypatch.setattr(Heap, "graph", property(lambda heap: heap.strict))
    with pytest.raises(AssertionError):
        planted.check_variants("1.27.3")
