"""Builds the answer of ``schema`` from what was generated. Imports the generator and this package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import goretain
from goretain.reports.results import SchemaField, SchemaFile, SchemaReport, SchemaType
from goretain.schema import Generated, single_file
from goretain.schema.emit_types import field_type, variant_type
from goretain.schema.gotext import type_text
from goretain.schema.model import Declaration, Defined, Struct, Union


def schema_report(
    generated: Generated, read_as: Literal["schema", "samples"], package: str, written: Mapping[str, Path]
) -> SchemaReport:
    """The answer; written: file name -> where it is."""
    types = [_type(declared) for declared in generated.package.types.values()]
    if generated.paths is not None:
        paths = [path.text for path in generated.paths.paths]
        fields = zip(generated.paths.struct.fields, paths, strict=True)
        types[0] = SchemaType(
            name=generated.package.root,
            kind="struct",
            fields=tuple(
                SchemaField(name=f.name, type=field_type(f), key=f.key, required=f.required, path=path)
                for f, path in fields
            ),
        )
    return SchemaReport(
        goretain=goretain.__version__,
        source=generated.source,
        read_as=read_as,
        root=generated.package.root,
        package=package,
        types=tuple(types),
        notes=tuple(generated.package.notes),
        files=tuple(
            SchemaFile(name=name, path=str(written[name]) if name in written else None, text=text)
            for name, text in generated.files.items()
        ),
        single=single_file(generated),
    )


def _type(declared: Declaration) -> SchemaType:
    match declared:
        case Defined():
            return SchemaType(name=declared.name, kind="defined", type=type_text(declared.type))
        case Union():
            variants = (SchemaField(name=v.name, type=variant_type(v.type)) for v in declared.variants)
            return SchemaType(name=declared.name, kind="union", fields=tuple(variants))
        case Struct():
            return SchemaType(name=declared.name, kind="struct", fields=_fields(declared))


def _fields(struct: Struct) -> tuple[SchemaField, ...]:
    fields = tuple(
        SchemaField(name=f.name, type=field_type(f), key=f.key, required=f.required, validate=f.rules)
        for f in struct.fields
    )
    if struct.rest is None:
        return fields
    return (*fields, SchemaField(name=struct.rest.name, type=f"map[string]{type_text(struct.rest.element)}"))
