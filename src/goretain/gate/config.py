"""What a team allows: ``goretain.toml``, with limits for an iteration and the sites that may keep memory.

Read strictly, because a limit that is misspelt would be none. Imports ``model``, msgspec and this package's
reader of TOML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec

from goretain.gate.tomlfile import read_strictly
from goretain.model.units import size_of

#: The name that is looked for.
FILE = "goretain.toml"
_HINT = "docs/gate-ci.md shows a goretain.toml with every key"


class Bytes(float):
    """Bytes for an iteration: a number, or a text with a unit."""


Count = Annotated[float, msgspec.Meta(ge=0)]
Named = Annotated[str, msgspec.Meta(min_length=1)]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may stay for each iteration; None: nothing is said of it.

    Attributes:
        bytes, objects: of one allocation site.
        goroutines: of those that began at one place.
    """

    bytes: Bytes | None = None
    objects: Count | None = None
    goroutines: Count | None = None

    def excess(self, size: float, objects: float) -> str | None:
        """Which limit a site is over that grows by so many bytes and objects an iteration; None: it may.

        Without a limit nothing may grow.
        """
        if self.bytes is None and self.objects is None:
            return "nothing may grow"
        if self.bytes is not None and size > self.bytes:
            return f"the limit is {self.bytes:g} B"
        if self.objects is not None and objects > self.objects:
            return f"the limit is {self.objects:g} objects"
        return None

    def excess_goroutines(self, count: float) -> str | None:
        """The same of goroutines."""
        if self.goroutines is None:
            return "none may be left"
        return f"the limit is {self.goroutines:g} goroutines" if count > self.goroutines else None


class Scope(Limits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of some benchmarks.

    Attributes:
        package: import paths, benchmark: names of benchmarks or tests, that this is about; ``*`` and ``...``
            stand for any text.
    """

    package: Named = "*"
    benchmark: Named = "*"

    def __post_init__(self) -> None:
        """Refuse a path of the file system, which would fit no package and limit nothing."""
        if self.package.startswith((".", "/")) and not self.package.startswith("..."):
            raise ValueError(f"package: write import paths, as go list prints them, not {self.package!r}")

    def covers(self, package: str, benchmark: str) -> bool:
        """Whether it is about that benchmark."""
        return matches(self.package, package) and matches(self.benchmark, benchmark)


class Known(Scope, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site that keeps memory, and may.

    Attributes:
        function: in which it allocates, or that led there; wildcards as above.
        reason: why it may, shown in every report.
    """

    function: Named
    reason: Named

    def excess(self, size: float, objects: float) -> str | None:
        """Which of its own limits it is over; without any it may grow as it likes."""
        return None if self.bytes is None and self.objects is None else Limits.excess(self, size, objects)

    def excess_goroutines(self, count: float) -> str | None:
        """The same of goroutines that it begins."""
        return None if self.goroutines is None else Limits.excess_goroutines(self, count)


class Gate(Limits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table ``[gate]``: limits of all benchmarks, of some (``[[gate.limit]]``), and known sites."""

    limit: tuple[Scope, ...] = ()
    known: tuple[Known, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    gate: Gate = Gate()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a package.

    Attributes:
        path: the file it was read from; None: there is none, and nothing that grows is allowed.
    """

    path: Path | None = None
    gate: Gate = Gate()

    def limits(self, package: str, benchmark: str) -> Limits:
        """Those of one benchmark: of each limit the last word counts."""
        found: dict[str, Any] = {}
        for one in (self.gate, *(scope for scope in self.gate.limit if scope.covers(package, benchmark))):
            said = ((name, getattr(one, name)) for name in Limits.__struct_fields__)
            found.update((name, value) for name, value in said if value is not None)
        return Limits(**found)

    def known(self, package: str, benchmark: str, functions: Iterable[str]) -> Known | None:
        """The first known site of that benchmark that one of the functions is."""
        names = [name for name in functions if name]
        for one in self.gate.known:
            if one.covers(package, benchmark) and any(matches(one.function, name) for name in names):
                return one
        return None


def find_config(package: Path) -> Config:
    """The nearest ``goretain.toml`` from the directory of a package up to its module's; none: no limits.

    Raises:
        UsageError: it is not right.
    """
    for folder in (package, *package.parents):
        if (folder / FILE).is_file():
            return read_config(folder / FILE)
        if (folder / "go.mod").is_file():
            break
    return Config()


def read_config(path: Path) -> Config:
    """The limits and known sites of a file.

    Raises:
        UsageError: it cannot be read, is no TOML, or has what is not known.
    """
    return Config(path=path, gate=read_strictly(path, _File, _bytes, _HINT).gate)


def _bytes(kind: type, value: object) -> Bytes:
    if kind is not Bytes:
        raise NotImplementedError
    if isinstance(value, str):
        size = size_of(value)
    else:
        size = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if size is None or not size >= 0:
        raise ValueError(f"{value!r} is not a size; write 64, 0.5 or '4KiB'")
    return Bytes(size)


def matches(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern in which ``*`` and ``...`` stand for any text.

    Brackets are what they are: ``main.(*Cache[...]).Add`` matches itself.
    """
    return _compiled(pattern).fullmatch(name) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, re.split(r"\*|\.\.\.", pattern))), re.DOTALL)
