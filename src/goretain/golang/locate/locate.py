"""Where the runtime's variables are, found in memory by their structure.

For programs without a symbol table, and with names that were changed: nothing here asks for a name. Imports
``debuginfo``, ``golang.locate`` siblings and ``model``.
"""

from __future__ import annotations

from goretain.debuginfo.elf.elf import PF_W, PT_LOAD, Elf
from goretain.golang.locate.heap import find_chunks, find_heaps, span_list
from goretain.golang.locate.module import code_of, constants_of, find_modules, variables
from goretain.golang.locate.queues import Queues, find_cleanups, find_finalizers
from goretain.golang.locate.scheduler import find_goroutines, find_processors, find_threads
from goretain.golang.locate.tables import find_itabs, find_size_classes, find_wait_reasons
from goretain.golang.locate.words import Block, Fields, Memory, Read, Structs
from goretain.model.errors import RuntimeNotFound


def locate(read: Read, elf: Elf, bias: int, fields: Fields) -> dict[str, int]:
    """Link addresses of the runtime's variables, by name as a symbol table has them.

    What a program need not have is left out: wait reasons whose texts were changed, queues that are empty. So
    is a queue of which more than one place could be the beginning: unknown is better than wrong.

    Args:
        read: memory at run-time addresses. bias: load address minus link address.
        fields: where the runtime's structs have their fields.

    Raises RuntimeNotFound naming what was not found, UnknownLayout when the layout lacks a struct.
    """
    memory = Memory(read)
    modules = find_modules(_initialised(elf, bias, memory), memory, fields)
    module = _one("runtime.firstmoduledata", modules, fields)
    blocks, constants = variables(module, memory, fields), constants_of(module, memory, fields)
    heap = _one("runtime.mheap_", find_heaps(blocks, memory, fields), fields)
    spans = span_list(heap, memory, fields)
    chunk_places, chunks = find_chunks(blocks, spans, memory)
    thread_places, ms = find_threads(blocks, constants, memory, fields)
    queues = Queues(blocks, chunks, heap, code_of(module, memory, fields), Structs(memory, fields))
    needed = {
        "runtime.persistentChunks": chunk_places,
        "runtime.allm": thread_places,
        "runtime.allgs": find_goroutines(blocks, constants, ms, memory, fields),
        "runtime.allp": find_processors(blocks, constants, ms, spans, memory, fields),
        "runtime.itabTable": find_itabs(blocks, constants, memory, fields),
        "runtime.class_to_size": find_size_classes(blocks),
    }
    found = {name: _one(name, places, fields) for name, places in needed.items()}
    perhaps = {
        "runtime.waitReasonStrings": find_wait_reasons(blocks, memory),
        "runtime.allfin": find_finalizers(queues),
        "runtime.gcCleanups": find_cleanups(queues),
    }
    found |= {name: places[0] for name, places in perhaps.items() if places}
    found |= {"runtime.firstmoduledata": module, "runtime.mheap_": heap}
    return {name: address - bias for name, address in found.items()}


def _initialised(elf: Elf, bias: int, memory: Memory) -> list[Block]:
    """What the file gives the writable segments at the start: there the linker puts the moduledata."""
    parts = (s for s in elf.segments if s.type == PT_LOAD and s.flags & PF_W and s.filesz)
    blocks = (memory.block(s.vaddr + bias, s.vaddr + bias + s.filesz) for s in parts)
    return [block for block in blocks if block is not None]


def _one(name: str, places: list[int], fields: Fields) -> int:
    """The only place. Raises RuntimeNotFound when there is none, or more than one."""
    if len(places) != 1:
        raise RuntimeNotFound(name, len(places), fields.go_version)
    return places[0]
