"""What ``why`` and ``diff`` answer: structs that every report format renders and that are the JSON schema.

Here and not in ``model``: they are the shape of a report, and nothing below needs them. Sizes are bytes,
shares two counts that a reader can round; None is "unknown", never 0. Imports ``model`` and msgspec.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from goretain.model.findings import Chain, Confidence, Finding, Severity

#: fixedStack of runtime/stack.go: no goroutine has less.
_SMALLEST_STACK = 2048


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """So many of so many, in objects and in bytes."""

    objects: int
    of_objects: int
    bytes: int
    of_bytes: int


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the heap the answer covers; None where it could not be measured.

    Attributes:
        enumerated: allocated slots that the snapshot lists, of those that the runtime counts.
        typed: reachable objects of known type.
        typed_pointers: the same among reachable objects that hold pointers: an unknown type there may hide
            a name.
        named: reachable objects held by a named root: a global, a goroutine's variable, a special.
    """

    enumerated: Part | None = None
    typed: Part | None = None
    typed_pointers: Part | None = None
    named: Part | None = None


class HeapFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The heap in numbers.

    Attributes:
        reachable_objects, reachable_bytes: the live heap.
        unswept_objects, unswept_bytes: dead since the last mark, not yet swept; MemStats still counts them.
        unreached_objects, unreached_bytes: allocated, and reached by no root: garbage of the running cycle.
        unreached_survivors_bytes: those of them that survived the last mark (a root of ours may be missing).
        in_use_bytes, stack_bytes: pages of spans in use and of stacks.
        map_count, map_bytes: maps and all of their memory.
        goroutines: state (and wait reason) -> how many, most first.
    """

    reachable_objects: int
    reachable_bytes: int
    unswept_objects: int
    unswept_bytes: int
    unreached_objects: int
    unreached_bytes: int
    unreached_survivors_bytes: int
    in_use_bytes: int
    stack_bytes: int
    map_count: int
    map_bytes: int
    goroutines: dict[str, int]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look at one program: what, when, how.

    Attributes:
        target: as the user named it.
        program, build_id, go_version, source, pid: of the process.
        taken_at: Unix seconds.
        pause_ns, copied_bytes, rss_bytes: None when unknown (a core has no pause).
        threads: stopped while copying.
        features: runtime features that were detected.
        notes: what is missing or was dropped.
        with_data: whether keys and strings are shown.
    """

    target: str
    program: str
    build_id: str
    go_version: str
    source: Literal["live", "core"]
    pid: int
    taken_at: float
    pause_ns: int | None
    copied_bytes: int | None
    rss_bytes: int | None
    threads: int
    features: tuple[str, ...]
    notes: tuple[str, ...]
    with_data: bool


class HolderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One root and what it alone keeps alive in its layer.

    Attributes:
        layer: "program", "stdlib", "parked", "running" (goroutines) or "runtime".
        shared_bytes: reached from it and from other holders of its layer, dominated by none; not in
            retained_bytes.
    """

    name: str
    layer: str
    retained_bytes: int
    retained_objects: int
    shared_bytes: int | None


class SharedRow(msgspec.Struct, frozen=True, kw_only=True):
    """Memory that several holders reach and none dominates.

    Attributes:
        bytes, objects: counted once.
        holders: names of all its holders; empty when there are too many to list.
        chain: to its largest part, from one of the holders.
    """

    bytes: int
    objects: int
    holders: tuple[str, ...]
    chain: Chain


class TypeSum(msgspec.Struct, frozen=True, kw_only=True):
    """Reachable objects of one type; type None is unknown."""

    type: str | None
    objects: int
    bytes: int


class NotJudged(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern that could not be looked for in this heap, and why."""

    code: str
    reason: str


class WhyReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain why``: what holds the memory of one program at one instant.

    Attributes:
        schema: names this shape; a number that grows means that something was removed or changed its meaning.
        goretain: version of the tool.
        findings: ranked by saving_bytes; the first ``top``.
        findings_total, findings_bytes: how many pass the filter and what they would give back.
        severities: how many of them are a leak, waste, an observation.
        small_findings: below min_bytes, not counted above.
        not_judged: patterns that this runtime gives no evidence for.
        holders, holders_total: by retained bytes, the first ``top``; how many hold anything.
        shared, shared_total: groups by bytes, the first ``top``; how many groups.
        types: reachable objects by type, most bytes first; the first ``top``.
        min_bytes, focus: the filter that findings and holders passed ("" none).
    """

    schema: Literal["goretain/why/1"] = "goretain/why/1"
    goretain: str
    look: Look
    heap: HeapFacts
    coverage: Coverage
    findings: tuple[Finding, ...]
    findings_total: int
    findings_bytes: int
    severities: dict[Severity, int]
    small_findings: int
    not_judged: tuple[NotJudged, ...]
    holders: tuple[HolderRow, ...]
    holders_total: int
    shared: tuple[SharedRow, ...]
    shared_total: int
    types: tuple[TypeSum, ...]
    min_bytes: int = 0
    focus: str = ""


class GrowthRow(msgspec.Struct, frozen=True, kw_only=True):
    """One holder, group of goroutines or type that changed.

    Attributes:
        name: goroutines of one state and function are one row, without their numbers; None is the unknown
            type.
        bytes: retained (holder) or summed (type) bytes at every look.
        objects: the same in objects.
        roots: how many roots the row sums up at every look (goroutines); () for types.
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
    """New objects that outlived a garbage collection, by what holds them."""

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
        holders, types: what changed, the ``top`` by absolute bytes, most growth first.
        holders_total, types_total: how many changed.
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
    types: tuple[GrowthRow, ...]
    types_total: int
    survivors_objects: int | None
    survivors_bytes: int | None
    survivors_by_type: tuple[TypeSum, ...]
    survivors_by_holder: tuple[SurvivorRow, ...]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One leak pattern of the catalogue.

    Attributes:
        code, name, title: ``GR101``, ``subslice-pins-array``, one line.
        severity: of its findings, unless the evidence says otherwise.
        fix: one line.
        stage: "preview" may still change its thresholds.
        evidence: what it can be recognised in.
        requires: runtime features without which it cannot be judged.
        sections: heading -> Markdown.
        text: the whole document, Markdown.
    """

    code: str
    name: str
    title: str
    severity: Severity
    fix: str
    stage: Literal["preview", "stable"]
    evidence: tuple[str, ...]
    requires: tuple[str, ...]
    sections: dict[str, str]
    text: str


class RuleReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain rule``: one pattern or all of them, by code.

    Attributes:
        schema: names this shape.
    """

    schema: Literal["goretain/rule/1"] = "goretain/rule/1"
    goretain: str
    rules: tuple[Rule, ...]
