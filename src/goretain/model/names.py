"""What of a holder's name or a chain is the same in another look at a program, another run, another build.

Names come from the compiler and change with it: closures are numbered in the order of the source
(``closureName`` of cmd/compile/internal/ir/func.go: func1, gowrap1, deferwrap1, -range1), and so are init
functions and the values that literals are made from (``stmp_``); variables of a program without symbols are
named by their place. On the ground floor because fingerprints and comparisons must agree. Imports the
standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Holders of shared memory that are named; the others are counted.
_NAMED = 4
_NUMBERED = re.compile(r"\bgoroutine \d+ ")
#: With its state, which changes from look to look without a change of who holds what.
_STATE = re.compile(r"\bgoroutine \d+ (?:\[[^\]]*\] )?")
_PLACE = re.compile(r"\b(?:data|bss)\+0x[0-9a-f]+")
_BUILD = re.compile(
    r"(?<=\.func)\d+(?:\.\d+)*|(?<=\.gowrap)\d+|(?<=\.deferwrap)\d+|(?<=-range)\d+|(?<=\.init\.)\d+"
    r"|(?<=\.stmp_)\d+|(?<=\bdata)\+0x[0-9a-f]+|(?<=\bbss)\+0x[0-9a-f]+"
)


def alike(name: str) -> str:
    """A holder as goroutines of its state and function are called: ``goroutines [select] main.worker``."""
    return _NUMBERED.sub("goroutines ", name)


def stateless(name: str) -> str:
    """A holder as goroutines of its function are called, whatever they wait for: ``goroutines main.f``."""
    return _STATE.sub("goroutines ", name)


def joined(names: Iterable[str]) -> str:
    """All holders of shared memory as one name, in an order of their own: ``main.byID and main.byName``."""
    known = sorted(set(names), key=lambda name: ("goroutine" in name, name))
    if not known:
        return "more holders than are listed"
    if len(known) > _NAMED:
        known = [*known[: _NAMED - 1], f"{len(known) - _NAMED + 1} more"]
    return " and ".join([*([", ".join(known[:-1])] if known[1:] else []), known[-1]])


def across_builds(name: str) -> str:
    """A name without what another build numbers anew: ``main.f.func*`` for ``main.f.func2``."""
    return _BUILD.sub("*", name)


def is_place(name: str) -> bool:
    """Whether a variable is named by its place, as without symbols: ``bss+0x40 (*main.cache)``."""
    return _PLACE.search(name) is not None


def of_this_build(name: str) -> tuple[str, ...]:
    """What :func:`across_builds` leaves out: tells names apart that are one there."""
    return tuple(_BUILD.findall(name))
