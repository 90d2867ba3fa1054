"""How Go lays memory out: from an Image to a Snapshot, and what of a process to copy for that.

``read.read_heap`` is the way through; ``plan.lean_plan`` says what to copy. The rooms: ``layout`` (where
the runtime keeps its fields), ``spans`` and ``objects`` (what is allocated, what points where),
``gotypes``, ``maptypes``, ``typetable``, ``masks`` and ``infer`` (which type everything has), ``stacks``
and ``goroutines``, ``globals``, ``specials`` and ``roots`` (what holds it), ``maps`` (what is in the maps).
Imports floors from ``capture`` down.
"""
