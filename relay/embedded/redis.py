"""A Redis of its own, reached by a socket: every write goes to its append-only file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

from relay.embedded import binaries
from relay.embedded.folder import Access, Accesses, DataFolder, write_private
from relay.embedded.privilege import command
from relay.embedded.servers import Servers
from relay.queue import WEB_RULES, WORKER_RULES

USERS = {
    Access.ADMINISTRATOR: ("default", "~* &* +@all"),
    Access.WEB: ("web", WEB_RULES),
    Access.WORKER: ("worker", WORKER_RULES),
}
"""Their names in Redis and what they may do; `relay migrate` has nothing to do there."""
CONFIGURATION = """\
port 0
unixsocket {socket}
unixsocketperm 700
{users}
dir "{folder}"
proto-max-bulk-len 1mb
appendonly yes
appendfsync everysec
save ""
databases 64
maxmemory-policy noeviction
"""


async def start(folder: DataFolder, servers: Servers) -> Accesses:
    """Start Redis on the folder; gives each its `RELAY_REDIS_URL`."""
    data = folder.subfolder("redis")
    socket = folder.run / "redis.sock"
    passwords = folder.credentials.redis
    escaped = str(data).replace("\\", "\\\\").replace('"', '\\"')
    users = [
        f"user {user} reset on >{passwords[access]} {rules}"
        for access, (user, rules) in USERS.items()
    ]
    configuration = CONFIGURATION.format(socket=socket, users="\n".join(users), folder=escaped)
    write_private(data / "redis.conf", configuration.encode())
    argv = [str(binaries.redis()), str(data / "redis.conf")]
    await servers.start(
        "redis",
        command(argv, user=None, parent_death_signal="TERM"),
        log=folder.log("redis"),
    )

    async def answers() -> bool | None:
        return await _ping(socket, passwords[Access.ADMINISTRATOR]) or None

    await servers.ready("redis", answers)
    return {
        access: {"RELAY_REDIS_URL": f"unix://{user}:{quote(passwords[access])}@{socket}"}
        for access, (user, _rules) in USERS.items()
    }


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
