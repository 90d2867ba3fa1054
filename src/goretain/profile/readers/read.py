"""Which kind of file it is, told by its content, and the reader for it.

Imports ``model``, ``profile.contents``, ``profile.sources`` and this room; kernels for a large file.
"""

from __future__ import annotations

from goretain.model.errors import CorruptFile
from goretain.profile.contents import Contents
from goretain.profile.readers.legacy import is_legacy, read_legacy
from goretain.profile.readers.pprof.protobuf import read_pprof
from goretain.profile.readers.printed import looks_printed, read_printed
from goretain.profile.sources.source import Source

_WHAT = (
    "goretain profile reads profiles, goroutine dumps, the output of GODEBUG=gctrace=1 and of go test -bench"
)
#: Of other files that may be given by mistake: how they begin, what they are, what to do.
_OTHERS = (
    (b"\x7fELF", "an ELF file", "for a core: goretain why FILE"),
    (b"go 1.", "an execution trace", "goretain trace FILE"),
    (b"go1.7 heap dump\n", "a heap dump", "goretain why FILE --binary PROGRAM"),
    (b"<", "an HTML or XML page", "is it the address of the profile itself, .../debug/pprof/heap?"),
)
#: Control characters that text does not have.
_BINARY = bytes({*range(32)} - {9, 10, 12, 13, 27})
#: Bytes from which on kernels, which take half a second to load, are the quicker reader.
_LARGE = 1 << 20


def is_protobuf(data: bytes) -> bool:
    """Whether it is no text, and none of the files that are given by mistake."""
    return (
        bool(data) and not _is_text(data) and not data.startswith(tuple(begins for begins, _, _ in _OTHERS))
    )


def by_kernels(data: bytes) -> bool:
    """Whether kernels are the quicker reader of a profile."""
    return len(data) >= _LARGE


def read_contents(source: Source) -> Contents:
    """What a file holds. Raises CorruptFile: none of all that, or damaged."""
    data, name = source.data, source.name
    if not data:
        raise CorruptFile(name, 0, "it is empty", hint=_WHAT)
    for begins, what, advice in _OTHERS:
        if data.startswith(begins):
            raise CorruptFile(name, 0, f"this is {what}, not a profile", hint=advice)
    if is_legacy(data):
        return read_legacy(data, name)
    if _is_text(data):
        if looks_printed(data):
            return read_printed(data, name)
        raise CorruptFile(name, 0, "this is text without a line of a profile or a dump", hint=_WHAT)
    compiled = None
    if by_kernels(data):
        from goretain.profile.readers.pprof.sums import read_compiled  # loads numba
        from goretain.profile.readers.pprof.wire import is_dense

        compiled = read_compiled(data)
        if compiled is None and is_dense(data):
            raise CorruptFile(name, 0, "it has more entries than a profile of its size", hint=_WHAT)
    return Contents(name, compiled or read_pprof(data, name))


def _is_text(data: bytes) -> bool:
    return data[:4096].translate(None, _BINARY) == data[:4096]
