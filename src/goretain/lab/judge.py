"""What a claim comes out as, computed from measurements and compared with what is recorded.

Imports ``model``, this package and the standard library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from goretain.lab.catalogue import Claim, Depends, Outcome
from goretain.lab.conditions import Condition, Value
from goretain.lab.features import FEATURES
from goretain.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim on one runtime.

    Attributes:
        outcome: what it came out as; None: something was not measured, or nothing could be.
        wrong: what does not hold of what is recorded, a sentence each; nothing when it is reproduced.
    """

    outcome: Outcome | None
    wrong: tuple[str, ...]


class Overall(NamedTuple):
    """A claim over several runtimes.

    Attributes:
        outcome: the one that it has everywhere; "depends" where runtimes differ; None: unknown.
        on: the feature that decides, where exactly one of FEATURES does; else "".
    """

    outcome: Literal["true", "false", "partly", "untestable", "depends"] | None
    on: str


def judge(claim: Claim, values: Mapping[str, Value], features: frozenset[str]) -> Judged:
    """Compute the outcome of a claim on one runtime, and see whether it and the figures are as recorded.

    A claim is true where everything that it predicts was measured, false where nothing of it was, and partly
    true where some of it was.
    """
    wrong: list[str] = []
    for condition in claim.expected_figures:
        if condition.applies(features):
            wrong += _failures(condition, values)
    outcome = _outcome(claim, values, features, wrong)
    expected = claim.expected(features)
    if outcome is not None and outcome != expected:
        wrong.append(f"it came out {outcome}, and {expected} is recorded")
    return Judged(outcome, tuple(wrong))


def _outcome(
    claim: Claim, values: Mapping[str, Value], features: frozenset[str], wrong: list[str]
) -> Outcome | None:
    """What its predictions make of it; what could not be measured is added to ``wrong``."""
    if claim.outcome == "untestable":
        return "untestable"
    found: list[bool] = []
    for condition in claim.predicted:
        if condition.applies(features):
            held = _holds(condition, values)
            if isinstance(held, str):
                wrong.append(held)
                return None
            found.append(held)
    if not found:
        wrong.append("it predicts nothing of this runtime")
        return None
    return "true" if all(found) else "partly" if any(found) else "false"


def _holds(condition: Condition, values: Mapping[str, Value]) -> bool | str:
    """Whether a condition holds, or why that cannot be said."""
    try:
        return condition.holds(values)
    except UsageError as error:
        return error.message


def _failures(condition: Condition, values: Mapping[str, Value]) -> list[str]:
    """What is to be said of a figure that is not as expected; nothing of one that is."""
    held = _holds(condition, values)
    if isinstance(held, str):
        return [held]
    measured = ", ".join(f"{name} = {values.get(name)!r}" for name in condition.names)
    return [] if held else [f"expected {condition.text!r}, but {measured}"]


def overall(claim: Claim, by_features: Sequence[tuple[frozenset[str], Judged]]) -> Overall:
    """The outcome of a claim over runtimes, each given by its features.

    Where several features would explain a difference as well, the recorded one is named.
    """
    outcomes = {judged.outcome for _, judged in by_features}
    if None in outcomes or not outcomes:
        return Overall(None, "")
    if len(outcomes) == 1:
        return Overall(outcomes.pop(), "")
    deciding = [feature.name for feature in FEATURES if _decides(feature.name, by_features)]
    recorded = claim.outcome.on if isinstance(claim.outcome, Depends) else ""
    return Overall("depends", recorded if recorded in deciding else next(iter(deciding), ""))


def _decides(feature: str, by_features: Sequence[tuple[frozenset[str], Judged]]) -> bool:
    """Whether runtimes with a feature all have one outcome, and those without it all another."""
    having = {judged.outcome for features, judged in by_features if feature in features}
    lacking = {judged.outcome for features, judged in by_features if feature not in features}
    return len(having) == 1 and len(lacking) == 1 and having != lacking
