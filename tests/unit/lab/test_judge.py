"""The outcome of a claim is computed from measurements; what is recorded wrongly is found."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from goretain.lab import Claim, Depends, Experiment, Measured, catalogue, judge, overall, recorded
from goretain.lab.conditions import Value
from tests.support.golang import VERSIONS

CLASSIC, SWISS = frozenset[str](), frozenset({"swiss_maps", "cleanups"})
EXPERIMENTS = catalogue()


def claim(**more: Any) -> Claim:
    values = {"id": "A01", "claim": "c", "correct": "f", "outcome": "true", "predicts": ("a > 1", "b > 1")}
    return Claim(**{**values, **more})


@pytest.mark.parametrize(
    ("values", "outcome"),
    [({"a": 2, "b": 2}, "true"), ({"a": 1, "b": 1}, "false"), ({"a": 2, "b": 1}, "partly"), ({"a": 2}, None)],
)
def test_the_outcome_follows_from_what_is_predicted(values: dict[str, Value], outcome: str | None) -> None:
    judged = judge(claim(), values, CLASSIC)
    assert judged.outcome == outcome
    assert bool(judged.wrong) == (outcome != "true")


def test_a_figure_that_is_not_as_expected_is_wrong() -> None:
    assert judge(claim(expect=("a == 2",)), {"a": 2, "b": 2}, CLASSIC).wrong == ()
    judged = judge(claim(expect=("a == 3", "c > 1")), {"a": 2, "b": 2}, CLASSIC)
    assert judged.wrong == ("expected 'a == 3', but a = 2", "c was not measured")


def test_guards_choose_what_is_predicted_of_a_runtime() -> None:
    guarded = claim(predicts=("if swiss_maps: a > 1", "unless swiss_maps: b > 1"))
    assert judge(guarded, {"a": 2, "b": 1}, SWISS).outcome == "true"
    assert judge(guarded, {"a": 2, "b": 1}, CLASSIC).outcome == "false"
    assert judge(claim(predicts=("if swiss_maps: a > 1",)), {"a": 2}, CLASSIC).outcome is None


def test_over_runtimes_the_feature_that_decides_is_found() -> None:
    depends = claim(outcome=Depends(on="swiss_maps", present="true", absent="false"), predicts=("a > 1",))
    yes, no = judge(depends, {"a": 2}, SWISS), judge(depends, {"a": 1}, CLASSIC)
    assert (yes.wrong, no.wrong) == ((), ())
    assert overall(depends, [(CLASSIC, no), (SWISS, yes)]) == ("depends", "swiss_maps")
    assert overall(claim(predicts=("a > 1",)), [(CLASSIC, yes), (CLASSIC, no)]) == ("depends", "")
    assert overall(depends, [(SWISS, yes), (SWISS, yes)]) == ("true", "")
    wrong = judge(depends, {"a": 2}, CLASSIC)
    assert wrong.wrong == ("it came out true, and false is recorded",)


def measured(experiment: Experiment) -> tuple[Measured, ...]:
    kept = recorded(experiment)
    assert kept is not None, f"python docs/refresh.py lab {experiment.name}"
    assert kept.digest == experiment.digest, f"programs changed: python docs/refresh.py lab {experiment.name}"
    return kept.measured


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.name)
def test_what_was_recorded_gives_the_recorded_outcomes(experiment: Experiment) -> None:
    runs = measured(experiment)
    assert tuple(run.go for run in runs) == VERSIONS
    conditions = [c for claim in experiment.claims for c in (*claim.predicted, *claim.expected_figures)]
    asked = {condition.feature for condition in conditions if condition.feature}
    assert asked <= set(runs[0].features), f"a feature is new: python docs/refresh.py lab {experiment.name}"
    wrong = {(c.id, r.go): judge(c, r.values, r.present).wrong for c in experiment.claims for r in runs}
    assert {where: why for where, why in wrong.items() if why} == {}


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.name)
def test_another_outcome_would_be_noticed(experiment: Experiment) -> None:
    """Every recorded outcome, changed to each other one, is found to be wrong on every version."""
    for mutated in experiment.claims:
        if mutated.outcome == "untestable":
            continue
        for run in measured(experiment):
            honest = mutated.expected(run.present)
            for other in {"true", "false", "partly"} - {honest}:
                changed = msgspec.structs.replace(mutated, outcome=other)
                assert judge(changed, run.values, run.present).wrong, (mutated.id, run.go, other)
