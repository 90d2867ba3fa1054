"""Reads YAML as JSON Schema is written in it: YAML 1.2's plain types, keys as they stand, each only once.

PyYAML finds the nodes (safely: nothing is constructed from tags); values are made here, because its own rules
are YAML 1.1's (``no`` is false, ``1_000`` a number, a date a date). Imports ``documents`` and PyYAML.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from goretain.model.errors import CorruptFile
from goretain.schema.documents import Huge, decoded

_WHOLE = re.compile(r"[-+]?[0-9]+")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
#: Levels of a schema's text: a level of a document takes about three.
_DEEPEST = 200
#: Values, with those that aliases repeat.
_MOST = 1_000_000


def document(raw: bytes, name: str) -> Any:
    """The value of a YAML file with one document.

    Raises:
        CorruptFile: it is not YAML, has a key twice or is nested too deeply; says where.
    """
    try:
        node = yaml.compose(decoded(raw, name), yaml.SafeLoader)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise CorruptFile(name, None, f"{place}not YAML: {wrong.problem or wrong.context}") from None
    except yaml.YAMLError as wrong:
        raise CorruptFile(name, None, f"not YAML: {str(wrong).splitlines()[0]}") from None
    except RecursionError:
        raise CorruptFile(name, None, f"nested deeper than {_DEEPEST} levels") from None
    if node is None:
        raise CorruptFile(name, None, "there is no document in it")
    return _Values(name).value(node, 0)


class _Values:
    """Makes values of nodes; aliases are followed, to a limit."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0

    def value(self, node: yaml.Node, depth: int) -> Any:
        """The value of a node."""
        self._count += 1
        if depth > _DEEPEST or self._count > _MOST:
            limit = f"nested deeper than {_DEEPEST} levels" if depth > _DEEPEST else "its aliases never end"
            raise self._wrong(node, limit)
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one, depth + 1) for one in node.value]
        found: dict[str, Any] = {}
        for key, inner in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._wrong(key, "a key is a word, not a list or mapping")
            if key.value in found:
                raise self._wrong(key, f"the key {key.value!r} stands here a second time")
            found[key.value] = self.value(inner, depth + 1)
        return found

    def _wrong(self, node: yaml.Node, reason: str) -> CorruptFile:
        mark = node.start_mark
        return CorruptFile(self._name, None, f"line {mark.line + 1}, column {mark.column + 1}: {reason}")


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style is not None:  # in quotes, or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text) if len(text) <= 20 else Huge(text)
    if not _REAL.fullmatch(text):
        return text
    number = float(text)
    return Huge(text) if math.isinf(number) else number
