"""Writing a file that appears whole or not at all, and that no one else may read.

Snapshots and images are both saved this way: to a file without a name in the same folder (O_TMPFILE, so that
not even SIGKILL leaves anything; where there is none, to a temporary name), mode 0600, synced, then linked to
a temporary name and renamed. On the ground floor because both floors stand apart. Imports ``model.errors``
and the standard library only.
"""

from __future__ import annotations

import errno
import os
import select
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from goretain.model.errors import UsageError

#: What is never replaced by a saved file.
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
}
_FULL = "free some space there or choose another path"
_HINTS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "raise the limit of a file's size (RLIMIT_FSIZE): ulimit -f unlimited",
}


def check_place(path: str | os.PathLike[str]) -> Path:
    """The file that saving to ``path`` makes or replaces: a symbolic link is followed, to keep it.

    Complains before all the work about what :func:`whole_file` would complain about after it.

    Raises:
        UsageError: it is there and no regular file, or its directory is not there or may not be written to,
            or it may not be replaced.
    """
    named = Path(path)
    try:
        kind = named.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        kind = stat.S_IFREG
    except OSError as failed:  # links in a circle, a name that is too long
        raise cannot_save(path, failed.strerror or "the system refuses") from None
    if not stat.S_ISREG(kind):
        raise cannot_save(path, f"it is {_KINDS.get(stat.S_IFMT(kind), 'no regular file')}")
    try:
        place = Path(os.path.realpath(named))
    except FileNotFoundError:
        reason = "the directory that goretain was started in is gone"
        raise cannot_save(path, reason, "give the whole path") from None
    if not place.parent.is_dir():
        raise cannot_save(path, "there is no such directory")
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise cannot_save(path, "the directory may not be written to")
    if _is_planted(named):
        raise cannot_save(path, "it is another user's symbolic link in a directory for everybody")
    if _is_anothers(place):
        raise cannot_save(
            path, "it is another user's file in a directory where only its owner may replace it"
        )
    return place


def _is_planted(path: Path) -> bool:
    """Whether it is a link that the kernel would not follow (protected_symlinks): it may lead anywhere."""
    if not path.is_symlink():
        return False
    folder = path.parent.stat()
    everybodys = folder.st_mode & stat.S_ISVTX and folder.st_mode & stat.S_IWOTH
    return bool(everybodys) and path.lstat().st_uid not in {os.geteuid(), folder.st_uid}


def _is_anothers(place: Path) -> bool:
    """Whether it is there and may not be replaced by us: the sticky bit of its directory, as /tmp has it."""
    user, folder = os.geteuid(), place.parent.stat()
    if user == 0 or not folder.st_mode & stat.S_ISVTX or folder.st_uid == user:
        return False
    return place.exists() and place.stat().st_uid != user


def cannot_save(path: str | os.PathLike[str], reason: str, hint: str = "choose another path") -> UsageError:
    """The error for a file that cannot be written."""
    return UsageError(f"cannot save to {os.fspath(path)}: {reason}", hint=hint)


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[int]:
    """A descriptor to write to; when the context ends well the file appears under its name.

    When it does not, nothing is left and a file that was there stays. OSError in the context becomes
    UsageError.

    Raises:
        UsageError: the file cannot be written there.
    """
    place = check_place(path)
    try:
        with _renamed(place) as descriptor:
            yield descriptor
    except OSError as failed:
        hint = _HINTS.get(failed.errno or 0, "choose another path")
        raise cannot_save(path, failed.strerror or "the system refuses", hint) from None


@contextmanager
def _renamed(place: Path) -> Iterator[int]:
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Named before it is made: a signal may arrive at any instant, and nothing is to be left behind.
        temporary = place.with_name(f".goretain.{os.urandom(8).hex()}.part")
        try:
            with _unnamed(place.parent) as descriptor:
                if descriptor is not None:
                    yield descriptor
                    os.fsync(descriptor)
                    # A folder is given because Python else calls link(), which follows no symbolic link.
                    os.link(f"/proc/self/fd/{descriptor}", temporary.name, dst_dir_fd=folder)
            if descriptor is None:
                with _named(temporary) as descriptor:
                    yield descriptor
                    os.fsync(descriptor)
            temporary.replace(place)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        os.fsync(folder)  # the new name, too, survives a power cut
    finally:
        os.close(folder)


@contextmanager
def _unnamed(folder: Path) -> Iterator[int | None]:
    """A file without a name, which the kernel removes however we end; None where there is no such thing."""
    try:
        descriptor = os.open(folder, os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    except OSError:  # NFS, FUSE, older overlays
        yield None
        return
    try:
        yield descriptor if Path(f"/proc/self/fd/{descriptor}").exists() else None
    finally:
        os.close(descriptor)


@contextmanager
def _named(temporary: Path) -> Iterator[int]:
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def write_report(path: str | os.PathLike[str], text: str) -> None:
    """Write a report for others, such as a CI, to read: in place, as the umask says.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        check_place(path).write_text(text, "utf-8", "backslashreplace")
    except OSError as failed:
        hint = _HINTS.get(failed.errno or 0, "choose another path")
        raise cannot_save(path, failed.strerror or "the system refuses", hint) from None


def write_all(descriptor: int, blob: bytes | memoryview) -> None:
    """Write all of blob, also to a pipe that does not block. Raises OSError."""
    rest = memoryview(blob)
    while rest:  # one write() moves at most 2 GiB
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select((), (descriptor,), ())
