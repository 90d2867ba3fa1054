"""What was resident: asked of the kernel, kept in image files, believed of no file."""

from __future__ import annotations

import ctypes
import errno
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goretain.capture import libc
from goretain.capture.frozen import pagemap
from goretain.capture.frozen.resident import measure
from goretain.capture.image import Mapping
from goretain.capture.imagefile.tables import parse_facts
from goretain.capture.ranges import I64, PAGE, as_ranges
from goretain.capture.residency import Residency
from goretain.model.errors import CorruptFile
from tests.support.images import made_image

_SIZE = 4 << 20


def _no_scan(_pagemap: int, _windows: I64, _wanted: int) -> I64:
    raise OSError(errno.ENOTTY, "as kernels before 6.7 say")


@pytest.mark.parametrize("scan", [True, False])
def test_the_page_of_zeros_and_untouched_pages_are_not_resident(
    scan: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not scan:
        monkeypatch.setattr(pagemap, "_scan", _no_scan)
    block = libc.reserve(_SIZE)
    libc.advise(block, _SIZE, 15)  # no huge pages: they would make neighbours resident
    read, written = range(0, 200, 3), range(1, 200, 5)
    for page in read:
        ctypes.string_at(block + page * PAGE, 1)
    for page in written:
        ctypes.memset(block + page * PAGE, 1, 1)
    own = [Mapping(block, block + _SIZE, "rw-p", 0, "")]
    with open("/proc/self/pagemap", "rb", buffering=0) as file:
        found = measure(file.fileno(), own, "")
        foreign = measure(file.fileno(), [replace(own[0], path="/anon_hugepage (deleted)")], "")
    libc.unmap(block, _SIZE)
    assert found is not None
    pages = [(a - block) // PAGE for start, end in found.anonymous.tolist() for a in range(start, end, PAGE)]
    assert pages == list(written)
    assert found.rss == len(written) * PAGE
    assert foreign is not None
    assert foreign.rss == 0
    assert measure(-1, own, "") is None


def _facts(tmp_path: Path, resident: object) -> bytes:
    facts: dict[str, Any] = asdict(made_image(tmp_path).facts)
    return json.dumps(facts | {"resident": resident}).encode()


def _packed(runs: list[tuple[int, int]]) -> dict[str, Any]:
    packed = Residency(as_ranges(runs), 5 * PAGE, 7 * PAGE, PAGE, 2 * PAGE).packed()
    assert packed is not None
    return packed


def test_what_was_resident_is_read_as_it_was_written(tmp_path: Path) -> None:
    runs = [(0, PAGE), (9 * PAGE, 11 * PAGE), (1 << 46, (1 << 46) + PAGE)]
    read = parse_facts("image", _facts(tmp_path, _packed(runs)), 0).resident
    assert read == Residency(as_ranges(runs), 5 * PAGE, 7 * PAGE, PAGE, 2 * PAGE)
    assert read.rss == (1 + 2 + 1 + 5 + 7 + 1) * PAGE
    assert parse_facts("image", _facts(tmp_path, None), 0).resident is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"program": -1},
        {"shared": "many"},
        {"runs": 3},
        {"runs": 1 << 40},
        {"anonymous": "no base64!"},
        {"anonymous": "AAAA"},
        {"anonymous": 7},
        {"anonymous": _packed([(4 * PAGE, 2 * PAGE), (PAGE, 0)])["anonymous"]},
        {"anonymous": _packed([(PAGE, 1 << 47), (1 << 48, 1 << 49)])["anonymous"]},
    ],
)
def test_no_file_is_believed_what_was_resident(tmp_path: Path, wrong: dict[str, object]) -> None:
    good = _packed([(PAGE, 2 * PAGE), (4 * PAGE, 5 * PAGE)])
    parse_facts("image", _facts(tmp_path, good), 0)
    for resident in (good | wrong, {}, [good]):
        with pytest.raises(CorruptFile, match="facts of the capture"):
            parse_facts("image", _facts(tmp_path, resident), 0)


def test_what_is_too_scattered_for_a_file_is_left_out() -> None:
    steps = np.random.default_rng(3).integers(1, 1 << 9, 1 << 20) * PAGE
    assert Residency(np.cumsum(steps).reshape(-1, 2), 0, 0, 0, 0).packed() is None
