"""The Python client through proxies that refuse what relay takes: a body's size, or the method PATCH."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import hdrs, web

from relay.client.connection import Connection, Problem, SignedConnection
from relay.client.uploading import SMALLEST_BYTES, Retry, Upload
from relay.domain.segments import SEGMENT_BYTES
from tests.support.uploads import Sending, body_of, signed

QUICK = Retry(attempts=3, first_pause_seconds=0.01)


@dataclasses.dataclass(slots=True, kw_only=True)
class Proxy:
    """Passes on what it knows, and says so to nobody."""

    target: str
    most_bytes: int = SEGMENT_BYTES
    knows_patch: bool = True
    refusal: int = 405
    seen: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    """The method and size of each body that it passed on."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        size = request.content_length or 0
        if request.method == hdrs.METH_PATCH and not self.knows_patch:
            return web.Response(status=self.refusal, text="<h1>no</h1>")
        if size > self.most_bytes:
            return web.Response(status=413, text="<h1>no</h1>")
        body = await request.read()
        if body and request.path.startswith("/v1/uploads/"):
            self.seen.append((request.method, len(body)))
        headers = {name: value for name, value in request.headers.items() if name != hdrs.HOST}
        async with (
            aiohttp.ClientSession() as http,
            http.request(
                request.method,
                f"{self.target}{request.path_qs}",
                headers=headers,
                data=io.BytesIO(body) if body else None,
            ) as answer,
        ):
            return web.Response(
                status=answer.status, body=await answer.read(), headers=_passed(answer)
            )


def _passed(answer: aiohttp.ClientResponse) -> dict[str, str]:
    names = (hdrs.CONTENT_TYPE, hdrs.LOCATION, "Upload-Offset", "Upload-Length", "Tus-Resumable")
    return {name: answer.headers[name] for name in names if name in answer.headers}


@contextlib.asynccontextmanager
async def through(draft: Sending, proxy: Proxy) -> AsyncIterator[Upload]:
    """An upload of the draft's sender through this proxy."""
    application = web.Application(client_max_size=4 * SEGMENT_BYTES)
    application.router.add_route("*", "/{path:.*}", proxy.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    connection = await Connection.open(f"http://127.0.0.1:{runner.addresses[0][1]}")
    sender = draft.case.harmed
    try:
        yield Upload(
            SignedConnection(connection, signed(sender).signer, draft.settings.public_url), QUICK
        )
    finally:
        await connection.close()
        await runner.cleanup()


async def sent(draft: Sending, proxy: Proxy, body: bytes) -> None:
    """Send it, and see that relay has all of it."""
    async with through(draft, proxy) as upload:
        await upload.create(draft.message_id, 1, len(body))
        await upload.send(io.BytesIO(body), len(body))
        await draft.assert_whole(upload.path, body)


async def test_no_request_is_larger_than_a_segment(draft: Sending) -> None:
    """So that the proxies of deploy/ let it through; each ends where a segment does."""
    proxy = Proxy(target=draft.settings.public_url)
    await sent(draft, proxy, body_of(SEGMENT_BYTES + 70_000))
    assert proxy.seen == [("PATCH", SEGMENT_BYTES), ("PATCH", 70_000)]


async def test_a_size_that_is_refused_is_halved(draft: Sending) -> None:
    """Until it is let through; and the rest is sent in pieces of that size."""
    proxy = Proxy(target=draft.settings.public_url, most_bytes=SEGMENT_BYTES // 4)
    await sent(draft, proxy, body_of(SEGMENT_BYTES // 2 + 5))
    assert [size for _method, size in proxy.seen] == [SEGMENT_BYTES // 4] * 2 + [5]


async def test_a_proxy_that_takes_nothing_is_told_of(draft: Sending) -> None:
    """After the smallest size with the refusal of the proxy."""
    proxy = Proxy(target=draft.settings.public_url, most_bytes=SMALLEST_BYTES - 1)
    async with through(draft, proxy) as upload:
        await upload.create(draft.message_id, 1, 1_000_000)
        with pytest.raises(Problem) as refused:
            await upload.send(io.BytesIO(body_of(1_000_000)), 1_000_000)
    assert refused.value.status == 413


@pytest.mark.parametrize("refusal", [403, 405, 501])
async def test_a_method_that_is_refused_is_sent_as_post(draft: Sending, refusal: int) -> None:
    """With a header that says what it is."""
    proxy = Proxy(target=draft.settings.public_url, knows_patch=False, refusal=refusal)
    await sent(draft, proxy, body_of(70_000))
    assert proxy.seen == [("POST", 70_000)]


async def test_what_relay_refuses_itself_is_not_tried_another_way(draft: Sending) -> None:
    """Its own refusals have a code: more than was announced stays refused."""
    proxy = Proxy(target=draft.settings.public_url)
    async with through(draft, proxy) as upload:
        await upload.create(draft.message_id, 1, 1000)
        with pytest.raises(Problem) as refused:
            await upload.send(io.BytesIO(body_of(2000)), 2000)
    assert refused.value.code == "upload-too-long"
    assert {method for method, _size in proxy.seen} == {"PATCH"}
