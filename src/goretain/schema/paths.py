"""Paths such as ``orders[*].price``: what of a document is decoded, when the rest is not wanted.

The types of the whole document say what stands at a path and whether it must be there. Imports this package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from goretain.model.errors import UsageError
from goretain.schema.model import (
    ANY,
    Boxed,
    Defined,
    Field,
    Map,
    Nullable,
    Package,
    Ref,
    Slice,
    Struct,
    Type,
    Union,
    kinds,
)
from goretain.schema.naming import METHODS, Names, exported

_STEP = re.compile(r'\.?(?P<key>[^.\[\]"=]+)|\[(?P<index>\d{1,9}|\*)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')
_NAMED = re.compile(r"(?P<name>\w+)=(?P<path>.*)", re.DOTALL)

#: A key, an index, or None for every element.
Step = str | int | None


@dataclass(frozen=True, slots=True)
class Path:
    """One path.

    Attributes:
        text: as it was written.
        name: for the json tag.
        steps: keys, indexes, None for ``[*]``.
    """

    text: str
    name: str
    steps: tuple[Step, ...]

    @property
    def many(self) -> bool:
        """Whether it leads to several values."""
        return None in self.steps


@dataclass(slots=True)
class Branch:
    """Where paths part: what is read at a place of the document.

    Attributes:
        keys, indexes, each: where to go on.
        leaf: number of the path that ends here.
        lenient: a value of another kind is passed over, as the types allow it.
    """

    keys: dict[str, Branch] = field(default_factory=dict)
    indexes: dict[int, Branch] = field(default_factory=dict)
    each: Branch | None = None
    leaf: int | None = None
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Extract:
    """A struct of what some paths lead to.

    Attributes:
        package: the struct is its root; the types of the values are in it too.
        whole: name of the type of the whole document.
        paths: with the field for each, in ``struct``.
        tree: of the paths.
    """

    package: Package
    struct: Struct
    paths: tuple[Path, ...]
    tree: Branch
    examples: tuple[str, ...]


def parse(text: str) -> Path:
    """A path: ``a.b[*].c``, ``a[0]``, ``["a.b"]``, each with or without ``name=`` before it.

    Raises:
        UsageError: it is none.
    """
    named = _NAMED.fullmatch(text)
    path = named["path"] if named else text
    steps: list[Step] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None or (at == 0 and path[0] == ".") or (at > 0 and path[at] not in ".["):
            raise _no_path(text, at)
        try:
            steps.append(_step(found))
        except ValueError:
            raise _no_path(text, at) from None
        at = found.end()
    keys = [step for step in steps if isinstance(step, str)]
    if not steps:
        raise _no_path(text, 0)
    return Path(path, named["name"] if named else "_".join(keys) or "items", tuple(steps))


def extract(package: Package, root: str, texts: Sequence[str]) -> Extract:
    """Make the root of a package the struct that paths fill.

    Raises:
        UsageError: a path leads nowhere, or two are in each other's way.
    """
    from goretain.schema.examples import accepted

    examples = tuple(accepted(package))
    tree = Branch()
    names, tags = Names(METHODS), Names()
    fields, paths = [], []
    for number, text in enumerate(texts):
        path = parse(text)
        type, certain = _plant(package, tree, path, number)
        path = Path(path.text, tags.take(path.name), path.steps)
        fields.append(
            Field(
                path.name,
                names.take(exported(path.name)),
                Slice(type) if path.many else type,
                certain and not path.many,
            )
        )
        paths.append(path)
    _check(tree, "the document")
    struct = Struct(root, tuple(fields), doc=f"{root} is what some paths of a document lead to.")
    package.root = root
    package.types = {root: struct, **package.types}
    return Extract(package, struct, tuple(paths), tree, examples)


def _no_path(text: str, at: int) -> UsageError:
    return UsageError(
        f"{text!r} is no path: character {at + 1}",
        hint='write a.b[*].c, a[0].b or ["odd key"].c; name=a.b names it',
    )


def _step(found: re.Match[str]) -> Step:
    if found["quoted"]:
        key: str = json.loads(found["quoted"])
        return key
    if found["index"]:
        return None if found["index"] == "*" else int(found["index"])
    return found["key"]


def _plant(package: Package, tree: Branch, path: Path, number: int) -> tuple[Type, bool]:
    """Add a path to the tree; the type of what it leads to, and whether that is always there."""
    type: Type = Ref(package.root)
    certain, here = True, tree
    for at, step in enumerate(path.steps):
        alternatives = _behind(package, type)
        if kinds(type, package) != ("object" if isinstance(step, str) else "array",):
            here.lenient, certain = True, False
        found = [one for t in alternatives if (one := _next(package, t, step)) is not None]
        if not found:
            raise _leads_nowhere(package, path, at, alternatives)
        type = found[0][0] if len({t for t, _ in found}) == 1 else ANY
        certain = certain and found[0][1] and len(found) == 1
        here = _grow(here, step)
    if here.leaf is not None:
        raise UsageError(f"the path {path.text!r} is there twice")
    here.leaf = number
    return type, certain


def _grow(here: Branch, step: Step) -> Branch:
    if isinstance(step, str):
        return here.keys.setdefault(step, Branch())
    if step is None:
        here.each = here.each or Branch()
        return here.each
    return here.indexes.setdefault(step, Branch())


def _behind(package: Package, type: Type) -> list[Type]:
    """The types that a value may have, without names and null around them."""
    match type:
        case Nullable(of) | Boxed(of):
            return _behind(package, of)
        case Ref(name):
            match package.types[name]:
                case Defined() as defined:
                    return _behind(package, defined.type)
                case Union() as union:
                    return [inner for v in union.variants for inner in _behind(package, v.type)]
    return [type]


def _next(package: Package, type: Type, step: Step) -> tuple[Type, bool] | None:
    """What a step leads to from a type, and whether it is always there; None: nothing."""
    if type == ANY:
        return ANY, False
    if not isinstance(step, str):
        return (type.element, step is None) if isinstance(type, Slice) else None
    if isinstance(type, Map):
        return type.element, False
    struct = package.types[type.name] if isinstance(type, Ref) else None
    if not isinstance(struct, Struct):
        return None
    known = next((f for f in struct.fields if f.key == step), None)
    if known is not None:
        return known.type, known.required
    return (struct.rest.element, False) if struct.rest is not None else None


def _leads_nowhere(package: Package, path: Path, at: int, types: list[Type]) -> UsageError:
    """The error of a path that the types do not know."""
    keys = [
        field.key
        for type in types
        if isinstance(type, Ref) and isinstance(struct := package.types[type.name], Struct)
        for field in struct.fields
    ]
    there = f"there is {', '.join(keys[:12])}{' ...' if len(keys) > 12 else ''}" if keys else ""
    if any(isinstance(type, Slice) for type in types):
        there = "it is an array: [*] or [0]"
    where = "".join(
        f".{s}" if isinstance(s, str) else "[*]" if s is None else f"[{s}]" for s in path.steps[:at]
    )
    step = path.steps[at]
    shown = repr(step) if isinstance(step, str) else "[*]" if step is None else f"[{step}]"
    return UsageError(
        f"the path {path.text!r} leads nowhere: {where.removeprefix('.') or 'the document'} has no {shown}",
        hint=there,
    )


def _check(branch: Branch, where: str) -> None:
    """Refuse paths of which one is inside what another one takes whole, or that name elements in two ways."""
    inner = [*branch.keys.items(), *((f"[{n}]", b) for n, b in branch.indexes.items())]
    if branch.each is not None:
        inner.append(("[*]", branch.each))
    if branch.leaf is not None and inner:
        raise UsageError(f"one path takes all of {where}, another a part of it", hint="leave out one of them")
    if branch.each is not None and branch.indexes:
        raise UsageError(f"paths take every element of {where} and single ones", hint="leave out one of them")
    for name, one in inner:
        _check(one, name)
