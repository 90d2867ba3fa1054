"""A snapshot measured: who holds what, what is hidden, how full maps are, how much the answer covers.

:class:`Heap` is the door to all analyses of one snapshot; :func:`diff` compares two. Imports ``kernels``,
``snapshot`` and ``model``.
"""

from goretain.heap.growth import Growth, diff
from goretain.heap.heap import Heap

__all__ = ["Growth", "Heap", "diff"]
