"""The public Python API: open a target, ask it what holds its memory.

Every command of the CLI is one call of this package; it wires the floors together and computes nothing
itself. Its modules are imported when one of their names is asked for, because ``snap`` must not import what
analyses need.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from goretain.api.answers import chains as chains
    from goretain.api.answers import diff as diff
    from goretain.api.answers import export as export
    from goretain.api.answers import query as query
    from goretain.api.answers import watch as watch
    from goretain.api.answers import why as why
    from goretain.api.explaining import explain as explain
    from goretain.api.gating import gate as gate
    from goretain.api.health import doctor as doctor
    from goretain.api.images import snap as snap
    from goretain.api.laboratory import lab as lab
    from goretain.api.laboratory import lab_list as lab_list
    from goretain.api.laboratory import lab_record as lab_record
    from goretain.api.laboratory import lab_table as lab_table
    from goretain.api.patterns import new_pattern as new_pattern
    from goretain.api.patterns import rules as rules
    from goretain.api.profiles import growth as growth
    from goretain.api.profiles import profile as profile
    from goretain.api.profiles import profile_diff as profile_diff
    from goretain.api.remedies import add_remedy as add_remedy
    from goretain.api.remedies import remedies as remedies
    from goretain.api.schemas import schema as schema
    from goretain.api.snapshot import Snapshot as Snapshot
    from goretain.api.targets import Progress as Progress
    from goretain.api.targets import open as open
    from goretain.api.traces import trace as trace
    from goretain.api.watching import watch_profiles as watch_profiles

_HOMES = {
    "Progress": "targets",
    "Snapshot": "snapshot",
    "add_remedy": "remedies",
    "chains": "answers",
    "diff": "answers",
    "doctor": "health",
    "explain": "explaining",
    "export": "answers",
    "gate": "gating",
    "growth": "profiles",
    "lab": "laboratory",
    "lab_list": "laboratory",
    "lab_record": "laboratory",
    "lab_table": "laboratory",
    "new_pattern": "patterns",
    "open": "targets",
    "profile": "profiles",
    "profile_diff": "profiles",
    "query": "answers",
    "remedies": "remedies",
    "rules": "patterns",
    "schema": "schemas",
    "snap": "images",
    "trace": "traces",
    "watch": "answers",
    "watch_profiles": "watching",
    "why": "answers",
}
__all__ = [
    "Progress",
    "Snapshot",
    "add_remedy",
    "chains",
    "diff",
    "doctor",
    "explain",
    "export",
    "gate",
    "growth",
    "lab",
    "lab_list",
    "lab_record",
    "lab_table",
    "new_pattern",
    "open",
    "profile",
    "profile_diff",
    "query",
    "remedies",
    "rules",
    "schema",
    "snap",
    "trace",
    "watch",
    "watch_profiles",
    "why",
]


def __getattr__(name: str) -> Any:
    """Import a name from its module on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"goretain.api.{home}"), name)
