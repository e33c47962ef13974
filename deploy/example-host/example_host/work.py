"""What goes on behind the pages: registering, reading again, catching up, writing e-mails."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Final

import aiosmtplib
import asyncpg

from example_host import cases, events, mail
from example_host.context import Context
from example_host.relay import RelayAway, RelayRefused

REST_SECONDS: Final = 1.0
LONGEST_REST_SECONDS: Final = 60.0
FAILURES: Final = (
    *(RelayAway, RelayRefused),
    *(aiosmtplib.SMTPException, asyncpg.PostgresError, asyncpg.InterfaceError, OSError),
)
"""What passes, or what an operator ends while this goes on."""

_log = logging.getLogger(__name__)


async def look_again(context: Context, case_id: uuid.UUID) -> None:
    """Register a case, or read how it stands with relay. RelayAway; a refusal is kept, and shown."""
    case = await cases.case_of(context.pool, None, case_id)
    if case is None:
        return
    try:
        if case.known is None:
            credentials = [one.credential for one in case.mediators if one.credential is not None]
            people = [(one.person, one.role) for one in case.people]
            found = await context.relay.register(
                case_id, case.reference, people, credentials, known=None
            )
        else:
            found = await context.relay.case(case_id)
    except RelayRefused as refused:
        await cases.keep_refusal(context.pool, case_id, refused.code)
        _log.warning("relay refused a case: %s", refused.code)
    else:
        await cases.keep(context.pool, case_id, found)


async def run(context: Context) -> None:
    """Work until it is cancelled; each part goes on by itself when another one fails."""

    async def see_cases() -> None:
        for case_id in await cases.to_be_seen(context.pool):
            await look_again(context, case_id)

    async def catch_up() -> None:
        await events.catch_up(context)

    async def write() -> None:
        await mail.send_due(context.pool, context.settings)

    poll = context.settings.poll_seconds
    async with asyncio.TaskGroup() as group:
        group.create_task(_again_and_again("catching up", catch_up, poll, asyncio.Event()))
        group.create_task(_again_and_again("cases", see_cases, REST_SECONDS, context.woken))
        group.create_task(_again_and_again("e-mails", write, REST_SECONDS, asyncio.Event()))


async def _again_and_again(
    name: str, work: Callable[[], Awaitable[None]], rest: float, woken: asyncio.Event
) -> None:
    """Do it, rest or be woken, and do it again; rest longer and longer while it cannot be done."""
    longer = REST_SECONDS
    while True:
        woken.clear()
        pause = rest
        try:
            await work()
            longer = REST_SECONDS
        except FAILURES as error:
            if longer == REST_SECONDS:
                _log.warning("%s: %s; it is tried again", name, type(error).__name__)
            longer = min(longer * 2, LONGEST_REST_SECONDS)
            pause = longer
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), pause)
