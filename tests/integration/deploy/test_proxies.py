"""The proxies of deploy/ in front of relay: what passes, what they add, and what they do not say."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from relay.client.page_releases import Release
from relay.client.uploading import Retry, Upload
from relay.client.verifying_pages import verify_pages
from relay.client.writing import address
from relay.services.pages import BUILT, hashes_of_build
from relay.settings import Settings
from relay.testing.relays import free_port
from tests.support.proxies import caddy, fetch_programs, nginx
from tests.support.requests import caller_of
from tests.support.videos import VideoCase

PIECE_BYTES: Final = 8 * 1024 * 1024
SOON_SECONDS: Final = 20
ADDRESS_QUOTA: Final = 60
FLOOD: Final = 400
"""What deploy/nginx.conf lets through of one address at once."""
STRICT: Final = "max-age=63072000; includeSubDomains"
OF_THE_WAY: Final = frozenset(
    {
        *("date", "server", "connection", "keep-alive", "transfer-encoding", "x-request-id"),
        *("strict-transport-security", "alt-svc", "via", "traceparent"),
    }
)
"""Headers that belong to one connection or one request."""
ADDRESSES: Final = (
    *("/", "/console", "/embed.js", "/integrity.json", "/openapi.yaml", "/readyz", "/nothing"),
    *("/v1/cases", "/v1/profile"),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Proxied:
    """relay behind one of the proxies."""

    videos: VideoCase
    url: str
    http: aiohttp.ClientSession
    authority: ssl.SSLContext
    """Which believes the certificate of the proxy."""
    said: Path
    """What the proxy printed."""


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """Nginx and Caddy."""
    fetch_programs()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Strangers are counted by the address that the proxy gives."""
    return dataclasses.replace(
        settings, address_header="X-Real-IP", limit_address_requests=ADDRESS_QUOTA
    )


@pytest.fixture(params=["nginx", "caddy"])
async def proxied(
    request: pytest.FixtureRequest, videos: VideoCase, tmp_path: Path
) -> AsyncIterator[Proxied]:
    """Relay behind the proxy as its example has it, on a port and with a certificate of this test."""
    authority = _certify(tmp_path)
    port, backend = free_port(), urlsplit(videos.settings.public_url).netloc
    said = tmp_path / "proxy.log"
    start = {"nginx": nginx, "caddy": caddy}[request.param]
    with start(tmp_path, port, backend, said):
        connector = aiohttp.TCPConnector(ssl=authority)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as http:
            url = f"https://localhost:{port}"
            async with asyncio.timeout(SOON_SECONDS):
                while True:
                    with contextlib.suppress(aiohttp.ClientError):
                        async with http.get(f"{url}/readyz") as answer:
                            if answer.status == 200:
                                break
                    await asyncio.sleep(0.05)
            yield Proxied(videos=videos, url=url, http=http, authority=authority, said=said)


def _certify(folder: Path) -> ssl.SSLContext:
    """Write a certificate for localhost, and give the context that believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "fullchain.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return ssl.create_default_context(cadata=pem.decode())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_answers_pass_as_they_are(proxied: Proxied, method: str) -> None:
    """In status, headers and bytes, compressed or not; the proxy adds strict TLS, and nothing else."""
    direct = proxied.videos.settings.public_url
    for path in ADDRESSES:
        for encoding in ("identity", "br", "gzip"):
            headers = {"Accept-Encoding": encoding}
            seen = []
            for origin in (direct, proxied.url):
                async with proxied.http.request(
                    method, f"{origin}{path}", headers=headers, allow_redirects=False
                ) as answer:
                    kept = {
                        name.lower(): value
                        for name, value in answer.headers.items()
                        if name.lower() not in OF_THE_WAY
                    }
                    body = await answer.read()
                    if answer.content_type == "application/problem+json":
                        body = b""  # it names the request
                        kept.pop("content-length", None)
                    seen.append((answer.status, kept, body))
                    strict = answer.headers.get("Strict-Transport-Security")
                    assert strict == (None if origin == direct else STRICT)
            assert seen[0] == seen[1], path
            async with proxied.http.get(f"{proxied.url}{path}") as answer:
                assert not any(digit.isdigit() for digit in answer.headers.get("Server", ""))


async def test_whoever_checks_the_pages_finds_them_as_they_were_built(proxied: Proxied) -> None:
    """Every page in every coding, with strict TLS, against the build that relay serves."""
    release = Release("0.1.0", hashes_of_build(BUILT))
    verified = await verify_pages(proxied.url, release, origins=[], tls=proxied.authority)
    assert verified.findings == ()
    assert verified.addresses > len(release.hashes)


async def test_a_stream_of_events_is_not_held_back(proxied: Proxied) -> None:
    """The first event comes at once, the next when something happens."""
    case = proxied.videos.case
    headers = {"Authorization": f"Bearer {await caller_of(case.harmed).signed.bearer()}"}
    async with (
        asyncio.timeout(SOON_SECONDS),
        proxied.http.get(f"{proxied.url}/v1/messages/events", headers=headers) as stream,
    ):
        assert b"everything" in await _event(stream)
        sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
        assert str(sent.message).encode() in await _event(stream)


async def _event(stream: aiohttp.ClientResponse) -> bytes:
    while True:
        event = await stream.content.readuntil(b"\n\n")
        if b"data:" in event:
            return event


async def test_a_video_comes_in_while_it_is_sent(proxied: Proxied) -> None:
    """Half of a piece is stored though its connection breaks; a whole one goes through at once."""
    case = proxied.videos.case
    draft = address(case.responsible.participant_id)
    await case.harmed.begin_video(draft)
    upload = Upload(case.harmed.session, Retry())
    await upload.create(draft.message_id, 1, 2 * PIECE_BYTES)
    headers = {
        "Authorization": f"Bearer {await caller_of(case.harmed).signed.bearer()}",
        "Tus-Resumable": "1.0.0",
        "Content-Type": "application/offset+octet-stream",
    }

    async def half() -> AsyncIterator[bytes]:
        yield b"x" * (PIECE_BYTES // 2)
        await asyncio.sleep(1)
        raise ConnectionResetError

    with pytest.raises((aiohttp.ClientError, ConnectionResetError)):
        await proxied.http.patch(
            f"{proxied.url}{upload.path}",
            data=half(),
            headers={**headers, "Upload-Offset": "0", "Content-Length": str(PIECE_BYTES)},
        )
    async with asyncio.timeout(SOON_SECONDS):
        while (offset := await upload.offset()) == 0:  # noqa: ASYNC110 - another process writes
            await asyncio.sleep(0.05)
    assert offset == PIECE_BYTES // 2
    async with proxied.http.patch(
        f"{proxied.url}{upload.path}",
        data=io.BytesIO(b"x" * PIECE_BYTES),
        headers={**headers, "Upload-Offset": str(offset)},
    ) as answer:
        assert answer.status == 204, await answer.text()


async def test_what_is_too_large_is_refused_by_relay_itself(proxied: Proxied) -> None:
    """With its own words, which the pages know what to do about."""
    async with proxied.http.post(
        f"{proxied.url}/v1/sessions",
        data=io.BytesIO(b"x" * (3 * 1024 * 1024)),
        headers={"Content-Type": "application/json"},
    ) as answer:
        assert answer.status == 413
        assert answer.content_type == "application/problem+json"


async def test_nobody_is_named_in_what_the_proxy_prints(proxied: Proxied) -> None:
    """Not by the address of a link, also where relay does not answer."""
    link = "/l/3f1c2c5e-0000-4000-8000-00000000beef"
    for path in (link, f"{link}/nothing", f"/v1{link}"):
        async with proxied.http.get(f"{proxied.url}{path}") as answer:
            await answer.read()
    large = {"X-Large": "x" * 100_000}
    with contextlib.suppress(aiohttp.ClientError):
        async with proxied.http.get(f"{proxied.url}{link}", headers=large) as answer:
            await answer.read()
    assert "beef" not in proxied.said.read_text("utf-8")


async def test_people_are_counted_by_the_address_that_the_proxy_sees(proxied: Proxied) -> None:
    """Whatever address they claim: the header of the proxy takes the place of theirs."""
    statuses = []
    for number in range(ADDRESS_QUOTA + 1):
        claimed = {"X-Real-IP": f"192.0.2.{number}", "X-Forwarded-For": f"192.0.2.{number}"}
        async with proxied.http.get(f"{proxied.url}/v1/roots", headers=claimed) as answer:
            statuses.append(answer.status)
    assert statuses == [200] * ADDRESS_QUOTA + [429]


async def test_a_flood_from_one_address_is_kept_from_relay(
    proxied: Proxied, request: pytest.FixtureRequest
) -> None:
    """The nginx of deploy/ refuses what is too much, says when to come back, and lets the rest through."""
    if "nginx" not in request.node.name:
        pytest.skip("Caddy has no such limit; relay has its own")

    async def one() -> tuple[int, str | None, str | None]:
        async with proxied.http.get(f"{proxied.url}/v1/profile") as answer:
            await answer.read()
            found = answer.headers
            return answer.status, found.get("Retry-After"), found.get("Strict-Transport-Security")

    answers = await asyncio.gather(*(one() for _ in range(2 * FLOOD)))
    refused = [answer for answer in answers if answer[0] != 200]
    assert set(refused) == {(429, "5", STRICT)}
    assert len(answers) - len(refused) >= FLOOD
    await asyncio.sleep(1)
    assert (await one())[0] == 200
