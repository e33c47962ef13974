"""A participant's lists: by pages, which with many letters are as small and fast as with few."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import asyncpg
import msgspec
import pytest

from relay.client.participant import Participant
from relay.domain.correspondence import Correspondence, ReceivedSummary, SentSummary
from relay.domain.views import RecipientView
from relay.testing.people import Case
from tests.support.query_counts import Queries, counted
from tests.support.requests import Caller, caller_of, digest_of

FEW, MANY = 20, 300
KIB = 1024
PAGE_MAX_BYTES = 20 * KIB


async def offered(case: Case, text: str = "Words.") -> uuid.UUID:
    """A letter of the person harmed that waits for the other."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, text)
    leased = await case.mediator.lease(sent.message)
    await case.mediator.offer(await case.mediator.decide(leased, "approve"))
    return sent.message


async def all_sent(person: Participant) -> list[SentSummary]:
    """Every page of what somebody wrote."""
    page = (await person.lists()).sent
    items = page.items
    while page.next is not None:
        page = (await person.lists(after=page.next)).sent
        items = [*items, *page.items]
    return items


async def all_received(person: Participant) -> list[ReceivedSummary]:
    """Every page of what somebody was offered."""
    page = (await person.lists()).received
    items = page.items
    while page.next is not None:
        page = (await person.lists(after=page.next)).received
        items = [*items, *page.items]
    return items


COPY = """
with copied as (
    select gen_random_uuid() as id, n, gen_random_uuid()::text as salt, messages.*
    from messages, generate_series(1, $2::int) as n where message_id = $1
),
signed as (
    insert into statements (statement_hash, typ, kid, compact)
    select sha256(salt::bytea), typ, kid, compact
    from copied inner join statements using (statement_hash)
),
offered as (
    insert into statements (statement_hash, typ, kid, compact)
    select sha256((salt || 'offer')::bytea), typ, statements.kid, compact
    from copied inner join statements on copied.offer_hash = statements.statement_hash
),
grown as (
    insert into messages (
        message_id, case_id, sender_id, recipient_id, kind, language, state, review_round, statement_hash,
        offer_hash, writer_kid, waiting_since, created_at
    )
    select id, case_id, sender_id, recipient_id, kind, language, state, review_round, sha256(salt::bytea),
        case when offer_hash is not null then sha256((salt || 'offer')::bytea) end, writer_kid,
        waiting_since, created_at - make_interval(mins => n)
    from copied
),
approved as (
    insert into decisions (
        statement_hash, message_id, review_round, mediator_id, person_id, decision, source_hash
    )
    select sha256((salt || 'approval')::bytea), id, copied.review_round, mediator_id, person_id, decision,
        sha256(salt::bytea)
    from copied inner join decisions on copied.message_id = decisions.message_id
)
insert into offers (
    statement_hash, message_id, mediator_id, claim_hash, sender_consent, recipient_consent, offered_at
)
select sha256((salt || 'offer')::bytea), id, mediator_id, claim_hash, sender_consent, recipient_consent,
    offered_at - make_interval(mins => n)
from copied inner join offers on copied.offer_hash = offers.statement_hash
"""


async def grow(database_url: str, message: uuid.UUID, copies: int) -> None:
    """So many more like this message, each a minute older than the one before, past every guard."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("set session_replication_role = replica")
        await connection.execute(COPY, message, copies)
        await connection.execute("analyze")
    finally:
        await connection.close()


async def test_pages_follow_each_other_and_hold_everything_once(case: Case) -> None:
    """What was sent last comes first; what is sent while one turns the pages moves nothing."""
    to = case.responsible.participant_id
    sent = [(await case.harmed.send_letter(to, f"{n}")).message for n in range(FEW + 3)]
    first = (await case.harmed.lists()).sent
    assert [one.message for one in first.items] == sent[: -FEW - 1 : -1]
    await case.harmed.send_letter(to, "Another.")
    assert first.next is not None
    second = await case.harmed.lists(after=first.next)
    assert [one.message for one in second.sent.items] == sent[2::-1]
    assert (second.sent.next, second.received.items) == (None, [])


async def test_what_asks_for_something_comes_first(case: Case) -> None:
    """Of what was sent the letter that came back, of what was offered the one that waits."""
    to = case.responsible.participant_id
    back = (await case.harmed.send_letter(to, "First.")).message
    await case.mediator.decide(await case.mediator.lease(back), "return", reason="tone")
    waits = await offered(case)
    accepted = await offered(case)
    await case.responsible.respond(await case.responsible.offered(accepted), "accept")

    assert [one.message for one in await all_sent(case.harmed)] == [back, accepted, waits]
    listed = await all_received(case.responsible)
    assert [(one.message, one.view) for one in listed] == [
        (waits, RecipientView.WAITING),
        (accepted, RecipientView.TO_OPEN),
    ]
    await case.harmed.withdraw(back)
    assert [one.message for one in await all_sent(case.harmed)] == [accepted, waits, back]


async def test_a_summary_holds_nothing_sealed_and_says_what_the_message_says(case: Case) -> None:
    """No body, no note, no guidance; and what both answers say is the same."""
    message = await offered(case)
    await case.responsible.respond(await case.responsible.offered(message), "accept")
    for person, name in ((case.harmed, "sent"), (case.responsible, "received")):
        answer = await caller_of(person).ask("GET", "/v1/messages")
        [summary] = _list(answer.document, name)
        whole = (await caller_of(person).ask("GET", f"/v1/messages/{message}")).document
        said = {key for key in summary if key in whole and key != "offer"}
        assert {key: summary[key] for key in said} == {key: whole[key] for key in said}
        assert len(said) >= 6
        assert not {"parts", "statement", "statements", "guidance"} & set(summary)


async def test_messages_are_asked_for_by_name(case: Case) -> None:
    """Those that are one's own to see, twenty at most; of others nothing is said, as if there were none."""
    message = await offered(case)
    unseen = (await case.harmed.send_letter(case.responsible.participant_id, "Words.")).message
    named = f"{message},{unseen},{uuid.uuid4()}"
    asked = await case.responsible.lists(messages=named)
    assert [one.message for one in asked.received.items] == [message]
    [given], [listed] = asked.received.items, (await case.responsible.lists()).received.items
    assert given.offer == (await case.responsible.offered(message)).offer
    assert listed == msgspec.structs.replace(given, offer=None)
    assert given.offer_hash == digest_of(given.offer)
    assert (asked.sent.items, asked.received.next) == ([], None)
    own = await case.harmed.lists(messages=named)
    assert {one.message for one in own.sent.items} == {message, unseen}

    caller = caller_of(case.responsible)
    many = ",".join(str(uuid.uuid4()) for _ in range(21))
    place = (await _first(caller)).sent.next or "x"
    for query in (
        "messages=x",
        "messages=",
        f"messages={many}",
        f"messages={message}&after={place}",
        "after=x",
        "after=c2VudCAyIDMgNA",
        "limit=1000",
    ):
        answer = await caller.ask("GET", f"/v1/messages?{query}")
        assert (answer.status, answer.code) == (400, "invalid-request"), query


@pytest.mark.slow
async def test_a_closed_gate_leaves_no_gap(case: Case) -> None:
    """What it hides takes no place on a page and makes no next one: nothing tells that it is there."""
    before = await caller_of(case.responsible).ask("GET", "/v1/messages")
    for _ in range(FEW):
        await offered(case)
    shown = (await case.responsible.lists()).received
    assert shown.next is not None
    await case.harmed.consent("paused")
    assert await caller_of(case.responsible).ask("GET", "/v1/messages") == before
    gone = (await case.responsible.lists(after=shown.next)).received
    assert (gone.items, gone.next) == ([], None)


@pytest.fixture
def queries() -> Iterator[Queries]:
    """What the relay of this test asks its database; it is opened after this."""
    with counted() as found:
        yield found


@pytest.mark.own_relay
@pytest.mark.tampers
@pytest.mark.slow
async def test_a_first_page_costs_the_same_at_any_number(
    queries: Queries, case: Case, database_url: str
) -> None:
    """At three hundred letters of either list 20 KiB at most, and as many queries as at twenty."""
    message = await offered(case)
    reply = (await case.responsible.send_letter(case.harmed.participant_id, "Words.")).message
    leased = await case.mediator.lease(reply)
    await case.mediator.offer(await case.mediator.decide(leased, "approve"))
    counts = []
    for copies in (FEW - 1, MANY - FEW):
        for copied in (message, reply):
            await grow(database_url, copied, copies)
        caller = caller_of(case.harmed)
        await caller.signed.bearer()
        queries.asked.clear()
        answer = await caller.ask("GET", "/v1/messages")
        counts.append(len(queries.asked))
        assert len(answer.content) <= PAGE_MAX_BYTES, f"{len(answer.content)} bytes"
        page = await _first(caller)
        assert len(page.sent.items) == FEW
        assert len(page.received.items) == 10
    assert counts[0] == counts[1] <= 10
    assert len(await all_sent(case.harmed)) == MANY
    assert len(await all_received(case.harmed)) == MANY


async def _first(caller: Caller) -> Correspondence:
    return await caller.signed.call("GET", "/v1/messages", into=Correspondence)


def _list(document: dict[str, object], name: str) -> list[dict[str, object]]:
    found = json.loads(json.dumps(document[name]))["items"]
    assert isinstance(found, list)
    return found
