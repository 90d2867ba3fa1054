"""What changed in use between two heap profiles, and how much of it the sampling may have made up.

An object that both profiles saw is the same sample in both and adds nothing to the error of the difference;
what came and what went does. The profile counts allocations and, as the difference of allocated and in use,
frees since the process began, so what came is at most what was allocated between the two, and at most what
is in use in the second; what went likewise. Of two processes nothing is in common and both errors count in
full. Imports numpy, ``profile.columns`` and this room.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from goretain.profile.columns import I64
from goretain.profile.sites.sampling import F64, unsure
from goretain.profile.sites.site import Number, Site, SiteAmounts, series


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Two heap profiles, by site.

    Attributes:
        sites: of both; every array has a place for each.
        before, after: int64, bytes in use.
        allocated: int64, bytes allocated between the two, negative when the second is the older one; None
            when they are of two processes.
        samples: int64, that came or went; None when a sampling rate is unknown.
        variance: float64, of after - before; None likewise.
    """

    sites: tuple[Site, ...]
    before: I64
    after: I64
    allocated: I64 | None
    samples: I64 | None
    variance: F64 | None

    @property
    def same_process(self) -> bool:
        """Whether all that was allocated or freed only grew, as it does in one process."""
        return self.allocated is not None

    @property
    def nothing(self) -> bool:
        """Whether the second says what the first does, as two profiles of one garbage collection do."""
        allocated = self.allocated
        return allocated is not None and not allocated.any() and bool((self.before == self.after).all())

    def backwards(self) -> Change:
        """From the second to the first."""
        allocated = None if self.allocated is None else -self.allocated
        return replace(self, before=self.after, after=self.before, allocated=allocated)

    @property
    def noise(self) -> NDArray[np.bool_] | None:
        """bool, whether the change of a site is too small beside its error; None unknown."""
        return unsure(self.after - self.before, self.variance)


def changed(first: SiteAmounts, second: SiteAmounts) -> Change:
    """From the first to the second."""
    both = series([first, second])
    in_use, allocated = both.in_use, both.allocated
    freed = allocated.bytes - in_use.bytes
    same = bool(
        (allocated.bytes[1] >= allocated.bytes[0]).all()
        and (freed[1] >= freed[0] - _rounding(freed[0])).all()
    )
    samples, variance = None, None
    if in_use.samples is not None and allocated.samples is not None:
        samples = _moved(allocated.samples, in_use.samples, same)
    if in_use.variance is not None and allocated.variance is not None:
        variance = _moved(allocated.variance, in_use.variance, same)
    return Change(
        both.sites,
        in_use.bytes[0],
        in_use.bytes[1],
        allocated.bytes[1] - allocated.bytes[0] if same else None,
        samples,
        variance,
    )


def _rounding(size: I64) -> I64:
    """Bytes by which scaled figures of one truth may differ: each sample's is cut to a whole number."""
    return 64 + np.abs(size) // 1_000_000


def _moved(allocated: NDArray[Number], in_use: NDArray[Number], same: bool) -> NDArray[Number]:
    """What the objects that came or went add up to: of samples, or of variances, which add up as these do.

    allocated, in_use: [2, sites], before and after.
    """
    went, came = in_use
    if same:
        freed = allocated - in_use
        came = np.minimum(np.maximum(allocated[1] - allocated[0], 0), came)
        went = np.minimum(np.maximum(freed[1] - freed[0], 0), went)
    moved: NDArray[Number] = np.add(came, went)
    return moved
