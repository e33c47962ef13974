"""Uploads against a web process that is killed, and a store that goes away, at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client.case_system import key_set
from relay.client.uploading import Retry, Upload, upload_body
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer
from relay.domain.segments import SEGMENT_BYTES
from relay.settings import Settings
from relay.testing.people import ISSUER, KEY_ID, open_case, organization
from tests.support.relays import WORK_FACTOR_LOG2
from tests.support.uploads import Sending, body_of, sending, signed

KILLS = 8
PATIENT = Retry(attempts=1000, first_pause_seconds=0.05, longest_pause_seconds=0.2)


@dataclasses.dataclass(slots=True)
class WebProcess:
    """`relay serve`, as a process of its own that can be killed."""

    environment: dict[str, str]
    url: str
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start, and wait until it answers."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "relay", "serve", env=self.environment, stdout=subprocess.DEVNULL
        )
        async with asyncio.timeout(30), aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"{self.url}/healthz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is said."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@pytest.fixture
async def web(
    settings: Settings, tmp_path: Path, unused_tcp_port: int
) -> AsyncIterator[WebProcess]:
    """A web process of this test's own, with the keys of an organization."""
    environment = {
        f"RELAY_{field.name.upper()}": str(getattr(settings, field.name))
        for field in dataclasses.fields(settings)
    }
    url = f"http://127.0.0.1:{unused_tcp_port}"
    started = WebProcess(
        environment={
            **{name: value for name, value in os.environ.items() if name[:6] != "RELAY_"},
            **environment,
            "RELAY_ROOT_PUBLIC_KEYS": b64u_encode(ROOT.public_key),
            "RELAY_SERVICE_JWKS": str(tmp_path / "jwks.json"),
            "RELAY_SERVICE_ISSUER": ISSUER,
            "RELAY_PUBLIC_URL": url,
            "RELAY_LISTEN_PORT": str(unused_tcp_port),
        },
        url=url,
    )
    (tmp_path / "jwks.json").write_text(key_set(TOKEN_KEY, KEY_ID))
    await started.start()
    yield started
    await started.kill()


ROOT = Signer.generate()
TOKEN_KEY = Ed25519PrivateKey.generate()


@pytest.fixture
async def draft(web: WebProcess, settings: Settings, database_url: str) -> AsyncIterator[Sending]:
    """A video's draft at the web process."""
    async with organization(web.url, ROOT, TOKEN_KEY, work_factor_log2=WORK_FACTOR_LOG2) as people:
        await people.enrol("media")
        case = await open_case(people)
        at_web = dataclasses.replace(settings, public_url=web.url)
        async with sending(case, at_web, database_url) as begun:
            yield begun


async def test_a_web_process_killed_at_any_moment_loses_nothing_it_acknowledged(
    web: WebProcess, draft: Sending, chance: random.Random
) -> None:
    """Killed again and again, it never stands further back than it said, and the body comes whole."""
    body = body_of(6 * SEGMENT_BYTES + 12_345)
    upload = Upload(signed(draft.case.harmed), PATIENT)
    await upload.create(draft.message_id, 1, len(body))
    slow = Slowly(body)
    sent = asyncio.create_task(upload.send(slow, len(body)))
    acknowledged = kills = 0

    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        if sent.done():
            break
        await web.kill()
        kills += 1
        kept = await draft.one("select offset_bytes from uploads")
        assert isinstance(kept, int)
        assert kept >= acknowledged
        await web.start()
        acknowledged = max(acknowledged, (await draft.head(upload.path)).offset)
        assert acknowledged >= kept

    async with asyncio.timeout(120):
        await sent
    assert kills >= 2
    await draft.assert_whole(upload.path, body)


async def test_a_store_that_goes_away_breaks_nothing(web: WebProcess, draft: Sending) -> None:
    """While the store is away nothing counts; once it is back the same upload continues."""
    body = body_of(2 * SEGMENT_BYTES + 5)
    gate = Gate(draft.settings.s3_endpoint)
    await gate.open()
    await web.kill()
    web.environment["RELAY_S3_ENDPOINT"] = gate.url
    await web.start()
    path = await draft.create(len(body))
    await draft.patch(path, 0, body[: SEGMENT_BYTES + 1])

    await gate.close()
    refused = await draft.patch(path, SEGMENT_BYTES + 1, body[SEGMENT_BYTES + 1 :])
    assert (refused.status, refused.code) == (503, "store-unavailable")
    assert (await draft.head(path)).offset == SEGMENT_BYTES + 1
    await gate.open()
    rest = await draft.patch(path, SEGMENT_BYTES + 1, body[SEGMENT_BYTES + 1 :])
    await gate.close()

    assert (rest.status, rest.offset) == (204, len(body))
    await draft.assert_whole(path, body)


async def test_a_client_gives_up_after_its_attempts(web: WebProcess, draft: Sending) -> None:
    """A relay that stays away is a ConnectionError in the time that the attempts take."""
    few = Retry(attempts=3, first_pause_seconds=0.01, longest_pause_seconds=0.02)
    await web.kill()
    started = time.monotonic()

    with pytest.raises(ConnectionError):
        await upload_body(
            signed(draft.case.harmed), draft.message_id, 1, io.BytesIO(bytes(100)), 100, retry=few
        )

    assert time.monotonic() - started < 5


class Slowly(io.BytesIO):
    """A body that is read no faster than 40 MiB a second, so that there are moments to kill in."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Take the next bytes."""
        data = super().read(size)
        time.sleep(len(data) / 40_000_000)
        return data


class Gate:
    """A way to the store that can be shut."""

    def __init__(self, endpoint: str) -> None:
        host, _, port = endpoint.removeprefix("http://").partition(":")
        self._target = (host, int(port))
        self._port = 0
        self._server: asyncio.Server | None = None
        self._wires: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}"

    async def open(self) -> None:
        """Let connections through, always at the same port."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut every connection and let none through."""
        if self._server is not None:
            self._server.close()
        for wire in list(self._wires):
            wire.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        ends = {writer, far_writer}
        self._wires |= ends
        with contextlib.suppress(OSError):
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, far_writer))
                group.create_task(_pump(far_reader, writer))
        self._wires -= ends
        for end in ends:
            end.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
