"""Finalizers, cleanups, weak handles and their queues, on every version and numbering of kinds."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from goretain.golang.read import read_heap
from goretain.golang.roots.specials import Held, Role, special_kinds
from goretain.model.errors import MissingMemory
from goretain.snapshot import SpecialKind, validate
from tests.support.golang import VERSIONS, release
from tests.support.rootzoo import Zoo, roots_at, zoo


def _kept(captured: Zoo, *kinds: SpecialKind) -> list[Held]:
    return [held for held in captured.specials.kept if held.kind in kinds]


def _has_cleanups(version: str) -> bool:
    return release(version) >= (1, 24)


def _held(captured: Zoo, values: set[int]) -> set[int]:
    """What boxes and closures at these addresses point to, in at most two steps."""
    found: set[int] = set()
    for _ in range(2):
        for value in values:
            with contextlib.suppress(MissingMemory):
                found |= {captured.program.word(value + 8 * i) for i in range(4)}
        values = found | values
    return found


def test_kinds_are_numbered_as_in_the_sources(go_version: str) -> None:
    kinds = {name: number for number, name in special_kinds(zoo(go_version).program).items()}
    if release(go_version) >= (1, 25):
        assert kinds == {"Finalizer": 2, "WeakHandle": 3, "Profile": 4, "PinCounter": 6, "Cleanup": 7}
    elif release(go_version) >= (1, 23):
        expected = {"Finalizer": 1, "WeakHandle": 2, "Profile": 3, "PinCounter": 5}
        assert kinds == expected | ({"Cleanup": 6} if _has_cleanups(go_version) else {})
    else:
        assert kinds == {"Finalizer": 1, "Profile": 2, "PinCounter": 4}


def test_a_finalizer_names_its_object_and_its_type(go_version: str) -> None:
    captured = zoo(go_version)
    (address,) = captured.bodies["finalized object"]
    (finalizer,) = [f for f in captured.specials.finalizers if f.object == address]
    t = captured.universe.from_runtime(finalizer.object_type)
    assert t is not None
    assert t.name == "*main.attached"
    assert "finalizer of *main.attached" in {node.name for node in captured.roots.nodes}


def test_a_cleanup_keeps_its_function_and_argument_and_not_its_object(go_version: str) -> None:
    if not _has_cleanups(go_version):
        assert _kept(zoo(go_version), SpecialKind.CLEANUP) == []
        return
    captured = zoo(go_version)
    cleanups = _kept(captured, SpecialKind.CLEANUP)
    assert all(roots_at(captured.roots, held.value(Role.FUNCTION)) for held in cleanups)
    (argument,) = captured.bodies["cleanup argument"]
    assert argument in _held(captured, {p.value for held in cleanups for p in held.pointers if p.value})
    assert captured.roots_of("cleaned object") == []
    assert captured.roots_of("only cleaned object") == []


@pytest.mark.parametrize("version", [v for v in VERSIONS if release(v) >= (1, 24)])
def test_a_weak_handle_is_a_root_and_its_target_is_not(version: str) -> None:
    captured = zoo(version)
    (target,) = captured.bodies["global"]
    handles = [held.value(Role.HANDLE) for held in _kept(captured, SpecialKind.WEAK_HANDLE)]
    (pointing,) = [handle for handle in handles if captured.program.word(handle) == target]
    assert any(r.node.name == "weak handle" for r in roots_at(captured.roots, pointing))
    assert all(r.node.name != "weak handle" for r in captured.roots_of("global"))


def test_queued_finalizers_keep_their_objects(go_version: str) -> None:
    captured = zoo(go_version, "queued")
    arguments = {held.value(Role.ARGUMENT) for held in _kept(captured, SpecialKind.QUEUED_FINALIZER)}
    pointed = {captured.program.word(value) for value in arguments if value}
    queued = set(captured.bodies["queued"])
    # One of the three runs already and has left the queue on some versions.
    assert len(queued & pointed) >= 2
    names = {r.node.name for value in arguments for r in roots_at(captured.roots, value)}
    assert any(name.startswith("queued finalizer main.attachStuck") for name in names)


def test_queued_cleanups_keep_their_arguments(go_version: str) -> None:
    captured = zoo(go_version, "queued")
    queued = _kept(captured, SpecialKind.QUEUED_CLEANUP)
    if not _has_cleanups(go_version):
        assert queued == []
        return
    values = {p.value for held in queued for p in held.pointers if p.value}
    arguments = set(captured.bodies["queued cleanup"])
    assert len(arguments & _held(captured, values)) > 100


@pytest.mark.parametrize("version", [VERSIONS[0], "1.24.11", VERSIONS[-1]])
def test_the_snapshot_lists_what_is_attached(version: str) -> None:
    captured = zoo(version)
    snapshot = read_heap(captured.image)
    validate(snapshot)
    specials, columns = snapshot.specials, snapshot.columns
    assert specials is not None
    address = dict(enumerate(columns.object_address.tolist()))

    def rows(kind: SpecialKind, name: str) -> list[tuple[str, int | None]]:
        """Function and target of the specials of one kind on an object of this name."""
        chosen = [
            k
            for k in np.flatnonzero(specials.special_kind == kind).tolist()
            if address.get(int(specials.special_object[k])) in captured.bodies[name]
        ]
        return [
            (
                snapshot.strings[specials.special_function[k]],
                address.get(int(specials.special_target[k])),
            )
            for k in chosen
        ]

    ((function, _),) = rows(SpecialKind.FINALIZER, "finalized object")
    assert function.startswith("main.")
    if _has_cleanups(version):
        (function, target), *beside = rows(SpecialKind.CLEANUP, "cleaned object")
        assert function.startswith("main.")
        assert target is not None
        # From Go 1.26 on the code that calls the function stands beside its argument.
        assert len(beside) == ("cleanup-arguments" in snapshot.meta.features)
        assert all(row[0] == function and row[1] not in (None, target) for row in beside)
        ((function, handle),) = rows(SpecialKind.WEAK_HANDLE, "global")
        assert function == ""
        assert handle is not None
