"""Files that describe a program: ELF, DWARF, the Go function table. Read only, own code, lazy.

Imports ``model``, numpy and msgspec. Knows the formats, not what Go does with its memory.
"""
