"""Many files on their way into one answer: profiles of one kind are added up as they come.

A few small profiles are read by protobuf's own parser, which needs nothing compiled; many, or large ones, by
kernels. Imports ``profile.contents``, ``profile.columns``, ``profile.sources`` and this room.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from goretain.profile.columns import Profile
from goretain.profile.contents import Contents
from goretain.profile.readers.read import by_kernels, is_protobuf, read_contents
from goretain.profile.sources.source import Source

if TYPE_CHECKING:
    from goretain.profile.readers.pprof.sums import Sum

#: From so many files on the kernels, which take half a second to load, read them all.
MANY = 8


@dataclass(slots=True)
class Gathered:
    """What files hold.

    Attributes:
        files: each; a profile that was added to others has no samples here.
        profiles: all samples, those of one kind together where there are many.
    """

    files: list[Contents] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)


def gather(sources: Iterable[Source], count: int) -> Gathered:
    """Read files one after another.

    Args:
        count: how many there are.

    Raises:
        GoretainError: one cannot be fetched, is damaged or no profile.
    """
    gathered = Gathered()
    sums: dict[tuple[object, ...], Sum] = {}
    for source in sources:
        compiled = is_protobuf(source.data) and (count >= MANY or by_kernels(source.data))
        contents = _added(source, sums) if compiled else None
        if contents is None:
            contents = read_contents(source)
            if contents.profile is not None:
                gathered.profiles.append(contents.profile)
        gathered.files.append(contents)
    gathered.profiles += [one.profile() for one in sums.values() if one]
    return gathered


def _added(source: Source, sums: dict[tuple[object, ...], Sum]) -> Contents | None:
    """A profile without its samples, which were added to those of its kind; None: kernels cannot read it."""
    from goretain.profile.readers.pprof.sums import Sum  # loads numba
    from goretain.profile.readers.pprof.wire import parse

    parsed = parse(source.data)
    if parsed is None:
        return None
    if parsed.kind not in sums:
        sums[parsed.kind] = Sum()
    alone = sums[parsed.kind].add(parsed)
    return None if alone is None else Contents(source.name, alone)
