"""What relay answers of the programme: the file that it was started with, and a logo that can do nothing."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import hdrs, web

from relay.app import create_app
from relay.errors import ConfigurationError
from relay.settings import Settings
from tests.support.openapi import ApiMonitor
from tests.support.profiles import HARBOUR, SVG, changed, png, write_profile


@contextlib.asynccontextmanager
async def started(settings: Settings, file: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A relay with this file, held to the description of its API."""
    application = create_app(dataclasses.replace(settings, profile_file=file))
    monitor = ApiMonitor()
    monitor.watch(application)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    await runner.cleanup()
    assert monitor.violations == []


async def test_a_programme_says_what_its_file_says(
    relay_settings: Settings, tmp_path: Path
) -> None:
    """All of it, in both languages; the path of the logo is made of its bytes."""
    file = write_profile(tmp_path, logo=SVG.encode())
    async with started(relay_settings, str(file)) as site:
        async with site.get("/v1/profile") as answer:
            assert answer.status == 200
            assert answer.headers[hdrs.CACHE_CONTROL] == "no-cache"
            profile = await answer.json()
            tag = answer.headers[hdrs.ETAG]
        for asked, coding in (("gzip, br", "gzip"), ("gzip;q=0", None), ("identity", None)):
            headers = {hdrs.ACCEPT_ENCODING: asked}
            async with site.get("/v1/profile", headers=headers) as answer:
                assert answer.headers.get(hdrs.CONTENT_ENCODING) == coding
                assert answer.headers[hdrs.VARY] == hdrs.ACCEPT_ENCODING
                assert await answer.json() == profile
        async with site.get("/v1/profile", headers={hdrs.IF_NONE_MATCH: tag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
            assert answer.headers[hdrs.CACHE_CONTROL] == "no-cache"
    name = hashlib.sha256(SVG.encode()).hexdigest()[:32]
    line = HARBOUR["crisis_line"][0]
    assert profile == {
        "name": HARBOUR["name"],
        "review_time": HARBOUR["review_time"],
        "contact": {
            "telephone": {"shown": "+1 (613) 555-0100", "dial": "+16135550100"},
            **{part: HARBOUR["contact"][part] for part in ("email", "address", "hours")},
        },
        "crisis_lines": [
            {
                "telephone": {"shown": "555-0199", "dial": "5550199"},
                **{part: line[part] for part in ("name", "note", "hours")},
            }
        ],
        "logo": {"path": f"/v1/profile/logo/{name}.svg", "width": 300, "height": 100},
        "colours": HARBOUR["colours"],
    }


@pytest.mark.parametrize(("logo", "kind"), [(SVG.encode(), "image/svg+xml"), (png(), "image/png")])
async def test_a_logo_can_do_nothing(
    relay_settings: Settings, tmp_path: Path, logo: bytes, kind: str
) -> None:
    """Under a policy of its own, also where it is opened by itself; kept for good, since it never changes."""
    file = write_profile(tmp_path, logo=logo)
    async with started(relay_settings, str(file)) as site:
        async with site.get("/v1/profile") as answer:
            path = (await answer.json())["logo"]["path"]
        async with site.get(path) as answer:
            assert await answer.read() == logo
            assert answer.content_type == kind
            policy = answer.headers[hdrs.CONTENT_SECURITY_POLICY].split("; ")
            assert {"default-src 'none'", "sandbox"} < set(policy)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "immutable" in answer.headers[hdrs.CACHE_CONTROL]
            tag = answer.headers[hdrs.ETAG]
        async with site.get(path, headers={hdrs.IF_NONE_MATCH: tag}) as answer:
            assert answer.status == 304
        for other in ("none.svg", "..%2fprofile.toml", "logo.svg"):
            async with site.get(f"/v1/profile/logo/{other}") as answer:
                assert answer.status == 404


async def test_the_hash_that_the_command_prints_is_that_of_the_answer(
    relay_settings: Settings, tmp_path: Path
) -> None:
    """So an operator can compare what a relay says with their file, from anywhere."""
    file = write_profile(tmp_path, logo=png())
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "relay", "profile", str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "555-0199 (tel:5550199)" in done.stdout
    async with started(relay_settings, str(file)) as site, site.get("/v1/profile") as answer:
        digest = hashlib.sha256(await answer.read()).hexdigest()
    assert f"sha256 {digest}\n" in done.stdout


@pytest.mark.parametrize(
    ("profile", "logo", "says"),
    [
        (changed("crisis_line.0.number", "call us"), None, "the number of crisis line 1"),
        (changed("colours.dark.accent", "#222222"), None, "the dark colours: accent on"),
        (HARBOUR, b"<svg/>", "the logo logo.svg: the SVG"),
        (HARBOUR, b"<svg" + b" " * 40_000, "smaller"),
        (changed("logo", "gone.svg"), None, "gone.svg cannot be read (No such file"),
    ],
)
async def test_relay_does_not_start_with_a_file_that_is_wrong(
    relay_settings: Settings, tmp_path: Path, profile: dict[str, object], logo: bytes, says: str
) -> None:
    """The sentence names what it is about and what to do; nothing is served meanwhile."""
    file = write_profile(tmp_path, profile, logo=logo)
    with pytest.raises(ConfigurationError) as refused:
        async with started(relay_settings, str(file)):
            pass
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("content", "says"), [(b"\xff", "UTF-8"), (None, "No such file"), (b"", "write at least one")]
)
async def test_relay_does_not_start_with_a_file_that_it_cannot_read(
    relay_settings: Settings, tmp_path: Path, content: bytes | None, says: str
) -> None:
    """In another encoding, not there, or empty."""
    file = tmp_path / "profile.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=says):
        async with started(relay_settings, str(file)):
            pass
