"""Runs the audit over a relay of a test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
