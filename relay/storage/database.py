"""Connections to PostgreSQL: a pool, transactions, and the numbered migrations."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import socket
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, TypeVar

import asyncpg
import asyncpg.pool
import msgspec
from asyncpg.connection import LoggedQuery
from asyncpg.pool import PoolConnectionProxy

from relay.domain.cases import CaseDisposed
from relay.errors import ConfigurationError, Conflict, RelayError, Unavailable
from relay.metrics import POOL_WAIT, POOL_WAITING
from relay.storage.queries import name_of, named_queries
from relay.tracing import spans
from relay.tracing.spans import Kind

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CLOSE_SECONDS: Final = 2
MIGRATION_LOCK: Final = 0x72656C6179  # "relay" in ASCII: one migration at a time on a database
ROLES: Final = ("relay_web", "relay_worker", "relay_deliverer")
"""As whom the web service, the workers and whoever sends events come, besides the owner, who migrates."""

_GRANTS: Final = resources.files("relay.storage").joinpath("grants.sql").read_text("utf-8")
_ROLES: Final = named_queries("roles")

_log = logging.getLogger(__name__)

SILENCE_SECONDS: Final = 30
"""After which a peer that is gone without a word is taken for gone, on both sides of a connection by TCP."""
PROBE_SECONDS: Final = 10
IDLE_SECONDS: Final = 60
"""How long a transaction of a process may wait for its next statement: who hangs holds no lock for longer."""
_OF_SERVER: Final = {
    "tcp_keepalives_idle": str(PROBE_SECONDS),
    "tcp_keepalives_interval": str(PROBE_SECONDS),
    "tcp_keepalives_count": str(SILENCE_SECONDS // PROBE_SECONDS - 1),
    "tcp_user_timeout": str(SILENCE_SECONDS * 1000),
}
"""What the server is asked to do for each connection; nothing, on a socket of its own machine."""
_OF_CLIENT: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, PROBE_SECONDS),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, PROBE_SECONDS),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, SILENCE_SECONDS // PROBE_SECONDS - 1),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_SECONDS * 1000),
)

_LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""What a statement ends with when its server stops or its connection breaks."""
_LOST_IF_CLOSED: Final = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What it may end with, too, and what may as well be a mistake of ours: only the connection tells which."""

_UNABLE: Final = (
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
)
"""What a statement ends with on a server that has no room, whose disk fails, or that is only a copy yet."""

_REFUSING: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ClientConfigurationError,
)
"""What a first connection ends with where the address is wrong rather than the server away."""

_DISPOSED: Final = "RL410"
"""With what the schema refuses whatever is done in a case that was disposed of."""

_Value = TypeVar("_Value")


class MigrationChanged(ConfigurationError):
    """A migration that was applied differs from the one of this build."""

    code = "migration-changed"


class RolesMissing(ConfigurationError):
    """The database server lacks the roles of relay."""

    code = "roles-missing"


class RolesTooStrong(ConfigurationError):
    """A role of relay has more rights than it needs."""

    code = "roles-too-strong"


class NotOwner(ConfigurationError):
    """The address to migrate with is not that of the database's owner."""

    code = "not-owner"


if TYPE_CHECKING:
    _Connection = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection


class Probed(_Connection):
    """A connection that ends by itself once its server is gone without a word.

    Else a statement that is sent to it would wait for a quarter of an hour, one under way for ever.
    """

    def __init__(
        self,
        protocol: Any,
        transport: asyncio.Transport,
        *more: Any,
        **named: Any,
    ) -> None:
        """As asyncpg makes it."""
        super().__init__(protocol, transport, *more, **named)
        of_transport = transport.get_extra_info("socket")
        if of_transport is not None and of_transport.family != socket.AF_UNIX:
            for level, option, value in _OF_CLIENT:
                of_transport.setsockopt(level, option, value)


@contextlib.contextmanager
def _reaching() -> Iterator[None]:
    """Around what opens the first connection: its errors as ours, in a sentence for whoever runs relay."""
    try:
        yield
    except _REFUSING as error:
        name = type(error).__name__
        raise ConfigurationError(
            f"RELAY_DATABASE_URL does not let this process in: {name}"
        ) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise Unavailable(f"PostgreSQL does not answer: {reason}") from error


async def connect(url: str) -> Connection:
    """A connection by itself, for whoever needs one of their own for long; errors as of asyncpg."""
    return await asyncpg.connect(url, connection_class=Probed, server_settings=_OF_SERVER)


class PoolFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Connections of a pool: how many are open, how many of these nobody uses, and how many there may be."""

    size: int
    idle: int
    most: int


class Database:
    """A pool of connections; every transaction is its own `async with`."""

    def __init__(
        self, pool: asyncpg.Pool[asyncpg.Record], wait_seconds: float | None = None
    ) -> None:
        self._pool = pool
        self._wait_seconds = wait_seconds

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        connections: int,
        wait_seconds: float | None = None,
        idle_seconds: int = 0,
    ) -> Self:
        """Open a pool of at most `connections` to the database at `url`.

        Who has waited for one of them for `wait_seconds` is refused; without that, everybody waits.
        `idle_seconds`: after so long without a statement the server ends a transaction; 0 for never.
        Unavailable where no server answers, ConfigurationError where it does not let this process in.
        """
        with _reaching():
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=connections,
                reset=_keep,
                connection_class=Probed,
                server_settings={
                    **_OF_SERVER,
                    "application_name": "relay",
                    "idle_in_transaction_session_timeout": str(idle_seconds * 1000),
                },
            )
        return cls(pool, wait_seconds)

    async def warn_of_power(self) -> None:
        """Say in the log where the role of these connections could do more than relay needs."""
        async with self.connection() as connection:
            role = await connection.fetchval("select session_user")
            rows = await connection.fetch(_ROLES["list_powers"], [role])
        for row in rows:
            _log.warning(
                "the database role %s %s: give this process a role of its own, see docs/operations.md",
                role,
                row["power"],
            )

    @property
    def pool(self) -> PoolFigures:
        """How the pool is now."""
        return PoolFigures(
            size=self._pool.get_size(),
            idle=self._pool.get_idle_size(),
            most=self._pool.get_max_size(),
        )

    async def close(self) -> None:
        """Wait CLOSE_SECONDS at most for what is under way, then close every connection."""
        with contextlib.suppress(TimeoutError):  # it has broken them off, then
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One connection without a transaction, for a single statement.

        Who holds one asks for no second: a pool full of such callers would wait for ever. The tests watch it.
        Unavailable where there is no database, no room in it, or none of the pool's connections becomes free
        in time; Conflict where what is written is there already.
        """
        proxy = await self._acquire()
        is_kept = spans.is_kept()
        if is_kept:
            proxy.add_query_logger(_note)
        try:
            yield proxy  # type: ignore[misc]  # the pool's proxy has every method of a connection
        except (asyncpg.PostgresError, *_LOST_IF_CLOSED) as error:
            ours = _ours(error, proxy)
            if ours is None:
                raise
            raise ours from None
        finally:
            # Where that fails the pool drops the connection; what was done with it is told already.
            if is_kept:
                with contextlib.suppress(*_LOST_IF_CLOSED):
                    proxy.remove_query_logger(_note)
            with contextlib.suppress(*_LOST, *_LOST_IF_CLOSED):
                if proxy.is_in_transaction():  # its end failed, or somebody stopped waiting for it
                    proxy.terminate()
                await self._pool.release(proxy)

    async def _acquire(self) -> PoolConnectionProxy:
        try:
            with POOL_WAITING.track_inprogress(), POOL_WAIT.time():
                async with asyncio.timeout(self._wait_seconds):
                    return await self._pool.acquire()
        except TimeoutError:
            raise Unavailable("no connection in time") from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Unavailable(f"no connection: {type(error).__name__}") from None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One connection inside a transaction: all of it is kept, or none. Errors as of `connection`."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """One connection that only reads, and reads everything as it was at one moment."""
        async with (
            self.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection


def _note(asked: LoggedQuery) -> None:
    """By the name that the statement has in relay: neither its text nor its arguments are looked at."""
    name = name_of(asked.query)
    error = None if asked.exception is None else type(asked.exception).__name__
    attributes = {"db.system.name": "postgresql", "db.query.summary": name}
    spans.note(name, Kind.CLIENT, attributes, seconds=asked.elapsed, error=error)


def _ours(error: Exception, proxy: PoolConnectionProxy) -> RelayError | None:
    """What an error of the database is to relay; None where it is a mistake of ours."""
    name = type(error).__name__
    match error:
        case asyncpg.UniqueViolationError():
            return Conflict(f"{error.constraint_name} holds it already")
        case asyncpg.PostgresError() if error.sqlstate == _DISPOSED:
            return CaseDisposed(uuid.UUID(error.detail))
        case asyncpg.PostgresError() if isinstance(error, _UNABLE):
            return Unavailable(f"the database cannot do it now: {name}")
    if isinstance(error, _LOST) or (isinstance(error, _LOST_IF_CLOSED) and _is_closed(proxy)):
        return Unavailable(f"connection lost: {name}")
    return None


def _is_closed(proxy: PoolConnectionProxy) -> bool:
    """Whether a connection that was lent is gone; the pool may have noticed already, and taken it back."""
    try:
        return proxy.is_closed()
    except asyncpg.InterfaceError:
        return True


async def _keep(_connection: object) -> None:
    """Give a connection back as it is: nothing here leaves state behind, and a reset is a round trip."""


def rows_of(status: str) -> int:
    """How many rows a statement wrote or removed, by the status it ended with, such as `INSERT 0 1`."""
    return int(status.rpartition(" ")[2])


def one(row: asyncpg.Record | None, value: type[_Value]) -> _Value | None:
    """A row as a frozen value, or None where there is no row."""
    return None if row is None else msgspec.convert(row, value)


def many(rows: Iterable[asyncpg.Record], value: type[_Value]) -> list[_Value]:
    """Rows as frozen values."""
    return [msgspec.convert(row, value) for row in rows]


def migrations() -> list[tuple[int, str, str]]:
    """Number, file name and text of each migration, in order."""
    folder = resources.files("relay.storage").joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(n.split("_")[0]), n, folder.joinpath(n).read_text("utf-8")) for n in names]


async def migrate(database_url: str) -> list[str]:
    """Bring the schema up to date and return the names of the migrations that were applied.

    Each runs in a transaction of its own, under an advisory lock so that two starts do not race. Then the
    web service and the workers get the rights that they need, and lose every other. MigrationChanged where a
    migration was altered after it was applied; RolesMissing, RolesTooStrong, NotOwner.
    """
    with _reaching():
        connection = await asyncpg.connect(database_url)
    try:
        return await _migrate(connection)
    except asyncpg.InsufficientPrivilegeError:
        raise NotOwner from None
    finally:
        await connection.close()


async def _migrate(connection: Connection) -> list[str]:
    await connection.execute("select pg_advisory_lock($1)", MIGRATION_LOCK)
    await _require_roles(connection)
    await connection.execute(
        "create table if not exists migrations ("
        "version integer primary key, name text not null, digest bytea not null, "
        "applied_at timestamptz not null default now())"
    )
    done = {
        row["version"]: row["digest"]
        for row in await connection.fetch("select version, digest from migrations")
    }
    applied = []
    for version, name, text in migrations():
        digest = hashlib.sha256(text.encode()).digest()
        if version in done:
            if done[version] != digest:
                raise MigrationChanged(name)
            continue
        async with connection.transaction():
            await connection.execute(text)
            await connection.execute(
                "insert into migrations (version, name, digest) values ($1, $2, $3)",
                version,
                name,
                digest,
            )
        applied.append(name)
    async with connection.transaction():
        await connection.execute(_GRANTS)
        await _require_nothing_of(connection, _ROLES["list_creations"])
    return applied


async def _require_roles(connection: Connection) -> None:
    """Go on only where the roles exist and are ordinary ones; RolesMissing, RolesTooStrong."""
    rows = await connection.fetch("select rolname from pg_roles where rolname = any($1)", ROLES)
    missing = sorted(set(ROLES) - {row["rolname"] for row in rows})
    if missing:
        raise RolesMissing(", ".join(missing))
    await _require_nothing_of(connection, _ROLES["list_powers"])


async def _require_nothing_of(connection: Connection, query: str) -> None:
    """Go on only where this query finds nothing that a role could do beyond its grants; or RolesTooStrong."""
    rows = await connection.fetch(query, ROLES)
    if rows:
        raise RolesTooStrong("; ".join(f"{row['role']} {row['power']}" for row in rows))


async def is_migrated(connection: Connection) -> bool:
    """Whether every migration of this release is applied; those of a later one may be there, too."""
    if await connection.fetchval("select to_regclass('migrations')") is None:
        return False
    done = await connection.fetchval("select coalesce(max(version), 0) from migrations")
    return bool(done >= migrations()[-1][0])
