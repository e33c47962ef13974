"""relay's pages meet what WEBCAT asks of an application; its manifest is that of what relay serves."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web
from typer.testing import CliRunner

from relay.__main__ import program
from relay.app import create_app
from relay.domain.page_rules import ADDRESSES
from relay.settings import Settings
from tests.support.built_pages import build
from tests.support.profiles import png, write_profile
from tests.support.webcat import (
    FORBIDDEN_HEADERS,
    faults_of_manifest,
    faults_of_policy,
    is_content_at,
    policy_at,
)

ORIGIN: Final = "https://cases.example"
LINK: Final = "/l/5a6c1d9e-4f53-4b0e-8a2e-9d8a6f3c2b10"
MODULE: Final = b"\0asm\x01\0\0\0"


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder from which relay takes its pages."""
    folder = build(tmp_path / "pages")
    monkeypatch.setattr("relay.app.BUILT", folder)
    return folder


@pytest.fixture
async def site(
    built: Path, relay_settings: Settings, tmp_path: Path
) -> AsyncIterator[aiohttp.ClientSession]:
    """A relay that serves them, with an origin that may embed the console, and a logo."""
    settings = dataclasses.replace(
        relay_settings, embed_origins=ORIGIN, profile_file=str(write_profile(tmp_path, logo=png()))
    )
    runner = web.AppRunner(create_app(settings))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession(url, headers={"Accept": "text/html,*/*"}) as session:
        yield session
    await runner.cleanup()


async def manifest_of(folder: Path, *origins: str) -> dict[str, Any]:
    """What the command prints."""
    options = [option for origin in origins for option in ("--embed-origin", origin)]
    arguments = ["pages", "webcat", str(folder), *options]
    done = await asyncio.to_thread(CliRunner().invoke, program(["pages"]), arguments)
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert isinstance(found, dict)
    return found


async def test_the_manifest_is_one_that_webcat_takes(built: Path) -> None:
    """With and without somebody who may frame the console; nothing is inline but what is hashed."""
    for origins in ([], [ORIGIN]):
        assert faults_of_manifest(await manifest_of(built, *origins)) == []


async def test_every_answer_is_what_the_manifest_says(
    site: aiohttp.ClientSession, built: Path
) -> None:
    """In policy, letter by letter, and content: pages, links, assets, and where nothing is."""
    manifest = await manifest_of(built, ORIGIN)
    pages = [path.replace("/l/{link}", LINK) for path, name in ADDRESSES if name]
    for path in (*pages, "/", "/nothing", "/assets/main-1.js", "/assets/relay-1.css"):
        async with site.get(path, allow_redirects=False) as answer:
            assert answer.headers.getall("Content-Security-Policy") == [policy_at(manifest, path)]
            assert not FORBIDDEN_HEADERS & {name.lower() for name in answer.headers}
            assert is_content_at(manifest, path, await answer.read()), path


async def test_every_answer_of_the_api_has_the_policy_of_the_manifest(
    site: aiohttp.ClientSession, built: Path
) -> None:
    """Also a refusal, and the logo, which has one of its own."""
    manifest = await manifest_of(built, ORIGIN)
    async with site.get("/v1/profile") as answer:
        logo = (await answer.json())["logo"]["path"]
    for path in ("/v1/profile", logo, "/v1/embedding", "/v1/messages", "/v1/nothing"):
        async with site.get(path, headers={"Accept": "application/json"}) as answer:
            assert answer.headers.getall("Content-Security-Policy") == [policy_at(manifest, path)]


async def test_a_manifest_of_another_relay_does_not_fit(
    site: aiohttp.ClientSession, built: Path
) -> None:
    """Who may frame the console is in its policy, so a manifest is of one setting of it."""
    manifest = await manifest_of(built)
    async with site.get("/console") as answer:
        assert answer.headers["Content-Security-Policy"] != policy_at(manifest, "/console")
    assert not is_content_at(manifest, "/console", b"<title>another</title>")


async def test_the_webassembly_in_a_script_is_named(tmp_path: Path) -> None:
    """By the SHA-256 of its bytes, from the base64 in which a script has it."""
    text = f"const wasm = `{base64.b64encode(MODULE).decode()}`;"
    manifest = await manifest_of(build(tmp_path / "pages", {"assets/sodium-1.js": text}))
    digest = base64.urlsafe_b64encode(hashlib.sha256(MODULE).digest()).decode().rstrip("=")
    assert manifest["wasm"] == [digest]


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        ("default-src 'self'", "without object-src"),
        ("default-src *", "default-src *"),
        ("default-src 'none'; script-src 'self' 'unsafe-eval'", "script-src 'unsafe-eval'"),
        ("default-src 'none'; script-src 'unsafe-inline'", "script-src 'unsafe-inline'"),
        ("default-src 'none'; script-src 'nonce-x'", "script-src 'nonce-x'"),
        ("default-src 'none'; worker-src blob:", "worker-src blob:"),
        ("default-src 'none'; frame-src https://a.example", "frame-src https://a.example"),
        ("default-src 'none', default-src *", "a comma"),
    ],
)
def test_a_policy_that_webcat_refuses_is_found(policy: str, fault: str) -> None:
    """The rules here refuse what its own refuse."""
    assert fault in faults_of_policy(policy)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"files": {}}, "without files"),
        ({"default_index": "/kiosk"}, "no file at default_index"),
        ({"default_fallback": "kiosk"}, "no file at default_fallback"),
        ({"default_csp": ""}, "without default_csp"),
        ({"extra_csp": {"console": "default-src 'none'"}}, "extra_csp console"),
    ],
)
async def test_a_manifest_that_webcat_refuses_is_found(
    built: Path, change: Mapping[str, object], fault: str
) -> None:
    """As above, for the manifest."""
    assert fault in faults_of_manifest({**await manifest_of(built), **change})
