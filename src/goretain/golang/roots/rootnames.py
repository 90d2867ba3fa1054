"""Names of globals that say what they hold, once inference knows it: ``bss+0x40 (*main.cache)``; and what it
costs that a program names no variables.

Imports ``golang.roots``, ``golang.types`` and ``snapshot``.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict

import msgspec
import numpy as np
from numpy.typing import NDArray

from goretain.golang.roots.rootobjects import ResolvedRoots
from goretain.golang.types.gotypes import GoType
from goretain.golang.types.infer import Inferred
from goretain.golang.types.typetable import spoken
from goretain.snapshot import RootNode

#: A segment and an offset, behind the name of its file where that is a plugin.
_PLACE = re.compile(r"(.+ )?(data|bss)\+0x[0-9a-f]+")


def named_by_content(
    nodes: list[RootNode], paths: list[str], roots: ResolvedRoots, inferred: Inferred
) -> list[RootNode]:
    """The nodes; those that are only a place get the type of what their one word points to, where known."""
    rows: dict[int, list[int]] = defaultdict(list)
    for row, node in enumerate(roots.node.tolist()):
        rows[node].append(row)
    named = list(nodes)
    for number, node in enumerate(nodes):
        own = rows.get(number, [])
        if len(own) != 1 or not _PLACE.fullmatch(node.name) or paths[roots.path[own[0]]]:
            continue
        target = int(roots.target[own[0]])
        kind = int(inferred.type[target])
        if kind >= 0 and not inferred.array[target]:
            text = _pointer_name(inferred.table.types[kind])
            named[number] = msgspec.structs.replace(node, name=f"{node.name} ({text})") if text else node
    return named


def _pointer_name(t: GoType) -> str:
    """What a variable that points to a t is declared as; "" where that is not certain."""
    if t.role == "map-header":
        return spoken(t.name.removesuffix(" header"))
    if t.role == "chan":
        return spoken(t.name)
    if t.role == "closure":
        return "func"
    # A pointer to one byte may be a string, a slice or a pointer.
    return f"*{spoken(t.name)}" if not t.role and t.kind == "struct" else ""


def stripped_note(inferred: Inferred, reached: NDArray[np.bool_], *, symbols: bool) -> str:
    """What it costs that the program has no debug information, and what to do, as a sentence."""
    typed, whole = int(np.count_nonzero(reached & (inferred.type >= 0))), int(np.count_nonzero(reached))
    share = f"{math.floor(1000 * typed / whole) / 10:.1f} %" if whole else "none"
    names = "" if symbols else ", and variables are named by their place"
    return (
        f"the binary is stripped of debug information: {share} of the live objects have a type, from the "
        f"program's own type records and machine code{names}; maps without a type are not counted as maps; "
        "give --binary UNSTRIPPED, built from the same source, to see all types and names"
    )
