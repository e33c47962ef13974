"""Firefox and WebKitGTK, for somebody who goes through the pages with the keyboard alone.

Firefox is driven over WebDriver BiDi by `firefox.mjs`, WebKitGTK's MiniBrowser over WebDriver by
Selenium under Xvfb. What a person does is written once, in `participants.py` and `mediators.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from playwright.async_api import Page
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from tests.support.browser.remote import PATIENCE_MS, Driver, RemotePage, as_page
from tests.support.browser.visitors import NARROW, TEXT_TWICE, Guest, Language
from tests.support.browser.wire import Wire, wire_to
from tests.support.node import node

_HERE: Final = Path(__file__).parent
_DROPPED: Final = "A ServiceWorker intercepted the request and encountered an unexpected error."
"""What Firefox says whenever it seeks and drops an answer of any service worker before its end."""
_OWN_HOSTS: Final = (".mozilla.com:443", ".mozilla.org:443", ".mozilla.net:443")
"""Whom Firefox itself asks, whatever page it shows."""
_FRAME_PIXELS: Final = 21
"""What MiniBrowser's bar takes, with nothing around its buttons."""
_SLIM_BAR: Final = "* { min-width: 0; min-height: 0; padding: 0; margin: 0; border-width: 0; }"
_STILL: Final = "[Settings]\ngtk-enable-animations=false\n"

Engine = Literal["firefox", "webkit"]


class _Firefox:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def _do(self, does: str, **given: str | None) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"does": does, **given}).encode() + b"\n")
        line = await self._process.stdout.readline()
        assert line, "Firefox ended"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["answer"]

    async def go(self, url: str) -> None:
        await self._do("go", url=url)

    async def script(self, script: str) -> Any:
        return await self._do("script", script=script)

    async def key(self, held: str | None, key: str) -> None:
        await self._do("key", held=held, key=key)

    async def type(self, text: str) -> None:
        await self._do("type", text=text)

    async def pick(self, path: Path) -> None:
        await self._do("pick", path=str(path))

    async def said(self) -> list[str]:
        return [
            f"{one['kind']}: {one['text']}"
            for one in await self._do("said")
            if one["kind"] in {"error", "warn", "warning", "uncaught"}
            and _DROPPED not in one["text"]
        ]


@contextlib.asynccontextmanager
async def firefox(
    proxy: str, language: Language = "en", profile: Path | None = None, *, narrow: bool = False
) -> AsyncIterator[Driver]:
    """Firefox ESR, every request of which goes over `proxy`; `profile` stays, where one is given."""
    manner = {
        "proxy": proxy,
        "languages": f"{language}-CA",
        "profile": None if profile is None else str(profile),
        "narrow": NARROW if narrow else None,
    }
    process = await asyncio.create_subprocess_exec(
        node(),
        str(_HERE / "firefox.mjs"),
        json.dumps(manner),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=16 * 1024 * 1024,
    )
    try:
        yield _Firefox(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


class _WebKit:
    _KEYS: Final = {
        "ArrowDown": Keys.ARROW_DOWN,
        "ArrowLeft": Keys.ARROW_LEFT,
        "ArrowRight": Keys.ARROW_RIGHT,
        "Control": Keys.CONTROL,
        "Delete": Keys.DELETE,
        "Enter": Keys.ENTER,
        "Shift": Keys.SHIFT,
        "Space": Keys.SPACE,
        "Tab": Keys.TAB,
    }

    def __init__(self, driver: webdriver.WebKitGTK) -> None:
        self._driver = driver

    async def go(self, url: str) -> None:
        await asyncio.to_thread(self._driver.get, url)

    async def script(self, script: str) -> Any:
        wrapped = (
            f"const done = arguments[0]; Promise.resolve({script})"
            ".then((value) => done({ value }), (error) => done({ error: String(error) }))"
        )
        answer = await asyncio.to_thread(self._driver.execute_async_script, wrapped)
        assert "error" not in answer, answer["error"]
        return answer.get("value")

    async def key(self, held: str | None, key: str) -> None:
        actions = ActionChains(self._driver, duration=0)
        if held is not None:
            actions.key_down(self._KEYS[held])
        actions.send_keys(self._KEYS.get(key, key.lower()))
        if held is not None:
            actions.key_up(self._KEYS[held])
        await asyncio.to_thread(actions.perform)

    async def type(self, text: str) -> None:
        actions = ActionChains(self._driver, duration=0)
        actions.send_keys(text.replace("\n", Keys.ENTER))
        await asyncio.to_thread(actions.perform)

    async def pick(self, path: Path) -> None:
        field = self._driver.switch_to.active_element
        await asyncio.to_thread(field.send_keys, str(path))

    async def said(self) -> list[str]:
        # WebKit's driver tells nothing of the console.
        return []


@contextlib.asynccontextmanager
async def webkit(proxy: str) -> AsyncIterator[Driver]:
    """WebKitGTK's MiniBrowser, narrow, dark and still; every request of it goes over `proxy`."""
    async with contextlib.AsyncExitStack() as stack:
        display = await stack.enter_async_context(_display())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="relay-webkit-"))
        await asyncio.to_thread(_dress, Path(folder) / "gtk-3.0")
        options = Options()
        options.binary_location = str(next(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser")))
        options.add_argument("--automation")
        options.add_argument(f"--proxy={proxy}")
        environment = {
            **os.environ,
            "DISPLAY": display,
            "LANG": "en_CA.UTF-8",
            "GTK_THEME": "Adwaita:dark",
            "XDG_CONFIG_HOME": folder,
        }
        service = Service(executable_path="/usr/bin/WebKitWebDriver", env=environment)
        driver = await asyncio.to_thread(webdriver.WebKitGTK, options=options, service=service)
        stack.push_async_callback(asyncio.to_thread, driver.quit)
        driver.set_script_timeout(PATIENCE_MS / 1000)
        await asyncio.to_thread(
            driver.set_window_rect, 0, 0, NARROW["width"], NARROW["height"] + _FRAME_PIXELS
        )
        yield _WebKit(driver)


def _dress(folder: Path) -> None:
    folder.mkdir()
    (folder / "settings.ini").write_text(_STILL)
    (folder / "gtk.css").write_text(_SLIM_BAR)


@contextlib.asynccontextmanager
async def _display() -> AsyncIterator[str]:
    """A screen that nobody sees, as large as the window on it, with a number that Xvfb chose."""
    read, write = os.pipe()
    size = f"{NARROW['width']}x{NARROW['height'] + _FRAME_PIXELS}x24"
    process = await asyncio.create_subprocess_exec(
        "Xvfb",
        *("-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"),
        pass_fds=[write],
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as numbers:
            number = (await asyncio.to_thread(numbers.readline)).strip()
        yield f":{number}"
    finally:
        process.terminate()
        await process.wait()


class EngineVisitor(Guest):
    """A person with a whole browser of their own, in one tab."""

    own_hosts = _OWN_HOSTS

    def __init__(self, driver: Driver, wire: Wire) -> None:
        super().__init__(wire)
        self._driver = driver
        self._page = RemotePage(driver)

    @property
    def pages(self) -> list[Page]:
        """The one."""
        return [as_page(self._page)]

    async def at_every_page(self, script: str) -> None:
        """Run this on every page that is opened from now on."""
        self._page.at_every_page.append(script)

    async def open(self, url: str) -> Page:
        """Open an address."""
        await self._page.goto(url)
        return as_page(self._page)

    async def wrong(self) -> list[str]:
        """All that was wrong, went elsewhere but to the maker of the browser, or leaked."""
        self.problems += await self._driver.said()
        return await super().wrong()


@contextlib.asynccontextmanager
async def visitor(engine: Engine, origin: str, language: Language) -> AsyncIterator[EngineVisitor]:
    """Somebody with a narrow dark screen, large letters and little motion; checked when they leave."""
    async with wire_to(origin) as wire, contextlib.AsyncExitStack() as stack:
        if engine == "firefox":
            driver = await stack.enter_async_context(firefox(wire.url, language, narrow=True))
        else:
            driver = await stack.enter_async_context(webkit(wire.url))
            # WebKitGTK asks for what the machine speaks: here the language was chosen before.
            await driver.go(f"{wire.origin}/robots.txt")
            await driver.script(f"localStorage.setItem('relay-language', {json.dumps(language)})")
        guest = EngineVisitor(driver, wire)
        await guest.at_every_page(TEXT_TWICE)
        yield guest
        if problems := await guest.wrong():
            pytest.fail("\n".join(["wrong in a browser:", *problems]), pytrace=False)
