"""A valid request of every type that the service takes over HTTP: who sends what where."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from relay.client import charters
from relay.client.charters import People
from relay.client.linking import make_link
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyrings import generate_keyring
from relay.crypto.links import claim_mac, parse_link_url
from relay.crypto.signing import Signer
from relay.domain.cases import CaseRegistration, CharterFiling, NewParticipant, ParticipantRole
from relay.domain.links import NewClaim, NewLink, NewVerification
from tests.support.requests import ask, digest_of
from tests.support.statement_walk import message_requests as messages
from tests.support.statement_walk.cases import (
    OTHER_STATEMENT,
    TO_ANOTHER_KEY,
    Person,
    ValidRequest,
    WalkCases,
    signed,
)

Builder: TypeAlias = Callable[[WalkCases], Awaitable[ValidRequest]]
BEFORE_IT_TAKES_OVER: Final = timedelta(minutes=8)
"""Later than anything that is dated ahead here: all that the root signed goes before it."""


async def session(cases: WalkCases) -> ValidRequest:
    """The person harmed signs in."""
    asked = await ask(cases.people.connection, "POST", "/v1/challenges")
    return ValidRequest(
        authentication="public",
        method="POST",
        path="/v1/sessions",
        by=Person(signer=cases.persons["the participant"].signer),
        statement=statements.Session(
            challenge=str(asked.document["challenge"]),
            audience=cases.people.audience,
            at=datetime.now(UTC),
        ),
        wrap=signed,
        words={"challenge": OTHER_STATEMENT},
        key={"audience": "https://another.example"},
    )


async def credential(cases: WalkCases) -> ValidRequest:
    """The root vouches for a mediator."""
    keyring, now = generate_keyring(), datetime.now(UTC)
    return ValidRequest(
        authentication="public",
        method="POST",
        path="/v1/credentials",
        by=Person(signer=cases.root),
        statement=statements.Credential(
            credential=uuid.uuid4(),
            person=uuid.uuid4(),
            role="mediator",
            recipient=str(keyring.identity.recipient),
            signer=b64u_encode(keyring.signer.public_key),
            not_before=now - timedelta(minutes=1),
            not_after=now + timedelta(days=1),
            at=now,
        ),
        wrap=signed,
        words={"credential": cases.mediator.credential_id},
        key={"signer": b64u_encode(cases.persons["the mediator"].signer.public_key)},
    )


async def revocation(cases: WalkCases) -> ValidRequest:
    """The root ends the credential of a mediator who has done nothing."""
    ended = await cases.people.mediator()
    path = "/v1/credentials/{}/revocation"
    return ValidRequest(
        authentication="public",
        method="PUT",
        path=path.format(ended.credential_id),
        by=Person(signer=cases.root),
        statement=statements.Revocation(credential=ended.credential_id, at=datetime.now(UTC)),
        wrap=signed,
        elsewhere=path.format(cases.mediator.credential_id),
        words={"credential": cases.mediator.credential_id},
    )


async def succession(cases: WalkCases) -> ValidRequest:
    """The root names its successor, who takes over in some minutes: until then it continues."""
    new, other = Signer.generate(), Signer.generate()
    return ValidRequest(
        authentication="public",
        method="POST",
        path="/v1/roots/successions",
        by=Person(signer=cases.root),
        statement=statements.Succession(
            old=b64u_encode(cases.root.public_key),
            new=b64u_encode(new.public_key),
            at=datetime.now(UTC) + BEFORE_IT_TAKES_OVER,
        ),
        wrap=signed,
        key={"old": b64u_encode(other.public_key)},
    )


async def registration(cases: WalkCases) -> ValidRequest:
    """The case system says who opens a case."""
    case, path = uuid.uuid4(), "/v1/cases/{}"
    mediators = [cases.mediator.credential_id]
    by = cases.persons["a service"]

    def around(statement: str) -> CaseRegistration:
        people = [
            NewParticipant(participant=uuid.uuid5(case, role), role=ParticipantRole(role))
            for role in ("harmed", "responsible")
        ]
        return CaseRegistration(
            reference=f"case {case}", participants=people, mediators=mediators, statement=statement
        )

    async def opened() -> None:
        await cases.mediator.open_case(case)

    return ValidRequest(
        authentication="service",
        method="PUT",
        path=path.format(case),
        by=by,
        statement=statements.Registration(case=case, mediators=mediators, at=datetime.now(UTC)),
        wrap=around,
        elsewhere=path.format(uuid.uuid4()),
        words={"mediators": [cases.case.colleague.credential_id]},
        later=opened,
    )


async def charter(cases: WalkCases) -> ValidRequest:
    """The mediator signs the next version, with the same people."""
    by = cases.persons["the mediator"]
    return await _charter(cases, by, "")


async def recovered_charter(cases: WalkCases) -> ValidRequest:
    """The recovery key signs the next version."""
    by = Person(signer=cases.persons["a recovery key"].signer)
    return await _charter(cases, by, "/recovered")


async def _charter(cases: WalkCases, by: Person, where: str) -> ValidRequest:
    opened, path = await cases.opened(), "/v1/cases/{}/charters" + where
    term = opened.charter.terms[-1]
    people = People(mediators=term.mediators, media=term.media, recovery=term.recovery)
    filing = charters.next_charter(by.signer, opened, people)

    async def another() -> None:
        await cases.mediator.change_charter(cases.case.case_id)

    return ValidRequest(
        authentication="public" if where else "session",
        method="POST",
        path=path.format(cases.case.case_id),
        by=by,
        statement=statements.decode_unverified(filing.statement, statements.Charter),
        wrap=lambda text: CharterFiling(statement=text, key_file=filing.key_file),
        elsewhere=path.format(cases.other.case_id),
        words={"previous": OTHER_STATEMENT},
        later=another,
    )


async def link(cases: WalkCases) -> ValidRequest:
    """The mediator makes a link."""
    return await _link(cases, cases.persons["the mediator"])


async def service_link(cases: WalkCases) -> ValidRequest:
    """The case system makes a link."""
    return await _link(cases, cases.persons["a service"])


async def _link(cases: WalkCases, by: Person) -> ValidRequest:
    made = make_link(
        by.signer,
        charter=(await cases.opened()).charter,
        participant_id=await cases.newcomer(),
        purpose="participate",
        public_url=cases.people.audience,
        root_fingerprint=cases.people.administrator.fingerprint,
    )

    async def ended() -> None:
        await cases.mediator.end_link(cases.case.case_id, made.link_id, "replaced")

    return ValidRequest(
        authentication="service" if by is cases.persons["a service"] else "session",
        method="PUT",
        path=f"/v1/links/{made.link_id}",
        by=by,
        statement=statements.decode_unverified(made.new.statement, statements.Link),
        wrap=lambda text: NewLink(statement=text, sealed=made.new.sealed),
        elsewhere=f"/v1/links/{uuid.uuid4()}",
        words={"link": parse_link_url(cases.case.harmed_url).id},
        key={"sealed": OTHER_STATEMENT},
        later=ended,
    )


async def ending(cases: WalkCases) -> ValidRequest:
    """The mediator ends a link."""
    return await _ending(cases, cases.persons["the mediator"])


async def service_ending(cases: WalkCases) -> ValidRequest:
    """The case system ends a link."""
    return await _ending(cases, cases.persons["a service"])


async def _ending(cases: WalkCases, by: Person) -> ValidRequest:
    participant, case = await cases.newcomer(), cases.case.case_id
    one, other = [
        parse_link_url(await cases.mediator.make_link(case, participant)).id for _ in range(2)
    ]

    async def misused() -> None:
        await cases.mediator.end_link(case, one, "misused")

    return ValidRequest(
        authentication="service" if by is cases.persons["a service"] else "session",
        method="PUT",
        path=f"/v1/links/{one}/ending",
        by=by,
        statement=statements.LinkEnding(
            link=one,
            case=case,
            participant=participant,
            reason="replaced",
            at=datetime.now(UTC),
        ),
        wrap=signed,
        elsewhere=f"/v1/links/{other}/ending",
        words={"link": other},
        later=misused,
    )


async def claim(cases: WalkCases) -> ValidRequest:
    """Somebody new claims a link."""
    participant, case = await cases.newcomer(), cases.case.case_id
    one, other = [
        parse_link_url(await cases.mediator.make_link(case, participant)) for _ in range(2)
    ]
    keyring = generate_keyring()
    recipient = str(keyring.identity.recipient)
    signer = b64u_encode(keyring.signer.public_key)
    mac = claim_mac(
        one.secret.claim_key(one.id),
        link=one.id,
        case=case,
        participant=participant,
        recipient=recipient,
        signer=signer,
    )
    bearer = b64u_encode(one.secret.auth(one.id))

    async def ended() -> None:
        await cases.mediator.end_link(case, one.id, "replaced")

    return ValidRequest(
        authentication="link",
        method="PUT",
        path=f"/v1/links/{one.id}/claim",
        by=Person(signer=keyring.signer, bearer=lambda: bearer),
        statement=statements.Claim(
            link=one.id,
            case=case,
            participant=participant,
            recipient=recipient,
            signer=signer,
            mac=b64u_encode(mac),
            at=datetime.now(UTC),
        ),
        wrap=lambda text: NewClaim(statement=text, keyring=b"sealed", proof_hash=bytes(32)),
        elsewhere=f"/v1/links/{other.id}/claim",
        words={"link": other.id},
        key={"signer": b64u_encode(Signer.generate().public_key)},
        later=ended,
    )


async def verification(cases: WalkCases) -> ValidRequest:
    """The mediator verifies a claim."""
    participant, case = await cases.newcomer(), cases.case.case_id
    url = await cases.mediator.make_link(case, participant)
    await cases.people.claim(url)
    claims = {record.link: record for record in await cases.mediator.links(case)}
    link_id = parse_link_url(url).id
    compact = claims[link_id].claim or ""
    others = claims[parse_link_url(cases.case.responsible_url).id].claim
    said = statements.decode_unverified(compact, statements.Claim)

    async def ended() -> None:
        await cases.mediator.end_link(case, link_id, "replaced")

    return ValidRequest(
        authentication="session",
        method="POST",
        path="/v1/verifications",
        by=cases.persons["the mediator"],
        statement=statements.Verification(
            case=case,
            claim=digest_of(compact) or "",
            participant=participant,
            recipient=said.recipient,
            at=datetime.now(UTC),
        ),
        wrap=lambda text: NewVerification(statement=text),
        words={"claim": digest_of(others)},
        key={"recipient": TO_ANOTHER_KEY},
        later=ended,
    )


REQUESTS: Final[Mapping[str, tuple[type[statements.Statement], Builder]]] = {
    "session": (statements.Session, session),
    "credential": (statements.Credential, credential),
    "revocation": (statements.Revocation, revocation),
    "registration": (statements.Registration, registration),
    "charter": (statements.Charter, charter),
    "charter by a recovery key": (statements.Charter, recovered_charter),
    "link": (statements.Link, link),
    "link by a service": (statements.Link, service_link),
    "link ending": (statements.LinkEnding, ending),
    "link ending by a service": (statements.LinkEnding, service_ending),
    "claim": (statements.Claim, claim),
    "verification": (statements.Verification, verification),
    "letter": (statements.Message, messages.written),
    "letter written down": (statements.Message, messages.written_down),
    "letter through an upload link": (statements.Message, messages.uploaded),
    "decision": (statements.Decision, messages.decision),
    "captions": (statements.Captions, messages.captions),
    "offer": (statements.Offer, messages.offer),
    "response": (statements.Response, messages.answer),
    "withdrawal": (statements.Withdrawal, messages.taken_back),
    "withdrawal recorded": (statements.Withdrawal, messages.recorded_withdrawal),
    "consent": (statements.Consent, messages.consent),
    "consent recorded": (statements.Consent, messages.recorded_consent),
    "consent by a service": (statements.Consent, messages.service_consent),
    "succession": (statements.Succession, succession),
}
"""Every type that the service takes, by the ways in which it is signed and sent."""
