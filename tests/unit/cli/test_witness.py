"""What is said when a command that captures several processes is killed."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import os, sys
from goretain.cli.witness import Witness
first, last, *phases = sys.argv[1:]
with Witness(first, None, last) as witness:
    for phase in phases:
        witness.note(phase)
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize(
    ("targets", "phases", "words"),
    [
        (("11", "12"), ["estimating", "seizing"], "while process 11 was stopped"),
        (("11", "12"), ["estimating", "seizing", "released"], "process 11 was not stopped then"),
        (("11", "12"), ["estimating", "released", "estimating", "copying"], "while process 12 was stopped"),
        (("old.image", "12.core"), [], "killed while it worked on old.image and 12.core"),
        (("old.goretain", "12"), ["estimating", "copying"], "while process 12 was stopped"),
    ],
)
def test_the_process_that_was_captured_last_is_named(
    targets: tuple[str, str], phases: list[str], words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, *targets, *phases],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == -9
    assert words in done.stderr
