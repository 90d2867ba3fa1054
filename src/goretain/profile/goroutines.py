"""Goroutines by where they stand, whatever kind of file said so.

Imports ``columns``, ``frames`` and ``snapshot``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from goretain.profile.columns import Label, Profile
from goretain.profile.frames import NOWHERE, layer_of
from goretain.snapshot import Frame, Layer

#: What a profile of goroutines counts; the second has only those that nothing can wake (Go 1.26 on).
GOROUTINE, LEAKED = "goroutine", "goroutineleak"


@dataclass(frozen=True, slots=True)
class Standing:
    """Goroutines with one stack.

    Attributes:
        count: how many.
        frames: innermost first.
        state: wait reason or state, None where the file does not say.
        created_at: the go statement, None where it does not say or for the first goroutine.
        labels: of runtime/pprof.Do.
        minutes: the longest wait, None unknown or under one.
    """

    count: int
    frames: tuple[Frame, ...]
    state: str | None = None
    created_at: Frame | None = None
    labels: tuple[Label, ...] = ()
    minutes: int | None = None


class Where(NamedTuple):
    """Where goroutines stand, and as what they began.

    place: the innermost frame outside the runtime; own: the innermost one outside the standard library, None
    when there is none; start: function that they began with; created_at, state: as of Standing.
    """

    place: Frame
    own: Frame | None
    start: str
    created_at: Frame | None
    state: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Goroutines in one state at one place that began alike. members: what they were put together from."""

    where: Where
    members: tuple[Standing, ...]

    @property
    def count(self) -> int:
        """How many goroutines."""
        return sum(member.count for member in self.members)

    @property
    def labels(self) -> tuple[Label, ...]:
        """Those that all have."""
        first, *others = self.members
        return tuple(label for label in first.labels if all(label in other.labels for other in others))

    @property
    def minutes(self) -> int | None:
        """The longest wait."""
        return max((member.minutes for member in self.members if member.minutes is not None), default=None)


def counted(profile: Profile) -> bool:
    """Whether a profile counts goroutines."""
    return [kind.name for kind in profile.types] in ([GOROUTINE], [LEAKED])


def standing(profile: Profile) -> list[Standing]:
    """The goroutines of a profile that counts them."""
    frames = [profile.stacks.frames(stack) for stack in range(len(profile.stacks))]
    return [
        Standing(count, frames[stack], labels=profile.label_sets[labels])
        for count, stack, labels in zip(
            profile.values[:, 0].tolist(), profile.stack.tolist(), profile.label_set.tolist(), strict=True
        )
    ]


def groups(goroutines: Iterable[Standing]) -> list[Group]:
    """Put together what stands at one place, most first."""
    together: dict[Where, list[Standing]] = {}
    for one in goroutines:
        place, own = _places(one.frames)
        start = one.frames[-1].function if one.frames else ""
        if start == "runtime.main":
            start = "main.main"
        together.setdefault(Where(place, own, start, one.created_at, one.state), []).append(one)
    found = [Group(where, tuple(members)) for where, members in together.items()]
    return sorted(found, key=lambda group: -group.count)


def _places(frames: Sequence[Frame]) -> tuple[Frame, Frame | None]:
    layers = [layer_of(frame.function) for frame in frames]
    outside = [at for at, layer in enumerate(layers) if layer != Layer.RUNTIME]
    own = [at for at, layer in enumerate(layers) if layer == Layer.PROGRAM]
    place = frames[outside[0]] if outside else frames[0] if frames else NOWHERE
    return place, frames[own[0]] if own else None


def counts(goroutines: Iterable[Standing], *, by_creator: bool) -> Counter[Where]:
    """How many goroutines stand where, most first; with the go statement that created them or without."""
    sums: Counter[Where] = Counter()
    for group in groups(goroutines):
        sums[group.where if by_creator else group.where._replace(created_at=None)] += group.count
    return sums


def named_alike(looks: Sequence[Counter[Where]]) -> list[Counter[Where]]:
    """Counts in which what stands at one place has one name, whether a dump said so or a profile.

    A profile knows neither creator nor wait reason: they are those of the dumps where these know one of the
    place, and left out of all where they know several.
    """
    full: dict[Where, set[Where]] = defaultdict(set)
    plain: set[Where] = set()
    for place in {place for look in looks for place in look}:
        if place.created_at is None and place.state is None:
            plain.add(place)
        else:
            full[_plain(place)].add(place)

    def name(place: Where) -> Where:
        bare = _plain(place)
        if bare not in plain or not full[bare]:
            return place
        return next(iter(full[bare])) if len(full[bare]) == 1 else bare

    named = []
    for look in looks:
        named.append(Counter[Where]())
        for place, count in look.items():
            named[-1][name(place)] += count
    return named


def _plain(place: Where) -> Where:
    """As a profile knows it."""
    return place._replace(created_at=None, state=None)
