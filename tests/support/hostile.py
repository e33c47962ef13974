"""Senders, media workers and mediators who sign whatever they like, through the real service."""

from __future__ import annotations

import dataclasses
import io
import itertools
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

import asyncpg
import msgspec
import pytest

from relay.client.mediator import DecisionKind
from relay.client.records import BrokenRecord, Fault, Record
from relay.client.sealing import Sealed, SealedText, seal_file, seal_text
from relay.client.uploading import upload_body
from relay.client.writing import address
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.fields import Part
from relay.domain.captions import readable_captions
from relay.domain.messages import (
    Audience,
    Grant,
    RecipientMessage,
    ReviewMessage,
    ReviewRequest,
    Submission,
)
from relay.domain.texts import readable
from relay.domain.transitions import ENDED, State
from relay.services import processing
from relay.services.processing import MediaWorker
from relay.settings import Settings
from relay.storage.database import Database
from relay.testing.people import Case
from tests.support.corruptions import TIMED, WORDS, Corruption, forge
from tests.support.requests import (
    Answer,
    Caller,
    caller_of,
    charter_of,
    consents_of,
    digest_of,
    message_statement,
    named,
)

GUIDANCE: Final = "Please send it once more."
ENDS: Final = itertools.cycle((State.RETURNED, State.DECLINED, State.HELD))
ENDING: Final[Mapping[State, DecisionKind]] = {
    State.RETURNED: "return",
    State.DECLINED: "decline",
    State.HELD: "hold",
}

TextRole: TypeAlias = Literal["body", "note", "captions"]


def shown(role: str, corruption: Corruption) -> str:
    """What everybody is shown of a text that reads well."""
    ordinary = f"{TIMED}{WORDS}\n" if role == "captions" else WORDS
    text = readable(ordinary if corruption.text is None else corruption.text)
    return readable_captions(text) if role == "captions" else text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostileSender:
    """A participant who signs anything."""

    case: Case
    caller: Caller
    case_recipient: str
    charter: str
    """The hash of the charter in force."""

    @classmethod
    async def of(cls, case: Case) -> HostileSender:
        """The person harmed in this case."""
        charter = (await case.mediator.case(case.case_id)).charter
        return cls(
            case=case,
            caller=caller_of(case.harmed),
            case_recipient=charter.recipient,
            charter=b64u_encode(charter.statement_hash),
        )

    @property
    def to_case(self) -> tuple[Audience, uuid.UUID, str]:
        """Whom everything must be granted to."""
        return Audience.CASE, self.case.case_id, self.case_recipient

    async def send(
        self, message: uuid.UUID, parts: Sequence[Sealed], grants: Sequence[Grant]
    ) -> Answer:
        """The first revision of a message, with these parts and grants."""
        statement = message_statement(
            self.caller.signer,
            case=self.case.case_id,
            charter=self.charter,
            message=message,
            sender=self.case.harmed.participant_id,
            to=self.case.responsible.participant_id,
            parts=parts,
            at=datetime.now(UTC),
        )
        bodies = [part.as_body() for part in parts if isinstance(part, SealedText)]
        return await self.caller.ask(
            "PUT",
            f"/v1/messages/{message}/revisions/1",
            Submission(statement=statement, grants=list(grants), bodies=bodies),
        )

    async def letter(self, role: TextRole, corruption: Corruption) -> tuple[uuid.UUID, Answer]:
        """A letter whose part of this role is as the corruption makes it."""
        forged, grant = forge(self.case.case_id, role, corruption)
        sound = [] if role == "body" else [seal_text(self.case.case_id, "body", WORDS)]
        grants = [grant(*self.to_case), *(part.grant(*self.to_case) for part in sound)]
        message = uuid.uuid4()
        return message, await self.send(message, [*sound, forged], grants)

    async def original(
        self, message: uuid.UUID, corruption: Corruption | None = None, film: bytes = b"a film"
    ) -> Sealed:
        """The uploaded original of a new draft, its body and its part as the corruption makes them."""
        written = address(self.case.responsible.participant_id, message_id=message)
        wanted, case_id, file = corruption or Corruption(), self.case.case_id, io.BytesIO()
        sealed = seal_file(case_id, "original", io.BytesIO(film), "video/mp4", file)
        if wanted.reseal:
            other = seal_file(case_id, "original", io.BytesIO(film), "video/mp4", io.BytesIO())
            part = msgspec.structs.replace(sealed.part, commit=other.part.commit)
            sealed = Sealed(part=part, file_key=other.file_key)
        if wanted.change is not None:
            sealed = dataclasses.replace(sealed, part=wanted.change(sealed.part))
        await self.case.harmed.begin_video(written)
        file.seek(0)
        await upload_body(self.caller.signed, message, 1, file, sealed.part.size)
        return sealed


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostileWorker:
    """A media worker whose results a test makes."""

    database: Database
    settings: Settings
    """Of a media worker."""
    owner_url: str
    """The database as a superuser: a hostile worker's way to other grants."""
    worker: MediaWorker

    @property
    def reader(self) -> tuple[Audience, uuid.UUID, str]:
        """Whom an original is granted to."""
        keyring = self.worker.keyring
        return Audience.MEDIA, self.worker.credential_id, str(keyring.identity.recipient)

    async def prepare(
        self, message: uuid.UUID, corruptions: Mapping[str, Corruption] | None = None
    ) -> None:
        """Hand in a rendition and a poster, each as the corruption of its role makes it."""
        async with self.database.connection() as connection:
            job_id = await connection.fetchval(
                "select job_id from jobs where message_id = $1 and state = 'waiting'", message
            )
        job = await processing.lease_job(self.database, self.settings, job_id, self.worker)
        assert job is not None
        source = await processing.find_source(self.database, self.settings, self.worker, job)
        wanted = corruptions or {}
        rendition = self._made(source.message.case, "rendition", "video/mp4", wanted)
        poster = self._made(source.message.case, "poster", "image/jpeg", wanted)
        prefixes = [rendition.object_prefix, poster.object_prefix]
        await processing.note_writing(self.database, prefixes)
        prepared = processing.Prepared(
            rendition=rendition,
            poster=poster,
            size=6,
            duration_ms=1000,
            width=1280,
            height=720,
            profile="h264-720p",
        )
        await processing.finish(self.database, self.worker, job, source, prepared)
        for made in (rendition, poster):
            corruption = wanted.get(made.part.role, Corruption())
            if corruption.grant is not None:
                await self._regrant(made, corruption.grant(made.file_key, source.case_recipient))

    @staticmethod
    def _made(
        case_id: uuid.UUID,
        role: Literal["rendition", "poster"],
        media_type: str,
        wanted: Mapping[str, Corruption],
    ) -> processing.SealedResult:
        sealed = seal_file(case_id, role, io.BytesIO(b"a film"), media_type, io.BytesIO())
        change = wanted.get(role, Corruption()).change
        return processing.SealedResult(
            part=sealed.part if change is None else change(sealed.part),
            object_prefix=f"tests/{uuid.uuid4()}",
            file_key=sealed.file_key,
        )

    async def _regrant(self, made: processing.SealedResult, header: bytes) -> None:
        connection = await asyncpg.connect(self.owner_url)
        try:
            await connection.execute(
                "update grants set header = $1 from parts "
                "where parts.commitment = grants.commitment and parts.object_prefix = $2",
                header,
                made.object_prefix,
            )
        finally:
            await connection.close()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostileCase:
    """A case with a worker that its charter names, and a sender who signs anything."""

    case: Case
    sender: HostileSender
    media: HostileWorker

    async def video(
        self,
        *parts: SealedText,
        grants: Sequence[Grant] = (),
        original: Corruption | None = None,
        made: Mapping[str, Corruption] | None = None,
    ) -> tuple[uuid.UUID, Answer]:
        """A prepared video with these text parts beside the original."""
        message = uuid.uuid4()
        sealed = await self.sender.original(message)
        to_case = sealed.grant(*self.sender.to_case)
        if original is not None and original.grant is not None:
            header = original.grant(sealed.file_key, self.sender.case_recipient)
            to_case = msgspec.structs.replace(to_case, header=header)
        own = [sealed.grant(*self.media.reader), to_case]
        answer = await self.sender.send(message, [sealed, *parts], [*own, *grants])
        if answer.status == 200:
            await self.media.prepare(message, made)
        return message, answer


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostileMediator:
    """A mediator who offers what they like to the person responsible."""

    case: Case
    case_recipient: str
    to: tuple[Audience, uuid.UUID, str]
    claim: str

    @classmethod
    async def of(cls, case: Case) -> HostileMediator:
        """The mediator of this case."""
        recipient = case.responsible.participant_id
        to = await case.mediator.recipient_claim(case.case_id, recipient)
        charter = (await case.mediator.case(case.case_id)).charter
        return cls(
            case=case,
            case_recipient=charter.recipient,
            to=(Audience.RECIPIENT, recipient, to.recipient),
            claim=b64u_encode(to.claim_hash),
        )

    async def approved(self, text: str) -> ReviewMessage:
        """A letter that was approved."""
        sent = await self.case.harmed.send_letter(self.to[1], text)
        leased = await self.case.mediator.lease(sent.message)
        return await self.case.mediator.decide(leased, "approve")

    async def offer(
        self,
        message: ReviewMessage,
        *,
        note: Corruption | None = None,
        parts: Mapping[str, Corruption] | None = None,
        besides: Mapping[str, bytes] | None = None,
    ) -> Answer:
        """Offer it with a content note as the corruption makes it, and each part so by its role.

        `besides`: headers of parts that are not released, by commitment.
        """
        examined = await self.case.mediator.examine(message)
        grants = [
            self._granted(part, examined.keys[part.commit], (parts or {}).get(part.role))
            for part in examined.require_whole().released
        ]
        grants += [
            Grant(commitment=commit, audience=self.to[0], audience_id=self.to[1], header=header)
            for commit, header in (besides or {}).items()
        ]
        notes, to_case = [], []
        if note is not None:
            forged, grant = forge(self.case.case_id, "note", note)
            notes.append(forged)
            grants.append(grant(*self.to))
            to_case.append(grant(Audience.CASE, self.case.case_id, self.case_recipient))
        said = statements.Offer(
            case=message.case,
            charter=await charter_of(self.case.mediator, message.case),
            message=message.message,
            revision=message.revision,
            source=digest_of(message.statement) or "",
            rendition=digest_of(message.rendition),
            captions=digest_of(message.captions),
            recipient=self.to[2],
            claim=self.claim,
            consents=consents_of(message),
            grants=[named(grant) for grant in grants],
            notes=[forged.part for forged in notes],
            not_before=None,
            at=datetime.now(UTC),
        )
        caller = caller_of(self.case.mediator)
        act = ReviewRequest(
            statement=statements.sign(caller.signer, said),
            grants=[*grants, *to_case],
            bodies=[forged.as_body() for forged in notes],
        )
        return await caller.ask("POST", f"/v1/messages/{message.message}/offers", act)

    async def waiting(self, message: uuid.UUID) -> RecipientMessage:
        """A message as its recipient sees it."""
        found = (await self.case.responsible.correspondence()).received
        return next(entry for entry in found if entry.message == message)

    def _granted(self, part: Part, file_key: bytes, corruption: Corruption | None) -> Grant:
        plain = Sealed(part=part, file_key=file_key).grant(*self.to)
        if corruption is None or corruption.grant is None:
            return plain
        return msgspec.structs.replace(plain, header=corruption.grant(file_key, self.to[2]))


async def require_broken(case: Case, message: ReviewMessage, record: Record, fault: Fault) -> State:
    """Assert that this one fault is found, and that the message is returned, declined or held."""
    found = await case.mediator.examine(message)
    assert [(one.record, one.fault) for one in found.faults] == [(record, fault)]
    for language in ("en", "fr"):
        assert found.faults[0].says(language)
    with pytest.raises(BrokenRecord):
        await case.mediator.decide(message, "approve")
    author = await case.mediator.recipient_claim(case.case_id, message.sender)
    end = next(ENDS)
    decided = await case.mediator.decide(
        message, ENDING[end], reason="unclear", words=GUIDANCE, author=author.recipient
    )
    assert decided.state is end
    return end


async def require_guided(case: Case, message: uuid.UUID) -> None:
    """Assert that the author reads the mediator's words about a message that came back."""
    assert case.harmed.guidance(await case.harmed.sent(message)) == ("unclear", GUIDANCE)


async def require_untouched(case: Case, expected: Mapping[uuid.UUID, State]) -> None:
    """Assert that the queue lists every message where it is, and a sound letter takes its whole way."""
    for state in set(expected.values()) - set(ENDED):
        page = await case.mediator.queue(state=state, limit=100)
        listed = {item.message for item in page.items}
        assert listed == {message for message, where in expected.items() if where is state}
    sent = await case.harmed.send_letter(case.responsible.participant_id, "All is well.")
    leased = await case.mediator.lease(sent.message)
    assert await case.mediator.read_letter(leased) == "All is well."
    await case.mediator.offer(await case.mediator.decide(leased, "approve"), note="Short.")
    [waiting] = (await case.responsible.correspondence()).received
    received = await case.responsible.open(await case.responsible.respond(waiting, "accept"))
    assert case.responsible.read_text(received) == "All is well."
