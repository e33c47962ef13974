"""What comes with a request: bodies, queries, headers, places in lists, tokens."""

from __future__ import annotations

import asyncio
import base64
import functools
import importlib
import json
import pkgutil
import random
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from yarl import URL

from relay import handlers
from relay.domain import cases, correspondence, reviews
from relay.domain.actors import Service
from relay.domain.paging import read_place, write_place
from relay.domain.parts import requested_range
from relay.domain.preconditions import NotAsExpected, Preconditions, entity_tag, is_known
from relay.domain.tokens import TokenRefused
from relay.domain.uploads import (
    RangeNotSatisfiable,
    read_checksum,
    read_metadata,
    write_metadata,
)
from relay.errors import InvalidRequest
from relay.handlers.problems import language_of
from relay.handlers.routing import read_body, read_query
from relay.services.addresses import counted_as
from relay.services.pages import Page
from relay.services.tokens import ServiceTokens
from relay.settings import Settings
from relay.tracing.context import given as trace_given
from relay.tracing.context import parse as parse_traceparent
from tests.support.fuzz.mutation import choose, mutate_after_line, mutate_bytes, mutate_json
from tests.support.fuzz.reading import as_header, attempt, listed, passes
from tests.support.fuzz.target import Target

_CALLED: Final = re.compile(r"call\.(body|query)\(([A-Za-z_.]+)\)")


@functools.cache
def structs(how: str) -> Mapping[str, type[msgspec.Struct]]:
    """Every struct that a handler reads a `body` or a `query` as, by its name."""
    found: dict[str, type[msgspec.Struct]] = {}
    for entry in pkgutil.iter_modules(handlers.__path__):
        module = importlib.import_module(f"{handlers.__name__}.{entry.name}")
        for said, name in _CALLED.findall(Path(module.__file__ or "").read_text("utf-8")):
            if said == how:
                kind = functools.reduce(getattr, name.split("."), module)
                found[name.rpartition(".")[2]] = kind  # type: ignore[assignment]
    return found


def _bodies(given: bytes) -> str | None:
    """The name of a struct, and below it a body."""
    name, _, content = given.partition(b"\n")
    kind = structs("body").get(name.decode("latin-1"))
    if kind is None:
        return None
    found = attempt(lambda: read_body(content, kind), InvalidRequest)
    if found is None:
        return None
    again = msgspec.json.encode(found)
    assert read_body(again, kind) == found
    return again.decode()


def _queries(given: bytes) -> str | None:
    """The name of a struct, and below it a query string as in an address."""
    name, _, text = given.partition(b"\n")
    kind = structs("query").get(name.decode("latin-1"))
    if kind is None:
        return None
    query = attempt(
        lambda: URL.build(path="/", query_string=text.decode("latin-1"), encoded=True).query,
        ValueError,
    )
    if query is None:
        return None
    found = attempt(lambda: read_query(query, kind), InvalidRequest)
    if found is None:
        return None
    place = attempt(lambda: getattr(found, "place", None), InvalidRequest)
    getattr(found, "begin", None)
    return f"{found!r} {place!r}"


def _ranges(given: bytes) -> str | None:
    """A size in digits, a space, and the value of a `Range` header."""
    digits, _, value = given.partition(b" ")
    if not digits.isdigit() or len(digits) > 15:
        return None
    size, header = int(digits), as_header(value)
    try:
        found = requested_range(header, size)
    except RangeNotSatisfiable:
        return "none of it"
    if found is None:
        return None
    assert 0 <= found.start < found.stop <= size
    return f"{found.start} {found.stop}"


def _metadata(given: bytes) -> str | None:
    text = as_header(given)
    found = attempt(lambda: read_metadata(text), InvalidRequest)
    if found is None:
        return None
    assert read_metadata(write_metadata(*found)) == found
    return listed(str(found[0]), found[1])


def _checksums(given: bytes) -> str | None:
    text = as_header(given)
    digest = attempt(lambda: read_checksum(text), InvalidRequest)
    if digest is None:
        return None
    assert read_checksum(f"sha-256 {base64.b64encode(digest).decode()}") == digest
    return digest.hex()


def _entity_tags(given: bytes) -> str | None:
    """`If-Match` and `If-None-Match` alike, of one value that is there."""
    text, tag = as_header(given), entity_tag("what is there")
    value = "what is there"
    is_there = passes(lambda: Preconditions(match=text).require(value), NotAsExpected)
    is_other = passes(lambda: Preconditions(none_match=text).require(value), NotAsExpected)
    assert is_there != is_other
    assert not passes(lambda: Preconditions(match=text).require(None), NotAsExpected)
    assert passes(lambda: Preconditions(none_match=text).require(None), NotAsExpected)
    assert not is_there or is_known(text, tag)
    assert not is_there or tag in text or text.strip() == "*"
    return "there" if is_there else None


def _languages(given: bytes) -> str | None:
    return language_of(as_header(given))


def _encodings(given: bytes) -> str | None:
    page = Page(encodings={"identity": b"1", "br": b"2", "gzip": b"3"}, etag='""', headers={})
    text = as_header(given)
    coding, content = page.encoded(text)
    assert page.encodings[coding] == content
    assert coding == "identity" or coding in text.lower()
    return coding


def _addresses(given: bytes) -> str | None:
    text = as_header(given)
    found = counted_as(text)
    if found is not None:
        assert counted_as(found.partition("/")[0]) == found
    return found


def _traces(given: bytes) -> str | None:
    text = as_header(given)
    found = parse_traceparent(text)
    assert trace_given([text]) == found
    if found is None:
        return None
    assert parse_traceparent(str(found)) == found
    return str(found)


def _place(kind: type[msgspec.Struct]) -> Callable[[bytes], str | None]:
    """`given` is what is inside a place, where it does not begin with `=`; else the text of one."""

    def check(given: bytes) -> str | None:
        inside = base64.urlsafe_b64encode(given).decode().rstrip("=")
        text = given[1:].decode("utf-8", "replace") if given.startswith(b"=") else inside
        place = attempt(lambda: read_place(text, kind), InvalidRequest)
        if place is None:
            return None
        assert write_place(place) == text
        return repr(place)

    return check


_KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_ISSUER: Final = "https://host.example"


@functools.cache
def _tokens() -> tuple[asyncio.Runner, ServiceTokens]:
    """What verifies tokens, with the known key, for as long as this process lasts."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        public = jwt.algorithms.OKPAlgorithm.to_jwk(_KEY.public_key(), as_dict=True)
        json.dump({"keys": [{**public, "kid": "1", "use": "sig", "alg": "EdDSA"}]}, file)
    settings = Settings.from_environment(
        {
            "RELAY_DATABASE_URL": "postgresql://localhost/relay",
            "RELAY_SERVICE_JWKS": file.name,
            "RELAY_SERVICE_ISSUER": _ISSUER,
            "RELAY_SERVICE_AUDIENCE": "https://relay.example",
        },
        database_alone=True,
    )
    return asyncio.Runner(), ServiceTokens(settings)


def _service_tokens(given: bytes) -> str | None:
    """A token as it is, or claims (JSON), which are signed here."""
    runner, tokens = _tokens()
    text = as_header(given)
    token = _signed(given) if given.startswith(b"{") else text
    found: Service | None = None
    try:
        found = runner.run(tokens.verify(token))
    except TokenRefused:
        return None
    return listed(found.subject, sorted(found.scopes))


def _signed(claims: bytes) -> str:
    """A token of these claims, in which "now" and "soon" are times."""
    now = int(time.time())
    claims = claims.replace(b'"now"', str(now).encode()).replace(b'"soon"', str(now + 60).encode())
    header = {"alg": "EdDSA", "typ": "JWT", "kid": "1"}
    parts = [
        base64.urlsafe_b64encode(part).rstrip(b"=")
        for part in (json.dumps(header).encode(), claims)
    ]
    covered = b".".join(parts)
    return (covered + b"." + base64.urlsafe_b64encode(_KEY.sign(covered)).rstrip(b"=")).decode()


def _number(given: bytes, chance: random.Random) -> bytes:
    """Another number in place of one."""
    numbers = (
        b"0",
        b"1",
        b"999999999999999",
        b"9999999999999999",
        b"1" * 19,
        b"9" * 400,
        "٣".encode(),
        b"+1",
        b"1_0",
    )
    found = list(re.finditer(rb"\d+", given))
    if not found:
        return mutate_bytes(given, chance)
    one = chance.choice(found)
    return given[: one.start()] + chance.choice(numbers) + given[one.end() :]


_HEADER: Final = choose([mutate_bytes, _number])
_PLACE: Final = choose([mutate_bytes, mutate_json, _number])
_PLACES: Final[Mapping[str, type[msgspec.Struct]]] = {
    "cases": cases.CasePlace,
    "correspondence": correspondence.Place,
    "queue": reviews.QueuePlace,
}

TARGETS: Final = (
    Target(
        name="bodies",
        reads=("relay.handlers.routing.read_body",),
        check=_bodies,
        mutate=mutate_after_line(mutate_json),
    ),
    Target(
        name="queries",
        reads=("relay.handlers.routing.read_query",),
        check=_queries,
        mutate=mutate_after_line(_HEADER),
    ),
    Target(
        name="ranges",
        reads=("relay.domain.parts.requested_range",),
        check=_ranges,
        mutate=_HEADER,
        in_browser=True,
    ),
    Target(
        name="upload-metadata",
        reads=("relay.domain.uploads.read_metadata",),
        check=_metadata,
        mutate=_HEADER,
    ),
    Target(
        name="upload-checksums", reads=("relay.domain.uploads.read_checksum",), check=_checksums
    ),
    Target(
        name="entity-tags",
        reads=(
            "relay.domain.preconditions.Preconditions.require",
            "relay.domain.preconditions.is_known",
        ),
        check=_entity_tags,
    ),
    Target(
        name="accept-language",
        reads=("relay.handlers.problems.language_of",),
        check=_languages,
        mutate=_HEADER,
    ),
    Target(
        name="accept-encoding",
        reads=("relay.services.pages.Page.encoded",),
        check=_encodings,
        mutate=_HEADER,
    ),
    Target(
        name="addresses",
        reads=("relay.services.addresses.counted_as",),
        check=_addresses,
        mutate=_HEADER,
    ),
    Target(
        name="traceparent",
        reads=("relay.tracing.context.parse", "relay.tracing.context.given"),
        check=_traces,
    ),
    *(
        Target(
            name=f"places-{name}",
            reads=("relay.domain.paging.read_place",),
            check=_place(kind),
            mutate=_PLACE,
        )
        for name, kind in _PLACES.items()
    ),
    Target(
        name="service-tokens",
        reads=("relay.services.tokens.ServiceTokens.verify",),
        check=_service_tokens,
        mutate=mutate_json,
    ),
)
