"""Events of relay: webhooks that are verified, each taken once, and asking for what no webhook brought."""

from __future__ import annotations

import hashlib
import json
import logging
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from example_host.context import CONTEXT, Context
from example_host.database import Connection, Pool
from example_host.relay import RelayRefused
from relay.client.api import Notification

PAGE: Final = 500
REMEMBERED: Final = "100 days"
"""Longer than relay stores events: nothing is sent again after that."""
_FOR_PERSON: Final = frozenset(
    {
        *("participant.message-waiting", "participant.message-returned"),
        *("participant.video-failed", "participant.answer-shared"),
    }
)
_FOR_MEDIATORS: Final = frozenset(
    {"mediator.review-waiting", "mediator.second-approval-needed", "mediator.claim-to-verify"}
)

_log = logging.getLogger(__name__)


async def webhook(request: web.Request) -> web.Response:
    """`POST /relay/events`: 204 once it is stored, 401 for what is not relay's, 400 for what is no event."""
    context = request.app[CONTEXT]
    body = await request.read()
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        # Signature first, and a time of at most five minutes ago; only then is anything read.
        Webhook(context.settings.webhook_secret).verify(body, headers)
    except (WebhookVerificationError, ValueError):
        return web.Response(status=HTTPStatus.UNAUTHORIZED)
    try:
        event = msgspec.json.decode(body, type=Notification, strict=False)
    except msgspec.DecodeError:
        return web.Response(status=HTTPStatus.BAD_REQUEST)
    await take(context.pool, event, headers["webhook-id"])
    context.woken.set()  # the work is done afterwards
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def take(pool: Pool, event: Notification, webhook_id: str | None = None) -> bool:
    """Store an event and what follows from it, in one step; False where it was there already.

    It does not matter in which order events come, or how often: what they say of a case is asked for again,
    and everything else keeps the latest time.
    """
    async with pool.acquire() as connection, connection.transaction():
        if webhook_id is not None and not await _is_first(connection, webhook_id):
            return False
        kept = await connection.fetchval(
            "insert into event (number, fingerprint, type, at, case_id, person)"
            " values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning number",
            *(event.id, _fingerprint(event), str(event.type), event.at),
            *(event.case, event.participant),
        )
        if kept is None:
            return False
        await _follow(connection, event)
    return True


async def catch_up(context: Context) -> int:
    """Ask relay for what happened and was not taken yet; how many events these were. RelayAway."""
    taken = 0
    after: int = await context.pool.fetchval("select next from progress")
    while True:
        try:
            page = await context.relay.events(after)
        except RelayRefused as refused:
            if refused.code != "events-gone" or after == 0:
                raise
            # Too long away, or relay was restored from a copy: look at every case again.
            _log.warning("events after %d are gone; every case is read again", after)
            await context.pool.execute("update case_file set stale = true where refused = ''")
            after = 0
            continue
        for event in page.events:
            taken += await take(context.pool, event)
        after = page.next
        await context.pool.execute("update progress set next = $1", after)
        if len(page.events) < PAGE:
            break
    await context.pool.execute(
        "delete from webhook where received_at < now() - $1::text::interval", REMEMBERED
    )
    if taken:
        context.woken.set()
    return taken


async def _is_first(connection: Connection, webhook_id: str) -> bool:
    kept = await connection.fetchval(
        "insert into webhook (webhook_id) values ($1) on conflict do nothing returning webhook_id",
        webhook_id,
    )
    return kept is not None


async def _follow(connection: Connection, event: Notification) -> None:
    """What an event means here. Nobody is written to yet: something waits for somebody from now on.

    Where an event is late, and they have come since, nothing does.
    """
    await connection.execute("update case_file set stale = true where case_id = $1", event.case)
    kind = str(event.type)
    if kind in _FOR_PERSON:
        await connection.execute(
            "update person set waiting_since = coalesce(waiting_since, $2) where person = $1"
            " and coalesce(visited_at < $2, true)",
            *(event.participant, event.at),
        )
    elif kind in _FOR_MEDIATORS:
        await connection.execute(
            "update staff set waiting_since = coalesce(waiting_since, $2) from assignment"
            " where assignment.staff = staff.staff and case_id = $1"
            " and coalesce(visited_at < $2, true)",
            *(event.case, event.at),
        )
    elif kind == "link.claimed":
        await connection.execute(
            "update link set claimed_at = $2 where link = $1", event.link, event.at
        )
        await connection.execute(
            "update person set visited_at = greatest(visited_at, $2), waiting_since ="
            " case when waiting_since > $2 then waiting_since end where person = $1",
            *(event.participant, event.at),
        )
    elif kind == "link.claim-refused":
        await connection.execute(
            "update link set tried_again_at = greatest(tried_again_at, $2) where link = $1",
            *(event.link, event.at),
        )


def _fingerprint(event: Notification) -> bytes:
    """The same for an event however it came."""
    plain = msgspec.to_builtins(event)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).digest()
