"""A valid request of every type that is about a message: who sends what where."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from relay.client.sealing import seal_text
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.domain.messages import ReviewMessage, ReviewRequest, Submission
from tests.support.requests import (
    Subject,
    charter_of,
    consents_of,
    digest_of,
    letter,
    message_statement,
    response,
    withdrawal,
)
from tests.support.statement_walk.cases import (
    OTHER_STATEMENT,
    TO_ANOTHER_KEY,
    Person,
    ValidRequest,
    WalkCases,
    signed,
)


def only(statement: str) -> ReviewRequest:
    """The body of a mediator's request that has no parts."""
    return ReviewRequest(statement=statement)


async def written(cases: WalkCases) -> ValidRequest:
    """The person harmed sends a letter."""
    return await letter_by(cases, cases.persons["the participant"])


async def written_down(cases: WalkCases) -> ValidRequest:
    """The mediator sends a letter of the person harmed."""
    return await letter_by(cases, cases.persons["the mediator"])


async def uploaded(cases: WalkCases) -> ValidRequest:
    """The person harmed sends a letter through an upload link."""
    return await letter_by(cases, await cases.upload_link())


async def letter_by(cases: WalkCases, by: Person) -> ValidRequest:
    """A letter of the person harmed, signed and sent with this key."""
    opened, message = await cases.opened(), uuid.uuid4()
    body = seal_text(cases.case.case_id, "body", "Words.")
    text = message_statement(
        by.signer,
        case=cases.case.case_id,
        charter=await cases.charter(),
        message=message,
        sender=cases.harmed.participant_id,
        to=cases.case.responsible.participant_id,
        parts=[body],
        at=datetime.now(UTC),
    )

    def around(statement: str) -> Submission:
        return letter(statement, body, cases.case.case_id, opened.charter.recipient)

    async def reviewed() -> None:
        leased = await cases.mediator.lease(message)
        await cases.mediator.decide(leased, "return", reason="unclear")

    return ValidRequest(
        authentication="session",
        method="PUT",
        path=f"/v1/messages/{message}/revisions/1",
        by=by,
        statement=statements.decode_unverified(text, statements.Message),
        wrap=around,
        elsewhere=f"/v1/messages/{uuid.uuid4()}/revisions/1",
        words={"revision": 2, "supersedes": OTHER_STATEMENT},
        key={"recipient": cases.other.responsible.participant_id},
        later=reviewed,
    )


async def decision(cases: WalkCases) -> ValidRequest:
    """The mediator approves a letter."""
    return await approval_of(cases, await cases.leased())


async def approval_of(cases: WalkCases, leased: ReviewMessage) -> ValidRequest:
    """The mediator approves what they have in front of them."""
    words = Subject(
        case=leased.case, message=leased.message, revision=1, source=leased.statement or ""
    )
    by = cases.persons["the mediator"]
    text = words.decision(by.signer, "approve", datetime.now(UTC))

    async def offered() -> None:
        await cases.mediator.offer(await cases.mediator.read(leased.message))

    return ValidRequest(
        authentication="session",
        method="POST",
        path=f"/v1/messages/{leased.message}/decisions",
        by=by,
        statement=statements.decode_unverified(text, statements.Decision),
        wrap=only,
        elsewhere=f"/v1/messages/{cases.letter}/decisions",
        words={"source": OTHER_STATEMENT},
        later=offered,
    )


async def captions(cases: WalkCases) -> ValidRequest:
    """The mediator says why a video needs no captions."""
    leased = await cases.video()
    words = Subject(
        case=leased.case,
        message=leased.message,
        revision=1,
        source=leased.statement or "",
        rendition=leased.rendition,
    )
    by = cases.persons["the mediator"]
    text = words.exception(by.signer, datetime.now(UTC))

    async def approved() -> None:
        await cases.mediator.decide(await cases.mediator.read(leased.message), "approve")

    return ValidRequest(
        authentication="session",
        method="PUT",
        path=f"/v1/messages/{leased.message}/captions",
        by=by,
        statement=statements.decode_unverified(text, statements.Captions),
        wrap=only,
        elsewhere=f"/v1/messages/{cases.letter}/captions",
        words={"source": OTHER_STATEMENT},
        key={"rendition": OTHER_STATEMENT},
        later=approved,
    )


async def offer(cases: WalkCases) -> ValidRequest:
    """The mediator offers a letter."""
    message = await cases.approved()
    examined = await cases.mediator.examine(message)
    to = await cases.mediator.recipient_claim(message.case, message.recipient)
    words = Subject(
        case=message.case,
        message=message.message,
        revision=1,
        source=message.statement or "",
        charter=await charter_of(cases.mediator, message.case),
        consents=consents_of(message),
    )
    by = cases.persons["the mediator"]
    valid = words.offer(
        by.signer,
        {part.commit: examined.keys[part.commit] for part in examined.require_whole().released},
        message.recipient,
        to.recipient,
        b64u_encode(to.claim_hash),
        datetime.now(UTC),
    )

    async def taken_back() -> None:
        await cases.mediator.decide(await cases.mediator.read(message.message), "retract")

    return ValidRequest(
        authentication="session",
        method="POST",
        path=f"/v1/messages/{message.message}/offers",
        by=by,
        statement=statements.decode_unverified(valid.statement, statements.Offer),
        wrap=lambda text: ReviewRequest(statement=text, grants=valid.grants),
        elsewhere=f"/v1/messages/{cases.letter}/offers",
        words={"source": OTHER_STATEMENT},
        key={"claim": OTHER_STATEMENT, "recipient": TO_ANOTHER_KEY},
        later=taken_back,
    )


async def answer(cases: WalkCases) -> ValidRequest:
    """The person harmed accepts what was offered to them."""
    received = await cases.received()
    by = cases.persons["the participant"]
    text = response(
        by.signer,
        received.case,
        received.message,
        digest_of(received.offer) or "",
        "accept",
        datetime.now(UTC),
    )

    async def opened() -> None:
        found = (await cases.harmed.correspondence()).received
        waiting = next(entry for entry in found if entry.message == received.message)
        await cases.harmed.open(waiting)

    return ValidRequest(
        authentication="session",
        method="POST",
        path=f"/v1/messages/{received.message}/responses",
        by=by,
        statement=statements.decode_unverified(text, statements.Response),
        wrap=signed,
        elsewhere=f"/v1/messages/{cases.offered}/responses",
        words={"offer": OTHER_STATEMENT},
        later=opened,
    )


async def taken_back(cases: WalkCases) -> ValidRequest:
    """The person harmed takes a letter back."""
    return await _withdrawal(cases, cases.persons["the participant"])


async def recorded_withdrawal(cases: WalkCases) -> ValidRequest:
    """The mediator records that the person harmed takes a letter back."""
    return await _withdrawal(cases, cases.persons["the mediator"])


async def _withdrawal(cases: WalkCases, by: Person) -> ValidRequest:
    message = await cases.queued()
    text = withdrawal(
        by.signer,
        cases.case.case_id,
        message,
        cases.harmed.participant_id,
        datetime.now(UTC),
    )
    return ValidRequest(
        authentication="session",
        method="PUT",
        path=f"/v1/messages/{message}/withdrawal",
        by=by,
        statement=statements.decode_unverified(text, statements.Withdrawal),
        wrap=signed,
        elsewhere=f"/v1/messages/{cases.letter}/withdrawal",
    )


async def consent(cases: WalkCases) -> ValidRequest:
    """The person harmed says that they take part."""
    return await _consent(cases, cases.persons["the participant"])


async def recorded_consent(cases: WalkCases) -> ValidRequest:
    """The mediator records that the person harmed takes part."""
    return await _consent(cases, cases.persons["the mediator"])


async def service_consent(cases: WalkCases) -> ValidRequest:
    """The case system records that the person harmed takes part."""
    return await _consent(cases, cases.persons["a service"])


async def _consent(cases: WalkCases, by: Person) -> ValidRequest:
    case, participant = cases.case.case_id, cases.harmed.participant_id
    path = f"/v1/cases/{case}/participants/{{}}/consent"

    async def said_again() -> None:
        again = await _consent(cases, cases.persons["the participant"])
        answered = await cases.send(again, statements.sign(again.by.signer, again.statement))
        assert answered.status < 400

    return ValidRequest(
        authentication="service" if by is cases.persons["a service"] else "session",
        method="PUT",
        path=path.format(participant),
        by=by,
        statement=statements.Consent(
            case=case, participant=participant, status="active", at=datetime.now(UTC)
        ),
        wrap=signed,
        elsewhere=path.format(cases.case.responsible.participant_id),
        later=said_again,
    )
