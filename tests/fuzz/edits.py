"""Small damage to bytes, chosen by a seed: the same seed does the same damage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

#: Numbers at which counts, offsets, lengths and addresses go wrong.
_EDGES = (
    *(0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF),
    *(1 << 32, 1 << 40, (1 << 47) - 8, 1 << 47, (1 << 63) - 1, 1 << 63, (1 << 64) - 1),
)
_LONGEST_RUN = 64


@dataclass(frozen=True, slots=True)
class Edit:
    """data replaces what stood at offset."""

    offset: int
    data: bytes


def damage(rng: Random, read: Callable[[int, int], bytes], regions: Sequence[tuple[int, int]]) -> list[Edit]:
    """One to three edits inside regions [start, end); every region is as likely as any other.

    Args:
        read: (offset, size) -> what stands there now.
    """
    return [_edit(rng, read, *rng.choice(regions)) for _ in range(rng.choice((1, 1, 1, 2, 3)))]


def _edit(rng: Random, read: Callable[[int, int], bytes], start: int, end: int) -> Edit:
    kind = rng.choice(("bit", "byte", "edge", "edge", "near", "near", "copy", "run"))
    size = min(rng.choice((1, 2, 4, 8, 8)), end - start)
    if kind in ("copy", "run"):
        size = min(rng.randint(1, _LONGEST_RUN), end - start)
    at = rng.randrange(start, end - size + 1)
    if size == 8 and at % 8 and rng.random() < 0.8:
        at = max(start, at - at % 8)
    old = read(at, size)
    if kind == "bit":
        place = rng.randrange(len(old))
        return Edit(at + place, bytes([old[place] ^ 1 << rng.randrange(8)]))
    if kind == "byte":
        return Edit(at, rng.randbytes(1))
    if kind == "edge":
        return Edit(at, _number(rng.choice(_EDGES), len(old)))
    if kind == "near":
        step = rng.choice((-4096, -8, -1, 1, 8, 16, 4096))
        return Edit(at, _number(int.from_bytes(old, "little") + step, len(old)))
    if kind == "copy":
        return Edit(at, read(rng.randrange(start, end - size + 1), size))
    return Edit(at, bytes([rng.choice((0, 0xFF, 0x80))]) * size)


def _number(value: int, size: int) -> bytes:
    return (value & (1 << 8 * size) - 1).to_bytes(size, "little")
