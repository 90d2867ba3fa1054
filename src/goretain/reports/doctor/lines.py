"""How checks are written down, and how one that goes wrong is kept from spoiling the rest.

Imports ``model`` and ``reports.results``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from goretain.model.errors import GoretainError
from goretain.reports.results import Check
from goretain.reports.results.doctor import Area


@dataclass(frozen=True, slots=True)
class Lines:
    """Makes the checks of one area."""

    area: Area

    def ok(self, name: str, found: str, advice: str = "") -> Check:
        """It is as it should be."""
        return Check(area=self.area, name=name, status="ok", found=found, advice=advice)

    def warning(self, name: str, found: str, advice: str) -> Check:
        """It works less well, or not for every process."""
        return Check(area=self.area, name=name, status="warning", found=found, advice=advice)

    def problem(self, name: str, found: str, advice: str) -> Check:
        """Nothing can be captured or analysed like this."""
        return Check(area=self.area, name=name, status="problem", found=found, advice=advice)

    def made(self, checks: Iterable[tuple[str, Callable[[], Check]]]) -> list[Check]:
        """The checks by name; one that cannot be made is a problem that says why."""
        found: list[Check] = []
        for name, check in checks:
            try:
                found.append(check())
            except GoretainError as error:
                found.append(self.problem(name, error.message, error.hint))
            except (OSError, ValueError, ImportError) as error:
                found.append(self.warning(name, f"not known: {error}", "run it again as root to know"))
        return found
