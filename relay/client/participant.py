"""A participant: claims a link, writes and sends, answers an offer, opens what was released."""

from __future__ import annotations

import dataclasses
import tempfile
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import urlencode

from relay.client.connection import Problem
from relay.client.downloading import download
from relay.client.link_holder import LinkHolder
from relay.client.records import BrokenRecord, Record, checking
from relay.client.sealing import Sealed, open_text, seal_file, unwrap, view_of
from relay.client.uploading import upload_body
from relay.client.writing import Address, Answer, ConsentStatus, address
from relay.crypto import chain, release, statements
from relay.crypto.encoding import b64u_decode
from relay.crypto.errors import ChainError, NoMatchError
from relay.crypto.fields import Part
from relay.crypto.items import verify_item
from relay.crypto.signing import key_id, read_unverified
from relay.crypto.verified import VerifiedParticipant
from relay.domain.cases import Consent
from relay.domain.correspondence import Correspondence
from relay.domain.messages import (
    AuthorMessage,
    Kind,
    Language,
    NewDraft,
    Opening,
    PartView,
    RecipientMessage,
)
from relay.domain.sessions import SignedRequest

_Value = TypeVar("_Value")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A released message, verified up to the root, with what its parts need to be opened."""

    item: release.Item
    keys: dict[str, bytes] = dataclasses.field(repr=False)
    """File keys by commitment."""
    parts: list[PartView]
    broken: dict[str, BrokenRecord]
    """What is wrong with a part that does not open, by commitment; it hides none of the others."""

    def part(self, role: str) -> Part:
        """The released part of this role; BrokenRecord where it does not open."""
        for part in self.item.released:
            if part.role == role and part.commit in self.broken:
                raise self.broken[part.commit]
            if part.role == role and part.commit in self.keys:
                return part
        raise LookupError(f"no {role} was released")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """All that a participant sees, with what is sealed."""

    sent: list[AuthorMessage]
    received: list[RecipientMessage]
    consent: Consent | None
    verified: bool


class Participant(LinkHolder):
    """A participant in their case; or the holder of an upload link, who sends one message."""

    # Writing.

    async def consent(self, status: ConsentStatus) -> None:
        """Say whether one takes part."""
        statement = statements.sign(
            self.hand.signer,
            statements.Consent(
                case=self.case_id,
                participant=self.participant_id,
                status=status,
                at=datetime.now(UTC),
            ),
        )
        await self.session.call(
            "PUT",
            f"/v1/cases/{self.case_id}/participants/{self.participant_id}/consent",
            body=SignedRequest(statement=statement),
        )

    async def send_letter(
        self,
        to: uuid.UUID,
        text: str,
        *,
        language: Language = Language.EN,
        revises: AuthorMessage | None = None,
        assistant: str | None = None,
    ) -> AuthorMessage:
        """Seal a letter for the case, sign it and send it; `assistant`: who helped with it."""
        written = address(to, language=language, revises=revises)
        return await self.submit(
            written.path, lambda: self.hand.letter(written, text, assistant=assistant)
        )

    async def send_video(
        self,
        to: uuid.UUID,
        source: BinaryIO,
        media_type: str,
        *,
        language: Language = Language.EN,
        revises: AuthorMessage | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> AuthorMessage:
        """Seal a video for the case and its media workers, upload it with resumption, sign and send it."""
        written = address(to, language=language, revises=revises)
        with tempfile.TemporaryFile() as sealed_file:
            sealed = seal_file(self.case_id, "original", source, media_type, sealed_file)
            await self.begin_video(written)
            sealed_file.seek(0)
            await upload_body(
                self.session,
                written.message_id,
                written.revision,
                sealed_file,
                sealed.part.size,
                progress=progress,
            )
        return await self.submit_video(written, sealed)

    async def begin_video(self, written: Address) -> AuthorMessage:
        """Begin the draft that an upload goes to."""
        return await self.session.call(
            "PUT",
            f"{written.path}/draft",
            body=NewDraft(recipient=written.to, kind=Kind.VIDEO, language=written.language),
            into=AuthorMessage,
        )

    async def submit_video(self, written: Address, sealed: Sealed) -> AuthorMessage:
        """Sign and send a video whose sealed body has arrived."""
        return await self.submit(written.path, lambda: self.hand.video(written, sealed))

    async def withdraw(self, message_id: uuid.UUID) -> None:
        """Take a message back."""
        await self.session.call(
            "PUT", f"/v1/messages/{message_id}/withdrawal", body=self.hand.withdrawal(message_id)
        )

    async def lists(self, **query: str) -> Correspondence:
        """A page of what one wrote and was offered; `after` or `messages`, as the API has them."""
        asked = f"?{urlencode(query)}" if query else ""
        return await self.session.call("GET", f"/v1/messages{asked}", into=Correspondence)

    async def correspondence(self) -> Everything:
        """Every message that one wrote or was offered, each as it is asked for alone, the oldest first."""
        first = await self.lists()
        sent, received = list(first.sent.items), list(first.received.items)
        after = first.sent.next
        while after is not None:
            page = (await self.lists(after=after)).sent
            sent, after = [*sent, *page.items], page.next
        after = first.received.next
        while after is not None:
            offered = (await self.lists(after=after)).received
            received, after = [*received, *offered.items], offered.next
        written = [await _there(self.sent(one.message)) for one in reversed(sent)]
        given = [await _there(self.offered(one.message)) for one in reversed(received)]
        return Everything(
            sent=sorted(filter(None, written), key=lambda one: one.created_at),
            received=sorted(filter(None, given), key=lambda one: _offered_at(one.offer)),
            consent=first.consent,
            verified=first.verified,
        )

    async def sent(self, message_id: uuid.UUID) -> AuthorMessage:
        """One message that one wrote."""
        return await self.session.call("GET", f"/v1/messages/{message_id}", into=AuthorMessage)

    async def offered(self, message_id: uuid.UUID) -> RecipientMessage:
        """One message that one was offered."""
        return await self.session.call("GET", f"/v1/messages/{message_id}", into=RecipientMessage)

    def guidance(self, message: AuthorMessage) -> tuple[str | None, str]:
        """Why a message came back: the coded reason, and the mediator's own words.

        BrokenRecord where they do not hold. Notes that are for the mediators alone are not among them.
        """
        if message.guidance is None:
            raise LookupError("this message did not come back")
        with checking(Record.DECISION):
            decision, _mediator = self._charter.verify_by_mediator(
                message.guidance, statements.Decision
            )
            if (decision.case, decision.message) != (self.case_id, message.message):
                raise ChainError("a decision on another message")
            given = {view.commitment: view for view in message.parts if view.header is not None}
            words = [
                open_text(self.case_id, note, given[note.commit], [self.identity])
                for note in decision.notes
                if note.commit in given
            ]
        return decision.reason, "\n".join(words)

    def own_text(self, message: AuthorMessage) -> str:
        """The words of one's own letter, or of one that a mediator wrote down; else BrokenRecord.

        A letter from before the last link was sealed for older keys: it is one's own, and does not open.
        """
        with checking(Record.MESSAGE):
            said = self._verify_own(message.statement or "", message.origin)
            if said.message != message.message:
                raise ChainError("another message")
        body = next((part for part in said.parts if part.role == "body"), None)
        if body is None:
            raise LookupError("this message has no words")
        with checking(Record.BODY):
            return open_text(self.case_id, body, view_of(message.parts, body), [self.identity])

    def _verify_own(self, compact: str, older_way: list[str]) -> statements.Message:
        """By one's own key, one from before the last link, or a mediator's who wrote it down."""
        key = self.hand.signer.public_key
        if read_unverified(compact).kid == key_id(key):
            said = statements.verify(compact, statements.Message, key)
            if (said.case, said.sender) != (self.case_id, self.participant_id):
                raise ChainError("a message of another case or sender")
            self._charter.require_version(said.charter, said.at)
            return said
        if not older_way:
            return chain.verify_relayed_message(compact, self._charter, sender=self.participant_id)[
                0
            ]
        origin = chain.verify_origin(older_way, self._charter)
        if origin.participant != self.participant_id:
            raise ChainError("a message through the link of somebody else")
        return chain.verify_message(compact, self._charter, origin)

    # Receiving.

    async def respond(
        self, message: RecipientMessage, answer: Answer, *, tell_author: bool = False
    ) -> RecipientMessage:
        """Answer an offer."""
        return await self.session.call(
            "POST",
            f"/v1/messages/{message.message}/responses",
            body=self.hand.response(message, answer, tell_author=tell_author),
            into=RecipientMessage,
        )

    def content_note(self, message: RecipientMessage) -> str:
        """What kind of message waits, as the mediator says it; empty where they say nothing."""
        return next(iter(self._offer_notes(message)), "")

    def summary(self, message: RecipientMessage) -> str | None:
        """What the message says, in the mediator's own words, where they wrote it."""
        notes = self._offer_notes(message)
        return notes[1] if len(notes) > 1 else None

    def _offer_of(self, message: RecipientMessage) -> statements.Offer:
        """A mediator's offer of this message to one's own keys."""
        with checking(Record.OFFER):
            offer, _mediator = self._charter.verify_by_mediator(message.offer, statements.Offer)
            if (offer.case, offer.message) != (self.case_id, message.message):
                raise ChainError("an offer of another message")
            if b64u_decode(offer.claim) != self.claim_hash:
                raise NoMatchError("an offer to the keys of an earlier link")
            return offer

    def _offer_notes(self, message: RecipientMessage) -> list[str]:
        offer = self._offer_of(message)
        with checking(Record.OFFER):
            return [
                open_text(self.case_id, note, view_of(message.parts, note), [self.identity])
                for note in offer.notes
            ]

    async def open(self, message: RecipientMessage) -> Received:
        """Open a released message: every signature, approval, offer and commitment is verified first.

        BrokenRecord where the message as a whole does not hold. A part that does not open is in `broken`
        of what comes back.
        """
        if self.claim_hash is None or self._claimed_at is None:
            raise LookupError("nobody reads through an upload link")
        await self.refresh()
        # First: the relay notes that it was opened as soon as it hands it out.
        offered = self._offer_of(message)
        opening = await self.session.call(
            "POST", f"/v1/messages/{message.message}/openings", into=Opening
        )
        with checking(Record.MESSAGE):
            item = verify_item(opening.statements, opening.origin, self._charter)
            if (item.message.message, item.message.sender) != (message.message, message.sender):
                raise ChainError("another message")
        with checking(Record.APPROVALS):
            needed = self._charter.require_version(offered.charter, offered.at).policy.approvals
            release.verify_approvals(opening.approvals, self._charter, item, needed)
        own = VerifiedParticipant(
            case=self.case_id,
            participant=self.participant_id,
            recipient=str(self.identity.recipient),
            signer=self.hand.signer.public_key,
            claim_hash=self.claim_hash,
            claimed_at=self._claimed_at,
        )
        with checking(Record.OFFER):
            offer = release.verify_offer(
                message.offer,
                self._charter,
                item,
                own,
                decisions=opening.approvals,
                consents=[
                    release.SignedConsent(compact=signed.statement, origin=signed.origin)
                    for signed in opening.consents
                ],
            )
        keys: dict[str, bytes] = {}
        broken: dict[str, BrokenRecord] = {}
        for part in item.released:
            try:
                with checking(Record(part.role)):
                    view = view_of(opening.parts, part)
                    if view.header is None:
                        raise NoMatchError("no grant")
                    release.check_grant(offer, part, view.header)
                    keys[part.commit] = unwrap(self.case_id, part, view.header, [self.identity])
            except BrokenRecord as error:
                broken[part.commit] = error
        return Received(item=item, keys=keys, parts=opening.parts, broken=broken)

    def read_text(self, received: Received, role: str = "body") -> str:
        """The text of a released part; BrokenRecord where it cannot be read."""
        part = received.part(role)
        with checking(Record(part.role)):
            return open_text(self.case_id, part, view_of(received.parts, part), [self.identity])

    async def save(self, received: Received, role: str, target: Path) -> None:
        """Fetch, verify and open a released part into a file."""
        part = received.part(role)
        with checking(Record(part.role)):
            await download(self.session, part, received.keys[part.commit], target)


async def _there(asked: Awaitable[_Value]) -> _Value | None:
    """What is asked for, or None where it is gone since it was listed."""
    try:
        return await asked
    except Problem as problem:
        if problem.status != HTTPStatus.NOT_FOUND:
            raise
        return None


def _offered_at(offer: str) -> datetime:
    return statements.decode_unverified(offer, statements.Offer).at
