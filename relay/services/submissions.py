"""What a sender does: begin a draft, send a revision, discard it, take the message back."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
import uuid
from typing import Self

from relay.crypto import statements
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.domain.actors import Mediator, Participant
from relay.domain.cases import CaseClosed, CharterChanged
from relay.domain.links import LinkSpent
from relay.domain.messages import (
    Audience,
    AuthorMessage,
    Kind,
    NewDraft,
    RevisionExists,
    SealedBefore,
    StatementMismatch,
    Submission,
    UploadUnfinished,
    VideoNotTaken,
)
from relay.domain.transitions import Event, Mover, State, WrongState
from relay.domain.uploads import object_prefix
from relay.domain.views import AuthorView
from relay.errors import Conflict, InvalidRequest, NotFound
from relay.queue import Queue
from relay.services import quotas
from relay.services.cases import require_mediator
from relay.services.message_views import as_author_message, author_message, shown_to_author
from relay.services.statements import is_admitted, is_new
from relay.services.stored_parts import (
    Readers,
    StoredBody,
    check_grants,
    checked_text,
    checked_upload,
    new_grants,
)
from relay.services.transitions import (
    make_transition,
    require_message,
    require_transition,
    submitted,
)
from relay.settings import Settings
from relay.storage import links as stored_links
from relay.storage import messages as stored
from relay.storage import submissions as stored_submissions
from relay.storage import uploads as stored_uploads
from relay.storage.database import Connection, Database
from relay.storage.events import append_event
from relay.storage.statements import insert_statement

_RECEIPT_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_RECEIPT_GROUPS = 5
_RECEIPT_GROUP_LETTERS = 5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Sender:
    """Whose words they are: the participant's who sends them, or for whom a mediator writes them down."""

    case_id: uuid.UUID
    participant_id: uuid.UUID
    link_id: uuid.UUID | None
    """The upload link that the words come through."""
    kid: str
    """The key that signs them."""
    is_verified: bool
    """Whether it is known that the key is theirs; otherwise they have what this key began, no more."""
    relayed: bool
    """A mediator wrote them down."""

    @classmethod
    def of(cls, actor: Participant | Mediator, said: statements.Message) -> Self:
        """The sender of a statement; only a mediator may name somebody else."""
        if isinstance(actor, Mediator):
            return cls(
                case_id=said.case,
                participant_id=said.sender,
                link_id=None,
                kid=actor.kid,
                is_verified=True,
                relayed=True,
            )
        return cls.participant(actor)

    @classmethod
    def participant(cls, actor: Participant) -> Self:
        """A participant who sends their own words."""
        return cls(
            case_id=actor.case_id,
            participant_id=actor.participant_id,
            link_id=actor.link_id,
            kid=actor.kid,
            is_verified=actor.is_verified,
            relayed=False,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class _Words:
    """What a draft is for."""

    recipient_id: uuid.UUID
    kind: Kind
    revision: int


async def begin_draft(
    database: Database,
    settings: Settings,
    actor: Participant,
    message_id: uuid.UUID,
    revision: int,
    draft: NewDraft,
) -> AuthorMessage:
    """Begin a message, or the next revision of one that came back; doing it again changes nothing."""
    sender = _Sender.participant(actor)
    async with database.transaction() as connection:
        known, facts = await _lock(connection, sender, message_id, draft.recipient)
        _require_correspondent(facts, draft.kind)
        await _spend_link(connection, sender, message_id)
        if known is not None:
            words = _Words(draft.recipient, draft.kind, revision)
            await _require_draft(connection, known, words, str(actor))
        else:
            await quotas.require_few_drafts(connection, settings, sender.participant_id)
            await _begin(connection, sender, message_id, revision, draft, str(actor))
        return await author_message(connection, message_id)


async def _begin(
    connection: Connection,
    sender: _Sender,
    message_id: uuid.UUID,
    revision: int,
    draft: NewDraft,
    actor: str,
) -> None:
    if revision != 1:
        raise NotFound("no such message")
    is_begun = await stored_submissions.insert_draft(
        connection,
        message_id=message_id,
        case_id=sender.case_id,
        sender_id=sender.participant_id,
        recipient_id=draft.recipient,
        kind=draft.kind,
        language=draft.language,
        writer_kid=sender.kid,
    )
    if not is_begun:
        raise Conflict("the identifier is taken")
    await append_event(
        connection,
        case_id=sender.case_id,
        kind="draft-begun",
        actor=actor,
        message_id=message_id,
    )


async def submit(
    database: Database,
    queue: Queue,
    settings: Settings,
    actor: Participant | Mediator,
    message_id: uuid.UUID,
    revision: int,
    submission: Submission,
) -> AuthorMessage:
    """Send a signed revision: a letter to the review queue, a video to the media workers.

    A mediator of the case may send a letter that they wrote down for a participant: they sign it in that
    participant's name, and by that say that the participant confirmed the words.

    Sending the same statement again answers as the first time did, so that a client whose connection broke
    may simply repeat itself.
    """
    statement = statements.verified(submission.statement, statements.Message, actor.signer)
    said = statement.said
    sender = _Sender.of(actor, said)
    if (said.message, said.revision, said.case, said.sender) != (
        message_id,
        revision,
        sender.case_id,
        sender.participant_id,
    ):
        raise StatementMismatch("the statement is for another message")
    job_id = None
    async with database.transaction() as connection:
        known, facts = await _lock(connection, sender, message_id, said.recipient, statement)
        if isinstance(actor, Mediator):
            await require_mediator(connection, sender.case_id, actor)
        if facts is not None and revision <= len(facts.revisions):
            if facts.revisions[revision - 1] != statement.hash:
                raise RevisionExists
            receipt = await _make_receipt(connection, sender, message_id)
            return await author_message(connection, message_id, receipt=receipt)
        facts = _require_correspondent(facts, Kind(said.kind))
        if not is_admitted(settings, said.at, facts):
            raise RevisionExists
        await _require_relayable(connection, sender, known, said, facts)
        await _spend_link(connection, sender, message_id)
        if known is not None:
            words = _Words(said.recipient, Kind(said.kind), revision)
            await _require_draft(connection, known, words, str(actor))
        _require_follows(said, facts)
        parts = await _hold_parts(connection, settings, sender, facts, said, submission)
        found = await stored_submissions.submit_revision(
            connection,
            statement,
            parts,
            new_grants(submission.grants),
            transition=submitted(Kind(said.kind), revision),
            actor=str(actor),
        )
        if found is None:
            raise SealedBefore
        message, shown = found
        if message.kind is Kind.VIDEO:
            job_id = await stored.insert_job(connection, message_id, revision)
        receipt = await _make_receipt(connection, sender, message_id)
        answer = as_author_message(message, shown, receipt=receipt)
    if job_id is not None:
        await queue.wake(job_id)
    return answer


async def discard(
    database: Database, actor: Participant, message_id: uuid.UUID, revision: int
) -> None:
    """Throw a draft away that was never sent. A message that was sent once is withdrawn instead."""
    async with database.transaction() as connection:
        message = await require_message(connection, message_id, actor.participant_id)
        await _require_sender(connection, _Sender.participant(actor), message)
        discarded = await require_transition(connection, message, Event.DISCARD, Mover.SENDER)
        if revision != message.revision:
            raise WrongState("another revision")
        if actor.link_id is not None:
            await stored_links.unspend_link(connection, actor.link_id, message_id)
        await stored_uploads.orphan_uploads(connection, message_id)
        await make_transition(connection, message, discarded, actor=str(actor))


async def withdraw(
    database: Database,
    settings: Settings,
    actor: Participant | Mediator,
    message_id: uuid.UUID,
    compact: str,
) -> None:
    """Take a message back, by its sender or a mediator to whom they said so.

    Before release that ends it. Afterwards it is too late, but to say so would tell the sender that the
    message reached somebody: the wish is recorded for the mediator, and the sender is answered alike.
    """
    withdrawal = statements.verified(compact, statements.Withdrawal, actor.signer)
    said = withdrawal.said
    async with database.transaction() as connection:
        asks = actor.participant_id if isinstance(actor, Participant) else None
        message = await require_message(connection, message_id, asks)
        if isinstance(actor, Mediator):
            await require_mediator(connection, message.case_id, actor)
        else:
            await _require_sender(connection, _Sender.participant(actor), message)
        if (said.message, said.case, said.participant) != (
            message_id,
            message.case_id,
            message.sender_id,
        ):
            raise StatementMismatch("the statement is for another message")
        is_closed = shown_to_author(message) is AuthorView.CLOSED
        if is_closed or not await is_new(connection, settings, withdrawal):
            return
        by = Mover.MEDIATOR if isinstance(actor, Mediator) else Mover.SENDER
        withdrawn = await require_transition(connection, message, Event.WITHDRAW, by)
        await insert_statement(connection, withdrawal)
        await make_transition(
            connection, message, withdrawn, actor=str(actor), statement_hash=withdrawal.hash
        )
        if withdrawn.target is State.WITHDRAWN:
            await stored.cancel_jobs(connection, message_id)
            await stored.delete_grants(connection, message_id, Audience.MEDIA)
            await stored_uploads.orphan_uploads(connection, message_id)
        else:
            await append_event(
                connection,
                case_id=message.case_id,
                kind="withdrawal-asked",
                actor=str(actor),
                message_id=message_id,
                statement_hash=withdrawal.hash,
            )
        await stored.set_withdrawal(connection, message_id, withdrawal.hash)


def hash_receipt(code: str) -> bytes:
    """What is stored of a receipt code, however it was typed."""
    plain = "".join(letter for letter in code.upper() if letter in _RECEIPT_ALPHABET)
    return hashlib.sha256(b"relay/v1/receipt\n" + plain.encode()).digest()


async def _require_sender(
    connection: Connection, sender: _Sender, message: stored.MessageRow
) -> None:
    """Go on only for the sender; through an upload link, only for the one message that it carried."""
    if (message.case_id, message.sender_id) != (sender.case_id, sender.participant_id):
        raise NotFound("somebody else's message")
    if not sender.is_verified and message.writer_kid != sender.kid:
        raise NotFound("not begun with this key, which nobody has verified")
    if sender.link_id is not None:
        carried = await stored_submissions.find_carried(connection, sender.link_id)
        if carried != message.message_id:
            raise NotFound("not the message of this link")


async def _lock(
    connection: Connection,
    sender: _Sender,
    message_id: uuid.UUID,
    recipient_id: uuid.UUID,
    statement: statements.Verified[statements.Message] | None = None,
) -> tuple[stored.MessageRow | None, stored_submissions.SubmissionFacts | None]:
    """The sender's message, where there is one, and what must be known before words are taken, locked."""
    message, facts = await stored_submissions.lock_submission(
        connection,
        message_id,
        sender.case_id,
        sender_id=sender.participant_id,
        recipient_id=recipient_id,
        statement=statement,
    )
    if message is not None:
        await _require_sender(connection, sender, message)
    return message, facts


def _require_correspondent(
    facts: stored_submissions.SubmissionFacts | None, kind: Kind
) -> stored_submissions.SubmissionFacts:
    """Go on only to somebody whom the sender may write to, with what the case takes."""
    if facts is None or not facts.is_pair:
        raise NotFound("no such correspondent")
    if facts.is_closed:
        raise CaseClosed
    if kind is Kind.VIDEO and not facts.server_processing:
        raise VideoNotTaken
    return facts


def _require_follows(said: statements.Message, facts: stored_submissions.SubmissionFacts) -> None:
    """Go on only with words under the charter in force, after the revision that was sent last."""
    if said.revision != len(facts.revisions) + 1:
        raise NotFound("no such message")
    if b64u_encode(facts.charter_hash) != said.charter:
        raise CharterChanged
    if said.supersedes != (b64u_encode(facts.revisions[-1]) if facts.revisions else None):
        raise StatementMismatch("the statement does not follow the revision before")


async def _require_relayable(
    connection: Connection,
    sender: _Sender,
    known: stored.MessageRow | None,
    said: statements.Message,
    facts: stored_submissions.SubmissionFacts,
) -> None:
    """A mediator may send only a letter, and only where no participant began or sent it.

    A mediator never changes another's words: what a participant began or sent is theirs to revise.
    """
    if not sender.relayed:
        return
    if said.kind != Kind.LETTER.value:
        raise InvalidRequest("relayed", problem="A mediator writes down letters only.")
    if facts.revisions:
        begun_by_sender = bool(await stored.list_origin(connection, facts.revisions[-1]))
    else:
        begun_by_sender = known is not None
    if begun_by_sender:
        raise WrongState("these are the participant's own words")


async def _spend_link(connection: Connection, sender: _Sender, message_id: uuid.UUID) -> None:
    """Have an upload link carry this message and no other; LinkSpent where it carried another."""
    if sender.link_id is None:
        return
    if not await stored_links.spend_link(connection, sender.link_id, message_id):
        raise LinkSpent


async def _require_draft(
    connection: Connection, message: stored.MessageRow, words: _Words, actor: str
) -> None:
    """Go on only with a draft of this revision, which is begun where the message came back."""
    if (message.recipient_id, message.kind) != (words.recipient_id, words.kind):
        raise InvalidRequest("a revision keeps its recipient and its kind")
    if words.revision == message.revision + 1:
        revised = await require_transition(connection, message, Event.REVISE, Mover.SENDER)
        await make_transition(connection, message, revised, actor=actor)
        await stored.begin_revision(connection, message.message_id)
    elif message.state is not State.DRAFT or message.revision != words.revision:
        raise WrongState("not a draft of this revision")


async def _hold_parts(
    connection: Connection,
    settings: Settings,
    sender: _Sender,
    facts: stored_submissions.SubmissionFacts,
    said: statements.Message,
    submission: Submission,
) -> list[stored.NewPart]:
    case = (Audience.CASE, sender.case_id)
    author = frozenset({(Audience.AUTHOR, sender.participant_id)})
    workers = frozenset((Audience.MEDIA, worker) for worker in facts.media)
    parts = []
    for part in said.parts:
        grants = [grant for grant in submission.grants if grant.commitment == part.commit]
        if part.role == "original":
            readers = Readers(required=frozenset({case}), one_of=workers, allowed=author)
            upload = await stored_uploads.finished_upload(
                connection,
                said.message,
                said.revision,
                [b64u_decode(digest) for digest in part.segments],
            )
            if upload is None:
                raise UploadUnfinished
            body = StoredBody(
                object_prefix=object_prefix(upload.upload_id),
                size_bytes=upload.size_bytes,
                digests=upload.digests,
            )
            parts.append(checked_upload(part, body))
            await stored_uploads.mark_submitted(connection, upload.upload_id)
        else:
            readers = Readers(required=frozenset({case}), allowed=author)
            parts.append(checked_text(part, submission.bodies, settings))
        check_grants({part.commit}, grants, readers)
    if {grant.commitment for grant in submission.grants} - {part.commit for part in said.parts}:
        raise StatementMismatch("a grant for no part")
    return parts


async def _make_receipt(
    connection: Connection, sender: _Sender, message_id: uuid.UUID
) -> str | None:
    """Of a message that came through an upload link: a new receipt, which its sender can note down."""
    if sender.link_id is None:
        return None
    letters = [
        secrets.choice(_RECEIPT_ALPHABET) for _ in range(_RECEIPT_GROUPS * _RECEIPT_GROUP_LETTERS)
    ]
    groups = zip(*[iter(letters)] * _RECEIPT_GROUP_LETTERS, strict=True)
    receipt = "-".join("".join(group) for group in groups)
    await stored.set_receipt(connection, message_id, hash_receipt(receipt))
    return receipt
