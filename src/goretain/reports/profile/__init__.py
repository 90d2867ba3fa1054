"""Builds the answers of ``profile`` and ``growth``.

Each is imported from its module: a few small profiles need no numba. Imports ``heap``, ``profile`` and
``reports``.
"""
