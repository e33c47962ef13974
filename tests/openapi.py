"""Reads docs/openapi.yaml for the tests that hold relay to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

Json: TypeAlias = dict[str, Any]

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "openapi.yaml"


def load_document() -> Json:
    """The description of the API as it stands."""
    loaded: Json = yaml.safe_load(DOCUMENT.read_text("utf-8"))
    return loaded


def operations(document: Json) -> dict[tuple[str, str], Json]:
    """Every operation by method and path, with the parameters of its path."""
    return {
        (method.upper(), path): {
            **operation,
            "parameters": item.get("parameters", []) + operation.get("parameters", []),
        }
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def resolve(document: Json, entry: Json) -> Json:
    """What a `$ref` refers to, or the entry itself."""
    while "$ref" in entry:
        target: Json = document
        for step in entry["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        entry = target
    return entry


def codes(answer: Json) -> set[str]:
    """The codes of a refusal."""
    problem = answer.get("content", {}).get("application/problem+json")
    return set(problem["schema"]["allOf"][1]["properties"]["code"]["enum"]) if problem else set()


def is_alias(schema: Json) -> bool:
    """Whether a schema only gives a name to a kind of text."""
    return schema["type"] == "string" and "enum" not in schema


def spell_schema(document: Json, schema: Json) -> str:
    """A schema of the description as one line: `[Part] | null`, `string uuid`, `integer 1..100`."""
    kind = schema.get("type")
    if "$ref" in schema:
        target = resolve(document, schema)
        named: str = schema["$ref"].rpartition("/")[2]
        return spell_schema(document, target) if is_alias(target) else named
    if "allOf" in schema or "anyOf" in schema:
        either = schema.get("anyOf") or schema["allOf"]
        return " | ".join(spell_schema(document, part) for part in either)
    if isinstance(kind, list):
        return " | ".join(spell_schema(document, {**schema, "type": part}) for part in kind)
    if kind == "array":
        if "prefixItems" in schema:
            return f"({', '.join(spell_schema(document, part) for part in schema['prefixItems'])})"
        return f"[{spell_schema(document, schema['items'])}]"
    low = schema.get("minLength", schema.get("minimum"))
    high = schema.get("maxLength", schema.get("maximum"))
    form = schema.get("format", schema.get("contentEncoding"))
    return f"string {form}" if kind == "string" and form else bounded(str(kind), low, high)


def bounded(kind: str, low: float | None, high: float | None) -> str:
    """A kind of value with its limits, where it has any."""
    return kind if low is None and high is None else f"{kind} {low}..{high}"


def examples(entry: object, where: str) -> Iterator[tuple[str, Json, object]]:
    """Each example with its place and the schema that it stands beside."""
    if isinstance(entry, dict):
        if "schema" in entry and "example" in entry:
            yield where, entry["schema"], entry["example"]
        if isinstance(entry.get("examples"), list):
            yield from ((where, entry, example) for example in entry["examples"])
        for key, value in entry.items():
            if key not in {"example", "examples"}:
                yield from examples(value, f"{where}/{key}")
