"""What the resident memory of a process is used for: RSS taken apart by what the Go runtime says.

The page tables say which pages are resident (``capture.residency``), the spans and the page allocator which
of them are in use. What is neither the runtime's nor of a file is C's, or was mapped by the program itself.
Imports ``golang.layout``, ``golang.memory``, ``golang.ownmemory``, ``capture``, ``debuginfo.elf``,
``kernels.arenas`` and numpy.
"""

from __future__ import annotations

import numpy as np

from goretain.capture.image import Image
from goretain.capture.ranges import I64, PAGE, aligned, as_ranges, intersect, normalise, subtract, total
from goretain.capture.residency import Residency
from goretain.debuginfo.elf.elf import PT_LOAD
from goretain.golang.layout import Program
from goretain.golang.memory.spans import SpanTable
from goretain.golang.ownmemory import OwnMemory
from goretain.kernels.arenas import GO_PAGE


def resident_facts(image: Image, program: Program, table: SpanTable) -> dict[str, int | bool | None]:
    """Those fields of ``snapshot.Memory`` that are about resident memory; none when the image does not say
    what was resident."""
    found = image.facts.resident
    if found is None:
        return {}
    start = table.spans.start
    used = normalise(np.column_stack((start, start + table.pages * GO_PAGE)))
    own = OwnMemory(program, normalise(np.concatenate((used, table.stacks, table.work))))
    outside = subtract(found.anonymous, own.ranges)
    variables = _take(outside, _segments(image))
    outside = subtract(outside, variables)
    beside, complete = own.beside()
    runtime = _take(outside, beside)
    outside = subtract(outside, runtime)
    stack = _take(outside, _named(image, "[stack]"))
    outside = subtract(outside, stack)
    return {
        **_heap_facts(found, own, table, used),
        "runtime_resident": total(runtime),
        "runtime_complete": complete,
        "variables_resident": total(variables),
        "program_resident": found.program,
        "main_stack_resident": total(stack),
        "off_heap": total(outside),
        "malloc_resident": total(intersect(outside, _named(image, "[heap]"))),
        "rss_anonymous": total(found.anonymous),
        "rss_file": found.program + found.files,
        "rss_shared": found.shared,
        "swapped": found.swapped,
    }


def _heap_facts(found: Residency, own: OwnMemory, table: SpanTable, used: I64) -> dict[str, int | None]:
    """What the resident pages of the heap's arenas are."""
    heap = intersect(found.anonymous, own.ranges)
    free = subtract(subtract(subtract(heap, used), table.stacks), table.work)
    released = own.released()
    back = None if released is None else total(intersect(free, released))
    given = None if released is None else total(subtract(subtract(released, used), table.stacks))
    return {
        "heap_resident": total(heap),
        "heap_in_use_resident": total(intersect(heap, used)),
        "stacks_resident": total(intersect(heap, table.stacks)),
        "work_resident": total(intersect(heap, table.work)),
        "heap_idle_resident": total(free),
        "heap_released_resident": back,
        "heap_released": given,
    }


def _named(image: Image, name: str) -> I64:
    return normalise(as_ranges((m.start, m.end) for m in image.mappings if m.path == name))


def _take(pages: I64, memory: I64) -> I64:
    """The pages that hold some of the memory: who has a part of a page has it."""
    return intersect(pages, normalise(aligned(memory, PAGE)))


def _segments(image: Image) -> I64:
    """The variables of the program and its plugins, with those of C in them: all that is loaded of their
    files, for only what was written is anonymous."""
    files = [(image.binary, image.bias), *((library.elf, library.bias) for library in image.libraries)]
    loaded = [(s, bias) for elf, bias in files for s in elf.segments if s.type == PT_LOAD]
    return normalise(as_ranges((s.vaddr + bias, s.vaddr + bias + s.memsz) for s, bias in loaded))
