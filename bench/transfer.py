"""How fast sealed videos go in and out, against the same 8 MiB parts straight into S3, and at what memory.

The web service is a process of its own; client, service and store share the machine. Both sides run in
turns in this process, one part at a time, and a ratio is the median of the ratios within each round, so
that a noisy neighbour hits both alike.
"""

from __future__ import annotations

import asyncio
import dataclasses
import io
import secrets
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
from aiobotocore.client import AioBaseClient
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from bench.rows import Row
from bench.service import service
from relay.client.sealing import Sealed, seal_file
from relay.client.uploading import Retry, Upload
from relay.client.writing import address
from relay.domain.segments import SEGMENT_BYTES
from relay.settings import MIB
from relay.testing.people import Case, open_case

BODY_BYTES = 512 * MIB
AT_ONCE = 8
SMALL_BYTES = BODY_BYTES // AT_ONCE
WARM_UP_BYTES = 1000
ROUNDS = 5
READ_BYTES = 256 * 1024

SPEED_BAR = 0.7
ONE_MIB = 64
UPLOADS_MIB = 64
DOWNLOADS_MIB = 160
STRAIGHT = "the same 8 MiB parts straight, aiobotocore"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that a transfer is measured with."""

    case: Case
    http: aiohttp.ClientSession
    url: str
    straight: AioBaseClient
    bucket: str
    web: int
    """Process id of the web service."""
    idle_mib: float
    """Its memory before anything large went through it."""


async def rows() -> AsyncIterator[Row]:
    """Speed and memory of uploads and downloads."""
    async with service() as (stage, people):
        case = await open_case(people)
        environment = stage.environment
        async with (
            get_session().create_client(
                "s3",
                endpoint_url=environment["RELAY_S3_ENDPOINT"],
                aws_access_key_id=environment["RELAY_S3_ACCESS_KEY"],
                aws_secret_access_key=environment["RELAY_S3_SECRET_KEY"],
                region_name="us-east-1",
                config=AioConfig(
                    s3={"addressing_style": "path"},
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
            ) as straight,
            aiohttp.ClientSession() as http,
        ):
            scene = Scene(
                case=case,
                http=http,
                url=stage.url,
                straight=straight,
                bucket="straight",
                web=stage.processes["web"].pid,
                idle_mib=0,
            )
            await straight.create_bucket(Bucket=scene.bucket)
            async for row in _measure(scene):
                yield row


async def _measure(scene: Scene) -> AsyncIterator[Row]:
    body = io.BytesIO()
    plain = secrets.token_bytes(BODY_BYTES // 8) * 8
    sealed = await asyncio.to_thread(
        seal_file, scene.case.case_id, "original", io.BytesIO(plain), "video/mp4", body
    )
    small = body.getvalue()[:SMALL_BYTES]
    await _send(scene, io.BytesIO(small), WARM_UP_BYTES)
    scene = dataclasses.replace(scene, idle_mib=_resident(scene.web, "VmRSS"))

    grew = await _growth(scene, lambda: _send(scene, body, sealed.part.size))
    yield _memory("one upload of 512 MiB: web memory", grew, ONE_MIB)
    grew = await _growth(
        scene,
        lambda: asyncio.gather(
            *(_send(scene, io.BytesIO(small), SMALL_BYTES) for _ in range(AT_ONCE))
        ),
    )
    yield _memory(f"{AT_ONCE} uploads at once: web memory", grew, UPLOADS_MIB)
    up = await _race(
        lambda: _send(scene, body, sealed.part.size), lambda: _put_straight(scene, body)
    )
    yield _speed("upload of 512 MiB", up)
    commitment = await _submit(scene, body, sealed)
    out = await _race(
        lambda: _fetch(scene, commitment, sealed.part.size), lambda: _get_straight(scene)
    )
    yield _speed("download of 512 MiB", out)
    grew = await _growth(scene, lambda: _fetch(scene, commitment, sealed.part.size))
    yield _memory("one download of 512 MiB: web memory", grew, ONE_MIB)
    grew = await _growth(
        scene,
        lambda: asyncio.gather(
            *(_fetch(scene, commitment, sealed.part.size) for _ in range(AT_ONCE))
        ),
    )
    yield _memory(f"{AT_ONCE} downloads at once: web memory", grew, DOWNLOADS_MIB)


async def _send(scene: Scene, body: io.BytesIO, size: int) -> None:
    message_id = uuid.uuid4()
    await scene.case.harmed.begin_video(
        address(scene.case.responsible.participant_id, message_id=message_id)
    )
    await _upload(scene, message_id, body, size)


async def _upload(scene: Scene, message_id: uuid.UUID, body: io.BytesIO, size: int) -> None:
    upload = Upload(scene.case.harmed.session, Retry())
    await upload.create(message_id, 1, size)
    await upload.send(body, size)


async def _submit(scene: Scene, body: io.BytesIO, sealed: Sealed) -> str:
    message_id, to = uuid.uuid4(), scene.case.responsible.participant_id
    written = address(to, message_id=message_id)
    await scene.case.harmed.begin_video(written)
    await _upload(scene, message_id, body, sealed.part.size)
    await scene.case.harmed.submit_video(written, sealed)
    return sealed.part.commit


async def _put_straight(scene: Scene, body: io.BytesIO) -> None:
    body.seek(0)
    number = 0
    while part := body.read(SEGMENT_BYTES):
        await scene.straight.put_object(
            Bucket=scene.bucket, Key=f"{number:06}", Body=io.BytesIO(part)
        )
        number += 1


async def _get_straight(scene: Scene) -> None:
    for number in range(BODY_BYTES // SEGMENT_BYTES):
        answer = await scene.straight.get_object(Bucket=scene.bucket, Key=f"{number:06}")
        async with answer["Body"] as stream:
            while await stream.read(READ_BYTES):
                pass


async def _fetch(scene: Scene, commitment: str, size: int) -> None:
    bearer = await scene.case.mediator.session.bearer()
    headers = {"Authorization": f"Bearer {bearer}"}
    received = 0
    async with scene.http.get(f"{scene.url}/v1/parts/{commitment}", headers=headers) as answer:
        while chunk := await answer.content.read(READ_BYTES):
            received += len(chunk)
    if received != size:
        raise RuntimeError(f"{received} of {size} bytes came")


async def _race(
    relay: Callable[[], Awaitable[object]], straight: Callable[[], Awaitable[object]]
) -> list[tuple[float, float]]:
    """MiB a second of relay and of S3 alone, round by round."""
    return [(await _per_second(relay), await _per_second(straight)) for _ in range(ROUNDS)]


async def _per_second(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return BODY_BYTES / MIB / (time.perf_counter() - began)


async def _growth(scene: Scene, work: Callable[[], Awaitable[object]]) -> float:
    """By how many MiB the web process was larger at most, while it worked, than when it was idle."""
    _forget_peak(scene.web)
    await work()
    return _resident(scene.web, "VmHWM") - scene.idle_mib


def _forget_peak(process: int) -> None:
    """Have VmHWM start over, as proc(5) says of the value 5."""
    Path(f"/proc/{process}/clear_refs").write_text("5")


def _resident(process: int, which: str) -> float:
    """Of the resident memory, in MiB, what it is now (VmRSS) or was at most (VmHWM)."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == which:
            return int(value.split()[0]) / 1024
    raise RuntimeError(f"{which} is not told")


def _speed(name: str, rounds: list[tuple[float, float]]) -> Row:
    return Row(
        name=name,
        value=statistics.median(relay for relay, _straight in rounds),
        unit="MiB/s",
        peer=f"{STRAIGHT}: {statistics.median(straight for _relay, straight in rounds):.0f} MiB/s",
        ratio=statistics.median(relay / straight for relay, straight in rounds),
        bar=SPEED_BAR,
        better="higher",
    )


def _memory(name: str, grew_mib: float, most_mib: int) -> Row:
    return Row(
        name=name,
        value=grew_mib,
        unit="MiB",
        peer=f"{most_mib} MiB",
        ratio=grew_mib / most_mib,
        bar=1.0,
        better="lower",
    )
