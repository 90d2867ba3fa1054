"""Snapshots on disk: one file, checked in full, opened again without copying.

``load`` maps the columns privately (copy on write, so the arrays are of the same numba type as fresh ones
and kernels need no second compilation, and nothing that is written to them reaches the file). A mapping
turns a truncation by somebody else into SIGBUS, which Python cannot catch. Here that cannot happen by
goretain's hand: ``save`` writes to a temporary name and renames, so a file that was opened keeps its inode
and its length. Other hands are kept off by a rule: only a regular file that belongs to this user and that
no one else may write to (the mode 0600 that ``save`` gives) is mapped; any other is read with ``pread``
into memory, where a file that shrinks is a CorruptFile. The checksums are computed by ``pread`` in both
cases, before the mapping is touched.

The layout of the file is in :mod:`goretain.snapshot.layout`, the invariants of the columns in
:mod:`goretain.snapshot.validate`. Imports ``model``, msgspec, numpy and this package.
"""

from __future__ import annotations

import mmap
import os
import stat
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from goretain.model.errors import CorruptFile
from goretain.model.opening import open_named, starts_with
from goretain.model.saving import check_place, whole_file, write_all
from goretain.snapshot import layout
from goretain.snapshot.columns import Columns, Snapshot
from goretain.snapshot.groups import GROUP_DTYPES, GROUPS
from goretain.snapshot.tables import Goroutine, Memory, Meta, RootNode, Site, TypeInfo
from goretain.snapshot.validate import validate

_WINDOW = 1 << 20
_TABLE_TYPES: dict[str, Any] = {
    "meta": Meta,
    "types": list[TypeInfo],
    "roots": list[RootNode],
    "goroutines": list[Goroutine],
    "strings": list[str],
    "entry_keys": list[str],
    "memory": Memory,
    "sites": list[Site],
}
_DAMAGED = (
    "the file was changed after it was saved; take the snapshot again with 'goretain why PID --save FILE'"
)


def is_snapshot(path: str | os.PathLike[str]) -> bool:
    """Whether the file starts with the magic of a snapshot (False when it cannot be read)."""
    return starts_with(path, layout.MAGIC)


def save(snapshot: Snapshot, path: str | os.PathLike[str]) -> int:
    """Write a snapshot; its bytes. The file appears whole (rename) and for this user only (mode 0600).

    Raises:
        UsageError: the file cannot be written there.
    """
    check_place(path)
    parts = _parts(snapshot)
    blobs = {name: blob for name, _, blob in parts}
    head, sections = layout.place((name, dtype, len(blob), zlib.crc32(blob)) for name, dtype, blob in parts)
    size = sections[-1].offset + sections[-1].bytes
    with whole_file(path) as descriptor:
        write_all(descriptor, head)
        for section in sections:
            os.lseek(descriptor, section.offset, os.SEEK_SET)
            write_all(descriptor, blobs[section.name])
        os.ftruncate(descriptor, size)  # trailing columns without rows still have their place
    return size


def _parts(snapshot: Snapshot) -> list[tuple[str, str, bytes | memoryview]]:
    """Name, dtype and bytes of each section, in file order; what is unknown has none."""
    tables = [
        *layout.TABLES,
        *(name for name in layout.OPTIONAL_TABLES if getattr(snapshot, name) is not None),
    ]
    parts: list[tuple[str, str, bytes | memoryview]] = [
        (name, layout.MSGPACK, msgspec.msgpack.encode(getattr(snapshot, name))) for name in tables
    ]
    for group, dtypes in (("columns", layout.DTYPES), *GROUP_DTYPES.items()):
        values = getattr(snapshot, group)
        if values is not None:
            for name, dtype in dtypes.items():
                column = np.ascontiguousarray(getattr(values, name), dtype)
                parts.append((name, dtype, column.view(np.uint8).data))
    return parts


def load(path: str | os.PathLike[str], *, on_read: Callable[[int, int], None] | None = None) -> Snapshot:
    """Open a saved snapshot; every checksum and every invariant of the columns is checked.

    Args:
        path: the file.
        on_read: called with (bytes read, bytes of the file) as the checksums go on.

    Raises:
        CorruptFile: truncated, changed, foreign or of another version.
        UsageError: no such file, or no permission.
    """
    name = os.fspath(path)
    descriptor = open_named(name)
    try:
        return _load(name, descriptor, on_read)
    finally:
        os.close(descriptor)


def _load(path: str, descriptor: int, on_read: Callable[[int, int], None] | None) -> Snapshot:
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        raise CorruptFile(
            path, None, "this is not a regular file", hint="give a PID, an ELF core, an image or a snapshot"
        )
    preamble = _pread(path, descriptor, 0, min(layout.PREAMBLE, facts.st_size))
    version, size = layout.parse_preamble(path, preamble, facts.st_size)
    contents = _pread(path, descriptor, layout.PREAMBLE, size)
    sections = layout.parse_contents(path, version, preamble, contents, facts.st_size)
    shared = facts.st_uid != os.geteuid() or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    buffer = None if shared else mmap.mmap(descriptor, facts.st_size, access=mmap.ACCESS_COPY)
    tables: dict[str, Any] = {}
    columns: dict[str, NDArray[Any]] = {}
    for name, section in sections.items():
        if section.dtype == layout.MSGPACK:
            tables[name] = _table(path, descriptor, section)
        else:
            columns[name] = _column(path, descriptor, section, buffer)
        if on_read is not None:
            on_read(section.offset + section.bytes, facts.st_size)
    groups = {
        group: GROUPS[group](**{name: columns.pop(name) for name in dtypes})
        for group, dtypes in GROUP_DTYPES.items()
        if next(iter(dtypes)) in columns
    }
    snapshot = Snapshot(columns=Columns(**columns), **groups, **tables)
    try:
        validate(snapshot)
    except ValueError as broken:
        blamed = sections.get(broken.args[0])
        raise CorruptFile(
            path, blamed.offset if blamed else None, ": ".join(broken.args), hint=_DAMAGED
        ) from None
    return snapshot


def _table(path: str, descriptor: int, section: layout.Section) -> Any:
    raw = _pread(path, descriptor, section.offset, section.bytes)
    if zlib.crc32(raw) != section.crc32:
        raise CorruptFile(path, section.offset, f"checksum of {section.name!r} does not match", hint=_DAMAGED)
    try:
        return msgspec.msgpack.decode(raw, type=_TABLE_TYPES[section.name])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as broken:
        raise CorruptFile(path, section.offset, f"table {section.name!r}: {broken}", hint=_DAMAGED) from None


def _column(path: str, descriptor: int, section: layout.Section, buffer: mmap.mmap | None) -> NDArray[Any]:
    """The rows of one column: a view into ``buffer`` where there is one, read into memory otherwise."""
    dtype = np.dtype(section.dtype)
    rows = section.bytes // dtype.itemsize
    if buffer is not None:
        values = np.frombuffer(buffer, dtype, rows, section.offset) if rows else np.zeros(0, dtype)
        copy = memoryview(bytearray(min(_WINDOW, section.bytes)))
    else:
        values = np.empty(rows, dtype)
        copy = values.view(np.uint8).data
    crc, done = 0, 0
    while done < section.bytes:
        window = copy[done : done + _WINDOW] if buffer is None else copy[: section.bytes - done]
        got = os.preadv(descriptor, [window], section.offset + done)
        if got <= 0:
            raise CorruptFile(
                path, section.offset + done, f"the file ends inside {section.name!r}", hint=_DAMAGED
            )
        crc = zlib.crc32(window[:got], crc)
        done += got
    if crc != section.crc32:
        raise CorruptFile(path, section.offset, f"checksum of {section.name!r} does not match", hint=_DAMAGED)
    return values


def _pread(path: str, descriptor: int, offset: int, size: int) -> bytes:
    """Exactly size bytes at offset."""
    parts: list[bytes] = []
    while size:
        part = os.pread(descriptor, min(size, 1 << 30), offset)
        if not part:
            raise CorruptFile(path, offset, "the file ends here", hint=_DAMAGED)
        parts.append(part)
        offset, size = offset + len(part), size - len(part)
    return b"".join(parts)
