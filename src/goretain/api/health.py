"""``doctor`` as a function, apart from what analyses import: it is asked where there is little memory, too.

Imports ``reports.doctor`` when it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from goretain.reports.results import DoctorReport


def doctor(pid: int | None = None) -> DoctorReport:
    """What works here and, with a PID, for that process; every check with what to do.

    The process is neither stopped nor attached to. No process with that PID, or none of Go, is a finding
    and no error.
    """
    from goretain.reports.doctor import doctor_report

    return doctor_report(pid)
