"""Features of a program's runtime that change what its memory means: asked of the binary, never of a version.

Imports ``golang.layout`` and rooms of ``golang``.
"""

from __future__ import annotations

from goretain.golang.layout import Layout
from goretain.golang.memory.spans import SpanTable


def features_of(layout: Layout, spans: SpanTable, *, swiss_maps: bool) -> tuple[str, ...]:
    """Names of what was detected, as ``Meta.features`` has them (docs/formats.md says what each means)."""
    detected = (
        ("stripped", not layout.descriptions.complete),
        ("green-tea", spans.green_tea),
        ("masks-on-demand", layout.has_symbol("runtime.getGCMaskOnDemand")),
        ("cleanups", layout.has_struct("runtime.specialCleanup")),
        ("cleanup-queue", layout.has_struct("runtime.cleanupQueue")),
        ("cleanup-arguments", layout.has_struct("runtime.cleanupFn")),
        ("map-clear-sequence", layout.has("runtime.hmap", "clearSeq")),
        ("goroutine-waits", layout.has_struct("runtime.sudog")),
        ("timer-channels", layout.has("runtime.hchan", "timer")),
    )
    return (
        "swiss-maps" if swiss_maps else "classic-maps",
        "inline-bitmaps" if spans.inline_bitmaps else "arena-bitmaps",
        *(name for name, there in detected if there),
    )
