"""A running relay: embedded services, an organization's keys, the web service and a media worker."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import dataclasses
import os
import signal
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import aiohttp
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client.administrator import Administrator, publish_credential
from relay.client.case_system import ServiceKeys
from relay.client.certifying import key_set, request_for, write_new
from relay.client.connection import Connection
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyfiles import load_keyring_file, save_keyring_file
from relay.crypto.keyrings import Keyring, generate_keyring
from relay.crypto.signing import Signer, fingerprint
from relay.crypto.trust import Role
from relay.crypto.webhooks import new_shared_secret
from relay.embedded import Access, Accesses, Services, embedded
from relay.errors import Unavailable
from relay.settings import database_url
from relay.storage.database import migrate
from relay.testing.people import ISSUER, KEY_ID

READY_SECONDS: Final = 60
STOP_SECONDS: Final = 25
COMMANDS: Final = {"web": "serve", "worker": "worker", "deliverer": "deliver"}
OF_PROGRAMS: Final = {
    f"RELAY_LIMIT_{whose}_REQUESTS": "1000000" for whose in ("PERSON", "CASE", "SERVICE")
}
"""Settings for people who are programs, and ask faster than people do."""
_PR_SET_PDEATHSIG: Final = 1

Between: TypeAlias = Callable[[Accesses], Awaitable[Accesses]]
"""Puts something between relay and its services: gives the addresses by which relay comes to them instead."""


class DidNotStart(Unavailable):
    """A process of relay did not start."""

    code = "did-not-start"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunningRelay:
    """A running relay with its organization; `processes` are web service, worker and deliverer."""

    folder: Path
    services: Services
    environment: Mapping[str, str]
    """The settings of the web service."""
    owner: Mapping[str, str]
    """Those of the owner of the database, who may look into every table."""
    url: str
    root: Signer
    token_key: Ed25519PrivateKey
    processes: dict[str, asyncio.subprocess.Process]
    of_processes: Mapping[str, Mapping[str, str]]
    """The settings of each."""
    case_system: CaseSystemFiles | None
    """None where no case system of its own was asked for."""

    async def start_again(self) -> None:
        """End all processes, and start them on the same data, as their files are now.

        DidNotStart where the web service ends at once.
        """
        await stop_processes(self.processes)
        for name, settings in self.of_processes.items():
            log = self.folder / f"{name}.log"
            self.processes[name] = await start_process(COMMANDS[name], settings, log)
        await until_answers(f"{self.url}/readyz", self.processes["web"], "the web service")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CaseSystemFiles:
    """What a case system that signs and is sent events is given."""

    token_key: Path
    """PEM."""
    signing_key: Path
    """With a credential of the root."""
    keys: ServiceKeys
    webhook_secret: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    """The secrets of the organization of a data folder."""

    root: Signer
    token_key: Ed25519PrivateKey
    media_id: uuid.UUID
    media: Keyring
    media_file: Path
    jwks_file: Path


def keys_of(running: RunningRelay) -> ServiceKeys | None:
    """What the case system of this relay signs with; where it has such keys, nobody else registers cases."""
    return None if running.case_system is None else running.case_system.keys


@contextlib.asynccontextmanager
async def running_relay(
    folder: Path,
    *,
    port: int = 0,
    public_url: str | None = None,
    worker: bool = True,
    settings: Mapping[str, str] | None = None,
    receiver: str | None = None,
    between: Between | None = None,
) -> AsyncIterator[RunningRelay]:
    """A whole relay on this data folder, on loopback, during the block; data and keys survive it.

    `public_url`: the origin of the proxy that leads to `port`, where there is one. `settings` are further
    `RELAY_…` ones. `receiver`: the address of a case system on loopback, which gets keys of its own to sign
    with, and is sent events by a deliverer. `between` stands before the services of every process of relay.
    """
    async with contextlib.AsyncExitStack() as stack:
        services = await stack.enter_async_context(embedded(folder, os.environ))
        owner = services.accesses[Access.OWNER]
        await migrate(database_url(owner))
        accesses = services.accesses if between is None else await between(services.accesses)
        keys = await asyncio.to_thread(_keys, folder / "organization")
        port = port or free_port()
        direct = f"http://127.0.0.1:{port}"
        url = public_url or direct
        common = {
            "RELAY_ROOT_PUBLIC_KEYS": b64u_encode(keys.root.public_key),
            "RELAY_SERVICE_JWKS": str(keys.jwks_file),
            "RELAY_SERVICE_ISSUER": ISSUER,
            "RELAY_PUBLIC_URL": url,
            "RELAY_LISTEN_PORT": str(port),
            "RELAY_LOG_FORMAT": "text",  # it is read in a terminal
            "RELAY_STOP_NOTICE_SECONDS": "0",  # nothing is in front of it
            **(settings or {}),
        }
        environment = {**accesses[Access.WEB], **common}
        of_processes = {"web": environment}
        processes: dict[str, asyncio.subprocess.Process] = {}
        stack.push_async_callback(stop_processes, processes)
        processes["web"] = await start_process("serve", environment, folder / "web.log")
        await until_answers(f"{direct}/readyz", processes["web"], "the web service")
        await _certify(url, keys.root, keys.media_file, keys.media_id, "media", keys.media)
        case_system = None
        if receiver is not None:
            case_system = await _case_system(folder / "organization", url, keys)
            of_processes["deliverer"] = {
                **accesses[Access.DELIVERER],
                "RELAY_LOG_FORMAT": "text",
                "RELAY_WEBHOOKS_FILE": str(
                    _webhooks_file(folder / "organization", receiver, case_system.webhook_secret)
                ),
            }
            processes["deliverer"] = await start_process(
                "deliver", of_processes["deliverer"], folder / "deliverer.log"
            )
        if worker:
            of_processes["worker"] = {
                **accesses[Access.WORKER],
                **common,
                "RELAY_MEDIA_KEY_FILE": str(keys.media_file),
            }
            processes["worker"] = await start_process(
                "worker", of_processes["worker"], folder / "worker.log"
            )
        yield RunningRelay(
            folder=folder,
            services=services,
            environment=environment,
            owner=owner,
            url=url,
            root=keys.root,
            token_key=keys.token_key,
            processes=processes,
            of_processes=of_processes,
            case_system=case_system,
        )


async def start_process(
    command: str, environment: Mapping[str, str], log: Path
) -> asyncio.subprocess.Process:
    """Run `relay COMMAND` with nothing but these settings in its environment; it ends with this process."""
    return await start_module("relay", [command], environment, log)


async def start_module(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path
) -> asyncio.subprocess.Process:
    """Run `python -m MODULE` as above."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", module, *arguments),
            env={**inherited, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=_end_with_parent,
        )


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def stop_processes(processes: Mapping[str, asyncio.subprocess.Process]) -> None:
    """Ask all of them to end, and wait until they did."""
    for process in processes.values():
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    for process in processes.values():
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


async def until_answers(url: str, process: asyncio.subprocess.Process, what: str) -> None:
    """Wait until this address answers well; DidNotStart, with what was to, where the process ends before."""
    async with aiohttp.ClientSession() as http:
        for _ in range(READY_SECONDS * 10):
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(url) as response:
                    if response.ok:
                        return
            if process.returncode is not None:
                break
            await asyncio.sleep(0.1)
    raise DidNotStart(what)


async def _certify(
    url: str, root: Signer, key_file: Path, credential_id: uuid.UUID, role: Role, keyring: Keyring
) -> None:
    """Have the root vouch for the keys of a file; what is known is left as it is."""
    connection = await Connection.open(url)
    try:
        credential_file = key_file.with_suffix(".credential")
        if not credential_file.exists():
            request = request_for(credential_id, role, keyring)
            statement = Administrator(root).sign_credential(request)
            write_new(credential_file, statement.encode("ascii"), secret=False)
        await publish_credential(connection, credential_file.read_text("ascii"))
    finally:
        await connection.close()


async def _case_system(folder: Path, url: str, keys: _Keys) -> CaseSystemFiles:
    """The files of a case system: made once, then read, and its keys vouched for."""
    signing_file, secret_file = folder / "service.keys", folder / "webhook.secret"
    if not signing_file.exists():
        save_keyring_file(signing_file, generate_keyring(), uuid.uuid4())
    if not secret_file.exists():
        write_new(secret_file, new_shared_secret().encode("ascii"), secret=True)
    credential_id, keyring = load_keyring_file(signing_file)
    await _certify(url, keys.root, signing_file, credential_id, "service", keyring)
    return CaseSystemFiles(
        token_key=folder / "case-system.pem",
        signing_key=signing_file,
        keys=ServiceKeys(
            signer=keyring.signer,
            root_fingerprint=fingerprint(keys.root.public_key),
            public_url=url,
        ),
        webhook_secret=secret_file.read_text("ascii"),
    )


def _webhooks_file(folder: Path, receiver: str, secret: str) -> Path:
    """Whom events are sent to, as `relay deliver` reads it."""
    path = folder / "webhooks.toml"
    path.unlink(missing_ok=True)
    content = (
        f'[[receiver]]\nname = "case-system"\nurl = "{receiver}"\nsecrets = ["{secret}"]\n'
        'networks = ["127.0.0.0/8"]\nfirst_retry_seconds = 1\n'
    )
    write_new(path, content.encode(), secret=True)
    return path


def _keys(folder: Path) -> _Keys:
    """The organization's secrets: made once, then read. A real root is kept offline instead."""
    folder.mkdir(mode=0o700, exist_ok=True)
    root_file, token_file = folder / "root.seed", folder / "case-system.pem"
    media_file, jwks_file = folder / "media.keys", folder / "case-system.jwks"
    if not jwks_file.exists():
        for leftover in (root_file, token_file, media_file):
            leftover.unlink(missing_ok=True)
        token_key = Ed25519PrivateKey.generate()
        pem = token_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_new(root_file, Signer.generate().seed, secret=True)
        write_new(token_file, pem, secret=True)
        save_keyring_file(media_file, generate_keyring(), uuid.uuid4())
        write_new(jwks_file, key_set(token_key, KEY_ID).encode(), secret=False)
    loaded = serialization.load_pem_private_key(token_file.read_bytes(), None)
    if not isinstance(loaded, Ed25519PrivateKey):
        raise DidNotStart("the key of the case system")
    media_id, media = load_keyring_file(media_file)
    return _Keys(
        root=Signer.from_seed(root_file.read_bytes()),
        token_key=loaded,
        media_id=media_id,
        media=media,
        media_file=media_file,
        jwks_file=jwks_file,
    )


def free_port() -> int:
    """A port of loopback that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
