"""`relay serve` as a process of its own, and a sender with a draft at it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client.certifying import key_set
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer
from relay.settings import Settings
from relay.testing.people import ISSUER, KEY_ID, open_case, organization
from tests.support.relays import WORK_FACTOR_LOG2
from tests.support.uploads import Sending, sending


@dataclasses.dataclass(slots=True, kw_only=True)
class WebProcess:
    """`relay serve`, as a process of its own that can be told to stop, and killed."""

    environment: dict[str, str]
    url: str
    log: Path
    root: Signer
    token_key: Ed25519PrivateKey
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "relay", "serve"),
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        async with asyncio.timeout(30), aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"{self.url}/livez") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.02)

    def tell_to_stop(self) -> None:
        """SIGTERM."""
        assert self.process is not None
        self.process.terminate()

    async def ended(self) -> int:
        """Wait until it has ended; its exit code."""
        assert self.process is not None
        return await self.process.wait()

    async def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is said."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


def web_process(settings: Settings, folder: Path, port: int) -> WebProcess:
    """A web process on these services that is yet to be started, with the keys of an organization."""
    root, token_key = Signer.generate(), Ed25519PrivateKey.generate()
    url = f"http://127.0.0.1:{port}"
    given = {
        f"RELAY_{field.name.upper()}": str(getattr(settings, field.name))
        for field in dataclasses.fields(settings)
    }
    (folder / "jwks.json").write_text(key_set(token_key, KEY_ID))
    return WebProcess(
        environment={
            **{name: value for name, value in os.environ.items() if name[:6] != "RELAY_"},
            **given,
            "RELAY_ROOT_PUBLIC_KEYS": b64u_encode(root.public_key),
            "RELAY_SERVICE_JWKS": str(folder / "jwks.json"),
            "RELAY_SERVICE_ISSUER": ISSUER,
            "RELAY_PUBLIC_URL": url,
            "RELAY_LISTEN_PORT": str(port),
        },
        url=url,
        log=folder / "web.log",
        root=root,
        token_key=token_key,
    )


@contextlib.asynccontextmanager
async def drafting(
    web: WebProcess, settings: Settings, database_url: str
) -> AsyncIterator[Sending]:
    """A video's draft at this web process; `database_url` is its database, for a superuser."""
    async with organization(
        web.url, web.root, web.token_key, work_factor_log2=WORK_FACTOR_LOG2
    ) as people:
        await people.enrol("media")
        case = await open_case(people)
        at_web = dataclasses.replace(settings, public_url=web.url)
        async with sending(case, at_web, database_url) as begun:
            yield begun
