"""What the sampling of a heap profile lets one say: how many samples, and how far off the figures may be.

The runtime records an allocation of s bytes with probability p = 1 - exp(-s / rate) (runtime/malloc.go,
nextSample) and runtime/pprof divides what it recorded by p (scaleHeapSample in protomem.go). So the number of
samples k behind a figure is figure * p, and the variance of that figure is k * (1 - p) / p**2 objects
squared: a relative error of 1/sqrt(k) for objects much smaller than the rate, and of nothing for objects much
larger, each of which is recorded. Imports numpy and ``profile.columns``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goretain.profile.columns import ALLOC_OBJECTS, ALLOC_SPACE, I64, INUSE_OBJECTS, INUSE_SPACE, Profile

F64 = NDArray[np.float64]

#: Nothing is claimed of a figure whose relative error is larger: that of 4 samples of small objects.
MOST_ERROR = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Amounts:
    """Allocated or in use, per sample of a profile.

    Attributes:
        objects, bytes: int64[n], scaled.
        samples: int64[n], how many were recorded; None when the rate is unknown.
        variance: float64[n], of bytes, in bytes squared; None when the rate is unknown.
    """

    objects: I64
    bytes: I64
    samples: I64 | None
    variance: F64 | None

    def each(self, made: Callable[[NDArray[Any]], NDArray[Any]]) -> Amounts:
        """What is made of every column; what is unknown stays so."""
        samples = None if self.samples is None else made(self.samples)
        variance = None if self.variance is None else made(self.variance)
        return Amounts(made(self.objects), made(self.bytes), samples, variance)


def allocated(profile: Profile) -> Amounts:
    """All that was allocated since the process began.

    Raises:
        ValueError: it is no heap profile.
    """
    return _amounts(profile, ALLOC_OBJECTS, ALLOC_SPACE)


def in_use(profile: Profile) -> Amounts:
    """What was in use at the end of the last finished garbage collection but its garbage.

    Raises:
        ValueError: it is no heap profile.
    """
    return _amounts(profile, INUSE_OBJECTS, INUSE_SPACE)


def error(amount: float, variance: float | None) -> float | None:
    """Relative standard error of an amount; None unknown, or there is nothing to be wrong about."""
    if variance is None or not amount:
        return None
    return float(np.sqrt(variance) / abs(amount))


def unsure(amount: I64, variance: F64 | None) -> NDArray[np.bool_] | None:
    """bool, of which amounts nothing can be claimed; None unknown."""
    return None if variance is None else np.greater(np.sqrt(variance), MOST_ERROR * np.abs(amount))


def scale(objects: I64, size: I64, rate: int) -> tuple[I64, I64]:
    """(objects, bytes) scaled as scaleHeapSample does.

    Args:
        objects, size: int64[n], sampled objects and their bytes together.
        rate: runtime.MemProfileRate; up to 1 all were sampled.
    """
    if rate <= 1:
        return objects, size
    known = (objects != 0) & (size != 0)
    mean = np.divide(size, objects, out=np.ones(len(size)), where=known)
    factor = np.where(known, 1 / (1 - np.exp(-mean / rate)), 0.0)  # expm1 is finer, and not what Go does
    return (objects * factor).astype(np.int64), (size * factor).astype(np.int64)


def _amounts(profile: Profile, objects_name: str, bytes_name: str) -> Amounts:
    objects, size = profile.column(objects_name), profile.column(bytes_name)
    if objects is None or size is None:
        raise ValueError(f"no {bytes_name} in this profile")
    if profile.period is None:
        return Amounts(objects, size, None, None)
    each = _object_size(profile, objects, size)
    seen = np.ones(len(each)) if profile.period == 1 else -np.expm1(-np.maximum(each, 1e-9) / profile.period)
    with np.errstate(over="ignore"):
        samples = np.rint(np.where(each > 0, size / np.maximum(each, 1e-9) * seen, objects * seen))
        variance = np.abs(samples) * (1 - seen) * (each / seen) ** 2
    return Amounts(objects, size, np.clip(samples, -(2.0**62), 2.0**62).astype(np.int64), variance)


def _object_size(profile: Profile, objects: I64, size: I64) -> F64:
    """float64[n], bytes of one object: as the profile says, or the mean."""
    mean = np.divide(size, objects, out=np.zeros(len(size)), where=objects != 0)
    return np.where(profile.object_size > 0, profile.object_size, np.abs(mean)).astype(np.float64)
