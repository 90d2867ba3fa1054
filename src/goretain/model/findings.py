"""What goretain answers with: a Finding and its parts.

Every report format, the Python API and the JSON schema derive from these structs.
Imports ``model.names`` and msgspec only.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from goretain.model.names import across_builds

Level = Literal["proved", "likely", "undecided"]
Severity = Literal["leak", "waste", "observation"]
#: What a series of looks at one thing does.
Trend = Literal["grows", "settles", "undecided"]
#: Of fewer sampled objects nothing is said.
LEAST_SAMPLES = 4
#: Places of allocation that are listed.
MOST_SITES = 5


class Confidence(msgspec.Struct, frozen=True, kw_only=True):
    """How sure a finding is.

    Attributes:
        level: "proved" was seen in memory; "likely" is statistical or source evidence, or looks the same in
            some healthy programs; "undecided" needs more.
        reason: why this level, one sentence.
        decide: what would decide a finding that is not proved ("take a second snapshot"); None when it is
            proved or nothing simple decides it.
    """

    level: Level
    reason: str
    decide: str | None = None


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """A path from a root to an object, in Go syntax.

    Attributes:
        root: the holder, a name: ``main.cache`` or ``goroutine 18 [chan receive] main.worker``.
        links: one text a step, appended to the root as they stand: ``[key len 12]``,
            ``.body (len 5, cap 64)``.
        end: type of the object at the end: ``[1048576]byte``.
    """

    root: str
    links: tuple[str, ...]
    end: str

    @property
    def text(self) -> str:
        """The whole chain on one line."""
        return f"{self.root}{''.join(self.links)} -> {self.end}"


class AllocatingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the program that allocates.

    Attributes:
        function, place: the innermost one of the program's own code: ``main.load``, ``load.go:31`` (None
            unknown).
        through: the function of a library that it called there, ``strings.Repeat``; None for none.
    """

    function: str
    place: str | None
    through: str | None

    @property
    def text(self) -> str:
        """``main.load load.go:31 (strings.Repeat)``."""
        where = f"{self.function} {self.place}" if self.place else self.function
        return f"{where} ({self.through})" if self.through else where


class AllocationSite(AllocatingLine, frozen=True, kw_only=True):
    """A line of the program, and what it allocated of some sampled objects.

    Attributes:
        objects, bytes: how many, and their sizes; not scaled.
    """

    objects: int
    bytes: int


class Sampled(msgspec.Struct, frozen=True, kw_only=True):
    """Where objects were allocated, by the few that the program's memory profile has sampled.

    Attributes:
        objects, bytes: how many of them were sampled, at least four, and their sizes; not scaled.
        sites: places with four samples or more, most first, at most five.
    """

    objects: int
    bytes: int
    sites: tuple[AllocationSite, ...]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why memory is still alive.

    Attributes:
        code: pattern code, ``GR101``.
        pattern: pattern name, ``subslice-pins-array``.
        title: one line for people.
        severity: "leak", "waste" (bytes that a fix gives back at once) or "observation".
        confidence: how sure, and why.
        holder: name of the root variable or goroutine that holds the memory; of all that share it:
            "main.left and main.right".
        holders: the same, one name each; the last may say how many more there are.
        chain: shortest chain to a representative object, from one of its holders.
        count: how many objects (or maps) show the pattern under this holder.
        retained_bytes: bytes that would come back if the holder let go; None when unknown.
        hidden_bytes: bytes pinned that no slice or string shows; None when the pattern has none.
        saving_bytes: bytes that the fix gives back: what findings are ranked by.
        type: Go type of the objects at the end of the chain; None when unknown.
        also_from: other roots than its holders that reach the same memory.
        sampled: where the objects and what they keep alive were allocated; None: too few were sampled.
        fix: one line, imperative.
        fingerprint: stable across builds: pattern and chain names, no addresses, no line numbers, no numbers
            of closures. What differs in those alone has one fingerprint, also within one report.
    """

    code: str
    pattern: str
    title: str
    severity: Severity
    confidence: Confidence
    holder: str
    holders: tuple[str, ...]
    chain: Chain
    count: int
    saving_bytes: int
    retained_bytes: int | None = None
    hidden_bytes: int | None = None
    type: str | None = None
    also_from: tuple[str, ...] = ()
    sampled: Sampled | None = None
    fix: str = ""
    fingerprint: str = ""


def fingerprint(pattern: str, *names: str) -> str:
    """16 hex digits identifying a finding by its pattern and the names on its chain, in any build."""
    stable = (pattern, *(across_builds(name) for name in names))
    return hashlib.sha256("\0".join(stable).encode()).hexdigest()[:16]
