"""The laboratory: claims about Go memory, and the experiments that decide them on any Go.

An experiment is a folder of Go programs with named measurements and the claims that they decide
(``experiments/NAME``; docs/lab.md). What a claim comes out as is computed from what was measured and compared
with what is recorded. ``explain`` asks the compiler about one place of a program. Imports ``toolchain``,
``model`` and msgspec.
"""

from goretain.lab.catalogue import TOPICS, Claim, Depends, Experiment, catalogue
from goretain.lab.features import FEATURES
from goretain.lab.judge import Judged, Overall, judge, overall
from goretain.lab.results import Measured, Recorded, record, recorded
from goretain.lab.running import chosen, run

__all__ = [
    "FEATURES",
    "TOPICS",
    "Claim",
    "Depends",
    "Experiment",
    "Judged",
    "Measured",
    "Overall",
    "Recorded",
    "catalogue",
    "chosen",
    "judge",
    "overall",
    "record",
    "recorded",
    "run",
]
