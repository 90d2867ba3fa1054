"""What the texts of many profiles stand for: most are known from the one before, and a kernel finds them.

Imports ``kernels`` and numpy.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from goretain.kernels.texts import Texts, find_texts, place_texts
from goretain.profile.columns import I64

_LEAST = 1024
#: Bytes of a name, about.
_USUAL = 64


class Names:
    """Texts, and the number of the name that each stands for.

    Args:
        factor: odd, not known to who made the profiles.
        names: name -> number; shared with others, and added to.
        shown: the name that a text stands for.
    """

    def __init__(self, factor: int, names: dict[str, int], shown: Callable[[str], str]) -> None:
        self._names = names
        self._shown = shown
        self._numbers = np.zeros(_LEAST, np.int64)
        self._texts = Texts(
            octets=np.zeros(_USUAL * _LEAST, np.uint8),
            start=np.zeros(_LEAST + 1, np.int64),
            slot=np.zeros(2 * _LEAST, np.int32),
            used=np.zeros(1, np.int64),
            factor=np.array([factor]),
        )

    def numbers(self, data: bytes, begin: I64, size: I64) -> I64:
        """int64[n]: numbers of the names that texts stand for, given where they are new.

        A text is data[begin:begin + size].
        """
        octets = np.frombuffer(data, np.uint8)
        which = np.empty(len(begin), np.int64)
        if find_texts(self._texts, octets, begin, size, which):
            rows = np.flatnonzero(which < 0)
            self._add(
                [data[a : a + n] for a, n in zip(begin[rows].tolist(), size[rows].tolist(), strict=True)]
            )
            find_texts(self._texts, octets, begin, size, which)
        numbers: I64 = self._numbers[which]
        return numbers

    def _add(self, raw: list[bytes]) -> None:
        """Make texts known, which may be there twice."""
        raw = list(dict.fromkeys(raw))
        used = int(self._texts.used[0])
        place = int(self._texts.start[used])
        joined = np.frombuffer(b"".join(raw), np.uint8)
        self._make_room(used + len(raw), place + len(joined))
        texts = self._texts
        texts.octets[place : place + len(joined)] = joined
        texts.start[used + 1 : used + len(raw) + 1] = place + np.cumsum([len(one) for one in raw])
        for at, one in enumerate(raw, used):
            name = self._shown(one.decode("utf-8", "backslashreplace"))
            self._numbers[at] = self._names.setdefault(name, len(self._names))
        texts.used[0] = used + len(raw)
        place_texts(texts, used)

    def _make_room(self, count: int, octets: int) -> None:
        texts = self._texts
        if octets > len(texts.octets):
            texts = texts._replace(octets=np.resize(texts.octets, 2 * octets))
        if count > len(self._numbers):
            self._numbers = np.resize(self._numbers, 2 * count)
            slot = np.zeros(2 << int(2 * count - 1).bit_length(), np.int32)
            texts = texts._replace(start=np.resize(texts.start, 2 * count + 1), slot=slot)
            place_texts(texts, 0)
        self._texts = texts
