"""Finds the experiments by listing their folders and reads what each claims.

There is no registry: a folder with an ``experiment.toml`` is an experiment. Everything that it declares is
checked here, so that a half-written one is an error that names the file. docs/lab.md says how to write one.
Imports ``model``, this package, msgspec and the standard library.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from goretain.lab.conditions import Condition, parse
from goretain.lab.features import known
from goretain.model.errors import CorruptFile, UsageError

#: Goretain's own experiments.
OWN = Path(__file__).parent / "experiments"
#: The Go package that experiments measure with.
MEASURE = Path(__file__).parent / "measure"

#: What a claim comes out as on one runtime.
Outcome = Literal["true", "false", "partly", "untestable"]
#: Chapters of the page of all claims, in its order.
Topic = Literal[
    "maps", "slices and strings", "interfaces", "closures and contexts", "goroutines", "escape analysis",
    "finalizers and unsafe", "json", "profiles", "caches and pools", "tools",
]  # fmt: skip
TOPICS: tuple[str, ...] = get_args(Topic)

_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_ID = re.compile(r"[A-Z]\d\d")
#: Goes up when ``bench`` or ``compiler`` read something differently: what was measured before counts no more.
_READING = 1
_IGNORED = ("experiment.toml", "recorded.json")


class Run(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to run the experiment's program, or one go command (docs/lab.md says what each key does).

    Attributes:
        name: begins the names of what is measured of the run itself; of a program, its first argument.
        args: further arguments; of a go command, all of them.
        flags: of the build.
        env: extra environment variables.
        times: how often it is run.
        timeout: seconds; a run that takes longer comes out as "timeout".
        count: measurement -> regular expression, counted in the output of all runs.
        find: measurement -> regular expression, whose first group in the output is the value; else "".
    """

    name: str
    args: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    env: dict[str, str] = msgspec.field(default_factory=dict)
    times: int = 1
    timeout: float = 120.0
    count: dict[str, str] = msgspec.field(default_factory=dict)
    find: dict[str, str] = msgspec.field(default_factory=dict)


class Depends(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Outcomes of a claim where a feature of the runtime decides.

    Attributes:
        on: the feature.
        present, absent: the outcome with it and without.
    """

    on: str
    present: Outcome
    absent: Outcome


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One claim, as ``experiment.toml`` has it.

    Attributes:
        id: ``A06``; the letter is the article it stands in (docs/lab.md), X for none.
        claim: what is said, in our own short words.
        section: where in the article, ``2.3``; "" for none.
        correct: what is so, in one or two sentences.
        outcome: what it comes out as, everywhere, or by a feature.
        predicts: conditions that would all hold if the claim were true.
        expect: conditions that hold: the figures behind ``correct``.
        figures: measurements to show beside those that the conditions name.
        reason: why it cannot be tested.
        pattern: the pattern of goretain that finds such memory in a program, ``GR103``.
        note: what else a reader should know, such as why an earlier verdict does not stand.
    """

    id: str
    claim: str
    section: str = ""
    correct: str
    outcome: Outcome | Depends
    predicts: tuple[str, ...] = ()
    expect: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    reason: str = ""
    pattern: str = ""
    note: str = ""

    def expected(self, features: frozenset[str]) -> Outcome:
        """The recorded outcome on a runtime with these features."""
        if isinstance(self.outcome, Depends):
            return self.outcome.present if self.outcome.on in features else self.outcome.absent
        return self.outcome

    @property
    def predicted(self) -> tuple[Condition, ...]:
        """``predicts``, read."""
        return tuple(parse(text) for text in self.predicts)

    @property
    def expected_figures(self) -> tuple[Condition, ...]:
        """``expect``, read."""
        return tuple(parse(text) for text in self.expect)

    @property
    def measurements(self) -> tuple[str, ...]:
        """Names of everything that its conditions and figures speak of, in order, each once."""
        conditions = (*self.predicted, *self.expected_figures)
        names = [name for condition in conditions for name in condition.names]
        return tuple(dict.fromkeys([*self.figures, *names]))


class _Declaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``experiment.toml`` as written."""

    title: str
    topic: Topic
    run: tuple[Run, ...] = ()
    go: tuple[Run, ...] = ()
    claim: tuple[Claim, ...]


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """One folder of programs and the claims that it decides.

    Attributes:
        name: of the folder.
        title: heading of its claims.
        topic: chapter that they stand in.
        runs: of its program (main.go), in order.
        commands: go commands that follow, in order.
        claims: by id.
        folder: where it is.
    """

    name: str
    title: str
    topic: str
    runs: tuple[Run, ...]
    commands: tuple[Run, ...]
    claims: tuple[Claim, ...]
    folder: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything that is handed to Go: the files below the folder but for what is said about them."""
        found = (path for path in self.folder.rglob("*") if path.is_file() and path.name not in _IGNORED)
        return tuple(sorted(found))

    @property
    def digest(self) -> str:
        """Hash of what is measured and how: sources, runs, and the package that measures; not of claims."""
        digest = hashlib.sha256(msgspec.json.encode((_READING, self.runs, self.commands), order="sorted"))
        for home in (self.folder, MEASURE):
            files = self.files if home is self.folder else sorted(MEASURE.glob("*.go"))
            for path in files:
                digest.update(f"{path.relative_to(home)}\0".encode() + path.read_bytes() + b"\0")
        return digest.hexdigest()[:16]


@cache
def catalogue(home: Path = OWN) -> tuple[Experiment, ...]:
    """Every experiment of a directory, by chapter and then by the first of their claims.

    Raises:
        CorruptFile: a folder declares something invalid, or two decide the same claim.
        UsageError: there is none.
    """
    found = [_read(path.parent) for path in home.glob("*/experiment.toml")]
    if not found:
        raise UsageError(
            f"{home} has no folder with an experiment.toml", hint="docs/lab.md says how to write one"
        )
    seen: dict[str, Experiment] = {}
    for experiment in found:
        for claim in experiment.claims:
            other = seen.setdefault(claim.id, experiment)
            if other is not experiment:
                raise _wrong(experiment.folder, f"claim {claim.id} is already decided by {other.name}")
    return tuple(sorted(found, key=lambda e: (TOPICS.index(e.topic), e.claims[0].id)))


def _read(folder: Path) -> Experiment:
    """Read and check one folder."""
    try:
        declared = msgspec.toml.decode((folder / "experiment.toml").read_bytes(), type=_Declaration)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _wrong(folder, str(error), hint="compare it with docs/lab.md") from error
    if not _NAME.fullmatch(folder.name):
        raise _wrong(folder, f"folder {folder.name!r} is not lower-case words joined by underscores")
    if not declared.claim:
        raise _wrong(folder, "it has no claim")
    for run in (*declared.run, *declared.go):
        _check_run(folder, run)
    names = [run.name for run in (*declared.run, *declared.go)]
    if len(set(names)) < len(names):
        raise _wrong(folder, "two runs have the same name")
    if declared.run and not (folder / "main.go").is_file():
        raise _wrong(folder, "it has runs and no main.go")
    if len({claim.id for claim in declared.claim}) < len(declared.claim):
        raise _wrong(folder, "it decides a claim twice")
    for claim in declared.claim:
        _check_claim(folder, claim)
    claims = tuple(sorted(declared.claim, key=lambda claim: claim.id))
    return Experiment(
        name=folder.name,
        title=declared.title,
        topic=declared.topic,
        runs=declared.run,
        commands=declared.go,
        claims=claims,
        folder=folder,
    )


def _check_run(folder: Path, run: Run) -> None:
    if not _NAME.fullmatch(run.name):
        raise _wrong(folder, f"run {run.name!r} is not lower-case words joined by underscores")
    for name, pattern in (run.count | run.find).items():
        if not _NAME.fullmatch(name):
            raise _wrong(folder, f"{name!r} is not lower-case words joined by underscores")
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise _wrong(folder, f"{name}: {pattern!r} is no regular expression: {error}") from None
        if name in run.find and groups == 0:
            raise _wrong(folder, f"{name}: {pattern!r} has no group to take as the value")


def _check_claim(folder: Path, claim: Claim) -> None:
    """Its ID, its conditions and that it can come out at all."""
    where = f"claim {claim.id}"
    if not _ID.fullmatch(claim.id):
        raise _wrong(folder, f"{where}: an id is a letter and two digits")
    try:
        conditions = (*claim.predicted, *claim.expected_figures)
    except UsageError as error:
        raise _wrong(folder, f"{where}: {error.message}") from None
    features = [condition.feature for condition in conditions if condition.feature]
    if isinstance(claim.outcome, Depends):
        features.append(claim.outcome.on)
        if claim.outcome.present == claim.outcome.absent:
            raise _wrong(folder, f"{where}: it depends on {claim.outcome.on} and comes out the same")
    for feature in features:
        if not known(feature):
            raise _wrong(folder, f"{where}: {feature!r} is no feature", hint="see goretain/lab/features.py")
    untestable = claim.outcome == "untestable"
    if untestable != bool(claim.reason):
        raise _wrong(folder, f"{where}: what cannot be tested has a reason, and nothing else has one")
    if untestable == bool(claim.predicts):
        raise _wrong(folder, f"{where}: what can be tested predicts something, and nothing else does")


def _wrong(folder: Path, reason: str, **more: Any) -> CorruptFile:
    return CorruptFile(str(folder / "experiment.toml"), None, reason, **more)
