"""The command ``watch`` as a function: fetches profiles again and again, and keeps all of them in a file.

Imports ``capture`` for the RSS, ``profile`` and ``reports`` when it runs.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from goretain.api.targets import Progress
from goretain.model.errors import GoretainError, UsageError
from goretain.model.pids import is_pid

if TYPE_CHECKING:
    from goretain.profile.columns import Profile
    from goretain.profile.record import Record
    from goretain.profile.recorded import Moment
    from goretain.reports.results import WatchReport

#: Targets that are asked at once.
_AT_ONCE = 8
#: Seconds that a target may be silent: a collection of a large heap takes its time.
_SILENCE = 30.0


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
    from goretain.profile.record import Record
    from goretain.profile.served import profiles_at, settings_of
    from goretain.profile.source import without_password

    if not targets and not Path(file).exists():
        raise UsageError("nothing to watch", hint="name a target: goretain watch http://localhost:6060")
    addresses = {without_password(target): (target, profiles_at(target)) for target in targets}
    with Record(file) as record:
        try:
            _look_again_and_again(record, addresses, seconds, every, collect, progress, sleep)
        except KeyboardInterrupt as stopped:
            if on_stop is None or not record.targets:
                raise
            on_stop(stopped)
        settings = {name: settings_of(int(name)) for name in record.targets if is_pid(name)}
        watched = [record.read(name) for name in record.targets]
    from goretain.reports.profile.watch import watch_report  # with what judges: not while it waits

    return watch_report(watched, os.fspath(file), settings, limit=limit, top=top)


def _look_again_and_again(
    record: Record,
    addresses: dict[str, tuple[str, str]],
    seconds: float,
    every: float,
    collect: bool,
    progress: Progress | None,
    sleep: Callable[[float], None],
) -> None:
    if not addresses:
        return
    begun, rounds = time.monotonic(), max(int(seconds // every), 0) + 1
    with ThreadPoolExecutor(min(_AT_ONCE, len(addresses))) as pool:
        at = 0
        while at < rounds:
            sleep(max(begun + at * every - time.monotonic(), 0))
            if progress is not None:
                progress("watching", at, rounds)
            asked = {name: pool.submit(_look, *address, collect) for name, address in addresses.items()}
            for name, answer in asked.items():
                try:
                    _write(record, name, *answer.result())
                except GoretainError as wrong:
                    record.fail(name, time.time(), wrong.message)
            record.write()
            # a round that took longer than it may is not made up for by looks in a row
            at = max(at + 1, int((time.monotonic() - begun) // every))


def _write(record: Record, name: str, moment: Moment, profile: Profile) -> None:
    from goretain.reports.profile.heap import heaviest_paths

    new = record.unknown(moment.look.amounts.sites)
    record.add(name, moment, heaviest_paths([profile], new) if new else {})


def _look(target: str, address: str, collect: bool) -> tuple[Moment, Profile]:
    """One look: its heap profile with MemStats, which only the form in text has, and its goroutines."""
    from goretain.capture.procfs import resident_bytes
    from goretain.profile.goroutines import counts, groups, standing
    from goretain.profile.history import look_of
    from goretain.profile.read import read_contents
    from goretain.profile.recorded import Moment, Where
    from goretain.profile.source import read_source

    now = time.time()
    heap = f"{address}/heap?debug=1{'&gc=1' if collect else ''}"
    contents = read_contents(read_source(heap, silence=_SILENCE))
    if contents.profile is None:
        raise UsageError(f"{contents.name} is no heap profile")
    profile = replace(contents.profile, time_ns=int(now * 1e9))
    stands = read_contents(read_source(f"{address}/goroutine", silence=_SILENCE)).profile
    where = None
    if stands is not None:
        found = counts(groups(standing(stands)))
        where = Counter({Where(*place): count for place, count in found.items()})
    resident = resident_bytes(int(target)) if is_pid(target) else None
    return Moment(look_of(profile, contents.name), contents.memory, resident, where), profile
