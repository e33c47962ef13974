"""The net catches: a planted secret is found by every way out, in every spelling, in whatever process."""

from __future__ import annotations

import contextlib
import logging
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from aiohttp import web

from relay.logs import members
from relay.metrics import HTTP_REQUESTS
from relay.tracing import spans
from tests.support.privacy import leaving
from tests.support.privacy.forms import FORMS, pieces
from tests.support.privacy.net import Exit, Finding, another_net, net
from tests.support.privacy.plugin import NAME, Searching
from tests.support.receivers import receiving_host

TEXT: Final = "Cet été où nous sommes rentrés trop tard, à Noël"
ROOT: Final = Path(__file__).parents[2]


def line(words: str) -> None:
    """The message of a line of the log."""
    logging.getLogger("relay.planted").info("stored %s", words)


def member(words: str) -> None:
    """A member of a line."""
    logging.getLogger("workers.planted").warning("stored", extra=members(what=words))


def span(words: str) -> None:
    """An attribute of a span."""
    with spans.trace("planted", attributes={"what": words}):
        pass


def inner(words: str) -> None:
    """The name of a span inside of another."""
    with spans.trace("planted"), spans.span(words):
        pass


def label(words: str) -> None:
    """The value of a label."""
    HTTP_REQUESTS.labels(words, "GET", "2xx").inc()
    net().leaves(Exit.METRIC, leaving.metrics())
    HTTP_REQUESTS.remove(words, "GET", "2xx")


@contextlib.asynccontextmanager
async def serving(
    handle: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[str]:
    """An application that answers so."""
    application = web.Application()
    application.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def fetch(url: str) -> None:
    """Ask for it."""
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        await answer.read()


async def refusal(words: str) -> None:
    """The body of a problem document."""

    async def refuse(_request: web.Request) -> web.StreamResponse:
        document = {"detail": words}
        return web.json_response(document, status=400, content_type=leaving.PROBLEM)

    async with serving(refuse) as url:
        await fetch(url)


async def challenge(words: str) -> None:
    """A header of a problem document."""

    async def refuse(_request: web.Request) -> web.StreamResponse:
        headers = {"WWW-Authenticate": f"Bearer {words}"}
        return web.json_response({}, status=401, content_type=leaving.PROBLEM, headers=headers)

    async with serving(refuse) as url:
        await fetch(url)


async def scraped(words: str) -> None:
    """What a process measures, as it is asked."""

    async def measure(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=f'relay_planted{{what="{words}"}} 1\n')

    async with serving(measure) as url:
        await fetch(f"{url}/metrics")


async def feed(words: str) -> None:
    """An event of a live feed."""

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": leaving.FEED})
        await response.prepare(request)
        await response.write(f"data: {words}\n\n".encode())
        return response

    async with serving(stream) as url:
        await fetch(url)


async def webhook(words: str) -> None:
    """The body of a webhook."""
    async with (
        receiving_host() as host,
        aiohttp.ClientSession() as http,
        http.post(host.url, data=words.encode(), headers={"webhook-id": "1"}) as answer,
    ):
        assert answer.ok


WAYS: Final[Mapping[Exit, tuple[Callable[[str], Awaitable[None] | None], ...]]] = {
    Exit.LOG: (line, member),
    Exit.TRACE: (span, inner),
    Exit.METRIC: (label, scraped),
    Exit.PROBLEM: (refusal, challenge),
    Exit.WEBHOOK: (webhook,),
    Exit.FEED: (feed,),
}
PLANTS: Final = [(way, plant) for way, plants in WAYS.items() for plant in plants]


@pytest.fixture(autouse=True)
def searching(request: pytest.FixtureRequest) -> Searching:
    """What listens in this process; what was heard before is heard again."""
    found = request.config.pluginmanager.get_plugin(NAME)
    assert isinstance(found, Searching)
    found.hand_over()
    return found


def named(value: object) -> str:
    """How a case is called."""
    return str(getattr(value, "__name__", getattr(value, "name", value)))


@pytest.mark.parametrize(("way", "plant"), PLANTS, ids=named)
@pytest.mark.parametrize("form", FORMS)
async def test_a_planted_secret_is_found(
    way: Exit,
    plant: Callable[[str], Awaitable[None] | None],
    form: str,
    chance: random.Random,
    request: pytest.FixtureRequest,
) -> None:
    """With its kind, its way out and the test; and told once."""
    token = "".join(chance.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789-_", k=43))
    secrets = [token.encode(), TEXT.encode()]
    if form != "as it is":
        secrets.append(chance.randbytes(16))
    for secret in secrets:
        spelled = FORMS[form](secret).decode()
        if plant is challenge and not spelled.isascii():
            continue  # no header holds it
        with another_net() as own:
            own.know("planted", secret)
            planted = plant(spelled)
            if planted is not None:
                await planted
            [found] = own.look()
            assert found == Finding("planted", way, request.node.nodeid)
            assert own.look() == []


@pytest.mark.parametrize(("way", "plant"), PLANTS, ids=named)
async def test_what_is_no_secret_is_not_found(
    way: Exit, plant: Callable[[str], Awaitable[None] | None], chance: random.Random
) -> None:
    """By the same ways; that something left by them is known."""
    with another_net() as own:
        own.know("planted", chance.randbytes(16))
        planted = plant("a short word and a longer sentence")
        if planted is not None:
            await planted
        assert way in own.exits
        assert own.look() == []


@pytest.mark.parametrize("length", [70, 200, 5000])
def test_a_part_of_a_content_is_found(length: int, chance: random.Random) -> None:
    """Half of a letter that was quoted in a line, wherever the half begins."""
    content = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz ,.", k=length))
    assert 1 <= len(pieces(content.encode())) <= 12
    begin = chance.randrange(length // 2 + 1)
    with another_net() as own:
        own.know_content("a letter", content)
        line(content[begin : begin + length // 2 + 1])
        assert [found.kind for found in own.look()] == ["a letter"]


@pytest.mark.parametrize("secret", ["short", "aaaaaaaabbbbbbbbb", "unauthenticated", bytes(32)])
def test_what_is_too_short_or_too_plain_is_left_out(secret: str | bytes) -> None:
    """Fewer than eight bytes, fewer than five different ones, or what relay itself is written in."""
    with another_net() as own:
        own.know("planted", secret)
        line(secret if isinstance(secret, str) else secret.hex())
        assert own.look() == []


INSIDE: Final[Mapping[Exit, str]] = {
    Exit.LOG: "import sys; print(WORDS, file=sys.stderr)",
    Exit.TRACE: "from relay.tracing import spans\nwith spans.trace('planted', attributes={'a': WORDS}): pass",
    Exit.PROBLEM: """
import asyncio, aiohttp
from aiohttp import web
async def refuse(request): return web.json_response(
    {"detail": WORDS}, status=400, content_type="application/problem+json")
async def main():
    application = web.Application(); application.router.add_get("/", refuse)
    runner = web.AppRunner(application); await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        await http.get(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    await runner.cleanup()
asyncio.run(main())
""",
}
"""What a process of its own says, by way."""


@pytest.mark.parametrize("way", INSIDE)
@pytest.mark.parametrize("is_waited_for", [True, False])
def test_a_secret_in_a_process_of_its_own_is_found(
    way: Exit,
    is_waited_for: bool,  # noqa: FBT001 - a case
    tmp_path: Path,
    searching: Searching,
) -> None:
    """In the file that it writes its log to, and where it leaves otherwise."""
    program = f"WORDS = 'a-token-that-was-made-up'\n{INSIDE[way]}"
    command = [sys.executable, "-c", program, "relay", "serve"]
    with another_net() as own:
        own.know("planted", "a-token-that-was-made-up")
        if is_waited_for:
            subprocess.run(command, check=True, capture_output=True)
        else:
            log = tmp_path / "web.log"
            with log.open("ab") as stream, subprocess.Popen(command, stderr=stream) as process:
                assert process.wait(30) == 0
            log.unlink()
        searching.hand_over()
        assert {(found.kind, found.exit) for found in own.look()} == {("planted", way)}


PLANTED: Final = """
import logging
from relay.crypto.signing import Signer

def test_that_logs_a_key():
    logging.getLogger("relay.planted").info("made %s", Signer.generate().seed.hex())

def test_that_does_not():
    logging.getLogger("relay.planted").info("made")
"""


def test_a_run_that_finds_something_fails(tmp_path: Path) -> None:
    """It says which test, what kind of secret and which way out; and not the secret."""
    file = tmp_path / "test_planted.py"
    file.write_text(PLANTED)
    options = (
        "-p",
        "tests.support.privacy.plugin",
        "-q",
        "--rootdir",
        str(tmp_path),
        "--noconftest",
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-c", "/dev/null", str(file)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert run.returncode == 1
    assert "2 passed, 1 error" in run.stdout
    assert (
        "a private key is in a line of the log, of test_planted.py::test_that_logs_a_key"
        in run.stdout
    )
