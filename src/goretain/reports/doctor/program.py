"""The program that a process runs: Go and which, how it was linked, what describes its types.

Imports ``golang``, ``capture``, ``debuginfo``, ``model`` and ``reports``.
"""

from __future__ import annotations

from pathlib import Path

from goretain.capture import procfs
from goretain.capture.binaries.libraries import open_runtime
from goretain.debuginfo.beside.companion import find_debug_file
from goretain.debuginfo.dwarf.dwarf import Dwarf
from goretain.debuginfo.elf.elf import Elf
from goretain.golang.layout import planning_layout
from goretain.golang.tables import tables_for
from goretain.model.errors import GoretainError
from goretain.reports.doctor.lines import Lines
from goretain.reports.results import Check
from goretain.toolchain import SUPPORTED

_LINES = Lines("program")
_PT_INTERP = 3
_UNSTRIPPED = "give an unstripped build of the same source: goretain why PID --binary FILE"


def checks(pid: int) -> list[Check]:
    """One for each thing; only the first where the process runs no Go program."""
    try:
        binary, _, _ = open_runtime(pid)
    except GoretainError as error:
        return [_LINES.problem("program", error.message, error.hint)]
    return _LINES.made(
        [
            ("program", lambda: _file(pid, binary)),
            ("Go", lambda: _go(binary)),
            ("linked", lambda: _linked(binary)),
            ("debug info", lambda: _described(binary, pid)),
        ]
    )


def _file(pid: int, binary: Elf) -> Check:
    path = str(Path(f"/proc/{pid}/exe").readlink())
    if binary.path != path:
        return _LINES.ok("program", f"{path}, which is none of Go, with the Go library {binary.path}")
    if path.endswith(" (deleted)"):
        return _LINES.ok("program", f"{path}: deleted or replaced since it started; read all the same")
    return _LINES.ok("program", path)


def _go(binary: Elf) -> Check:
    version = binary.go_version or "unknown"
    lines = [".".join(one.split(".")[:2]) for one in SUPPORTED]
    if any(version.removeprefix("go").startswith(line) for line in lines):
        return _LINES.ok("Go", f"{version}, supported")
    return _LINES.warning(
        "Go",
        f"{version}; goretain is tested with Go {lines[0]} to {lines[-1]}",
        "what it does not understand is an error, not a wrong number: try it, or take a newer goretain",
    )


def _linked(binary: Elf) -> Check:
    dynamic = any(segment.type == _PT_INTERP for segment in binary.segments)
    parts = ["dynamic" if dynamic else "static"]
    parts += ["position-independent"] if binary.type == "dyn" else []
    parts.append("with symbols" if len(binary.symbols) else "no symbols")
    identity = binary.go_build_id or binary.gnu_build_id
    short = f"{identity[:20]}..." if len(identity) > 40 else identity
    parts.append(f"build ID {short}" if identity else "no build ID")
    return _LINES.ok("linked", ", ".join(parts))


def _described(binary: Elf, pid: int) -> Check:
    name = procfs.below_root(pid, procfs.program_name(pid))
    rejected: list[str] = []
    debug = find_debug_file(binary, name=name, roots=(f"/proc/{pid}/root", ""), rejected=rejected)
    planning_layout(binary, debug)  # raises where the runtime is not understood
    if debug is not None:
        return _LINES.ok("debug info", f"in {debug.path}")
    if Dwarf.open(binary, None).present:
        return _LINES.ok("debug info", "DWARF in the program")
    tables = tables_for(binary.go_version)
    names = ", ".join(table.name for table in tables[:2]) or "none"
    which = f"the layout tables of {names} are used"
    if not any(map(str.isdigit, binary.go_version or "")):
        which = "its memory tells which layout table fits, because the program does not say its Go version"
    found = f"none: {which}; types come from the runtime's own data"
    if rejected:
        return _LINES.warning(
            "debug info",
            f"{found}; not used: {'; '.join(dict.fromkeys(rejected))}",
            f"mend that, or {_UNSTRIPPED}",
        )
    return _LINES.ok(
        "debug info",
        found,
        f"for names of variables, {_UNSTRIPPED}",
    )
