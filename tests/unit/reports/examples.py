"""Reports made by hand: the shapes that every format has to show."""

from __future__ import annotations

from goretain.model.findings import AllocationSite, Chain, Confidence, Finding, Sampled, fingerprint
from goretain.reports.results import (
    ChainNode,
    ChainsReport,
    Coverage,
    DiffReport,
    GoroutineRow,
    GoroutineSection,
    GrowthRow,
    HeapFacts,
    HolderRow,
    KeeperRow,
    Look,
    Part,
    RssPart,
    RssSection,
    Sampling,
    SharedRow,
    SpanRow,
    SpanSection,
    SurvivorRow,
    TypeSum,
    WhatIf,
    WhyReport,
)
from goretain.reports.results.memory import PartOfRss

MIB = 1 << 20


def look(**more: object) -> Look:
    facts: dict[str, object] = {
        "target": "4242",
        "program": "/srv/bin/shop",
        "build_id": "b1",
        "go_version": "go1.26.6",
        "source": "live",
        "pid": 4242,
        "taken_at": 1_790_000_000.0,
        "pause_ns": 7_300_000,
        "copied_bytes": 48 * MIB,
        "rss_bytes": 1300 * MIB,
        "threads": 9,
        "features": ("swiss-maps", "inline-bitmaps"),
        "notes": (),
        "with_data": False,
    }
    return Look(**(facts | more))  # type: ignore[arg-type]


def finding(at: int = 0, **more: object) -> Finding:
    chain = Chain(
        root="github.com/acme/shop/internal/catalogue.productCache",
        links=(".shards[3]", ".items[key len 12]", ".Page", ".body (len 5, cap 1048576)"),
        end="[1048576]uint8",
    )
    facts: dict[str, object] = {
        "code": "GR101",
        "pattern": "subslice-pins-array",
        "title": "a small slice keeps a large backing array alive",
        "severity": "leak",
        "confidence": Confidence(
            level="proved",
            reason="every slice into these arrays was seen; together they show 5 bytes of each",
        ),
        "holder": chain.root,
        "holders": (chain.root,),
        "chain": chain,
        "count": 384,
        "saving_bytes": 384 * MIB - at,
        "retained_bytes": 390 * MIB,
        "hidden_bytes": 384 * MIB,
        "type": "[]uint8",
        "also_from": ("goroutine 18 [chan receive] main.(*server).janitor", "net/http.DefaultServeMux"),
        "sampled": sampled(),
        "fix": "copy what you keep: bytes.Clone(body[:n]), and let the array go",
        "fingerprint": fingerprint("subslice-pins-array", chain.root, str(at)),
    }
    return Finding(**(facts | more))  # type: ignore[arg-type]


def observation() -> Finding:
    chain = Chain(root="main.sessions", links=(), end="map[string]*main.Session")
    return finding(
        code="GR104",
        pattern="map-holds-most",
        title="one map holds most of the live heap",
        severity="observation",
        confidence=Confidence(
            level="undecided",
            reason="that it holds the memory is proved; whether it grows cannot be seen in one look",
            decide="take a second snapshot: goretain diff 4242 --every 30s",
        ),
        holder="main.sessions",
        holders=("main.sessions",),
        chain=chain,
        sampled=None,
        count=1,
        saving_bytes=0,
        retained_bytes=201 * MIB,
        hidden_bytes=None,
        type=None,
        also_from=(),
        fix="take a second snapshot; if it grew, bound it",
    )


def holder_rows() -> tuple[HolderRow, ...]:
    return (
        HolderRow(
            name="github.com/acme/shop/internal/catalogue.productCache",
            layer="program",
            retained_bytes=390 * MIB,
            retained_objects=1_201_003,
            shared_bytes=12 * MIB,
            sampled=sampled(),
        ),
        HolderRow(
            name="goroutine 18 [chan receive] main.(*server).janitor",
            layer="parked",
            retained_bytes=64 << 10,
            retained_objects=12,
            shared_bytes=0,
        ),
        HolderRow(
            name="net/http.DefaultServeMux",
            layer="stdlib",
            retained_bytes=912,
            retained_objects=4,
            shared_bytes=None,
        ),
    )


def goroutine_section(**more: object) -> GoroutineSection:
    stacks = (
        GoroutineRow(
            count=640,
            state="chan send",
            function="github.com/acme/shop/internal/catalogue.(*fetcher).fetch",
            place="fetch.go:118",
            created_at="github.com/acme/shop/internal/catalogue.(*fetcher).All fetch.go:71",
            leaked=True,
            stack_bytes=5 * MIB,
            retained_bytes=40 * MIB,
            retained_objects=3840,
        ),
        GoroutineRow(
            count=12,
            state="select",
            function="main.(*server).janitor",
            place="main.go:51",
            created_at="main.main main.go:20",
            leaked=False,
            stack_bytes=96 << 10,
            retained_bytes=2 * MIB,
            retained_objects=120,
        ),
        GoroutineRow(
            count=1,
            state="sleep",
            function=None,
            place=None,
            created_at=None,
            leaked=False,
            stack_bytes=2048,
            retained_bytes=64,
            retained_objects=1,
        ),
    )
    facts: dict[str, object] = {
        "count": 1196,
        "stacks": stacks,
        "stacks_total": 31,
        "shared_bytes": 1 * MIB,
        "leaked": 640,
        "leaked_bytes": 40 * MIB,
        "leaked_stack_bytes": 5 * MIB,
        "proved": True,
    }
    return GoroutineSection(**(facts | more))  # type: ignore[arg-type]


def rss_section(**more: object) -> RssSection:
    sizes: dict[PartOfRss, tuple[int, int | None]] = {
        "heap-in-use": (790 * MIB, 860 * MIB),
        "heap-idle": (31 * MIB, 33 * MIB),
        "heap-released": (0, 140 * MIB),
        "stacks": (3 * MIB, 4 * MIB),
        "gc-work": (64 << 10, None),
        "runtime": (19 * MIB, None),
        "variables": (400 << 10, None),
        "main-thread-stack": (16 << 10, None),
        "program-file": (9 * MIB, None),
        "other-files": (2 * MIB, None),
        "shared-memory": (0, None),
        "outside-go": (96 * MIB, None),
    }
    facts: dict[str, object] = {
        "rss_bytes": sum(size for size, _ in sizes.values()),
        "parts": tuple(RssPart(part=part, bytes=size, of_bytes=of) for part, (size, of) in sizes.items()),
        "released_bytes": 140 * MIB,
        "swapped_bytes": 0,
        "malloc_bytes": 80 * MIB,
        "complete": True,
        "unknown": None,
    }
    return RssSection(**(facts | more))  # type: ignore[arg-type]


def span_section() -> SpanSection:
    rows = [
        SpanRow(
            slot_bytes=slot_bytes,
            spans=40 * slots,
            span_bytes=40 * slots * 8192,
            slots=40 * slots * slots,
            objects=500 * slots,
            object_bytes=500 * slots * slot_bytes,
            sparse_spans=slots,
            sparse_bytes=slots * 8192,
            sparse_objects=3 * slots,
            empty_bytes=8192,
            excess_bytes=(slots - 2) * 8192,
        )
        for slot_bytes, slots in ((64, 128), (512, 16))
    ]
    total = {field: sum(getattr(row, field) for row in rows) for field in SpanRow.__struct_fields__}
    return SpanSection(
        total=SpanRow(**(total | {"slot_bytes": 0})),
        classes=tuple(rows),
        classes_total=41,
        unknown_spans=1,
    )


def heap_facts() -> HeapFacts:
    return HeapFacts(
        reachable_objects=2_310_455,
        reachable_bytes=812 * MIB,
        unswept_objects=4000,
        unswept_bytes=12 * MIB,
        unreached_objects=90_000,
        unreached_bytes=29 * MIB,
        unreached_survivors_bytes=0,
        in_use_bytes=860 * MIB,
        stack_bytes=4 * MIB,
        map_count=1200,
        map_bytes=30 * MIB,
        goroutines={
            "chan receive": 900,
            "select": 280,
            "running": 2,
            "IO wait": 20,
            "sleep": 1,
            "syscall": 1,
        },
    )


def sampled() -> Sampled:
    """Where 71 sampled objects were allocated."""
    return Sampled(
        objects=71,
        bytes=19 * MIB,
        sites=(
            AllocationSite(
                function="github.com/acme/shop/internal/catalogue.(*Loader).Load",
                place="loader.go:31",
                through="bytes.(*Buffer).ReadFrom",
                objects=60,
                bytes=18 * MIB,
            ),
            AllocationSite(function="main.refresh", place=None, through=None, objects=8, bytes=1 * MIB),
        ),
    )


def why(findings: int = 1, holders: int = 3, **more: object) -> WhyReport:
    found = (*(finding(at) for at in range(findings)), observation())
    part = Part(objects=2_300_000, of_objects=2_310_455, bytes=811 * MIB, of_bytes=812 * MIB)
    facts: dict[str, object] = {
        "goretain": "0.1.0",
        "look": look(),
        "heap": heap_facts(),
        "coverage": Coverage(
            enumerated=Part(objects=1, of_objects=1, bytes=812 * MIB, of_bytes=812 * MIB),
            typed=part,
            typed_pointers=part,
            named=None,
        ),
        "findings": found,
        "findings_total": len(found) + 5,
        "findings_bytes": 412 * MIB,
        "severities": {"leak": findings, "waste": 0, "observation": 1},
        "small_findings": 0,
        "not_judged": (),
        "holders": (holder_rows() * (holders // 3 + 1))[:holders],
        "holders_total": holders + 40,
        "goroutines": goroutine_section(),
        "rss": rss_section(),
        "spans": span_section(),
        "shared": (
            SharedRow(
                bytes=12 * MIB,
                objects=3210,
                holders=("main.byName", "main.byID"),
                chain=Chain(root="main.byName", links=("[key len 9]",), end="main.Session"),
            ),
        ),
        "shared_total": 1,
        "types": (
            TypeSum(type="[]uint8", objects=1200, bytes=390 * MIB),
            TypeSum(type=None, objects=3, bytes=96),
        ),
        "sampling": Sampling(rate=512 << 10, objects=1204, stacks=77),
    }
    return WhyReport(**(facts | more))  # type: ignore[arg-type]


def what_if() -> WhatIf:
    return WhatIf(
        holders=("main.sessions",),
        holders_total=2,
        freed_bytes=100 * MIB,
        freed_objects=400_000,
        types=(TypeSum(type="main.Session", objects=390_000, bytes=99 * MIB),),
        kept_bytes=3 << 10,
        kept_objects=17,
        keepers=(KeeperRow(name="goroutine 7 [select] main.(*server).janitor", bytes=3 << 10, objects=17),),
        keepers_total=9,
    )


def chains(**more: object) -> ChainsReport:
    end = TypeSum(type="main.Session", objects=300, bytes=30 * MIB)
    lists = ChainNode(
        link=".queue.head", objects=700, bytes=70 * MIB, loops=(".next", ".prev", ".up", ".down"),
        ends=(TypeSum(type=None, objects=700, bytes=70 * MIB),),
    )  # fmt: skip
    key = ChainNode(link="[key]", objects=300, bytes=30 * MIB, ends=(end,))
    holder = ChainNode(
        link="main.sessions", objects=1000, bytes=100 * MIB, children=(lists, key), left_off=2,
        left_off_bytes=1 << 20, sampled=sampled(),
    )  # fmt: skip
    facts: dict[str, object] = {
        "goretain": "0.1.0",
        "look": look(),
        "what": "main.Session",
        "kind": "type",
        "name": "main.Session",
        "objects": 1003,
        "bytes": 101 * MIB,
        "unreached_objects": 4,
        "unreached_bytes": 400,
        "chains": (holder,),
        "left_off": 3,
        "left_off_bytes": 1 << 20,
        "sampling": Sampling(rate=512 << 10, objects=71, stacks=5),
    }
    return ChainsReport(**(facts | more))  # type: ignore[arg-type]


UNDECIDED = Confidence(
    level="undecided",
    reason="two looks show that it grew, not that it goes on",
    decide="look again: --count 6",
)


def growth_row(
    name: str,
    size: tuple[int, int],
    objects: tuple[int, int],
    roots: tuple[int, ...] = (),
    confidence: Confidence | None = UNDECIDED,
) -> GrowthRow:
    return GrowthRow(name=name, bytes=size, objects=objects, roots=roots, confidence=confidence)


def diff(**more: object) -> DiffReport:
    cache = "github.com/acme/shop/internal/catalogue.productCache"
    janitors = "goroutines [select] main.(*server).janitor"
    facts: dict[str, object] = {
        "goretain": "0.1.0",
        "looks": (look(), look(taken_at=1_790_000_030.0)),
        "live_bytes": (812 * MIB, 900 * MIB),
        "live_objects": (2_310_455, 2_513_456),
        "same_process": True,
        "same_build": True,
        "shared_bytes": (12 * MIB, 13 * MIB),
        "confidence": UNDECIDED,
        "holders": (
            growth_row(cache, (390 * MIB, 470 * MIB), (1_201_003, 1_301_003), (1, 1)),
            growth_row(janitors, (64 << 10, 32 << 10), (12, 6), (1204, 602), None),
        ),
        "holders_total": 14,
        "shared": (growth_row("main.byID and main.byName", (11 * MIB, 12 * MIB), (3000, 3210)),),
        "shared_total": 1,
        "types": (growth_row("*main.Product", (100 * MIB, 120 * MIB), (100_000, 120_000)),),
        "types_total": 1,
        "survivors_objects": 200_000,
        "survivors_bytes": 80 * MIB,
        "survivors_by_type": (TypeSum(type="main.Product", objects=20_000, bytes=20 * MIB),),
        "survivors_by_holder": (SurvivorRow(holder=cache, objects=190_000, bytes=78 * MIB),),
    }
    return DiffReport(**(facts | more))  # type: ignore[arg-type]
