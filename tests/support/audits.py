"""Runs the audit over a relay of a test's own."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from relay.crypto.checkpoints import VerifiedCheckpoint
from relay.services.audit.findings import Finding
from relay.services.audit.walk import audit
from relay.settings import Settings
from relay.storage.database import Database


async def findings(settings: Settings, against: VerifiedCheckpoint | None = None) -> list[Finding]:
    """Everything that `relay audit verify` finds."""
    database = await Database.connect(settings.database_url, connections=1)
    try:
        return [
            finding
            async for audited in audit(database, settings, against)
            for finding in audited.findings
        ]
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def reading_role(database_url: str) -> AsyncIterator[str]:
    """The address of a database as a role that may read it, and nothing else, comes to it."""
    role = f"auditor_{secrets.token_hex(4)}"
    database = urlsplit(database_url).path.removeprefix("/")
    owner = await asyncpg.connect(database_url)
    try:
        await owner.execute(f"create role {role} login password 'of a test'")
        await owner.execute(f"grant connect on database {database} to {role}")
        await owner.execute(f"grant pg_read_all_data to {role}")
        parts = urlsplit(database_url)
        host = parts.netloc.rpartition("@")[2]
        yield urlunsplit(parts._replace(netloc=f"{role}:of%20a%20test@{host}"))
    finally:
        await owner.execute(f"drop owned by {role}; drop role {role}")
        await owner.close()


def command(
    settings: Settings, *arguments: str | Path, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run `relay audit` on this database, with no other service in its environment."""
    environment = {
        "PATH": os.environ["PATH"],
        "COLUMNS": "200",
        "RELAY_DATABASE_URL": settings.database_url,
        "RELAY_ROOT_PUBLIC_KEYS": settings.root_public_keys,
        "RELAY_PUBLIC_URL": settings.public_url,
    }
    return subprocess.run(
        [sys.executable, "-m", "relay", "audit", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**environment, **more},
    )
