"""The pages as they are served: only what was built, compressed, held in by headers, in no frame."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import hdrs, web

from relay.app import create_app
from relay.domain.page_rules import integrity_of
from relay.errors import ConfigurationError
from relay.handlers.pages import PAGES
from relay.services import pages
from relay.services.pages import Pages, embed_origins
from relay.settings import Settings
from tests.support.built_pages import (
    DOCUMENT,
    FILES,
    IMPORT_MAP,
    SCRIPT,
    SERVED,
    build,
    compressed,
    contents,
)

ORIGIN = "https://cases.example"


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


def read(folder: Path, public_url: str = "http://127.0.0.1") -> Pages:
    """The pages of a folder, as relay reads them when it starts."""
    return Pages.read(folder, embed_origins=(), public_url=public_url)


def policy_of(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """The content security policy of an answer, by directive."""
    directives = answer.headers[hdrs.CONTENT_SECURITY_POLICY].split("; ")
    return {name: rest for name, _, rest in (text.partition(" ") for text in directives)}


def permissions_of(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """What a document may ask a browser for, by feature."""
    features = answer.headers["Permissions-Policy"].split(", ")
    return {name: who for name, _, who in (text.partition("=") for text in features)}


async def test_documents_run_nothing_but_their_own_code(site: aiohttp.ClientSession) -> None:
    """No inline code but the import map, by its hash; no other origin for anything; Trusted Types.

    Camera and microphone are for the pages that record a video or read a link, and for no other.
    """
    for path in ("/l/5a6c1d9e-4f53-4b0e-8a2e-9d8a6f3c2b10", "/kiosk", "/receipt", "/console"):
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
            policy = permissions_of(answer)
            assert policy.pop("fullscreen") == ("()" if path == "/receipt" else "(self)")
            records = "(self)" if path.startswith(("/l/", "/kiosk")) else "()"
            assert policy.pop("camera") == policy.pop("microphone") == records
            assert "geolocation" in policy
            assert set(policy.values()) == {"()"}
            assert answer.headers[hdrs.CACHE_CONTROL] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/L/", "/l/", "/receipts", "/index.php", "/v1/nothing"])
async def test_where_nothing_is_a_person_gets_a_page_and_a_program_a_problem(
    site: aiohttp.ClientSession, path: str
) -> None:
    """The page has the policy of the others and asks for no camera; its status is 404."""
    browser = {hdrs.ACCEPT: "text/html,application/xhtml+xml,*/*;q=0.8"}
    async with site.get(path, headers=browser) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")
        assert await answer.text() == DOCUMENT
        assert policy_of(answer)["default-src"] == "'none'"
        assert permissions_of(answer)["camera"] == "()"
    async with site.head(path, headers=browser) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")
    for headers in ({}, {hdrs.ACCEPT: "application/json"}):
        async with site.get(path, headers=headers) as answer:
            assert (answer.status, answer.content_type) == (404, "application/problem+json")
            assert (await answer.json())["code"] == "no-such-route"
    async with site.post(path, headers=browser) as answer:
        assert answer.content_type == "application/problem+json"


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
        ("gzip, deflate, br", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=1, gzip;q=0", "br"),
        ("br;q=0, gzip;q=0", None),
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
        ending = {"br": ".br", "gzip": ".gz", None: ""}[coding]
        assert await answer.read() == contents()[f"assets/main-1.js{ending}"]
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


async def test_the_build_and_the_api_describe_themselves(
    site: aiohttp.ClientSession, built: Path
) -> None:
    """What was built is listed with its hashes, and the API is described, where they are used."""
    async with site.get("/integrity.json") as answer:
        assert answer.headers[hdrs.CONTENT_TYPE] == "application/json"
        assert await answer.read() == (built / "integrity.json").read_bytes()
        assert set(await answer.json()) == set(SERVED)
    async with site.get("/openapi.yaml") as answer:
        assert answer.headers[hdrs.CONTENT_TYPE] == "application/yaml"
        assert await answer.text() == FILES["openapi.yaml"]


async def test_every_page_answers_head_too(site: aiohttp.ClientSession) -> None:
    """HEAD has the headers of GET and no body."""
    for page in PAGES:
        path = re.sub(r"\{asset\}", "main-1.js", re.sub(r"\{link\}", "x", page.path))
        async with site.request(page.method, path) as answer:
            assert answer.status == 200, path
            assert (await answer.read() == b"") == (page.method == "HEAD")


def _flipped(content: bytes, _ending: str) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


def _cut(content: bytes, _ending: str) -> bytes:
    return content[:-1]


def _lengthened(content: bytes, _ending: str) -> bytes:
    return content + b"\n"


def _another(_content: bytes, ending: str) -> bytes:
    return compressed(b"alert(1)", ending)


@pytest.mark.parametrize("served", SERVED)
@pytest.mark.parametrize("alter", [_flipped, _cut, _lengthened, _another])
def test_a_file_that_is_not_the_one_that_was_built_stops_relay(
    built: Path, served: str, alter: Callable[[bytes, str], bytes]
) -> None:
    """Whole or compressed, a changed file is noticed before anybody is served it, and named."""
    altered = alter(contents()[served], Path(served).suffix)
    (built / served).write_bytes(altered)
    with pytest.raises(ConfigurationError, match=rf"{re.escape(served)} is not the one"):
        read(built)


@pytest.mark.parametrize("served", SERVED)
def test_a_file_that_is_listed_and_missing_stops_relay(built: Path, served: str) -> None:
    """A build that was copied in part is noticed as well."""
    (built / served).unlink()
    with pytest.raises(ConfigurationError, match=rf"{re.escape(served)} is missing"):
        read(built)


def test_a_copy_that_the_build_did_not_list_is_not_served(built: Path) -> None:
    """What somebody compressed afterwards is nobody's to vouch for."""
    listed = json.loads((built / "integrity.json").read_text())
    del listed["sw.js.br"]
    (built / "integrity.json").write_text(json.dumps(listed))
    page = read(built).find("sw.js")
    assert page.encoded("br, gzip") == ("gzip", contents()["sw.js.gz"])
    assert page.encoded("br") == ("identity", contents()["sw.js"])


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ("[]", "integrity.json"),
        ("{", "integrity.json"),
        ('{"sw.js": 1}', "integrity.json"),
        (json.dumps({"sw.js.br": integrity_of(compressed(SCRIPT.encode(), ".br"))}), "sw.js.br"),
        (json.dumps({"secret.md": integrity_of(b"not for anybody")}), "secret.md"),
        (json.dumps({"../stranger.js": integrity_of(b"x")}), "stranger.js"),
    ],
)
def test_a_list_that_no_build_writes_stops_relay(built: Path, listed: str, said: str) -> None:
    """No list, a copy of nothing, a kind of file that pages do not have, a file from elsewhere."""
    (built.parent / "stranger.js").write_text("x")
    (built / "secret.md").write_text("not for anybody")
    (built / "integrity.json").write_text(listed)
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        read(built)


def test_pages_that_were_not_built_are_said_to_be_missing(tmp_path: Path) -> None:
    """The API works without them; anyone who asks for a page is told what to do."""
    none = read(tmp_path)
    with pytest.raises(pages.PagesNotBuilt):
        none.find("console.html")


def test_strict_transport_is_asked_for_where_there_is_transport_security(built: Path) -> None:
    """A relay behind TLS tells browsers to stay there; one on loopback does not."""
    for url, strict in (("https://relay.example", True), ("http://127.0.0.1:8080", False)):
        page = read(built, url).find("console.html")
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
