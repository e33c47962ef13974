"""Sends one event to one receiver, and connects to no address that the receiver may not be at."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import aiohttp
import msgspec

from relay.crypto.webhooks import WebhookKey, read_key, signed_headers
from relay.domain.notifications import Notification
from relay.domain.webhooks import Receiver, is_allowed
from relay.tracing import spans
from relay.tracing.spans import Kind, Span

CONNECT_SECONDS: Final = 5

_ENCODER: Final = msgspec.json.Encoder()


class SendingFailed(Exception):
    """The receiver did not take it."""

    def __init__(self, failure: str, asked_for: float | None = None) -> None:
        """`failure` is a code; `asked_for` the seconds after which the receiver wants to be asked again."""
        self.failure = failure
        self.asked_for = asked_for
        super().__init__(failure)


class AddressRefused(OSError):
    """An address that is neither public nor of the receiver's own networks."""

    def __init__(self) -> None:
        super().__init__("address refused")


def webhook_id(event: Notification, body: bytes) -> str:
    """The same for every attempt. It differs where a database that was restored gives a number again."""
    return f"{event.id}-{hashlib.sha256(body).hexdigest()[:8]}"


class WebhookSender:
    """Connections to one receiver. Its name is resolved for a connection, and what was resolved is judged."""

    def __init__(self, receiver: Receiver, *, connections: int) -> None:
        self._receiver = receiver
        self._networks = receiver.allowed
        self._is_secure = urlsplit(receiver.url).scheme == "https"
        self._keys: list[WebhookKey] = [read_key(secret) for secret in receiver.secrets]
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, socket_factory=self._socket),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=receiver.timeout_seconds, sock_connect=CONNECT_SECONDS
            ),
            headers={"User-Agent": "relay", "Content-Type": "application/json"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    async def send(self, event: Notification) -> None:
        """Send an event; SendingFailed unless the receiver answers with 200 to 299 in time.

        Nothing that it answers is read but the status and Retry-After, and no redirect is followed.
        """
        body = _ENCODER.encode(event)
        headers = signed_headers(self._keys, webhook_id(event, body), int(time.time()), body)
        with spans.span("POST", Kind.CLIENT, {"http.request.method": "POST"}) as span:
            try:
                await self._post(body, headers, span)
            except SendingFailed as error:
                span.fail(error.failure)
                raise

    async def _post(self, body: bytes, headers: Mapping[str, str], span: Span) -> None:
        try:
            async with self._http.post(
                self._receiver.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                span.set("http.response.status_code", answer.status)
                if not 200 <= answer.status < 300:  # noqa: PLR2004
                    asked_for = answer.headers.get("Retry-After", "")
                    raise SendingFailed(
                        f"status-{answer.status}",
                        float(asked_for) if asked_for.isdecimal() else None,
                    )
        except TimeoutError:
            raise SendingFailed("timeout") from None
        except (aiohttp.ClientError, OSError) as error:
            raise SendingFailed(_failure_of(error)) from None

    def _socket(self, info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        """A socket for an address that is about to be connected to; AddressRefused."""
        family, kind, protocol, _name, address = info
        if not is_allowed(str(address[0]), self._networks, secure=self._is_secure):
            raise AddressRefused
        return socket.socket(family, kind, protocol)


def _failure_of(error: Exception) -> str:
    reason = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(reason, AddressRefused):
        return "address-refused"
    if isinstance(error, aiohttp.InvalidURL):
        return "url-refused"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "unresolved"
    if isinstance(error, aiohttp.ClientSSLError):
        return "certificate"
    return "connection"
