"""What ``rule`` answers. Imports ``model`` and msgspec."""

from __future__ import annotations

from typing import Literal

import msgspec

from goretain.model.findings import Severity


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One leak pattern of the catalogue.

    Attributes:
        code, name, title: ``GR101``, ``subslice-pins-array``, one line.
        severity: of its findings, unless the evidence says otherwise.
        fix: one line.
        stage: "preview" may still change its thresholds.
        evidence: what it can be recognised in.
        requires: runtime features without which it cannot be judged.
        remedies: names of remedies that mend it (``goretain remedy show NAME``).
        sections: heading -> Markdown.
        text: the whole document, Markdown.
    """

    code: str
    name: str
    title: str
    severity: Severity
    fix: str
    stage: Literal["preview", "stable"]
    evidence: tuple[str, ...]
    requires: tuple[str, ...]
    remedies: tuple[str, ...] = ()
    sections: dict[str, str]
    text: str


class RuleReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain rule``: one pattern or all of them, by code.

    Attributes:
        schema: names this shape.
    """

    schema: Literal["goretain/rule/1"] = "goretain/rule/1"
    goretain: str
    rules: tuple[Rule, ...]
