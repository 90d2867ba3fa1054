"""Specials as columns: what is attached to which object, with the function that will run and what it keeps.

Imports ``golang``'s ``memory``, ``roots`` and ``stacks``, ``snapshot`` and numpy.
"""

from __future__ import annotations

import numpy as np

from goretain.golang.groups.texts import Texts
from goretain.golang.memory.objects import Objects
from goretain.golang.packages import display_name
from goretain.golang.roots.specials import Attached, Specials
from goretain.golang.stacks.stacks import Stacks
from goretain.model.errors import MissingMemory
from goretain.snapshot import Specials as SpecialColumns


def special_columns(specials: Specials, objects: Objects, stacks: Stacks, texts: Texts) -> SpecialColumns:
    """The group ``specials`` of a snapshot."""
    rows = specials.attached
    return SpecialColumns(
        special_kind=np.array([row.kind for row in rows], np.uint8),
        special_object=objects.find(np.array([row.object for row in rows], np.int64)),
        special_function=np.array([texts.row(_function(stacks, row)) for row in rows], np.uint32),
        special_target=objects.find(np.array([row.target for row in rows], np.int64)),
    )


def _function(stacks: Stacks, row: Attached) -> str:
    """Name of the function of a closure: its first word is the function's address."""
    try:
        return display_name(stacks.function(stacks.program.word(row.function))) if row.function else ""
    except MissingMemory:
        return ""
