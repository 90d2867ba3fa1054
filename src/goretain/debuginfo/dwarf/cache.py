"""The index of a binary's DWARF on disk, so that the second look at a program starts at once.

One file per content of the DWARF sections: magic, version, digest of the rest, then msgpack with the columns
as bytes. A file that does not verify is as good as none. May import ``debuginfo``, msgspec and numpy.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from dataclasses import fields
from pathlib import Path

import numpy as np

from goretain.debuginfo.dwarf.index import Index
from goretain.debuginfo.elf.elf import SHT_NOBITS, Elf

_MAGIC = b"goretain-dwarf\n"
_VERSION = 1
_DIGEST = 32
_KEPT_FILES = 64
#: Sections that the index is made from, less their prefix; read a window at a time.
_INDEXED = ("info", "abbrev", "str", "line_str", "addr")
_WINDOW = 4 << 20


def cache_key(elf: Elf) -> str:
    """Names the DWARF of a file by the content of what the index is made from. Raises CorruptFile.

    Build IDs would be shorter to read, but a file that was damaged or changed keeps them: it would be
    answered by the index of the intact file, or leave its own index to it.
    """
    digest = hashlib.sha256()
    for name in _INDEXED:
        section = elf.sections.get(f".debug_{name}") or elf.sections.get(f".zdebug_{name}")
        if section is None or section.type == SHT_NOBITS:
            continue
        digest.update(f"{section.name} {section.type} {section.flags} {section.size}\n".encode())
        for done in range(0, section.size, _WINDOW):
            digest.update(elf.read(section.offset + done, min(_WINDOW, section.size - done)))
    return digest.hexdigest()[:32]


def load_index(directory: Path, key: str) -> Index | None:
    """The index saved under a key, or None when there is none, or it is damaged or of another version."""
    import msgspec  # not on the light path, which keeps no index

    try:
        content = _path(directory, key).read_bytes()
    except OSError:
        return None
    head = _MAGIC + _VERSION.to_bytes(4, "little")
    body = content[len(head) + _DIGEST :]
    digest = content[len(head) : len(head) + _DIGEST]
    if not content.startswith(head) or digest != hashlib.sha256(body).digest():
        return None
    try:
        columns = msgspec.msgpack.decode(body, type=dict[str, bytes])
        arrays = {f.name: _column(f.name, columns[f.name]) for f in fields(Index)}
        return Index(**arrays)  # type: ignore[arg-type]  # the names say which are arrays
    except (msgspec.MsgspecError, KeyError, ValueError):
        return None


def save_index(directory: Path, key: str, index: Index) -> None:
    """Write an index under a key, atomically. A directory that cannot be written costs only the speed."""
    import msgspec

    columns = {f.name: bytes(memoryview(getattr(index, f.name)).cast("B")) for f in fields(Index)}
    body = msgspec.msgpack.encode(columns)
    head = _MAGIC + _VERSION.to_bytes(4, "little") + hashlib.sha256(body).digest()
    with contextlib.suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
        fd, name = tempfile.mkstemp(dir=directory, prefix=".writing-")
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(head + body)
            Path(name).replace(_path(directory, key))
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        _drop_oldest(directory)


def _path(directory: Path, key: str) -> Path:
    return directory / f"{key}.dwarf"


def _column(name: str, content: bytes) -> object:
    return content if name.endswith("_names") else np.frombuffer(content, np.int64)


def _drop_oldest(directory: Path) -> None:
    """Keep the directory small: developers build all day, and every build has its own ID."""
    files = sorted(directory.glob("*.dwarf"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[_KEPT_FILES:]:
        path.unlink(missing_ok=True)
