"""Reads docs/openapi.yaml for the tests that hold relay to it."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from jsonschema import Draft202012Validator, FormatChecker

Json: TypeAlias = dict[str, Any]

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "openapi.yaml"


@functools.cache
def load_document() -> Json:
    """The description of the API as it is now; nobody changes it."""
    loaded: Json = yaml.load(DOCUMENT.read_text("utf-8"), yaml.CSafeLoader)
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
    return set(problem["schema"]["properties"]["code"]["enum"]) if problem else set()


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
    """Each example with its place and the schema that it is beside."""
    if isinstance(entry, dict):
        if "schema" in entry and "example" in entry:
            yield where, entry["schema"], entry["example"]
        if isinstance(entry.get("examples"), list):
            yield from ((where, entry, example) for example in entry["examples"])
        for key, value in entry.items():
            if key not in {"example", "examples"}:
                yield from examples(value, f"{where}/{key}")


class ApiMonitor:
    """Compares every request to an application, and its answer, with the description of the API."""

    def __init__(self) -> None:
        self._document = load_document()
        self._operations = operations(self._document)
        self.violations: list[str] = []
        self.seen: set[tuple[str, str, int]] = set()
        """Method, path and status of what was answered."""

    def watch(self, application: web.Application) -> None:
        """Watch from outside of every other middleware."""
        application.middlewares.insert(0, self._middleware())

    def _middleware(self) -> Any:
        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            answer = await handler(request)
            resource = request.match_info.route.resource
            operation = self._operations.get((request.method, getattr(resource, "canonical", "")))
            if resource is not None and operation is not None:
                self.seen.add((request.method, resource.canonical, answer.status))
                found = [*self._answer_violations(operation, request.method, answer)]
                if answer.status < 400 and request.content_type == "application/json":
                    found += self._body_violations(operation, await request.read())
                where = f"{request.method} {resource.canonical} {answer.status}"
                self.violations += [f"{where}: {violation}" for violation in found]
            return answer

        return watch

    def _answer_violations(
        self, operation: Json, method: str, answer: web.StreamResponse
    ) -> Iterator[str]:
        if str(answer.status) not in operation["responses"]:
            yield f"a status that is not described {getattr(answer, 'text', '')}"
            return
        described = resolve(self._document, operation["responses"][str(answer.status)])
        for name, entry in described.get("headers", {}).items():
            if resolve(self._document, entry).get("required") and name not in answer.headers:
                yield f"{name} is missing"
        if method == hdrs.METH_HEAD:
            return
        content = described.get("content", {})
        body = answer.body if isinstance(answer, web.Response) else None
        if not content and body:
            yield "a body that is not described"
        elif content and answer.content_type not in content:
            yield f"{answer.content_type} is not described"
        elif content and isinstance(body, bytes) and answer.content_type.endswith("json"):
            yield from self._mismatches(content[answer.content_type], body)

    def _body_violations(self, operation: Json, body: bytes) -> Iterator[str]:
        described = resolve(self._document, operation.get("requestBody", {}))
        if described:
            yield from self._mismatches(described["content"]["application/json"], body)
        elif body:
            yield "a request with a body that is not described"

    def _mismatches(self, media_type: Mapping[str, Any], body: bytes) -> Iterator[str]:
        schema = {**media_type["schema"], "components": self._document["components"]}
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        for error in validator.iter_errors(json.loads(body)):
            yield f"{error.json_path} {error.message}"
