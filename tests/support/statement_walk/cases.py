"""An organization in which everybody has a key: who sends and signs in the walk over the service."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import io
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import asyncpg

from relay.client.administrator import publish_revocation
from relay.client.charters import OpenCase
from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyrings import generate_keyring
from relay.crypto.links import parse_link_url
from relay.crypto.signing import Signer
from relay.crypto.statements import Revocation, decode_unverified
from relay.domain.cases import CaseRegistration, NewParticipant, ParticipantRole
from relay.domain.messages import RecipientMessage, ReviewMessage
from relay.domain.sessions import SignedRequest
from relay.domain.tokens import Scope
from relay.services.processing import MediaWorker
from relay.settings import Settings
from relay.storage.database import Connection
from relay.testing.people import Case, Organization, open_case
from tests.support.prepared_videos import prepare
from tests.support.requests import Answer, ask, caller_of, next_second

KEPT: Final = (
    *("events", "statements", "sessions", "credentials", "cases", "charters", "links"),
    *("link_endings", "claims", "messages", "parts", "grants", "decisions", "offers"),
)
"""The tables whose rows are counted: anyone who is refused has changed none of them."""

OTHER_STATEMENT: Final = b64u_encode(hashlib.sha256(b"another statement").digest())
TO_ANOTHER_KEY: Final = str(generate_keyring().identity.recipient)

Authentication = Literal["public", "link", "session", "service"]
"""How a route knows who calls: not at all, by a link's bearer, by a session, by the case system's token."""


def signed(statement: str) -> SignedRequest:
    """The body of a request that is one statement."""
    return SignedRequest(statement=statement)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a key, and what they show to be let in."""

    signer: Signer
    bearer: Callable[[], str | None] = lambda: None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ValidRequest:
    """A statement that the service would take now, and how it is sent."""

    authentication: Authentication
    method: str
    path: str
    by: Person
    statement: Any
    wrap: Callable[[str], object]
    """The body of the request around the text of the statement."""
    elsewhere: str | None = None
    """The path of another message, case, link or credential."""
    words: Mapping[str, object] = dataclasses.field(default_factory=dict)
    """Members that name another statement than the right one."""
    key: Mapping[str, object] = dataclasses.field(default_factory=dict)
    """Members that name another key, or another relay."""
    later: Callable[[], Any] | None = None
    """What happens next, after which the same text comes once more."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WalkCases:
    """Two open cases, and somebody in every role."""

    people: Organization
    root: Signer
    database: Connection
    """For a superuser."""
    worker: MediaWorker
    worker_settings: Settings
    case: Case
    other: Case
    """A case of the same organization, with other people."""
    older_charter: str
    """Hash of a version that is not in force any more."""
    letter: uuid.UUID
    """A letter of the person harmed that waits for review."""
    offered: uuid.UUID
    """A letter that was offered to the person harmed."""
    revoked_at: datetime
    persons: Mapping[str, Person]

    @property
    def mediator(self) -> Mediator:
        """Who acts for the mediators."""
        return self.case.mediator

    @property
    def harmed(self) -> Participant:
        """Who acts for the participants."""
        return self.case.harmed

    async def opened(self) -> OpenCase:
        """The case under the charter in force."""
        return await self.mediator.case(self.case.case_id, again=True)

    async def charter(self) -> str:
        """Hash of the charter in force."""
        return b64u_encode((await self.opened()).charter.statement_hash)

    async def kept(self) -> dict[str, int]:
        """How many rows there are, by their tables, and how many credentials were revoked."""
        counts = ", ".join(f"(select count(*) from {table}) as {table}" for table in KEPT)  # noqa: S608 - our own names
        revoked = "(select count(*) from credentials where revocation_hash is not null) as revoked"
        row = await self.database.fetchrow(f"select {counts}, {revoked}")
        assert row is not None
        return dict(row)

    async def send(
        self, valid: ValidRequest, text: str, *, path: str = "", by: Person | None = None
    ) -> Answer:
        """A statement as this request is sent: to another path, or by somebody else, where one is given."""
        bearer = (by or valid.by).bearer()
        return await ask(
            self.people.connection,
            valid.method,
            path or valid.path,
            valid.wrap(text),
            bearer=bearer,
        )

    # What acts are about.

    async def newcomer(self) -> uuid.UUID:
        """One more participant, who has no link yet."""
        participant = uuid.uuid4()
        known = (await self.mediator.read_case(self.case.case_id)).participants
        entries = [
            *(NewParticipant(participant=one.participant, role=one.role) for one in known),
            NewParticipant(participant=participant, role=ParticipantRole.HARMED_FAMILY),
        ]
        await self.people.case_system.register(
            self.case.case_id,
            CaseRegistration(reference=f"case {self.case.case_id}", participants=entries),
        )
        return participant

    async def queued(self) -> uuid.UUID:
        """A letter of the person harmed in the queue."""
        return await _letter(self.harmed, self.case.responsible.participant_id)

    async def leased(self) -> ReviewMessage:
        """A letter that the mediator has in front of them."""
        return await self.mediator.lease(await self.queued())

    async def approved(self) -> ReviewMessage:
        """An approved letter."""
        return await self.mediator.decide(await self.leased(), "approve")

    async def received(self) -> RecipientMessage:
        """A letter that was offered to the person harmed."""
        return await _received(self.case)

    async def video(self) -> ReviewMessage:
        """A prepared video that the mediator has in front of them."""
        to = self.case.responsible.participant_id
        sent = await self.harmed.send_video(to, io.BytesIO(b"a film"), "video/mp4")
        await prepare(self.worker_settings, self.worker, sent.message)
        return await self.mediator.lease(sent.message)

    async def upload_link(self) -> Person:
        """Somebody with an upload link of the person harmed."""
        url = await self.mediator.make_link(self.case.case_id, self.harmed.participant_id, "upload")
        return await _person(await Participant.through_upload_link(self.people.connection, url))


async def _letter(sender: Participant, to: uuid.UUID) -> uuid.UUID:
    return (await sender.send_letter(to, "Words.")).message


async def _received(case: Case) -> RecipientMessage:
    message = await _letter(case.responsible, case.harmed.participant_id)
    approved = await case.mediator.decide(await case.mediator.lease(message), "approve")
    await case.mediator.offer(approved)
    found = (await case.harmed.correspondence()).received
    return next(entry for entry in found if entry.message == message)


async def _person(somebody: Participant | Mediator) -> Person:
    caller = caller_of(somebody)
    bearer = await caller.signed.bearer()
    return Person(signer=caller.signer, bearer=lambda: bearer)


@contextlib.asynccontextmanager
async def cases(
    people: Organization, root: Signer, database_url: str, worker_settings: Settings
) -> AsyncIterator[WalkCases]:
    """The cases, on a relay that has none yet."""
    database = await asyncpg.connect(database_url)
    people = await people.with_case_system_keys()
    worker_id, worker_keys = await people.enrol("media")
    _, recovery_keys = await people.enrol("recovery")
    anna, boris, carol, dora, elsewhere = [await people.mediator() for _ in range(5)]
    case, older = await _case_of(people, (anna, boris, carol, dora), dismissed=dora)
    other = await open_case(people, mediators=(elsewhere, await people.mediator()))
    persons = {
        "the root": Person(signer=root),
        "a stranger": Person(signer=Signer.generate()),
        "a media worker": Person(signer=worker_keys.signer),
        "a recovery key": Person(signer=recovery_keys.signer),
        "a service": Person(
            signer=_service_signer(people),
            bearer=functools.partial(people.case_system.token, *Scope),
        ),
        "a mediator of the case": await _person(boris),
        "a mediator of another case": await _person(elsewhere),
        "a dismissed mediator": await _person(dora),
        "a revoked mediator": await _person(carol),
        "the other participant": await _person(case.responsible),
        "the participant": await _person(case.harmed),
        "the mediator": await _person(anna),
    }
    # In a second of its own: later than the charters, and earlier than what is sent below.
    await next_second()
    revocation = people.administrator.sign_revocation(carol.credential_id)
    await publish_revocation(people.connection, carol.credential_id, revocation)
    await next_second()
    ended_url = await anna.make_link(case.case_id, case.harmed.participant_id)
    persons["an ended link"] = await _person(await people.claim(ended_url))
    await anna.end_link(case.case_id, parse_link_url(ended_url).id, "replaced")
    unverified = await anna.make_link(case.case_id, case.harmed.participant_id)
    persons["an unverified claim"] = await _person(await people.claim(unverified))
    made = WalkCases(
        people=people,
        root=root,
        database=database,
        worker=MediaWorker(credential_id=worker_id, keyring=worker_keys),
        worker_settings=worker_settings,
        case=case,
        other=other,
        older_charter=older,
        letter=await _letter(case.harmed, case.responsible.participant_id),
        offered=(await _received(case)).message,
        revoked_at=decode_unverified(revocation, Revocation).at,
        persons=persons,
    )
    persons["an upload link"] = await made.upload_link()
    try:
        yield made
    finally:
        await database.close()


async def _case_of(
    people: Organization, mediators: Sequence[Mediator], *, dismissed: Mediator
) -> tuple[Case, str]:
    """An open case of two whose second charter leaves somebody out, and the hash of the first one."""
    anna, *colleagues = mediators
    case_id, harmed_id, responsible_id = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    await people.case_system.register(
        case_id,
        CaseRegistration(
            reference=f"case {case_id}",
            participants=[
                NewParticipant(participant=harmed_id, role=ParticipantRole.HARMED),
                NewParticipant(participant=responsible_id, role=ParticipantRole.RESPONSIBLE),
            ],
            mediators=[mediator.credential_id for mediator in mediators],
        ),
    )
    await anna.open_case(case_id, colleagues=[somebody.credential_id for somebody in colleagues])
    older = b64u_encode((await anna.case(case_id)).charter.statement_hash)
    staying = [each.credential_id for each in mediators if each is not dismissed]
    await anna.change_charter(case_id, mediators=staying)
    urls = [await anna.make_link(case_id, person) for person in (harmed_id, responsible_id)]
    harmed, responsible = [await people.claim(url) for url in urls]
    for person in (harmed, responsible):
        await person.consent("active")
    for record in await anna.claims_to_verify(case_id):
        await anna.verify_claim(case_id, record.link)
    case = Case(
        case_id=case_id,
        mediator=anna,
        colleague=colleagues[0],
        harmed=harmed,
        responsible=responsible,
        harmed_url=urls[0],
        responsible_url=urls[1],
    )
    return case, older


def _service_signer(people: Organization) -> Signer:
    keys = people.case_system.keys
    assert keys is not None
    return keys.signer
