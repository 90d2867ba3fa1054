"""Pure functions over arrays, most compiled by numba: lookup, CSR, reach, dominators, retained sizes, unions.

No classes, no input or output, int64 arithmetic and uint32 ids. Graph kernels run without bounds checks
on arrays whose invariants :func:`goretain.kernels.csr.validate_graph` has checked once. How they are
compiled and kept is in ``jit``, ``cache`` and ``compiling``. Imports numpy and numba, and ``model`` for the
place of the cache.
"""
