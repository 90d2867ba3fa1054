"""Writes a struct with path tags and the functions that fill it without keeping the document.

Imports this package.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from goretain.schema.emit_decode import function
from goretain.schema.emit_types import field_type, in_tag
from goretain.schema.gotext import comment, quoted, tag
from goretain.schema.model import ANY, NULL, Boxed, Field, Slice, has_nil
from goretain.schema.paths import Branch, Extract, Path, Step


def names(root: str) -> frozenset[str]:
    """Names that the root's functions take in the package."""
    return frozenset({f"Test{root}Extract", f"Extract{root}", f"Extract{root}From"})


def source(extracted: Extract) -> str:
    """The struct and its functions."""
    struct = extracted.struct
    root = struct.name
    lines = [comment(struct.doc), f"type {root} struct {{\n"]
    for field, path in zip(struct.fields, extracted.paths, strict=True):
        key = field.key if field.required else f"{field.key},omitempty"
        json_tag = key if in_tag(field.key) else "-"
        lines.append(f"{field.name} {field_type(field)} {tag([('json', json_tag), ('path', path.text)])}\n")
    lines.append("}\n\n")
    lines.append(
        comment(f"Extract{root} takes its paths out of a document, to which the result does not refer.")
        + f"func Extract{root}(document []byte) ({root}, error) {{\n"
        + f"return decodeBytes(document, extract{root})\n}}\n\n"
        + comment(f"Extract{root}From does so as the document arrives; it is never in memory as a whole.")
        + f"func Extract{root}From(src io.Reader) ({root}, error) {{\n"
        + f"return decodeStream(src, extract{root})\n}}\n\n"
    )
    lines.append(_entry(extracted))
    for number, branch in enumerate(_branches(extracted.tree)):
        branch_text = _branch(branch, extracted, list(_branches(extracted.tree)))
        lines.append(
            f"func extract{root}_{number}(r *docReader, v *{root}, seen []bool) error {{\n{branch_text}}}\n\n"
        )
    return "".join(lines)


def tests(extracted: Extract) -> str:
    """The test of the functions, with documents that the types take."""
    root = extracted.struct.name
    rows = []
    for document in extracted.examples:
        value = json.loads(document)
        want = {}
        for field, path in zip(extracted.struct.fields, extracted.paths, strict=True):
            found = list(_values(value, path.steps))
            if in_tag(field.key) and _is_written(field, path, found):
                want[field.key] = found if path.many else found[-1]
        rows.append(f"{{{quoted(document)}, {quoted(json.dumps(want, ensure_ascii=False))}}},\n")
    return (
        f"func Test{root}Extract(t *testing.T) {{\n"
        f"checkExtract(t, Extract{root}, Extract{root}From, [][2]string{{\n{''.join(rows)}}})\n}}\n"
    )


def _is_written(field: Field, path: Path, found: list[Any]) -> bool:
    """Whether encoding/json writes a field: not an empty one that need not be there."""
    if field.required:
        return True
    if path.many:
        return bool(found)
    as_it_comes = field.type in (ANY, NULL)
    if not found or (found[-1] is None and not as_it_comes):
        return False
    return not has_nil(field.type) or as_it_comes or found[-1] not in ([], {})


def _values(value: Any, steps: tuple[Step, ...]) -> Iterator[Any]:
    if not steps:
        yield value
    elif steps[0] is None:
        for one in value if isinstance(value, list) else ():
            yield from _values(one, steps[1:])
    elif isinstance(steps[0], int):
        if isinstance(value, list) and steps[0] < len(value):
            yield from _values(value[steps[0]], steps[1:])
    elif isinstance(value, dict) and steps[0] in value:
        yield from _values(value[steps[0]], steps[1:])


def _entry(extracted: Extract) -> str:
    root, fields = extracted.struct.name, extracted.struct.fields
    paths = zip(fields, extracted.paths, strict=True)
    required = [(n, path.text) for n, (field, path) in enumerate(paths) if field.required]
    lines = [
        f"func extract{root}(r *docReader) ({root}, error) {{\nvar v {root}\nvar seen [{len(fields)}]bool\n"
    ]
    lines.append(f"err := extract{root}_0(r, &v, seen[:])\n")
    for number, path in required:
        lines.append(f"if err == nil && !seen[{number}] {{\nerr = r.absent({quoted(path)})\n}}\n")
    return "".join([*lines, "return v, err\n}\n\n"])


def _branches(tree: Branch) -> Iterator[Branch]:
    """The branches that are no leaves, the tree itself first."""
    if tree.leaf is None:
        yield tree
        for inner in (*tree.keys.values(), *tree.indexes.values(), *([tree.each] if tree.each else [])):
            yield from _branches(inner)


def _branch(branch: Branch, extracted: Extract, order: list[Branch]) -> str:
    """Reads one place: goes on where a path does, and passes over the rest."""
    lines, want = [], []
    if branch.keys:
        want.append("object")
        cases = "".join(
            f"case {quoted(key)}:\nr.enter({quoted(key)})\nerr = {_read(inner, extracted, order)}\n"
            for key, inner in branch.keys.items()
        )
        lines.append(
            "if r.peek() == '{' {\nif err := r.object(); err != nil {\nreturn err\n}\n"
            "for first := true; ; first = false {\nkey, goes, err := r.key(first)\n"
            "if err != nil || !goes {\nreturn err\n}\nswitch string(key) {\n"
            f"{cases}default:\nif err := r.skip(); err != nil {{\nreturn err\n}}\ncontinue\n}}\n"
            "if err != nil {\nreturn err\n}\nr.leave()\n}\n}\n"
        )
    if branch.each is not None or branch.indexes:
        want.append("array")
        lines.append(
            "if r.peek() == '[' {\nif err := r.array(); err != nil {\nreturn err\n}\n"
            "for i := 0; ; i++ {\ngoes, err := r.next(i == 0, ']')\nif err != nil || !goes {\nreturn err\n}\n"
            f"r.enterIndex(i)\n{_elements(branch, extracted, order)}"
            "if err != nil {\nreturn err\n}\nr.leave()\n}\n}\n"
        )
    lines.append(
        "return r.skip()\n" if branch.lenient else f"return r.mismatch({quoted(' or '.join(want))})\n"
    )
    return "".join(lines)


def _elements(branch: Branch, extracted: Extract, order: list[Branch]) -> str:
    if branch.each is not None:
        return f"err = {_read(branch.each, extracted, order)}\n"
    cases = "".join(
        f"case {index}:\nerr = {_read(inner, extracted, order)}\n" for index, inner in branch.indexes.items()
    )
    return f"switch i {{\n{cases}default:\nerr = r.skip()\n}}\n"


def _read(branch: Branch, extracted: Extract, order: list[Branch]) -> str:
    """The call for what a step leads to."""
    if branch.leaf is None:
        number = next(n for n, one in enumerate(order) if one is branch)
        return f"extract{extracted.struct.name}_{number}(r, v, seen)"
    field, path = extracted.struct.fields[branch.leaf], extracted.paths[branch.leaf]
    if path.many:
        assert isinstance(field.type, Slice)
        return f"readOnto(r, &v.{field.name}, {function(field.type.element)})"
    type = field.type if field.required or has_nil(field.type) else Boxed(field.type)
    return f"readInto(r, &v.{field.name}, &seen[{branch.leaf}], {function(type)})"
