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

from relay.client.connection import Connection, LinkConnection, Problem, SignedConnection
from relay.client.downloading import download
from relay.client.records import BrokenRecord, Record, checking, trusting
from relay.client.sealing import Sealed, open_text, seal_file, unwrap, view_of
from relay.client.seen import SeenCharters
from relay.client.uploading import upload_body
from relay.client.verifying import verify_trust
from relay.client.writing import Address, Answer, ConsentStatus, Hand, address
from relay.crypto import chain, release, statements
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import ChainError, NoMatchError
from relay.crypto.fields import Part
from relay.crypto.items import verify_item
from relay.crypto.keyrings import (
    PARTICIPANT_WORK_FACTOR_LOG2,
    Stretched,
    generate_keyring,
    open_participant_keyring,
    seal_participant_keyring,
    stretch_passphrase,
)
from relay.crypto.links import Link, claim_mac, parse_link_url
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.signing import Signer, key_id, read_unverified, statement_hash
from relay.crypto.verified import VerifiedCharter, VerifiedParticipant
from relay.crypto.words import WordLanguage, claim_words
from relay.domain.cases import CharterChanged, Consent
from relay.domain.correspondence import Correspondence
from relay.domain.links import ClaimedKeyring, KeyringRequest, LinkView, NewClaim, Trust
from relay.domain.messages import (
    AuthorMessage,
    Kind,
    Language,
    NewDraft,
    Opening,
    PartView,
    RecipientMessage,
    Submission,
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


class Participant:
    """Somebody who came through a link; what relay says of keys is verified up to the link's fingerprint."""

    def __init__(
        self,
        signed: SignedConnection,
        *,
        address: Link,
        link: LinkView,
        charter: VerifiedCharter,
        signer: Signer,
        identity: HybridIdentity | None,
        seen: SeenCharters,
    ) -> None:
        self._address = address
        self._seen = seen
        self.session = signed
        self._charter = charter
        self._identity = identity
        self.hand = Hand(
            case_id=link.case,
            participant_id=link.participant,
            charter=charter,
            signer=signer,
            recipient=None if identity is None else str(identity.recipient),
        )
        """Signs and seals for this participant."""
        self.claim_hash = None if link.claim is None else statement_hash(link.claim)
        self._claimed_at = None
        if link.claim is not None:
            self._claimed_at = statements.decode_unverified(link.claim, statements.Claim).at
        self.case_id = link.case
        self.participant_id = link.participant
        self.correspondents = link.correspondents

    def spoken_words(self, language: WordLanguage) -> tuple[str, ...]:
        """The four words of one's claim, for a mediator to hear; LookupError for an upload link."""
        if self.claim_hash is None:
            raise LookupError("nobody claims an upload link")
        return claim_words(self.claim_hash, language)

    # Arriving.

    @classmethod
    async def claim(
        cls,
        connection: Connection,
        url: str,
        passphrase: str,
        *,
        seen: SeenCharters | None = None,
        work_factor_log2: int = PARTICIPANT_WORK_FACTOR_LOG2,
    ) -> Participant:
        """Claim a link with a passphrase; Problem `link-claimed` the second time.

        WeakPassphrase for one below the floor; then nothing is claimed. `unlock` needs the same work factor.
        `seen`: where the charters that were seen are remembered; in memory alone by default.
        """
        address = parse_link_url(url)
        seen = seen or SeenCharters()
        link, _charter = await _arrive(connection, address, seen)
        keyring = generate_keyring()
        mac = claim_mac(
            address.secret.claim_key(address.id),
            link=address.id,
            case=link.case,
            participant=link.participant,
            recipient=str(keyring.identity.recipient),
            signer=b64u_encode(keyring.signer.public_key),
        )
        statement = statements.sign(
            keyring.signer,
            statements.Claim(
                link=address.id,
                case=link.case,
                participant=link.participant,
                recipient=str(keyring.identity.recipient),
                signer=b64u_encode(keyring.signer.public_key),
                mac=b64u_encode(mac),
                at=datetime.now(UTC),
            ),
        )
        sealed, stretched = seal_participant_keyring(
            keyring,
            passphrase,
            address.secret.unlock(address.id),
            link=url,
            work_factor_log2=work_factor_log2,
        )
        await connection.call(
            "PUT",
            f"/v1/links/{address.id}/claim",
            bearer=_bearer(address),
            body=NewClaim(statement=statement, keyring=sealed, proof_hash=stretched.proof_hash),
        )
        return await cls._open(connection, address, stretched, seen)

    @classmethod
    async def unlock(
        cls,
        connection: Connection,
        url: str,
        passphrase: str,
        *,
        seen: SeenCharters | None = None,
        work_factor_log2: int = PARTICIPANT_WORK_FACTOR_LOG2,
    ) -> Participant:
        """Come back through a claimed link; Problem `wrong-passphrase`, or `too-many-tries` after several."""
        address = parse_link_url(url)
        unlock = address.secret.unlock(address.id)
        stretched = stretch_passphrase(passphrase, unlock, work_factor_log2)
        return await cls._open(connection, address, stretched, seen or SeenCharters())

    @classmethod
    async def _open(
        cls, connection: Connection, address: Link, stretched: Stretched, seen: SeenCharters
    ) -> Participant:
        link, charter = await _arrive(connection, address, seen)
        if link.claim is None:
            raise LookupError("this link was not claimed yet")
        found = await connection.call(
            "POST",
            f"/v1/links/{address.id}/keyring",
            bearer=_bearer(address),
            body=KeyringRequest(proof=stretched.proof),
            into=ClaimedKeyring,
        )
        keyring = open_participant_keyring(found.keyring, stretched)
        return cls(
            SignedConnection(connection, keyring.signer, link.audience),
            address=address,
            link=link,
            charter=charter,
            signer=keyring.signer,
            identity=keyring.identity,
            seen=seen,
        )

    @classmethod
    async def through_upload_link(cls, connection: Connection, url: str) -> Participant:
        """Come through an upload link: one message, no passphrase."""
        address = parse_link_url(url)
        seen = SeenCharters()
        link, charter = await _arrive(connection, address, seen)
        return cls(
            LinkConnection(connection, address.id, _bearer(address)),
            address=address,
            link=link,
            charter=charter,
            signer=address.secret.signer(address.id),
            identity=None,
            seen=seen,
        )

    async def refresh(self) -> None:
        """Load and verify the charter in force; what is sealed from now on is sealed under it."""
        found = await self.session.call("GET", "/v1/trust", into=Trust)
        self._charter = _verify_charter(found, self._address, self._seen)
        self.hand = dataclasses.replace(self.hand, charter=self._charter)

    async def _under_the_charter_in_force(
        self, path: str, submission: Callable[[], Submission]
    ) -> AuthorMessage:
        """Send what `submission` seals and signs; once more where the charter has changed meanwhile."""
        try:
            return await self.session.call("PUT", path, body=submission(), into=AuthorMessage)
        except Problem as problem:
            if problem.code != CharterChanged.code:
                raise
        await self.refresh()
        return await self.session.call("PUT", path, body=submission(), into=AuthorMessage)

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
        return await self._under_the_charter_in_force(
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
        return await self._under_the_charter_in_force(
            written.path, lambda: self.hand.video(written, sealed)
        )

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

    @property
    def identity(self) -> HybridIdentity:
        """The key that opens what is for this participant; nobody reads through an upload link."""
        if self._identity is None:
            raise LookupError("nobody reads through an upload link")
        return self._identity


async def _arrive(
    connection: Connection, address: Link, seen: SeenCharters
) -> tuple[LinkView, VerifiedCharter]:
    link = await connection.call(
        "GET", f"/v1/links/{address.id}", bearer=_bearer(address), into=LinkView
    )
    charter = _verify_charter(link.trust, address, seen)
    signed = chain.verify_link(link.statement, charter)
    chain.check_link_secret(signed, address.secret)
    if (signed.link, signed.case, signed.participant) != (address.id, link.case, link.participant):
        raise ChainError("another link than the one that was signed")
    return link, charter


def _verify_charter(found: Trust, address: Link, seen: SeenCharters) -> VerifiedCharter:
    """The charter of the case that the link leads into, which extends every version seen before."""
    with trusting():
        charter = verify_trust(found, address.root_fingerprint)
        chain.check_anchor(charter, address.anchor)
        seen.require(charter)
    return charter


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


def _bearer(address: Link) -> str:
    return b64u_encode(address.secret.auth(address.id))
