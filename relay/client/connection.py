"""One HTTP connection to a relay: JSON in and out, problems as errors, sessions renewed by themselves."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, NamedTuple, Self, TypeVar, overload

import aiohttp
import msgspec
from aiohttp import hdrs

from relay.crypto import statements
from relay.crypto.signing import Signer
from relay.decoding import NotDecodable, decode_json
from relay.domain.sessions import Challenge, Session, SignedRequest

REQUEST_SECONDS: Final = 60
UNKNOWN: Final = "unknown"
"""The code of a refusal that is not relay's own, such as of a proxy."""

_Value = TypeVar("_Value")


class Problem(Exception):
    """relay refused a request. `code` is stable; `title` is for a person."""

    def __init__(self, status: int, code: str, title: str, members: dict[str, object]) -> None:
        self.status = status
        self.code = code
        self.title = title
        self.members = members
        super().__init__(f"{status} {code}: {title}")


class Answer(NamedTuple):
    """What relay answered to a request that it did not refuse."""

    status: int
    content: bytes
    etag: str
    """Of what is now there; empty where the route gives none."""


class Connection:
    """A connection without an identity; a bearer goes with each request that needs one."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url.rstrip("/")
        self.http = http

    @classmethod
    async def open(cls, url: str, *, language: str = "en") -> Self:
        """A connection to the relay at `url`; close it when done."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=REQUEST_SECONDS)
        return cls(
            url,
            aiohttp.ClientSession(
                timeout=timeout,
                headers={hdrs.ACCEPT_LANGUAGE: language},
                connector=aiohttp.TCPConnector(limit=64),
            ),
        )

    async def close(self) -> None:
        """Close the connection."""
        await self.http.close()

    @overload
    async def call(
        self, method: str, path: str, *, bearer: str = ..., body: object = ..., into: None = ...
    ) -> None: ...

    @overload
    async def call(
        self, method: str, path: str, *, bearer: str = ..., body: object = ..., into: type[_Value]
    ) -> _Value: ...

    async def call(
        self,
        method: str,
        path: str,
        *,
        bearer: str = "",
        body: object = None,
        into: type[_Value] | None = None,
    ) -> _Value | None:
        """Send `body` as JSON and decode the answer into `into`; Problem where relay refuses."""
        answer = await self.exchange(method, path, bearer=bearer, body=body)
        return None if into is None else decode_json(answer.content, into)

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        bearer: str = "",
        body: object = None,
        conditions: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send `body` as JSON; what came back, with its ETag. Problem where relay refuses.

        `conditions` are headers such as If-Match.
        """
        headers = dict(conditions or {})
        if bearer:
            headers[hdrs.AUTHORIZATION] = f"Bearer {bearer}"
        data = None
        if body is not None:
            headers[hdrs.CONTENT_TYPE] = "application/json"
            data = msgspec.json.encode(body)
        async with self.http.request(
            method, f"{self.url}{path}", data=data, headers=headers, allow_redirects=False
        ) as response:
            content = await response.read()
            if response.status >= HTTPStatus.MULTIPLE_CHOICES:  # nothing is sent on to elsewhere
                raise problem(response.status, content)
            return Answer(response.status, content, response.headers.get(hdrs.ETAG, ""))


def problem(status: int, content: bytes) -> Problem:
    """The problem document of a refusal, or the plain status where something else answered."""
    try:
        document = decode_json(content, dict[str, object])
    except NotDecodable:
        document = {}
    code, title = str(document.get("code", UNKNOWN)), str(document.get("title", ""))
    return Problem(status, code, title, document)


class SignedConnection:
    """A connection as somebody: signs in with their key when needed, and again when a session has ended."""

    def __init__(self, connection: Connection, signer: Signer, audience: str) -> None:
        self.connection = connection
        self.signer = signer
        self.audience = audience
        self._session: Session | None = None

    async def bearer(self) -> str:
        """The bearer of an open session."""
        if self._session is None:
            challenge = await self.connection.call("POST", "/v1/challenges", into=Challenge)
            statement = statements.sign(
                self.signer,
                statements.Session(
                    challenge=challenge.challenge, audience=self.audience, at=datetime.now(UTC)
                ),
            )
            self._session = await self.connection.call(
                "POST", "/v1/sessions", body=SignedRequest(statement=statement), into=Session
            )
        return self._session.token

    def forget_session(self) -> None:
        """Have the next request open a session of its own."""
        self._session = None

    @overload
    async def call(
        self, method: str, path: str, *, body: object = ..., into: None = ...
    ) -> None: ...

    @overload
    async def call(
        self, method: str, path: str, *, body: object = ..., into: type[_Value]
    ) -> _Value: ...

    async def call(
        self, method: str, path: str, *, body: object = None, into: type[_Value] | None = None
    ) -> _Value | None:
        """As Connection.call, with a session; one that ended is opened again, once."""
        try:
            return await self._call(method, path, body, into)
        except Problem as refused:
            if refused.status != HTTPStatus.UNAUTHORIZED or self._session is None:
                raise
            self._session = None
        return await self._call(method, path, body, into)

    async def _call(
        self, method: str, path: str, body: object, into: type[_Value] | None
    ) -> _Value | None:
        bearer = await self.bearer()
        if into is None:
            await self.connection.call(method, path, bearer=bearer, body=body)
            return None
        return await self.connection.call(method, path, bearer=bearer, body=body, into=into)


class LinkConnection(SignedConnection):
    """A connection through an upload link, whose bearer opens a session instead of a signature."""

    def __init__(self, connection: Connection, link_id: uuid.UUID, auth: str) -> None:
        super().__init__(connection, Signer.generate(), "")
        self._link_id = link_id
        self._auth = auth

    async def bearer(self) -> str:
        """The bearer of an open session."""
        if self._session is None:
            self._session = await self.connection.call(
                "POST", f"/v1/links/{self._link_id}/sessions", bearer=self._auth, into=Session
            )
        return self._session.token
