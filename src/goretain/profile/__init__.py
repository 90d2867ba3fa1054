"""Evidence from what the runtime records by itself: profiles, read from their files and measured.

The rooms, from the ground up: ``sources`` (bytes of files and URLs), ``sites`` (allocation sites, how sure
their figures are, what changed), ``readers`` (every format into columns), ``trace`` (execution traces),
``growth`` (which sites go on growing), ``watch`` (the file of a series). What a file holds is in ``contents``
and its samples in ``columns``, whatever the format was. Knows nothing of the heap in memory, which is the
room beside. Imports ``golang.packages``, ``kernels``, ``snapshot`` and ``model``.
"""
