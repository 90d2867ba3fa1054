"""Stopping every thread of a process so that nothing is lost if we die at any instant.

PTRACE_SEIZE sends no signal; PTRACE_INTERRUPT stops a thread without changing what it does next: system
calls restart. When the tracer ends, however it ends, the kernel detaches and the threads run on; a group
that was stopped before stays stopped. Waiting never consumes a stop (WNOWAIT), so a signal that was about
to be delivered is delivered even if we are killed before handing it on. Source: ptrace(2), kernel/ptrace.c.
All calls must come from one thread. Imports ``capture.libc``, ``capture.procfs``, ``model``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from goretain.capture import libc, procfs
from goretain.capture.rights.refusal import explain_refusal
from goretain.model.errors import AlreadyTraced, TargetGone

_STOP_SECONDS, _COLLECT_SECONDS = 5.0, 5.0
_FIRST_SLEEP, _LONGEST_SLEEP, _LATE_SLEEP = 2e-5, 2e-3, 2e-4
_STOPPED_OR_GONE = os.WSTOPPED | os.WEXITED | libc.WALL | os.WNOHANG


class Freezer:
    """Holds the threads of one process.

    Attributes:
        began_ns, stopped_ns, released_ns: CLOCK_MONOTONIC of the first interrupt, of the last thread's stop,
            and of when all that were stopped had been let go (0 before).
        late_ns: how long, at most, a thread stood still that stopped only after that.
    """

    def __init__(self, pid: int, between: Callable[[], None]) -> None:
        """between: called now and then while threads are waited for; may raise to stop."""
        self.pid = pid
        self._between = between
        self.began_ns = self.stopped_ns = self.released_ns = self.late_ns = 0
        self._running: set[int] = set()  # seized, not seen stopped
        self._stopped: dict[int, int] = {}  # thread -> signal to deliver when it goes on
        self._ended: set[int] = set()  # seized, ended since

    @property
    def stuck(self) -> bool:
        """Whether a thread did not stop even in seconds after the release: it is attached to us still."""
        return bool(self._running)

    @property
    def threads(self) -> list[int]:
        """The stopped threads."""
        return sorted(self._stopped)

    def seize(self) -> None:
        """Attach to every thread without stopping any. Raises PermissionDenied, AlreadyTraced, TargetGone."""
        self.began_ns = self.stopped_ns = self.released_ns = self.late_ns = 0
        while self._seize_new():
            pass

    def stop(self) -> None:
        """Stop every thread, also those created meanwhile. Raises TargetGone, PermissionDenied."""
        self.began_ns = time.monotonic_ns()
        while True:
            for tid in sorted(self._running):
                self._interrupt(tid)
            self._await_stops()
            # Only running threads create threads: once all known ones are stopped, one more look is final.
            if not self._seize_new():
                break
        if not self._stopped:
            raise procfs.gone(self.pid)
        self.stopped_ns = time.monotonic_ns()

    def registers(self) -> dict[int, dict[str, int]]:
        """Registers of every stopped thread. Raises TargetGone."""
        try:
            return {tid: libc.registers(tid) for tid in self.threads}
        except ProcessLookupError:
            raise procfs.gone(self.pid) from None

    def release(self) -> None:
        """Let every thread go on, with the signal it was about to get. May be called again if interrupted.

        A thread that cannot be stopped cannot be let go either (state D): the kernel does so when the tracing
        thread ends.
        """
        self._detach()
        self.released_ns = time.monotonic_ns()
        for tid in list(self._running):
            self._interrupt(tid)
        self._await_stragglers()
        self._collect()

    def _detach(self) -> None:
        for tid, pending in list(self._stopped.items()):
            try:
                libc.ptrace(libc.PTRACE_DETACH, tid, pending)
            except ProcessLookupError:
                self._ended.add(tid)
            self._stopped.pop(tid, None)

    def _seize_new(self) -> bool:
        """Attach to threads not seen before; whether there were any."""
        found = False
        for tid in procfs.thread_ids(self.pid):
            if tid in self._running or tid in self._stopped:
                continue
            try:
                libc.ptrace(libc.PTRACE_SEIZE, tid)
            except ProcessLookupError:
                continue
            except PermissionError:
                if procfs.thread_state(self.pid, tid) in "ZX":
                    continue
                raise self._refused() from None
            self._running.add(tid)
            found = True
        return found

    def _refused(self) -> Exception:
        tracer = int(procfs.status(self.pid).get("TracerPid", "0"))
        if tracer not in (0, os.getpid()):
            return AlreadyTraced(self.pid, tracer)
        return explain_refusal(self.pid)

    def _interrupt(self, tid: int) -> None:
        try:
            libc.ptrace(libc.PTRACE_INTERRUPT, tid)
        except ProcessLookupError:
            self._running.discard(tid)
            self._ended.add(tid)

    def _await_stops(self) -> None:
        """Wait until every seized thread stopped or ended. Raises TargetGone if one does not."""
        deadline, pause = time.monotonic() + _STOP_SECONDS, _FIRST_SLEEP
        while self._running:
            for tid in list(self._running):
                self._look_at(tid)
            if not self._running:
                break
            if time.monotonic() > deadline:
                raise self._stuck()
            self._between()
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_SLEEP)
            if pause == _LONGEST_SLEEP:
                self._notice_dead_leader()

    def _await_stragglers(self) -> None:
        """Let each thread go that was on its way to a stop, as soon as it gets there.

        Such a thread found no processor yet: it stands still from one look at it to the next, at most.
        """
        deadline, before = time.monotonic() + _STOP_SECONDS, time.monotonic_ns()
        while self._running and time.monotonic() < deadline:
            looked = time.monotonic_ns()
            for tid in list(self._running):
                self._look_at(tid)
            if self._stopped:
                self._detach()
                self.late_ns = max(self.late_ns, time.monotonic_ns() - before)
            before = looked
            self._notice_dead_leader()
            if self._running:
                time.sleep(_LATE_SLEEP)

    def _look_at(self, tid: int) -> None:
        try:
            event = os.waitid(os.P_PID, tid, _STOPPED_OR_GONE | os.WNOWAIT)
        except ChildProcessError:
            self._running.discard(tid)
            return
        if event is None:
            return
        self._running.discard(tid)
        if event.si_code in (os.CLD_TRAPPED, os.CLD_STOPPED):
            # An event or group stop is ours; any other stop is a signal on its way to the thread.
            is_event = event.si_status >> 8 == libc.PTRACE_EVENT_STOP
            self._stopped[tid] = 0 if is_event else event.si_status & 0xFF
        else:
            self._ended.add(tid)

    def _notice_dead_leader(self) -> None:
        """A leader that ended is not reported before every other thread of its process was collected."""
        if self.pid in self._running and procfs.thread_state(self.pid, self.pid) in "ZX":
            self._running.discard(self.pid)
            self._ended.add(self.pid)

    def _collect(self) -> None:
        """Collect the threads that ended: until then they are zombies of ours, and the process cannot end.

        A leader that is our own child is left to its owner. What takes long to end is given up on.
        """
        if procfs.parent(self.pid) == os.getpid():
            self._ended.discard(self.pid)
        deadline, pause = time.monotonic() + _COLLECT_SECONDS, _FIRST_SLEEP
        while self._ended and time.monotonic() < deadline:
            for tid in list(self._ended):
                try:
                    if os.waitid(os.P_PID, tid, os.WEXITED | libc.WALL | os.WNOHANG) is not None:
                        self._ended.discard(tid)
                except ChildProcessError:
                    self._ended.discard(tid)
            if self._ended:
                time.sleep(pause)
                pause = min(pause * 1.5, _LONGEST_SLEEP)

    def _stuck(self) -> TargetGone:
        states = [f"{tid} ({procfs.thread_state(self.pid, tid)})" for tid in sorted(self._running)]
        return TargetGone(
            f"threads of process {self.pid} do not stop, {_STOP_SECONDS:.0f} s long: {', '.join(states[:8])}",
            hint="state D is an uninterruptible wait in the kernel, often for a dead disk; try again later",
        )
