"""A process or a command that begins while its database lets nobody in: one sentence says so."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import struct
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from relay.crypto.keyfiles import save_keyring_file
from relay.crypto.keyrings import generate_keyring
from relay.crypto.webhooks import new_shared_secret
from relay.settings import Settings

STARTS = (
    ("serve", "away"),
    ("serve", "starting"),
    ("worker", "starting"),
    ("deliver", "wrong password"),
    ("migrate", "starting"),
    ("audit verify", "wrong password"),
    ("webhooks list", "away"),
)
STARTING = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
"""What a server says that is yet to recover."""


@contextlib.asynccontextmanager
async def door(settings: Settings, way: str) -> AsyncIterator[str]:
    """The address of a database that does not let anybody in."""
    parts = urlsplit(settings.database_url)
    user = f"{parts.username}:secret-of-a-test"
    if way == "wrong password":
        yield f"postgresql://{user}@{parts.path}?{parts.query}"
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)  # it asks for TLS
        writer.write(b"N")
        size = int.from_bytes(await reader.readexactly(4), "big")
        await reader.readexactly(size - 4)
        writer.write(b"E" + struct.pack("!i", len(STARTING) + 4) + STARTING)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    if way == "away":
        server.close()
        await server.wait_closed()
    yield f"postgresql://{user}@127.0.0.1:{port}/relay"
    server.close()


@pytest.mark.parametrize(("command", "way"), STARTS)
async def test_a_database_that_does_not_let_in_is_told_in_a_sentence(
    settings: Settings, tmp_path: Path, command: str, way: str
) -> None:
    """No traceback and no password, whichever process or command begins."""
    async with door(settings, way) as url:
        file = tmp_path / "webhooks.toml"
        file.write_text(
            f'[[receiver]]\nname = "a"\nurl = "https://a.example"\nsecrets = ["{new_shared_secret()}"]\n'
        )
        keys = tmp_path / "media.keys"
        save_keyring_file(keys, generate_keyring(), uuid.uuid4())
        given = {
            f"RELAY_{name.upper()}": str(value)
            for name, value in dataclasses.asdict(settings).items()
        }
        given |= {"RELAY_DATABASE_URL": url, "RELAY_WEBHOOKS_FILE": str(file)}
        if command == "worker":
            given["RELAY_MEDIA_KEY_FILE"] = str(keys)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "relay", *command.split()),
            env={"PATH": os.environ["PATH"], "COLUMNS": "200", **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            output, _ = await process.communicate()
    said = output.decode()
    assert process.returncode == 1, said
    assert "Traceback" not in said
    assert "secret-of-a-test" not in said
    assert (
        "RELAY_DATABASE_URL" if way == "wrong password" else "PostgreSQL does not answer"
    ) in said
