"""One attempt at a capture: the threads are stopped, the plan is made, memory copied, the threads released.

All that runs while a target stands still. Whatever is raised in it, the target has been released when it
leaves here. Imports ``capture``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from goretain.capture import procfs
from goretain.capture.binaries.executable import check_identity
from goretain.capture.frozen.copying import Copy
from goretain.capture.frozen.expectation import Rehearsal
from goretain.capture.frozen.freeze import Freezer
from goretain.capture.frozen.interrupts import DeferredSignals, Interrupted
from goretain.capture.frozen.live import LiveProcess
from goretain.capture.frozen.pause import Pause, no_collection
from goretain.capture.frozen.priority import first_in_line
from goretain.capture.image import Mapping
from goretain.capture.ranges import total
from goretain.capture.room.reservation import Reservation
from goretain.model.errors import MissingMemory

# Called with the name of the phase that begins: "estimating", "seizing", "planning", "copying",
# "releasing", "released"; between the last two "resting", and again from "seizing" on, after an attempt that
# was given up.
OnPhase = Callable[[str], None]
# Called with (what is being done, bytes done, bytes in all).
Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Frozen:
    """What was found while the target stood still."""

    copy: Copy
    copied: int
    taken_at: float
    mappings: list[Mapping]
    registers: dict[int, dict[str, int]]
    rss_bytes: int | None


class Attempt:
    """Stops a process once.

    Attributes:
        copy: what was copied at least in part; None when it did not come to that.
    """

    def __init__(
        self,
        source: LiveProcess,
        freezer: Freezer,
        identity: tuple[int, int],
        pause: Pause,
        on_phase: OnPhase,
        progress: Progress | None,
    ) -> None:
        """identity: of the program, which must still be the same."""
        self.source = source
        self.freezer = freezer
        self.identity = identity
        self.pause = pause
        self.on_phase = on_phase
        self.progress = progress
        self.copy: Copy | None = None

    @property
    def pause_ns(self) -> int:
        """How long the target stood still."""
        freezer = self.freezer
        return freezer.released_ns - freezer.began_ns + freezer.late_ns if freezer.began_ns else 0

    def run(
        self, lay_out: Callable[[], Copy], destination: Reservation, rehearsal: Rehearsal | None
    ) -> Frozen:
        """Copy what the plan asks for. lay_out: asks it. rehearsal: what it should take; None: no matter.

        Raises Disturbed, PauseTooLong, TargetGone, PermissionDenied, AlreadyTraced, what the plan raises.
        """
        with DeferredSignals() as signals, no_collection(), self.pause, first_in_line() as first:
            self.pause.expected = None if rehearsal is None else rehearsal.expected(first=first)
            try:
                self.on_phase("seizing")
                self.freezer.seize()
                self.pause.begin()
                self.freezer.stop()
                signals.check()
                return self._copy_frozen(lay_out, destination, signals)
            except MissingMemory:
                if procfs.thread_state(self.source.pid, self.source.pid) in "ZX":
                    raise procfs.gone(self.source.pid) from None
                raise
            except Interrupted:
                # Unless the signal's own handler, which runs on leaving, raises something else.
                raise KeyboardInterrupt from None
            finally:
                self.pause.relent()
                try:
                    self.on_phase("releasing")
                finally:
                    self.freezer.release()
                    self.source.let_go()

    def _copy_frozen(
        self, lay_out: Callable[[], Copy], destination: Reservation, signals: DeferredSignals
    ) -> Frozen:
        self._enter("planning")
        taken_at = time.time()
        self.source.hold(self.freezer.registers(), self.pause.check)
        check_identity(self.source.pid, self.identity)
        resident = procfs.resident_bytes(self.source.pid)
        copy = lay_out()
        signals.check()
        whole = total(copy.pieces)
        self._enter("copying", whole)
        destination.grow(copy.end)
        self.copy = copy

        def between(done: int) -> None:
            signals.check()
            if done < whole:
                self.pause.check(done, whole)
            if self.progress is not None:
                self.progress("copying", done, whole)

        places = copy.places + destination.address
        copied = self.source.reader.read(copy.pieces[:, 0], copy.sizes, places, between)
        return Frozen(copy, copied, taken_at, self.source.mappings(), self.source.registers, resident)

    def _enter(self, phase: str, whole: int = 0) -> None:
        self.on_phase(phase)
        self.pause.enter(phase, whole)
