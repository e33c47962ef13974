"""One relay with its pages, one Chromium, and as many watched visitors as a test asks for.

The relay, the browser and the tests share one event loop for the whole session.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Unpack

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, async_playwright

from tests.support.browser import visitors
from tests.support.browser.scene import Scene
from tests.support.browser.scene import scene as set_scene
from tests.support.browser.visitors import Manner, Visit, Visitor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every test here on the session's event loop, where the browser lives."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def scene() -> AsyncIterator[Scene]:
    """A whole relay, worker and pages included; each test makes cases of its own on it."""
    with tempfile.TemporaryDirectory(prefix="relay-browser-") as folder:
        Path(folder).chmod(0o711)
        async with set_scene(Path(folder)) as ready:
            yield ready


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    """What drives Chromium."""
    async with async_playwright() as driver:
        yield driver


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(playwright: Playwright) -> AsyncIterator[Browser]:
    """One Chromium for the session."""
    browser = await visitors.launch(playwright)
    yield browser
    await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(scene: Scene, chromium: Browser) -> AsyncIterator[Visit]:
    """What makes visitors; all of them are checked when the test ends."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(**manner: Unpack[Manner]) -> Visitor:
            return await stack.enter_async_context(visitors.visitor(chromium, scene.url, **manner))

        yield make
