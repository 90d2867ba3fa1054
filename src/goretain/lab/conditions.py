"""Conditions on measurements, as ``experiment.toml`` writes them: ``if swiss_maps: after < 1.1 * before``.

A condition is one comparison (or several, joined by and, or, not) of measured values, numbers and texts, with
arithmetic and ``near(a, b)`` (within 1 %; ``near(a, b, 5)``: within 5 %). ``if FEATURE:`` or
``unless FEATURE:`` before it limits it to runtimes that have the feature or lack it. It is Python's grammar,
read by Python's parser and evaluated here: nothing but what is listed below means anything.
Imports ``model`` and the standard library.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from goretain.model.errors import UsageError

#: A measured value. Sizes are bytes, and names of sizes end in ``_bytes``.
Value = bool | int | float | str

_GUARD = re.compile(r"(if|unless)\s+([a-z][a-z0-9_]*)\s*:\s*(.*)", re.DOTALL)
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda part, whole: part in whole,
    ast.NotIn: lambda part, whole: part not in whole,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_CONSTANTS = {"true": True, "false": False}


class NotMeasured(UsageError):
    """A condition speaks of a measurement that the run did not give."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was not measured", hint="see what the experiment's programs print")
        self.name = name


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.

    Attributes:
        text: as written.
        feature: of the runtime, that limits it; "" for none.
        wanted: whether the feature must be there or be missing.
        names: measurements that it speaks of, in their order.
    """

    text: str
    feature: str
    wanted: bool
    names: tuple[str, ...]
    _body: ast.expr

    def applies(self, features: Collection[str]) -> bool:
        """Whether it speaks of a runtime with these features."""
        return not self.feature or (self.feature in features) == self.wanted

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Whether the measurements are as it says.

        Raises:
            NotMeasured: one of them is missing.
            UsageError: a number is compared with a text, or divided by 0.
        """
        try:
            return bool(_value(self._body, values))
        except (TypeError, ZeroDivisionError) as error:
            raise UsageError(f"{self.text!r} compares what cannot be compared: {error}") from None


def parse(text: str) -> Condition:
    """Read one condition.

    Raises:
        UsageError: it is none; the message says what is wrong.
    """
    guard = _GUARD.fullmatch(text.strip())
    kind, feature, body = guard.groups() if guard else ("if", "", text.strip())
    try:
        tree = ast.parse(body, mode="eval").body
    except SyntaxError as error:
        raise UsageError(f"{text!r} is not a condition: {error.msg}") from None
    if not isinstance(tree, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Name | ast.Attribute | ast.Call):
        raise UsageError(f"{text!r} is not a condition: it compares nothing")
    names: dict[str, None] = {}
    _names(tree, names, text)
    if not names:
        raise UsageError(f"{text!r} is not a condition: it names no measurement")
    return Condition(text, feature, kind == "if", tuple(names), tree)


def _names(node: ast.expr, found: dict[str, None], text: str) -> None:
    """Collect the measurements that an expression names, in order, and refuse what has no meaning."""
    match node:
        case ast.Name(id=name):
            if name not in _CONSTANTS:
                found[name] = None
        case ast.Attribute():
            found[_dotted(node)] = None
        case ast.Constant(value=bool() | int() | float() | str()):
            pass
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARE for op in ops):
            for part in (left, *others):
                _names(part, found, text)
        case ast.BoolOp(values=parts):
            for part in parts:
                _names(part, found, text)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=part):
            _names(part, found, text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            _names(left, found, text)
            _names(right, found, text)
        case ast.Call(func=ast.Name(id="near"), args=parts, keywords=[]) if len(parts) in (2, 3):
            for part in parts:
                _names(part, found, text)
        case _:
            raise UsageError(f"{text!r} is not a condition: {ast.unparse(node)!r} has no meaning here")


def _dotted(node: ast.expr) -> str:
    """``write.exit``, which Python reads as an attribute of a name."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Name):
        return node.id
    raise UsageError(f"{ast.unparse(node)!r} is not the name of a measurement")


def _value(node: ast.expr, values: Mapping[str, Value]) -> Any:
    """What an expression that ``_names`` has let pass is worth."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name() | ast.Attribute():
            return _measured(_dotted(node), values)
        case ast.Compare(left=left, ops=ops, comparators=others):
            parts = [_value(part, values) for part in (left, *others)]
            pairs = zip(parts, ops, parts[1:], strict=False)
            return all(_COMPARE[type(op)](before, after) for before, op, after in pairs)
        case ast.BoolOp(op=op, values=nodes):
            return (all if isinstance(op, ast.And) else any)(_value(part, values) for part in nodes)
        case ast.UnaryOp(op=op, operand=part):
            return not _value(part, values) if isinstance(op, ast.Not) else -_value(part, values)
        case ast.BinOp(left=left, op=binary, right=right):
            return _ARITHMETIC[type(binary)](_value(left, values), _value(right, values))
        case ast.Call(args=parts):
            return _near(*(_value(part, values) for part in parts))
    raise AssertionError(ast.dump(node))


def _measured(name: str, values: Mapping[str, Value]) -> Value:
    if name in _CONSTANTS:
        return _CONSTANTS[name]
    if name not in values:
        raise NotMeasured(name)
    return values[name]


def _near(measured: float, wanted: float, percent: float = 1.0) -> bool:
    """Whether a number is within so many percent of another."""
    return abs(measured - wanted) <= abs(wanted) * percent / 100
