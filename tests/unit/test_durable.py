"""Having the disk written: everything that was there before is, and those who wait share a round."""

from __future__ import annotations

import asyncio
import ctypes
from pathlib import Path

import pytest

from relay.errors import ConfigurationError
from relay.storage.durable import Disk


async def test_whoever_comes_later_waits_for_a_round_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written while a round was under way is not taken for written by it."""
    begun: list[asyncio.Event] = []
    loop = asyncio.get_running_loop()

    async def slow(_function: object) -> None:
        begun.append(asyncio.Event())
        await begun[-1].wait()

    monkeypatch.setattr(asyncio, "to_thread", slow)
    with Disk.opened(str(tmp_path)) as disk:
        first = loop.create_task(disk.hold())
        await asyncio.sleep(0.01)
        later = [loop.create_task(disk.hold()) for _ in range(5)]
        await asyncio.sleep(0.01)
        assert len(begun) == 1
        begun[0].set()
        await first
        await asyncio.sleep(0.01)
        assert len(begun) == 2
        assert not any(task.done() for task in later)
        later[0].cancel()
        begun[1].set()
        await asyncio.gather(*later[1:])
        again = loop.create_task(disk.hold())
        await asyncio.sleep(0.01)
        assert len(begun) == 3
        begun[2].set()
        await again


async def test_a_disk_that_cannot_be_written_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing counts as stored then; and the next round is a new one."""
    answers = iter([-1, 0])
    with Disk.opened(str(tmp_path)) as disk:
        monkeypatch.setattr("relay.storage.durable._syncfs", lambda _descriptor: next(answers))
        monkeypatch.setattr(ctypes, "get_errno", lambda: 5)
        with pytest.raises(OSError, match="Input/output error"):
            await disk.hold()
        await disk.hold()


async def test_it_is_a_real_call(tmp_path: Path) -> None:
    """Of the kernel, which knows the descriptor, and no longer once it is closed."""
    with Disk.opened(str(tmp_path)) as disk:
        await disk.hold()
    with pytest.raises(OSError, match="Bad file descriptor"):
        await disk.hold()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Then relay does not start: nobody would notice that nothing is written."""
    with (
        pytest.raises(ConfigurationError, match="RELAY_S3_SYNC_FOLDER"),
        Disk.opened(str(tmp_path / "nowhere")),
    ):
        pass
