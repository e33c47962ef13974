"""Several web processes and workers behind nginx, killed and stopped while people work with them."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import os
import random
import tempfile
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.browser import visitors
from tests.support.browser.inputs import Mouse
from tests.support.browser.scene import Scene
from tests.support.browser.scene import scene as set_scene
from tests.support.browser.story import ENGLISH, FRENCH, tell
from tests.support.disturbances import Member, disturbed, web_member, worker_member
from tests.support.proxies import front

STORIES: Final = int(os.environ.get("DISTURBED_STORIES", "1"))
STORY_SECONDS: Final = 240
LEAST_DISTURBANCES: Final = 5
LINE_ENDED: Final = ("Failed to load resource", "net::ERR_")
"""What Chromium says of a request that was broken off or answered 502."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """A relay of two web processes and three workers behind nginx."""

    scene: Scene
    members: list[Member]
    statuses: Path
    """Of every answer that nginx gave, a line for each."""


@pytest_asyncio.fixture(loop_scope="session")
async def several() -> AsyncIterator[Several]:
    """Everything up and ready."""
    with tempfile.TemporaryDirectory(prefix="relay-several-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with front(folder) as nginx:
            async with set_scene(folder, port=nginx.ports[0], public_url=nginx.url) as scene:
                running = scene.running
                members = [
                    *map(partial(web_member, running), ("web", "web-2"), nginx.ports),
                    *map(partial(worker_member, running), ("worker", "worker-2", "worker-3")),
                ]
                for member in members:
                    if member.name not in running.processes:
                        await member.start()
                yield Several(scene=scene, members=members, statuses=nginx.statuses)


@pytest.mark.timeout(60 + STORIES * STORY_SECONDS)
@pytest.mark.own_relay
async def test_the_story_is_told_to_its_end(
    several: Several, chromium: Browser, chance: random.Random
) -> None:
    """Each process is killed, told to end and suspended, one every few seconds: nobody has to act on it.

    `DISTURBED_STORIES=20` tells it as often, in English and French by turns.
    """
    async with disturbed(several.members, chance) as done:
        for number in range(STORIES):
            said = (ENGLISH, FRENCH)[number % 2]
            async with contextlib.AsyncExitStack() as stack:
                guests = [
                    await stack.enter_async_context(
                        visitors.visitor(chromium, several.scene.url, language=said.language)
                    )
                    for _ in range(3)
                ]
                for guest in guests:
                    guest.expects(*LINE_ENDED)
                await tell(several.scene, guests, said, Mouse, None)
        happened = list(done)

    assert len(happened) >= LEAST_DISTURBANCES
    statuses = collections.Counter(several.statuses.read_text("ascii").split())
    assert statuses["200"] > LEAST_DISTURBANCES
    assert "500" not in statuses, (statuses, happened)
