"""Capturing a live process: plan, freeze, plan again, copy, release.

The plan runs once on the running process to learn how much there is; the destination is reserved and
faulted in then, so that the pause is spent on nothing but reading. What equals the binary's file is read
from the file, without pausing. Imports ``debuginfo``, ``capture`` siblings, ``model`` and numpy.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np

from goretain.capture import libc, privileges, procfs
from goretain.capture.executable import bias_of, check_identity, open_program
from goretain.capture.freeze import Freezer
from goretain.capture.image import CaptureFacts, Image, Mapping
from goretain.capture.interrupts import DeferredSignals, Interrupted
from goretain.capture.limits import check_room
from goretain.capture.live import LiveProcess, placed
from goretain.capture.program import from_file, part_ranges, writable
from goretain.capture.ranges import I64, PAGE, aligned, as_ranges, normalise, packed, subtract, total
from goretain.capture.refusal import check_process
from goretain.capture.reservation import Reservation
from goretain.capture.source import MemorySource, Plan, PlanFor
from goretain.model.errors import GoretainError, MissingMemory

# Called with the name of the phase that begins: "estimating", "seizing", "planning", "copying", "releasing".
OnPhase = Callable[[str], None]
# Called with (what is being done, bytes done, bytes in all).
Progress = Callable[[str, int, int], None]

# The heap grows between the estimate and the pause; virtual space is free.
_HEADROOM = 64 << 20


@dataclass(slots=True)
class _Copy:
    """Where the ranges of an image go."""

    ranges: I64
    offsets: I64
    pieces: I64
    end: int
    missing: I64


@dataclass(slots=True)
class _Frozen:
    """What was found in the pause."""

    copy: _Copy
    copied: int
    taken_at: float
    mappings: list[Mapping]
    registers: dict[int, dict[str, int]]
    rss_bytes: int | None
    notes: list[str] = field(default_factory=list)


def capture_process(
    pid: int,
    plan_for: PlanFor,
    *,
    full: bool = False,
    force: bool = False,
    on_phase: OnPhase | None = None,
    progress: Progress | None = None,
) -> Image:
    """Freeze a Go process, copy what the plan asks for, release it, return the image.

    The process goes on whatever happens to us: an error, an interruption, SIGKILL. Its own variables and
    the read-only data of its binary are always part of the image; with ``full`` all its private memory is
    and the plan is not used.

    Args:
        force: copy even if the memory limits say that there is no room.
        on_phase: told of each phase as it begins (see OnPhase).
        progress: told how the copy goes.

    Raises NoSuchProcess, NotGoProgram, UnsupportedArchitecture, PermissionDenied, AlreadyTraced, TargetGone,
    NotEnoughMemory, CorruptFile, and what the plan raises (UnknownLayout).
    """
    privileges.claim()
    check_process(pid)
    with ExitStack() as stack:
        binary, identity = open_program(pid)
        bias = bias_of(pid, binary)
        plan = full_plan if full else plan_for(binary, bias)
        source = LiveProcess(pid, binary, bias)
        stack.callback(source.close)
        capture = _Capture(source, plan, identity, on_phase or _quiet, progress)
        return capture.run(force=force)


def full_plan(source: MemorySource) -> I64:
    """Every readable private anonymous mapping and the files of loaded ELF modules."""
    mapped = source.mappings()
    modules = {m.path for m in mapped if "x" in m.flags and m.path.startswith("/")}
    wanted = (m for m in mapped if m.flags[0] == "r" and (procfs.is_anonymous(m) or m.path in modules))
    return as_ranges((m.start, m.end) for m in wanted)


class _Capture:
    """One capture of one process."""

    def __init__(
        self,
        source: LiveProcess,
        plan: Plan,
        identity: tuple[int, int],
        on_phase: OnPhase,
        progress: Progress | None,
    ) -> None:
        self.source = source
        self.plan = plan
        self.identity = identity
        self.on_phase = on_phase
        self.progress = progress
        self.parts = from_file(source.binary, source.bias)
        self.fixed = part_ranges(self.parts)
        self.fixed_offsets, self.fixed_end = packed(self.fixed, 0)
        self.freezer = Freezer(source.pid)
        self.program = procfs.program_name(source.pid)

    def run(self, *, force: bool) -> Image:
        self.on_phase("estimating")
        estimate = self._estimate()
        planned = self.fixed_end + (total(estimate.pieces) if estimate is not None else 0)
        if not force:
            check_room(planned)
        destination = Reservation((estimate.end if estimate is not None else self.fixed_end) + _HEADROOM)
        try:
            self._read_parts(destination)
            if estimate is not None:
                places = placed(estimate.pieces, estimate.ranges, estimate.offsets)
                sizes = estimate.pieces[:, 1] - estimate.pieces[:, 0]
                destination.populate(normalise(aligned(np.column_stack((places, places + sizes)), PAGE)))
            frozen = self._freeze_and_copy(destination)
            return self._image(destination, frozen)
        finally:
            destination.free()

    def _estimate(self) -> _Copy | None:
        """The plan on the running process: it may meet garbage; None when it does so every time."""
        for _ in range(3):
            try:
                return self._lay_out()
            except MissingMemory:
                continue
            except GoretainError:
                raise
            except (ValueError, IndexError, OverflowError, MemoryError):
                continue
        return None

    def _lay_out(self) -> _Copy:
        """Ask the plan and decide where everything goes."""
        asked = aligned(self.plan(self.source), 8)
        variables = writable(self.source.binary, self.source.bias)
        ranges = subtract(normalise(np.concatenate((asked, variables))), normalise(self.fixed))
        pieces, missing = self.source.pieces(ranges, self.source.mappings())
        ranges = subtract(ranges, missing)
        offsets, end = packed(ranges, self.fixed_end)
        return _Copy(ranges, offsets, pieces, end, missing)

    def _read_parts(self, destination: Reservation) -> None:
        for part, offset in zip(self.parts, self.fixed_offsets.tolist(), strict=True):
            data = self.source.binary.read(part.offset, part.end - part.start)
            libc.view(destination.address + offset, len(data))[:] = data

    def _freeze_and_copy(self, destination: Reservation) -> _Frozen:
        """The pause. Whatever is raised in it, the target has been released when it leaves here."""
        with DeferredSignals() as signals, _no_collection():
            try:
                self.on_phase("seizing")
                self.freezer.seize()
                self.freezer.stop()
                signals.check()
                return self._copy_frozen(destination, signals)
            except MissingMemory:
                if procfs.thread_state(self.source.pid, self.source.pid) in "ZX":
                    raise procfs.gone(self.source.pid) from None
                raise
            except Interrupted:
                # Unless the signal's own handler, which runs on leaving, raises something else.
                raise KeyboardInterrupt from None
            finally:
                try:
                    self.on_phase("releasing")
                finally:
                    self.freezer.release()
                    self.source.let_go()

    def _copy_frozen(self, destination: Reservation, signals: DeferredSignals) -> _Frozen:
        self.on_phase("planning")
        taken_at = time.time()
        self.source.hold(self.freezer.registers())
        check_identity(self.source.pid, self.identity)
        resident = procfs.resident_bytes(self.source.pid)
        copy = self._lay_out()
        signals.check()
        self.on_phase("copying")
        destination.grow(copy.end)
        whole = total(copy.pieces)

        def between(done: int) -> None:
            signals.check()
            if self.progress is not None:
                self.progress("copying", done, whole)

        places = placed(copy.pieces, copy.ranges, copy.offsets) + destination.address
        copied = self.source.reader.read(
            copy.pieces[:, 0], copy.pieces[:, 1] - copy.pieces[:, 0], places, between
        )
        return _Frozen(
            copy, copied, taken_at, self.source.mappings(), self.source.registers, resident, _notes(copy)
        )

    def _image(self, destination: Reservation, frozen: _Frozen) -> Image:
        ranges = np.concatenate((self.fixed, frozen.copy.ranges))
        offsets = np.concatenate((self.fixed_offsets, frozen.copy.offsets))
        order = np.argsort(ranges[:, 0], kind="stable")
        freezer = self.freezer
        facts = CaptureFacts(
            source="live",
            program=self.program,
            pid=self.source.pid,
            taken_at=frozen.taken_at,
            copied_bytes=frozen.copied,
            threads=len(frozen.registers),
            pause_ns=freezer.released_ns - freezer.began_ns,
            stop_ns=freezer.stopped_ns - freezer.began_ns,
            rss_bytes=frozen.rss_bytes,
            notes=frozen.notes,
        )
        return Image(
            destination.detach(frozen.copy.end),
            ranges[order],
            offsets[order],
            binary=self.source.binary,
            bias=self.source.bias,
            registers=frozen.registers,
            mappings=frozen.mappings,
            facts=facts,
        )


def _notes(copy: _Copy) -> list[str]:
    if not len(copy.missing):
        return []
    at = int(copy.missing[0, 0])
    return [f"{total(copy.missing)} bytes that the plan asked for are not mapped, the first at {at:#x}"]


def _quiet(_phase: str) -> None:
    """No one wants to know."""


@contextmanager
def _no_collection() -> Iterator[None]:
    """A collection of our own garbage in the pause would cost the target milliseconds."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


__all__ = ["OnPhase", "Progress", "capture_process", "full_plan"]
