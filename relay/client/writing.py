"""What a participant signs and seals, without sending it: the half of the client that needs no connection."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from relay.client.sealing import Sealed, seal_text
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer, statement_hash
from relay.crypto.verified import VerifiedCharter
from relay.domain.messages import (
    Audience,
    AuthorMessage,
    Grant,
    Kind,
    Language,
    RecipientMessage,
    Submission,
)
from relay.domain.sessions import SignedRequest

ConsentStatus: TypeAlias = Literal["active", "paused", "withdrawn"]
Answer: TypeAlias = Literal["accept", "wait", "refuse", "close"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Which message is written, to whom, and which earlier revision it takes the place of."""

    message_id: uuid.UUID
    to: uuid.UUID
    language: Language
    revises: AuthorMessage | None

    @property
    def revision(self) -> int:
        """The number of the revision that is written."""
        return 1 if self.revises is None else self.revises.revision + 1

    @property
    def path(self) -> str:
        """Where the revision is sent."""
        return f"/v1/messages/{self.message_id}/revisions/{self.revision}"


def address(
    to: uuid.UUID,
    *,
    message_id: uuid.UUID | None = None,
    language: Language = Language.EN,
    revises: AuthorMessage | None = None,
) -> Address:
    """A new message, with an identifier of one's own or a fresh one; or the next revision of an old one."""
    if revises is not None:
        message_id = revises.message
    return Address(message_id=message_id or uuid.uuid4(), to=to, language=language, revises=revises)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Signs and seals for one participant of a case."""

    case_id: uuid.UUID
    participant_id: uuid.UUID
    charter: VerifiedCharter
    signer: Signer
    recipient: str | None
    """Their own age recipient; None through an upload link, by which nobody reads."""

    def letter(self, to: Address, text: str, *, assistant: str | None = None) -> Submission:
        """A letter, sealed for the case and for its author; `assistant`: who helped them, for the case."""
        parts = [seal_text(self.case_id, "body", text)]
        if assistant is not None:
            parts.append(seal_text(self.case_id, "note", assistant))
        return Submission(
            statement=self._message(to, Kind.LETTER, parts),
            grants=[grant for part in parts for grant in self._grants(part)],
            bodies=[part.as_body() for part in parts],
        )

    def video(self, to: Address, sealed: Sealed) -> Submission:
        """A video, sealed for the case, its media workers and its author."""
        to_workers = [
            sealed.grant(Audience.MEDIA, worker.credential, worker.recipient)
            for worker in self.charter.media_at(datetime.now(UTC))
            if worker.recipient is not None
        ]
        return Submission(
            statement=self._message(to, Kind.VIDEO, [sealed]),
            grants=self._grants(sealed) + to_workers,
        )

    def withdrawal(self, message_id: uuid.UUID) -> SignedRequest:
        """A message taken back."""
        return self._sign(
            statements.Withdrawal(
                case=self.case_id,
                message=message_id,
                participant=self.participant_id,
                at=datetime.now(UTC),
            )
        )

    def response(
        self, message: RecipientMessage, answer: Answer, *, tell_author: bool
    ) -> SignedRequest:
        """An answer to an offer."""
        return self._sign(
            statements.Response(
                case=self.case_id,
                message=message.message,
                offer=b64u_encode(statement_hash(message.offer)),
                answer=answer,
                tell_author=tell_author,
                at=datetime.now(UTC),
            )
        )

    def _message(self, to: Address, kind: Kind, parts: Sequence[Sealed]) -> str:
        supersedes = None
        if to.revises is not None and to.revises.statement is not None:
            supersedes = b64u_encode(statement_hash(to.revises.statement))
        return statements.sign(
            self.signer,
            statements.Message(
                case=self.case_id,
                charter=b64u_encode(self.charter.statement_hash),
                message=to.message_id,
                revision=to.revision,
                supersedes=supersedes,
                sender=self.participant_id,
                recipient=to.to,
                kind=kind.value,
                language=to.language.value,
                parts=[sealed.part for sealed in parts],
                at=datetime.now(UTC),
            ),
        )

    def _grants(self, sealed: Sealed) -> list[Grant]:
        """For the case, and for the author where they have a key."""
        grants = [sealed.grant(Audience.CASE, self.case_id, self.charter.recipient)]
        if self.recipient is not None:
            grants.append(sealed.grant(Audience.AUTHOR, self.participant_id, self.recipient))
        return grants

    def _sign(self, statement: statements.Statement) -> SignedRequest:
        return SignedRequest(statement=statements.sign(self.signer, statement))
