"""Holds docs/openapi.yaml against the router, the handlers, the structs and the error tree."""

from __future__ import annotations

import ast
import copy
import inspect
import re
import textwrap
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import inspect as kinds

from relay.app import ROUTES
from relay.domain.actors import Role
from relay.errors import RelayError
from relay.handlers.problems import status_of
from relay.handlers.routing import Route
from tests.support.openapi import (
    Json,
    bounded,
    codes,
    examples,
    is_alias,
    load_document,
    operations,
    resolve,
    spell_schema,
)

Structs: TypeAlias = set[type[msgspec.Struct]]

SECURITY: Final = {
    Role.LINK: {"link": []},
    **{
        role: {"session": [role.value]} for role in (Role.PARTICIPANT, Role.UPLOADER, Role.MEDIATOR)
    },
}
HTTP_ROOMS: Final = {"errors", "crypto", "domain", "storage", "services", "handlers"}
"""Where errors are defined that may reach a caller; what media and the commands raise does not."""
ANYWHERE: Final = {"no-such-route", "wrong-method", "error", "pages-not-built", "service-stopping"}
"""What any address may answer; said once, at the beginning of the document."""
SIMPLE: Final[Mapping[type[kinds.Type], str]] = {
    kinds.UUIDType: "string uuid",
    kinds.DateTimeType: "string date-time",
    kinds.BytesType: "string base64",
    kinds.FloatType: "number",
    kinds.BoolType: "boolean",
    kinds.NoneType: "null",
}
NO_STRUCTS: Final = {"Problem", "ProblemCode"}


@pytest.fixture(scope="module")
def document() -> Json:
    """The description as it is now."""
    return load_document()


def test_the_description_says_what_the_code_does(document: Json) -> None:
    """Routes, roles, parameters, bodies, schemas and codes are those of the code, no more and no fewer."""
    assert list(differences(document)) == []


def _drop_route(document: Json) -> None:
    del document["paths"]["/v1/receipts"]


def _invent_route(document: Json) -> None:
    document["paths"]["/v1/gossip"] = copy.deepcopy(document["paths"]["/v1/roots"])


def _open_route(document: Json) -> None:
    document["paths"]["/v1/queue"]["get"]["security"].append({"session": ["participant"]})


def _close_route(document: Json) -> None:
    document["paths"]["/v1/cases"]["get"]["security"].pop()


def _swap_scope(document: Json) -> None:
    document["paths"]["/v1/cases"]["get"]["security"][1]["service"] = ["cases:write"]


def _drop_parameter(document: Json) -> None:
    document["paths"]["/v1/cases/{case}/log"]["get"]["parameters"].pop()


def _swap_body(document: Json) -> None:
    put = document["paths"]["/v1/keyring"]["put"]["requestBody"]
    put["content"]["application/json"]["schema"]["$ref"] = "#/components/schemas/NewClaim"


def _swap_answer(document: Json) -> None:
    ok = document["paths"]["/v1/trust"]["get"]["responses"]["200"]
    ok["content"]["application/json"]["schema"]["$ref"] = "#/components/schemas/Roots"


def _drop_field(document: Json) -> None:
    del document["components"]["schemas"]["ReviewMessage"]["properties"]["gates"]


def _invent_field(document: Json) -> None:
    document["components"]["schemas"]["CaseView"]["properties"]["name"] = {"type": "string"}


def _let_null(document: Json) -> None:
    schemas = document["components"]["schemas"]
    schemas["Lease"]["properties"]["expires_at"]["type"] = ["string", "null"]


def _drop_format(document: Json) -> None:
    del document["components"]["schemas"]["Lease"]["properties"]["holder"]["format"]


def _drop_enumeration_value(document: Json) -> None:
    document["components"]["schemas"]["State"]["enum"].remove("recalled")


def _make_optional(document: Json) -> None:
    document["components"]["schemas"]["Submission"]["required"].remove("grants")


def _drop_code(document: Json) -> None:
    document["components"]["schemas"]["ProblemCode"]["enum"].remove("gate-closed")


def _misplace_code(document: Json) -> None:
    invalid = document["components"]["responses"]["Invalid"]["content"]
    code = invalid["application/problem+json"]["schema"]["properties"]["code"]
    code["enum"].append("conflict")


@pytest.mark.parametrize(
    "falsify",
    [
        _drop_route,
        _invent_route,
        _open_route,
        _close_route,
        _swap_scope,
        _drop_parameter,
        _swap_body,
        _swap_answer,
        _drop_field,
        _invent_field,
        _let_null,
        _drop_format,
        _drop_enumeration_value,
        _make_optional,
        _drop_code,
        _misplace_code,
    ],
)
def test_a_description_that_is_not_true_is_found_out(
    document: Json, falsify: Callable[[Json], None]
) -> None:
    """Whatever is added to the description, or taken out of it, is told as a difference."""
    false = copy.deepcopy(document)
    falsify(false)
    assert list(differences(false)) != []


def test_every_example_is_one(document: Json) -> None:
    """Each example in the description conforms to the schema that it is beside."""
    shown = 0
    for where, schema, example in examples(document, ""):
        validator = Draft202012Validator({**schema, "components": document["components"]})
        assert [f"{where}: {error.message}" for error in validator.iter_errors(example)] == []
        shown += 1
    assert shown > 15


def test_operations_have_names_of_their_own(document: Json) -> None:
    """No two operations share an identifier, and each has a summary without a full stop."""
    found = list(operations(document).values())
    assert len({operation["operationId"] for operation in found}) == len(found)
    assert [o["operationId"] for o in found if not o["summary"] or "." in o["summary"]] == []


def test_who_is_to_come_back_is_told_when(document: Json) -> None:
    """Each 429 and 503 always says after how many seconds, each 429 of which limit; nothing else says any."""
    of_limits = {"RateLimit", "RateLimit-Policy"}
    needed = {"503": {"Retry-After"}, "429": {"Retry-After", *of_limits}}
    seen = set()
    for (method, path), operation in operations(document).items():
        for status, reference in operation["responses"].items():
            entries = resolve(document, reference).get("headers", {})
            always = {
                name for name, entry in entries.items() if resolve(document, entry).get("required")
            }
            said = {"Retry-After", *of_limits} & set(entries)
            assert said == said & always == needed.get(status, set()), f"{method} {path} {status}"
            seen.add(status)
    assert set(needed) < seen


def differences(document: Json) -> Iterator[str]:
    """Everything in which the description and the code are not of one mind, as sentences."""
    described = operations(document)
    routes = {(route.method, route.path): route for route in ROUTES}
    for method, path in sorted(set(routes) ^ set(described)):
        yield f"{method} {path} is only in one of the two"
    spoken: Structs = set()
    queried: Structs = set()
    for key in sorted(set(routes) & set(described)):
        asked, told, answered = _structs_of(routes[key])
        spoken |= asked | answered
        queried |= told
        for difference in _operation_differences(
            document, routes[key], described[key], (asked, told, answered)
        ):
            yield f"{' '.join(key)}: {difference}"
    yield from _schema_differences(document, spoken, queried)
    yield from _code_differences(document, described)


def _operation_differences(
    document: Json, route: Route, operation: Json, structs: tuple[Structs, Structs, Structs]
) -> Iterator[str]:
    expected = [SECURITY[role] for role in Role if role in route.roles and role in SECURITY]
    if route.scope is not None:
        expected.append({"service": [route.scope.value]})
    if _sorted(operation["security"]) != _sorted(expected):
        yield f"security is {operation['security']}, not {expected}"
    parameters = [resolve(document, entry) for entry in operation["parameters"]]
    in_path = {entry["name"] for entry in parameters if entry["in"] == "path"}
    if in_path != set(re.findall(r"{(\w+)}", route.path)):
        yield f"path parameters are {in_path}"
    asked, told, answered = structs
    for query in told:
        fields = {field.encode_name: _spell(field.type) for field in _fields(query)}
        given = {
            entry["name"]: spell_schema(document, entry["schema"])
            for entry in parameters
            if entry["in"] == "query"
        }
        if {name: kind.removesuffix(" | null") for name, kind in fields.items()} != given:
            yield f"query parameters are {given}, not {fields}"
    body = resolve(document, operation.get("requestBody", {}))
    if _names(body) != {struct.__name__ for struct in asked}:
        yield f"the body is {_names(body)}, not {asked}"
    answers = [resolve(document, answer) for answer in operation["responses"].values()]
    if set().union(*map(_names, answers)) - NO_STRUCTS != {struct.__name__ for struct in answered}:
        yield f"the answers are not {answered}"


def _structs_of(route: Route) -> tuple[Structs, Structs, Structs]:
    """What a handler decodes from the body and the query, and what it may answer with."""
    bodies: Structs = set()
    queries: Structs = set()
    answers: Structs = set()
    names = inspect.unwrap(route.handler).__globals__
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(route.handler)))):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(value=ast.Name(id="call"), attr="body" | "query" as source):
                [argument] = node.args
                assert isinstance(argument, ast.Name)
                (bodies if source == "body" else queries).add(names[argument.id])
            case ast.Attribute(value=ast.Name(id=module), attr=function):
                if getattr(names.get(module), "__name__", "").startswith("relay."):
                    called = getattr(names[module], function)
                    answers |= _structs_in(typing.get_type_hints(called).get("return"))
            case ast.Name(id=name):
                answers |= _structs_in(names.get(name))
            case _:
                pass
    return bodies, queries, answers


def _structs_in(hint: object) -> Structs:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return {hint}
    return {struct for part in typing.get_args(hint) for struct in _structs_in(part)}


def _schema_differences(document: Json, spoken: Structs, queried: Structs) -> Iterator[str]:
    schemas: Json = document["components"]["schemas"]
    inside = [kind for struct in spoken for kind in _inside(kinds.type_info(struct))]
    inside += [
        kind for query in queried for field in _fields(query) for kind in _inside(field.type)
    ]
    structs = {kind.cls for kind in inside if isinstance(kind, kinds.StructType)}
    enumerations = {kind.cls for kind in inside if isinstance(kind, kinds.EnumType)}
    aliases = {name for name, schema in schemas.items() if is_alias(schema)}
    known = {kind.__name__ for kind in (*structs, *enumerations)} | NO_STRUCTS
    for name in sorted(known ^ (set(schemas) - aliases)):
        yield f"schema {name} is only in one of the two"
    for enumeration in enumerations:
        given = schemas.get(enumeration.__name__, {}).get("enum")
        if given != [member.value for member in enumeration]:
            yield f"{enumeration.__name__}: {given}"
    for struct in structs & {s for s in structs if s.__name__ in schemas}:
        schema = schemas[struct.__name__]
        kind = kinds.type_info(struct)
        assert isinstance(kind, kinds.StructType)
        expected = {field.encode_name: _spell(field.type) for field in kind.fields}
        given = {
            name: spell_schema(document, entry) for name, entry in schema["properties"].items()
        }
        if given != expected:
            yield f"{struct.__name__}: {sorted(set(given.items()) ^ set(expected.items()))}"
        if schema.get("required", []) != [
            field.encode_name for field in kind.fields if field.required
        ]:
            yield f"{struct.__name__}: required {schema.get('required')}"
        if schema.get("additionalProperties", True) is kind.forbid_unknown_fields:
            yield f"{struct.__name__}: additional properties"


def _code_differences(document: Json, described: dict[tuple[str, str], Json]) -> Iterator[str]:
    statuses = {
        error.code: int(status_of(error))
        for error in _tree(RelayError)
        if "code" in vars(error)
        and error.__module__.split(".")[1] in HTTP_ROOMS
        and (error is RelayError or status_of(error) != status_of(RelayError))
    }
    listed = set(document["components"]["schemas"]["ProblemCode"]["enum"])
    if listed != set(statuses):
        yield f"codes: {sorted(listed ^ set(statuses))}"
    told = set(ANYWHERE)
    for (method, path), operation in described.items():
        for status, reference in operation["responses"].items():
            answer = resolve(document, reference)
            refusals = codes(answer)
            told |= refusals
            if any(statuses.get(code) != int(status) for code in refusals):
                yield f"{method} {path} {status}: {refusals}"
            if not refusals <= set(re.findall(r"`([a-z-]+)`", answer["description"])):
                yield f"{method} {path} {status} does not say what its codes mean"
    if told != listed:
        yield f"codes of no operation: {sorted(listed ^ told)}"


def _tree(branch: type[RelayError]) -> Iterator[type[RelayError]]:
    yield branch
    for twig in branch.__subclasses__():
        yield from _tree(twig)


def _names(entry: object) -> set[str]:
    """The schemas that an answer or a body refers to by itself."""
    if isinstance(entry, dict):
        if "$ref" in entry:
            return {entry["$ref"].rpartition("/")[2]} if "/schemas/" in entry["$ref"] else set()
        return set().union(*(_names(value) for key, value in entry.items() if key != "headers"))
    return set().union(*map(_names, entry)) if isinstance(entry, list) else set()


def _fields(struct: type[msgspec.Struct]) -> tuple[kinds.Field, ...]:
    kind = kinds.type_info(struct)
    assert isinstance(kind, kinds.StructType)
    return kind.fields


def _inside(kind: kinds.Type) -> Iterator[kinds.Type]:
    """A type and all types inside it."""
    yield kind
    match kind:
        case kinds.StructType(fields=fields):
            parts = tuple(field.type for field in fields)
        case kinds.ListType(item_type=item) | kinds.VarTupleType(item_type=item):
            parts = (item,)
        case kinds.UnionType(types=types) | kinds.TupleType(item_types=types):
            parts = types
        case _:
            parts = ()
    for part in parts:
        yield from _inside(part)


def _spell(kind: kinds.Type) -> str:
    """A type of the code, in the words of `spell_schema`."""
    spelled = SIMPLE.get(type(kind))
    match kind:
        case kinds.StructType(cls=named) | kinds.EnumType(cls=named):
            spelled = named.__name__
        case kinds.ListType(item_type=item) | kinds.VarTupleType(item_type=item):
            spelled = f"[{_spell(item)}]"
        case kinds.TupleType(item_types=parts):
            spelled = f"({', '.join(map(_spell, parts))})"
        case kinds.UnionType(types=parts):
            spelled = " | ".join(sorted(map(_spell, parts), key="null".__eq__))
        case kinds.StrType(min_length=low, max_length=high):
            spelled = bounded("string", low, high)
        case kinds.IntType(ge=low, le=high):
            spelled = bounded("integer", low, high)
        case _:
            pass
    if spelled is None:
        raise TypeError(kind)
    return spelled


def _sorted(alternatives: Sequence[object]) -> list[str]:
    return sorted(map(str, alternatives))
