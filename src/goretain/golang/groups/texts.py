"""Texts that columns index, added to the strings of a snapshot. Imports the standard library only."""

from __future__ import annotations


class Texts:
    """Adds texts to a list, each once; what stands there already is not searched for, but for ""."""

    def __init__(self, strings: list[str]) -> None:
        """strings: strings[0] is ""; grows."""
        self._strings = strings
        self._rows = {"": 0}

    def row(self, text: str) -> int:
        """Index of a text."""
        row = self._rows.setdefault(text, len(self._strings))
        if row == len(self._strings):
            self._strings.append(text)
        return row
