"""Requests that the client would never make: anything signed, sent anywhere, as it is."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec
from aiohttp import hdrs

from relay.client.connection import Connection, SignedConnection
from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.client.sealing import Sealed, SealedText, grant_key
from relay.crypto import statements
from relay.crypto.age import FileKey
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer, statement_hash
from relay.domain.messages import Audience, Grant, ReviewMessage, ReviewRequest, Submission

REQUEST_ID: Final = "X-Request-Id"
VOLATILE: Final = frozenset({hdrs.DATE})
"""Headers of an answer that say nothing about what it answers."""


async def next_second() -> None:
    """Wait for the next whole second, the unit of a statement's time."""
    await asyncio.sleep(1 - datetime.now(UTC).microsecond / 1_000_000)


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What relay answered, to the byte."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes

    @property
    def document(self) -> dict[str, object]:
        """The JSON of the answer."""
        found = json.loads(self.content)
        assert isinstance(found, dict)
        return found

    @property
    def code(self) -> str:
        """The code of a refusal, or none."""
        return "" if self.status < 400 else str(self.document["code"])


async def ask(
    connection: Connection,
    method: str,
    path: str,
    body: object = None,
    *,
    bearer: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request as it is, and its answer; a body is sent as JSON, bytes as they are."""
    given = {
        REQUEST_ID: "by-a-test",
        **(headers or {}),
    }  # so that equal answers are equal to the byte
    if bearer is not None:
        given[hdrs.AUTHORIZATION] = f"Bearer {bearer}"
    if body is not None:
        given.setdefault(hdrs.CONTENT_TYPE, "application/json")
    data = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
    async with connection.http.request(
        method, f"{connection.url}{path}", data=data, headers=given, allow_redirects=False
    ) as response:
        content = await response.read()
        kept = sorted((k, v) for k, v in response.headers.items() if k not in VOLATILE)
        return Answer(response.status, tuple(kept), content)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody with a session and a key, who sends what they like."""

    signed: SignedConnection
    signer: Signer
    subject: uuid.UUID
    """Their credential, or the participant that they are."""
    recipient: str
    """The age recipient of their own key."""

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request in their session."""
        bearer = await self.signed.bearer()
        return await ask(self.signed.connection, method, path, body, bearer=bearer, headers=headers)

    async def send(self, method: str, path: str, statement: str) -> Answer:
        """A request that is one statement."""
        return await self.ask(method, path, {"statement": statement})


def caller_of(person: Participant | Mediator) -> Caller:
    """Somebody whom the client knows, as a caller who signs and sends anything."""
    if isinstance(person, Mediator):
        keyring = person.keyring
        return Caller(
            signed=person.session,
            signer=keyring.signer,
            subject=person.credential_id,
            recipient=str(keyring.identity.recipient),
        )
    return Caller(
        signed=person.session,
        signer=person.hand.signer,
        subject=person.participant_id,
        recipient=person.hand.recipient or "",
    )


def digest_of(compact: str | None) -> str | None:
    """How one statement names another."""
    return None if compact is None else b64u_encode(statement_hash(compact))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a decision or an offer is about, statement by statement."""

    case: uuid.UUID
    message: uuid.UUID
    revision: int
    source: str
    rendition: str | None = None
    captions: str | None = None
    charter: str = ""
    """Hash of the charter in force."""
    consents: Sequence[str] = ()
    """Hashes of what the sender and the recipient said last."""

    def decision(
        self,
        signer: Signer,
        decision: Literal[
            "approve", "return", "decline", "hold", "resume", "reopen", "retract", "recall", "retry"
        ],
        at: datetime,
    ) -> str:
        """A signed decision on exactly these words."""
        needs_reason = decision in {"return", "decline", "hold"}
        return statements.sign(
            signer,
            statements.Decision(
                case=self.case,
                message=self.message,
                revision=self.revision,
                source=digest_of(self.source) or "",
                rendition=digest_of(self.rendition),
                captions=digest_of(self.captions),
                decision=decision,
                reason="unclear" if needs_reason else None,
                notes=[],
                at=at,
            ),
        )

    def exception(self, signer: Signer, at: datetime) -> str:
        """A signed reason why this video needs no captions."""
        return statements.sign(
            signer,
            statements.Captions(
                case=self.case,
                message=self.message,
                revision=self.revision,
                source=digest_of(self.source) or "",
                rendition=digest_of(self.rendition),
                language="en",
                part=None,
                exception="no-speech",
                at=at,
            ),
        )

    def offer(
        self,
        signer: Signer,
        keys: Mapping[str, FileKey],
        to: uuid.UUID,
        recipient: str,
        claim: str,
        at: datetime,
        *,
        not_before: datetime | None = None,
    ) -> ReviewRequest:
        """A signed offer of the parts under `keys` (by commitment) to one recipient."""
        grants = [
            grant_key(commitment, key, Audience.RECIPIENT, to, recipient)
            for commitment, key in keys.items()
        ]
        statement = statements.sign(
            signer,
            statements.Offer(
                case=self.case,
                charter=self.charter,
                message=self.message,
                revision=self.revision,
                source=digest_of(self.source) or "",
                rendition=digest_of(self.rendition),
                captions=digest_of(self.captions),
                recipient=recipient,
                claim=claim,
                consents=list(self.consents),
                grants=[named(grant) for grant in grants],
                notes=[],
                not_before=not_before,
                at=at,
            ),
        )
        return ReviewRequest(statement=statement, grants=grants)


async def charter_of(mediator: Mediator, case: uuid.UUID) -> str:
    """The hash of the charter in force, as statements name it."""
    return b64u_encode((await mediator.case(case, again=True)).charter.statement_hash)


def consents_of(message: ReviewMessage) -> list[str]:
    """The hashes of the consents that an offer of this message rests on."""
    both = (message.consents.sender, message.consents.recipient)
    return [digest_of(signed.statement) or "" for signed in both if signed is not None]


def named(grant: Grant) -> statements.GrantedPart:
    """A grant as an offer names it."""
    return statements.GrantedPart(
        commit=grant.commitment, header=b64u_encode(hashlib.sha256(grant.header).digest())
    )


def message_statement(
    signer: Signer,
    *,
    case: uuid.UUID,
    charter: str,
    message: uuid.UUID,
    sender: uuid.UUID,
    to: uuid.UUID,
    parts: Sequence[Sealed],
    at: datetime,
    revision: int = 1,
    supersedes: str | None = None,
) -> str:
    """A signed revision of a letter or of a video, by its first part."""
    return statements.sign(
        signer,
        statements.Message(
            case=case,
            charter=charter,
            message=message,
            revision=revision,
            supersedes=digest_of(supersedes),
            sender=sender,
            recipient=to,
            kind="letter" if parts[0].part.role == "body" else "video",
            language="en",
            parts=[sealed.part for sealed in parts],
            at=at,
        ),
    )


def letter(statement: str, body: SealedText, case: uuid.UUID, case_recipient: str) -> Submission:
    """A signed letter, as it is sent."""
    return Submission(
        statement=statement,
        grants=[body.grant(Audience.CASE, case, case_recipient)],
        bodies=[body.as_body()],
    )


def response(
    signer: Signer,
    case: uuid.UUID,
    message: uuid.UUID,
    offer: str,
    answer: Literal["accept", "wait", "refuse", "close"],
    at: datetime,
    *,
    tell_author: bool = False,
) -> str:
    """A signed answer to an offer, which is named by its hash."""
    return statements.sign(
        signer,
        statements.Response(
            case=case, message=message, offer=offer, answer=answer, tell_author=tell_author, at=at
        ),
    )


def withdrawal(
    signer: Signer, case: uuid.UUID, message: uuid.UUID, sender: uuid.UUID, at: datetime
) -> str:
    """A signed withdrawal of a sender's message."""
    return statements.sign(
        signer, statements.Withdrawal(case=case, message=message, participant=sender, at=at)
    )


def consent(
    signer: Signer,
    case: uuid.UUID,
    participant: uuid.UUID,
    status: Literal["active", "paused", "withdrawn"],
    at: datetime,
) -> str:
    """A signed word about taking part."""
    return statements.sign(
        signer, statements.Consent(case=case, participant=participant, status=status, at=at)
    )
