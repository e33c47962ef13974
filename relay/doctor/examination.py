"""All checks of a process, in the order in which they are of use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from relay.doctor.checks import Check, fail
from relay.doctor.collector import check_collector
from relay.doctor.configuration import Process, check_settings, read
from relay.doctor.database import check_database
from relay.doctor.receivers import check_receivers
from relay.doctor.redis import check_redis
from relay.doctor.store import check_store
from relay.doctor.web import check_keys, check_pages
from relay.settings import Settings


async def examine(environment: Mapping[str, str], process: Process) -> AsyncIterator[Check]:
    """Everything that this process relies on; only what is in the environment is looked at."""
    settings, first = read(environment, process)
    yield first
    if settings is None:
        return
    collector = await check_collector(environment)
    for check in (*check_settings(settings, environment, process), *collector):
        yield check
    async for check in check_database(settings, process):
        yield check
    if process == "deliverer":
        yield check_receivers(settings)
        return
    for part in (check_store(settings), check_redis(settings)):
        async for check in part:
            yield check
    if process == "web":
        async for check in check_keys(settings):
            yield check
        yield check_pages()
    else:
        async for check in _worker(settings):
            yield check


async def _worker(settings: Settings) -> AsyncIterator[Check]:
    """What a worker has besides; its packages need not be there where the web service runs."""
    try:
        from relay.doctor.media import check_worker  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError:
        yield fail("ffmpeg", "What a worker needs is not installed: pip install 'relay[worker]'.")
        return
    async for check in check_worker(settings):
        yield check
