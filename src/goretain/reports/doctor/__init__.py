"""Builds the answer of ``doctor``: what works here, and for one process.

One module for each area. Nothing is stopped, changed or attached to: every right is asked for by what the
kernel answers anybody. What one check cannot find out keeps no other from being made. Imports ``golang``,
``capture``, ``debuginfo``, ``toolchain``, ``kernels``, ``model`` and ``reports.results``.
"""

from __future__ import annotations

import goretain
from goretain.reports.doctor import here, machine, process, program
from goretain.reports.results import Check, DoctorReport
from goretain.reports.results.doctor import Status

_WORST: tuple[Status, ...] = ("problem", "warning", "ok")


def doctor_report(pid: int | None) -> DoctorReport:
    """What works here and, with a PID, for that process."""
    checks = [*here.checks(), *machine.checks()]
    capture: bool | None = None
    if pid is not None:
        # Of a process that is not there, or that nobody may look at, the first check says why.
        about = process.checks(pid)
        if not any(check.status == "problem" for check in about):
            about += program.checks(pid)
        checks += about
        capture = not any(check.status == "problem" for check in about)
    return DoctorReport(
        goretain=goretain.__version__,
        pid=pid,
        status=_worst(checks),
        capture=capture,
        checks=tuple(checks),
    )


def _worst(checks: list[Check]) -> Status:
    return next(status for status in _WORST if status == "ok" or any(c.status == status for c in checks))
