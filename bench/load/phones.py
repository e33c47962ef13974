"""Phones that send one video after the other, as fast as their connection is, and lose it now and then."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import random
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import aiohttp

from bench.load.crowd import Crowd, Found
from relay.client.connection import Problem, problem
from relay.client.participant import Participant
from relay.client.sealing import Sealed, seal_file
from relay.client.writing import address
from relay.domain.segments import segment_end
from relay.domain.uploads import TUS_VERSION, OffsetMismatch, TakenOver, write_metadata
from relay.settings import KIB
from relay.testing.people import Case

PIECE_BYTES: Final = 16 * KIB
LOST_ONE_IN: Final = 4
"""Of the requests that bring bytes, so many lose their connection."""
AGAIN_SECONDS: Final = 2.0
"""Until a phone that lost its connection is back."""
BEGIN_SECONDS: Final = 20
"""Until all have begun: to seal a video takes this process long."""
SPREAD: Final = 0.5
"""By how much phones are faster or slower than the crowd's."""
VERIFIED_AT_ONCE: Final = 4
READ_BYTES: Final = 256 * KIB


class _Lost(Exception):
    """The phone lost its connection."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sent:
    """A video that was acknowledged."""

    author: Participant
    commitment: str
    digest: bytes
    """SHA-256 of its sealed body."""


class Phones:
    """Videos under way."""

    def __init__(
        self, http: aiohttp.ClientSession, found: Found, crowd: Crowd, films: Sequence[Path]
    ) -> None:
        self._http = http
        self._found = found
        self._crowd = crowd
        self._films = films
        self._sent: list[Sent] = []
        self._open: dict[str, tuple[Participant, int]] = {}
        """Uploads that did not end: of whom, and how many bytes relay has said that it has."""

    async def record(self, cases: Sequence[Case], until: float) -> None:
        """Have a phone of each of so many cases send until that time; what is under way then is left."""
        async with asyncio.TaskGroup() as sending:
            for number in range(self._crowd.phones):
                case = cases[number % len(cases)]
                author, to = case.harmed, case.responsible
                if number >= len(cases):
                    author, to = to, author
                chance = random.Random(f"phone {number} {self._crowd.seed}")  # noqa: S311 - by the seed  # nosec B311
                sending.create_task(self._send_all(author, to, chance, until))

    async def _send_all(
        self, author: Participant, to: Participant, chance: random.Random, until: float
    ) -> None:
        rate = self._crowd.phone_bytes_per_second * chance.uniform(1 - SPREAD, 1 + SPREAD)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(_at(until)):
                await asyncio.sleep(chance.random() * min(BEGIN_SECONDS, self._crowd.seconds / 4))
                while True:
                    with self._found.noting("a video"):
                        await self._send(author, to, chance, rate)

    async def _send(
        self, author: Participant, to: Participant, chance: random.Random, rate: float
    ) -> None:
        with tempfile.TemporaryFile() as body:
            film = chance.choice(self._films)
            with film.open("rb") as source:
                sealed = await asyncio.to_thread(
                    seal_file, author.case_id, "original", source, "video/mp4", body
                )
            written = address(to.participant_id)
            await author.begin_video(written)
            path = await self._create(author, written.message_id, sealed.part.size)
            self._open[path] = (author, 0)
            offset = 0
            while offset < sealed.part.size:
                stop = segment_end(offset, sealed.part.size)
                lost_at = chance.uniform(offset, stop) if _one_in(LOST_ONE_IN, chance) else None
                with self._asking_again(), contextlib.suppress(_Lost):
                    await self._append(author, path, body, (offset, stop), rate, lost_at)
                if lost_at is not None:
                    self._found.broken_off += 1
                    await asyncio.sleep(AGAIN_SECONDS)
                offset = await self._offset(author, path)
                self._open[path] = (author, offset)
            await author.submit_video(written, sealed)
            del self._open[path]
            self._note_sent(author, sealed, body)

    @contextlib.contextmanager
    def _asking_again(self) -> Iterator[None]:
        """What is left of a connection that was lost may still be stored: then the phone asks how far."""
        try:
            yield
        except Problem as refused:
            if refused.code not in {OffsetMismatch.code, TakenOver.code}:
                raise

    def _note_sent(self, author: Participant, sealed: Sealed, body: BinaryIO) -> None:
        body.seek(0)
        digest = hashlib.sha256(body.read()).digest()
        self._found.uploads += 1
        self._sent.append(Sent(author, sealed.part.commit, digest))

    async def _create(self, author: Participant, message_id: uuid.UUID, size: int) -> str:
        headers = {"Upload-Length": str(size), "Upload-Metadata": write_metadata(message_id, 1)}
        answer = await self._ask(author, "POST", "/v1/uploads", headers)
        return answer.headers["Location"]

    async def _offset(self, author: Participant, path: str) -> int:
        answer = await self._ask(author, "HEAD", path, {})
        return int(answer.headers["Upload-Offset"])

    async def _append(
        self,
        author: Participant,
        path: str,
        body: BinaryIO,
        between: tuple[int, int],
        rate: float,
        lost_at: float | None,
    ) -> None:
        offset, stop = between
        headers = {
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(stop - offset),
        }
        try:
            await self._ask(
                author, "PATCH", path, headers, _paced(body, offset, stop, rate, lost_at)
            )
        except aiohttp.ClientError as error:
            if lost_at is not None:
                raise _Lost from error
            raise

    async def _ask(
        self,
        author: Participant,
        method: str,
        path: str,
        headers: dict[str, str],
        data: AsyncIterator[bytes] | None = None,
    ) -> aiohttp.ClientResponse:
        bearer = await author.session.bearer()
        async with self._http.request(
            method,
            author.session.connection.url + path,
            data=data,
            headers={
                **headers,
                "Tus-Resumable": TUS_VERSION,
                "Authorization": f"Bearer {bearer}",
            },
        ) as answer:
            content = await answer.read()
            if not answer.ok:
                raise problem(answer.status, content)
            return answer

    async def verify(self) -> None:
        """Fetch all that was sent, as those who sent it, and ask how far the others have come."""
        left = iter(self._sent)

        async def fetch() -> None:
            for one in left:
                with self._found.noting("a video at the end"):
                    if await self._digest(one) != one.digest:
                        raise ValueError("has other bytes")
                    self._found.verified += 1

        await asyncio.gather(*(fetch() for _ in range(VERIFIED_AT_ONCE)))
        for path, (author, acknowledged) in self._open.items():
            with self._found.noting("an upload at the end"):
                if await self._offset(author, path) < acknowledged:
                    raise ValueError("has lost bytes")

    async def _digest(self, sent: Sent) -> bytes:
        bearer = await sent.author.session.bearer()
        digest = hashlib.sha256()
        async with self._http.get(
            f"{sent.author.session.connection.url}/v1/parts/{sent.commitment}",
            headers={"Authorization": f"Bearer {bearer}"},
        ) as answer:
            if not answer.ok:
                raise problem(answer.status, await answer.read())
            while chunk := await answer.content.read(READ_BYTES):
                digest.update(chunk)
        return digest.digest()


async def _paced(
    body: BinaryIO, offset: int, stop: int, rate: float, lost_at: float | None
) -> AsyncIterator[bytes]:
    """The bytes of a body as a phone gives them away; they end early where it loses its connection."""
    began, first = time.monotonic(), offset
    while offset < stop:
        if lost_at is not None and offset >= lost_at:
            raise aiohttp.ClientConnectionError
        body.seek(offset)
        piece = body.read(min(PIECE_BYTES, stop - offset))
        yield piece
        offset += len(piece)
        await asyncio.sleep(max(0.0, began + (offset - first) / rate - time.monotonic()))


def _one_in(many: int, chance: random.Random) -> bool:
    return chance.randrange(many) == 0


def _at(until: float) -> float:
    """A time of the machine's clock as one of the loop's."""
    return asyncio.get_running_loop().time() + until - time.monotonic()
