"""The schema keeps the promises by itself: what a mistake in the service would do is refused."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from relay.domain.actors import Role
from relay.domain.allowed import Facts, Holder, transition
from relay.domain.cases import Consent, ParticipantRole
from relay.domain.gates import GateFacts
from relay.domain.jobs import JobState
from relay.domain.links import Purpose
from relay.domain.messages import Answer, Audience, Kind, Language, PartRole
from relay.domain.transitions import TRANSITIONS, Event, Mover, State, Transition
from relay.errors import RelayError
from relay.storage.database import Connection
from tests.support.rows import Rows

ENUMERATIONS: dict[str, type[StrEnum]] = {
    "message_state": State,
    "message_kind": Kind,
    "message_language": Language,
    "part_role": PartRole,
    "grant_audience": Audience,
    "response_answer": Answer,
    "participant_role": ParticipantRole,
    "consent_status": Consent,
    "link_purpose": Purpose,
    "job_state": JobState,
}
CLOSED = {
    "update participants set consent = 'paused' where participant_id = $1": "consent",
    "update participants set consent = null where participant_id = $1": "consent",
    "update pairs set no_contact = true where $1 in (one, other)": "no contact",
    "delete from pairs where $1 in (one, other)": "no contact",
    "delete from grants where audience_id <> $1": "grant is missing",
    "update cases set closed_at = now() where $1::uuid is not null": "the case is closed",
}
"""What closes a gate between the person and the other, and the reason that the schema gives."""
OPEN = GateFacts(
    sender_verified=True,
    sender_consents=True,
    recipient_consents=True,
    no_contact=False,
    case_closed=False,
    approvals=1,
    approvals_needed=1,
    recipient_key_verified=True,
    captions_settled=True,
    is_early=False,
)
KNOWN_GATES: dict[str, tuple[str, dict[str, object]]] = {
    "none": ("select 1", {}),
    "consent": (
        "update participants set consent = 'paused' where role = 'harmed'",
        {"sender_consents": False},
    ),
    "no contact": ("update pairs set no_contact = true", {"no_contact": True}),
    # Somebody approved, and the case asks for another one by now.
    "approvals": ("update cases set approvals = 2", {"approvals": 0, "approvals_needed": 2}),
}
"""What closes a gate that the schema knows, and how the domain is told."""


@pytest_asyncio.fixture
async def rows(database_url: str) -> AsyncIterator[Rows]:
    """The tables of this test's own database, with a case in them."""
    async with contextlib.aclosing(await Rows.lay(database_url)) as laid:
        yield laid


async def refused(connection: Connection, statement: str, *arguments: object) -> str:
    """The reason for which the database refuses a statement."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        async with connection.transaction():
            await connection.execute(statement, *arguments)
    return str(caught.value)


async def test_the_schema_has_the_moves_of_the_table(rows: Rows) -> None:
    """Each pair of states of the transition table is in the schema, with who makes it, and no other.

    What the media worker does and what becomes of forgotten drafts is a worker's; that a lease ran out
    is found by the first one to look; everything else comes through the web service.
    """
    kept = {
        (row["source"], row["target"]): (row["web"], row["worker"])
        for row in await rows.connection.fetch("select * from message_transitions")
    }

    transitions = [
        transition
        for transition in TRANSITIONS
        if transition.target is not None and transition.target is not transition.source
    ]
    assert kept.keys() == {(transition.source, transition.target) for transition in transitions}
    for pair, makers in kept.items():
        made = [
            transition
            for transition in transitions
            if (transition.source, transition.target) == pair
        ]
        by_web = [m for m in made if m.mover is not Mover.WORKER and m.event is not Event.EXPIRE]
        by_worker = [m for m in made if m.mover in {Mover.WORKER, Mover.CLOCK}]
        assert makers == (bool(by_web), bool(by_worker)), pair


async def test_every_other_move_is_refused(rows: Rows) -> None:
    """Whatever the row holds: from each state only the table's transitions lead, and the rest is refused."""
    message = await rows.letter()
    allowed = {(transition.source, transition.target) for transition in TRANSITIONS}
    forbidden = [pair for pair in itertools.permutations(State, 2) if pair not in allowed]
    assert len(forbidden) > 200

    for source, target in forbidden:
        await rows.put(message, source)
        with pytest.raises(
            asyncpg.CheckViolationError, match=f"no transition from {source} to {target}"
        ):
            async with rows.connection.transaction():
                await rows.move(message, target)


@pytest.mark.parametrize("closed", KNOWN_GATES)
async def test_the_schema_and_the_domain_agree(rows: Rows, closed: str) -> None:
    """Whoever acts, and whichever gate is closed: the schema allows what the domain allows.

    The schema does not know who asks, nor of captions and keys. All the rest it refuses by itself, too.
    """
    change, facts = KNOWN_GATES[closed]
    gates = msgspec.structs.replace(OPEN, **facts)
    message = await rows.letter()
    await rows.approve(message)
    await rows.put(message, State.APPROVED)
    await rows.grant()
    await rows.connection.execute(change)
    taken = set()
    for source, target in itertools.permutations(State, 2):
        await rows.put(message, source)
        with contextlib.suppress(asyncpg.CheckViolationError, _Undone):
            async with rows.connection.transaction():
                await rows.move(message, target)
                taken.add((source, target))
                raise _Undone
    assert taken == {
        (row.source, row.target)
        for row in _made(gates)
        if row.target is not None and row.target is not row.source
    }


class _Undone(Exception):
    pass


def _made(gates: GateFacts) -> Iterator[Transition]:
    """Every transition that somebody can make where these are the gates of the last approval."""
    people = itertools.product(State, Event, Mover, Kind, Holder)
    for state, event, by, kind, holder in people:
        facts = Facts(kind=kind, revision=1, withdrawal_asked=False, holder=holder, gates=gates)
        with contextlib.suppress(RelayError):
            yield transition(state, event, by, facts)


async def test_a_message_begins_as_a_draft(rows: Rows) -> None:
    """No row is born in another state."""
    for state in set(State) - {State.DRAFT}:
        reason = await refused(
            rows.connection,
            "insert into messages (message_id, case_id, sender_id, recipient_id, kind, language, state, "
            "statement_hash, offer_hash, failure, writer_kid, lease_holder, lease_expires_at) "
            "values (gen_random_uuid(), $1, $2, $3, 'letter', 'en', $4, $5, $5, 'why', 'kid', "
            "case when $4::message_state = 'claimed' then $1::uuid end, "
            "case when $4::message_state = 'claimed' then now() end)",
            rows.case,
            rows.sender,
            rows.recipient,
            state,
            rows.statement,
        )
        assert "begins as a draft" in reason


@pytest.mark.parametrize("needed", [1, 2])
async def test_nothing_goes_on_without_enough_approvals(rows: Rows, needed: int) -> None:
    """One approval is not two, and neither are two of the same mediator or of older words."""
    await rows.connection.execute("update cases set approvals = $1", needed)
    for target in ("approved", "offered", "released"):
        message = await rows.letter()
        source = {"approved": "claimed", "offered": "approved", "released": "offered"}[target]
        await rows.put(message, "approved")
        await rows.grant()
        await rows.put(message, source)
        if needed == 2:
            await rows.approve(message, 0)
        await rows.approve(message, 1)
        other_words = "update decisions set source_hash = $1 where mediator_id = $2"
        await rows.connection.execute(other_words, b"\7" * 32, rows.mediators[1])

        with pytest.raises(asyncpg.CheckViolationError, match="not approved as the case asks"):
            async with rows.connection.transaction():
                await rows.move(message, target)

        await rows.connection.execute(other_words, rows.statement, rows.mediators[1])
        await rows.move(message, target)


async def test_nobody_approves_the_same_words_twice(rows: Rows) -> None:
    """A second approval by the same mediator is refused, until captions make other words of it."""
    message = await rows.letter()
    await rows.approve(message)
    with pytest.raises(asyncpg.UniqueViolationError):
        await rows.approve(message)

    await rows.connection.execute("update messages set captions_hash = $1", rows.statement)
    await rows.approve(message)


@pytest.mark.parametrize("target", ["offered", "released"])
async def test_a_closed_gate_holds_in_the_schema_too(rows: Rows, target: str) -> None:
    """Consent, no-contact and the recipient's grants are asked for again with the transition itself."""
    message = await rows.letter()
    await rows.approve(message)
    await rows.put(message, "approved")
    await rows.grant()
    await rows.put(message, "approved" if target == "offered" else "offered")

    for close, reason in CLOSED.items():
        with pytest.raises(asyncpg.CheckViolationError, match=reason):
            await rows.move_after(close, message, target)
    await rows.move(message, target)


async def test_nothing_is_begun_or_sent_in_a_closed_case(rows: Rows) -> None:
    """No draft, no submission, no revision and no link; to take back or to put away is possible still."""
    sent = {("draft", "queued"), ("draft", "processing")}
    revised = {("failed", "draft"), ("returned", "draft")}
    message = await rows.letter()
    await rows.connection.execute("update cases set closed_at = now()")
    for source, target in sorted(sent | revised):
        await rows.put(message, source)
        with pytest.raises(asyncpg.CheckViolationError, match="the case is closed"):
            async with rows.connection.transaction():
                await rows.move(message, target)
    for statement in (
        (
            "insert into messages (message_id, case_id, sender_id, recipient_id, kind, language, state, "
            "writer_kid) values (gen_random_uuid(), $1, $2, $3, 'letter', 'en', 'draft', 'kid')"
        ),
        (
            "insert into links (link_id, case_id, participant_id, purpose, statement_hash, auth_hash, "
            "sealed) select gen_random_uuid(), $1, $2, 'participate', statement_hash, statement_hash, "
            "statement_hash from statements where $3::uuid is not null limit 1"
        ),
    ):
        reason = await refused(rows.connection, statement, rows.case, rows.sender, rows.recipient)
        assert "the case is closed" in reason
    await rows.put(message, "queued")
    await rows.move(message, "withdrawn")


async def test_a_recipient_is_granted_nothing_before_approval_or_after_the_end(rows: Rows) -> None:
    """A grant to the recipient is taken in three states, for this recipient alone, and in no other."""
    message = await rows.letter()
    taken = set()
    for state in State:
        await rows.put(message, state)
        try:
            async with rows.connection.transaction():
                await rows.grant()
        except asyncpg.CheckViolationError:
            continue
        taken.add(state)
        await rows.connection.execute("delete from grants")
    assert taken == {State.APPROVED, State.RELEASED, State.VIEWED}

    await rows.put(message, "approved")
    with pytest.raises(asyncpg.CheckViolationError):
        await rows.grant(rows.sender)


async def test_a_grant_of_the_case_does_not_turn_into_one_of_the_recipient(rows: Rows) -> None:
    """An update is held to the same rule as an insert; an original and a message's own note never."""
    message = await rows.letter()
    await rows.connection.execute(
        "insert into grants values ($1, 'case', $2, $3)", rows.commitment, rows.case, bytes(64)
    )
    await refused(
        rows.connection,
        "update grants set audience = 'recipient', audience_id = $1",
        rows.recipient,
    )
    await rows.put(message, "approved")
    for role in ("original", "note"):
        await rows.connection.execute("update parts set role = $1", role)
        with pytest.raises(asyncpg.CheckViolationError):
            await rows.grant()


async def test_approved_words_do_not_change(rows: Rows) -> None:
    """While a message is approved or further, no other words, rendition or captions take their place."""
    message = await rows.letter()
    for state, column in itertools.product(
        ("approved", "offered", "released", "viewed"),
        ("statement_hash", "rendition_hash", "captions_hash"),
    ):
        await rows.put(message, state)
        digest = bytes([2]) * 32
        change = f"update messages set {column} = $1"  # noqa: S608 - names of this test
        assert "approved" in await refused(rows.connection, change, digest)
    assert "same two" in await refused(
        rows.connection, "update messages set sender_id = recipient_id, recipient_id = sender_id"
    )


@pytest.mark.parametrize("table", ["events", "statements"])
async def test_the_log_and_the_statements_only_grow(rows: Rows, table: str) -> None:
    """No row of either is changed, deleted or cut away."""
    await rows.connection.fetchval(
        "select append_event($1, 'tested', null, 'test', $2)", rows.case, rows.statement
    )
    for change in (
        f"update {table} set statement_hash = statement_hash",  # noqa: S608 - names of this test
        f"delete from {table}",  # noqa: S608 - the same
        f"truncate {table} cascade",
    ):
        assert "append-only" in await refused(rows.connection, change)
    assert await rows.connection.fetchval(f"select count(*) from {table}") >= 1  # noqa: S608


async def test_code_and_schema_have_the_same_words(rows: Rows) -> None:
    """Each enumeration has the same words in Python and in PostgreSQL, in the same order."""
    for enum, values in ENUMERATIONS.items():
        kept = await rows.connection.fetchval(f"select enum_range(null::{enum})::text[]")
        assert kept == [value.value for value in values], enum


async def test_sessions_are_of_roles_that_sign_in(rows: Rows) -> None:
    """The roles of sessions are those of people, each a role that routes know."""
    kept = await rows.connection.fetchval("select enum_range(null::actor_role)::text[]")

    assert set(kept) == {Role.PARTICIPANT, Role.UPLOADER, Role.MEDIATOR}


async def test_an_upload_link_has_an_end(rows: Rows) -> None:
    """The schema takes no upload link that holds for ever."""
    reason = await refused(
        rows.connection,
        "insert into links (link_id, case_id, participant_id, purpose, statement_hash, auth_hash, signer, "
        "kid) values (gen_random_uuid(), $1, $2, 'upload', $3, $3, $3, 'kid')",
        rows.case,
        rows.sender,
        rows.statement,
    )
    assert "links_check" in reason
