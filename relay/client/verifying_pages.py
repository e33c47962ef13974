"""Holds the pages of a running relay to a release: every address in every coding, with all of its headers.

It shows what this caller was served at this moment, and nothing of what somebody else is.
"""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import ssl
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

import aiohttp
import msgspec
from aiohttp import hdrs
from multidict import CIMultiDictProxy

from relay.client.opening_codings import CODINGS, OPENED_MAX_BYTES, CodingBroken, opened
from relay.client.page_releases import Release
from relay.decoding import NotDecodable, decode_json
from relay.domain.page_rules import (
    ADDRESSES,
    ALWAYS,
    LIST,
    STRICT_TRANSPORT,
    file_of,
    headers_of,
    integrity_of,
    is_copy,
)
from relay.errors import Unavailable

TIMEOUT_SECONDS: Final = 30
AT_ONCE: Final = 8
_EMBEDDING: Final = "/v1/embedding"
_NOBODY: Final = "00000000-0000-4000-8000-000000000000"
_BROWSER: Final = "text/html,application/xhtml+xml,*/*;q=0.8"
_OF_THE_WAY: Final = frozenset(
    {
        *("accept-ranges", "age", "alt-svc", "connection", "content-encoding", "content-length"),
        *("date", "etag", "keep-alive", "last-modified", "server", "strict-transport-security"),
        *("traceparent", "transfer-encoding", "via", "x-request-id"),
    }
)
"""What servers and proxies say of a connection or a copy, and what a page cannot be changed with."""


class RelayAway(Unavailable):
    """The relay that is to be checked does not answer."""

    code = "relay-away"


class Finding(NamedTuple):
    """One thing that is not as the release has it."""

    address: str
    coding: str
    said: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was looked at, and what was found."""

    addresses: int
    answers: int
    origins: tuple[str, ...]
    """Which may frame the console, as the relay says."""
    findings: tuple[Finding, ...]


class _Asked(NamedTuple):
    """An address, what is to be there, and the status that it comes with."""

    address: str
    name: str
    status: HTTPStatus = HTTPStatus.OK


class _Answer(NamedTuple):
    status: int
    headers: CIMultiDictProxy[str]
    content: bytes


class _Embedding(msgspec.Struct, frozen=True):
    origins: list[str]


class _Site:
    """One relay, asked as a browser asks it, but for redirects, cookies and opened codings."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url.rstrip("/")
        self._session = session
        self._free = asyncio.Semaphore(AT_ONCE)

    @property
    def secure(self) -> bool:
        return self._url.startswith("https:")

    async def ask(self, address: str, coding: str, accept: str = "*/*") -> _Answer:
        """The answer as it came; CodingBroken for one that is too long, RelayAway for none."""
        headers = {hdrs.ACCEPT: accept, hdrs.ACCEPT_ENCODING: coding, "Cache-Control": "no-cache"}
        try:
            async with (
                self._free,
                self._session.get(
                    self._url + address, headers=headers, allow_redirects=False
                ) as answer,
            ):
                content = bytearray()
                async for piece in answer.content.iter_any():
                    content += piece
                    if len(content) > OPENED_MAX_BYTES:
                        raise CodingBroken("longer than any page")
                return _Answer(answer.status, answer.headers, bytes(content))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            if isinstance(error, CodingBroken):
                raise
            raise RelayAway(f"{address}: {str(error) or type(error).__name__}") from error


async def verify_pages(
    url: str,
    release: Release,
    *,
    origins: Sequence[str] | None = None,
    tls: ssl.SSLContext | bool = True,
) -> Verified:
    """Compare what a relay serves with a release; `origins` that may frame the console, where that is known.

    RelayAway where the relay does not answer at all. `tls`: which certificates are believed.
    """
    async with aiohttp.ClientSession(
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
        connector=aiohttp.TCPConnector(ssl=tls),
    ) as session:
        site = _Site(url, session)
        framing, findings = await _embedding(site, origins)
        asked = [*_asked(release)]
        found = await asyncio.gather(
            *(_compared(site, one, coding, release, framing) for one in asked for coding in CODINGS)
        )
        findings += [finding for several in found for finding in several]
        findings += await _nothing_else(site)
    return Verified(
        addresses=len(asked),
        answers=len(asked) * len(CODINGS),
        origins=framing,
        findings=tuple(findings),
    )


def _asked(release: Release) -> Iterable[_Asked]:
    """Every address of the release, and two where nothing is: a browser that goes there gets a page."""
    for path, name in ADDRESSES:
        if name:
            yield _Asked(path.replace("{link}", _NOBODY), name)
    for file in sorted(release.hashes):
        if file.startswith("assets/"):
            yield _Asked(f"/{file}", file)
    for nowhere in ("/", f"/{secrets.token_hex(8)}"):
        yield _Asked(nowhere, "receipt.html", HTTPStatus.NOT_FOUND)


async def _compared(
    site: _Site, asked: _Asked, coding: str, release: Release, origins: tuple[str, ...]
) -> list[Finding]:
    """What differs at one address in one coding."""
    try:
        answer = await site.ask(asked.address, coding, _BROWSER)
    except (CodingBroken, RelayAway) as error:
        return [Finding(asked.address, coding, f"no answer: {error}")]
    if answer.status != asked.status:
        where = answer.headers.get(hdrs.LOCATION)
        leads = f", leading to {where}" if where is not None else ""
        said = [f"answered {answer.status} and not {asked.status.value}{leads}"]
    else:
        said = [*_differences(answer, asked, coding, release, origins)]
        said += _strict_transport(answer, secure=site.secure)
    return [Finding(asked.address, coding, one) for one in said]


def _differences(
    answer: _Answer, asked: _Asked, coding: str, release: Release, origins: tuple[str, ...]
) -> Iterable[str]:
    coded = answer.headers.get(hdrs.CONTENT_ENCODING, "identity")
    try:
        content = opened(answer.content, coded, coding)
    except CodingBroken as error:
        yield str(error)
        return
    if asked.name == LIST:
        yield from _list_differences(content, release)
    elif integrity_of(content) != release.hashes.get(file_of(asked.name)):
        yield "another content"
    yield from _header_differences(answer.headers, headers_of(asked.name, content, origins))


def _list_differences(content: bytes, release: Release) -> Iterable[str]:
    """Of the list that relay serves; the compressed copies in it are of the tools of one machine."""
    try:
        listed = decode_json(content, dict[str, str])
    except NotDecodable:
        yield "no list of hashes"
        return
    files = {name: integrity for name, integrity in listed.items() if not is_copy(name)}
    for name in sorted(files.keys() ^ release.hashes.keys()):
        yield f"lists {name}, which is not in the release" if name in files else f"lists no {name}"
    for name in sorted(files.keys() & release.hashes.keys()):
        if files[name] != release.hashes[name]:
            yield f"lists another hash of {name}"


def _header_differences(
    headers: CIMultiDictProxy[str], of_page: Mapping[str, str]
) -> Iterable[str]:
    expected = {**of_page, **ALWAYS}
    for name, value in expected.items():
        given = headers.getall(name, [])
        if not given:
            yield f"without {name}"
        elif len(given) > 1:
            yield f"with {name} more than once"
        elif given[0] != value and not _varies_more(name, given[0], value):
            yield f"with {name}: {given[0]}"
    known = {name.lower() for name in expected} | _OF_THE_WAY
    for name in sorted({name.lower() for name in headers} - known):
        yield f"with {name}, which relay does not send: {headers[name]}"


def _varies_more(name: str, given: str, value: str) -> bool:
    """Whether a cache is told to tell more answers apart than relay does."""
    return name == hdrs.VARY and value.lower() in {one.strip().lower() for one in given.split(",")}


def _strict_transport(answer: _Answer, *, secure: bool) -> Iterable[str]:
    given = answer.headers.getall(hdrs.STRICT_TRANSPORT_SECURITY, [])
    if secure and not given:
        yield "without Strict-Transport-Security"
    elif len(given) > 1 or any(
        one not in {STRICT_TRANSPORT, f"{STRICT_TRANSPORT}; preload"} for one in given
    ):
        yield f"with Strict-Transport-Security: {' and '.join(given)}"


async def _embedding(
    site: _Site, expected: Sequence[str] | None
) -> tuple[tuple[str, ...], list[Finding]]:
    """Who may frame the console, by the answer that the console itself asks for."""
    answer = await site.ask(_EMBEDDING, "identity")
    said = []
    origins: tuple[str, ...] = ()
    if answer.status == HTTPStatus.OK:
        try:
            origins = tuple(decode_json(answer.content, _Embedding).origins)
        except NotDecodable:
            said.append("no list of origins")
    else:
        said.append(f"answered {answer.status} and not 200")
    if answer.headers.getall(hdrs.CACHE_CONTROL, []) != ["no-store"]:
        said.append("without Cache-Control: no-store")
    if expected is not None and set(origins) != set(expected):
        said.append(f"the console may be framed by {', '.join(origins) or 'nobody'}")
    return origins, [Finding(_EMBEDDING, "identity", one) for one in said]


async def _nothing_else(site: _Site) -> list[Finding]:
    """Whether there is a script, a worker or a list of an app at an address that no release has."""
    findings = []
    for address in (
        *("/assets/index.js", "/service-worker.js", "/serviceworker.js", "/manifest.json"),
        *("/participant.html", "/console.html", f"/assets/{secrets.token_hex(4)}.js"),
    ):
        try:
            answer = await site.ask(address, "identity")
        except (CodingBroken, RelayAway) as error:
            findings.append(Finding(address, "identity", f"no answer: {error}"))
            continue
        if answer.status != HTTPStatus.NOT_FOUND:
            said = f"answered {answer.status} where nothing is to be"
            findings.append(Finding(address, "identity", said))
    return findings
