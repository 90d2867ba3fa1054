"""Bytes of a process: freeze a live one or read a core, copy what a plan asks for, return an Image.

Knows addresses, files and the kernel, not Go. May import ``debuginfo``, ``snapshot``, ``model`` and numpy.
"""
