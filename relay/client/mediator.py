"""A mediator's review: read what waits, decide on it, and offer what was approved."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from relay.client.casework import Casework, verify_recipient
from relay.client.downloading import download
from relay.client.examining import Examined, examine, named_by
from relay.client.records import BrokenRecord, Fault, Record, checking
from relay.client.sealing import Sealed, SealedText, grant_key, seal_text
from relay.client.verifying import verify_consents
from relay.client.writing import Hand, address
from relay.crypto import release, statements
from relay.crypto.encoding import b64u_encode
from relay.domain.captions import readable_captions
from relay.domain.messages import (
    Audience,
    AuthorMessage,
    Body,
    Grant,
    History,
    Language,
    QueuePage,
    ReviewMessage,
    ReviewRequest,
)

DecisionKind = Literal[
    "approve", "return", "decline", "hold", "resume", "reopen", "retract", "recall", "retry"
]


class Mediator(Casework):
    """A mediator who reviews what participants send, and offers what may reach the other one."""

    # Review.

    async def queue(self, **filters: str | int) -> QueuePage:
        """A page of the review queue."""
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        return await self.session.call("GET", f"/v1/queue?{query}", into=QueuePage)

    async def lease(self, message_id: uuid.UUID) -> ReviewMessage:
        """Take an item, or keep it for longer."""
        return await self.session.call(
            "PUT", f"/v1/messages/{message_id}/lease", into=ReviewMessage
        )

    async def let_go(self, message_id: uuid.UUID) -> None:
        """Give an item back."""
        await self.session.call("DELETE", f"/v1/messages/{message_id}/lease")

    async def read(self, message_id: uuid.UUID) -> ReviewMessage:
        """A message with everything around it."""
        return await self.session.call("GET", f"/v1/messages/{message_id}", into=ReviewMessage)

    async def history(self, message_id: uuid.UUID) -> History:
        """Every revision of a message, and what else the two people sent each other."""
        return await self.session.call("GET", f"/v1/messages/{message_id}/history", into=History)

    async def examine(self, message: ReviewMessage) -> Examined:
        """A message record by record: what holds, what it says, and what does not hold."""
        found = examine(message, await self.case(message.case))
        if found.faults:
            # A colleague may have signed the next charter meanwhile.
            found = examine(message, await self.case(message.case, again=True))
        return found

    async def verify(self, message: ReviewMessage) -> release.Item:
        """The item to review, with every signature and part verified; BrokenRecord otherwise."""
        return (await self.examine(message)).require_whole()

    async def read_letter(self, message: ReviewMessage) -> str:
        """The words of a letter; BrokenRecord where they cannot be read."""
        text = (await self.examine(message)).text("body")
        if text is None:
            raise LookupError("there are no words")
        return text

    async def save(self, message: ReviewMessage, role: str, target: Path) -> None:
        """Fetch, verify and open a part of a message into a file."""
        found = await self.examine(message)
        part = next((part for part in found.require_whole().released if part.role == role), None)
        if part is None:
            raise LookupError(f"there is no {role}")
        with checking(Record(part.role)):
            await download(self.session, part, found.keys[part.commit], target)

    async def decide(
        self,
        message: ReviewMessage,
        decision: DecisionKind,
        *,
        reason: str | None = None,
        words: str | None = None,
        author: str | None = None,
    ) -> ReviewMessage:
        """Sign a decision on exactly what was reviewed; BrokenRecord for an approval of what does not hold.

        `words` go to the author where their age recipient is given, and stay with the case in any event.
        """
        if decision == "approve":
            await self.verify(message)
        source, rendition, captions = named_by(message)
        note = None if words is None else seal_text(message.case, "note", words)
        grants, bodies = await self._note(message, note, Audience.AUTHOR, message.sender, author)
        if decision == "retry":
            grants = await self._media_grants(message)
        statement = statements.sign(
            self.keyring.signer,
            statements.Decision(
                case=message.case,
                message=message.message,
                revision=message.revision,
                source=source,
                rendition=rendition,
                captions=captions,
                decision=decision,
                reason=reason,
                notes=[] if note is None else [note.part],
                at=datetime.now(UTC),
            ),
        )
        return await self.session.call(
            "POST",
            f"/v1/messages/{message.message}/decisions",
            body=ReviewRequest(statement=statement, grants=grants, bodies=bodies),
            into=ReviewMessage,
        )

    async def caption(
        self, message: ReviewMessage, *, text: str | None = None, exception: str | None = None
    ) -> ReviewMessage:
        """Add captions (WebVTT) to a video under review, or the coded reason why it needs none.

        They take the place of the author's own. BrokenRecord where the text is no captions file.
        """
        if text is not None:
            with checking(Record.CAPTIONS):
                readable_captions(text)
        case = await self.case(message.case, again=True)
        source, rendition, _captions = named_by(message)
        sealed = (
            None
            if text is None
            else seal_text(message.case, "captions", text, media_type="text/vtt")
        )
        statement = statements.sign(
            self.keyring.signer,
            statements.Captions(
                case=message.case,
                message=message.message,
                revision=message.revision,
                source=source,
                rendition=rendition,
                language=message.language.value,
                part=None if sealed is None else sealed.part,
                exception=exception,
                at=datetime.now(UTC),
            ),
        )
        to_case = (Audience.CASE, message.case, case.charter.recipient)
        return await self.session.call(
            "PUT",
            f"/v1/messages/{message.message}/captions",
            body=ReviewRequest(
                statement=statement,
                grants=[] if sealed is None else [sealed.grant(*to_case)],
                bodies=[] if sealed is None else [sealed.as_body()],
            ),
            into=ReviewMessage,
        )

    async def offer(
        self,
        message: ReviewMessage,
        *,
        note: str | None = None,
        summary: str | None = None,
        not_before: datetime | None = None,
    ) -> ReviewMessage:
        """Write the recipient's grants and offer the message: the act that makes a release possible.

        `note` says what kind of message it is, before anything is opened; `summary`, which needs a note
        before it, tells what it says in the mediator's own words. BrokenRecord where something of the
        message, the recipient's keys, or what the two said about taking part does not hold.
        """
        case = await self.case(message.case, again=True)
        found = await self.examine(message)
        item = found.require_whole()
        with checking(Record.APPROVALS):
            needed = case.charter.policy.approvals
            release.verify_approvals(message.decisions, case.charter, item, needed)
        latest = await self.read(message.message)
        to = verify_recipient(latest.recipient_origin, case.charter, datetime.now(UTC))
        if to.participant != message.recipient:
            raise BrokenRecord(Record.CLAIM, Fault.NOT_SIGNED, "the way in of somebody else")
        with checking(Record.CONSENT):
            consents = verify_consents(latest, case.charter)
        recipient = (Audience.RECIPIENT, message.recipient, to.recipient)
        grants = [
            grant_key(part.commit, found.keys[part.commit], *recipient) for part in item.released
        ]
        notes, bodies = [], []
        for words in (note, summary if note is not None else None):
            sealed = None if words is None else seal_text(message.case, "note", words)
            note_grants, note_bodies = await self._note(
                message, sealed, Audience.RECIPIENT, message.recipient, to.recipient
            )
            notes += [] if sealed is None else [sealed.part]
            grants += note_grants
            bodies += note_bodies
        statement = statements.sign(
            self.keyring.signer,
            statements.Offer(
                case=message.case,
                charter=b64u_encode(case.charter.statement_hash),
                message=message.message,
                revision=message.revision,
                source=item.source,
                rendition=item.rendition_hash,
                captions=item.captions_hash,
                recipient=to.recipient,
                claim=b64u_encode(to.claim_hash),
                consents=consents,
                grants=[
                    statements.GrantedPart(
                        commit=grant.commitment,
                        header=b64u_encode(hashlib.sha256(grant.header).digest()),
                    )
                    for grant in grants
                    if grant.audience is Audience.RECIPIENT
                ],
                notes=notes,
                not_before=not_before,
                at=datetime.now(UTC),
            ),
        )
        return await self.session.call(
            "POST",
            f"/v1/messages/{message.message}/offers",
            body=ReviewRequest(statement=statement, grants=grants, bodies=bodies),
            into=ReviewMessage,
        )

    async def relay_letter(
        self,
        case_id: uuid.UUID,
        sender: uuid.UUID,
        to: uuid.UUID,
        text: str,
        *,
        language: Language = Language.EN,
    ) -> AuthorMessage:
        """Send a letter that one wrote down for a participant, who confirmed the words."""
        case = await self.case(case_id, again=True)
        hand = Hand(
            case_id=case_id,
            participant_id=sender,
            charter=case.charter,
            signer=self.keyring.signer,
            recipient=await self._author_recipient(case_id, sender),
        )
        written = address(to, language=language)
        return await self.session.call(
            "PUT", written.path, body=hand.letter(written, text), into=AuthorMessage
        )

    async def _author_recipient(self, case_id: uuid.UUID, participant: uuid.UUID) -> str | None:
        """The key with which somebody reads again what was written down for them, where they have one."""
        try:
            return (await self.recipient_claim(case_id, participant)).recipient
        except (LookupError, BrokenRecord):
            return None

    async def _note(
        self,
        message: ReviewMessage,
        note: SealedText | None,
        audience: Audience,
        reader: uuid.UUID,
        recipient: str | None,
    ) -> tuple[list[Grant], list[Body]]:
        """The grants and the body of a note: for the case always, for its reader where they have a key."""
        if note is None:
            return [], []
        case = await self.case(message.case, again=True)
        grants = [note.grant(Audience.CASE, message.case, case.charter.recipient)]
        if recipient is not None:
            grants.append(note.grant(audience, reader, recipient))
        return grants, [note.as_body()]

    async def _media_grants(self, message: ReviewMessage) -> list[Grant]:
        """The original, opened with the case's identity and sealed for the media workers once more."""
        found = await self.examine(message)
        case = await self.case(message.case)
        parts = found.require_whole().message.parts
        original = next(part for part in parts if part.role == "original")
        sealed = Sealed(part=original, file_key=found.keys[original.commit])
        return [
            sealed.grant(Audience.MEDIA, worker.credential, worker.recipient)
            for worker in case.charter.media_at(datetime.now(UTC))
            if worker.recipient is not None
        ]
