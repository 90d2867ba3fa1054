"""DWARF: globals, types, functions and constants of a program, behind an index that is kept."""
