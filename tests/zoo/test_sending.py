"""What leaked senders are about to send has its type, and with it all that it holds."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import goretain
from tests.support.golang import VERSIONS, go_program, running

_SHORT = ("1.21.13", "1.27.3")
_CASES = [v if v in _SHORT else pytest.param(v, marks=pytest.mark.long) for v in VERSIONS]


@pytest.mark.parametrize("flags", [(), ("-ldflags=-s -w",)], ids=["whole", "stripped"])
@pytest.mark.parametrize("version", _CASES)
def test_what_is_sent_has_its_type(version: str, flags: tuple[str, ...]) -> None:
    with running(go_program("sending", version, flags=flags)) as target:
        heap = goretain.open(target.pid).heap
    columns, found = heap.snapshot.columns, Counter[tuple[str, ...]]()
    for o in np.flatnonzero(columns.object_size >= 8 << 10).tolist():
        holder = heap.chain(o).root
        if "main.send" in holder:
            size, kind = int(columns.object_size[o]), heap.type_of(o) or "?"
            found[holder.partition("main.")[2], str(size), kind] += 1
    assert found == Counter((name, size, kind) for name, size, kind in target.facts["Sent"])
