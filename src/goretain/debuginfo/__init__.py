"""Files that describe a program: ELF, DWARF, the Go function table. Read only, own code, lazy.

Standard library, numpy and msgspec; of goretain only ``model``. Knows formats, not what Go does with its memory.
"""
