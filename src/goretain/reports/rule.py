"""Builds the answer of ``rule`` from the catalogue.

Imports ``patterns``, ``remedies``, ``model`` and this package.
"""

from __future__ import annotations

import goretain
from goretain.model.errors import UsageError
from goretain.patterns.catalogue import Pattern, catalogue
from goretain.remedies import remedies
from goretain.reports.results import Rule, RuleReport


def rule_report(wanted: str | None) -> RuleReport:
    """The pattern of a code (``GR101``) or name, or all of them.

    Raises:
        UsageError: there is no such pattern.
    """
    known = catalogue()
    chosen = [p for p in known if wanted is None or wanted.upper() == p.code or wanted.lower() == p.name]
    if not chosen:
        names = ", ".join(f"{pattern.code} {pattern.name}" for pattern in known)
        raise UsageError(f"no pattern is called {wanted!r}", hint=f"there are: {names}")
    return RuleReport(goretain=goretain.__version__, rules=tuple(_rule(pattern) for pattern in chosen))


def _rule(pattern: Pattern) -> Rule:
    return Rule(
        code=pattern.code,
        name=pattern.name,
        title=pattern.title,
        severity=pattern.severity,
        fix=pattern.fix,
        stage=pattern.stage,
        evidence=pattern.evidence,
        requires=pattern.requires,
        remedies=tuple(remedy.name for remedy in remedies() if pattern.code in remedy.patterns),
        sections=pattern.doc.sections,
        text=pattern.doc.text,
    )
