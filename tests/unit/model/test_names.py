"""Names across looks and builds."""

from __future__ import annotations

import pytest

from goretain.model.findings import fingerprint
from goretain.model.names import across_builds, alike, joined, of_this_build, stateless


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("main.f.func1", "main.f.func12"),
        ("main.f.func1.2.3", "main.f.func2.1"),
        ("main.f.gowrap1", "main.f.gowrap2"),
        ("main.f.deferwrap1", "main.f.deferwrap3"),
        ("main.f-range1", "main.f-range2"),
        ("main.init.0", "main.init.3"),
        ("main..stmp_4", "main..stmp_51"),
        ("bss+0x40 (*main.cache)", "bss+0xf80 (*main.cache)"),
        ("plugin.so data+0x8", "plugin.so data+0x10"),
        (
            "main.left[key] (closure main.g.func3 captured x)",
            "main.left[key] (closure main.g.func1 captured x)",
        ),
    ],
)
def test_what_a_compiler_numbers_is_not_compared(one: str, other: str) -> None:
    assert across_builds(one) == across_builds(other)
    assert of_this_build(one) != of_this_build(other)
    assert fingerprint("a-pattern", one) == fingerprint("a-pattern", other)


@pytest.mark.parametrize(
    "name",
    [
        "main.cache2",
        "main.v1.f",
        "main.function1",
        "main.Map[int,[4]uint8]",
        "main.Unwrap2",
        "example.com/v2.x",
    ],
)
def test_numbers_of_the_programmer_are_compared(name: str) -> None:
    assert across_builds(name) == name
    assert of_this_build(name) == ()


def test_goroutines_lose_their_number_and_their_state() -> None:
    name = "goroutine 18 [chan receive] main.worker"
    assert alike(name) == "goroutines [chan receive] main.worker"
    assert stateless(name) == "goroutines main.worker"
    assert joined([stateless(name), "main.cache", "main.cache"]) == "main.cache and goroutines main.worker"
