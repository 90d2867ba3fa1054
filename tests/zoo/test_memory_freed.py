"""What an analysis no longer needs is given back at once, not when Python's collector runs."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from goretain.golang.read import read_heap
from tests.support.golang import VERSIONS, go_program, running
from tests.support.heaps import image_of


def test_the_image_goes_when_the_heap_is_read() -> None:
    with running(go_program(Path(__file__).parent / "letgo", VERSIONS[-1])) as target:
        image = image_of(target.pid)
    gone = weakref.ref(image)
    gc.disable()
    try:
        snapshot = read_heap(image)
        del image
        assert snapshot.object_count
        assert gone() is None
    finally:
        gc.enable()
