"""A relay with a case, a sender of videos, and media workers as processes, for the tests of videos."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import imageio_ffmpeg
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from redis.asyncio import Redis

from relay.app import create_app
from relay.client.certifying import key_set
from relay.crypto import age
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyfiles import save_keyring_file
from relay.crypto.signing import Signer
from relay.domain.jobs import poster_prefix, rendition_prefix
from relay.domain.transitions import State
from relay.media.memory import MemoryFile
from relay.media.tools import MediaTools
from relay.queue import Queue
from relay.services import processing, uploads
from relay.services.processing import MediaWorker, Prepared
from relay.settings import Settings
from relay.storage import messages as stored
from relay.storage.database import Database
from relay.storage.objects import Objects, segment_key
from relay.storage.statements import find_statement
from relay.testing.people import ISSUER, KEY_ID, Case, Organization, open_case, organization
from relay.testing.relays import free_port
from tests.support.relays import WORK_FACTOR_LOG2
from tests.support.statements import put_statement
from workers.result import store
from workers.sweep import Sweep
from workers.transcoding import Transcoder, Transcoders

STOP_SECONDS: Final = 20
"""In which a worker that is told to stop has ended."""

SOON_SECONDS = 120


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VideoCase:
    """A running relay, its people, and the one media worker that the case's charter names."""

    settings: Settings
    """Those of a worker."""
    people: Organization
    case: Case
    worker: MediaWorker
    database: Database
    """As a worker reaches it."""
    unguarded: Database
    """For a superuser."""
    redis: Redis
    """For a superuser."""
    objects: Objects
    queue: Queue
    folder: Path

    def transcoders(
        self, *, worker: MediaWorker | None = None, settings: Settings | None = None
    ) -> Transcoders:
        """What a worker process does, in this process; with other keys or settings where they are given."""
        settings = settings or self.settings
        transcoder = Transcoder(
            settings=settings,
            database=self.database,
            objects=self.objects,
            worker=worker or self.worker,
            tools=MediaTools.from_settings(settings),
        )
        return Transcoders([transcoder], self.queue)

    @property
    def sweep(self) -> Sweep:
        """What a worker process sweeps with, in this process."""
        return Sweep(
            settings=self.settings,
            database=self.database,
            objects=self.objects,
            queue=self.queue,
            workers=(self.worker,),
        )

    async def send(self, video: Path, *, back: bool = False) -> uuid.UUID:
        """Send a video as the person harmed does, or back to them; its message."""
        people = (self.case.harmed, self.case.responsible)
        sender, recipient = reversed(people) if back else people
        with video.open("rb") as source:
            message = await sender.send_video(recipient.participant_id, source, "video/mp4")
        return message.message

    async def message(self, message_id: uuid.UUID) -> stored.MessageRow:
        """A message as it is now."""
        async with self.database.connection() as connection:
            message = await stored.read_message(connection, message_id)
        assert message is not None
        return message

    async def job_of(self, message_id: uuid.UUID) -> uuid.UUID:
        """The newest job of a message."""
        query = "select job_id from jobs where message_id = $1 order by created_at desc limit 1"
        async with self.unguarded.connection() as connection:
            found: uuid.UUID = await connection.fetchval(query, message_id)
        return found

    async def count(self, query: str, *arguments: object) -> int:
        """The one number that a query gives."""
        async with self.unguarded.connection() as connection:
            found: int = await connection.fetchval(query, *arguments)
        return found

    async def execute(self, query: str, *arguments: object) -> None:
        """Change something behind relay's back."""
        async with self.unguarded.connection() as connection:
            await connection.execute(query, *arguments)

    async def grants_of(self, message_id: uuid.UUID, audience: str) -> int:
        """How many grants there are for an audience."""
        return await self.count(
            "select count(*) from grants natural join parts where message_id = $1 and audience = $2",
            message_id,
            audience,
        )

    async def require_prepared_once(self, message_id: uuid.UUID) -> None:
        """Assert that a video was prepared exactly once, and nothing else is left of any attempt."""
        message = await self.message(message_id)
        assert message.state is State.QUEUED
        parts = "select count(*) from parts where message_id = $1 and role = $2"
        assert await self.count(parts, message_id, "rendition") == 1
        assert await self.count(parts, message_id, "poster") == 1
        events = "select count(*) from events where message_id = $1 and kind = 'finish-processing'"
        assert await self.count(events, message_id) == 1
        done = "select count(*) from jobs where message_id = $1 and state = 'done'"
        assert await self.count(done, message_id) == 1
        assert await self.grants_of(message_id, "media") == 0
        assert await self.grants_of(message_id, "author") == 1, (
            "the author reads the original alone"
        )

    async def require_tidy(self) -> None:
        """Fail if anything is left in the bucket, once the sweep has come by, that no part needs."""
        later = datetime.now(UTC) + timedelta(seconds=uploads.ORPHAN_GRACE_SECONDS + 1)
        await uploads.sweep_orphans(self.database, self.objects, later)
        assert await self.count("select count(*) from orphans") == 0
        async with self.unguarded.connection() as connection:
            rows = await connection.fetch("select object_prefix, segments from parts")
        needed = {
            segment_key(row["object_prefix"], number)
            for row in rows
            for number in range(len(row["segments"]))
        }
        found = [
            key
            for place in ("uploads", "renditions", "posters")
            for key in await self.objects.keys(place)
        ]
        assert set(found) == needed
        renditions = "select count(*) from statements where typ = 'relay-rendition+jws'"
        prepared = "select count(*) from messages where rendition_hash is not null"
        assert await self.count(renditions) == await self.count(prepared)

    async def until_leased(self, message_id: uuid.UUID) -> None:
        """Wait until a worker has taken the job of a message."""
        running = "select count(*) from jobs where message_id = $1 and state = 'running'"
        async with asyncio.timeout(SOON_SECONDS):
            while not await self.count(running, message_id):  # noqa: ASYNC110 - another process takes it
                await asyncio.sleep(0.01)

    async def until_stage(self, message_id: uuid.UUID, stage: str) -> None:
        """Wait until a worker says that it is this far."""
        there = "select count(*) from jobs where message_id = $1 and stage = $2"
        async with asyncio.timeout(SOON_SECONDS):
            while not await self.count(there, message_id, stage):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)

    async def until_state(self, message_id: uuid.UUID, *states: str) -> stored.MessageRow:
        """Wait until a message is in one of these states."""
        async with asyncio.timeout(SOON_SECONDS):
            while (message := await self.message(message_id)).state not in states:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # another process moves it
        return message

    @property
    def environment(self) -> dict[str, str]:
        """The settings as a worker process is told them."""
        return {
            f"RELAY_{name.upper()}": str(value)
            for name, value in dataclasses.asdict(self.settings).items()
        }

    @contextlib.contextmanager
    def running(self) -> Iterator[Workers]:
        """Worker processes; none of them outlives the block."""
        workers = Workers(video_case=self, processes=[])
        try:
            yield workers
        finally:
            for process in workers.processes:
                process.kill()
                process.wait()

    def said(self, name: str = "worker") -> str:
        """The log of a worker process."""
        return (self.folder / f"{name}.log").read_text("utf-8")

    async def until_said(self, name: str, words: str) -> None:
        """Wait until these words are in the log of a worker process."""
        async with asyncio.timeout(SOON_SECONDS):
            while words not in self.said(name):  # noqa: ASYNC110 - another process writes
                await asyncio.sleep(0.05)

    async def statement(self, message_id: uuid.UUID) -> str:
        """What the sender signed."""
        message = await self.message(message_id)
        async with self.database.connection() as connection:
            compact = await find_statement(connection, message.statement_hash or b"")
        assert compact is not None
        return compact

    async def put_statement(self, message_id: uuid.UUID, compact: str) -> None:
        """Put something else in its place, as the owner of the database could."""
        async with self.unguarded.transaction() as connection:
            forged = await put_statement(connection, compact)
            await connection.execute(
                "update messages set statement_hash = $2 where message_id = $1", message_id, forged
            )
            await connection.execute(
                "update parts set statement_hash = $2 where message_id = $1", message_id, forged
            )

    async def file_key(self, message_id: uuid.UUID) -> age.FileKey:
        """The file key of an original, opened as the worker does."""
        query = "select header from grants natural join parts where message_id = $1 and audience = 'media'"
        async with self.unguarded.connection() as connection:
            header: bytes = await connection.fetchval(query, message_id)
        return age.unwrap_header(header, [self.worker.keyring.identity])

    async def prepare_by_hand(self) -> Prepared:
        """Something that was made of a video, stored as a worker stores it."""
        work_id = uuid.uuid4()
        prefixes = (rendition_prefix(work_id), poster_prefix(work_id))
        await processing.note_writing(self.database, prefixes)
        with MemoryFile() as file:
            file.write(b"moving picture")
            rendition = await store(
                self.objects,
                file,
                case_id=self.case.case_id,
                object_prefix=prefixes[0],
                role="rendition",
                media_type="video/mp4",
            )
            poster = await store(
                self.objects,
                file,
                case_id=self.case.case_id,
                object_prefix=prefixes[1],
                role="poster",
                media_type="image/jpeg",
            )
            return Prepared(
                rendition=rendition,
                poster=poster,
                size=file.size,
                duration_ms=1000,
                width=640,
                height=360,
                profile="h264-720p",
            )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Worker processes on the services of a video case."""

    video_case: VideoCase
    processes: list[subprocess.Popen[bytes]]

    def start(self, name: str = "worker", **settings: str) -> subprocess.Popen[bytes]:
        """One more; what it says is appended to a log of that name."""
        with (self.video_case.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "relay", "worker"],
                env={"PATH": os.environ["PATH"], **self.video_case.environment, **settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process


@contextlib.asynccontextmanager
async def video_case(
    settings: Settings,
    folder: Path,
    *,
    as_worker: Callable[[Settings], Settings],
    database_url: str,
    redis_url: str,
) -> AsyncIterator[VideoCase]:
    """A video case on the services of these settings of the web service.

    `database_url` and `redis_url` are the same ones, for a superuser.
    """
    root, token_key = Signer.generate(), Ed25519PrivateKey.generate()
    (folder / "jwks.json").write_text(key_set(token_key, KEY_ID), "utf-8")
    port = free_port()
    settings = dataclasses.replace(
        settings,
        root_public_keys=b64u_encode(root.public_key),
        service_jwks=str(folder / "jwks.json"),
        service_issuer=ISSUER,
        public_url=f"http://127.0.0.1:{port}",
        listen_port=port,
    )
    of_worker = dataclasses.replace(as_worker(settings), media_key_file=str(folder / "media.keys"))
    async with contextlib.AsyncExitStack() as stack:
        runner = web.AppRunner(create_app(settings), handler_cancellation=True)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, settings.listen_host, port).start()
        people = await stack.enter_async_context(
            organization(settings.public_url, root, token_key, work_factor_log2=WORK_FACTOR_LOG2)
        )
        credential_id, keyring = await people.enrol("media")
        save_keyring_file(Path(of_worker.media_key_file), keyring, credential_id)
        database = await Database.connect(of_worker.database_url, connections=4)
        stack.push_async_callback(database.close)
        unguarded = await Database.connect(database_url, connections=2)
        stack.push_async_callback(unguarded.close)
        objects = await Objects.connect(of_worker)
        stack.push_async_callback(objects.close)
        queue = await Queue.connect(of_worker.redis_url)
        stack.push_async_callback(queue.close)
        yield VideoCase(
            settings=of_worker,
            people=people,
            case=await open_case(people),
            worker=MediaWorker(credential_id=credential_id, keyring=keyring),
            database=database,
            unguarded=unguarded,
            redis=await stack.enter_async_context(Redis.from_url(redis_url)),
            objects=objects,
            queue=queue,
            folder=folder,
        )


def make_video(folder: Path, seconds: int = 3, *, size: str = "640x360") -> Path:
    """A moving picture with a tone."""
    target = folder / f"film-{seconds}-{size}.mp4"
    subprocess.run(
        [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-y"),
            *("-f", "lavfi", "-i", f"testsrc2=s={size}:r=30:d={seconds}"),
            *("-f", "lavfi", "-i", f"sine=440:d={seconds}"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"),
            str(target),
        ],
        check=True,
        capture_output=True,
    )
    return target
