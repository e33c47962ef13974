"""Forged, repeated and late events at the example case system, and the e-mails that follow from them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import random
import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from aiosmtplib import SMTPException

from example_host import events, mail
from example_host.settings import Settings
from relay.client.api import Notification
from relay.crypto.webhooks import new_shared_secret
from relay.demo.mailbox import mailbox, text_of
from relay.testing.letters import LETTER
from relay.testing.people import Organization, verify_everybody
from tests.support.example_host import CLERK, Office, served


async def _told(office: Office) -> list[Notification]:
    """What relay has told of the case so far."""
    page = await office.people.case_system.events(0, limit=500)
    return [one for one in page.events if one.case == office.case_id]


async def test_a_webhook_that_is_not_relays_is_not_taken(office: Office) -> None:
    """Another secret, another body, another id, an old or missing time, no signature: nothing is stored."""
    await office.people.case_system.set_closed(office.case_id, closed=True)
    body = msgspec.json.encode((await _told(office))[0])
    host = office.host
    good = host.signed(body, "1-a")
    other = dataclasses.replace(
        host.context,
        settings=dataclasses.replace(host.context.settings, webhook_secret=new_shared_secret()),
    )
    forged = dataclasses.replace(host, context=other).signed(body, "1-a")
    before = await host.everything()
    tries = [
        (body, {}),
        (body, forged),
        (body.replace(b"closed", b"opened"), good),
        (body, {**good, "webhook-id": "1-b"}),
        (body, host.signed(body, "1-a", datetime.now(UTC) - timedelta(minutes=10))),
        (body, host.signed(body, "1-a", datetime.now(UTC) + timedelta(minutes=10))),
        (body, {**good, "webhook-timestamp": "soon"}),
        (body, {**good, "webhook-signature": "v1,"}),
        (body, {**good, "webhook-signature": "v1a," + good["webhook-signature"][3:]}),
        *((body, {k: v for k, v in good.items() if k != name}) for name in good),
    ]
    for content, headers in tries:
        assert await host.deliver(content, headers) == HTTPStatus.UNAUTHORIZED, headers
    nonsense = b'{"id": 1}'
    assert await host.deliver(nonsense, host.signed(nonsense, "2-a")) == HTTPStatus.BAD_REQUEST
    assert await host.everything() == before
    assert await host.deliver(body, good) == HTTPStatus.NO_CONTENT


async def test_events_count_once_in_whatever_order_they_come(
    office: Office, chance: random.Random
) -> None:
    """By webhook twice and shuffled, then asked for after an outage: each is there once, the state true."""
    host, system = office.host, office.people.case_system
    for closed in (True, False, True, False, True):
        await system.set_closed(office.case_id, closed=closed)
    told = await _told(office)
    assert len(told) == 5
    by_webhook = [*told[:4], *told[:4]]
    chance.shuffle(by_webhook)
    for event in by_webhook:
        body = msgspec.json.encode(event)
        headers = host.signed(body, f"{event.id}-x")
        assert await host.deliver(body, headers) == HTTPStatus.NO_CONTENT
        assert await host.deliver(body, headers) == HTTPStatus.NO_CONTENT
    taken = await events.catch_up(host.context)
    assert taken >= 1
    assert await events.catch_up(host.context) == 0
    rows = await host.context.pool.fetch(
        "select number from event where case_id = $1 order by number", office.case_id
    )
    assert [row["number"] for row in rows] == sorted(one.id for one in told)
    await host.until("select not stale and view->>'closed_at' is not null from case_file")
    page = (await (await host.at_work(CLERK)).get(f"/cases/{office.case_id}")).text
    assert page.count("The case was closed") == 3


async def test_an_event_that_comes_late_writes_to_nobody_who_came_since(office: Office) -> None:
    """A mediator who has looked since it happened is not written to about it; about a newer one they are."""
    host = office.host
    waiting = "select waiting_since is not null from staff where login = 'mediator'"

    async def deliver(number: int, at: datetime) -> None:
        event = {
            "id": number,
            "type": "mediator.review-waiting",
            "at": at.isoformat(),
            "case": str(office.case_id),
            **dict.fromkeys(("participant", "message", "link", "credential", "log")),
        }
        body = json.dumps(event).encode()
        headers = host.signed(body, f"{number}-y")
        assert await host.deliver(body, headers) == HTTPStatus.NO_CONTENT

    await host.at_work("mediator")
    mediator = await host.at_work("mediator")
    await mediator.get("/")
    await deliver(1001, datetime.now(UTC) - timedelta(minutes=1))
    assert not await host.context.pool.fetchval(waiting)
    await deliver(1002, datetime.now(UTC) + timedelta(seconds=1))
    assert await host.context.pool.fetchval(waiting)
    strangers = "select count(*) from staff where waiting_since is not null"
    assert await host.context.pool.fetchval(strangers) == 1
    await mediator.get("/")
    assert not await host.context.pool.fetchval(waiting)


async def test_events_that_are_gone_have_every_case_read_again(office: Office) -> None:
    """A case system that knows a number which relay never gave begins anew, and misses no state."""
    host = office.host
    await office.people.case_system.set_closed(office.case_id, closed=True)
    await host.context.pool.execute("update progress set next = 1000000")
    await host.context.pool.execute("update case_file set stale = false")
    assert await events.catch_up(host.context) >= 1
    await host.until("select not stale and view->>'closed_at' is not null from case_file")


async def test_links_are_given_by_letter_or_email_and_then_forgotten(
    host_settings: Settings, signing: Organization
) -> None:
    """A letter until it is sent, an e-mail once; whoever has no e-mail address gets a letter alone."""
    async with mailbox() as mails:
        settings = dataclasses.replace(host_settings, smtp_port=mails.smtp_port)
        async with served(settings) as host:
            office = await Office.begin(host, signing)
            await office.mediator.open_case(office.case_id)
            own = await host.at_work("mediator")
            links = f"/cases/{office.case_id}/links"
            to_nobody = (("person", str(office.responsible_id)), ("way", "email"))
            assert (await own.send(links, *to_nobody)).status == HTTPStatus.BAD_REQUEST
            by_letter = (("person", str(office.responsible_id)), ("way", "letter"))
            assert (await own.send(links, *by_letter)).status == HTTPStatus.SEE_OTHER
            by_mail = (("person", str(office.harmed_id)), ("way", "email"))
            assert (await own.send(links, *by_mail)).status == HTTPStatus.SEE_OTHER
            await host.until("select bool_and(address is null) from link where way = 'email'")
            [letter] = mails.to("eve@people.example")
            assert "Bonjour" in text_of(letter)
            found = re.search(r"http\S+/l/\S+", text_of(letter))
            assert found is not None
            harmed = await signing.claim(found[0])
            link = await host.context.pool.fetchval("select link from link where way = 'letter'")
            page = (await own.get(f"{links}/{link}")).text
            address = re.search(r'class="address">([^<]*)<', page)
            assert address is not None
            assert (await own.send(f"{links}/{link}/given")).status == HTTPStatus.SEE_OTHER
            assert address[1] not in (await own.get(f"{links}/{link}")).text
            responsible = await signing.claim(address[1])
            for person in (harmed, responsible):
                await person.consent("active")
            await verify_everybody(office.mediator, office.case_id)
            await harmed.send_letter(office.responsible_id, LETTER)
            await events.catch_up(host.context)
            await host.until("select mailed_at is not null from staff where login = 'mediator'")
            assert len(mails.to("mediator@office.example")) == 1
            assert len(mails.to("stranger@office.example")) == 0


async def test_an_email_that_cannot_be_sent_stays_to_be_sent(office: Office) -> None:
    """No mail server: the address of the link is kept, and whoever waits goes on waiting."""
    pool, settings = office.host.context.pool, office.host.context.settings
    await pool.execute("update staff set waiting_since = now() where login = 'mediator'")
    with pytest.raises(OSError, match="1"):
        await mail.send_due(pool, settings)
    waiting = (
        "select waiting_since is not null and mailed_at is null from staff where login = 'mediator'"
    )
    assert await pool.fetchval(waiting)


class OneLetter:
    """A mail server that takes one e-mail, and is then going away."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Refuse everything after the first one."""
        if self.taken:
            return "421 going away"
        envelope.mail_from = address
        return "250 ok"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take it."""
        self.taken += envelope.rcpt_tos
        return "250 kept"


async def test_a_mail_server_that_ends_in_the_middle_has_nothing_sent_twice(office: Office) -> None:
    """Two wait; one e-mail is taken. However often it is tried again, nobody gets a second one."""
    server = OneLetter()
    listening = await asyncio.get_running_loop().create_server(
        lambda: SMTP(server, hostname="localhost"), "127.0.0.1", 0
    )
    port: int = listening.sockets[0].getsockname()[1]
    settings = dataclasses.replace(office.host.context.settings, smtp_port=port)
    pool = office.host.context.pool
    await pool.execute("update staff set waiting_since = now() where role = 'mediator'")
    try:
        for _ in range(5):  # the case system itself tries, too, where nobody listens
            with contextlib.suppress(SMTPException):
                await mail.send_due(pool, settings)
    finally:
        listening.close()
    assert len(server.taken) == 1
    told = "select email from staff where mailed_at is not null and waiting_since is null"
    assert [row["email"] for row in await pool.fetch(told)] == server.taken
    left = "select count(*) from staff where waiting_since is not null and mailed_at is null"
    assert await pool.fetchval(left) == 1
