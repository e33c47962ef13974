"""A web process that is told to stop: it says so, ends what lasts, begins nothing, and is gone in time."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import time
from pathlib import Path

import aiohttp
import pytest

from relay.settings import Settings
from tests.support.requests import caller_of
from tests.support.uploads import Sending, Wire, body_of
from tests.support.web_process import WebProcess, web_process

GONE_SECONDS = 20
NOTICE_SECONDS = 2


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As ever, with time to look at a process that stops."""
    return dataclasses.replace(settings, stop_notice_seconds=NOTICE_SECONDS)


async def test_a_process_that_is_told_to_stop_says_so_and_ends_what_lasts(
    web: WebProcess, draft: Sending
) -> None:
    """The feed ends, the upload is told to come again and loses nothing, and nothing new is begun."""
    body = body_of(300_000)
    path = await draft.create(len(body))
    upload = await draft.begin_patch(path, 0, len(body), body[:200_000])
    caller = caller_of(draft.case.mediator)
    bearer = {"Authorization": f"Bearer {await caller.signed.bearer()}"}
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{web.url}/v1/queue/events", headers=bearer) as feed,
    ):
        assert await feed.content.readuntil(b"\n\n")
        async with http.get(f"{web.url}/readyz") as ready:
            assert (ready.status, (await ready.json())["status"]) == (200, "ok")

        web.tell_to_stop()
        began = time.monotonic()
        async with asyncio.timeout(NOTICE_SECONDS):
            await feed.content.read()  # to its end
            head, document = await _answer(upload)
        assert " 503 " in head
        assert "\r\nRetry-After: " in head
        assert '"code":"service-stopping"' in document

        async with http.get(f"{web.url}/readyz") as ready:
            assert (ready.status, (await ready.json())["status"]) == (503, "stopping")
            assert ready.headers["Connection"] == "close"
        async with http.get(f"{web.url}/livez") as alive:
            assert alive.status == 200
        async with http.get(f"{web.url}/v1/queue", headers=bearer) as refused:
            assert (refused.status, refused.headers["Connection"]) == (503, "close")
            assert int(refused.headers["Retry-After"]) > 0
            assert (await refused.json(content_type=None))["code"] == "service-stopping"
        assert time.monotonic() - began < NOTICE_SECONDS

    assert await web.ended() == 0
    assert time.monotonic() - began < NOTICE_SECONDS + 10
    await web.start()
    assert (await draft.head(path)).offset == 200_000
    rest = await draft.patch(path, 200_000, body[200_000:])
    assert (rest.status, rest.offset) == (204, len(body))
    await draft.assert_whole(path, body)


async def test_a_checked_upload_is_told_to_come_again(web: WebProcess, draft: Sending) -> None:
    """With a checksum nothing of a half is kept, and the sender is told to send it again all the same."""
    body = body_of(300_000)
    path = await draft.create(len(body))
    checksum = {"Upload-Checksum": "sha-256 " + "A" * 43 + "="}
    upload = await draft.begin_patch(path, 0, len(body), body[:200_000], checksum)

    web.tell_to_stop()
    head, document = await _answer(upload)

    assert " 503 " in head
    assert '"code":"service-stopping"' in document
    assert await web.ended() == 0
    await web.start()
    assert (await draft.head(path)).offset == 0


async def test_callers_who_take_nothing_do_not_hold_a_process_up(
    web: WebProcess, draft: Sending
) -> None:
    """A feed whose caller reads nothing, and requests that never end: gone in time all the same."""
    caller = caller_of(draft.case.mediator)
    bearer = await caller.signed.bearer()
    host, port = web.url.removeprefix("http://").split(":")
    wires = [Wire(*await asyncio.open_connection(host, int(port))) for _ in range(3)]
    await wires[0].write(
        f"GET /v1/queue/events HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer {bearer}\r\n\r\n".encode()
    )
    await wires[1].write(
        b"POST /v1/receipts HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n{"
    )
    await wires[2].write(b"GET /readyz HTTP/1.1\r\nHo")
    await asyncio.sleep(0.5)

    web.tell_to_stop()
    async with asyncio.timeout(GONE_SECONDS):
        await web.ended()

    for wire in wires:
        wire.cut()


async def test_a_process_that_hangs_is_ended(web: WebProcess, draft: Sending) -> None:
    """Where the database takes no more statement to its end, the process is gone in time as well."""
    async with draft.unguarded.transaction() as connection:
        await connection.execute("lock table sessions in access exclusive mode")
        caller = caller_of(draft.case.mediator)
        bearer = {"Authorization": f"Bearer {await caller.signed.bearer()}"}
        async with aiohttp.ClientSession() as http:
            asked = asyncio.create_task(_ask(http, f"{web.url}/v1/queue", bearer))
            await asyncio.sleep(0.5)
            assert not asked.done()

            web.tell_to_stop()
            async with asyncio.timeout(GONE_SECONDS):
                await web.ended()
            await asyncio.wait({asked})


async def test_a_process_that_waits_for_its_services_can_be_stopped(
    settings: Settings, tmp_path: Path, unused_tcp_port: int
) -> None:
    """Told to stop while it starts, it ends without an error."""
    starting = web_process(settings, tmp_path, unused_tcp_port)
    starting.environment["RELAY_S3_ENDPOINT"] = "http://192.0.2.1:9"  # nobody answers there
    started = asyncio.create_task(starting.start())
    async with asyncio.timeout(20):
        while starting.process is None:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.01)
        while not _handles_sigterm(starting.process):  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.05)
    starting.tell_to_stop()
    async with asyncio.timeout(GONE_SECONDS):
        assert await starting.ended() == 0
    started.cancel()
    await asyncio.wait({started})


def _handles_sigterm(process: asyncio.subprocess.Process) -> bool:
    """Whether the process has begun to handle SIGTERM itself."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    [mask] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(mask, 16) >> (signal.SIGTERM - 1) & 1)


async def _answer(wire: Wire) -> tuple[str, str]:
    """Head and body of an answer, before the other side has ended the connection."""
    async with asyncio.timeout(5):
        head = (await wire.reader.readuntil(b"\r\n\r\n")).decode()
        [length] = [line for line in head.splitlines() if line.startswith("Content-Length: ")]
        return head, (await wire.reader.readexactly(int(length.split()[1]))).decode()


async def _ask(http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> int:
    try:
        async with http.get(url, headers=headers) as answer:
            return answer.status
    except aiohttp.ClientError:
        return 0
