"""A participant's own lists: what they wrote and what they were offered, by pages or by name."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import msgspec

from relay.crypto.encoding import b64u_encode
from relay.domain.actors import Participant
from relay.domain.allowed import Facts, allowed_actions
from relay.domain.cases import Consent
from relay.domain.correspondence import (
    Correspondence,
    CorrespondenceQuery,
    Place,
    ReceivedPage,
    ReceivedSummary,
    SentPage,
    SentSummary,
    Side,
)
from relay.domain.gates import NOT_ASKED, GateFacts, is_open
from relay.domain.messages import Processing
from relay.domain.paging import write_place
from relay.domain.transitions import Mover, State
from relay.domain.views import RecipientView, author_view, recipient_view
from relay.storage import cases as stored_cases
from relay.storage import correspondence as stored
from relay.storage import messages as stored_messages
from relay.storage import submissions as stored_submissions
from relay.storage.database import Connection, Database

PAGE_SENT: Final = 20
PAGE_RECEIVED: Final = 10

_BEHIND_GATES: Final = {State.OFFERED, State.RELEASED}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a participant sees at one moment, so that a later look tells what has changed."""

    messages: dict[uuid.UUID, bytes]
    """A digest of what is shown of each."""
    access: tuple[Consent | None, bool, bool]
    due: datetime | None
    """When the next postponed offer becomes visible."""

    def with_others(self, named: Collection[uuid.UUID], now: Seen) -> Seen:
        """The same with what is seen `now` of the messages that are named."""
        others = {key: digest for key, digest in self.messages.items() if key not in named}
        due = [moment for moment in (self.due, now.due) if moment is not None]
        return Seen(messages=others | now.messages, access=now.access, due=min(due, default=None))

    def changed_since(self, before: Seen) -> set[uuid.UUID]:
        """Which messages look otherwise, came, or are there no more."""
        return {message for message, _digest in self.messages.items() ^ before.messages.items()}


@dataclasses.dataclass(frozen=True, slots=True)
class _Shown:
    row: stored.ReceivedRow
    view: RecipientView
    gates: GateFacts


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Offered:
    """What was offered, as its recipient sees it, and when it will be seen where that is later."""

    shown: list[_Shown]
    due: datetime | None


async def correspondence(
    database: Database, actor: Participant, query: CorrespondenceQuery
) -> Correspondence:
    """The first page of what a participant wrote and was offered, the next one of either, or what is named.

    Through an upload link that is the one message it carried: anyone who holds the link need not be the
    participant themselves.
    """
    named, place = query.named, query.place
    sent, received = SentPage(items=[], next=None), ReceivedPage(items=[], next=None)
    async with database.snapshot() as connection:
        is_closed = await stored_cases.is_closed(connection, actor.case_id)
        if place is None or place.side is Side.SENT:
            sent = await _sent_page(connection, actor, named, place, is_closed=is_closed)
        if place is None or place.side is Side.RECEIVED:
            received = await _received_page(connection, actor, named, place)
        return Correspondence(
            sent=sent,
            received=received,
            consent=await _own_consent(connection, actor),
            verified=actor.is_verified,
            closed=is_closed,
        )


async def look(
    database: Database, actor: Participant, named: Sequence[uuid.UUID] | None = None
) -> Seen:
    """What a participant sees now of everything, or of the messages that are named."""
    async with database.snapshot() as connection:
        sent = await _list_sent(connection, actor, named)
        rows = (
            []
            if _sees_own_alone(actor)
            else await stored.list_received(connection, actor, named=named)
        )
        offered = await _offered(connection, rows)
        consent = await _own_consent(connection, actor)
        is_closed = await stored_cases.is_closed(connection, actor.case_id)
    return Seen(
        messages={
            **{row.message: _digest(_sent(row, is_closed=is_closed)) for row in sent},
            **{one.row.message: _digest(_received(one)) for one in offered.shown},
        },
        access=(consent, actor.is_verified, is_closed),
        due=offered.due,
    )


async def _sent_page(
    connection: Connection,
    actor: Participant,
    named: Sequence[uuid.UUID] | None,
    after: Place | None,
    *,
    is_closed: bool,
) -> SentPage:
    rows = await _list_sent(connection, actor, named, after=after, limit=PAGE_SENT + 1)
    shown = rows[:PAGE_SENT]
    return SentPage(
        items=[_sent(row, is_closed=is_closed) for row in shown],
        next=None if len(rows) == len(shown) else write_place(_sent_place(shown[-1])),
    )


async def _list_sent(
    connection: Connection,
    actor: Participant,
    named: Sequence[uuid.UUID] | None,
    *,
    after: Place | None = None,
    limit: int | None = None,
) -> list[stored.SentRow]:
    if actor.link_id is not None:
        carried = await stored_submissions.find_carried(connection, actor.link_id)
        named = [carried] if carried is not None and (named is None or carried in named) else []
    return await stored.list_sent(connection, actor, named=named, after=after, limit=limit)


async def _received_page(
    connection: Connection,
    actor: Participant,
    named: Sequence[uuid.UUID] | None,
    after: Place | None,
) -> ReceivedPage:
    """What a closed gate hides leaves no gap: there is a next page only where there is more to be seen."""
    if _sees_own_alone(actor):
        return ReceivedPage(items=[], next=None)
    size = PAGE_RECEIVED if named is None else len(named)
    found: list[_Shown] = []
    limit = size + 1
    while True:
        rows = await stored.list_received(connection, actor, named=named, after=after, limit=limit)
        found += (await _offered(connection, rows)).shown
        if len(rows) < limit or len(found) > size:
            break
        after = _received_place(rows[-1])
        limit *= 2
    shown = found[:size]
    offers = (
        {}
        if named is None
        else await stored.list_statements(connection, {one.row.offer_hash for one in shown})
    )
    return ReceivedPage(
        items=[_received(one, offers.get(one.row.offer_hash)) for one in shown],
        next=None if len(found) == len(shown) else write_place(_received_place(shown[-1].row)),
    )


async def _offered(connection: Connection, rows: list[stored.ReceivedRow]) -> _Offered:
    """Of these what their recipient sees, by one look at the gates of all that one could hide."""
    gated = [row.message for row in rows if row.state in _BEHIND_GATES]
    gates = await stored_messages.list_gate_facts(connection, gated) if gated else {}
    shown = []
    due: list[datetime] = []
    for row in rows:
        facts = gates.get(row.message)
        view = recipient_view(row.state, gates_open=facts is None or is_open(facts))
        if view is not None:
            shown.append(_Shown(row, view, facts or NOT_ASKED))
        if facts is not None and facts.is_early and facts.not_before is not None:
            due.append(facts.not_before)
    return _Offered(shown=shown, due=min(due, default=None))


def _sent(row: stored.SentRow, *, is_closed: bool) -> SentSummary:
    processing = None
    if row.stage is not None:
        processing = Processing(stage=row.stage, fraction=row.fraction or 0.0)
    facts = Facts(
        kind=row.kind,
        revision=row.revision,
        withdrawal_asked=row.withdrawal_asked,
        case_closed=is_closed,
    )
    return SentSummary(
        message=row.message,
        recipient=row.recipient,
        kind=row.kind,
        voice=row.voice,
        language=row.language,
        revision=row.revision,
        view=author_view(
            row.state, withdrawal_asked=row.withdrawal_asked, tell_author=row.tell_author
        ),
        view_since=row.view_since,
        allowed_actions=allowed_actions(row.state, Mover.SENDER, facts),
        created_at=row.created_at,
        failure=row.failure,
        processing=processing,
        has_guidance=row.has_guidance,
    )


def _received(shown: _Shown, offer: str | None = None) -> ReceivedSummary:
    row = shown.row
    facts = Facts(kind=row.kind, revision=1, withdrawal_asked=False, gates=shown.gates)
    return ReceivedSummary(
        message=row.message,
        sender=row.sender,
        kind=row.kind,
        voice=row.voice,
        language=row.language,
        view=shown.view,
        allowed_actions=allowed_actions(row.state, Mover.RECIPIENT, facts),
        offer_hash=b64u_encode(row.offer_hash),
        offer=offer,
    )


def _sent_place(row: stored.SentRow) -> Place:
    return Place(side=Side.SENT, asks=row.asks, since=row.created_at, message=row.message)


def _received_place(row: stored.ReceivedRow) -> Place:
    return Place(side=Side.RECEIVED, asks=row.asks, since=row.offered_at, message=row.message)


def _digest(shown: object) -> bytes:
    return hashlib.sha256(msgspec.json.encode(shown)).digest()


def _sees_own_alone(actor: Participant) -> bool:
    return actor.link_id is not None or not actor.is_verified


async def _own_consent(connection: Connection, actor: Participant) -> Consent | None:
    """What the caller said last about taking part; of others, a claim that nobody verified learns nothing."""
    if actor.link_id is not None:
        return None
    row = await stored_cases.read_consent(connection, actor.case_id, actor.participant_id)
    if row is None or not ((actor.is_verified and row.holds) or row.kid == actor.kid):
        return None
    return row.consent
