"""An act of every type that is about a message: who sends what where, so that the service accepts it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from relay.client.sealing import seal_text
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.domain.messages import ReviewMessage, ReviewRequest, Submission
from tests.hands import (
    Words,
    charter_of,
    consents_of,
    digest_of,
    letter,
    message_statement,
    response,
    withdrawal,
)
from tests.service_world import ANOTHER, TO_ANOTHER_KEY, Act, Person, World, signed


def only(statement: str) -> ReviewRequest:
    """The body of a mediator's act that has no parts."""
    return ReviewRequest(statement=statement)


async def written(world: World) -> Act:
    """The person harmed sends a letter."""
    return await letter_by(world, world.persons["the participant"])


async def written_down(world: World) -> Act:
    """The mediator sends a letter of the person harmed."""
    return await letter_by(world, world.persons["the mediator"])


async def uploaded(world: World) -> Act:
    """The person harmed sends a letter through an upload link."""
    return await letter_by(world, await world.upload_link())


async def letter_by(world: World, by: Person) -> Act:
    """A letter of the person harmed, signed and sent with this key."""
    opened, message = await world.opened(), uuid.uuid4()
    body = seal_text(world.case.case_id, "body", "Words.")
    text = message_statement(
        by.signer,
        case=world.case.case_id,
        charter=await world.charter(),
        message=message,
        sender=world.harmed.participant_id,
        to=world.case.responsible.participant_id,
        parts=[body],
        at=datetime.now(UTC),
    )

    def around(statement: str) -> Submission:
        return letter(statement, body, world.case.case_id, opened.charter.recipient)

    async def reviewed() -> None:
        leased = await world.mediator.lease(message)
        await world.mediator.decide(leased, "return", reason="unclear")

    return Act(
        door="session",
        method="PUT",
        path=f"/v1/messages/{message}/revisions/1",
        by=by,
        statement=statements.decode_unverified(text, statements.Message),
        wrap=around,
        elsewhere=f"/v1/messages/{uuid.uuid4()}/revisions/1",
        words={"revision": 2, "supersedes": ANOTHER},
        key={"recipient": world.other.responsible.participant_id},
        later=reviewed,
    )


async def decision(world: World) -> Act:
    """The mediator approves a letter."""
    return await approval_of(world, await world.leased())


async def approval_of(world: World, leased: ReviewMessage) -> Act:
    """The mediator approves what they have in front of them."""
    words = Words(
        case=leased.case, message=leased.message, revision=1, source=leased.statement or ""
    )
    by = world.persons["the mediator"]
    text = words.decision(by.signer, "approve", datetime.now(UTC))

    async def offered() -> None:
        await world.mediator.offer(await world.mediator.read(leased.message))

    return Act(
        door="session",
        method="POST",
        path=f"/v1/messages/{leased.message}/decisions",
        by=by,
        statement=statements.decode_unverified(text, statements.Decision),
        wrap=only,
        elsewhere=f"/v1/messages/{world.letter}/decisions",
        words={"source": ANOTHER},
        later=offered,
    )


async def captions(world: World) -> Act:
    """The mediator says why a video needs no captions."""
    leased = await world.video()
    words = Words(
        case=leased.case,
        message=leased.message,
        revision=1,
        source=leased.statement or "",
        rendition=leased.rendition,
    )
    by = world.persons["the mediator"]
    text = words.exception(by.signer, datetime.now(UTC))

    async def approved() -> None:
        await world.mediator.decide(await world.mediator.read(leased.message), "approve")

    return Act(
        door="session",
        method="PUT",
        path=f"/v1/messages/{leased.message}/captions",
        by=by,
        statement=statements.decode_unverified(text, statements.Captions),
        wrap=only,
        elsewhere=f"/v1/messages/{world.letter}/captions",
        words={"source": ANOTHER},
        key={"rendition": ANOTHER},
        later=approved,
    )


async def offer(world: World) -> Act:
    """The mediator offers a letter."""
    message = await world.approved()
    examined = await world.mediator.examine(message)
    to = await world.mediator.recipient_claim(message.case, message.recipient)
    words = Words(
        case=message.case,
        message=message.message,
        revision=1,
        source=message.statement or "",
        charter=await charter_of(world.mediator, message.case),
        consents=consents_of(message),
    )
    by = world.persons["the mediator"]
    act = words.offer(
        by.signer,
        {part.commit: examined.keys[part.commit] for part in examined.require_whole().released},
        message.recipient,
        to.recipient,
        b64u_encode(to.claim_hash),
        datetime.now(UTC),
    )

    async def taken_back() -> None:
        await world.mediator.decide(await world.mediator.read(message.message), "retract")

    return Act(
        door="session",
        method="POST",
        path=f"/v1/messages/{message.message}/offers",
        by=by,
        statement=statements.decode_unverified(act.statement, statements.Offer),
        wrap=lambda text: ReviewRequest(statement=text, grants=act.grants),
        elsewhere=f"/v1/messages/{world.letter}/offers",
        words={"source": ANOTHER},
        key={"claim": ANOTHER, "recipient": TO_ANOTHER_KEY},
        later=taken_back,
    )


async def answer(world: World) -> Act:
    """The person harmed accepts what was offered to them."""
    received = await world.received()
    by = world.persons["the participant"]
    text = response(
        by.signer,
        received.case,
        received.message,
        digest_of(received.offer) or "",
        "accept",
        datetime.now(UTC),
    )

    async def opened() -> None:
        found = (await world.harmed.correspondence()).received
        waiting = next(entry for entry in found if entry.message == received.message)
        await world.harmed.open(waiting)

    return Act(
        door="session",
        method="POST",
        path=f"/v1/messages/{received.message}/responses",
        by=by,
        statement=statements.decode_unverified(text, statements.Response),
        wrap=signed,
        elsewhere=f"/v1/messages/{world.offered}/responses",
        words={"offer": ANOTHER},
        later=opened,
    )


async def taken_back(world: World) -> Act:
    """The person harmed takes a letter back."""
    return await _withdrawal(world, world.persons["the participant"])


async def recorded_withdrawal(world: World) -> Act:
    """The mediator records that the person harmed takes a letter back."""
    return await _withdrawal(world, world.persons["the mediator"])


async def _withdrawal(world: World, by: Person) -> Act:
    message = await world.queued()
    text = withdrawal(
        by.signer,
        world.case.case_id,
        message,
        world.harmed.participant_id,
        datetime.now(UTC),
    )
    return Act(
        door="session",
        method="PUT",
        path=f"/v1/messages/{message}/withdrawal",
        by=by,
        statement=statements.decode_unverified(text, statements.Withdrawal),
        wrap=signed,
        elsewhere=f"/v1/messages/{world.letter}/withdrawal",
    )


async def consent(world: World) -> Act:
    """The person harmed says that they take part."""
    return await _consent(world, world.persons["the participant"])


async def recorded_consent(world: World) -> Act:
    """The mediator records that the person harmed takes part."""
    return await _consent(world, world.persons["the mediator"])


async def service_consent(world: World) -> Act:
    """The case system records that the person harmed takes part."""
    return await _consent(world, world.persons["a service"])


async def _consent(world: World, by: Person) -> Act:
    case, participant = world.case.case_id, world.harmed.participant_id
    path = f"/v1/cases/{case}/participants/{{}}/consent"

    async def said_again() -> None:
        again = await _consent(world, world.persons["the participant"])
        answered = await world.send(again, statements.sign(again.by.signer, again.statement))
        assert answered.status < 400

    return Act(
        door="service" if by is world.persons["a service"] else "session",
        method="PUT",
        path=path.format(participant),
        by=by,
        statement=statements.Consent(
            case=case, participant=participant, status="active", at=datetime.now(UTC)
        ),
        wrap=signed,
        elsewhere=path.format(world.case.responsible.participant_id),
        later=said_again,
    )
