"""The layout of a program that loaded plugins: their debug information beside the program's.

Which plugins there are says the runtime's list of modules: ``runtime.moduledata`` (runtime/symtab.go). A
plugin without debug information, in itself or in a debug file, is left out: its types are then read from the
runtime's records, and its variables have no names. Imports ``capture.image``, ``debuginfo``, ``model``,
``golang.layout`` and ``golang.modules``.
"""

from __future__ import annotations

from collections.abc import Callable

from goretain.capture.image import Image, Library, path_at
from goretain.debuginfo.beside.joined import JoinedDescriptions, JoinedSymbols, Part
from goretain.debuginfo.dwarf.descriptions import DebugSource
from goretain.debuginfo.dwarf.dwarf import Dwarf
from goretain.debuginfo.elf.elf import PT_NOTE
from goretain.golang.layout import Layout, Program
from goretain.golang.modules import Module
from goretain.model.errors import CorruptFile, MissingMemory
from goretain.model.places import user_cache

DebugOf = Callable[[Library], DebugSource | None]


def with_plugins(layout: Layout, image: Image, debug_of: DebugOf | None = None) -> Layout:
    """The same layout, joined with the debug information of the plugins that the program loaded.

    debug_of: finds the debug file of a plugin that has no debug information itself.
    Raises UnknownLayout, MissingMemory.
    """
    if not image.libraries or not layout.descriptions.complete:
        return layout
    program = Program(image, layout, image.bias)
    base = program.moduledata("types")
    parts: list[Part] = []
    for module in program.modules()[1:]:
        text = program.uint(module, "runtime.moduledata", "text")
        library = _library_at(image, text)
        if library is None:
            continue
        dwarf = Dwarf.open(library.elf, user_cache() / "dwarf")
        debug = debug_of(library) if debug_of is not None and not dwarf.present else None
        if debug is None and not dwarf.present:
            continue
        types = program.uint(module, "runtime.moduledata", "types") - base
        described = (dwarf, library.elf.symbols) if debug is None else (debug.descriptions, debug.symbols)
        parts.append(Part(*described, library.bias - image.bias, types))
    if not parts:
        return layout
    descriptions = JoinedDescriptions(layout.descriptions, parts)
    return Layout(layout.elf, descriptions, layout.go_version, JoinedSymbols(layout.symbols, parts))


def find_files(modules: list[Module], image: Image) -> list[Module]:
    """The modules; each plugin says which file it was loaded from, and has it where that is at hand."""
    for module in modules[1:]:
        module.path = path_at(image.mappings, module.text) or "a plugin"
        module.file = _library_at(image, module.text)
    return modules


def _library_at(image: Image, text: int) -> Library | None:
    """The file that was loaded where a module's code begins, None when it is not at hand."""
    held = next((one for one in image.libraries if _holds(one, text)), None)
    return held if held is not None and _is_that(image, held) else None


def _holds(library: Library, address: int) -> bool:
    sections = library.elf.sections.values()
    return any(s.address <= address - library.bias < s.address + s.size for s in sections if s.address)


def _is_that(image: Image, library: Library) -> bool:
    """Whether the file is the one that was loaded: its build IDs are those in memory."""
    compared = False
    for segment in library.elf.segments:
        if segment.type != PT_NOTE:
            continue
        try:
            found = image.read(segment.vaddr + library.bias, segment.filesz)
            if found != library.elf.read(segment.offset, segment.filesz):
                return False
            compared = True
        except (MissingMemory, CorruptFile):
            continue
    return compared
