"""Fills the optional groups and tables of a snapshot. Imports ``golang`` rooms and ``snapshot``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.capture.image import Image
from goretain.golang.groups.attached import special_columns
from goretain.golang.groups.memory import memory_facts
from goretain.golang.groups.samples import sample_columns
from goretain.golang.groups.spans import span_columns
from goretain.golang.groups.texts import Texts
from goretain.golang.groups.timers import timer_columns
from goretain.golang.groups.waiting import wait_columns
from goretain.golang.memory.objects import Objects
from goretain.golang.roots.specials import Specials
from goretain.golang.stacks.stacks import Stacks
from goretain.golang.stacks.waits import WaitTable
from goretain.golang.types.universe import TypeUniverse
from goretain.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Found:
    """What the rooms have read of one image.

    class_size: int64[c], slot sizes of the size classes from 1 on; waits: None when unknown.
    """

    image: Image
    universe: TypeUniverse
    objects: Objects
    stacks: Stacks
    specials: Specials
    waits: WaitTable | None
    class_size: NDArray[np.int64]


def fill_groups(snapshot: Snapshot, found: Found) -> None:
    """Set the groups that can be told from what was found; the others stay None."""
    texts, program = Texts(snapshot.strings), found.universe.program
    if found.waits is not None:
        snapshot.waits = wait_columns(found.waits, found.objects, found.universe, texts)
    snapshot.spans = span_columns(found.objects, found.class_size)
    snapshot.specials = special_columns(found.specials, found.objects, found.stacks, texts)
    snapshot.timers = timer_columns(found.stacks, found.objects, texts)
    snapshot.samples, snapshot.sites = sample_columns(found.specials, found.objects, found.stacks)
    snapshot.memory = memory_facts(found.image, program, snapshot.meta.totals, found.objects.spans)
