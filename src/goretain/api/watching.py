"""The command ``watch`` as a function: fetches profiles again and again, and keeps all of them in a file.

Imports ``capture`` and ``golang`` for RSS and pacing, ``profile`` and ``reports`` when it runs.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from goretain.api.targets import Progress
from goretain.model.errors import GoretainError, UsageError
from goretain.model.pids import is_pid

if TYPE_CHECKING:
    from goretain.profile.columns import Profile
    from goretain.profile.contents import Contents
    from goretain.profile.goroutines import Standing, Where
    from goretain.profile.watch.moments import Moment
    from goretain.profile.watch.pacing import Pacing
    from goretain.profile.watch.record import Record
    from goretain.reports.results import WatchReport

#: Targets that are asked at once, those included that have not answered since an earlier round.
_AT_ONCE = 32
#: Seconds that a target may be silent: a collection of a large heap takes its time.
_SILENCE = 30.0
#: Goroutines of which a dump is taken at every look, and how many there may be then.
_FEW, _MANY = 1_000, 10_000
#: Seconds for which what GOGC and GOMEMLIMIT are is believed.
_REPACE = 300.0
#: Held where a program's debug information is in memory: of one at a time.
_DESCRIBING = threading.Lock()


def watch_profiles(
    targets: Sequence[str],
    file: str | os.PathLike[str],
    *,
    seconds: float = 1800.0,
    every: float = 30.0,
    collect: bool = True,
    limit: int | None = None,
    top: int = 10,
    progress: Progress | None = None,
    on_stop: Callable[[BaseException], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> WatchReport:
    """Watch programs that serve profiles, and say which of their allocation sites grow.

    Every look is in the file when the next begins; a target that does not answer is asked again next time.

    Args:
        targets: URLs or PIDs; none: only report what the file has.
        file: of the watch, made if it is not there and added to if it is.
        seconds: how long; every: between two looks.
        collect: whether the program collects its garbage first, which makes figures as of the look.
        limit: of the memory of each target, bytes.
        top: rows of each list.
        on_stop: told of what ended it early (KeyboardInterrupt); what there is is reported then.
        sleep: how to wait.

    Raises:
        GoretainError: a target is neither, or the file is somebody else's.
    """
    from goretain.profile.sources.source import without_password
    from goretain.profile.watch.record import NotWritten, Record

    if not targets and not Path(file).exists():
        raise UsageError("nothing to watch", hint="name a target: goretain watch http://localhost:6060")
    watched = {without_password(target): _Target(target) for target in targets}
    stopped: BaseException | None = None
    rounds = _Rounds(watched, collect)
    with Record(file) as record:
        try:
            rounds.run(record, seconds, every, progress, sleep)
        except (KeyboardInterrupt, NotWritten) as stop:
            stopped = stop
    with Record(file) as record:  # anew: one that could not be written can no longer be read
        if stopped is not None:
            if on_stop is None or not record.targets:
                raise stopped
            on_stop(stopped)
        if not isinstance(stopped, NotWritten):
            rounds.end(record)
        from goretain.reports.profile.watch import watch_report  # with what judges: not while it waits

        kept = (record.read(name) for name in record.targets)  # one in memory at a time
        return watch_report(kept, os.fspath(file), limit=limit, top=top)


class _Rounds:
    """Looks at all targets, again and again. One that does not answer is not waited for by the others."""

    def __init__(self, targets: dict[str, _Target], collect: bool) -> None:
        self._targets, self._collect = targets, collect
        self._asked: dict[str, Future[tuple[Moment, Profile]]] = {}
        self._answered = False
        self._failed: dict[str, GoretainError] = {}
        self._free = threading.Semaphore(_AT_ONCE)

    def run(
        self,
        record: Record,
        seconds: float,
        every: float,
        progress: Progress | None,
        sleep: Callable[[float], None],
    ) -> None:
        """All rounds. Raises GoretainError when no target has ever answered."""
        begun, rounds = time.monotonic(), max(int(seconds // every), 0) + 1
        self._answered = any(map(record.answered, self._targets))
        at = 0 if self._targets else rounds
        while at < rounds:
            sleep(max(begun + at * every - time.monotonic(), 0))
            if progress is not None:
                progress("watching", at, rounds)
            for name in [name for name in self._targets if name not in self._asked]:
                self._asked[name] = _asked(self._targets[name], self._collect, self._free)
            left = begun + (at + 1) * every - time.monotonic()
            self._take(record, max(left, _SILENCE if at == rounds - 1 else 0))
            # a round that took longer than it may is not made up for by looks in a row
            at = max(at + 1, int((time.monotonic() - begun) // every))

    def end(self, record: Record) -> None:
        """Note which targets said nothing at all."""
        for name in [name for name in self._asked if name not in record.targets]:
            record.fail(name, time.time(), "it had not answered when the watch ended")
        record.write()

    def _take(self, record: Record, patience: float) -> None:
        """Write the answers that come in time."""
        wait(self._asked.values(), min(patience, threading.TIMEOUT_MAX))
        for name in [name for name in self._targets if name in self._asked and self._asked[name].done()]:
            try:
                _write(record, name, *self._asked.pop(name).result())
                self._answered = True
            except GoretainError as wrong:
                self._failed.setdefault(name, wrong)
                record.fail(name, time.time(), wrong.message)
        if not self._answered and len(self._failed) == len(self._targets):
            raise next(iter(self._failed.values()))
        record.write()


def _asked(target: _Target, collect: bool, free: threading.Semaphore) -> Future[tuple[Moment, Profile]]:
    """A look in a thread of its own, which may outlive the watch and so holds nothing of it."""
    answer = Future[tuple["Moment", "Profile"]]()

    def look() -> None:
        with free:
            try:
                answer.set_result(target.look(collect))
            except BaseException as wrong:
                answer.set_exception(wrong)

    threading.Thread(target=look, daemon=True).start()
    return answer


def _write(record: Record, name: str, moment: Moment, profile: Profile) -> None:
    from goretain.reports.profile.heap import heaviest_paths

    new = record.unknown(moment.look.amounts.sites)
    record.add(name, moment, heaviest_paths([profile], new) if new else {})


class _Target:
    """One program that is watched."""

    def __init__(self, name: str) -> None:
        from goretain.profile.sources.served import profiles_at

        self._pid = int(name) if is_pid(name) else None
        self._address = profiles_at(name)
        self._dumps: bool | None = None
        self._paced_at = -math.inf
        self._paced: Pacing | None = None

    def look(self, collect: bool) -> tuple[Moment, Profile]:
        """Its heap profile with MemStats, which only the form in text has, and its goroutines."""
        from goretain.capture.procfs import resident_bytes
        from goretain.profile.growth.history import heap_profile, look_of
        from goretain.profile.watch.moments import Moment

        now = time.time()
        contents = self._read(f"heap?debug=1{'&gc=1' if collect else ''}")
        profile = replace(heap_profile(contents), time_ns=int(now * 1e9))
        resident = None if self._pid is None else resident_bytes(self._pid)
        memory = contents.memory
        look = look_of(profile, contents.name, None if memory is None else memory.gc_count)
        pacing = None if resident is None else self._pacing()  # its PID may be gone, and another serve there
        return Moment(look, memory, resident, self._goroutines(), pacing), profile

    def _pacing(self) -> Pacing | None:
        """How its garbage collector is set: programs rarely change that, and to find it takes a while."""
        if self._pid is None:
            return None
        now = time.monotonic()
        if now - self._paced_at >= _REPACE:
            with _DESCRIBING:
                self._paced_at, self._paced = now, _pacing_of(self._pid)
        return self._paced

    def _goroutines(self) -> Counter[Where]:
        """Where goroutines stand. Creators and wait reasons are in a dump alone, for which the program stands
        still: of many goroutines their profile must do.
        """
        from goretain.profile.goroutines import counts, standing

        found: Sequence[Standing] = ()
        if not self._dumps:
            profile = self._read("goroutine").profile
            found = standing(profile) if profile is not None else ()
            if self._dumps is None:
                self._dumps = sum(one.count for one in found) <= _FEW
        if self._dumps:
            found = self._read("goroutine?debug=2").goroutines
            self._dumps = sum(one.count for one in found) <= _MANY
        return counts(found, by_creator=True)

    def _read(self, path: str) -> Contents:
        from goretain.profile.readers.read import read_contents
        from goretain.profile.sources.source import read_source

        return read_contents(read_source(f"{self._address}/{path}", silence=_SILENCE))


def _pacing_of(pid: int) -> Pacing | None:
    """How its memory says that its collector is set; where that cannot be read, what it was started with."""
    from goretain.capture.binaries.libraries import open_runtime
    from goretain.capture.frozen.live import LiveProcess
    from goretain.golang.groups.pacing import NO_LIMIT, gc_percent, memory_limit
    from goretain.golang.layout import Program, planning_layout
    from goretain.profile.watch.pacing import Pacing, started_with

    with suppress(GoretainError):
        binary, bias, _ = open_runtime(pid)
        with closing(LiveProcess(pid, binary, bias)) as process:
            program = Program(process, planning_layout(binary), bias, changing=True)
            percent, limit = gc_percent(program), memory_limit(program)
        if percent is not None and limit is not None:
            none = limit >= NO_LIMIT
            return Pacing(gogc=percent, memory_limit=None if none else limit, measured=True)
    return started_with(pid)
