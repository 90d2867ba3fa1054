"""What ``lab`` answers. Imports ``model`` and msgspec."""

from __future__ import annotations

from typing import Literal

import msgspec

#: A measured value; sizes are bytes, and their names end in ``_bytes``.
Value = bool | int | float | str

ClaimOutcome = Literal["true", "false", "partly", "depends", "untestable"]


class LabRun(msgspec.Struct, frozen=True, kw_only=True):
    """A claim on one Go version.

    Attributes:
        go: ``1.26.6``.
        outcome: what it came out as there; null: something was not measured.
        figures: measurement -> value, those that the claim is about.
        wrong: what does not hold of what is recorded; empty when it is reproduced.
        unavailable: why nothing could be measured (modules of others cannot be fetched), "" where it could.
    """

    go: str
    outcome: Literal["true", "false", "partly", "untestable"] | None
    figures: dict[str, Value]
    wrong: tuple[str, ...]
    unavailable: str


class LabClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim and what was measured of it.

    Attributes:
        id, claim: ``A06`` and what is said.
        source: where it is said, "" where nobody said it.
        outcome: over all versions; "depends" where they differ; null: something was not measured.
        depends_on: the feature of the runtime that decides, "" for none.
        recorded: the recorded outcome.
        agrees: whether nothing that was measured contradicts what is recorded, on every version.
        correct: what is so.
        reason: why it cannot be tested, "" where it can be.
        pattern: code of the pattern that finds such memory, "" for none.
        note: what else is to be known.
        experiment, title, topic: the experiment that decides it, its heading and its chapter.
        runs: one a version, oldest first.
    """

    id: str
    claim: str
    source: str
    outcome: ClaimOutcome | None
    depends_on: str
    recorded: ClaimOutcome
    agrees: bool
    correct: str
    reason: str
    pattern: str
    note: str
    experiment: str
    title: str
    topic: str
    runs: tuple[LabRun, ...]


class LabFeature(msgspec.Struct, frozen=True, kw_only=True):
    """A feature of runtimes that conditions ask for.

    Attributes:
        name, says: of the feature.
        go: versions that have it.
    """

    name: str
    says: str
    go: tuple[str, ...]


class LabReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain lab run`` and ``lab table``.

    Attributes:
        schema: names this shape.
        go: versions that were measured on, oldest first.
        features: of them.
        claims: by chapter, experiment and id.
        disagree: how many claims do not agree with what is recorded.
    """

    schema: Literal["goretain/lab/1"] = "goretain/lab/1"
    goretain: str
    go: tuple[str, ...]
    features: tuple[LabFeature, ...]
    claims: tuple[LabClaim, ...]
    disagree: int
