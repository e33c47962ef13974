"""Whoever checks a relay is told what of its pages differs from a release: in content, headers or number."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gzip
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
import brotli
import pytest
from aiohttp import hdrs, web
from multidict import CIMultiDict
from typer.testing import CliRunner

from relay.__main__ import program
from relay.app import create_app
from relay.client.opening_codings import CODINGS
from relay.client.page_releases import Release
from relay.client.verifying_pages import Finding, RelayAway, verify_pages
from relay.crypto.keyfiles import load_signer_file
from relay.crypto.notes import NoteKey, NoteUnusable
from relay.services.pages import hashes_of_build
from relay.settings import Settings
from tests.support.built_pages import DOCUMENT, SCRIPT, build

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ORIGIN: Final = "https://cases.example"
NAME: Final = "relay.example/releases"
KIOSK: Final = "/kiosk"
CONSOLE: Final = "/console"
ASSET: Final = "/assets/main-1.js"
COMPRESS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


@dataclasses.dataclass(slots=True)
class Answer:
    """What a proxy is about to pass on, to be changed."""

    path: str
    coding: str
    """What was asked for."""
    status: int
    headers: CIMultiDict[str]
    content: bytes


Alter = Callable[[Answer], None]


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder from which relay takes its pages."""
    folder = build(tmp_path / "pages")
    monkeypatch.setattr("relay.app.BUILT", folder)
    return folder


@pytest.fixture
def release(built: Path) -> Release:
    """What is said of these pages."""
    return Release("0.1.0", hashes_of_build(built))


@contextlib.asynccontextmanager
async def serving(application: web.Application) -> AsyncIterator[str]:
    """An application on a port of its own."""
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def site(built: Path, relay_settings: Settings) -> AsyncIterator[str]:
    """A relay that serves them, with one origin that may embed the console."""
    settings = dataclasses.replace(relay_settings, embed_origins=ORIGIN)
    async with serving(create_app(settings)) as url:
        yield url


@contextlib.asynccontextmanager
async def before(url: str, alter: Alter) -> AsyncIterator[str]:
    """Somebody between a relay and whoever asks it."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def passed(request: web.Request) -> web.StreamResponse:
            headers = {name: request.headers[name] for name in (hdrs.ACCEPT, hdrs.ACCEPT_ENCODING)}
            async with session.get(url + request.path, headers=headers) as answer:
                found = Answer(
                    request.path,
                    headers[hdrs.ACCEPT_ENCODING],
                    answer.status,
                    CIMultiDict(answer.headers),
                    await answer.read(),
                )
            alter(found)
            for name in (hdrs.CONTENT_LENGTH, hdrs.TRANSFER_ENCODING):
                found.headers.popall(name, None)
            return web.Response(status=found.status, headers=found.headers, body=found.content)

        application = web.Application()
        application.router.add_get("/{path:.*}", passed)
        async with serving(application) as between:
            yield between


async def found_at(url: str, release: Release, **options: Any) -> list[Finding]:
    """Every difference, as it is told."""
    return list((await verify_pages(url, release, **options)).findings)


def at(path: str, coding: str, change: Alter) -> Alter:
    """A change of one answer alone."""

    def alter(answer: Answer) -> None:
        if (answer.path, answer.coding) == (path, coding):
            change(answer)

    return alter


async def test_a_relay_with_the_pages_of_a_release_is_said_to_have_them(
    site: str, release: Release
) -> None:
    """Every address in every coding; who may frame the console is told, and held to what is expected."""
    verified = await verify_pages(site, release, origins=[ORIGIN])
    assert (verified.findings, verified.origins) == ((), (ORIGIN,))
    assert verified.addresses == 13
    assert verified.answers == 13 * len(CODINGS)
    [(address, _coding, said)] = await found_at(site, release, origins=[])
    assert (address, said) == ("/v1/embedding", f"the console may be framed by {ORIGIN}")


async def test_a_proxy_that_compresses_is_none_of_what_differs(site: str, release: Release) -> None:
    """Whatever coding it takes, what is inside is what counts."""

    def compress(answer: Answer) -> None:
        if hdrs.CONTENT_ENCODING not in answer.headers:
            answer.content = COMPRESS[answer.coding](answer.content)
            if answer.coding != "identity":
                answer.headers[hdrs.CONTENT_ENCODING] = answer.coding
        answer.headers[hdrs.VARY] = "Origin, Accept-Encoding"
        answer.headers["Via"] = "1.1 proxy"

    async with before(site, compress) as url:
        assert await found_at(url, release) == []


def replaced(answer: Answer, content: bytes) -> None:
    """Other content, in the coding that the answer says it has."""
    coding = answer.headers.get(hdrs.CONTENT_ENCODING, "identity")
    answer.content = COMPRESS[coding](content)


def one_byte(answer: Answer) -> None:
    """The first byte of what a browser shows is another one."""
    replaced(answer, b"=" + DOCUMENT.encode()[1:])


async def test_a_page_with_one_byte_changed_is_found(site: str, release: Release) -> None:
    """In one coding alone, whichever it is; also the page that stands where nothing is."""
    for path in (KIOSK, CONSOLE, "/receipt", "/"):
        for coding in CODINGS:
            async with before(site, at(path, coding, one_byte)) as url:
                assert await found_at(url, release) == [(path, coding, "another content")]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/sw.js", f"{SCRIPT}fetch('https://elsewhere.example');"),
        (ASSET, f"{SCRIPT} "),
        ("/embed.js", ""),
        ("/openapi.yaml", "openapi: 3.1.0\n"),
    ],
)
async def test_a_file_that_is_another_in_its_gzip_copy_alone_is_found(
    site: str, release: Release, path: str, content: str
) -> None:
    """The service worker, an asset, what embeds the console, and the description of the API."""
    alter = at(path, "gzip", lambda answer: replaced(answer, content.encode()))
    async with before(site, alter) as url:
        assert await found_at(url, release) == [(path, "gzip", "another content")]


def removing(name: str) -> Alter:
    """Without a header."""

    def change(answer: Answer) -> None:
        answer.headers.popall(name, None)

    return change


def setting(name: str, value: str) -> Alter:
    """With a header, in place of one with its name."""

    def change(answer: Answer) -> None:
        answer.headers[name] = value

    return change


def adding(name: str, value: str) -> Alter:
    """With a header more."""
    return lambda answer: answer.headers.add(name, value)


async def test_a_header_that_is_missing_is_named(site: str, release: Release) -> None:
    """In one coding of one page, each header that a page has."""
    for name in (
        *("Content-Security-Policy", "Cross-Origin-Opener-Policy", "Permissions-Policy"),
        *("Cross-Origin-Resource-Policy", "Referrer-Policy", "X-Content-Type-Options"),
        *("X-Frame-Options", "Cache-Control", "Vary"),
    ):
        async with before(site, at(KIOSK, "br", removing(name))) as url:
            assert await found_at(url, release) == [(KIOSK, "br", f"without {name}")]


ANOTHER_HEADER: Final[tuple[tuple[Alter, str], ...]] = (
    (
        setting("Content-Security-Policy", "default-src *"),
        "with Content-Security-Policy: default",
    ),
    (adding("Content-Security-Policy", "default-src *"), "more than once"),
    (setting("Permissions-Policy", "camera=*"), "with Permissions-Policy: camera=*"),
    (setting("Content-Type", "text/html"), "with Content-Type: text/html"),
    (setting("Cache-Control", "public, max-age=31536000"), "with Cache-Control: public"),
    (adding("Link", '</x.js>; rel="modulepreload"'), "with link, which relay does not send"),
    (adding("Refresh", "0; url=https://elsewhere.example"), "with refresh, which"),
    (adding("Service-Worker-Allowed", "/"), "with service-worker-allowed, which"),
    (adding("Set-Cookie", "who=1"), "with set-cookie, which"),
    (adding("Access-Control-Allow-Origin", "*"), "with access-control-allow-origin, which"),
    (adding("SourceMap", "/x.map"), "with sourcemap, which"),
    (
        adding("Reporting-Endpoints", 'x="https://elsewhere.example"'),
        "with reporting-endpoints",
    ),
    (adding("Content-Security-Policy-Report-Only", "report-uri /x"), "report-only, which"),
    (setting("Strict-Transport-Security", "max-age=0"), "Strict-Transport-Security: max-age=0"),
)


async def test_a_header_that_is_another_or_more_is_named(site: str, release: Release) -> None:
    """Weaker, twice, or one that announces a script, a worker, a cookie or another place."""
    for change, said in ANOTHER_HEADER:
        async with before(site, at(CONSOLE, "identity", change)) as url:
            [(address, coding, told)] = await found_at(url, release)
            assert (address, coding) == (CONSOLE, "identity")
            assert said in told


async def test_a_console_that_more_may_frame_is_found(site: str, release: Release) -> None:
    """By the policy of the page, beside what relay says of it."""

    def open_up(answer: Answer) -> None:
        policy = answer.headers["Content-Security-Policy"]
        answer.headers["Content-Security-Policy"] = policy.replace(ORIGIN, f"{ORIGIN} *")

    async with before(site, at(CONSOLE, "gzip", open_up)) as url:
        [(address, _coding, said)] = await found_at(url, release)
        assert address == CONSOLE
        assert "frame-ancestors https://cases.example *" in said


@pytest.mark.parametrize("path", ["/service-worker.js", "/assets/index.js", "/manifest.json"])
async def test_a_script_that_no_release_has_is_found(
    site: str, release: Release, path: str
) -> None:
    """At the addresses where one is usual."""

    def serve(answer: Answer) -> None:
        answer.status, answer.content = 200, b"alert(1)"

    async with before(site, at(path, "identity", serve)) as url:
        assert await found_at(url, release) == [
            (path, "identity", "answered 200 where nothing is to be")
        ]


async def test_a_list_with_another_file_is_found(site: str, release: Release) -> None:
    """A file more, a file less, and another hash are named."""
    alter = at(
        "/integrity.json",
        "identity",
        lambda answer: replaced(answer, b'{"sw.js": "sha384-x", "assets/more.js": "sha384-y"}'),
    )
    async with before(site, alter) as url:
        said = {said for _address, _coding, said in await found_at(url, release)}
    assert "lists assets/more.js, which is not in the release" in said
    assert "lists another hash of sw.js" in said
    assert "lists no embed.js" in said


@pytest.mark.parametrize(
    ("location", "status"),
    [("https://elsewhere.example/console", 302), ("/console?", 307), ("//elsewhere.example", 301)],
)
async def test_a_redirect_is_not_followed_and_named(
    site: str, release: Release, location: str, status: int
) -> None:
    """Wherever it leads, a page comes from its own address."""

    def lead(answer: Answer) -> None:
        answer.status = status
        answer.headers["Location"] = location

    async with before(site, at(CONSOLE, "br", lead)) as url:
        assert await found_at(url, release) == [
            (CONSOLE, "br", f"answered {status} and not 200, leading to {location}")
        ]


@pytest.mark.parametrize(
    ("coding", "content", "said"),
    [
        ("gzip", gzip.compress(SCRIPT.encode())[:-9], "no whole gzip"),
        ("gzip", gzip.compress(SCRIPT.encode()) + b"more", "no whole gzip"),
        ("gzip", b"no gzip at all", "no gzip"),
        ("br", brotli.compress(SCRIPT.encode())[:-1], "no whole br"),
        ("br", b"\xff\xff\xff no Brotli", "no br"),
        ("gzip", gzip.compress(bytes(65 * 1024 * 1024)), "no whole gzip"),
        ("br", brotli.compress(bytes(65 * 1024 * 1024), quality=1), "no whole br"),
    ],
    ids=["cut", "longer", "other", "cut br", "other br", "large", "large br"],
)
async def test_a_copy_that_does_not_open_is_named(
    site: str, release: Release, coding: str, content: bytes, said: str
) -> None:
    """Cut short, with something behind its end, no such coding, or opening to more than memory has."""

    def change(answer: Answer) -> None:
        answer.content = content

    async with before(site, at(ASSET, coding, change)) as url:
        [(address, asked, told)] = await found_at(url, release)
        assert (address, asked) == (ASSET, coding)
        assert said in told


async def test_a_coding_that_nobody_asked_for_is_named(site: str, release: Release) -> None:
    """A browser that did not ask for it could read it otherwise."""
    alter = at(ASSET, "identity", setting(hdrs.CONTENT_ENCODING, "zstd"))
    async with before(site, alter) as url:
        [(_address, _coding, said)] = await found_at(url, release)
        assert said == "coded as zstd, which nobody asked for"


async def test_an_older_build_is_found(site: str, release: Release) -> None:
    """Every file that has changed since, at each of its addresses."""
    hashes = {**release.hashes, "console.html": release.hashes["sw.js"], "assets/new-2.js": "x"}
    said = await found_at(site, Release("0.2.0", hashes))
    assert {(address, what) for address, _coding, what in said} == {
        (CONSOLE, "another content"),
        ("/integrity.json", "lists another hash of console.html"),
        ("/integrity.json", "lists no assets/new-2.js"),
        ("/assets/new-2.js", "answered 404 and not 200"),
    }


async def test_a_relay_that_is_away_is_said_to_be(unused_tcp_port: int, release: Release) -> None:
    """Nothing is said of pages that nobody served."""
    with pytest.raises(RelayAway):
        await verify_pages(f"http://127.0.0.1:{unused_tcp_port}", release)


async def run(*arguments: str | Path) -> tuple[int, str]:
    """`relay` with these arguments: its exit code, and what it printed."""
    app = program(["pages", "verify-pages"])
    done = await asyncio.to_thread(CliRunner().invoke, app, [str(one) for one in arguments])
    return (
        done.exit_code,
        done.output if done.exception is None else f"{done.exception}{done.output}",
    )


async def vouched(folder: Path, pages: Path, name: str = NAME) -> tuple[str, Path]:
    """The public key, and a note that it signed."""
    key, note = folder / f"{name.replace('/', '-')}.key", folder / f"{name.replace('/', '-')}.note"
    _code, public = await run("pages", "key", "--name", name, "-o", key)
    code, said = await run("pages", "sign", pages, "--key", key, "--name", name, "-o", note)
    assert code == 0, said
    assert str(NoteKey(name, load_signer_file(key).public_key)) == public.strip()
    return public.strip(), note


async def test_anybody_holds_a_relay_to_a_signed_note(
    site: str, built: Path, tmp_path: Path
) -> None:
    """With the note and the public key alone; two may sign it, and either is enough."""
    key, note = await vouched(tmp_path, built)
    code, said = await run("verify-pages", site, "--note", note, "--key", key)
    assert (code, said.splitlines()[-1]) == (
        0,
        f"52 answers of 13 addresses against release 0.1.0, signed by {NAME}: no differences",
    )
    another, _note = await vouched(tmp_path, built, "auditor.example")
    both = tmp_path / "both.note"
    signing = ("--key", tmp_path / "auditor.example.key", "--name", "auditor.example")
    await run("pages", "sign", built, *signing, "--beside", note, "-o", both)
    for keys in ([key], [another], [key, another]):
        options: list[str | Path] = [option for one in keys for option in ("--key", one)]
        code, said = await run("verify-pages", site, "--note", both, *options)
        assert code == 0, said
    (built / "integrity.json").write_text("{}")
    code, said = await run("pages", "sign", built, *signing, "--beside", note, "-o", tmp_path / "x")
    assert code != 0


async def test_a_relay_that_differs_ends_the_command_with_1(
    site: str, built: Path, tmp_path: Path
) -> None:
    """And each difference is a line; against a build without a note as well."""
    key, note = await vouched(tmp_path, built)
    async with before(site, at(KIOSK, "gzip", one_byte)) as url:
        for against in (("--note", note, "--key", key), ("--build", built)):
            code, said = await run("verify-pages", url, *against)
            assert code == 1
            assert "DIFFERENT  /kiosk (gzip): another content\n" in said
            assert said.splitlines()[-1].endswith(": 1 differences")
    code, said = await run("verify-pages", site, "--build", built, "--embed-origin", ORIGIN)
    assert code == 0, said


def _cut(note: str) -> str:
    return note[:-30]


def _without_a_line(note: str) -> str:
    first, _second, rest = note.split("\n", 2)
    return f"{first}\n{rest}"


def _of_another(note: str) -> str:
    return note.replace("0.1.0", "0.1.1")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_cut, "cut short"),
        (_without_a_line, "does not hold for this text"),
        (_of_another, "does not hold for this text"),
    ],
)
async def test_a_note_that_was_changed_is_refused(
    site: str, built: Path, tmp_path: Path, change: Callable[[str], str], said: str
) -> None:
    """Nothing is fetched by it."""
    key, note = await vouched(tmp_path, built)
    note.write_text(change(note.read_text()))
    code, told = await run("verify-pages", site, "--note", note, "--key", key)
    assert code == 1
    assert said in told


async def test_a_note_of_another_key_is_refused(site: str, built: Path, tmp_path: Path) -> None:
    """Also where the other one has the same name."""
    _key, note = await vouched(tmp_path, built)
    (tmp_path / "other").mkdir()
    for name in (NAME, "another.example"):
        stranger, _note = await vouched(tmp_path / "other", built, name)
        code, told = await run("verify-pages", site, "--note", note, "--key", stranger)
        assert code == 1
        assert "none of the keys given" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify-pages", "relay.example"],
        ["verify-pages", "https://relay.example", "--note", "x"],
        ["verify-pages", "https://relay.example", "--key", "x"],
        ["verify-pages", "https://relay.example", "--build", "nowhere"],
        ["pages", "hash", "nowhere"],
    ],
)
async def test_misuse_ends_the_commands_with_2(arguments: Sequence[str]) -> None:
    """No address, half of a note, and no build."""
    assert (await run(*arguments))[0] == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "relay pages 0.1.0\n",
        "relay 0.1.0\n",
        f"relay pages 0.1.0\nsha384-{'A' * 64} b.js\nsha384-{'A' * 64} a.js\n",
        f"relay pages 0.1.0\nsha384-{'A' * 64} a.js\nsha384-{'A' * 64} a.js\n",
        f"relay pages 0.1.0\nsha384-{'A' * 63} a.js\n",
        f"relay pages 0.1.0\nsha384-{'A' * 64} ../a.js\n",
        f"relay pages 0.1.0\n\nsha384-{'A' * 64} a.js\n",
    ],
)
def test_another_text_is_of_no_release(text: str) -> None:
    """No files, another text, another order, a file twice, a short hash, another folder, an empty line."""
    with pytest.raises(NoteUnusable):
        Release.parse(text)


def test_the_text_of_a_release_is_read_as_it_was_written(release: Release) -> None:
    """One text for one build."""
    assert Release.parse(release.text) == release
