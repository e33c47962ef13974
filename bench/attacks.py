"""What one caller does who asks for as much as they can, each over and over and many times at once."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

from relay.domain.messages import Kind, Language, NewDraft
from relay.domain.uploads import TUS_VERSION, write_metadata

ADDRESS: Final = "192.0.2.66"
AT_ONCE: Final = 24
BURST: Final = 100
BURST_SECONDS: Final = 6
UPLOADS: Final = 60
VIDEOS: Final = 3
FEEDS: Final = 500
CONNECTIONS: Final = 500
UPLOAD_BYTES: Final = 64 * 1024 * 1024
PIECE_BYTES: Final = 64 * 1024
OFFSET_STREAM: Final = "application/offset+octet-stream"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the attacker is, and what they attack."""

    kind: str
    url: str
    bearer: str
    recipient: str
    draft: str
    """A message of theirs that they have begun, to be a video."""
    commitment: str
    """Of a video that they sent."""


@dataclasses.dataclass(slots=True)
class Attacker:
    """One caller, and how often they asked for something."""

    target: Target
    http: aiohttp.ClientSession
    asked: int = 0

    async def ask(self, method: str, path: str, **given: object) -> Mapping[str, str]:
        """One request, whatever comes of it; the headers of the answer, none where there is none."""
        self.asked += 1
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with self.http.request(method, path, **given) as answer:  # type: ignore[arg-type]
                async for _ in answer.content.iter_any():
                    pass
                return answer.headers
        return {}


async def lists(attacker: Attacker) -> None:
    """A list."""
    await attacker.ask("GET", "/v1/messages")


async def bursts(attacker: Attacker) -> None:
    """As many lists as are let through at once, and silence until they would be again."""
    await asyncio.gather(*(lists(attacker) for _ in range(BURST)))
    await asyncio.sleep(BURST_SECONDS)


async def drafts(attacker: Attacker) -> uuid.UUID:
    """A draft that is never sent."""
    message = uuid.uuid4()
    to = uuid.UUID(attacker.target.recipient)
    draft = NewDraft(recipient=to, kind=Kind.VIDEO, language=Language.EN)
    path = f"/v1/messages/{message}/revisions/1/draft"
    headers = {"Content-Type": "application/json"}
    await attacker.ask("PUT", path, data=msgspec.json.encode(draft), headers=headers)
    return message


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


async def uploads(attacker: Attacker) -> None:
    """An upload whose first segments stay half of it for as long as relay waits."""

    async def half() -> AsyncIterator[bytes]:
        async for piece in some(UPLOAD_BYTES // 2):
            yield piece
        await asyncio.sleep(3600)

    headers = {**of_upload(await drafts(attacker)), "Content-Type": OFFSET_STREAM}
    await attacker.ask("POST", "/v1/uploads", data=half(), headers=headers)


async def videos(attacker: Attacker) -> None:
    """A whole upload as fast as relay takes it, which is then ended and makes room for the next."""
    headers = of_upload(uuid.UUID(attacker.target.draft))
    begun = await attacker.ask("POST", "/v1/uploads", headers=headers)
    if "Location" not in begun:
        return
    path, version = begun["Location"], {"Tus-Resumable": TUS_VERSION}
    headers = {**version, "Content-Type": OFFSET_STREAM, "Upload-Offset": "0"}
    await attacker.ask("PATCH", path, data=some(UPLOAD_BYTES), headers=headers)
    await attacker.ask("DELETE", path, headers=version)


async def bodies(attacker: Attacker) -> None:
    """Bytes for an upload that there is not, sent on whatever relay answers."""
    target = attacker.target
    attacker.asked += 1
    where = urlsplit(target.url)
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection(where.hostname, where.port)
        try:
            writer.write(
                f"PATCH /v1/uploads/{uuid.uuid4()} HTTP/1.1\r\nHost: {where.netloc}\r\n"
                f"Authorization: Bearer {target.bearer}\r\nX-Real-IP: {ADDRESS}\r\n"
                f"Tus-Resumable: {TUS_VERSION}\r\nUpload-Offset: 0\r\nContent-Type: {OFFSET_STREAM}\r\n"
                f"Content-Length: {UPLOAD_BYTES}\r\n\r\n".encode()
            )
            async for piece in some(UPLOAD_BYTES):
                writer.write(piece)
                await writer.drain()
        finally:
            writer.close()


async def downloads(attacker: Attacker) -> None:
    """A video as fast as relay sends it."""
    await attacker.ask("GET", f"/v1/parts/{attacker.target.commitment}")


async def feeds(attacker: Attacker) -> None:
    """A live feed that is left open."""
    await attacker.ask("GET", "/v1/messages/events")


async def openings(attacker: Attacker) -> None:
    """A live feed that is closed as soon as it begins."""
    attacker.asked += 1
    with contextlib.suppress(aiohttp.ClientError, OSError):
        async with attacker.http.get("/v1/messages/events") as stream:
            await stream.content.readany()
            stream.close()


async def connections(attacker: Attacker) -> None:
    """A connection on which nothing is asked, for a second or two."""
    attacker.asked += 1
    where = urlsplit(attacker.target.url)
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection(where.hostname, where.port)
        try:
            writer.write(b"GET /v1/messages HTTP/1.1\r\nHost: relay\r\n")
            await asyncio.sleep(1 + attacker.asked % 100 / 100)
        finally:
            writer.close()


async def challenges(attacker: Attacker) -> None:
    """A challenge, by nobody."""
    await attacker.ask("POST", "/v1/challenges", headers={"Authorization": ""})


async def tries(attacker: Attacker) -> None:
    """A bearer that somebody made up."""
    made_up = {"Authorization": f"Bearer {uuid.uuid4().hex}"}
    await attacker.ask("GET", "/v1/messages", headers=made_up)


async def links(attacker: Attacker) -> None:
    """A link that somebody made up."""
    made_up = {"Authorization": f"Bearer {'A' * 43}"}
    await attacker.ask("GET", f"/v1/links/{uuid.uuid4()}", headers=made_up)


Attack = Callable[[Attacker], Awaitable[object]]

ATTACKS: Final[dict[str, tuple[Attack, int]]] = {
    "lists": (lists, AT_ONCE),
    "bursts": (bursts, 1),
    "drafts": (drafts, AT_ONCE),
    "uploads": (uploads, UPLOADS),
    "videos": (videos, VIDEOS),
    "bodies": (bodies, AT_ONCE),
    "downloads": (downloads, AT_ONCE),
    "feeds": (feeds, FEEDS),
    "openings": (openings, AT_ONCE),
    "connections": (connections, CONNECTIONS),
    "challenges": (challenges, AT_ONCE),
    "tries": (tries, AT_ONCE),
    "links": (links, AT_ONCE),
}
"""What is done over and over, and how often at once."""
