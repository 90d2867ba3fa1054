"""Which kind of file a profile is, told by its content, and the reader for it.

Imports ``model`` and this package.
"""

from __future__ import annotations

from goretain.model.errors import CorruptFile
from goretain.profile.columns import Profile
from goretain.profile.pprof import read_pprof
from goretain.profile.source import Source

_WHAT = "goretain profile reads pprof profiles (protobuf, gzipped or not)"
#: Of other files that may be given by mistake: how they begin, what they are, what to do.
_OTHERS = (
    (b"\x7fELF", "an ELF file", "for a core: goretain why FILE"),
    (b"go 1.", "an execution trace or a heap dump", "for a heap dump: goretain why FILE --binary PROGRAM"),
    (b"<", "an HTML or XML page", "is it the address of the profile itself, .../debug/pprof/heap?"),
)


def read_profile(source: Source) -> Profile:
    """The profile of a file. Raises CorruptFile: it is none, or damaged."""
    if not source.data:
        raise CorruptFile(source.name, 0, "it is empty", hint=_WHAT)
    for begins, what, advice in _OTHERS:
        if source.data.startswith(begins):
            raise CorruptFile(source.name, 0, f"this is {what}, not a profile", hint=advice)
    return read_pprof(source.data, source.name)
