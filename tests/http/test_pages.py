"""The pages as they are served: only what was built, compressed, held in by headers, in no frame."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import hdrs, web

from relay.app import create_app
from relay.errors import ConfigurationError
from relay.handlers.pages import PAGES
from relay.services import pages
from relay.services.pages import Pages, embed_origins
from relay.settings import Settings

IMPORT_MAP = '{"integrity":{"/assets/main-1.js":"sha384-x"}}'
DOCUMENT = f'<title>relay</title><script type="importmap">{IMPORT_MAP}</script>'
SCRIPT = "export const sealed = true;\n" * 40
ORIGIN = "https://cases.example"


def build(folder: Path) -> Path:
    """A folder as the build of the pages leaves it, small."""
    files = {
        "participant.html": DOCUMENT,
        "console.html": DOCUMENT,
        "sw.js": SCRIPT,
        "embed.js": SCRIPT,
        "assets/main-1.js": SCRIPT,
        "assets/relay-1.css": "main { color: black }",
    }
    (folder / "assets").mkdir(parents=True)
    hashes = {}
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
        digest = base64.b64encode(hashlib.sha384(text.encode()).digest()).decode()
        hashes[name] = f"sha384-{digest}"
    (folder / "secret.txt").write_text("not for anybody")
    (folder / "integrity.json").write_text(json.dumps(hashes))
    return folder


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder from which relay takes its pages."""
    folder = build(tmp_path / "pages")
    monkeypatch.setattr("relay.app.BUILT", folder)
    return folder


@pytest.fixture
async def site(built: Path, relay_settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """A relay that serves them, with one origin that may embed the console."""
    settings = dataclasses.replace(relay_settings, embed_origins=ORIGIN)
    runner = web.AppRunner(create_app(settings))
    await runner.setup()
    address = web.TCPSite(runner, "127.0.0.1", 0)
    await address.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{port}", auto_decompress=False, headers={"Accept-Encoding": "identity"}
    ) as session:
        yield session
    await runner.cleanup()


def policy_of(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """The content security policy of an answer, by directive."""
    directives = answer.headers[hdrs.CONTENT_SECURITY_POLICY].split("; ")
    return {name: rest for name, _, rest in (text.partition(" ") for text in directives)}


async def test_documents_run_nothing_but_their_own_code(site: aiohttp.ClientSession) -> None:
    """No inline code but the import map, by its hash; no other origin for anything; Trusted Types."""
    for path in ("/l/5a6c1d9e-4f53-4b0e-8a2e-9d8a6f3c2b10", "/receipt", "/console"):
        async with site.get(path) as answer:
            assert answer.status == 200
            assert answer.content_type == "text/html"
            assert await answer.text() == DOCUMENT
            policy = policy_of(answer)
            digest = base64.b64encode(hashlib.sha256(IMPORT_MAP.encode()).digest()).decode()
            assert policy["script-src"] == f"'self' 'wasm-unsafe-eval' 'sha256-{digest}'"
            assert policy["default-src"] == "'none'"
            assert policy["style-src"] == policy["connect-src"] == "'self'"
            assert policy["require-trusted-types-for"] == "'script'"
            assert "unsafe-inline" not in str(policy)
            assert "http" not in str({**policy, "frame-ancestors": ""})
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "geolocation=()" in answer.headers["Permissions-Policy"]
            assert answer.headers[hdrs.CACHE_CONTROL] == "no-cache"


async def test_only_named_origins_frame_the_console_and_nobody_the_rest(
    site: aiohttp.ClientSession,
) -> None:
    """The console lists its origins exactly; a participant's page is in no frame at all."""
    async with site.get("/console") as answer:
        assert policy_of(answer)["frame-ancestors"] == ORIGIN
    async with site.get("/receipt") as answer:
        assert policy_of(answer)["frame-ancestors"] == "'none'"
        assert answer.headers["X-Frame-Options"] == "DENY"
    async with site.get("/v1/embedding") as answer:
        assert await answer.json() == {"origins": [ORIGIN]}


async def test_assets_are_kept_for_good_and_scripts_have_a_policy_of_their_own(
    site: aiohttp.ClientSession,
) -> None:
    """Their names hold their hashes; a worker is held to the policy of its own script."""
    async with site.get("/assets/main-1.js") as answer:
        assert "immutable" in answer.headers[hdrs.CACHE_CONTROL]
        assert policy_of(answer)["connect-src"] == "'self'"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    async with site.get("/sw.js") as answer:
        assert answer.headers["Service-Worker-Allowed"] == "/"
        assert answer.headers[hdrs.CACHE_CONTROL] == "no-cache"
    async with site.get("/embed.js") as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/secret.txt",
        "/assets/..%2fsecret.txt",
        "/assets/%2e%2e/secret.txt",
        "/assets/main-1.js.gz",
        "/assets/..%2f..%2fetc%2fpasswd",
        "/secret.txt",
        "/integrity.json",
        "/participant.html",
    ],
)
async def test_nothing_else_is_served(site: aiohttp.ClientSession, path: str) -> None:
    """Only what the build listed has an address, however the address is written."""
    async with site.get(path) as answer:
        assert answer.status == 404
        assert "not for anybody" not in await answer.text()


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("br;q=1, gzip;q=0", None),
        ("gzip;q=0.0", None),
        ("identity", None),
        ("", None),
    ],
)
async def test_compression_is_as_the_caller_takes_it(
    site: aiohttp.ClientSession, accepted: str, coding: str | None
) -> None:
    """Compressed where both can, whole otherwise, and caches are told what it depends on."""
    async with site.get("/assets/main-1.js", headers={hdrs.ACCEPT_ENCODING: accepted}) as answer:
        assert answer.headers.get(hdrs.CONTENT_ENCODING) == coding
        content = await answer.read()
        assert (gzip.decompress(content) if coding else content).decode() == SCRIPT
        assert answer.headers[hdrs.VARY] == "Accept-Encoding"


async def test_what_is_known_is_not_sent_again(site: aiohttp.ClientSession) -> None:
    """With the tag of the copy that a browser has, the answer is 304 and empty, with the same policy."""
    async with site.get("/console") as first:
        tag = first.headers[hdrs.ETAG]
    for known in (tag, f'"other", W/{tag}'):
        async with site.get("/console", headers={hdrs.IF_NONE_MATCH: known}) as again:
            assert (again.status, await again.read()) == (304, b"")
            assert again.headers[hdrs.CONTENT_SECURITY_POLICY]
    async with site.get("/console", headers={hdrs.IF_NONE_MATCH: '"other"'}) as answer:
        assert answer.status == 200


async def test_every_page_answers_head_too(site: aiohttp.ClientSession) -> None:
    """HEAD has the headers of GET and no body."""
    for page in PAGES:
        path = re.sub(r"\{asset\}", "main-1.js", re.sub(r"\{link\}", "x", page.path))
        async with site.request(page.method, path) as answer:
            assert answer.status == 200, path
            assert (await answer.read() == b"") == (page.method == "HEAD")


def test_a_page_that_is_not_the_one_that_was_built_stops_relay(built: Path) -> None:
    """A changed file is noticed before it is served to anybody."""
    (built / "sw.js").write_text("altered")
    with pytest.raises(ConfigurationError, match=r"sw\.js"):
        Pages.read(built, embed_origins=(), public_url="http://127.0.0.1")


def test_pages_that_were_not_built_are_said_to_be_missing(tmp_path: Path) -> None:
    """The API works without them; whoever asks for a page is told what to do."""
    none = Pages.read(tmp_path, embed_origins=(), public_url="http://127.0.0.1")
    with pytest.raises(pages.PagesNotBuilt):
        none.find("console.html")


def test_strict_transport_is_asked_for_where_there_is_transport_security(built: Path) -> None:
    """A relay behind TLS tells browsers to stay there; one on loopback does not."""
    for url, strict in (("https://relay.example", True), ("http://127.0.0.1:8080", False)):
        page = Pages.read(built, embed_origins=(), public_url=url).find("console.html")
        assert ("Strict-Transport-Security" in page.headers) == strict


@pytest.mark.parametrize(
    "setting",
    ["*", "https://*.example", "https://cases.example/", "cases.example", "https://a b", "null"],
)
def test_an_origin_is_exact_or_refused(setting: str) -> None:
    """No wildcards, no paths, no bare names: a mistake here would let strangers frame the console."""
    with pytest.raises(ConfigurationError):
        embed_origins(setting)


def test_origins_are_read_one_by_one() -> None:
    """Commas part them, spaces do not matter."""
    setting = " https://cases.example , http://127.0.0.1:9000,"
    assert embed_origins(setting) == ("https://cases.example", "http://127.0.0.1:9000")
