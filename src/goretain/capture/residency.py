"""Which memory of a process is resident: what its RSS is made of, as the page tables say.

Anonymous pages are kept by address, because only ``golang`` knows what they hold; pages of files are sums.
An image file keeps it among its facts. Imports ``capture.ranges`` and numpy.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from goretain.capture.ranges import I64, PAGE, USER_SPACE, total

#: Text of the runs in an image file, whose facts are at most 1 MiB; a claim of more runs than fit is refused.
_MOST_TEXT, _MOST_RUNS = 700 << 10, 8 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Residency:
    """Resident memory of one process; in bytes. Their sum is its RSS (/proc/PID/smaps).

    Attributes:
        anonymous: int64[k, 2], normal: pages that no file backs: heaps, stacks, variables that were written.
        program: pages of the program's own file. files: of other files. shared: of shared memory.
        swapped: in swap, and not in any of the others.
    """

    anonymous: I64
    program: int
    files: int
    shared: int
    swapped: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Residency) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment] # it holds an array

    def _values(self) -> tuple[object, ...]:
        return self.anonymous.tolist(), self.program, self.files, self.shared, self.swapped

    @property
    def rss(self) -> int:
        """All of it."""
        return total(self.anonymous) + self.program + self.files + self.shared

    def packed(self) -> dict[str, Any] | None:
        """As the facts of an image file hold it; None where it has too many pieces for that."""
        steps = np.diff(self.anonymous.ravel() // PAGE, prepend=0).astype("<i8")
        text = base64.b64encode(zlib.compress(steps.tobytes())).decode()
        if len(text) > _MOST_TEXT or len(steps) > 2 * _MOST_RUNS:
            return None
        sums = {"program": self.program, "files": self.files, "shared": self.shared, "swapped": self.swapped}
        return {"runs": len(self.anonymous), "anonymous": text} | sums


def unpacked(found: Any) -> Residency | None:
    """What ``packed`` made. Raises ValueError, KeyError, TypeError."""
    if found is None:
        return None
    sums = {name: found[name] for name in ("program", "files", "shared", "swapped")}
    for value in (*sums.values(), found["runs"]):
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < USER_SPACE:
            raise ValueError(f"{value!r} is no size")
    return Residency(anonymous=_runs(found["anonymous"], found["runs"]), **sums)


def _runs(text: Any, count: int) -> I64:
    if not isinstance(text, str) or len(text) > _MOST_TEXT or count > _MOST_RUNS:
        raise ValueError("the resident pages are no text, or too many")
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(base64.b64decode(text, validate=True), count * 16 + 1)
    except (zlib.error, binascii.Error) as error:
        raise ValueError(f"the resident pages do not decompress: {error}") from None
    if len(raw) != count * 16 or not stream.eof:
        raise ValueError(f"the resident pages are not the {count} runs that they claim to be")
    steps = np.frombuffer(raw, "<i8")
    if bool((steps[1:] <= 0).any() | (steps[:1] < 0).any() | (steps > USER_SPACE // PAGE).any()):
        raise ValueError("the resident pages do not ascend")
    edges = np.cumsum(steps) * PAGE
    if len(edges) and int(edges[-1]) > USER_SPACE:
        raise ValueError("the resident pages are outside of user space")
    return edges.reshape(-1, 2)
