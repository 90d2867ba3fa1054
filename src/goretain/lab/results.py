"""What was measured, kept: in the user's cache, and beside an experiment as ``recorded.json``.

The recorded results are those that the documentation shows; a test judges them again, and refuses them when
they come from other sources than the experiment has now. Imports ``model``, this package and msgspec.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from goretain.lab.catalogue import Experiment
from goretain.lab.conditions import Value
from goretain.lab.features import FEATURES, features_of
from goretain.model.errors import CorruptFile, ModulesUnavailable
from goretain.model.places import user_cache
from goretain.toolchain import Toolchain


class Measured(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One experiment on one toolchain.

    Attributes:
        go: ``1.26.6``.
        features: name -> whether the toolchain has it; what is not named was not asked then.
        values: measurement -> value.
        unavailable: why nothing could be measured, "" where it could.
    """

    go: str
    features: dict[str, bool]
    values: dict[str, Value]
    unavailable: str = ""

    @property
    def present(self) -> frozenset[str]:
        """Names of the features that are there."""
        return frozenset(name for name, there in self.features.items() if there)


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """``recorded.json``: a run of one experiment on several toolchains.

    Attributes:
        digest: of the experiment that was run.
        measured: oldest Go first.
    """

    digest: str
    measured: tuple[Measured, ...]


def measured(toolchain: Toolchain, values: dict[str, Value], *, unavailable: str = "") -> Measured:
    """Values with the toolchain that they were measured on."""
    there = features_of(toolchain)
    features = {feature.name: feature.name in there for feature in FEATURES}
    return Measured(go=toolchain.version, features=features, values=values, unavailable=unavailable)


def recall(experiment: Experiment, toolchain: Toolchain) -> Measured | None:
    """What the cache has of this experiment, as it is now, on this toolchain; None: nothing that is whole."""
    try:
        kept = msgspec.json.decode(_place(experiment, toolchain).read_bytes(), type=dict[str, Value])
    except (OSError, msgspec.DecodeError):
        return None
    return measured(toolchain, kept)


def keep(experiment: Experiment, toolchain: Toolchain, values: dict[str, Value]) -> None:
    """Put values into the cache; whoever reads meanwhile sees the old ones or all of these."""
    place = _place(experiment, toolchain)
    place.parent.mkdir(parents=True, exist_ok=True)
    scratch = place.with_suffix(f".{os.getpid()}")
    scratch.write_bytes(msgspec.json.encode(values))
    scratch.rename(place)


def _place(experiment: Experiment, toolchain: Toolchain) -> Path:
    made = repr((experiment.digest, toolchain.version, str(toolchain.goroot)))
    name = f"{experiment.name}-{toolchain.version}-{hashlib.sha256(made.encode()).hexdigest()[:16]}.json"
    return user_cache() / "lab" / name


def record(experiment: Experiment, runs: list[Measured]) -> None:
    """Write ``recorded.json``: of the values those that a claim speaks of.

    Raises:
        ModulesUnavailable: on one of the toolchains nothing could be measured.
    """
    if reason := next((run.unavailable for run in runs if run.unavailable), ""):
        raise ModulesUnavailable(f"experiment {experiment.name}: {reason}", hint="record it with a network")
    named = {name for claim in experiment.claims for name in claim.measurements}
    shown = tuple(
        msgspec.structs.replace(run, values={k: v for k, v in sorted(run.values.items()) if k in named})
        for run in runs
    )
    text = msgspec.json.format(
        msgspec.json.encode(Recorded(digest=experiment.digest, measured=shown)), indent=1
    )
    (experiment.folder / "recorded.json").write_bytes(text + b"\n")


def recorded(experiment: Experiment) -> Recorded | None:
    """The recorded results of an experiment, None where there are none.

    Raises:
        CorruptFile: the file is not what ``record`` writes.
    """
    path = experiment.folder / "recorded.json"
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Recorded)
    except msgspec.DecodeError as error:
        raise CorruptFile(
            str(path), None, str(error), hint="write it anew: python docs/refresh.py lab"
        ) from None
