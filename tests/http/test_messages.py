"""Sending: once however often it is sent, many at once, and through an upload link one message alone."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from relay.client.connection import Problem
from relay.client.participant import Participant
from relay.client.sealing import SealedText, seal_text
from relay.crypto.links import parse_link_url
from relay.domain import actors
from relay.domain.messages import Audience, AuthorMessage, Kind, Language, NewDraft, Submission
from relay.domain.transitions import State
from relay.domain.views import AuthorView
from relay.services import message_views
from relay.services.log import LogPage
from relay.settings import Settings
from relay.storage import messages as stored
from relay.storage.database import Connection, Database
from relay.testing.people import Case, Organization, open_case
from tests.support.requests import (
    Caller,
    caller_of,
    charter_of,
    letter,
    message_statement,
    withdrawal,
)

ROUNDS = 4
AT_ONCE = 32


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Somebody who writes letters by hand."""

    caller: Caller
    case: uuid.UUID
    case_recipient: str
    charter: str
    sender: uuid.UUID
    to: uuid.UUID

    def write(
        self, message: uuid.UUID, body: SealedText, *, at: datetime | None = None
    ) -> Submission:
        """A signed letter."""
        statement = message_statement(
            self.caller.signer,
            case=self.case,
            charter=self.charter,
            message=message,
            sender=self.sender,
            to=self.to,
            parts=[body],
            at=at or datetime.now(UTC),
        )
        return letter(statement, body, self.case, self.case_recipient)

    async def send(self, message: uuid.UUID, submission: Submission) -> tuple[int, str]:
        """Send it; status and code of the answer."""
        path = f"/v1/messages/{message}/revisions/1"
        answer = await self.caller.ask("PUT", path, submission)
        return answer.status, answer.code


async def desk_of(case: Case, person: Participant | None = None) -> Desk:
    """The desk of the case's harmed person, or of somebody who came through a link of theirs."""
    return Desk(
        caller=caller_of(person or case.harmed),
        case=case.case_id,
        case_recipient=(await case.mediator.case(case.case_id)).charter.recipient,
        charter=await charter_of(case.mediator, case.case_id),
        sender=case.harmed.participant_id,
        to=case.responsible.participant_id,
    )


async def test_the_same_revision_twice_at_once_is_one_message(case: Case) -> None:
    """A client that repeats itself is answered as the first time, and the queue holds one item."""
    desk = await desk_of(case)
    for number in range(ROUNDS):
        message = uuid.uuid4()
        submission = desk.write(message, seal_text(desk.case, "body", "Words."))
        answers = await asyncio.gather(*(desk.send(message, submission) for _ in range(4)))
        assert answers == [(200, "")] * 4
        assert len((await case.mediator.queue()).items) == number + 1


async def test_of_two_revisions_at_once_one_is_kept(case: Case) -> None:
    """Two different first revisions of one message: one is kept, the other is told so."""
    desk = await desk_of(case)
    for _ in range(ROUNDS):
        message = uuid.uuid4()
        submissions = [
            desk.write(message, seal_text(desk.case, "body", words)) for words in ("One.", "Two.")
        ]
        answers = await asyncio.gather(*(desk.send(message, given) for given in submissions))
        assert sorted(answers) == [(200, ""), (409, "revision-exists")]


@pytest.mark.slow
async def test_many_letters_to_one_case_at_once_all_arrive(case: Case) -> None:
    """The log of a case is one chain, and still nobody waits for somebody who waits for them."""
    desk = await desk_of(case)
    for _ in range(2):
        ids = [uuid.uuid4() for _ in range(AT_ONCE)]
        given = {
            message: desk.write(message, seal_text(desk.case, "body", "Words.")) for message in ids
        }
        async with asyncio.timeout(60):
            answers = await asyncio.gather(*(desk.send(m, given[m]) for m in ids))
        assert set(answers) == {(200, "")}
    assert len((await case.harmed.correspondence()).sent) == 2 * AT_ONCE


async def test_a_part_is_sealed_for_one_statement(case: Case) -> None:
    """A body that was sent before is refused in another message: its key might be known."""
    desk = await desk_of(case)
    body = seal_text(desk.case, "body", "Words.")
    one, other = uuid.uuid4(), uuid.uuid4()
    assert await desk.send(one, desk.write(one, body)) == (200, "")
    assert await desk.send(other, desk.write(other, body)) == (409, "sealed-before")


async def test_a_letter_that_is_not_what_was_signed_is_refused(case: Case) -> None:
    """Another body, none, a grant for another reader, an old time and a number too large are refused."""
    desk = await desk_of(case)
    message, body = uuid.uuid4(), seal_text(desk.case, "body", "Words.")
    right = desk.write(message, body)
    [grant] = right.grants
    [sealed] = right.bodies
    other_body = dataclasses.replace(body, body=bytes(len(body.body))).as_body()
    to_recipient = body.grant(Audience.RECIPIENT, desk.to, caller_of(case.responsible).recipient)
    to_other_case = body.grant(Audience.CASE, uuid.uuid4(), desk.case_recipient)
    mismatch = (400, "statement-mismatch")
    for grants, bodies, refusal in (
        ([grant], [], mismatch),
        ([grant], [sealed, sealed], mismatch),
        ([grant], [other_body], mismatch),
        ([], [sealed], (400, "missing-grant")),
        ([grant, grant], [sealed], mismatch),
        ([grant, to_recipient], [sealed], mismatch),
        ([to_other_case], [sealed], mismatch),
    ):
        given = Submission(statement=right.statement, grants=grants, bodies=bodies)
        assert await desk.send(message, given) == refusal
    old = desk.write(message, body, at=datetime.now(UTC) - timedelta(minutes=10))
    assert (await desk.send(message, old))[0] == 403
    assert (await desk.send(uuid.uuid4(), right)) == mismatch
    for number in ("0", "-1", "99999999999", "12345678901", "1.5", "%31%20"):
        path = f"/v1/messages/{message}/revisions/{number}"
        assert (await desk.caller.ask("PUT", path, right)).status == 404, number
    assert await desk.send(message, right) == (200, "")


async def test_a_body_that_is_no_text_is_refused_as_such(case: Case) -> None:
    """Bytes that are no UTF-8, no JSON or of another type are an invalid request, never an error of ours."""
    caller = caller_of(case.harmed)
    path = f"/v1/messages/{uuid.uuid4()}/withdrawal"
    for body in (b'{"statement":"\xff"}', b"\xff", b"", b"[", b"[]", b'{"statement":1}', b"null"):
        answer = await caller.ask("PUT", path, body)
        assert (answer.status, answer.code) == (400, "invalid-request"), body


async def test_nobody_writes_to_somebody_they_are_not_paired_with(
    case: Case, people: Organization
) -> None:
    """To oneself, to a stranger, or to a participant of another case: there is no such correspondent."""
    other = await open_case(people)
    for to in (uuid.uuid4(), other.responsible.participant_id):
        with pytest.raises(Problem) as refused:
            await case.harmed.send_letter(to, "Words.")
        assert (refused.value.status, refused.value.code) == (404, "not-found")


async def through_link(case: Case, people: Organization) -> tuple[str, Participant]:
    """A new upload link of the harmed person's, and the session of somebody who came through it."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    return url, await Participant.through_upload_link(people.connection, url)


async def test_an_upload_link_carries_one_message(case: Case, people: Organization) -> None:
    """One letter, its revision when it comes back, a receipt to ask with, and nothing else."""
    _url, uploader = await through_link(case, people)
    sent = await uploader.send_letter(case.responsible.participant_id, "Words.")
    assert sent.receipt is not None
    with pytest.raises(Problem) as refused:
        await uploader.send_letter(case.responsible.participant_id, "More.")
    assert (refused.value.status, refused.value.code) == (409, "link-spent")

    leased = await case.mediator.lease(sent.message)
    await case.mediator.decide(leased, "return", reason="unclear", words="More, please.")
    for code in (sent.receipt, sent.receipt.lower().replace("-", " ")):
        body = {"receipt": code}
        status = await caller_of(uploader).ask("POST", "/v1/receipts", body)
        assert status.document["view"] == AuthorView.SENT_BACK
        assert status.document["reason"] == "unclear"
    returned = await uploader.sent(sent.message)
    await uploader.send_letter(case.responsible.participant_id, "Other words.", revises=returned)
    assert (await case.mediator.read(sent.message)).state is State.QUEUED
    answer = await caller_of(uploader).ask("POST", "/v1/receipts", {"receipt": "AAAAA-" * 5})
    assert (answer.status, answer.code) == (404, "not-found")


async def test_an_upload_link_reaches_no_other_message(case: Case, people: Organization) -> None:
    """Its holder neither reads, revises, discards nor withdraws what its person wrote otherwise."""
    desk = await desk_of(case)
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    back = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    await case.mediator.decide(await case.mediator.lease(back.message), "return", reason="unclear")
    begun = uuid.uuid4()
    draft = NewDraft(recipient=desk.to, kind=Kind.LETTER, language=Language.EN)
    path = f"/v1/messages/{begun}/revisions/1/draft"
    assert (await desk.caller.ask("PUT", path, draft)).status == 200
    _url, uploader = await through_link(case, people)
    caller = caller_of(uploader)

    assert (await uploader.correspondence()).sent == []
    for message in (sent.message, back.message, begun):
        away = withdrawal(caller.signer, case.case_id, message, desk.sender, datetime.now(UTC))
        answers = [
            await caller.ask("GET", f"/v1/messages/{message}"),
            await caller.send("PUT", f"/v1/messages/{message}/withdrawal", away),
            await caller.ask("PUT", f"/v1/messages/{message}/revisions/1/draft", draft),
            await caller.ask("PUT", f"/v1/messages/{message}/revisions/2/draft", draft),
            await caller.ask("DELETE", f"/v1/messages/{message}/revisions/1/draft"),
        ]
        assert [answer.status for answer in answers] == [404] * 5
    assert (await uploader.send_letter(desk.to, "Words.")).view is AuthorView.IN_REVIEW


async def test_a_discarded_draft_leaves_the_link_as_new(case: Case, people: Organization) -> None:
    """Who throws their draft away may begin again through the same link."""
    _url, uploader = await through_link(case, people)
    caller, message = caller_of(uploader), uuid.uuid4()
    draft = NewDraft(
        recipient=case.responsible.participant_id, kind=Kind.LETTER, language=Language.EN
    )
    path = f"/v1/messages/{message}/revisions/1/draft"
    assert (await caller.ask("PUT", path, draft)).status == 200
    assert (await caller.ask("DELETE", path)).status == 204
    await uploader.send_letter(case.responsible.participant_id, "Words.")


async def test_a_second_claim_is_refused_and_reported(case: Case, people: Organization) -> None:
    """Anyone who claims a claimed link is refused, and the log has it for the mediators."""
    link = parse_link_url(case.harmed_url)
    with pytest.raises(Problem) as refused:
        await people.claim(case.harmed_url, "another passphrase")
    assert (refused.value.status, refused.value.code) == (409, "link-claimed")
    log = await case.mediator.session.call(
        "GET", f"/v1/cases/{case.case_id}/log?limit=500", into=LogPage
    )
    assert (log.rows[-1].kind, log.rows[-1].actor) == ("second-claim-refused", f"link:{link.id}")


async def test_a_first_draft_is_gone_when_it_is_discarded(case: Case) -> None:
    """Nothing is left for its sender, and its identifier may be used again."""
    desk, message = await desk_of(case), uuid.uuid4()
    draft = NewDraft(recipient=desk.to, kind=Kind.LETTER, language=Language.EN)
    path = f"/v1/messages/{message}/revisions/1/draft"
    await desk.caller.ask("PUT", path, draft)
    assert (await desk.caller.ask("DELETE", path)).status == 204
    assert (await desk.caller.ask("DELETE", path)).status == 404
    assert (await desk.caller.ask("GET", f"/v1/messages/{message}")).status == 404
    right = desk.write(message, seal_text(desk.case, "body", "Words."))
    assert await desk.send(message, right) == (200, "")


async def test_an_answer_is_of_one_moment(
    case: Case, relay_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A letter that comes back while its author asks for it comes back whole, or not yet at all."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    leased = await case.mediator.lease(sent.message)
    read = stored.read_author_message

    async def comes_back(
        connection: Connection, message: uuid.UUID
    ) -> tuple[stored.AuthorRow, list[stored.PartRow]] | None:
        await case.mediator.decide(leased, "return", reason="unclear")
        return await read(connection, message)

    database = await Database.connect(relay_settings.database_url, connections=1)
    signer = caller_of(case.harmed).signer
    author = actors.Participant(
        participant_id=case.harmed.participant_id,
        case_id=case.case_id,
        kid=signer.kid,
        signer=signer.public_key,
        link_id=None,
        is_verified=True,
    )
    with monkeypatch.context() as patched:
        patched.setattr(stored, "read_author_message", comes_back)
        before = await message_views.read_own(database, author, sent.message)
    after = await message_views.read_own(database, author, sent.message)
    await database.close()

    assert isinstance(before, AuthorMessage)
    assert isinstance(after, AuthorMessage)
    assert (before.view, before.guidance) == (AuthorView.IN_REVIEW, None)
    assert after.view == AuthorView.SENT_BACK
    assert after.guidance is not None
