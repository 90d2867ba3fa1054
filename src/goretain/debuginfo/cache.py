"""The index of a binary's DWARF on disk, so that the second look at a program starts at once.

One file per build ID: magic, version, digest of the rest, then msgpack with the columns as bytes. A file that
does not verify is as good as none. May import ``debuginfo``, msgspec and numpy.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from dataclasses import fields
from pathlib import Path

import numpy as np

from goretain.debuginfo.elf import Elf
from goretain.debuginfo.index import Index

_MAGIC = b"goretain-dwarf\n"
_VERSION = 1
_DIGEST = 32
_KEPT_FILES = 64


def cache_key(elf: Elf) -> str:
    """Names the DWARF of a file: its build IDs and where its DWARF sections are; "" when it has no build ID.

    The places tell a stripped or re-linked file of the same build ID from the original.
    """
    if not elf.go_build_id and not elf.gnu_build_id:
        return ""
    parts = [elf.go_build_id, elf.gnu_build_id, str(elf.size)]
    for name in sorted(elf.sections):
        if "debug_" in name:
            section = elf.sections[name]
            parts.append(f"{name} {section.offset} {section.size} {section.flags}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


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
