"""What the sampling lets one say, beside simulations of it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from goretain.profile.columns import HEAP_TYPES, Profile, StackTable, ValueType
from goretain.profile.sites.change import changed
from goretain.profile.sites.sampling import allocated, error, in_use, scale
from goretain.profile.sites.site import SiteAmounts, amounts_by_site

RATE = 524288
TYPES = tuple(ValueType(name, "bytes" if "space" in name else "count") for name in HEAP_TYPES)
I64 = NDArray[np.int64]


def profile(sampled: I64, kept: I64, size: I64, rate: int = RATE) -> Profile:
    """One sample for each bucket; sampled, kept: int64[n] raw counts of objects of ``size`` bytes."""
    table = StackTable()
    stacks = [table.stack((table.frame(f"main.site{at}", "main.go", at),)) for at in range(len(size))]
    values = [*scale(sampled, sampled * size, rate), *scale(kept, kept * size, rate)]
    return Profile(
        types=TYPES,
        stacks=table.columns(),
        stack=np.array(stacks, np.int32),
        values=np.stack(values, axis=1),
        object_size=size,
        label_set=np.zeros(len(size), np.int32),
        period=rate,
    )


BUCKETS = st.lists(
    st.tuples(
        st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from([1, 8, 24, 4096, 1 << 19, 1 << 27])
    ),
    min_size=1,
    max_size=20,
)


@given(BUCKETS, st.sampled_from([1, 512, 4096, RATE, 1 << 24]))
@settings(max_examples=200, deadline=None)
def test_the_number_of_samples_comes_back_from_scaled_figures(
    rows: list[tuple[int, int, int]], rate: int
) -> None:
    taken, left, size = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    made = profile(taken, np.minimum(taken, left), size, rate)
    for amounts, raw in ((allocated(made), taken), (in_use(made), np.minimum(taken, left))):
        assert amounts.samples is not None
        assert amounts.samples.tolist() == raw.tolist()
        assert amounts.variance is not None
        assert (amounts.variance >= 0).all()
        if rate == 1:
            assert not amounts.variance.any()


def test_the_error_is_that_of_the_sampling() -> None:
    """Of 400 simulated programs the figures scatter as their error says, for small and large objects."""
    rng = np.random.default_rng(20261122)
    for size, objects in ((4096, 3000), (65536, 400), (1 << 19, 100), (1 << 22, 30)):
        seen = 1 - np.exp(-size / RATE)
        figures, errors = [], []
        for _ in range(400):
            raw = rng.binomial(objects, seen, 1).astype(np.int64)
            amounts = in_use(profile(raw, raw, np.array([size])))
            assert amounts.variance is not None
            figures.append(int(amounts.bytes[0]))
            errors.append(float(amounts.variance[0]) ** 0.5)
        assert abs(np.mean(figures) / (size * objects) - 1) < 0.05
        assert np.std(figures) <= 1.2 * np.mean(errors) + size
        assert np.std(figures) >= 0.8 * np.mean(errors) - size
    small = in_use(profile(np.array([100]), np.array([100]), np.array([64])))
    assert small.variance is not None
    relative = error(float(small.bytes[0]), float(small.variance[0]))
    assert relative is not None
    assert abs(relative - 1 / np.sqrt(100)) < 0.001


def by_site(raw: I64, kept: I64, size: I64) -> SiteAmounts:
    return amounts_by_site(profile(raw, kept, size))


def test_what_both_profiles_saw_adds_nothing_to_the_error_of_their_difference() -> None:
    """A cache of 1000 samples that stays, 9 that come and 4 that go: the error is that of 13 samples."""
    size = np.array([4096, 4096, 4096])
    before = by_site(np.array([1000, 500, 4]), np.array([1000, 0, 4]), size)
    after = by_site(np.array([1000, 900, 13]), np.array([1000, 0, 9]), size)
    change = changed(before, after)
    assert change.same_process
    assert change.samples is not None
    assert change.samples.tolist() == [0, 0, 13]
    assert change.variance is not None
    assert change.variance[:2].tolist() == [0, 0]
    assert change.noise is not None
    assert change.noise.tolist() == [False, False, True]


def test_two_processes_have_no_samples_in_common() -> None:
    size = np.array([4096, 4096])
    before = by_site(np.array([100, 50]), np.array([100, 50]), size)
    after = by_site(np.array([90, 150]), np.array([90, 120]), size)
    change = changed(before, after)
    assert not change.same_process
    assert change.samples is not None
    assert change.samples.tolist() == [190, 170]
    assert change.noise is not None
    assert change.noise.tolist() == [True, False]


def test_the_error_of_a_difference_is_that_of_simulated_processes() -> None:
    """1000 objects stay, 300 come, 200 go and 5000 pass between two looks, in 300 runs."""
    rng = np.random.default_rng(7)
    size, seen = np.array([8192]), 1 - np.exp(-8192 / RATE)
    changes, errors = [], []
    for _ in range(300):
        stay, come, go, passed = (int(rng.binomial(count, seen)) for count in (1000, 300, 200, 5000))
        before = by_site(np.array([stay + go]), np.array([stay + go]), size)
        after = by_site(np.array([stay + go + come + passed]), np.array([stay + come]), size)
        change = changed(before, after)
        assert change.variance is not None
        changes.append(int(change.after[0] - change.before[0]))
        errors.append(float(change.variance[0]) ** 0.5)
    assert abs(np.mean(changes) - 100 * 8192) < 5 * np.std(changes) / np.sqrt(300)
    exact = np.sqrt(500 * (1 - seen) / seen) * 8192
    assert abs(np.std(changes) / exact - 1) < 0.15
    assert exact * 0.9 < np.mean(errors) < np.sqrt(1000 * 2 + 500) / np.sqrt(500) * exact
