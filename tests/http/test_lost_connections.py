"""A restart of PostgreSQL in the middle of anything is 503 with Retry-After, and never a 500.

Every connection is ended before the first statement of a request, before the second, and so on, until the
request has no more of them. The monitor of the relay reports each 500, and each 503 without Retry-After.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, TypeAlias

import pytest
from aiohttp import hdrs

from relay.app import ROUTES
from relay.client.connection import Problem
from relay.client.participant import Participant
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import parse_link_url
from relay.domain.actors import Role
from relay.domain.tokens import Scope
from relay.handlers.routing import Route
from relay.settings import Settings
from relay.testing.people import Case, Organization
from tests.support.cut_connections import Cutter, cutting
from tests.support.requests import caller_of

pytestmark = [pytest.mark.own_relay, pytest.mark.slow]

PARAMETER: Final = re.compile(r"\{(\w+)\}")
WITHOUT_DATABASE: Final = {
    *("/livez", "/v1/failures", "/v1/embedding"),
    *("/v1/profile", "/v1/profile/logo/{logo}"),
}
STATEMENTS_MAX: Final = 200
"""Of one step, in all its requests."""

Step: TypeAlias = Callable[[], Awaitable[object]]


@pytest.fixture
def cutter(database_url: str) -> Iterator[Cutter]:
    """Ends the connections of the relay of this test, which is opened after this."""
    with cutting(database_url) as found:
        yield found


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As ever, with a sign of life every second."""
    return dataclasses.replace(settings, events_keepalive_seconds=1)


@pytest.fixture
def relay_url(cutter: Cutter, relay_url: str) -> Iterator[str]:
    """The relay, opened under the cutter."""
    yield relay_url
    cutter.rest()


async def test_a_read_is_told_to_come_again(
    cutter: Cutter, case: Case, people: Organization
) -> None:
    """Every GET and HEAD route, cut after each of its statements: 503, and 200 where none was left."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    await case.mediator.lease(sent.message)
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    uploader = await Participant.through_upload_link(people.connection, url)
    link = parse_link_url(case.harmed_url)
    ids = {
        "case": str(case.case_id),
        "participant": str(case.harmed.participant_id),
        "message": str(sent.message),
        "link": str(link.id),
        "credential": str(case.mediator.credential_id),
        "commitment": sent.parts[0].commitment,
        "upload": str(uuid.uuid4()),
        "text": str(uuid.uuid4()),
        "hold": str(uuid.uuid4()),
        "revision": "1",
        "receiver": "case-system",
        "logo": "none.svg",
    }
    bearers = {
        Role.LINK: b64u_encode(link.secret.auth(link.id)),
        Role.PARTICIPANT: await caller_of(case.harmed).signed.bearer(),
        Role.UPLOADER: await caller_of(uploader).signed.bearer(),
        Role.MEDIATOR: await caller_of(case.mediator).signed.bearer(),
        Role.SERVICE: people.case_system.token(*Scope),
    }

    async def status(entry: Route, role: Role) -> int:
        path = PARAMETER.sub(lambda found: ids[found[1]], entry.path)
        headers = {"Tus-Resumable": "1.0.0"}
        if role is not Role.PUBLIC:
            headers[hdrs.AUTHORIZATION] = f"Bearer {bearers[role]}"
        async with people.connection.http.request(
            entry.method, f"{people.connection.url}{path}", headers=headers
        ) as answer:
            if answer.status == 503:
                assert entry.path == "/readyz" or int(answer.headers[hdrs.RETRY_AFTER]) > 0
            return answer.status

    asked = 0
    for entry in ROUTES:
        if entry.method not in {"GET", "HEAD"}:
            continue
        for role in sorted(entry.roles):
            statuses = []
            for statements in range(STATEMENTS_MAX):
                cutter.after(statements)
                statuses.append(await status(entry, role))
                if not cutter.has_cut:
                    break
            where = f"{entry.method} {entry.path} {role}: {statuses}"
            asked += 1
            assert set(statuses) <= {200, 404, 503}, where
            assert statuses[-1] != 503, where
            assert len(statuses) < STATEMENTS_MAX, where
            assert (503 in statuses) == (entry.path not in WITHOUT_DATABASE), where
    assert asked > 25


async def test_a_write_is_told_to_come_again(
    cutter: Cutter, case: Case, people: Organization
) -> None:
    """The story of a letter, of a link and of an upload, cut after each statement of each step."""
    to = case.responsible.participant_id
    mediator, harmed, responsible = case.mediator, case.harmed, case.responsible

    async def newest() -> uuid.UUID:
        return (await harmed.lists()).sent.items[0].message

    await through(cutter, lambda: harmed.send_letter(to, "Words."))
    message = await newest()
    await through(cutter, lambda: mediator.lease(message))
    leased = await mediator.read(message)
    await through(cutter, lambda: mediator.decide(leased, "approve"))
    approved = await mediator.read(message)
    await through(cutter, lambda: mediator.offer(approved))
    waiting = await responsible.offered(message)
    await through(cutter, lambda: responsible.respond(waiting, "accept"))
    accepted = await responsible.offered(message)
    await through(cutter, lambda: responsible.open(accepted))
    await through(cutter, lambda: harmed.consent("paused"))
    await harmed.consent("active")
    taken_back = await harmed.send_letter(to, "Words.")
    await through(cutter, lambda: harmed.withdraw(taken_back.message))
    await through(cutter, lambda: mediator.make_link(case.case_id, to, "upload"))
    link = parse_link_url(await mediator.make_link(case.case_id, to, "upload"))
    await through(cutter, lambda: mediator.end_link(case.case_id, link.id, "replaced"))
    await through(cutter, lambda: mediator.keep_keyring(b"sealed" * 40))
    await through(cutter, lambda: people.unlock(case.harmed_url))
    await through(cutter, people.mediator)
    await mediator.end_link(case.case_id, parse_link_url(case.harmed_url).id, "replaced")
    url = await mediator.make_link(case.case_id, harmed.participant_id)
    await through(cutter, lambda: people.claim(url), done="link-claimed")


async def test_a_live_feed_whose_connection_is_cut_ends(cutter: Cutter, case: Case) -> None:
    """After the answer has begun nothing else can be told: it ends in good order, without a second answer."""
    caller = caller_of(case.harmed)
    headers = {hdrs.AUTHORIZATION: f"Bearer {await caller.signed.bearer()}"}
    connection = caller.signed.connection
    statuses = []
    for statements in range(6):
        cutter.after(statements)
        async with connection.http.get(
            f"{connection.url}/v1/messages/events", headers=headers
        ) as stream:
            statuses.append(stream.status)
            async with asyncio.timeout(10):
                assert b"HTTP/" not in await stream.content.read()
        assert cutter.has_cut
    assert statuses[0] == 503
    assert statuses[-1] == 200


async def through(cutter: Cutter, step: Step, *, done: str = "") -> None:
    """Do it with the connections cut before its first statement, its second, until it goes through uncut.

    `done`: with which code it is refused where it was done and only its answer was lost.
    """
    refused = 0
    for statements in range(STATEMENTS_MAX):
        cutter.after(statements)
        try:
            await step()
        except Problem as problem:
            if problem.status != 503:
                if not refused or problem.code != done:
                    raise
                break
            refused += 1
        if not cutter.has_cut:
            break
    cutter.rest()
    assert 0 < refused < STATEMENTS_MAX
