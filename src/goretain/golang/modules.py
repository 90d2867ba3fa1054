"""The modules of a program: the main one and the plugins that it loaded, each with its text, tables and
pointer masks.

Reads ``runtime.moduledata`` and its ``next`` chain (runtime/symtab.go); ``runtime.bitvector``
(runtime/stack.go).
Imports ``capture.image``, ``debuginfo`` and ``golang.layout``.
"""

from __future__ import annotations

from dataclasses import dataclass

from goretain.capture.image import Library
from goretain.debuginfo.pclntab.pclntab import FuncTable
from goretain.golang.layout import Program
from goretain.model.errors import MissingMemory

_MODULEDATA = "runtime.moduledata"


@dataclass(frozen=True, slots=True)
class DataSegment:
    """A data or bss segment of a module: [start, end).

    mask: address of its pointer mask, one bit a word, which the runtime made; gc_program: address of the GC
        program in the binary that it was made from (runtime.progToPointerMask).
    """

    name: str
    start: int
    end: int
    mask: int
    gc_program: int


@dataclass(slots=True)
class Module:
    """One moduledata: run-time addresses of its parts and its function table.

    Attributes:
        address: of the moduledata.
        text, etext: code range.
        gofunc: base of FUNCDATA offsets; rodata: base of stack objects' pointer masks.
        segments: data and bss.
        functions: the pclntab.
        path: of the file of a plugin, "" for the program's own module; file: that file where it is at hand.
    """

    address: int
    text: int
    etext: int
    gofunc: int
    rodata: int
    segments: tuple[DataSegment, ...]
    functions: FuncTable
    path: str = ""
    file: Library | None = None


def read_modules(program: Program) -> list[Module]:
    """All modules in the order of the runtime's list. Raises UnknownLayout, MissingMemory, CorruptFile."""
    first, *others = program.modules()
    return [_module(program, first), *(_plugin(program, address) for address in others)]


def _plugin(program: Program, address: int) -> Module:
    try:
        return _module(program, address)
    except MissingMemory as error:
        raise MissingMemory(
            error.address,
            error.size,
            what="the function table of a plugin",
            hint="a core leaves it out: put the very file of the plugin where it was when the program ran",
        ) from None


def _module(program: Program, address: int) -> Module:
    def at(*path: str) -> int:
        return program.uint(address, _MODULEDATA, *path)

    text = at("text")
    return Module(
        address=address,
        text=text,
        etext=at("etext"),
        gofunc=at("gofunc"),
        rodata=at("rodata"),
        segments=(
            DataSegment("data", at("data"), at("edata"), at("gcdatamask", "bytedata"), at("gcdata")),
            DataSegment("bss", at("bss"), at("ebss"), at("gcbssmask", "bytedata"), at("gcbss")),
        ),
        functions=FuncTable(program.memory.read, at("pcHeader"), text, at("gofunc")),
    )
