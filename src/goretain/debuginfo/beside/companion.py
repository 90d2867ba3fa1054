"""Debug information from another file than the program that runs: a debug file or an unstripped twin.

Either comes from the same link (equal build IDs: what strip, objcopy and eu-strip split off), and then all
addresses hold; or it was linked anew from the same source (``debuginfo.beside.twin``), and then addresses are
translated. Anything else is refused: a name or type from another build is worse than none. May import
``debuginfo`` and ``model``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from goretain.debuginfo.beside.separate import candidates, same_build
from goretain.debuginfo.beside.translated import Shifts, TranslatedDescriptions, TranslatedSymbols
from goretain.debuginfo.beside.twin import HINT, differences, shifts_of_twin
from goretain.debuginfo.dwarf.descriptions import Descriptions
from goretain.debuginfo.dwarf.dwarf import Dwarf
from goretain.debuginfo.elf.elf import EM_X86_64, PF_X, PT_LOAD, SHT_NOBITS, Elf
from goretain.debuginfo.elf.symbols import Symbol
from goretain.model.errors import BinaryMismatch, CorruptFile, GoretainError, UsageError
from goretain.model.places import user_cache


class DebugFile:
    """What a file says of a program that was stripped.

    Attributes:
        elf: the file.
        shifts: where its sections are in the program that runs; None: where they are in itself.
    """

    def __init__(self, binary: Elf, elf: Elf, shifts: Shifts | None) -> None:
        self._binary = binary
        self.elf = elf
        self.shifts = shifts

    @property
    def path(self) -> str:
        """The file."""
        return self.elf.path

    @cached_property
    def descriptions(self) -> Descriptions:
        """Types, globals and functions, in link addresses of the program that runs."""
        dwarf = Dwarf.open(self.elf, user_cache() / "dwarf")
        return dwarf if self.shifts is None else TranslatedDescriptions(dwarf, self.shifts)

    @cached_property
    def symbols(self) -> Mapping[str, Symbol]:
        """Symbols by name, in link addresses of the program that runs."""
        symbols = self.elf.symbols
        if self.shifts is not None:
            return TranslatedSymbols(symbols, self.shifts)
        # strip --strip-debug leaves them in the program.
        return symbols or self._binary.symbols


def match(binary: Elf, other: Elf) -> DebugFile:
    """The other file as debug information of the binary. Raises BinaryMismatch, CorruptFile."""
    if other.elf_class != 64 or other.machine != EM_X86_64 or not other.little_endian or other.type == "core":
        raise BinaryMismatch(f"{other.path} is no 64-bit program of linux/amd64", hint=HINT)
    if ".gnu_debugaltlink" in other.sections or ".gnu_debugaltlink" in binary.sections:
        raise BinaryMismatch(
            f"{other.path} was compressed with dwz: part of its debug information is in another file",
            hint="give an unstripped build of the same source",
        )
    if not Dwarf.open(other, None).present:
        raise BinaryMismatch(
            f"{other.path} has no debug information itself", hint="build it without -ldflags=-s, -w"
        )
    if same_build(binary, other):
        # Equal IDs are proof only where the linker chose them (-buildid=TEXT): what can be compared is.
        if _has_code(binary) and _has_code(other) and other.symbols:
            shifts_of_twin(binary, other)
        return DebugFile(binary, other, None)
    if not _has_code(other):
        raise BinaryMismatch(
            f"{other.path} holds the debug information of another build than {binary.path}: their build IDs"
            f" differ{differences(binary, other)}",
            hint=HINT,
        )
    return DebugFile(binary, other, shifts_of_twin(binary, other))


def _has_code(elf: Elf) -> bool:
    """Whether the file holds machine code: debug files do not, images of whole programs do not."""
    if not elf.sections:
        return any(s.type == PT_LOAD and s.flags & PF_X and s.filesz for s in elf.segments)
    text = elf.sections.get(".text")
    if text is None or text.type == SHT_NOBITS or not text.size:
        return False
    try:
        return bool(elf.read(text.offset + text.size - 1, 1))  # images may lack it
    except CorruptFile:
        return False


def find_debug_file(
    binary: Elf,
    given: str | None = None,
    directories: Sequence[str] = (),
    *,
    name: str = "",
    roots: Sequence[str] = ("",),
    rejected: list[str] | None = None,
) -> DebugFile | None:
    """The debug information of a program that lies in another file, None where there is none.

    Args:
        binary: the program that runs. given: a file that the user named; it must fit.
        directories: further places, before the system's. name: path of the program as it was started, where
            that is another than the binary's.
        roots: where paths of the program's start: "" and, in a container, /proc/PID/root.
        rejected: gets a sentence for each file whose name says that it is the one, and that does not fit.

    Raises BinaryMismatch, CorruptFile, UsageError when the given file cannot be used.
    """
    if given is not None:
        return match(binary, _open(given))
    if Dwarf.open(binary, None).present:
        return None
    why: list[str] = [] if rejected is None else rejected
    for other, named in candidates(binary, name or binary.path, directories, roots, why):
        try:
            return match(binary, other)
        except GoretainError as error:
            if named:
                why.append(error.message)
            other.close()
    return None


def _open(path: str) -> Elf:
    try:
        return Elf.open(path)
    except OSError as error:
        raise UsageError(f"cannot open {path}: {error.strerror}", hint="check the path") from None
