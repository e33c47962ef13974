"""A link in the wrong hands: what a thief writes is nobody's words, and what was there before is safe."""

from __future__ import annotations

import dataclasses
import io
import uuid
from datetime import UTC, datetime
from typing import Final, Literal

import pytest

from relay.client.connection import Problem
from relay.client.linking import open_claim_key
from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.client.records import BrokenRecord
from relay.client.writing import ConsentStatus
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import parse_link_url
from relay.crypto.signing import statement_hash
from relay.crypto.verified import Standing
from relay.domain.transitions import State
from relay.testing.people import Case, Organization, register_case
from tests.support.requests import caller_of, withdrawal

STATUSES: Final[tuple[ConsentStatus, ...]] = ("active", "paused", "withdrawn")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Theft:
    """A case in which somebody else claimed a link first, and wrote."""

    people: Organization
    mediator: Mediator
    case_id: uuid.UUID
    harmed_id: uuid.UUID
    responsible_id: uuid.UUID
    stolen: uuid.UUID
    thief: Participant
    letter: uuid.UUID


@pytest.fixture
async def theft(people: Organization) -> Theft:
    """A thief who claimed the first link of a new case and sent a letter."""
    mediator = await people.mediator()
    case_id, harmed_id, responsible_id = await register_case(people, mediator, mediator)
    await mediator.open_case(case_id)
    url = await mediator.make_link(case_id, harmed_id)
    thief = await people.claim(url)
    await thief.consent("active")
    sent = await thief.send_letter(responsible_id, "I forgive you.")
    return Theft(
        people=people,
        mediator=mediator,
        case_id=case_id,
        harmed_id=harmed_id,
        responsible_id=responsible_id,
        stolen=parse_link_url(url).id,
        thief=thief,
        letter=sent.message,
    )


def verification(theft: Theft) -> str:
    """What a mediator would sign to believe the thief."""
    identity = theft.thief.identity
    return statements.sign(
        caller_of(theft.mediator).signer,
        statements.Verification(
            case=theft.case_id,
            claim=b64u_encode(theft.thief.claim_hash or b""),
            participant=theft.harmed_id,
            recipient=str(identity.recipient),
            at=datetime.now(UTC),
        ),
    )


@pytest.mark.parametrize("reason", ["replaced", "misused"])
async def test_what_a_thief_wrote_is_never_approved_as_the_participants_words(
    theft: Theft, reason: Literal["replaced", "misused"]
) -> None:
    """Once the link has ended nobody can verify its claim, and the letter can only go back or be declined."""
    await theft.mediator.end_link(theft.case_id, theft.stolen, reason)
    with pytest.raises(Problem) as out:
        await theft.thief.correspondence()
    assert out.value.code == "unauthenticated"

    url = await theft.mediator.make_link(theft.case_id, theft.harmed_id)
    person = await theft.people.claim(url)
    [record] = await theft.mediator.claims_to_verify(theft.case_id)
    assert record.link == parse_link_url(url).id
    with pytest.raises(BrokenRecord):
        await theft.mediator.verify_claim(theft.case_id, theft.stolen)
    body = {"statement": verification(theft), "endings": []}
    refused = await caller_of(theft.mediator).ask("POST", "/v1/verifications", body)
    assert (refused.status, refused.code) == (409, "link-ended")

    await theft.mediator.verify_claim(theft.case_id, record.link)
    leased = await theft.mediator.lease(theft.letter)
    assert (await theft.mediator.verify(leased)).standing is Standing.ENDED
    with pytest.raises(Problem) as unapproved:
        await theft.mediator.decide(leased, "approve")
    assert unapproved.value.code == "sender-unverified"
    declined = await theft.mediator.decide(leased, "decline", reason="not-from-this-person")
    assert declined.state is State.DECLINED
    seen = await person.correspondence()
    assert (seen.sent, seen.consent) == ([], None)


async def test_a_claim_that_was_verified_and_then_found_to_be_a_thiefs_takes_its_words_with_it(
    theft: Theft,
) -> None:
    """A link that is said to have been misused takes approval, consent and offer away, after the fact too."""
    await theft.mediator.verify_claim(theft.case_id, theft.stolen)
    other = await theft.mediator.make_link(theft.case_id, theft.responsible_id)
    recipient = await theft.people.claim(other)
    await recipient.consent("active")
    await theft.mediator.verify_claim(theft.case_id, parse_link_url(other).id)
    approved = await theft.mediator.decide(await theft.mediator.lease(theft.letter), "approve")
    await theft.mediator.offer(approved)
    [waiting] = (await recipient.correspondence()).received

    await theft.mediator.end_link(theft.case_id, theft.stolen, "replaced")
    await theft.mediator.end_link(theft.case_id, theft.stolen, "misused")
    assert (await recipient.correspondence()).received == []
    with pytest.raises(Problem) as refused:
        await recipient.respond(waiting, "accept")
    assert refused.value.code == "not-available-now"
    gates = (await theft.mediator.read(theft.letter)).gates
    assert {"sender-key", "sender-consent"} <= set(gates)
    retracted = await theft.mediator.decide(await theft.mediator.read(theft.letter), "retract")
    assert retracted.state is State.APPROVED


async def test_words_of_a_claim_that_was_replaced_stay_the_persons(
    case: Case, people: Organization
) -> None:
    """Somebody who lost their passphrase has not lost what they wrote: it is approved and arrives."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Why our house?")
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    again = await people.claim(url)
    await case.mediator.verify_claim(case.case_id, parse_link_url(url).id)
    assert [found.message for found in (await again.correspondence()).sent] == [sent.message]

    leased = await case.mediator.lease(sent.message)
    assert (await case.mediator.verify(leased)).standing is Standing.VERIFIED
    await case.mediator.offer(await case.mediator.decide(leased, "approve"))
    [waiting] = (await case.responsible.correspondence()).received
    received = await case.responsible.open(await case.responsible.respond(waiting, "accept"))
    assert case.responsible.read_text(received) == "Why our house?"


async def test_an_unverified_claim_sees_and_changes_nothing_that_was_there_before(
    case: Case, people: Organization
) -> None:
    """Anyone who claims a replacement link first: no history, no answer, no withdrawal, no consent."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "My words.")
    back = await case.responsible.send_letter(case.harmed.participant_id, "His words.")
    await case.mediator.offer(
        await case.mediator.decide(await case.mediator.lease(back.message), "approve")
    )
    [waiting] = (await case.harmed.correspondence()).received
    await case.harmed.open(await case.harmed.respond(waiting, "accept"))
    offer = statements.decode_unverified(waiting.offer, statements.Offer)

    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    thief = await people.claim(url)
    seen = await thief.correspondence()
    assert (seen.sent, seen.received, seen.consent, seen.verified) == ([], [], None, False)
    caller = caller_of(thief)
    now = datetime.now(UTC)
    own = withdrawal(caller.signer, case.case_id, sent.message, case.harmed.participant_id, now)
    assert (await caller.send("PUT", f"/v1/messages/{sent.message}/withdrawal", own)).status == 404
    closing = statements.sign(
        caller.signer,
        statements.Response(
            case=case.case_id,
            message=back.message,
            offer=b64u_encode(statement_hash(waiting.offer)),
            answer="close",
            tell_author=False,
            at=now,
        ),
    )
    for method, path, body in (
        ("GET", f"/v1/messages/{sent.message}", None),
        ("GET", f"/v1/messages/{back.message}", None),
        ("POST", f"/v1/messages/{back.message}/openings", None),
        ("POST", f"/v1/messages/{back.message}/responses", {"statement": closing}),
        ("DELETE", f"/v1/messages/{sent.message}/revisions/1/draft", None),
        *(("GET", f"/v1/parts/{grant.commit}", None) for grant in offer.grants),
        *(("GET", f"/v1/parts/{part.commitment}", None) for part in sent.parts),
    ):
        assert (await caller.ask(method, path, body)).status == 404, (method, path)

    for before in STATUSES:
        await case.harmed.consent(before)
        for status in STATUSES:
            with pytest.raises(Problem) as refused:
                await thief.consent(status)
            assert refused.value.code == "claim-unverified", (before, status)
    assert (await case.harmed.correspondence()).consent == "withdrawn"


async def test_an_unverified_claim_writes_and_sees_what_it_wrote(
    case: Case, people: Organization
) -> None:
    """It may send, look at and take back what is its own; the older way in works until a mediator decides."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    newcomer = await people.claim(url)
    letter = await newcomer.send_letter(case.responsible.participant_id, "It is me.")
    video = await newcomer.send_video(
        case.responsible.participant_id, io.BytesIO(b"a film"), "video/mp4"
    )
    assert {found.message for found in (await newcomer.correspondence()).sent} == {
        letter.message,
        video.message,
    }
    await newcomer.withdraw(video.message)
    older = await case.harmed.correspondence()
    assert {found.message for found in older.sent} == {letter.message, video.message}
    assert older.verified

    await case.mediator.verify_claim(case.case_id, parse_link_url(url).id)
    seen = await newcomer.correspondence()
    assert (seen.verified, seen.consent) == (True, "active")
    with pytest.raises(Problem) as ended:
        await case.harmed.correspondence()
    assert ended.value.code == "unauthenticated"


async def test_what_somebody_ended_themself_only_they_begin_again(
    case: Case, people: Organization
) -> None:
    """No mediator and no new claim says yes again for them; their own verified new claim does."""
    person = case.harmed.participant_id
    path = f"/v1/cases/{case.case_id}/participants/{person}/consent"
    await case.harmed.consent("withdrawn")
    for status in ("active", "paused"):
        said = statements.sign(
            caller_of(case.mediator).signer,
            statements.Consent(
                case=case.case_id, participant=person, status=status, at=datetime.now(UTC)
            ),
        )
        refused = await caller_of(case.mediator).send("PUT", path, said)
        assert (refused.status, refused.code) == (409, "own-word-needed")

    url = await case.mediator.make_link(case.case_id, person)
    again = await people.claim(url)
    with pytest.raises(Problem) as unverified:
        await again.consent("active")
    assert unverified.value.code == "claim-unverified"
    await case.mediator.verify_claim(case.case_id, parse_link_url(url).id)
    await again.consent("active")
    assert (await again.correspondence()).consent == "active"


async def test_a_second_verified_claim_ends_the_first_or_is_refused(
    case: Case, people: Organization
) -> None:
    """A verification without the ends of the person's other links is refused: they have one way in."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    again = await people.claim(url)
    said = statements.sign(
        caller_of(case.mediator).signer,
        statements.Verification(
            case=case.case_id,
            claim=b64u_encode(again.claim_hash or b""),
            participant=case.harmed.participant_id,
            recipient=str(again.identity.recipient),
            at=datetime.now(UTC),
        ),
    )
    refused = await caller_of(case.mediator).ask("POST", "/v1/verifications", {"statement": said})
    assert (refused.status, refused.code) == (409, "earlier-link-open")
    assert (await case.harmed.correspondence()).verified
    assert not (await again.correspondence()).verified


async def test_the_secret_of_a_link_is_its_makers_until_it_is_claimed(
    case: Case, people: Organization
) -> None:
    """Mediators can check a claim and nothing else; only the maker can show a link again, until the claim."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    address = parse_link_url(url)
    assert await case.mediator.show_link_again(case.case_id, address.id) == url
    with pytest.raises(LookupError):
        await case.colleague.show_link_again(case.case_id, address.id)
    [record] = [r for r in await case.colleague.links(case.case_id) if r.link == address.id]
    opened = open_claim_key(
        record.sealed or b"", (await case.colleague.case(case.case_id)).identities
    )
    assert opened == address.secret.claim_key(address.id)

    await people.claim(url)
    with pytest.raises(LookupError):
        await case.mediator.show_link_again(case.case_id, address.id)


async def test_the_secret_of_an_upload_link_is_kept_nowhere(case: Case) -> None:
    """No mediator can sign as its participant: neither the secret nor anything made from it is kept."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    address = parse_link_url(url)
    [record] = [r for r in await case.mediator.links(case.case_id) if r.link == address.id]
    assert (record.sealed, record.again) == (None, None)
    said = statements.decode_unverified(record.statement, statements.Link)
    caller = caller_of(case.mediator)
    body = {"statement": record.statement, "sealed": "YWdl", "again": None}
    assert (await caller.ask("PUT", f"/v1/links/{said.link}", body)).status == 400
    body = {"statement": record.statement, "sealed": None, "again": "YWdl"}
    assert (await caller.ask("PUT", f"/v1/links/{said.link}", body)).status == 400
