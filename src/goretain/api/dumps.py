"""Heap dumps of runtime/debug.WriteHeapDump as targets: with their program, or by themselves.

Imports ``golang``, ``debuginfo``, ``snapshot`` and ``model``, the heavy ones when they are needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from goretain.api.debugfiles import DebugFiles, Pathlike
from goretain.api.room import AnalysisRoom
from goretain.model.errors import RuntimeNotFound
from goretain.snapshot import Snapshot


def open_heap_dump(
    path: str,
    binary: Pathlike | None,
    debug_dirs: Sequence[Pathlike],
    *,
    with_data: bool,
    force: bool,
    tell: Callable[[str], None] | None,
) -> Snapshot:
    """The snapshot of a heap dump.

    Args:
        binary: the program that wrote it; None: only what the dump itself says is known.
        debug_dirs: where debug files of a stripped program may be.
        tell: told what is being done.

    Raises GoretainError.
    """
    from goretain.golang.heapdump.bare import read_bare
    from goretain.golang.heapdump.records import read_dump

    tell = tell or (lambda _: None)
    tell("reading the heap dump")
    dump = read_dump(path, force=force)
    if binary is None:
        return read_bare(dump)
    from goretain.capture.cores.corefile import open_file
    from goretain.golang.heapdump.dumped import open_dumped
    from goretain.golang.read import read_heap

    files = DebugFiles(None, debug_dirs)
    program = open_file(os.fspath(binary))
    heap = open_dumped(dump, program)
    room = AnalysisRoom(None, force=force)
    room.describe(program)
    try:
        return read_heap(
            heap.image,
            with_data=with_data,
            debug=files.of(program),
            on_extent=room.check,
            progress=room.watch(tell),
            dumped=heap,
        )
    except RuntimeNotFound:
        return read_bare(
            dump, f"{program.path} is stripped and has no debug file: it tells nothing of a heap dump"
        )
