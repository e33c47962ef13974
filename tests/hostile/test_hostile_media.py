"""Hostile recordings, one after another, through a whole relay and one worker process.

`HOSTILE=0` sends the whole corpus, another number so many of it; `make hostile` does the first and tells the
figures. Which files are sent, what is damaged where and in which order: the seed says.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path
from typing import Final

import pytest

from relay.crypto.encoding import b64u_decode
from relay.media.limits import MediaLimits
from relay.settings import GIB
from tests.hostile.conftest import CANARY
from tests.support.hostile_media.case import PREPARED, Places
from tests.support.hostile_media.corpus import corpus, recordings, share
from tests.support.hostile_media.sending import (
    Ended,
    Figures,
    require_clean,
    said_of,
    send,
    unexpected,
    until_ended,
)
from tests.support.hostile_media.watching import Listener, Memory, below, memory_of, touches
from tests.support.videos import VideoCase

SHARE: Final = 32
COUNT: Final = int(os.environ.get("HOSTILE", SHARE))
BATCH: Final = 16


@pytest.mark.timeout(300 if COUNT == SHARE else 0)
async def test_no_hostile_file_escapes_or_harms_the_worker(
    videos: VideoCase,
    places: Places,
    canary: Path,
    listener: Listener,
    chance: random.Random,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each is refused with its code or prepared within its limits, and the next good one is prepared.

    Nobody connects, nobody opens a file, nothing is written, no process is left, none is tried again, and the
    worker is the same from the first to the last.
    """
    files = [file for file in corpus(places, chance) if COUNT != SHARE or not file.is_slow]
    files = share(files, COUNT or len(files), chance)
    limits = MediaLimits.from_settings(videos.settings)
    scratch = videos.folder / "scratch"
    scratch.mkdir()
    good = recordings()["mp4"]
    ended: dict[str, Ended] = {}
    wrong: list[str] = []
    most_bytes = 0
    with videos.running() as workers, touches(canary.parent) as touched:
        worker = workers.start(TMPDIR=str(scratch))
        await videos.until_said("worker", "is ready")
        with Memory(worker.pid) as memory:
            for start in range(0, len(files), BATCH):
                batch = files[start : start + BATCH]
                contents = [*(file.content for file in batch), good]
                messages = await send(videos, contents)
                found = await until_ended(videos, messages, limits.transcode_seconds)
                *hostile, last = (found[message] for message in messages)
                wrong += unexpected(batch, hostile)
                assert last.code == PREPARED
                assert worker.poll() is None
                assert below(worker.pid) == []
                most = memory.most()
                bound = max(map(len, contents)) + GIB + limits.jail_memory_bytes
                assert most <= bound, [file.name for file in batch]
                most_bytes = max(most_bytes, most)
                for message, one in zip(messages, (*hostile, last), strict=True):
                    if one.code == PREPARED:
                        await require_clean(videos, message, CANARY, limits.rendition_max_bytes)
                ended |= zip((file.name for file in batch), hostile, strict=True)
                figures = Figures(of=len(files), ended=ended, most_bytes=most_bytes, wrong=wrong)
                if COUNT != SHARE:
                    with capsys.disabled():
                        sys.stdout.write(f"\n{figures}\n")
        await require_name_to_matter_to_nobody(videos, good)
        touches_seen = touched.seen()
    assert wrong == []
    assert touches_seen == []
    assert listener.connections == 0
    assert said_of(canary.parent) == [canary.name]
    assert said_of(scratch) == []
    assert canary.read_bytes() == CANARY
    assert await videos.count("select count(*) from jobs where attempts > 1") == 0
    await videos.require_tidy()


async def require_name_to_matter_to_nobody(videos: VideoCase, good: bytes) -> None:
    """Assert that a film is prepared under whatever name, behind a link, and that the name stays behind."""
    (videos.folder / "film").write_bytes(good)
    odd = videos.folder / "-i file:..%2f..%2fetc%2fpasswd;touch escaped;.m3u8"
    odd.symlink_to("film")
    sent = await videos.send(odd)
    found = await until_ended(videos, [sent], videos.settings.transcode_seconds)
    assert found[sent].code == PREPARED
    keys = [key for place in ("uploads", "renditions") for key in await videos.objects.keys(place)]
    said = await videos.statement(sent)
    payload = b64u_decode(said.split(".")[1]).decode()
    assert not any("escaped" in text for text in (videos.said(), payload, *keys))
    odd.unlink()


async def test_the_watch_sees_what_it_looks_for(
    canary: Path, listener: Listener, tmp_path: Path
) -> None:
    """A file that is opened, one that is made, a connection, a process and its memory."""
    code = (
        f"held = bytearray(300_000_000); open({str(canary)!r}).read(); import sys; sys.stdin.read()"
    )
    with touches(canary.parent) as touched:
        assert touched.seen() == []
        process = await asyncio.create_subprocess_exec(
            *("python3", "-c", code), stdin=asyncio.subprocess.PIPE
        )
        names: list[str] = []
        async with asyncio.timeout(30):
            while canary.name not in names:
                names += touched.seen()
                await asyncio.sleep(0.01)
        assert process.pid in below(os.getpid())
        assert memory_of(process.pid) > 300_000_000
        process.kill()
        await process.wait()
        (canary.parent / "left").write_bytes(b"x")
        assert "left" in touched.seen()
    assert said_of(canary.parent) == [canary.name, "left"]
    host, _, port = listener.url.removeprefix("http://").partition("/")[0].partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.close()
    await asyncio.sleep(0.1)
    assert listener.connections == 1
    assert tmp_path in canary.parents
