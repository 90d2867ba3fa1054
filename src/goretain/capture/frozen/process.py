"""Capturing a live process: plan, freeze, plan again, copy, release.

The plan runs once on the running process to learn how much there is and how long that takes; the destination
is reserved and faulted in then, so that the pause is spent on nothing but reading. A pause that takes much
longer all the same is broken off and tried again (``expectation``). What equals the binary's file is read
from the file, without pausing. Imports ``debuginfo``, ``capture``, ``model`` and numpy.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from goretain.capture import libc, procfs
from goretain.capture.binaries.libraries import libraries, open_library, open_runtime, start_of, with_code
from goretain.capture.binaries.program import from_file, part_ranges
from goretain.capture.frozen import expectation
from goretain.capture.frozen.attempt import Attempt, Frozen, OnPhase, Progress
from goretain.capture.frozen.copying import Copy, lay_out
from goretain.capture.frozen.expectation import Disturbed, Rehearsal, Took
from goretain.capture.frozen.freeze import Freezer
from goretain.capture.frozen.live import LiveProcess
from goretain.capture.frozen.pause import Pause
from goretain.capture.image import CaptureFacts, Image, Library, Mapping
from goretain.capture.ranges import I64, as_ranges, normalise, packed, total
from goretain.capture.rights import privileges
from goretain.capture.rights.refusal import check_process
from goretain.capture.room.cgroups import ends_with_us
from goretain.capture.room.limits import Need, check_brim, check_room, explained, first_to_go, memory_cgroups
from goretain.capture.room.reservation import Reservation
from goretain.capture.source import MemorySource, Plan, PlanFor
from goretain.model.errors import MissingMemory

# Called once with what the capture is going to take, before anything is frozen or refused.
OnPlan = Callable[[Need], None]
# The heap grows between the estimate and the pause; virtual space is free.
_HEADROOM = 64 << 20
# A page that is faulted in while the target is frozen costs it milliseconds where pages are huge.
_SPARE = 8 << 20
# How much is copied to learn how fast that is.
_SAMPLE = 16 << 20
# A plan that takes so many seconds is not made more often than need be.
_LONG = 0.3
# Working memory for each range and piece while they are laid out and read: some arrays of pairs of int64.
_BESIDE = 96


@dataclass(frozen=True, slots=True)
class _How:
    """The arguments of capture_process."""

    force: bool
    max_pause: float | None
    output: Path | None
    on_plan: OnPlan | None
    on_phase: OnPhase
    progress: Progress | None


def capture_process(
    pid: int,
    plan_for: PlanFor,
    *,
    full: bool = False,
    force: bool = False,
    max_pause: float | None = None,
    output: str | os.PathLike[str] | None = None,
    on_plan: OnPlan | None = None,
    on_phase: OnPhase | None = None,
    progress: Progress | None = None,
) -> Image:
    """Freeze a Go process, copy what the plan asks for, release it, return the image.

    The process goes on whatever happens to us: an error, an interruption, SIGKILL. If we hang while it is
    frozen, the watchdog ends *this* process (see ``capture.frozen.watchdog``). Its own variables and
    the read-only data of its binary are always part of the image; with ``full`` all its private memory is
    and the plan is not used.

    Args:
        force: copy even if the memory limits say that there is no room.
        max_pause: milliseconds after which it is given up and the process released; None for no limit.
        output: the file that the image is going to be written to, whose disk must have room too.
        on_plan: told what the capture is going to take.
        on_phase: told of each phase as it begins (see OnPhase).
        progress: told how the copy goes.

    Raises NoSuchProcess, NotGoProgram, UnsupportedArchitecture, PermissionDenied, AlreadyTraced, TargetGone,
    NotEnoughMemory, PauseTooLong, ResourceLimit, CorruptFile, and what the plan raises (UnknownLayout).
    """
    place = None if output is None else Path(output)
    how = _How(force, max_pause, place, on_plan, on_phase or _quiet, progress)
    privileges.claim()
    with ExitStack() as stack:
        stack.enter_context(first_to_go())
        stack.enter_context(explained())
        check_process(pid)
        binary, bias, identity = open_runtime(pid)
        plan = full_plan if full else plan_for(binary, bias)
        source = LiveProcess(pid, binary, bias)
        stack.callback(source.close)
        return _Capture(source, plan, identity, how).run()


def full_plan(source: MemorySource) -> I64:
    """Every readable private anonymous mapping and the files of loaded ELF modules."""
    mapped = source.mappings()
    modules = {m.path for m in mapped if "x" in m.flags and m.path.startswith("/")}
    wanted = (m for m in mapped if m.flags[0] == "r" and (procfs.is_anonymous(m) or m.path in modules))
    return as_ranges((m.start, m.end) for m in wanted)


class _Capture:
    """One capture of one process."""

    def __init__(self, source: LiveProcess, plan: Plan, identity: tuple[int, int], how: _How) -> None:
        self.source = source
        self.plan = plan
        self.identity = identity
        self.how = how
        self.parts = from_file(source.binary, source.bias)
        self.fixed = part_ranges(self.parts)
        self.fixed_offsets, self.fixed_end = packed(self.fixed, 0)
        self.groups = memory_cgroups(source.pid)
        self.pause = Pause(how.max_pause)
        source.reader.shares = not how.force
        self.planning = Took(0.0, 0.0)
        self.pauses: list[int] = []
        self.stop_ns = 0
        self.program = procfs.program_name(source.pid)

    def run(self) -> Image:
        self.how.on_phase("estimating")
        estimate = self._estimate()
        size = (estimate.end if estimate is not None else self.fixed_end) + _HEADROOM
        spare = self._check_room(estimate, size)
        destination = Reservation(size)
        try:
            self._read_parts(destination)
            rehearsal = None
            if estimate is not None:
                pages = normalise(np.concatenate((estimate.pages, [(estimate.end, estimate.end + spare)])))
                destination.populate(pages, lambda: check_brim(self.groups))
                rehearsal = self._rehearsal(estimate, destination)
            frozen = self._take(destination, rehearsal)
            self.how.on_phase("released")
            return self._image(destination, frozen)
        finally:
            destination.free()

    def _check_room(self, estimate: Copy | None, size: int) -> int:
        """Raise NotEnoughMemory; else how much more to fault in, as the plan is going to be larger then."""
        planned, beside = self.fixed_end, 0
        if estimate is not None:
            planned += total(estimate.pieces)
            beside = _BESIDE * (len(estimate.ranges) + len(estimate.pieces))
        output = self.how.output
        need = Need(planned, beside, size, planned if output is not None else 0, output)
        if self.how.on_plan is not None:
            self.how.on_plan(need)
        if self.how.force and not ends_with_us(self.source.pid):
            return 0
        return min(check_room(need, self.source.pid), max(planned // 4, _SPARE), _HEADROOM)

    def _rehearsal(self, estimate: Copy, destination: Reservation) -> Rehearsal | None:
        """What the pause should take; None when that is not known. Raises PauseTooLong."""
        reader, sample = self.source.reader, estimate.first(_SAMPLE)
        places = sample.places + destination.address
        began = Took.now()
        try:
            copied = reader.read(sample.pieces[:, 0], sample.sizes, places)
        except MissingMemory:
            return None  # it runs, and unmapped what it had
        finally:
            took = Took.now().since(began)
            destination.clear(sample.pages, self.fixed_end)
        whole = total(estimate.pieces)
        copying = took.scaled(whole / max(copied, 1) / (1 + reader.helpers(whole)))
        self.pause.check_estimate(whole, copying.clock)
        return Rehearsal(self.planning, copying, whole)

    def _estimate(self) -> Copy | None:
        """The plan on the running process: it may meet garbage; None when it does so every time.

        Made twice unless that takes long: the first time pays for code that never ran and files never read.
        """
        found: list[tuple[Took, Copy]] = []
        for _ in range(3):
            began = Took.now()
            try:
                copy = self._lay_out()
            except MissingMemory:
                continue
            except (ValueError, IndexError, OverflowError, MemoryError):
                continue
            found.append((Took.now().since(began), copy))
            if len(found) == 2 or found[0][0].clock > _LONG:
                break
        if not found:
            return None
        self.planning = min((took for took, _ in found), key=lambda took: took.processor)
        return found[-1][1]

    def _lay_out(self) -> Copy:
        return lay_out(self.source, self.plan, self.fixed, self.fixed_end)

    def _read_parts(self, destination: Reservation) -> None:
        for part, offset in zip(self.parts, self.fixed_offsets.tolist(), strict=True):
            check_brim(self.groups, part.end - part.start)
            data = self.source.binary.read(part.offset, part.end - part.start)
            libc.view(destination.address + offset, len(data))[:] = data

    def _take(self, destination: Reservation, rehearsal: Rehearsal | None) -> Frozen:
        """Attempts until one is not disturbed; the last one goes through."""
        how, freezer = self.how, Freezer(self.source.pid, self.pause.check)
        while True:
            attempt = Attempt(self.source, freezer, self.identity, self.pause, how.on_phase, how.progress)
            last = freezer.stuck or len(self.pauses) == expectation.MOST_GIVEN_UP
            try:
                return attempt.run(self._lay_out, destination, None if last else rehearsal)
            except Disturbed:
                how.on_phase("resting")
            finally:
                self.pauses.append(attempt.pause_ns)
                self.stop_ns = freezer.stopped_ns - freezer.began_ns
            if attempt.copy is not None:
                destination.clear(attempt.copy.pages, self.fixed_end)
            time.sleep(expectation.rest(self.pauses[-1] / 1e9))

    def _image(self, destination: Reservation, frozen: Frozen) -> Image:
        ranges = np.concatenate((self.fixed, frozen.copy.ranges))
        offsets = np.concatenate((self.fixed_offsets, frozen.copy.offsets))
        order = np.argsort(ranges[:, 0], kind="stable")
        resident = self.source.residency(self.program)
        facts = CaptureFacts(
            source="live",
            program=self.program,
            pid=self.source.pid,
            taken_at=frozen.taken_at,
            copied_bytes=frozen.copied,
            threads=len(frozen.registers),
            pause_ns=sum(self.pauses),
            stop_ns=self.stop_ns,
            rss_bytes=frozen.rss_bytes if resident is None else resident.rss,
            notes=frozen.copy.notes + expectation.note(self.pauses) + self.pause.notes(self.pauses[-1] / 1e9),
            pauses_ns=self.pauses,
            resident=resident,
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
            libraries=self._libraries(frozen.mappings),
        )

    def _libraries(self, mapped: list[Mapping]) -> tuple[Library, ...]:
        start = start_of(self.source.binary) + self.source.bias
        return libraries(with_code(mapped), start, lambda mapping: open_library(self.source.pid, mapping))


def _quiet(_phase: str) -> None:
    """No one wants to know."""


__all__ = ["OnPhase", "OnPlan", "Progress", "capture_process", "full_plan"]
