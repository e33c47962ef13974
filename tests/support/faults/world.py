"""A relay of two web processes behind nginx, two workers and two deliverers, and what is between them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from relay.crypto.webhooks import new_shared_secret
from relay.embedded import Access, Accesses
from relay.testing.people import Organization, organization
from relay.testing.relays import RunningRelay, running_relay
from tests.support.faults.members import Member
from tests.support.faults.plan import DELIVERERS, LEASE_SECONDS, WEB, WORKERS
from tests.support.faults.store import Store
from tests.support.faults.wires import Place, Wire
from tests.support.proxies import Front, front
from tests.support.receivers import ReceivingHost, receiving_host

DISK_BYTES: Final = 700 * 1024 * 1024
START_SECONDS: Final = 60
SETTINGS: Final = {
    "RELAY_JOB_LEASE_SECONDS": str(LEASE_SECONDS),
    "RELAY_JOB_RETRY_SECONDS": "1",
    "RELAY_SWEEP_SECONDS": "1",
    "RELAY_LEASE_SECONDS": "20",
    "RELAY_UPLOAD_IDLE_SECONDS": "3",
}
WEBHOOKS: Final = """\
[[receiver]]
name = "case-system"
url = "{url}"
secrets = ["{secret}"]
networks = ["127.0.0.0/8"]
timeout_seconds = 1
first_retry_seconds = 0.3
"""


@dataclasses.dataclass(slots=True, kw_only=True)
class World:
    """Everything that can be disturbed, and the people of the programme."""

    folder: Path
    running: RunningRelay
    people: Organization
    members: Mapping[str, Member]
    wires: Mapping[str, Wire]
    """`postgres`, `redis`, `s3`, and `people`: between these and nginx."""
    store: Store
    host: ReceivingHost
    webhook_secret: str
    front: Front
    is_small: bool
    """Whether all data lie on a disk of their own, which can be filled."""
    findings: list[str]

    @property
    def disk(self) -> Path:
        """The folder of all data."""
        return self.folder / "data"

    def database_url(self, access: Access = Access.ADMINISTRATOR) -> str:
        """How the database is reached without anything between."""
        return self.running.services.accesses[access]["RELAY_DATABASE_URL"]

    @property
    def of_worker(self) -> dict[str, str]:
        """The settings of a worker that reaches all services without anything between."""
        member = self.members["worker"].environment
        return {**member, **self.running.services.accesses[Access.WORKER]}


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    """A disk of its own for the data, where this user may mount one."""
    folder.mkdir(mode=0o711)
    options = f"size={DISK_BYTES},mode=711"
    is_mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
            check=False,
            capture_output=True,
        ).returncode
    )
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)


@contextlib.asynccontextmanager
async def world() -> AsyncIterator[World]:
    """All of it up and ready during the block."""
    findings: list[str] = []
    async with contextlib.AsyncExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="relay-faults-"))
        folder = Path(name)
        folder.chmod(0o711)
        is_small = stack.enter_context(_small_disk(folder / "data"))
        (folder / "front").mkdir()
        nginx = stack.enter_context(front(folder / "front"))
        host = await stack.enter_async_context(receiving_host())
        entrance = Wire(Place(port=urlsplit(nginx.url).port or 0))
        await entrance.start()
        stack.push_async_callback(entrance.close)
        between = _Between(stack)
        running = await stack.enter_async_context(
            running_relay(
                folder / "data",
                port=nginx.ports[0],
                public_url=f"http://127.0.0.1:{entrance.port}",
                worker=False,
                settings=SETTINGS,
                between=between,
            )
        )
        secret = new_shared_secret()
        members = _members(running, nginx, folder, between, host, secret, findings)
        await _hand_over(stack, running, members)
        people = await stack.enter_async_context(
            organization(running.url, running.root, running.token_key)
        )
        yield World(
            folder=folder,
            running=running,
            people=people,
            members=members,
            wires={**between.wires, "people": entrance},
            store=between.store,
            host=host,
            webhook_secret=secret,
            front=nginx,
            is_small=is_small,
            findings=findings,
        )


class _Between:
    """Wires before Postgres, Redis and the store, which has moods of its own; closed with the stack."""

    def __init__(self, stack: contextlib.AsyncExitStack) -> None:
        self.wires: dict[str, Wire] = {}
        self.accesses: Accesses = {}
        self._stack = stack

    async def __call__(self, accesses: Accesses) -> Accesses:
        """As `running_relay` wants it."""
        given = accesses[Access.ADMINISTRATOR]
        sockets = Path(parse_qs(urlsplit(given["RELAY_DATABASE_URL"]).query)["host"][0])
        places = {
            "postgres": sockets / ".s.PGSQL.5432",
            "redis": Path(urlsplit(given["RELAY_REDIS_URL"]).path),
        }
        for name, path in places.items():
            wire = self.wires[name] = Wire(Place(path=path))
            await wire.start()
            self._stack.push_async_callback(wire.close)
        self.store = Store(given["RELAY_S3_ENDPOINT"])
        await self.store.start()
        self._stack.push_async_callback(self.store.close)
        wire = self.wires["s3"] = Wire(Place(port=self.store.port))
        await wire.start()
        self._stack.push_async_callback(wire.close)
        self.accesses = {access: self._through(settings) for access, settings in accesses.items()}
        return self.accesses

    def _through(self, settings: Mapping[str, str]) -> dict[str, str]:
        found = dict(settings)
        for name, scheme, server in (
            ("RELAY_DATABASE_URL", "postgresql", "postgres"),
            ("RELAY_REDIS_URL", "redis", "redis"),
        ):
            if name in found:
                parts = urlsplit(found[name])
                path = parts.path if server == "postgres" else "/0"
                whom = parts.netloc.rpartition("@")[0]
                found[name] = f"{scheme}://{whom}@127.0.0.1:{self.wires[server].port}{path}"
        if "RELAY_S3_ENDPOINT" in found:
            found["RELAY_S3_ENDPOINT"] = f"http://127.0.0.1:{self.wires['s3'].port}"
        return found


def _members(
    running: RunningRelay,
    nginx: Front,
    folder: Path,
    between: _Between,
    host: ReceivingHost,
    secret: str,
    findings: list[str],
) -> dict[str, Member]:
    file = folder / "webhooks.toml"
    file.write_text(WEBHOOKS.format(url=host.url, secret=secret), "utf-8")
    of_deliverer = {
        **between.accesses[Access.DELIVERER],
        "RELAY_LOG_FORMAT": "text",
        "RELAY_WEBHOOKS_FILE": str(file),
    }
    of_worker = {
        **running.of_processes["web"],
        **between.accesses[Access.WORKER],
        "RELAY_MEDIA_KEY_FILE": str(running.folder / "organization" / "media.keys"),
    }
    made = [
        *(
            (name, "serve", {**running.of_processes["web"], "RELAY_LISTEN_PORT": str(port)})
            for name, port in zip(WEB, nginx.ports, strict=True)
        ),
        *((name, "worker", of_worker) for name in WORKERS),
        *((name, "deliver", of_deliverer) for name in DELIVERERS),
    ]
    return {
        name: Member(
            name=name,
            command=command,
            environment=environment,
            log=folder / f"{name}.log",
            processes=running.processes,
            findings=findings,
        )
        for name, command, environment in made
    }


async def _hand_over(
    stack: contextlib.AsyncExitStack, running: RunningRelay, members: Mapping[str, Member]
) -> None:
    """End what was started for the first credentials, and keep all members from now on."""
    for process in running.processes.values():
        process.kill()
        await process.wait()
    running.processes.clear()
    keepers = [asyncio.create_task(member.keep()) for member in members.values()]

    async def leave() -> None:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        for process in running.processes.values():
            if process.returncode is None:
                process.kill()
                await process.wait()

    stack.push_async_callback(leave)
    for member in members.values():
        await member.until_ready(START_SECONDS)
