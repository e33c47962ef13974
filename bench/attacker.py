"""`python -m bench.attacker`: one caller who asks for as much as they can, until the input ends.

It stands for somebody's own computer, so it takes what no other process wants of this one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

import aiohttp
import msgspec
import uvloop

from relay.domain.messages import Kind, Language, NewDraft
from relay.domain.uploads import TUS_VERSION, write_metadata

AT_ONCE: Final = 24
UPLOADS: Final = 60
FEEDS: Final = 500
UPLOAD_BYTES: Final = 64 * 1024 * 1024
PIECE_BYTES: Final = 64 * 1024
OFFSET_STREAM: Final = "application/offset+octet-stream"
VIDEOS: Final = 3
LEAST_WANTED: Final = 19


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the attacker is, and what they attack."""

    kind: str
    url: str
    bearer: str
    recipient: str
    draft: str
    """A message of theirs that they have begun, to be a video."""


async def ask(
    http: aiohttp.ClientSession, method: str, path: str, **given: object
) -> Mapping[str, str]:
    """One request, whatever comes of it; the headers of the answer, none where there is none."""
    with contextlib.suppress(aiohttp.ClientError, OSError):
        async with http.request(method, path, **given) as answer:  # type: ignore[arg-type]
            await answer.read()
            return answer.headers
    return {}


async def lists(http: aiohttp.ClientSession, _target: Target) -> None:
    """A list."""
    await ask(http, "GET", "/v1/messages")


async def drafts(http: aiohttp.ClientSession, target: Target) -> None:
    """A draft that is never sent."""
    draft = NewDraft(recipient=uuid.UUID(target.recipient), kind=Kind.VIDEO, language=Language.EN)
    path = f"/v1/messages/{uuid.uuid4()}/revisions/1/draft"
    headers = {"Content-Type": "application/json"}
    await ask(http, "PUT", path, data=msgspec.json.encode(draft), headers=headers)


def of_upload(message: uuid.UUID) -> dict[str, str]:
    """The headers with which an upload begins."""
    return {
        "Tus-Resumable": TUS_VERSION,
        "Upload-Length": str(UPLOAD_BYTES),
        "Upload-Metadata": write_metadata(message, 1),
    }


async def some(size: int) -> AsyncIterator[bytes]:
    """So many bytes of nothing."""
    for _ in range(size // PIECE_BYTES):
        yield bytes(PIECE_BYTES)


async def uploads(http: aiohttp.ClientSession, target: Target) -> None:
    """An upload whose first segments stay half of it for as long as relay waits."""
    draft = NewDraft(recipient=uuid.UUID(target.recipient), kind=Kind.VIDEO, language=Language.EN)
    message = uuid.uuid4()
    path = f"/v1/messages/{message}/revisions/1/draft"
    headers = {"Content-Type": "application/json"}
    await ask(http, "PUT", path, data=msgspec.json.encode(draft), headers=headers)

    async def half() -> AsyncIterator[bytes]:
        async for piece in some(UPLOAD_BYTES // 2):
            yield piece
        await asyncio.sleep(3600)

    headers = {**of_upload(message), "Content-Type": OFFSET_STREAM}
    await ask(http, "POST", "/v1/uploads", data=half(), headers=headers)


async def videos(http: aiohttp.ClientSession, target: Target) -> None:
    """A whole upload as fast as relay takes it, which is then ended and makes room for the next."""
    begun = await ask(http, "POST", "/v1/uploads", headers=of_upload(uuid.UUID(target.draft)))
    if "Location" not in begun:
        return
    path, version = begun["Location"], {"Tus-Resumable": TUS_VERSION}
    headers = {**version, "Content-Type": OFFSET_STREAM, "Upload-Offset": "0"}
    await ask(http, "PATCH", path, data=some(UPLOAD_BYTES), headers=headers)
    await ask(http, "DELETE", path, headers=version)


async def feeds(http: aiohttp.ClientSession, _target: Target) -> None:
    """A live feed that is left open."""
    with contextlib.suppress(aiohttp.ClientError, OSError):
        async with http.get("/v1/messages/events") as stream:
            async for _ in stream.content.iter_any():
                pass


async def challenges(http: aiohttp.ClientSession, _target: Target) -> None:
    """A challenge, by nobody."""
    await ask(http, "POST", "/v1/challenges", headers={"Authorization": ""})


async def tries(http: aiohttp.ClientSession, _target: Target) -> None:
    """A bearer that somebody made up."""
    await ask(http, "GET", "/v1/messages", headers={"Authorization": f"Bearer {uuid.uuid4().hex}"})


Attack = Callable[[aiohttp.ClientSession, Target], Awaitable[None]]

ATTACKS: Final[dict[str, tuple[Attack, int]]] = {
    "lists": (lists, AT_ONCE),
    "drafts": (drafts, AT_ONCE),
    "uploads": (uploads, UPLOADS),
    "videos": (videos, VIDEOS),
    "feeds": (feeds, FEEDS),
    "challenges": (challenges, AT_ONCE),
    "tries": (tries, AT_ONCE),
}
"""What is done over and over, and how often at once."""


async def main() -> None:
    """Attack until the input ends."""
    target = msgspec.json.decode(sys.stdin.buffer.readline(), type=Target)
    attack, at_once = ATTACKS[target.kind]
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        target.url,
        connector=aiohttp.TCPConnector(limit=0),
        timeout=timeout,
        headers={"Authorization": f"Bearer {target.bearer}", "X-Real-IP": "192.0.2.66"},
    ) as http:

        async def go_on() -> None:
            while True:
                await attack(http, target)

        tasks = [asyncio.create_task(go_on()) for _ in range(at_once)]
        await asyncio.to_thread(sys.stdin.buffer.read)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    os.nice(LEAST_WANTED)
    uvloop.run(main())
