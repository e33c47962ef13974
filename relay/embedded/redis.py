"""A Redis of its own, reached by a socket: every write goes to its append-only file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

from relay.embedded import binaries
from relay.embedded.folder import DataFolder, write_private
from relay.embedded.privilege import command
from relay.embedded.servers import Servers

CONFIGURATION = """\
port 0
unixsocket {socket}
unixsocketperm 700
requirepass {password}
dir "{folder}"
appendonly yes
appendfsync everysec
save ""
databases 64
maxmemory-policy noeviction
"""


async def start(folder: DataFolder, servers: Servers) -> dict[str, str]:
    """Start Redis on the folder; gives `RELAY_REDIS_URL`."""
    data = folder.subfolder("redis")
    socket = folder.run / "redis.sock"
    password = folder.credentials.redis_password
    escaped = str(data).replace("\\", "\\\\").replace('"', '\\"')
    configuration = CONFIGURATION.format(socket=socket, password=password, folder=escaped)
    write_private(data / "redis.conf", configuration.encode())
    argv = [str(binaries.redis()), str(data / "redis.conf")]
    await servers.start(
        "redis",
        command(argv, user=None, parent_death_signal="TERM"),
        log=folder.log("redis"),
    )

    async def answers() -> bool | None:
        return await _ping(socket, password) or None

    await servers.ready("redis", answers)
    return {"RELAY_REDIS_URL": f"unix://:{quote(password)}@{socket}"}


async def _ping(socket: Path, password: str) -> bool:
    """Whether it answers, rather than being absent or still reading its file."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    try:
        writer.write(f"AUTH {password}\r\nPING\r\nQUIT\r\n".encode())
        return (await reader.read()).startswith(b"+OK\r\n+PONG\r\n")
    except OSError:
        return False
    finally:
        writer.close()
