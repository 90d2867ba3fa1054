"""What the process does with its heap as SQL sees it: goroutines, waits, spans, allocation sites, timers.

What is unknown is NULL; tables of groups that a snapshot lacks are left out. Imports numpy and the rest of
``snapshot``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from goretain.snapshot.columns import Snapshot
from goretain.snapshot.groups import TimerFlag, WaitKind
from goretain.snapshot.sql.columns import NONE, Arrays, columns_of, texts
from goretain.snapshot.sql.engine import Table
from goretain.snapshot.tables import Frame


def _goroutines_rows(snapshot: Snapshot) -> Arrays:
    rows = snapshot.goroutines
    unknown = [g.parent is None for g in rows]
    now = snapshot.meta.monotonic_ns
    waited = [-1 if now is None or g.waiting_since is None else max(0, now - g.waiting_since) for g in rows]
    return {
        "id": np.array([g.id for g in rows], np.int64),
        "state": texts([g.state for g in rows]),
        "wait_reason": texts([g.wait_reason or None for g in rows]),
        "function": texts([_function(g.frames) for g in rows]),
        "stack": texts(["\n".join(f.function for f in g.frames) for g in rows]),
        "creator": texts([g.creator or None for g in rows]),
        "parent": np.array(
            [-1 if none else g.parent for g, none in zip(rows, unknown, strict=True)], np.int64
        ),
        "system": texts([None if g.system is None else str(g.system).lower() for g in rows]),
        "waited": np.array(waited, np.int64),
        "stack_bytes": np.array([g.stack_bytes for g in rows], np.int64),
    }


_GOROUTINES = Table(
    "goroutines",
    "one row for each goroutine that is not dead",
    columns_of("""
        id BIGINT number of the goroutine, as in stack traces
        state VARCHAR waiting, running, runnable, syscall ...
        wait_reason VARCHAR chan receive, select, sleep ...
        function VARCHAR innermost function outside of the runtime
        stack VARCHAR functions, innermost first, one a line
        creator VARCHAR function of the go statement
        parent BIGINT goroutines.id of the goroutine that started it, which may have ended
        system BOOLEAN whether it serves the runtime only
        waited_ns BIGINT nanoseconds that it has waited for at least
        stack_bytes BIGINT size of its stack
    """),
    {"_goroutines": _goroutines_rows},
    """SELECT id, state, wait_reason, function, stack, creator, CASE WHEN parent >= 0 THEN parent END
        AS parent, system::BOOLEAN AS system, CASE WHEN waited >= 0 THEN waited END AS waited_ns,
        stack_bytes FROM _goroutines""",
)


def _function(frames: Sequence[Frame]) -> str | None:
    """The innermost function outside of the runtime, else the innermost."""
    names = [frame.function for frame in frames]
    outside = (name for name in names if not name.startswith(("runtime.", "internal/runtime/")))
    return next(outside, names[0] if names else None)


def _waits_rows(snapshot: Snapshot) -> Arrays:
    rows = snapshot.waits
    assert rows is not None  # the table is left out otherwise
    names = [WaitKind(kind).name.lower().replace("_", " ") for kind in rows.wait_kind.tolist()]
    goroutine = np.array([g.id for g in snapshot.goroutines], np.int64)
    return {
        "goroutine": goroutine[rows.wait_goroutine],
        "kind": texts(names),
        "address": rows.wait_address,
        "object": rows.wait_object,
        "variable": texts([snapshot.strings[k] or None for k in rows.wait_name.tolist()]),
    }


_WAITS = Table(
    "waits",
    "one row for each channel, lock or condition that a goroutine waits for; a select has one a case",
    columns_of("""
        goroutine BIGINT goroutines.id
        kind VARCHAR channel receive, channel send, select, mutex, cond, sleep ...
        address BIGINT of the channel, semaphore or list; 0: nothing can wake it; NULL: unknown
        object UINTEGER objects.id of the object in which that lies
        variable VARCHAR global variable in which it lies
    """),
    {"_waits": _waits_rows},
    f"""SELECT goroutine, kind, CASE WHEN address >= 0 THEN address END AS address,
        CASE WHEN object <> {NONE} THEN object END AS object,
        variable::VARCHAR AS variable FROM _waits""",
)


def _spans_rows(snapshot: Snapshot) -> Arrays:
    rows = snapshot.spans
    assert rows is not None  # the table is left out otherwise
    return {
        "start": rows.span_start,
        "bytes": rows.span_bytes,
        "class": rows.span_class,
        "slot_bytes": rows.span_slot_bytes,
        "slots": rows.span_slots,
        "live": rows.span_live,
    }


_SPANS = Table(
    "spans",
    "one row for each run of pages that holds objects of one size",
    columns_of("""
        address BIGINT where it begins
        bytes BIGINT its pages
        size_class UTINYINT the runtime's size class; 0: one object of its own size
        has_pointers BOOLEAN whether its objects may hold pointers
        slot_bytes BIGINT bytes of a slot
        slots BIGINT how many slots it has
        live BIGINT slots with a live object
    """),
    {"_spans": _spans_rows},
    """SELECT start AS address, bytes, class >> 1 AS size_class, (class & 1) = 0 AS has_pointers,
        slot_bytes, slots, CASE WHEN live >= 0 THEN live END AS live FROM _spans""",
)


def _samples_rows(snapshot: Snapshot) -> Arrays:
    rows = snapshot.samples
    assert rows is not None  # the table is left out otherwise
    return {"object": rows.sample_object, "site": rows.sample_site}


_SAMPLES = Table(
    "samples",
    "one row for each object that the memory profile has sampled, one in many",
    columns_of("""
        object UINTEGER objects.id
        site INTEGER sites.id of where it was allocated
    """),
    {"_samples": _samples_rows},
    "SELECT object, CASE WHEN site >= 0 THEN site END AS site FROM _samples",
)


def _sites_rows(snapshot: Snapshot) -> Arrays:
    rows = snapshot.sites or []
    return {
        "id": np.arange(len(rows), dtype=np.int32),
        "function": texts([_function(site.frames) for site in rows]),
        "stack": texts(["\n".join(frame.text for frame in site.frames) for site in rows]),
        "objects": np.array([-1 if site.objects is None else site.objects for site in rows], np.int64),
        "bytes": np.array([-1 if site.bytes is None else site.bytes for site in rows], np.int64),
    }


_SITES = Table(
    "sites",
    "one row for each stack that allocated sampled objects which are still there",
    columns_of("""
        id INTEGER number of the site
        function VARCHAR innermost function outside of the runtime
        stack VARCHAR functions and places, innermost first, one a line: main.load load.go:31
        objects BIGINT sampled and in use as of the last collection, as the program's heap profile counts
        bytes BIGINT their bytes as they were asked for, not scaled
    """),
    {"_sites": _sites_rows},
    """SELECT id, function, stack, CASE WHEN objects >= 0 THEN objects END AS objects,
        CASE WHEN bytes >= 0 THEN bytes END AS bytes FROM _sites""",
)


def _timers_rows(snapshot: Snapshot) -> Arrays:
    rows = snapshot.timers
    assert rows is not None  # the table is left out otherwise
    now = snapshot.meta.monotonic_ns
    kinds = {0: "function", int(TimerFlag.CHANNEL): "channel", int(TimerFlag.SLEEP): "sleep"}
    return {
        "object": rows.timer_object,
        "fires": texts([None if now is None else str(when - now) for when in rows.timer_when.tolist()]),
        "period": rows.timer_period,
        "kind": texts([kinds.get(flags) for flags in rows.timer_flags.tolist()]),
        "function": texts([snapshot.strings[k] or None for k in rows.timer_function.tolist()]),
        "target": rows.timer_target,
    }


_TIMERS = Table(
    "timers",
    "one row for each timer that is set; from Go 1.23 on one with a channel only while somebody waits for it",
    columns_of("""
        object UINTEGER objects.id of the object in which it lies
        fires_in_ns BIGINT nanoseconds until it fires; negative: overdue
        period_ns BIGINT nanoseconds between two times; 0: it fires once
        kind VARCHAR channel (time.NewTimer, time.After), sleep (time.Sleep) or function (time.AfterFunc)
        function VARCHAR function that it calls
        target UINTEGER objects.id of what that is given: channel, closure, sleeping goroutine
    """),
    {"_timers": _timers_rows},
    f"""SELECT CASE WHEN object <> {NONE} THEN object END AS object, fires::BIGINT AS fires_in_ns,
        period AS period_ns, kind, function::VARCHAR AS function,
        CASE WHEN target <> {NONE} THEN target END AS target FROM _timers""",
)


#: In the order in which they are documented.
PROCESS = (_GOROUTINES, _WAITS, _SPANS, _SAMPLES, _SITES, _TIMERS)


def known(snapshot: Snapshot) -> tuple[Table, ...]:
    """Those that the snapshot has evidence for."""
    sampled = snapshot.samples is not None
    timers = snapshot.timers is not None
    there = (True, snapshot.waits is not None, snapshot.spans is not None, sampled, sampled, timers)
    return tuple(table for table, known in zip(PROCESS, there, strict=True) if known)
