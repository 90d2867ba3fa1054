"""The commands ``rule`` and ``new-pattern`` as functions.

Imports ``patterns`` and ``reports`` when they run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from goretain.reports.results import RuleReport


def rules(code: str | None = None) -> RuleReport:
    """The leak pattern of that code (``GR101``) or name with its documentation, or all of them.

    Raises:
        UsageError: there is no such pattern.
    """
    from goretain.reports.rule import rule_report

    return rule_report(code)


def new_pattern(name: str, title: str, *, into: Path | None = None) -> list[Path]:
    """Make the folder of a new pattern in a checkout of goretain, and say which files that are.

    Args:
        name: ``subslice-pins-array``. title: one line for people.
        into: directory of patterns; None: goretain's own.

    Raises:
        UsageError: it is no name, it is taken, or the directory cannot be written.
    """
    from goretain.patterns.scaffold import new_pattern as make

    return make(name, title, into)
