"""Execution traces (runtime/trace) of Go 1.22 and newer: read from the wire, and what they tell.

A room of its own beside the readers of profiles: a trace is a sequence of events, no sum. Imports
``profile.sources``, ``profile.frames``, ``kernels``, ``snapshot`` and ``model``.
"""
