"""What ``diff`` answers. Imports ``model``, msgspec and this package."""

from __future__ import annotations

from typing import Literal

import msgspec

from goretain.model.findings import Confidence
from goretain.reports.results.parts import Look, TypeSum

#: fixedStack of runtime/stack.go: no goroutine has less.
_SMALLEST_STACK = 2048


class GrowthRow(msgspec.Struct, frozen=True, kw_only=True):
    """One holder, group of goroutines, set of holders that share memory, or type that changed.

    Attributes:
        name: goroutines of one state and function are one row, without their numbers; of shared memory all
            its holders; None is the unknown type.
        bytes: retained (holder), shared (set of holders) or summed (type) bytes at every look.
        objects: the same in objects.
        roots: how many roots the row sums up at every look (goroutines); () for shared memory and types.
        confidence: whether it grows for good; None where it did not grow.
    """

    name: str | None
    bytes: tuple[int, ...]
    objects: tuple[int, ...]
    roots: tuple[int, ...]
    confidence: Confidence | None

    @property
    def delta_bytes(self) -> int:
        """Last look minus first."""
        return self.bytes[-1] - self.bytes[0]

    @property
    def delta_objects(self) -> int:
        """Last look minus first."""
        return self.objects[-1] - self.objects[0]

    @property
    def weight(self) -> int:
        """What rows are ordered by: the change in bytes, and the smallest stack for every goroutine more."""
        stacks = self.roots[-1] - self.roots[0] if self.roots and max(self.roots) > 1 else 0
        return self.delta_bytes + _SMALLEST_STACK * stacks


class SurvivorRow(msgspec.Struct, frozen=True, kw_only=True):
    """New objects that outlived a garbage collection, by their holder or all that share them."""

    holder: str
    objects: int
    bytes: int


class DiffReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain diff``: what changed between looks at one program.

    Attributes:
        schema: names this shape.
        looks: first to last.
        live_bytes, live_objects: reachable, at every look.
        shared_bytes: reached from several holders and dominated by none, at the first and last look.
        confidence: whether the live heap grows for good; None where it did not grow.
        same_process: whether the looks are of one process, so that objects can be told apart by address.
        same_build: whether they are of one binary.
        holders, shared, types: what changed, the ``top`` by absolute bytes, most growth first; shared by
            the holders that share it.
        holders_total, shared_total, types_total: how many changed.
        survivors_objects, survivors_bytes: reachable at the last look, not there at the first, and older
            than the last finished garbage collection; None unless same_process.
        survivors_by_type, survivors_by_holder: the same split up, the ``top`` by bytes.
    """

    schema: Literal["goretain/diff/1"] = "goretain/diff/1"
    goretain: str
    looks: tuple[Look, ...]
    live_bytes: tuple[int, ...]
    live_objects: tuple[int, ...]
    shared_bytes: tuple[int, int]
    confidence: Confidence | None
    same_process: bool
    same_build: bool
    holders: tuple[GrowthRow, ...]
    holders_total: int
    shared: tuple[GrowthRow, ...]
    shared_total: int
    types: tuple[GrowthRow, ...]
    types_total: int
    survivors_objects: int | None
    survivors_bytes: int | None
    survivors_by_type: tuple[TypeSum, ...]
    survivors_by_holder: tuple[SurvivorRow, ...]
