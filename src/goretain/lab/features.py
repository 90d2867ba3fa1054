"""Features of a toolchain that change what experiments measure: asked of its own sources, never of a version.

A toolchain comes with the sources of the runtime and the compiler that it builds with. A feature is a
declaration or constant in one of them: FEATURES says in which, so that a reader can look. What every
supported Go has alike is not listed. Imports ``model``, ``toolchain`` and the standard library.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from goretain.toolchain import Toolchain


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature.

    Attributes:
        name: as conditions write it.
        says: what a runtime with it does, for people.
        file: below GOROOT/src; a toolchain without that file lacks the feature.
        pattern: regular expression that is found in the file.
        guard: one that is not found in it: the switch of a feature that is there but off.
    """

    name: str
    says: str
    file: str
    pattern: str
    guard: str = ""

    def is_in(self, goroot: Path) -> bool:
        """Whether a toolchain has it."""
        path = goroot / "src" / self.file
        if not path.is_file():
            return False
        text = path.read_text("utf-8", "replace")
        guarded = bool(self.guard) and re.search(self.guard, text) is not None
        return not guarded and re.search(self.pattern, text) is not None


FEATURES = (
    Feature(
        "swiss_maps", "maps are Swiss tables, which grow by splitting", "internal/runtime/maps/table.go", "^"
    ),
    Feature(
        "swiss_maps_optional",
        "Swiss maps can be switched off when a program is built",
        "internal/goexperiment/flags.go",
        r"\bSwissMap\b",
    ),
    Feature(
        "load_factor_6_5",
        "classic maps grow at 6.5 entries a bucket, not at 6",
        "runtime/map.go",
        r"loadFactorNum\s*=\s*loadFactorDen \* ",
    ),
    Feature(
        "trie_sync_map",
        "sync.Map is a hash trie, which drops deleted keys at once",
        "internal/sync/hashtriemap.go",
        "^",
    ),
    Feature("cleanups", "runtime.AddCleanup exists", "runtime/mcleanup.go", r"func AddCleanup\b"),
    Feature(
        "finalizer_metrics",
        "runtime/metrics counts finalizers and cleanups",
        "runtime/metrics/description.go",
        "/gc/finalizers/queued",
    ),
    Feature(
        "goroutine_leak_profile",
        "runtime/pprof has the profile goroutineleak without being asked for it",
        "runtime/pprof/pprof.go",
        '"goroutineleak"',
        r"goexperiment\.GoroutineLeakProfile",
    ),
    Feature(
        "links_refused",
        "the linker refuses go:linkname to variables of the runtime",
        "cmd/link/internal/loader/loader.go",
        r"\bblockedLinknames\b",
    ),
    Feature(
        "small_stack_variables",
        "variables larger than 128 KiB are put on the heap, not only those above 10 MiB",
        "cmd/compile/internal/ir/cfg.go",
        r"MaxStackVarSize\s*=\s*int64\(128 \* 1024\)",
    ),
    Feature(
        "stack_backed_makes",
        "a small slice of variable size may stand on the stack",
        "cmd/compile/internal/base/debug.go",
        r"\bVariableMake",
    ),
    Feature(
        "json_v2",
        "encoding/json is made on encoding/json/v2",
        "internal/buildcfg/exp.go",
        r"JSONv2:\s*true",
    ),
)


@cache
def features_of(toolchain: Toolchain) -> frozenset[str]:
    """Names of the features that a toolchain has."""
    return frozenset(feature.name for feature in FEATURES if feature.is_in(toolchain.goroot))


def known(name: str) -> bool:
    """Whether that is the name of a feature."""
    return any(feature.name == name for feature in FEATURES)
