"""Where a program's debug information may be when it is not in the program: the places that gdb looks at.

By GNU build ID (DIR/.build-id/xx/yyyy.debug), by the .gnu_debuglink that ``objcopy --add-gnu-debuglink``
writes (a name and a CRC), by the program's own name in a directory that was named, and any binary of the
same build ID there. Every file must fit before it is used: two programs of one name are nothing special.
Source: the chapter "Separate Debug Files" of gdb's manual. May import ``debuginfo`` and ``model``.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from goretain.debuginfo.elf.elf import SHF_ALLOC, Elf
from goretain.model.errors import GoretainError

#: Where distributions and debuginfod put debug files.
SYSTEM = "/usr/lib/debug"
_WINDOW = 4 << 20
# A directory of debug files has one a program; one of more files than this is another kind of directory.
_MOST_FILES = 4096


def same_build(binary: Elf, other: Elf) -> bool:
    """Whether two files come from one link: a build ID that both have is equal, and no section moved."""
    pairs = ((binary.gnu_build_id, other.gnu_build_id), (binary.go_build_id, other.go_build_id))
    known = [a == b for a, b in pairs if a and b]
    if not known or not all(known):
        return False
    for section in other.sections.values():
        ours = binary.sections.get(section.name)
        loaded = section.flags & SHF_ALLOC and section.address and section.size
        if ours is not None and loaded and (ours.address, ours.size) != (section.address, section.size):
            return False
    return True


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a debug file may be: by a name that says it belongs to the program, or just in a directory;
    crc: what .gnu_debuglink says of it."""

    path: Path
    named: bool = True
    crc: int | None = None


def candidates(
    binary: Elf, name: str, directories: Sequence[str], roots: Sequence[str], rejected: list[str]
) -> Iterator[tuple[Elf, bool]]:
    """Files that may hold the debug information, best first, and whether their name says that they do.

    Args:
        name: path of the program as it was started, "" when unknown.
        directories: those that the user named (--debug-dir).
        roots: prefixes of paths of the program's: "" and, in a container, /proc/PID/root.
        rejected: gets why a file whose name says that it is the one is left out.
    """
    seen: set[tuple[int, int]] = set()
    for place in _paths(binary, name, directories, roots):
        with contextlib.suppress(OSError):
            about = place.path.stat()
            if (about.st_dev, about.st_ino) in seen or not place.path.is_file():
                continue
            if place.crc is not None and checksum(place.path) != place.crc:
                rejected.append(f"{place.path} has another checksum than the program's .gnu_debuglink says")
                continue
            seen.add((about.st_dev, about.st_ino))
            try:
                found = Elf.open(str(place.path))
            except GoretainError as error:
                if place.named:
                    rejected.append(error.message)
                continue
            yield found, place.named


def _paths(binary: Elf, name: str, directories: Sequence[str], roots: Sequence[str]) -> Iterator[_Place]:
    system = [root + SYSTEM for root in roots]
    identity = binary.gnu_build_id
    if len(identity) > 2:
        for directory in (*directories, *system):
            yield _Place(Path(directory, ".build-id", identity[:2], f"{identity[2:]}.debug"))
    link = _debug_link(binary)
    if link is not None:
        for path in _linked(link[0], name, directories, roots):
            yield _Place(path, crc=link[1])
    own = Path(name).name
    for directory in directories:
        if own:
            yield from (_Place(Path(directory, own)), _Place(Path(directory, f"{own}.debug")))
        yield from (_Place(path, named=False) for path in _files_in(Path(directory)))


def _linked(link: str, name: str, directories: Sequence[str], roots: Sequence[str]) -> Iterator[Path]:
    """Where gdb looks for the name that .gnu_debuglink has."""
    for directory in directories:
        yield Path(directory, link)
    folder = Path(name).parent
    if not folder.is_absolute():
        return
    for root in roots:
        here = Path(root + str(folder))
        yield from (here / link, here / ".debug" / link, Path(root + SYSTEM + str(folder), link))


def _files_in(directory: Path) -> list[Path]:
    """The files of a directory, by name; none when it is none, or has far too many."""
    try:
        found = sorted(path for path in directory.iterdir() if path.is_file())
    except OSError:
        return []
    return found if len(found) <= _MOST_FILES else []


def _debug_link(binary: Elf) -> tuple[str, int] | None:
    """Name and CRC of .gnu_debuglink: a text, padding to a multiple of 4, four bytes."""
    content = binary.section(".gnu_debuglink")
    name, _, _ = content.partition(b"\0")
    at = (len(name) + 4) & ~3
    if not name or b"/" in name or len(content) < at + 4:
        return None
    return name.decode("utf-8", "surrogateescape"), int.from_bytes(content[at : at + 4], "little")


def checksum(path: Path) -> int:
    """The CRC-32 of a file, as .gnu_debuglink has it. Raises OSError."""
    found = 0
    with path.open("rb") as file:
        while part := file.read(_WINDOW):
            found = zlib.crc32(part, found)
    return found
