"""What ``diff`` answers. Imports ``model``, msgspec and this package."""

from __future__ import annotations

from typing import Literal

import msgspec

from goretain.model.findings import Chain, Confidence, Severity
from goretain.reports.results.parts import Look, TypeSum
from goretain.reports.results.why import NotJudged

#: What ``diff --by`` counts a heap by.
By = Literal["holder", "chain", "pattern", "type", "goroutine"]
#: What became of something from the first look to the last.
Course = Literal["new", "gone", "grown", "shrunk", "same", "unknown"]

#: fixedStack of runtime/stack.go: no goroutine has less.
_SMALLEST_STACK = 2048


class GrowthRow(msgspec.Struct, frozen=True, kw_only=True):
    """One holder, group of goroutines, set of holders that share memory, chain or type that changed.

    Attributes:
        name: goroutines of one state and function are one row, without their numbers; of shared memory all
            its holders; None is the unknown type.
        bytes: retained (holder), shared (set of holders) or summed (chain, type) bytes at every look, of a
            group of goroutines what they retain and their stacks.
        objects: the same in objects.
        roots: how many roots the row sums up at every look (goroutines); () for shared memory and types.
        confidence: whether it grows for good; None where it did not grow.
        grew: in how many of the intervals between two looks its bytes grew.
        course: what became of it from the first look to the last.
    """

    name: str | None
    bytes: tuple[int, ...]
    objects: tuple[int, ...]
    roots: tuple[int, ...]
    confidence: Confidence | None
    grew: int = 0
    course: Course = "same"

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


class FindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of one fingerprint that changed: one, or several that only the numbers of closures tell apart.

    Attributes:
        fingerprint, code, pattern, title, severity, holder, chain, fix: of the last look that has it, there
            of the heaviest of several.
        bytes: what the fix gives back, of an observation what is held, at every look; 0: not found, None: its
            pattern could not be judged in that look.
        objects: how many objects show the pattern, likewise.
        confidence: whether it grows for good; None where it did not grow or is unknown.
        grew: in how many of the intervals between two looks its bytes grew; unknown counts as not.
        course: what became of it from the first look to the last.
    """

    fingerprint: str
    code: str
    pattern: str
    title: str
    severity: Severity
    holder: str
    chain: Chain
    fix: str
    bytes: tuple[int | None, ...]
    objects: tuple[int | None, ...]
    confidence: Confidence | None
    grew: int
    course: Course

    @property
    def delta_bytes(self) -> int | None:
        """Last look minus first; None when one of them is unknown."""
        first, last = self.bytes[0], self.bytes[-1]
        return None if first is None or last is None else last - first

    @property
    def delta_objects(self) -> int | None:
        """Last look minus first; None when one of them is unknown."""
        first, last = self.objects[0], self.objects[-1]
        return None if first is None or last is None else last - first


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """How the names of the first look's build fit those of the last look's.

    Attributes:
        what: what is named.
        both: names that both have.
        only_first, only_last: names that the other has not: something new or gone, or the same by another
            name.
        only_first_bytes, only_last_bytes: what goes by those.
    """

    what: Literal["holder", "chain", "finding", "type", "goroutine"]
    both: int
    only_first: int
    only_first_bytes: int
    only_last: int
    only_last_bytes: int


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
        same_build: whether they are of one binary. Of several builds names are compared without the numbers
            of closures and the places of nameless variables: ``main.f.func*``, ``bss* (*main.cache)``.
        same_program: whether their main modules have one path; None when unknown.
        matched: which names of different builds fit; () for one build.
        holders, shared, types: what changed, the ``top`` by absolute bytes, most growth first; shared by
            the holders that share it.
        holders_total, shared_total, types_total: how many changed.
        survivors_objects, survivors_bytes: reachable at the last look, not there at the first, and older
            than the last finished garbage collection; None unless same_process.
        survivors_by_type, survivors_by_holder: the same split up, the ``top`` by bytes.
        findings: findings by fingerprint that changed, most growth first, the ``top`` by absolute bytes; None
            where they were not looked for.
        findings_total, findings_same: how many changed, and how many did not.
        not_judged: patterns that at least one look gives no evidence for.
        by: what ``lines`` are counted by; None when nothing was asked for ("pattern": see findings).
        lines, lines_total: what changed so counted, most growth first, the ``top`` by absolute bytes. By
            holder (with what sets of them share), chain and type every live object is counted once.
        verdict: what three or more looks say together; "" for two.
        notes: what is wrong with the comparison itself.
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
    same_program: bool | None = None
    matched: tuple[Matched, ...] = ()
    findings: tuple[FindingRow, ...] | None = None
    findings_total: int | None = None
    findings_same: int | None = None
    not_judged: tuple[NotJudged, ...] = ()
    by: By | None = None
    lines: tuple[GrowthRow, ...] = ()
    lines_total: int = 0
    verdict: str = ""
    notes: tuple[str, ...] = ()
