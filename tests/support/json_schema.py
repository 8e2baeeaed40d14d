"""A check of JSON against the schemas the product writes: the keywords it uses, and an error for any other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

_TYPES: Mapping[str, Any] = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
_SAID = {"description"}
_KNOWN = {
    *("$ref", "type", "enum", "const", "format", "minimum", "maximum", "minLength", "maxLength"),
    *("properties", "required", "additionalProperties", "items"),
}


def faults(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], where: str = "$") -> Iterator[str]:
    """Yield where a value is not what a schema of the document `root` says."""
    strange = set(schema) - _KNOWN - _SAID
    if strange:
        yield f"{where}: keywords {strange} are not understood"
    if "$ref" in schema:
        found: Any = root
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        yield from faults(value, found, root, where)
        return
    kinds = schema["type"] if isinstance(schema.get("type"), list) else [schema["type"]] if "type" in schema else []
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield f"{where}: {value!r} is no {'/'.join(kinds)}"
        return
    if value is None:
        return
    yield from _plain(value, schema, where)
    if isinstance(value, dict):
        yield from _members(value, schema, root, where)
    if isinstance(value, list) and "items" in schema:
        for number, one in enumerate(value):
            yield from faults(one, schema["items"], root, f"{where}[{number}]")


def _is(value: Any, kind: str) -> bool:
    if kind == "null":
        return value is None
    return isinstance(value, _TYPES[kind]) and not (kind == "integer" and isinstance(value, bool))


def _plain(value: Any, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{where}: {value!r} is not {schema['const']!r}"
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{where}: {value} is out of bounds"
    kind = schema.get("format")
    try:
        if kind == "date":
            date.fromisoformat(value)
        elif kind == "date-time" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00", value):
            yield f"{where}: {value!r} is no Beijing time"
        elif kind == "date-time":
            datetime.fromisoformat(value)
        elif kind == "uri-reference" and not re.fullmatch(r"[!-~]+", value):
            yield f"{where}: {value!r} is no address"
    except ValueError:
        yield f"{where}: {value!r} is no {kind}"


def _members(value: dict[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], where: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    yield from (f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value)
    more = schema.get("additionalProperties", True)
    for name, one in value.items():
        if name in properties:
            yield from faults(one, properties[name], root, f"{where}.{name}")
        elif more is False:
            yield f"{where}: {name} is not described"
        elif isinstance(more, dict):
            yield from faults(one, more, root, f"{where}.{name}")
