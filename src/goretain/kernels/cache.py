"""Where the machine code of kernels stays between runs: in the user's cache, and nowhere if it must be so.

numba by itself keeps it beside the source, where a system-wide installation is read-only, raises at import
where it finds no place, and looks at one source file only: a kernel keeps the old code of a helper from
another. Here the folder is named after all kernels' sources, its files are written by one process at a time,
and what cannot be read or written costs the time to compile, never the run. numba's own settings stay as
they are, for the user of the library may have functions of his own. Imports numba and this package.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba.core.caching import CompileResultCacheImpl, FunctionCache, NullCache

from goretain.kernels.compiling import tell
from goretain.kernels.folder import kernel_folder


def cache_of(function: Callable[..., Any]) -> Any:
    """The cache of a kernel, for numba's dispatcher; one that keeps nothing where it cannot write."""
    try:
        return _KernelCache(function)  # type: ignore[no-untyped-call]  # here and below: numba's
    except (RuntimeError, OSError):  # numba: "no locator available"
        return _NoCache()


class _Place:
    """Tells numba where the files of one kernel go, and when they are out of date: numba's locator protocol.

    Its own locators have other names in every other version.
    """

    def __init__(self, function: Callable[..., Any], path: str, folder: Path) -> None:
        self._py_file = path  # by that name numba reads it
        self._line = function.__code__.co_firstlineno
        self._folder = folder

    @classmethod
    def from_function(cls, function: Callable[..., Any], path: str) -> _Place | None:
        """The place, or None where it cannot be written."""
        place = cls(function, path, kernel_folder())
        with contextlib.suppress(OSError):
            place.ensure_cache_path()
            if os.access(kernel_folder(), os.W_OK | os.X_OK):
                return place
        return None

    def ensure_cache_path(self) -> None:
        """Make the folder."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        """The folder."""
        return str(self._folder)

    def get_source_stamp(self) -> int:
        """Changes when the file's content does while the program runs; otherwise the folder is another one.

        Not when its time does: installations of one version share the folder.
        """
        facts = Path(self._py_file).stat()
        return _checksum(self._py_file, facts.st_mtime_ns, facts.st_size)

    def get_disambiguator(self) -> str:
        """Tells functions of one name in one file apart."""
        return str(self._line)


@functools.cache
def _checksum(path: str, _changed: int, _size: int) -> int:
    """Of a source file, read once for all kernels in it."""
    return zlib.crc32(Path(path).read_bytes())


class _Implementation(CompileResultCacheImpl):
    _locator_classes: Any = (_Place,)


class _NoCache(NullCache):
    def load_overload(self, sig: Any, target_context: Any) -> None:  # noqa: ARG002 (numba's signature)
        """Nothing, said to who listens."""
        tell()


class _KernelCache(FunctionCache):
    """numba's cache of one function, where no file that is broken, locked or refused is an error."""

    _impl_class = _Implementation

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The machine code for a signature, or None."""
        found = None
        try:
            found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except OSError:
            pass
        except Exception:  # a damaged pickle raises anything
            with contextlib.suppress(OSError):
                # It would be in the way of what is saved next.
                self.flush()  # type: ignore[no-untyped-call]
        if found is None:
            tell()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the machine code for a signature, unless another process is writing just now.

        numba numbers the files of a function by what its index lists; two writers could give one number to
        two signatures.
        """
        with contextlib.suppress(OSError):
            lock = os.open(Path(self.cache_path) / "lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                super().save_overload(sig, data)  # type: ignore[no-untyped-call]
            finally:
                os.close(lock)
