"""Holds the links in docs/openapi.yaml: each leads from what an answer has to what an operation takes."""

from __future__ import annotations

import re
from typing import Final

from tests.support.openapi import Json, load_document, operations, resolve

EXPRESSION: Final = re.compile(
    r"\$(?:request\.path\.(?P<path>\w+)|(?P<whole>request|response)\.body#(?P<pointer>/[\w/]+))"
)


def test_every_link_leads_somewhere() -> None:
    """Its operation is there and has these parameters; each expression names a value that there may be."""
    document = load_document()
    described = operations(document)
    by_name = {operation["operationId"]: operation for operation in described.values()}
    seen = 0
    for (method, path), operation in described.items():
        for status, reference in operation["responses"].items():
            answer = resolve(document, reference)
            for name, link in answer.get("links", {}).items():
                where = f"{method} {path} {status} {name}"
                target = by_name[link["operationId"]]
                taken = {resolve(document, entry)["name"] for entry in target["parameters"]}
                assert set(link["parameters"]) <= taken, where
                for expression in link["parameters"].values():
                    assert _is_there(document, operation, answer, expression), (where, expression)
                    seen += 1
    assert seen > 30


def _is_there(document: Json, operation: Json, answer: Json, expression: str) -> bool:
    found = EXPRESSION.fullmatch(expression)
    assert found is not None, expression
    if found["path"]:
        named = [resolve(document, entry) for entry in operation["parameters"]]
        return any(entry["in"] == "path" and entry["name"] == found["path"] for entry in named)
    holder = answer if found["whole"] == "response" else resolve(document, operation["requestBody"])
    return _leads(
        document, holder["content"]["application/json"]["schema"], found["pointer"].split("/")[1:]
    )


def _leads(document: Json, schema: Json, steps: list[str]) -> bool:
    """Whether a value at the end of the steps may be there, in one of the forms that the schema allows."""
    found = resolve(document, schema)
    if not steps:
        return True
    if "anyOf" in found:
        return any(_leads(document, part, steps) for part in found["anyOf"])
    step, *rest = steps
    if step.isdigit():
        return "items" in found and _leads(document, found["items"], rest)
    inside = found.get("properties", {})
    return step in inside and _leads(document, inside[step], rest)
