"""Looks, every so many seconds, at what Prometheus is told of the services: a scrape waits for none of them.

Each service is looked at by a task of its own, the database over a connection of its own, so that neither one
that hangs nor a pool that is used up says anything about another. What was seen too long ago is not told.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, Protocol, TypeAlias

import asyncpg
from prometheus_client import Metric

from relay import metrics
from relay.errors import RelayError
from relay.services.event_loop import LoopWatch, measure_lag
from relay.storage.database import Connection, Database
from relay.storage.monitoring import FigureRow, is_there, read_figures

LOOK_SECONDS: Final = 15.0
"""Between two looks at one service."""
ANSWER_SECONDS: Final = 3.0
"""How long a service may take to answer before it counts as away."""
FIGURES_SECONDS: Final = 2.0
"""Of which the figures may take this long."""

_log = logging.getLogger(__name__)


class Reachable(Protocol):
    """A service that says whether it answers."""

    async def is_reachable(self) -> bool:
        """Whether it answers."""


_Look: TypeAlias = Callable[[], Awaitable[Sequence[FigureRow] | None]]
"""What was seen; None where the service did not answer."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Seen:
    at: float
    figures: Sequence[FigureRow] | None


class Monitor:
    """What this process knows of its services, as a collector of Prometheus."""

    def __init__(
        self,
        *,
        database: Database,
        database_url: str,
        objects: Reachable | None,
        queue: Reachable | None,
        reads_figures: bool,
        every_seconds: float = LOOK_SECONDS,
    ) -> None:
        """`objects` and `queue`: None in a process that does without; it then says nothing of them.

        `reads_figures`: whether this process tells what waits in the database, as a worker does.
        """
        self._database = database
        self._database_url = database_url
        self._reads_figures = reads_figures
        self._every_seconds = every_seconds
        self._own: Database | None = None
        self._loop = LoopWatch()
        self._seen: dict[str, _Seen] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._looks: dict[metrics.Seen, _Look] = {metrics.DATABASE_UP: self._look_at_database}
        for up, service in ((metrics.OBJECTS_UP, objects), (metrics.REDIS_UP, queue)):
            if service is not None:
                self._looks[up] = functools.partial(_answers, service)

    def start(self) -> None:
        """Look now, and again and again until `close`."""
        keepers = [self._keep(up, look) for up, look in self._looks.items()]
        self._tasks = [
            asyncio.create_task(keeper) for keeper in (*keepers, self._loop.run(), measure_lag())
        ]

    async def close(self) -> None:
        """Look no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._own is not None:
            await self._own.close()

    def collect(self) -> Iterator[Metric]:
        """What was seen a short while ago, and how the pool and the event loop are now."""
        pool = self._database.pool
        known = [
            *((up, float(self._figures(up) is not None)) for up in self._looks),
            (metrics.POOL_SIZE, pool.size),
            (metrics.POOL_IDLE, pool.idle),
            (metrics.POOL_MAX, pool.most),
            (metrics.LOOP_BLOCKED, self._loop.longest_block()),
        ]
        for seen, value in known:
            family = seen.family()
            family.add_metric([], value)
            yield family
        yield from _families(self._figures(metrics.DATABASE_UP) or ())

    def _figures(self, up: metrics.Seen) -> Sequence[FigureRow] | None:
        """What was seen of a service; None where it was away, or was not seen for long."""
        seen = self._seen.get(up.name)
        if seen is None or time.monotonic() - seen.at > 2 * self._every_seconds + ANSWER_SECONDS:
            return None
        return seen.figures

    async def _keep(self, up: metrics.Seen, look: _Look) -> None:
        while True:
            self._seen[up.name] = _Seen(time.monotonic(), await self._look(up, look))
            await asyncio.sleep(self._every_seconds)

    async def _look(self, up: metrics.Seen, look: _Look) -> Sequence[FigureRow] | None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await look()
        except (TimeoutError, OSError, RelayError, asyncpg.PostgresError) as error:
            _log.warning("%s: %s", up.name, type(error).__name__)
            return None

    async def _look_at_database(self) -> Sequence[FigureRow]:
        if self._own is None:
            self._own = await Database.connect(self._database_url, connections=1)
        async with self._own.connection() as connection:
            await is_there(connection)
            return await self._read(connection) if self._reads_figures else ()

    async def _read(self, connection: Connection) -> Sequence[FigureRow]:
        """The figures; none where they take too long or may not be read: the database is there still."""
        try:
            async with asyncio.timeout(FIGURES_SECONDS):
                return await read_figures(connection)
        except (TimeoutError, asyncpg.SyntaxOrAccessError) as error:
            _log.warning("the figures for Prometheus: %s", type(error).__name__)
            return ()


async def _answers(service: Reachable) -> Sequence[FigureRow] | None:
    return () if await service.is_reachable() else None


def _families(figures: Sequence[FigureRow]) -> Iterator[Metric]:
    """The figures under their names; none that the database has no value of."""
    for seen in metrics.FIGURES:
        family = seen.family()
        for row in figures:
            if row.figure == seen.name:
                family.add_metric([row.kind] if seen.label and row.kind else [], row.value)
        if family.samples:
            yield family
