"""Which names of a heap a word stands for, and what comes near where it is none. Imports ``snapshot``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from goretain.snapshot import Snapshot

_SUGGESTED = 3


def fitting(what: str, names: Iterable[str]) -> list[str]:
    """The names that are the word, else those that it fits with ``*`` for anything."""
    every = list(names)
    if what in every or "*" not in what:
        return [what] if what in every else []
    form = re.compile(".*".join(re.escape(part) for part in what.split("*")), re.DOTALL)
    return [name for name in every if form.fullmatch(name)]


def find_roots(snapshot: Snapshot, what: str) -> list[int]:
    """Root nodes of that name; ``goroutine 18`` is enough for a goroutine, ``*`` stands for anything."""
    by_name: dict[str, list[int]] = {}
    for node, root in enumerate(snapshot.roots):
        by_name.setdefault(root.name, []).append(node)
    found = fitting(what, by_name)
    if not found and re.fullmatch(r"goroutine \d+", what):
        found = [name for name in by_name if name.startswith(what + " ")]
    return [node for name in found for node in by_name[name]]


def suggest(what: str, names: Iterable[str]) -> str:
    """A hint that names what comes near."""
    known = dict.fromkeys(names)
    bare = what.strip("*").lower()
    near = [name for name in known if bare and bare in name.lower()]
    near = sorted(near, key=lambda name: (len(name), name))[:_SUGGESTED]
    near += difflib.get_close_matches(what, list(known), _SUGGESTED, 0.5)
    listed = list(dict.fromkeys(near))[:_SUGGESTED]
    tail = "goretain why --json --top 1000 lists types and holders; * stands for anything"
    return f"did you mean {' or '.join(listed)}? {tail}" if listed else tail
