"""The CI gate: what each iteration of a benchmark leaves behind, exactly, and whether it goes on.

Benchmarks are run for more and more iterations, each run in a process of its own with every allocation
recorded; what is in use after the last one, by call stack, is laid side by side. Imports ``profile``,
``toolchain`` and floors below.
"""
