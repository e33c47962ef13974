"""The whole story of the demo, by mouse in Chromium, and by keyboard alone in every engine and language."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser

from tests.support.browser import engines, visitors
from tests.support.browser.inputs import Hand, Mouse
from tests.support.browser.inspecting import InspectingKeyboard
from tests.support.browser.scene import Scene
from tests.support.browser.story import ENGLISH, FRENCH, Said, tell
from tests.support.browser.video_files import film

Engine = engines.Engine | Literal["chromium"]


@pytest.mark.parametrize(
    ("engine", "said", "by"),
    [
        pytest.param("chromium", ENGLISH, Mouse, id="in English by mouse"),
        *(
            pytest.param(engine, said, InspectingKeyboard, id=f"{engine}-{said.language}")
            for engine in ("chromium", "firefox", "webkit")
            for said in (ENGLISH, FRENCH)
        ),
    ],
)
# Selenium complains of how Selenium calls itself.
@pytest.mark.filterwarnings("ignore:setting remote_server_addr")
async def test_a_letter_and_a_video_go_from_one_person_to_the_other(
    scene: Scene, chromium: Browser, tmp_path: Path, engine: Engine, said: Said, by: Hand
) -> None:
    """Three people work through it: links, a letter sent back once, a recorded video, release, playing.

    Every browser is watched meanwhile: nothing that they wrote, chose or were given leaves one in the clear,
    and no page says a sentence of another language. Who goes by keyboard has a narrow dark screen, text twice
    as large and little motion, and compares every page with that.
    """
    async with contextlib.AsyncExitStack() as stack:
        people = [
            visitors.visitor(chromium, scene.url, language=said.language, narrow=by is not Mouse)
            if engine == "chromium"
            else engines.visitor(engine, scene.url, said.language)
            for _ in range(3)
        ]
        guests = await asyncio.gather(*map(stack.enter_async_context, people))
        # MiniBrowser has no camera to pretend with.
        picked = (
            await asyncio.to_thread(film, tmp_path / "film.mp4") if engine == "webkit" else None
        )
        await tell(scene, guests, said, by, picked)
