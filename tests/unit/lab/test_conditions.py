"""Conditions: what they mean, when they apply, and what is refused."""

from __future__ import annotations

import pytest

from goretain.lab.conditions import NotMeasured, Value, parse
from goretain.model.errors import UsageError

VALUES: dict[str, Value] = {
    "full": 1000,
    "after": 995,
    "says": "moved to heap: x",
    "run.exit": 2,
    "freed": True,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("after < full", True),
        ("after > 0.999 * full", False),
        ("990 <= after <= 995", True),
        ("near(after, full)", True),
        ("near(after, full, 0.1)", False),
        ("'moved to heap' in says", True),
        ("'escapes' not in says and run.exit == 2", True),
        ("not freed", False),
        ("freed == true or after == -1", True),
        ("(full - after) / 5 == 1 + 0", True),
        ("run.exit == 'timeout'", False),
    ],
)
def test_a_condition_is_about_what_was_measured(text: str, holds: bool) -> None:
    assert parse(text).holds(VALUES) is holds


def test_a_condition_names_its_measurements_in_order() -> None:
    assert parse("if swiss_maps: run.exit == 2 and near(after, 2 * full) and after > 0").names == (
        "run.exit",
        "after",
        "full",
    )


def test_a_feature_limits_a_condition() -> None:
    with_it, without = parse("if swiss_maps: after > 0"), parse("unless swiss_maps: after > 0")
    assert (with_it.applies({"swiss_maps"}), with_it.applies(set())) == (True, False)
    assert (without.applies({"swiss_maps"}), without.applies(set())) == (False, True)
    assert parse("after > 0").applies(set())


@pytest.mark.parametrize(
    "text",
    [
        "1 + 2",
        "1 < 2",
        "after <",
        "open('x') == 1",
        "after.__class__[0] == 1",
        "[1] == after",
        "after is full",
        "near(after) == 1",
        "lambda: 1",
        "(after := 2) > 1",
        "near(after, full, percent=3)",
        "b'x' == says",
    ],
)
def test_what_has_no_meaning_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_what_was_not_measured_is_said() -> None:
    with pytest.raises(NotMeasured, match="peak was not measured"):
        parse("peak > 1").holds(VALUES)


@pytest.mark.parametrize("text", ["says < 3", "after / (full - 1000) > 1", "says - 1 == 2"])
def test_what_cannot_be_compared_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="compare"):
        parse(text).holds(VALUES)
