"""Builds the answers of ``profile``, ``growth``, ``watch`` and ``trace``.

Each is imported from its module: a few small profiles need no numba. Imports ``heap``, ``profile`` and
``reports``.
"""
