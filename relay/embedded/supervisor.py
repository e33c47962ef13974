"""Starts those of Postgres, Redis and S3 that the environment does not name, and stops them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path

from relay.embedded import postgres, redis, s3
from relay.embedded.folder import Access, Accesses, DataFolder, data_folder
from relay.embedded.servers import Servers, guarded
from relay.errors import ConfigurationError

S3_REQUIRED = ("RELAY_S3_ENDPOINT", "RELAY_S3_ACCESS_KEY", "RELAY_S3_SECRET_KEY")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What is running, and how to reach it."""

    accesses: Accesses
    """The `RELAY_*` that were given and those of the servers that were started, as each needs them.

    An address that was given is everybody's.
    """
    servers: Servers | None
    """None where everything was given."""

    @property
    def processes(self) -> dict[str, int]:
        """Process ids by server: `postgres`, `redis`, `s3`."""
        return dict(self.servers.pids) if self.servers else {}

    async def first_ended(self) -> str:
        """Wait until a server ends on its own, which it should not; its name."""
        if self.servers is None:
            await asyncio.Event().wait()
            raise AssertionError("nothing ends here")
        return await self.servers.first_ended()


@contextlib.asynccontextmanager
async def embedded(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Services]:
    """Run the services that `environment` does not name, on this data folder, during the block.

    `RELAY_DATABASE_URL`, `RELAY_REDIS_URL` and `RELAY_S3_ENDPOINT` with its two keys each replace
    one. Nothing stays behind, however this process ends. Errors: FolderInUse, FolderUnusable,
    ServerMissing, ServerFailed.
    """
    given = {name: value for name, value in environment.items() if name.startswith("RELAY_")}
    accesses = {access: dict(given) for access in Access}
    wanted = _wanted(given)
    if not wanted:
        yield Services(accesses=accesses, servers=None)
        return
    async with data_folder(folder) as opened, guarded(opened.lock) as servers:
        for made in await _start(wanted, opened, servers, given):
            for access, settings in made.items():
                accesses[access] |= settings
        yield Services(accesses=accesses, servers=servers)


def _wanted(given: Mapping[str, str]) -> set[str]:
    """The servers to start; half an S3 configuration is a ConfigurationError."""
    named = {name.removesuffix("_FILE") for name in given} | given.keys()
    missing = [name for name in S3_REQUIRED if name not in named]
    if 0 < len(missing) < len(S3_REQUIRED):
        raise ConfigurationError(f"{', '.join(missing)} is not set, but another RELAY_S3_* is")
    there = {
        "postgres": "RELAY_DATABASE_URL" in named,
        "redis": "RELAY_REDIS_URL" in named,
        "s3": not missing,
    }
    return {server for server, given_elsewhere in there.items() if not given_elsewhere}


async def _start(
    wanted: set[str], folder: DataFolder, servers: Servers, given: Mapping[str, str]
) -> list[Accesses]:
    """Start them side by side; what each gives."""
    starts: dict[str, Callable[[], Coroutine[None, None, Accesses]]] = {
        "postgres": lambda: postgres.start(folder, servers),
        "redis": lambda: redis.start(folder, servers),
        "s3": lambda: s3.start(folder, servers, given),
    }
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(starts[name]()) for name in sorted(wanted)]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
