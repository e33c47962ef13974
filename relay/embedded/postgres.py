"""A Postgres of its own, reached by a socket: made once, tuned for one machine, always durable."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote, urlencode

from relay.embedded import binaries
from relay.embedded.errors import FolderUnusable
from relay.embedded.folder import Access, Accesses, DataFolder, write_private
from relay.embedded.privilege import Unprivileged, command, unprivileged
from relay.embedded.servers import Servers

DATABASE = "relay"
USERS = {
    Access.ADMINISTRATOR: "postgres",
    Access.OWNER: "relay_owner",
    Access.WEB: "relay_web",
    Access.WORKER: "relay_worker",
    Access.DELIVERER: "relay_deliverer",
}
"""Their names in Postgres; what the last three may do, `relay migrate` says."""
VERSION = "18"
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "io_method": "sync",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # A log holds no content: neither the statement that failed nor its parameters nor the row.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
"""fsync, full_page_writes and synchronous_commit stay on, as they are by default."""


async def start(folder: DataFolder, servers: Servers) -> Accesses:
    """Start Postgres, making the database the first time; gives each its `RELAY_DATABASE_URL`."""
    programs = binaries.postgres()
    data = folder.root / "postgres"
    user = unprivileged(data, programs / "postgres")
    sockets = folder.run / "postgres"
    _make_private(sockets, user)
    if not data.exists():
        await _create(folder, servers, programs, user)
    _check(data, user)
    (data / "postmaster.pid").unlink(
        missing_ok=True
    )  # stale: a live server would hold the lock that we hold
    settings = {**SETTINGS, "unix_socket_directories": str(sockets)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    argv = [str(programs / "postgres"), "-D", str(data), *options]
    await servers.start(
        "postgres",
        command(argv, user=user, parent_death_signal="INT"),
        log=folder.log("postgres"),
        stop_signal=signal.SIGINT,  # "fast": ends sessions and writes everything down
    )

    async def accepts_connections() -> bool | None:
        try:
            status = (data / "postmaster.pid").read_bytes()
        except FileNotFoundError:
            return None
        return status.rstrip().endswith(b"ready") or None

    await servers.ready("postgres", accepts_connections)
    place = urlencode({"host": str(sockets)}, safe="/")
    return {
        access: {
            "RELAY_DATABASE_URL": (
                f"postgresql://{user}:{quote(folder.credentials.postgres[access])}"
                f"@/{DATABASE}?{place}"
            )
        }
        for access, user in USERS.items()
    }


async def _create(
    folder: DataFolder, servers: Servers, programs: Path, user: Unprivileged | None
) -> None:
    """Make the cluster, its users and the database beside their place, then move them there whole."""
    made = folder.root / "postgres.partial"
    shutil.rmtree(made, ignore_errors=True)
    _make_private(made, user)
    password, statement = folder.run / "postgres" / "password", folder.run / "postgres" / "create"
    passwords = folder.credentials.postgres
    statements = [
        f"create role {user} login password '{passwords[access]}';"
        for access, user in USERS.items()
        if access is not Access.ADMINISTRATOR
    ]
    statements.append(f"create database {DATABASE} owner {USERS[Access.OWNER]};")
    superuser = USERS[Access.ADMINISTRATOR]
    for path, text in (
        (password, passwords[Access.ADMINISTRATOR]),
        (statement, "\n".join(statements)),
    ):
        write_private(path, text.encode() + b"\n")
        _give(path, user)
    initdb = [str(programs / "initdb"), "-D", str(made), "-U", superuser, f"--pwfile={password}"]
    initdb += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    initdb += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    single = [str(programs / "postgres"), "--single", "-D", str(made), "template1"]
    for name, argv in (("initdb", initdb), ("create-database", single)):
        await servers.start(
            name,
            command(argv, user=user, parent_death_signal="TERM"),
            log=folder.log("postgres"),
            given=statement,
        )
        await servers.finished(name)
    password.unlink()
    statement.unlink()
    made.replace(folder.root / "postgres")


def _check(data: Path, user: Unprivileged | None) -> None:
    """Refuse data of another Postgres or another user."""
    owner = data.stat().st_uid
    if owner != (os.geteuid() if user is None else user.uid):
        raise FolderUnusable(f"{data} belongs to another user (number {owner})")
    version = (data / "PG_VERSION").read_text("ascii").strip()
    if version != VERSION:
        raise FolderUnusable(f"{data} was made by Postgres {version}; relay brings {VERSION}")


def _make_private(path: Path, user: Unprivileged | None) -> None:
    path.mkdir(mode=0o700)
    _give(path, user)


def _give(path: Path, user: Unprivileged | None) -> None:
    if user is not None:
        os.chown(path, user.uid, user.gid)
