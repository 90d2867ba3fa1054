"""Captures of ``tests/zoo/rootzoo`` and ``cgoroots``, each version and state once, read up to the roots."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache

import numpy as np

from goretain.capture.frozen.process import capture_process
from goretain.capture.image import Image
from goretain.capture.source import Plan
from goretain.debuginfo.elf.elf import Elf
from goretain.golang.layout import Program, open_layout
from goretain.golang.memory.spans import SpanTable, read_spans
from goretain.golang.modules import read_modules
from goretain.golang.plan import lean_plan
from goretain.golang.roots.roots import RootSlots, read_roots
from goretain.golang.roots.specials import Specials, read_specials
from goretain.golang.stacks.goroutines import Goroutines, read_goroutines
from goretain.golang.stacks.stacks import Stacks
from goretain.golang.types.gotypes import Leaf
from goretain.golang.types.universe import TypeUniverse
from goretain.snapshot import RootFlag, RootNode
from tests.support.golang import go_program, running, wait_until_blocked


@dataclass(frozen=True, slots=True)
class FoundRoot:
    """One root word in words."""

    node: RootNode
    path: str
    leaf: Leaf | None
    conservative: bool

    @property
    def text(self) -> str:
        return self.node.name + self.path


@dataclass(slots=True)
class Zoo:
    """One capture. bodies: name that the program gave an object -> its addresses, in order."""

    image: Image
    facts: dict[str, list[list[str]]]
    bodies: dict[str, list[int]]
    program: Program
    universe: TypeUniverse
    stacks: Stacks
    goroutines: Goroutines
    spans: SpanTable
    specials: Specials
    roots: RootSlots

    def roots_of(self, name: str) -> list[FoundRoot]:
        """All roots that point to the object of this name."""
        (address,) = self.bodies[name]
        return roots_at(self.roots, address)


def roots_at(roots: RootSlots, address: int) -> list[FoundRoot]:
    """All roots whose value is an address."""
    return [
        FoundRoot(
            roots.nodes[roots.node[i]],
            roots.paths[roots.path[i]],
            roots.leaves[roots.leaf[i]] if roots.leaf[i] >= 0 else None,
            bool(roots.flags[i] & int(RootFlag.CONSERVATIVE)),
        )
        for i in np.flatnonzero(roots.value == address).tolist()
    ]


@cache
def zoo(version: str, state: str = "quiet", *, name: str = "rootzoo", cgo: bool = False) -> Zoo:
    """A capture of a zoo program in a state; kept, because many tests look at it."""
    with running(go_program(name, version, cgo=cgo), [state]) as target:
        if state == "spin":
            time.sleep(0.2)
        else:
            wait_until_blocked(target.pid)
        image = capture_process(target.pid, _plan)
        facts = target.facts
    bodies: dict[str, list[int]] = {}
    for *words, address in facts["Body"]:
        bodies.setdefault(" ".join(words), []).append(int(address))
    program = Program(image, open_layout(image.binary), image.bias)
    universe = TypeUniverse(program, program.layout.descriptions)
    stacks = Stacks(program, universe, read_modules(program))
    goroutines = read_goroutines(program, stacks, image.registers)
    spans = read_spans(image, program)
    specials = read_specials(program, spans)
    roots = read_roots(image, program, universe, stacks, goroutines, specials)
    return Zoo(image, facts, bodies, program, universe, stacks, goroutines, spans, specials, roots)


def _plan(binary: Elf, bias: int) -> Plan:
    return lean_plan(open_layout(binary), bias)


def reread(captured: Zoo) -> RootSlots:
    """The roots of a capture, read again: for tests that switch a rule off."""
    universe = TypeUniverse(captured.program, captured.universe.descriptions)
    stacks = Stacks(captured.program, universe, captured.stacks.modules)
    goroutines = read_goroutines(captured.program, stacks, captured.image.registers)
    specials = read_specials(captured.program, captured.spans)
    return read_roots(captured.image, captured.program, universe, stacks, goroutines, specials)
