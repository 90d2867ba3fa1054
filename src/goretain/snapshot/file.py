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

import errno
import mmap
import os
import stat
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from goretain.model.errors import CorruptFile, UsageError
from goretain.snapshot import layout
from goretain.snapshot.columns import Columns, Snapshot
from goretain.snapshot.tables import Goroutine, Meta, RootNode, TypeInfo
from goretain.snapshot.validate import validate

_WINDOW = 1 << 20
_TABLE_TYPES: dict[str, Any] = {
    "meta": Meta,
    "types": list[TypeInfo],
    "roots": list[RootNode],
    "goroutines": list[Goroutine],
    "strings": list[str],
    "entry_keys": list[str],
}
#: What is never replaced by a snapshot.
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
}
_DAMAGED = (
    "the file was changed after it was saved; take the snapshot again with 'goretain why PID --save FILE'"
)


def is_snapshot(path: str | os.PathLike[str]) -> bool:
    """Whether the file starts with the magic of a snapshot (False when it cannot be read)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return os.pread(descriptor, len(layout.MAGIC), 0) == layout.MAGIC
    except OSError:
        return False
    finally:
        os.close(descriptor)


def check_place(path: str | os.PathLike[str]) -> None:
    """Complain now about a path that :func:`save` would complain about after all the work.

    Raises:
        UsageError: it is there and no regular file, or its directory is not there or may not be written to.
    """
    _place(path)


def _place(path: str | os.PathLike[str]) -> Path:
    """The file that saving to ``path`` makes or replaces: a symbolic link is followed, to keep it."""
    named = Path(path)
    try:
        kind = named.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        kind = stat.S_IFREG
    except OSError as failed:  # links in a circle, a name that is too long
        raise _cannot_save(path, failed.strerror or "the system refuses") from None
    if not stat.S_ISREG(kind):
        raise _cannot_save(path, f"it is {_KINDS.get(stat.S_IFMT(kind), 'no regular file')}")
    place = Path(os.path.realpath(named))
    if not place.parent.is_dir():
        raise _cannot_save(path, "there is no such directory")
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise _cannot_save(path, "the directory may not be written to")
    if _is_planted(named):
        raise _cannot_save(path, "it is another user's symbolic link in a directory for everybody")
    return place


def _is_planted(path: Path) -> bool:
    """Whether it is a link that the kernel would not follow (protected_symlinks): it may lead anywhere."""
    if not path.is_symlink():
        return False
    folder = path.parent.stat()
    everybodys = folder.st_mode & stat.S_ISVTX and folder.st_mode & stat.S_IWOTH
    return bool(everybodys) and path.lstat().st_uid not in {os.geteuid(), folder.st_uid}


def _cannot_save(path: str | os.PathLike[str], reason: str, hint: str = "choose another path") -> UsageError:
    return UsageError(f"cannot save to {os.fspath(path)}: {reason}", hint=hint)


def save(snapshot: Snapshot, path: str | os.PathLike[str]) -> int:
    """Write a snapshot; its bytes. The file appears whole (rename) and for this user only (mode 0600).

    Raises:
        UsageError: the file cannot be written there.
    """
    place = _place(path)
    blobs: dict[str, bytes | memoryview] = {
        name: msgspec.msgpack.encode(getattr(snapshot, name)) for name in layout.TABLES
    }
    dtypes = dict.fromkeys(layout.TABLES, layout.MSGPACK)
    for name in Columns.names():
        dtypes[name] = layout.DTYPES[name]
        blobs[name] = np.ascontiguousarray(getattr(snapshot.columns, name), dtypes[name]).view(np.uint8).data
    rows = ((name, dtypes[name], len(blob), zlib.crc32(blob)) for name, blob in blobs.items())
    head, sections = layout.place(rows)
    try:
        return _write(place, head, sections, blobs)
    except OSError as failed:
        full = failed.errno == errno.ENOSPC
        hint = "free some space there or choose another path" if full else "choose another path"
        raise _cannot_save(path, failed.strerror or "the system refuses", hint) from None


def _write(
    path: Path, head: bytes, sections: list[layout.Section], blobs: dict[str, bytes | memoryview]
) -> int:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            _write_all(file.fileno(), head)
            for section in sections:
                file.seek(section.offset)
                _write_all(file.fileno(), blobs[section.name])
            size = sections[-1].offset + sections[-1].bytes
            file.truncate(size)  # trailing columns without rows still have their place
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # the new name, too, survives a power cut
    finally:
        os.close(folder)
    return size


def _write_all(descriptor: int, blob: bytes | memoryview) -> None:
    rest = memoryview(blob)
    while rest:  # one write() moves at most 2 GiB
        rest = rest[os.write(descriptor, rest) :]


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
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as failed:
        raise UsageError(
            f"cannot open {name}: {failed.strerror}", hint="check the path and its permissions"
        ) from None
    try:
        return _load(name, descriptor, on_read)
    finally:
        os.close(descriptor)


def _load(path: str, descriptor: int, on_read: Callable[[int, int], None] | None) -> Snapshot:
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        raise CorruptFile(
            path, None, "this is not a regular file", hint="give a PID, a core or a saved snapshot"
        )
    preamble = _pread(path, descriptor, 0, min(layout.PREAMBLE, facts.st_size))
    size = layout.parse_preamble(path, preamble, facts.st_size)
    contents = _pread(path, descriptor, layout.PREAMBLE, size)
    sections = layout.parse_contents(path, preamble, contents, facts.st_size)
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
    snapshot = Snapshot(columns=Columns(**columns), **tables)
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
