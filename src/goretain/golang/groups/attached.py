"""Specials as columns: what is attached to which object, with the function that will run and what it keeps.

Imports ``golang``'s ``memory``, ``roots`` and ``stacks``, ``snapshot`` and numpy.
"""

from __future__ import annotations

import numpy as np

from goretain.golang.groups.texts import Texts
from goretain.golang.memory.objects import Objects
from goretain.golang.roots.specialnames import called
from goretain.golang.roots.specials import Specials
from goretain.golang.stacks.stacks import Stacks
from goretain.snapshot import NO_OBJECT
from goretain.snapshot import Specials as SpecialColumns


def special_columns(specials: Specials, objects: Objects, stacks: Stacks, texts: Texts) -> SpecialColumns:
    """The group ``specials`` of a snapshot.

    What a cleanup keeps beside its argument has rows of its own, behind all others.
    """
    rows = [(row, row.target) for row in specials.attached]
    beside = [(row, value) for row in specials.attached for value in row.beside]
    known = objects.find(np.array([value for _, value in beside], np.int64)) != NO_OBJECT
    rows += [beside[k] for k in np.flatnonzero(known).tolist()]
    return SpecialColumns(
        special_kind=np.array([row.kind for row, _ in rows], np.uint8),
        special_object=objects.find(np.array([row.object for row, _ in rows], np.int64)),
        special_function=np.array([texts.row(called(stacks, row.function)) for row, _ in rows], np.uint32),
        special_target=objects.find(np.array([target for _, target in rows], np.int64)),
    )
