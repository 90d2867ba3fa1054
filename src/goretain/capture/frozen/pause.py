"""How long the target may stand still, and who sees to it.

Three limits. Two are kept by ourselves: between the phases, between the reads of the plan and between the
chunks of the copy the clock is looked at, and the target is released when ``--max-pause`` is over, or when
the attempt takes much longer than it should (``expectation``). The third is for the case that we hang: the
watchdog ends this process when nothing has been done for a while. Imports siblings and ``model``.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from goretain.capture.frozen.expectation import Disturbed, Expected
from goretain.capture.frozen.watchdog import Watchdog
from goretain.model.errors import PauseTooLong, ResourceLimit, UsageError
from goretain.model.units import iec

#: Nothing that is done in a pause takes so long between two looks at the clock, unless it hangs.
PATIENCE = 10.0
#: With --max-pause: so much later than allowed the watchdog strikes, if we have not seen to it ourselves.
GRACE = 1.0
# To feed the watchdog takes 10 us: seldom enough.
_MEAL = 0.1
# More than this many times too long by the estimate is hopeless.
_HOPELESS = 1.5


class Pause:
    """The time from the first thread's stop to the last one's release; a context around it.

    Attributes:
        limit: seconds that the target may stand still; None for no limit.
        expected: what the pause should take; None when that is not known or does not matter.
    """

    def __init__(self, max_pause: float | None) -> None:
        """max_pause: in milliseconds. Raises UsageError."""
        if max_pause is not None and not 0 < max_pause < float("inf"):
            raise UsageError(
                f"--max-pause {max_pause:g} is no time to stand still", hint="give milliseconds: 50"
            )
        self.limit = None if max_pause is None else max_pause / 1000
        self.expected: Expected | None = None
        self._watchdog: Watchdog | None = None
        self._began: float | None = None
        self._fed = 0.0
        self._passed: list[tuple[str, float]] = []
        self._phase, self._phase_began = "", 0.0

    def __enter__(self) -> Self:
        try:
            self._watchdog = Watchdog()
        except OSError as error:
            raise ResourceLimit(
                f"the kernel has no timer left for us ({error.strerror}), without which nothing is frozen",
                hint="raise RLIMIT_SIGPENDING: ulimit -i unlimited",
            ) from None
        self._feed()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watchdog is not None:
            self._watchdog.__exit__(kind, error, trace)
        self._watchdog = None

    def begin(self) -> None:
        """The first thread is about to be stopped: time runs."""
        self._began = self._phase_began = time.monotonic()
        self._phase, self._passed = "stopping", []
        self._feed()

    def enter(self, phase: str, whole: int = 0) -> None:
        """Take note of what is being done now, and of the bytes to copy. Raises as ``check`` does."""
        now = time.monotonic()
        self._passed.append((self._phase, now - self._phase_began))
        self._phase, self._phase_began = phase, now
        self.check(0, whole)

    def check(self, done: int = 0, whole: int = 0) -> None:
        """Raise PauseTooLong when time is up, or is going to be; else the watchdog may wait again.

        Raises Disturbed when it takes much longer than expected.

        done, whole: bytes copied, and to be copied, when copying.
        """
        now = time.monotonic()
        if now - self._fed > _MEAL:
            self._feed()
        if self._began is None:
            return
        if self.limit is not None:
            self._check_limit(now, done, whole)
        since = now - self._phase_began
        if self.expected and self.expected.forbids(now - self._began, self._phase, since, done, whole):
            raise Disturbed

    def _check_limit(self, now: float, done: int, whole: int) -> None:
        assert self.limit is not None
        assert self._began is not None
        # From a quarter of the copy on its end can be foreseen.
        ahead = (now - self._phase_began) * (whole - done) / done if done * 4 >= whole > 0 else 0.0
        if now - self._began + ahead > self.limit:
            raise self._too_long(now, done, whole)

    def relent(self) -> None:
        """The target is being released: whatever time that takes, but not for ever."""
        self._began = None
        self._feed()

    def notes(self, took: float) -> list[str]:
        """What the reader should know about a pause that took so many seconds."""
        if self.limit is None or took <= self.limit:
            return []
        return [f"the pause of {took * 1000:.1f} ms was longer than --max-pause {self.limit * 1000:g}"]

    def check_estimate(self, copied: int, seconds: float) -> None:
        """Raise PauseTooLong when a copy of so many bytes, which would take so long, cannot be in time."""
        if self.limit is None or seconds < self.limit * _HOPELESS:
            return
        raise PauseTooLong(
            f"to copy {iec(copied)} would stop the target for about {seconds * 1000:.1f} ms;"
            f" --max-pause allows {self.limit * 1000:g} ms, so it was not stopped",
            hint="allow more than the copy takes: to stop the threads and to read what the runtime knows"
            " come on top; or try again when the machine is less busy",
        )

    def _feed(self) -> None:
        if self._watchdog is None:
            return
        self._fed, patience = time.monotonic(), PATIENCE
        if self.limit is not None and self._began is not None:
            patience = max(self._began + self.limit + GRACE - self._fed, 0.001)
        self._watchdog.feed(patience)

    def _too_long(self, now: float, done: int, whole: int) -> PauseTooLong:
        assert self.limit is not None
        assert self._began is not None
        came = [f"{phase} ({seconds * 1000:.1f} ms)" for phase, seconds in self._passed]
        here = now - self._phase_began
        part = f", {iec(done)} of {iec(whole)}" if whole else ""
        came.append(f"{self._phase} ({here * 1000:.1f} ms{part})")
        needed = now - self._began - here + here * whole / done if done else 0.0
        return PauseTooLong(
            f"gave up after the target stood still for {(now - self._began) * 1000:.1f} ms, as more than"
            f" --max-pause {self.limit * 1000:g} would have been needed; the target runs again."
            f" It came as far as {', '.join(came)}",
            hint=_more(needed),
        )


def _more(seconds: float) -> str:
    much = f"--max-pause {_rounded(seconds * 1500)} should do here" if seconds else "allow more"
    return f"{much}, or try again when the machine is less busy"


def _rounded(milliseconds: float) -> int:
    """Up to two digits that matter."""
    unit = int(10 ** max(len(str(int(milliseconds))) - 2, 0))
    return -int(-milliseconds // unit) * unit


@contextmanager
def no_collection() -> Iterator[None]:
    """A collection of our own garbage in the pause would cost the target milliseconds."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
