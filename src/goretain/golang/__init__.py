"""How Go lays memory out: from an Image to a Snapshot, and what of a process to copy for that.

``read.read_heap`` is the way through, ``plan.lean_plan`` says what to copy. The rooms, from the ground up:
``layout`` (where the runtime keeps its fields), ``types`` (which type everything has), ``memory`` (what is
allocated, what points where), ``stacks`` (goroutines and what their frames hold), ``maps`` (what is in the
maps), ``roots`` (what holds memory, by name), ``visible`` (what of each object is seen).
Imports floors from ``capture`` down.
"""
