"""What an author can find out about their recipient: nothing, by any answer of relay, unless told."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import re
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from relay.client.connection import Problem
from relay.client.participant import Participant
from relay.client.sealing import seal_file
from relay.client.uploading import Retry, Upload
from relay.client.writing import address
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import parse_link_url
from relay.domain.messages import AuthorMessage, Language, NewDraft, RecipientMessage
from relay.domain.views import AuthorView
from relay.services.processing import MediaWorker
from relay.settings import Settings
from relay.testing.people import Case, Organization
from tests.support.prepared_videos import prepare
from tests.support.requests import Answer, Caller, ask, caller_of, withdrawal

Path = Callable[[Case, uuid.UUID], Awaitable[None]]


async def offered(case: Case, message: uuid.UUID) -> RecipientMessage:
    """A message as its recipient sees it."""
    found = (await case.responsible.correspondence()).received
    return next(entry for entry in found if entry.message == message)


async def nothing(case: Case, message: uuid.UUID) -> None:
    """The recipient says nothing."""


async def wait(case: Case, message: uuid.UUID) -> None:
    """The recipient says that they wait."""
    await case.responsible.respond(await offered(case, message), "wait", tell_author=True)


async def refuse(case: Case, message: uuid.UUID) -> None:
    """The recipient refuses."""
    await case.responsible.respond(await offered(case, message), "refuse")


async def accept(case: Case, message: uuid.UUID) -> None:
    """The recipient accepts, and does not open it yet."""
    await case.responsible.respond(await offered(case, message), "accept")


async def read(case: Case, message: uuid.UUID) -> None:
    """The recipient accepts and opens."""
    await accept(case, message)
    await case.responsible.open(await offered(case, message))


async def close(case: Case, message: uuid.UUID) -> None:
    """The recipient opens, and ends their own access."""
    await read(case, message)
    await case.responsible.respond(await offered(case, message), "close")


async def retract(case: Case, message: uuid.UUID) -> None:
    """A mediator takes the offer back."""
    await case.colleague.decide(await case.colleague.read(message), "retract")


async def recall(case: Case, message: uuid.UUID) -> None:
    """A mediator recalls what was released."""
    await accept(case, message)
    await case.colleague.decide(await case.colleague.read(message), "recall", words="Too soon.")


async def pause(case: Case, message: uuid.UUID) -> None:
    """The recipient pauses, and continues."""
    await case.responsible.consent("paused")
    await case.mediator.read(message)
    await case.responsible.consent("active")


PATHS: tuple[Path, ...] = (nothing, wait, refuse, accept, read, close, retract, recall, pause)
TIME = re.compile(r"20\d\d-\d\d-\d\dT[0-9:.]+Z")
DATE = re.compile(r"\w{3}, \d\d \w{3} 20\d\d [0-9:]{8} GMT")
LIST = "/v1/messages"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The author of one message, who asks relay whatever they can think of."""

    case: Case
    caller: Caller
    url: str
    """The link they came through."""
    message: AuthorMessage
    upload: str = ""
    """Where the video was uploaded, if there is one."""

    async def ask_everything(self) -> dict[str, Answer]:
        """Every question, and every act that cannot succeed: its refusal could tell, too."""
        path, asked = f"/v1/messages/{self.message.message}", self.caller.ask
        draft = NewDraft(
            recipient=self.message.recipient, kind=self.message.kind, language=Language.EN
        )
        link = parse_link_url(self.url)
        bearer = b64u_encode(link.secret.auth(link.id))
        answers = {
            "message": await asked("GET", path),
            LIST: await asked("GET", LIST),
            "trust": await asked("GET", "/v1/trust"),
            "open": await asked("POST", f"{path}/openings"),
            "discard": await asked("DELETE", f"{path}/revisions/1/draft"),
            "link": await ask(
                self.caller.signed.connection, "GET", f"/v1/links/{link.id}", bearer=bearer
            ),
        }
        for revision in (1, 2, 3):
            where = f"{path}/revisions/{revision}/draft"
            answers[f"begin {revision}"] = await asked("PUT", where, draft)
        for part in self.message.parts:
            for method in ("GET", "HEAD"):
                where = f"/v1/parts/{part.commitment}"
                answers[f"{method} {part.role}"] = await asked(method, where)
        if self.message.receipt is not None:
            code = {"receipt": self.message.receipt}
            answers["receipt"] = await ask(
                self.caller.signed.connection, "POST", "/v1/receipts", code
            )
        if self.upload:
            tus = {"Tus-Resumable": "1.0.0"}
            for method in ("HEAD", "DELETE"):
                answers[f"{method} upload"] = await asked(method, self.upload, headers=tus)
        return answers

    async def take_back(self) -> Answer:
        """A withdrawal, and what is answered."""
        statement = withdrawal(
            self.caller.signer,
            self.case.case_id,
            self.message.message,
            self.message_sender,
            datetime.now(UTC),
        )
        path = f"/v1/messages/{self.message.message}/withdrawal"
        return await self.caller.send("PUT", path, statement)

    @property
    def message_sender(self) -> uuid.UUID:
        """Who they are, also through an upload link."""
        return self.case.harmed.participant_id

    def without_names(self, answers: dict[str, Answer]) -> dict[str, tuple[object, ...]]:
        """The answers with whatever is different for any two messages put out of sight."""
        shown = self.message
        names = [str(shown.message), shown.statement or "?", parse_link_url(self.url).id]
        names += [self.upload.rpartition("/")[2] or "?"]
        names.append(base64.b64encode(str(shown.message).encode()).decode())
        for part in shown.parts:
            blobs = (part.body or b"?", part.header or b"?")
            names += [part.commitment, *(base64.b64encode(blob).decode() for blob in blobs)]
        plain: dict[str, tuple[object, ...]] = {}
        for asked, answer in answers.items():
            text = answer.content.decode("latin-1")
            if asked == LIST:
                entries = json.loads(answer.content)["sent"]["items"]
                text = json.dumps([e for e in entries if e["message"] == str(shown.message)])
            if asked.startswith("GET "):
                text = str(len(text))  # the sealed bytes
            headers = "" if asked in {LIST, "link"} else str(answer.headers)
            for name in names:
                text, headers = text.replace(str(name), "…"), headers.replace(str(name), "…")
            text = "" if asked == "link" else TIME.sub("…", text)
            plain[asked] = (answer.status, DATE.sub("…", headers), text)
        return plain


@pytest.fixture
async def worker(people: Organization) -> MediaWorker:
    """A media worker whom the case of this test will name."""
    credential_id, keyring = await people.enrol("media")
    return MediaWorker(credential_id=credential_id, keyring=keyring)


async def write(
    kind: Literal["letter", "video", "upload link"],
    case: Case,
    people: Organization,
    worker: MediaWorker,
    worker_settings: Settings,
) -> Author:
    """A message that was approved and offered."""
    person, url, upload, to = case.harmed, case.harmed_url, "", case.responsible.participant_id
    if kind == "upload link":
        url = await case.mediator.make_link(case.case_id, person.participant_id, "upload")
        person = await Participant.through_upload_link(people.connection, url)
    if kind == "video":
        body = io.BytesIO()
        sealed = seal_file(case.case_id, "original", io.BytesIO(b"a film"), "video/mp4", body)
        message_id = uuid.uuid4()
        written = address(to, message_id=message_id)
        revision = (await person.begin_video(written)).revision
        sending = Upload(person.session, Retry())
        await sending.create(message_id, revision, sealed.part.size)
        await sending.send(body, sealed.part.size)
        upload = sending.path
        await person.submit_video(written, sealed)
        await prepare(worker_settings, worker, message_id)
        message = await person.sent(message_id)
    else:
        message = await person.send_letter(to, "The same words.")
    author = Author(case=case, caller=caller_of(person), url=url, message=message, upload=upload)
    await case.mediator.lease(message.message)
    approved = await case.mediator.decide(await case.mediator.read(message.message), "approve")
    await case.mediator.offer(approved, note="Take your time.")
    return author


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        ("letter", PATHS),
        ("video", (nothing, refuse, read, recall)),
        ("upload link", (nothing, refuse, read, close)),
    ],
)
async def test_an_author_cannot_tell_what_their_recipient_did(
    kind: Literal["letter", "video", "upload link"],
    paths: tuple[Path, ...],
    people: Organization,
    worker: MediaWorker,
    case: Case,
    worker_settings: Settings,
) -> None:
    """Every answer is the same to the byte, before and after a withdrawal, and so is its own."""
    withdrawals, afterwards, views = {}, {}, set()
    for path in paths:
        author = await write(kind, case, people, worker, worker_settings)
        before = await author.ask_everything()
        await path(case, author.message.message)
        assert await author.ask_everything() == before, path.__name__

        asked_at = datetime.now(UTC)
        withdrawals[path.__name__] = [await author.take_back(), await author.take_back()]
        after = await author.ask_everything()
        views.add(after["message"].document["view"])
        since = datetime.fromisoformat(str(after["message"].document["view_since"]))
        assert timedelta() <= since - asked_at < timedelta(seconds=10)
        afterwards[path.__name__] = author.without_names(after)

    assert all(answers == withdrawals["nothing"] for answers in withdrawals.values())
    for name, answers in afterwards.items():
        assert answers == afterwards["nothing"], name
    assert views == {AuthorView.CLOSED}


@pytest.mark.parametrize(
    ("answer", "view"), [("accept", AuthorView.ACCEPTED), ("refuse", AuthorView.NOT_ACCEPTED)]
)
async def test_an_author_is_told_what_the_recipient_chose_to_say(
    case: Case, answer: Literal["accept", "refuse"], view: AuthorView
) -> None:
    """With their consent the author sees that it was accepted or not, and never whether it was opened."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    await case.mediator.lease(sent.message)
    approved = await case.mediator.decide(await case.mediator.read(sent.message), "approve")
    await case.mediator.offer(approved)
    await case.responsible.respond(await offered(case, sent.message), answer, tell_author=True)

    told = await case.harmed.sent(sent.message)
    assert told.view is view
    if answer == "accept":
        await case.responsible.open(await offered(case, sent.message))
        await case.responsible.respond(await offered(case, sent.message), "close")
        assert await case.harmed.sent(sent.message) == told


async def test_a_mediator_cannot_write_to_the_author_about_a_recall(case: Case) -> None:
    """A note to the author with a retraction or a recall would tell them of the offer: it is refused."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    await case.mediator.lease(sent.message)
    approved = await case.mediator.decide(await case.mediator.read(sent.message), "approve")
    message = await case.mediator.offer(approved)
    author = await case.mediator.recipient_claim(case.case_id, case.harmed.participant_id)

    with pytest.raises(Problem) as refused:
        await case.mediator.decide(message, "retract", words="Hm.", author=author.recipient)
    assert refused.value.code == "statement-mismatch"


async def test_a_recipient_learns_nothing_of_what_was_not_offered(case: Case) -> None:
    """Returned, held, declined, withdrawn and approved messages are not there for their recipient."""
    recipient = caller_of(case.responsible)
    strange = await recipient.ask("GET", f"/v1/messages/{uuid.uuid4()}")
    before = await recipient.ask("GET", LIST)
    for decision in ("return", "hold", "decline", "approve"):
        sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
        leased = await case.mediator.lease(sent.message)
        await case.mediator.decide(leased, decision, reason="unclear")
        assert await recipient.ask("GET", f"/v1/messages/{sent.message}") == strange
        assert await recipient.ask("POST", f"/v1/messages/{sent.message}/openings") == strange
        await case.harmed.withdraw(sent.message)
        assert await recipient.ask("GET", f"/v1/messages/{sent.message}") == strange
    assert await recipient.ask("GET", LIST) == before
