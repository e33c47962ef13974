"""Objects that belong to nothing are found, and not what is being sent, prepared or certified."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

from relay.client.uploading import Retry, Upload
from relay.client.writing import address
from relay.domain.places import CERTIFICATES, OF_BODIES
from relay.services.unreferenced import list_unreferenced
from relay.services.uploads import ORPHAN_GRACE_SECONDS, sweep_orphans
from tests.support.videos import VideoCase, make_video

PIECE: Final = b"x" * 2000


async def some_of_each(videos: VideoCase) -> None:
    """A video that is prepared, one that waits, one that is being sent, one that is being prepared."""
    prepared = await videos.send(make_video(videos.folder))
    await videos.transcoders().run(await videos.job_of(prepared))
    await videos.send(make_video(videos.folder))
    draft = address(videos.case.responsible.participant_id)
    await videos.case.harmed.begin_video(draft)
    await Upload(videos.case.harmed.session, Retry()).create(draft.message_id, 1, 5000)
    await videos.prepare_by_hand()
    await videos.objects.put(f"{CERTIFICATES}/{uuid.uuid4()}", b"a certificate")


async def found(videos: VideoCase, *, note: bool = False) -> list[str]:
    """What is listed."""
    return [
        prefix async for prefix in list_unreferenced(videos.database, videos.objects, note=note)
    ]


async def test_what_belongs_to_nothing_is_found_and_removed(videos: VideoCase) -> None:
    """In every place, with several objects each; a second time there is nothing."""
    await some_of_each(videos)
    assert await found(videos) == []
    before = set(await videos.objects.keys(""))
    lost = {f"{place}/{name}" for place in OF_BODIES for name in (uuid.uuid4(), "odd")}
    for prefix in lost:
        for segment in range(3):
            await videos.objects.put(f"{prefix}/{segment:06}", PIECE)

    assert set(await found(videos)) == lost
    assert len(await found(videos, note=True)) == len(lost)
    assert await found(videos) == []
    later = datetime.now(UTC) + timedelta(seconds=ORPHAN_GRACE_SECONDS + 1)
    held = set(await _noted(videos)) - lost
    await videos.execute("update orphans set noted_at = now() + interval '1 hour'")
    for prefix in lost:
        await videos.execute("update orphans set noted_at = now() where object_prefix = $1", prefix)
    await sweep_orphans(videos.database, videos.objects, later)
    assert set(await videos.objects.keys("")) == before
    assert set(await _noted(videos)) == held


async def test_the_command_prints_what_it_finds(videos: VideoCase) -> None:
    """And removes nothing unless it is told to."""
    prefix = f"{OF_BODIES[0]}/{uuid.uuid4()}"
    await videos.objects.put(f"{prefix}/000000", PIECE)
    assert _command(videos) == f"{prefix}\n1 of them, left as they are\n"
    assert _command(videos, "--remove") == f"{prefix}\n1 of them, to be removed\n"
    assert _command(videos) == "0 of them, left as they are\n"


async def _noted(videos: VideoCase) -> list[str]:
    async with videos.unguarded.connection() as connection:
        return [
            row["object_prefix"]
            for row in await connection.fetch("select object_prefix from orphans")
        ]


def _command(videos: VideoCase, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "relay", "objects", "unreferenced", *options],
        env={"PATH": os.environ["PATH"], **videos.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
