"""Which of several layouts is that of a program: the one by which the runtime is found in memory.

A binary may not say which Go made it (garble writes ``unknown``). Layouts that all fit are told apart by the
texts of ``runtime.waitReasonStrings`` (runtime/runtime2.go), which grew with the releases, and by the slots
of small spans, of which ``runtime.spanInlineMarkBits`` (mgcmark_greenteagc.go) takes some, and by a map
type. Imports ``debuginfo``, ``golang.locate`` siblings and ``model``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from goretain.debuginfo.elf.elf import PF_W, PT_LOAD, Elf
from goretain.golang.locate.heap import has_inline_marks, span_list
from goretain.golang.locate.locate import locate
from goretain.golang.locate.module import has_swiss_maps
from goretain.golang.locate.words import Fields, Memory, Read
from goretain.model.errors import UnknownLayout

_ATTEMPTS = 4
F = TypeVar("F", bound=Fields)


def choose(
    read: Read, elf: Elf, bias: int, layouts: Sequence[tuple[F, Sequence[str]]]
) -> tuple[F, dict[str, int]]:
    """The layout that fits, and link addresses of the runtime's variables.

    Args:
        read, elf, bias: see ``locate``.
        layouts: candidates, best first, each with its texts of runtime.waitReason by value (or none).

    A process that runs changes while it is read, so all is tried again, unless nothing changes. Raises
    RuntimeNotFound, UnknownLayout: of the candidate that went farthest.
    """
    failed: list[UnknownLayout] = []
    states: list[int] = []
    while len(states) < _ATTEMPTS and len(set(states)) == len(states):
        found: list[tuple[F, Sequence[str], dict[str, int]]] = []
        for layout, texts in layouts:
            try:
                places = locate(read, elf, bias, layout)
            except UnknownLayout as error:
                failed.append(error)
            else:
                found.append((layout, texts, places))
        if len(found) > 1:
            found.sort(key=lambda one: _fit(Memory(read), bias, *one), reverse=True)
        if found:
            layout, _, places = found[0]
            return layout, places
        states.append(_state(read, elf, bias))
    raise max(failed, key=lambda error: _ORDER.get(error.struct, 0))


#: How far ``locate`` came when it did not find a variable.
_ORDER = {"runtime.firstmoduledata": 1, "runtime.mheap_": 2, "runtime.persistentChunks": 3}
_ORDER |= dict.fromkeys(("runtime.allm", "runtime.allgs", "runtime.allp", "runtime.itabTable"), 4)


def _state(read: Read, elf: Elf, bias: int) -> int:
    """Tells the variables of a program now from those a moment ago."""
    parts = [s for s in elf.segments if s.type == PT_LOAD and s.flags & PF_W]
    blocks = [Memory(read).block(s.vaddr + bias, s.vaddr + s.memsz + bias) for s in parts]
    return hash(tuple(block.words.tobytes() for block in blocks if block is not None))


def _fit(
    memory: Memory, bias: int, layout: Fields, texts: Sequence[str], places: dict[str, int]
) -> tuple[int, int]:
    """How well a layout fits: the number of wait reasons if all agree, and how many features do."""
    at = places.get("runtime.waitReasonStrings")
    reasons = 0 if at is None else _agreeing(memory, at + bias, texts)
    marks = has_inline_marks(span_list(places["runtime.mheap_"] + bias, memory, layout), memory, layout)
    swiss = has_swiss_maps(places["runtime.firstmoduledata"] + bias, memory, layout)
    features = ((marks, "runtime.spanInlineMarkBits"), (swiss, "internal/runtime/maps.Map"))
    agree = sum(seen is None or seen == layout.has_struct(struct) for seen, struct in features)
    return (reasons if reasons == len(texts) else 0), agree


def _agreeing(memory: Memory, at: int, texts: Sequence[str]) -> int:
    """How many of the strings at an address have these texts."""
    found = 0
    for i, text in enumerate(texts):
        header = memory.words(at + 16 * i, 2)
        if header is None or header[1] != len(text.encode()):
            break
        if text and memory.bytes(int(header[0]), len(text.encode())) != text.encode():
            break
        found += 1
    return found
