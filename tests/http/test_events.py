"""What the case system is told: all that it may know, in order, once, and nothing that gives anybody away."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import pytest

from relay.client.administrator import publish_credential, publish_revocation
from relay.client.casework import DEFAULT_POLICY
from relay.client.certifying import request_for
from relay.client.connection import Problem
from relay.client.participant import Participant
from relay.crypto.keyrings import generate_keyring
from relay.crypto.links import parse_link_url
from relay.domain.messages import RecipientMessage
from relay.domain.notifications import (
    EXPIRING,
    LogPosition,
    Notification,
    NotificationsQuery,
    NotificationType,
)
from relay.domain.tokens import Scope
from relay.services.audit.kinds import KINDS
from relay.services.feed import Feed
from relay.services.log import LogPage
from relay.services.notifications import SILENT, TOLD, list_events
from relay.services.stopping import Stopping
from relay.services.upload_connections import UploadConnections
from relay.settings import Settings
from relay.storage import notifications as stored
from relay.storage.database import Database
from relay.testing.people import Case, Organization, open_case
from tests.support.offers import waiting
from tests.support.tampering.owner import Owner

OPENING: Final = (
    *("case.opened",),
    *("link.claimed", "mediator.claim-to-verify") * 2,
    *("case.consent-changed",) * 2,
)
"""What is told of a case until both have said yes."""


async def told(people: Organization, after: int = 0) -> list[Notification]:
    """Every event after one, asked for by small pages."""
    found: list[Notification] = []
    while (page := await people.case_system.events(after, limit=7)).events:
        found += page.events
        after = page.next
    return found


def types(events: Sequence[Notification], case: Case | None = None) -> list[str]:
    """Their types, of one case or of all."""
    return [event.type for event in events if case is None or event.case == case.case_id]


async def log_of(people: Organization, case: Case) -> LogPage:
    """The log of a case, as the case system reads it."""
    path = f"/v1/cases/{case.case_id}/log?limit=500"
    return await people.connection.call(
        "GET", path, bearer=people.case_system.token(Scope.LOG_READ), into=LogPage
    )


async def offer(case: Case) -> RecipientMessage:
    """A letter that was approved and offered, as its recipient sees it."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    leased = await case.mediator.lease(sent.message)
    await case.mediator.offer(await case.mediator.decide(leased, "approve"))
    return await waiting(case, sent.message)


def test_every_kind_of_row_is_told_or_silent() -> None:
    """A new kind of row has to say whether anybody is told of it."""
    assert TOLD.keys() | SILENT == KINDS.keys()
    assert not TOLD.keys() & SILENT


async def test_a_case_from_its_opening_to_an_answer(case: Case, people: Organization) -> None:
    """Each event names whom it matters to, and where the log ended with the row that it came from."""
    [author, to] = case.harmed.participant_id, case.responsible.participant_id
    returned = await case.harmed.send_letter(to, "Words.")
    leased = await case.mediator.lease(returned.message)
    await case.mediator.decide(leased, "return", reason="tone")
    offered = await offer(case)
    await case.responsible.respond(offered, "accept", tell_author=True)
    await people.case_system.set_no_contact(case.case_id, author, to, no_contact=True)

    events = await told(people)
    log = await log_of(people, case)
    of_case = [event for event in events if event.case == case.case_id]
    rows = {LogPosition(seq=row.seq, hash=row.hash): row.at for row in log.rows}

    assert tuple(types(events, case)) == (
        *OPENING,
        "mediator.review-waiting",
        "participant.message-returned",
        "mediator.review-waiting",
        "participant.message-waiting",
        "participant.answer-shared",
        "case.no-contact-changed",
    )
    by_type = {event.type: event for event in of_case}
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert all(event.log in rows and rows[event.log] == event.at for event in of_case)
    assert [event.log.seq for event in of_case if event.log] == sorted(
        event.log.seq for event in of_case if event.log
    )
    back = by_type[NotificationType.MESSAGE_RETURNED]
    assert (back.participant, back.message) == (author, returned.message)
    waits = by_type[NotificationType.MESSAGE_WAITING]
    assert (waits.participant, waits.message) == (to, offered.message)
    shared = by_type[NotificationType.ANSWER_SHARED]
    assert (shared.participant, shared.message) == (author, offered.message)
    claimed = by_type[NotificationType.LINK_CLAIMED]
    assert claimed.link == parse_link_url(case.responsible_url).id


async def test_nothing_tells_of_a_refusal_an_opening_or_a_decision(people: Organization) -> None:
    """Whatever a recipient answers and does, and whatever a mediator decides: the events are the same."""

    async def accept_and_open(case: Case) -> None:
        accepted = await case.responsible.respond(await offer(case), "accept")
        await case.responsible.open(accepted)

    async def refuse(case: Case) -> None:
        await case.responsible.respond(await offer(case), "refuse")

    async def leave(case: Case) -> None:
        await case.responsible.respond(await offer(case), "wait")

    async def take_back(case: Case) -> None:
        offered = await offer(case)
        await case.harmed.withdraw(offered.message)

    seen = []
    for what in (accept_and_open, refuse, leave, take_back):
        case = await open_case(people)
        await what(case)
        seen.append(types(await told(people), case))

    assert seen[0][len(OPENING) :] == ["mediator.review-waiting", "participant.message-waiting"]
    assert all(one == seen[0] for one in seen)


async def test_a_second_approval_is_asked_for(people: Organization) -> None:
    """Of the other mediators, once one has approved."""
    case = await open_case(people, policy=msgspec.structs.replace(DEFAULT_POLICY, approvals=2))
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    await case.mediator.decide(await case.mediator.lease(sent.message), "approve")
    assert types(await told(people), case)[-2:] == [
        "mediator.review-waiting",
        "mediator.second-approval-needed",
    ]
    await case.colleague.decide(await case.colleague.lease(sent.message), "approve")
    assert types(await told(people), case)[-1] == "mediator.second-approval-needed"


async def test_who_takes_a_link_again_is_told_of(case: Case, people: Organization) -> None:
    """The link is named: who tried is not known."""
    with pytest.raises(Problem) as refused:
        await people.claim(case.harmed_url)
    assert refused.value.code == "link-claimed"
    last = (await told(people))[-1]
    assert (last.type, last.case) == ("link.claim-refused", case.case_id)
    assert last.link == parse_link_url(case.harmed_url).id


async def test_what_is_offered_for_later_is_told_then(
    case: Case, people: Organization, database_url: str
) -> None:
    """Not before its day; and not at all where it was taken back, or its recipient may not see it."""
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    for stands in (True, False):
        await offer_for_later(case, later)
        before = await told(people)
        assert types(before, case)[-1] == "mediator.review-waiting"
        if not stands:
            await case.harmed.consent("paused")
        async with Owner.of(database_url) as owner:
            of_message = "due_notifications where message_id is not null"
            assert await owner.value(f"select due_at from {of_message}") == later  # noqa: S608
            await owner.run("update due_notifications set due_at = now()")
        after = await told(people, before[-1].id)
        expected = ["participant.message-waiting"] if stands else ["case.consent-changed"]
        assert types(after, case) == expected
    await case.harmed.consent("active")
    assert types(await told(people), case).count("participant.message-waiting") == 1


async def offer_for_later(case: Case, day: datetime) -> uuid.UUID:
    """A letter that is offered from a day on."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    leased = await case.mediator.lease(sent.message)
    approved = await case.mediator.decide(leased, "approve")
    await case.mediator.offer(approved, not_before=day)
    return sent.message


@pytest.mark.parametrize("is_taken", [False, True])
async def test_a_link_that_nobody_took_is_told_of(
    people: Organization, database_url: str, *, is_taken: bool
) -> None:
    """When its time is over; one that carried its message was not left."""
    case = await open_case(people)
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    link = parse_link_url(url).id
    await told(people)
    if is_taken:
        through = await Participant.through_upload_link(people.connection, url)
        await through.send_letter(case.responsible.participant_id, "Words.")
    async with Owner.of(database_url) as owner:
        await owner.run("update due_notifications set due_at = now() where link_id = $1", link)
    expired = [event for event in await told(people) if event.type == "link.expired"]
    assert [event.link for event in expired] == ([] if is_taken else [link])
    assert all(event.participant == case.harmed.participant_id for event in expired)


async def test_credentials_that_end_are_told_of_once(
    people: Organization, database_url: str
) -> None:
    """Before they end, where nobody renewed them; and when they are revoked, however often that is sent."""
    credential_id, _keyring = await people.enrol("mediator")
    person = uuid.uuid4()
    renewed_id, _keyring = await people.enrol("mediator", person=person)
    request = request_for(uuid.uuid4(), "mediator", generate_keyring(), person=person)
    later = people.administrator.sign_credential(request, valid_days=1000)
    for _ in range(2):
        await publish_credential(people.connection, later)
    async with Owner.of(database_url) as owner:
        [at] = [
            row["due_at"]
            for row in await owner.connection.fetch(
                "select due_at from due_notifications where credential_id = $1", credential_id
            )
        ]
        ends = await owner.value(
            "select not_after from credentials where credential_id = $1", credential_id
        )
        assert at == ends - EXPIRING
        await owner.run("update due_notifications set due_at = now() - interval '1 day'")
    expiring = [event for event in await told(people) if event.type == "credential.expiring"]
    assert credential_id in {event.credential for event in expiring}
    assert renewed_id not in {event.credential for event in expiring}

    revocation = people.administrator.sign_revocation(credential_id)
    for _ in range(2):
        await publish_revocation(people.connection, credential_id, revocation)
    ended = [event for event in await told(people) if event.type == "credential.revoked"]
    assert [event.credential for event in ended] == [credential_id]
    assert all(event.case is None and event.log is None for event in ended)


async def test_many_writers_and_readers(people: Organization) -> None:
    """Whoever asks, however often and at the same time: everybody gets every event once, in one order."""
    cases = [await open_case(people) for _ in range(4)]
    is_over = asyncio.Event()

    async def write(case: Case) -> None:
        for _ in range(6):
            await case.harmed.send_letter(case.responsible.participant_id, "Words.")

    async def read() -> list[Notification]:
        found: list[Notification] = []
        while True:
            was_over = is_over.is_set()
            page = await people.case_system.events(found[-1].id if found else 0, limit=5)
            found += page.events
            if was_over and not page.events:
                return found

    readers = [asyncio.create_task(read()) for _ in range(3)]
    await asyncio.gather(*(write(case) for case in cases))
    is_over.set()
    [first, *others] = await asyncio.gather(*readers)

    assert [event.id for event in first] == list(range(1, len(first) + 1))
    assert all(other == first for other in others)
    for case in cases:
        log = await log_of(people, case)
        sent = [row.seq for row in log.rows if row.kind == "submit-letter"]
        heard = [
            event.log.seq
            for event in first
            if event.case == case.case_id and event.type == "mediator.review-waiting" and event.log
        ]
        assert heard == sent


async def test_who_waits_is_answered_when_something_happens(
    case: Case, people: Organization
) -> None:
    """At once where there is something, soon after it happens, and with nothing when the time is over."""
    last = (await told(people))[-1].id
    began = time.monotonic()
    assert (await people.case_system.events(last, wait_seconds=1)).events == []
    assert 1 <= time.monotonic() - began < 5
    asked = asyncio.create_task(people.case_system.events(last, wait_seconds=30))
    await asyncio.sleep(0.5)
    assert not asked.done()
    await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    page = await asyncio.wait_for(asked, 5)
    assert types(page.events) == ["mediator.review-waiting"]
    assert page.next == last + 1


async def test_a_process_that_stops_lets_nobody_wait(
    case: Case, people: Organization, relay_settings: Settings
) -> None:
    """They are answered with what there is, which is nothing, and ask the next process."""
    last = (await told(people))[-1].id
    database = await Database.connect(relay_settings.database_url, connections=1)
    stopping = Stopping(Feed(relay_settings.database_url), UploadConnections())
    asked = asyncio.create_task(
        list_events(database, NotificationsQuery(after=last, wait=30), stopping)
    )
    await asyncio.sleep(0.5)
    assert not asked.done()
    stopping.begin()
    assert (await asyncio.wait_for(asked, 2)).events == []
    await stopping.finish()
    await database.close()


@pytest.mark.tampers
async def test_a_row_that_is_broken_keeps_no_other_from_being_told(
    case: Case, people: Organization, database_url: str
) -> None:
    """A database in other hands: a kind that there is none of, and a statement of another type."""
    async with Owner.of(database_url) as owner:
        await owner.add_row(case.case_id, like="consent-active", kind="consent-invented")
        await owner.add_row(case.case_id, like="link-claimed", kind="consent-active")
        await owner.run(
            "insert into outbox (event_id) select event_id from events on conflict do nothing"
        )
    later = await open_case(people)
    events = await told(people)
    assert tuple(types(events, case)) == tuple(types(events, later)) == OPENING


async def test_what_nobody_asks_for_goes_with_its_time(
    case: Case, worker_settings: Settings, database_url: str
) -> None:
    """Without a case system that asks, nothing piles up."""
    async with Owner.of(database_url) as owner:
        assert await owner.value("select count(*) from outbox") > 0
        await owner.run("update outbox set noted_at = noted_at - interval '91 days'")
    database = await Database.connect(worker_settings.database_url, connections=1)
    async with database.connection() as connection:
        await stored.delete_old(connection, worker_settings.events_expire_seconds, 500)
    await database.close()
    async with Owner.of(database_url) as owner:
        assert await owner.value("select count(*) from outbox") == 0


async def test_who_comes_too_late_is_told_so(
    case: Case, people: Organization, worker_settings: Settings, database_url: str
) -> None:
    """Whoever missed events that were removed is told; numbers go on, and the beginning can be asked for."""
    events = await told(people)
    async with Owner.of(database_url) as owner:
        await owner.run("update notifications set stored_at = stored_at - interval '91 days'")
    database = await Database.connect(worker_settings.database_url, connections=1)
    async with database.connection() as connection:
        removed = await stored.delete_old(connection, worker_settings.events_expire_seconds, 500)
    await database.close()
    assert removed == len(events) - 1

    with pytest.raises(Problem) as late:
        await people.case_system.events(1)
    assert (late.value.status, late.value.code) == (410, "events-gone")
    with pytest.raises(Problem, match="events-gone"):
        await people.case_system.events(events[-1].id + 1)
    assert await told(people) == events[-1:]
    await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    [after] = await told(people, events[-1].id)
    assert after.id == events[-1].id + 1
