"""A snapshot measured: who holds what, what is hidden, how full maps are, how much the answer covers.

:class:`Heap` is the door to all analyses of one snapshot. Imports ``kernels``, ``snapshot`` and ``model``.
"""

from goretain.heap.heap import Heap

__all__ = ["Heap"]
