"""From a JSON Schema or from samples to Go types that decode themselves and name the place of an error.

``jsonschema`` and ``samples`` read the two kinds of input into one model of Go types (``model``); ``emit_*``
write Go source from it. Imports ``model``, ``toolchain`` and, for YAML alone, PyYAML.
"""

from goretain.schema.generate import (
    Generated,
    Options,
    from_samples,
    from_schema,
    is_schema,
    read_schema,
    single_file,
)

__all__ = [
    "Generated",
    "Options",
    "from_samples",
    "from_schema",
    "is_schema",
    "read_schema",
    "single_file",
]
