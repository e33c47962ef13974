"""Firefox and WebKitGTK with one set of hands each, so that the same steps are taken in both.

Firefox is driven over WebDriver BiDi by `firefox.mjs`, WebKitGTK's MiniBrowser over WebDriver by
Selenium under Xvfb.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final, Protocol

from selenium import webdriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from tests.browser.node import node

_HERE: Final = Path(__file__).parent
_PATIENCE_SECONDS: Final = 30
_DROPPED: Final = "A ServiceWorker intercepted the request and encountered an unexpected error."
"""What Firefox says whenever it seeks and drops an answer of any service worker before its end."""


class Hands(Protocol):
    """What a person does with a page: everything is found by the name that they read, and waited for."""

    async def go(self, url: str) -> None:
        """Open an address."""

    async def see(self, role: str, name: str) -> None:
        """Wait until it is shown."""

    async def click(self, role: str, name: str) -> None:
        """Click on it."""

    async def fill(self, name: str, text: str) -> None:
        """Type into the field of this name."""

    async def pick(self, name: str, path: Path) -> None:
        """Pick a file for the field of this name."""

    async def script(self, script: str) -> Any:
        """What an expression gives, awaited."""

    async def until(self, script: str) -> None:
        """Wait until an expression is true."""

    async def wrong(self) -> list[str]:
        """What the page complained of."""


class _Firefox:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def _do(self, does: str, **given: str) -> Any:
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

    async def see(self, role: str, name: str) -> None:
        await self._do("see", role=role, name=name)

    async def click(self, role: str, name: str) -> None:
        await self._do("click", role=role, name=name)

    async def fill(self, name: str, text: str) -> None:
        await self._do("fill", name=name, text=text)

    async def pick(self, name: str, path: Path) -> None:
        await self._do("pick", name=name, path=str(path))

    async def script(self, script: str) -> Any:
        return await self._do("script", script=script)

    async def until(self, script: str) -> None:
        await self._do("until", script=script)

    async def wrong(self) -> list[str]:
        said = await self._do("said")
        return [
            f"{one['kind']}: {one['text']}"
            for one in said
            if one["kind"] in {"error", "warn", "warning", "uncaught"}
            and _DROPPED not in one["text"]
        ]


@contextlib.asynccontextmanager
async def firefox(
    proxy: str, language: str = "en-CA", profile: Path | None = None
) -> AsyncIterator[Hands]:
    """Firefox ESR, every request of which goes over `proxy`; `profile` stays, where one is given."""
    process = await asyncio.create_subprocess_exec(
        node(),
        str(_HERE / "firefox.mjs"),
        proxy,
        language,
        *([] if profile is None else [str(profile)]),
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
    def __init__(self, driver: webdriver.WebKitGTK) -> None:
        self._driver = driver
        self._finder = (_HERE / "finder.js").read_text("utf-8")

    def _find(self, role: str, name: str) -> WebElement:
        script = f"{self._finder}; return relayFind(arguments[0], arguments[1]);"
        found: WebElement = self._wait(
            lambda: self._driver.execute_script(script, role, name), f"{role} {name}"
        )
        return found

    def _wait(self, look: Callable[[], Any], what: str) -> Any:
        def or_page() -> str:
            text = self._driver.execute_script("return document.body.innerText")
            return f"never seen: {what}\n{text}"

        found = None
        with contextlib.suppress(Exception):
            found = WebDriverWait(self._driver, _PATIENCE_SECONDS, 0.1).until(lambda _: look())
        assert found, or_page()
        return found

    async def go(self, url: str) -> None:
        await asyncio.to_thread(self._driver.get, url)

    async def see(self, role: str, name: str) -> None:
        await asyncio.to_thread(self._find, role, name)

    async def click(self, role: str, name: str) -> None:
        def do() -> None:
            found = self._find(role, name)
            script = f"{self._finder}; relayAtRest(arguments[0]).then(arguments[1]);"
            self._driver.execute_async_script(script, found)
            found.click()

        await asyncio.to_thread(do)

    async def fill(self, name: str, text: str) -> None:
        await asyncio.to_thread(lambda: self._find("textbox", name).send_keys(text))

    async def pick(self, name: str, path: Path) -> None:
        await asyncio.to_thread(lambda: self._find("file", name).send_keys(str(path)))

    async def script(self, script: str) -> Any:
        wrapped = (
            f"const done = arguments[0]; Promise.resolve({script})"
            ".then((value) => done({ value }), (error) => done({ error: String(error) }))"
        )
        answer = await asyncio.to_thread(self._driver.execute_async_script, wrapped)
        assert "error" not in answer, answer["error"]
        return answer.get("value")

    async def until(self, script: str) -> None:
        await asyncio.to_thread(
            self._wait, lambda: self._driver.execute_script(f"return ({script})"), script
        )

    async def wrong(self) -> list[str]:
        # WebKit's driver tells nothing of the console.
        return []


@contextlib.asynccontextmanager
async def webkit(proxy: str) -> AsyncIterator[Hands]:
    """WebKitGTK's MiniBrowser under Xvfb, every request of which goes over `proxy`."""
    async with _display() as display:
        options = Options()
        options.binary_location = str(next(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser")))
        options.add_argument("--automation")
        options.add_argument(f"--proxy={proxy}")
        environment = {**os.environ, "DISPLAY": display, "LANG": "en_CA.UTF-8"}
        service = Service(executable_path="/usr/bin/WebKitWebDriver", env=environment)
        driver = await asyncio.to_thread(webdriver.WebKitGTK, options=options, service=service)
        driver.set_script_timeout(_PATIENCE_SECONDS)
        try:
            yield _WebKit(driver)
        finally:
            await asyncio.to_thread(driver.quit)


@contextlib.asynccontextmanager
async def _display() -> AsyncIterator[str]:
    """A screen that nobody sees, with a number that Xvfb chose."""
    read, write = os.pipe()
    process = await asyncio.create_subprocess_exec(
        "Xvfb",
        *("-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"),
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
