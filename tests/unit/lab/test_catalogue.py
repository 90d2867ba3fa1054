"""Experiments are found by listing; what is declared wrongly is an error that names the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from goretain.lab import catalogue, chosen
from goretain.model.errors import CorruptFile, UsageError
from goretain.patterns import catalogue as patterns

GOOD = """
title = "t"
topic = "maps"
[[run]]
name = "fill"
[[claim]]
id = "A01"
claim = "c"
correct = "f"
outcome = "true"
predicts = ["a_bytes > 1"]
"""


def folder(home: Path, text: str = GOOD, name: str = "some_maps") -> Path:
    made = home / name
    made.mkdir()
    (made / "experiment.toml").write_text(text)
    (made / "main.go").write_text("package main\n\nfunc main() {}\n")
    return made


def test_a_folder_is_an_experiment(tmp_path: Path) -> None:
    folder(tmp_path)
    (found,) = catalogue(tmp_path)
    assert (found.name, found.claims[0].measurements) == ("some_maps", ("a_bytes",))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('topic = "maps"', 'topic = "weather"', "topic"),
        ('id = "A01"', 'id = "A1"', "a letter and two digits"),
        ('"fill"', '"Fill it"', "lower-case"),
        ('name = "fill"', 'name = "fill"\nfind = { x = "(" }', "no regular expression"),
        ('name = "fill"', 'name = "fill"\nfind = { x = "y" }', "no group"),
        ('"a_bytes > 1"', '"a_bytes >"', "is not a condition"),
        ('"a_bytes > 1"', '"if magic: a_bytes > 1"', "'magic' is no feature"),
        ('predicts = ["a_bytes > 1"]', "", "predicts something"),
        ('outcome = "true"', 'outcome = "untestable"', "has a reason"),
        ('outcome = "true"', 'outcome = "true"\nreason = "r"', "has a reason"),
        (
            'outcome = "true"',
            'outcome = { on = "swiss_maps", present = "true", absent = "true" }',
            "the same",
        ),
        ('outcome = "true"', 'outcome = "maybe"', "maybe"),
        ('correct = "f"', 'correct = "f"\nwrong = 1', "wrong"),
        ("[[claim]]", '[[go]]\nname = "fill"\n[[claim]]', "same name"),
    ],
)
def test_what_is_declared_wrongly_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder(tmp_path, GOOD.replace(old, new))
    with pytest.raises(CorruptFile, match=message):
        catalogue(tmp_path)


def test_a_claim_is_decided_once(tmp_path: Path) -> None:
    folder(tmp_path)
    folder(tmp_path, name="other_maps")
    with pytest.raises(CorruptFile, match="A01 is already decided"):
        catalogue(tmp_path)


def test_the_digest_is_of_what_is_measured_and_not_of_what_is_claimed(tmp_path: Path) -> None:
    homes = [tmp_path / name for name in ("first", "words", "program", "runs")]
    for home in homes:
        home.mkdir()
    folder(homes[0])
    folder(homes[1], GOOD.replace('claim = "c"', 'claim = "said otherwise"'))
    (folder(homes[2]) / "main.go").write_text("package main\n\nfunc main() { println() }\n")
    folder(homes[3], GOOD.replace('name = "fill"', 'name = "fill"\ntimes = 2'))
    same, words, program, runs = (catalogue(home)[0].digest for home in homes)
    assert same == words
    assert len({same, program, runs}) == 3


def test_claims_are_chosen_by_id_pattern_and_experiment() -> None:
    (one,) = chosen(catalogue(), ["a06"])
    assert [claim.id for claim in one.claims] == ["A06"]
    by_pattern = chosen(catalogue(), ["GR103"])
    assert {claim.pattern for experiment in by_pattern for claim in experiment.claims} == {"GR103"}
    (whole,) = chosen(catalogue(), ["emptied_maps", "A06"])
    assert len(whole.claims) > 1
    assert chosen(catalogue(), []) == list(catalogue())
    with pytest.raises(UsageError, match="'A98' is no claim"):
        chosen(catalogue(), ["A06", "A98"])


def test_claims_name_patterns_that_exist() -> None:
    named = {claim.pattern for experiment in catalogue() for claim in experiment.claims if claim.pattern}
    assert named <= {pattern.code for pattern in patterns()}


def test_an_empty_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no folder with an experiment\.toml"):
        catalogue(tmp_path)
