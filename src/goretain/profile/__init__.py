"""Evidence from what the runtime records by itself: profiles, read from their files and measured.

A reader makes columns of a file (:mod:`goretain.profile.columns`), whatever its format; everything else works
on columns. Knows nothing of the heap in memory, which is the room beside. Imports ``golang.packages``,
``kernels``, ``snapshot`` and ``model``.
"""
