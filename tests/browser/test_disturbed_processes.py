"""Several web processes and workers behind nginx, killed and stopped while people work with them."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import os
import random
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from relay.testing.relays import RunningRelay, free_port
from tests.support.browser import visitors
from tests.support.browser.inputs import Mouse
from tests.support.browser.scene import Scene
from tests.support.browser.scene import scene as set_scene
from tests.support.browser.story import ENGLISH, FRENCH, tell
from tests.support.disturbances import Member, disturbed
from tests.support.proxies import fetch_programs, plain_nginx

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
    await asyncio.to_thread(fetch_programs)
    port, ports = free_port(), (free_port(), free_port())
    with tempfile.TemporaryDirectory(prefix="relay-several-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        statuses = folder / "statuses"
        backends = [f"127.0.0.1:{one}" for one in ports]
        with plain_nginx(folder, port, backends, folder / "nginx.log", statuses):
            async with set_scene(
                folder, port=ports[0], public_url=f"http://127.0.0.1:{port}"
            ) as scene:
                yield Several(
                    scene=scene,
                    members=await _members(scene.running, ports[1]),
                    statuses=statuses,
                )


async def _members(running: RunningRelay, second_port: int) -> list[Member]:
    web, worker = running.of_processes["web"], running.of_processes["worker"]
    second = {**web, "RELAY_LISTEN_PORT": str(second_port)}
    members = [
        *(_web(running, "web", web), _web(running, "web-2", second)),
        *(
            Member(
                name=name,
                command="worker",
                environment=worker,
                log=running.folder / f"{name}.log",
                processes=running.processes,
            )
            for name in ("worker", "worker-2", "worker-3")
        ),
    ]
    for member in members:
        if member.name not in running.processes:
            await member.start()
    return members


def _web(running: RunningRelay, name: str, environment: Mapping[str, str]) -> Member:
    return Member(
        name=name,
        command="serve",
        environment=environment,
        log=running.folder / f"{name}.log",
        processes=running.processes,
        answers_at=f"http://127.0.0.1:{environment['RELAY_LISTEN_PORT']}/readyz",
    )


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
