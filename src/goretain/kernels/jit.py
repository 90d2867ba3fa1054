"""The two ways a kernel is compiled, so that every kernel is compiled the same way.

Imports numba only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile ``function`` without bounds checks: for arrays whose invariants were checked before.

    The machine code is cached beside the source. The interpreter lock is released, division by zero does
    not raise.
    """
    return cast("Callable[P, R]", njit(cache=True, nogil=True, error_model="numpy")(function))


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Like :func:`kernel`, with bounds checks (IndexError): for kernels that read bytes from outside."""
    return cast(
        "Callable[P, R]", njit(cache=True, nogil=True, error_model="numpy", boundscheck=True)(function)
    )
