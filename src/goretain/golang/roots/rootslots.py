"""Root words as columns, and what collects them.

Apart from ``golang.roots.roots``, which knows where roots are: this knows how they are kept.
Imports ``golang.types.gotypes``, ``golang.roots.specials``, ``snapshot`` and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from goretain.golang.roots.specials import Finalizer
from goretain.golang.types.gotypes import Leaf
from goretain.snapshot import Layer, RootNode

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
#: Addresses of user space on linux/amd64; page zero is never mapped.
_LOWEST, _HIGHEST = 4096, 1 << 47
#: From this many words on, the paths of one holder are not looked for among those that are there already.
_MANY = 64


@dataclass(slots=True)
class RootSlots:
    """Root words, r of them; values may point anywhere, whoever resolves them drops what is no object.

    Attributes:
        address: int64[r], where the word stands; 0 for registers.
        value: int64[r].
        node: int32[r] into nodes; path: int32[r] into paths.
        flags: uint8[r], RootFlag.
        goroutine: int32[r], index into the goroutine table, -1 for others.
        leaf: int32[r] into leaves, -1 when the word's type is not known. For an interface leaf, address is
            that of the data word and the type word stands 8 bytes before it.
        finalizers: attached finalizers: what their objects point to is a root (``finalizer_roots``).
        finalizer_node: int32 per finalizer.
        notes: what could not be read, one sentence each.
    """

    address: I64
    value: I64
    node: I32
    path: I32
    flags: U8
    goroutine: I32
    leaf: I32
    nodes: list[RootNode]
    paths: list[str]
    leaves: list[Leaf]
    finalizers: list[Finalizer]
    finalizer_node: I32
    notes: list[str] = field(default_factory=list)


class RootBuilder:
    """Collects root words; nodes, paths and leaves are interned."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, int, int, int, int, int]] = []
        self._blocks: list[I64] = []
        self._nodes: dict[RootNode, int] = {}
        self._paths: list[str] = [""]
        self._path_rows: dict[str, int] = {"": 0}
        self._leaf_rows: dict[tuple[str, int], int] = {}
        self._leaves: list[Leaf] = []

    def node(self, name: str, layer: Layer, goroutine: int = -1, package: str = "") -> int:
        """Index of a holder."""
        made = RootNode(name=name, layer=int(layer), goroutine=goroutine, package=package)
        return self._nodes.setdefault(made, len(self._nodes))

    def leaf(self, leaf: Leaf | None) -> int:
        """Index of a leaf's kind and type, -1 for None; where it stood in its variable is forgotten."""
        if leaf is None:
            return -1
        key = (leaf.kind, id(leaf.type))
        if key not in self._leaf_rows:
            self._leaf_rows[key] = len(self._leaves)
            self._leaves.append(Leaf(0, leaf.kind, leaf.type, ""))
        return self._leaf_rows[key]

    def path(self, path: str) -> int:
        """Index of a path."""
        row = self._path_rows.setdefault(path, len(self._paths))
        if row == len(self._paths):
            self._paths.append(path)
        return row

    def add(
        self,
        address: int,
        value: int,
        node: int,
        path: str,
        *,
        flags: int = 0,
        goroutine: int = -1,
        leaf: int = -1,
    ) -> None:
        """Keep a root word, unless its value is no address that a heap could have."""
        if _LOWEST <= value < _HIGHEST:
            self._rows.append((address, value, node, self.path(path), flags, goroutine, leaf))

    def extend(self, addresses: I64, values: I64, node: int, paths: list[str], leaves: I32) -> None:
        """Keep many words of one holder, with a path and a leaf each."""
        if len(paths) < _MANY:
            rows = np.array([self.path(path) for path in paths], np.int64)
        else:
            rows = np.arange(len(self._paths), len(self._paths) + len(paths), dtype=np.int64)
            self._paths += paths
        one = np.ones(len(rows), np.int64)
        block = np.column_stack((addresses, values, node * one, rows, 0 * one, -one, leaves.astype(np.int64)))
        self._blocks.append(block[(values >= _LOWEST) & (values < _HIGHEST)])

    def finish(self, finalizers: list[Finalizer], finalizer_node: list[int], notes: list[str]) -> RootSlots:
        """The columns."""
        table = np.concatenate([*self._blocks, np.array(self._rows, np.int64).reshape(-1, 7)])
        return RootSlots(
            address=table[:, 0].copy(),
            value=table[:, 1].copy(),
            node=table[:, 2].astype(np.int32),
            path=table[:, 3].astype(np.int32),
            flags=table[:, 4].astype(np.uint8),
            goroutine=table[:, 5].astype(np.int32),
            leaf=table[:, 6].astype(np.int32),
            nodes=list(self._nodes),
            paths=self._paths,
            leaves=self._leaves,
            finalizers=finalizers,
            finalizer_node=np.array(finalizer_node, np.int32),
            notes=notes,
        )
