"""A mediator: opens a case, makes and verifies links, reviews, decides, offers."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from relay.client.acting import ActSigner
from relay.client.connection import Connection, SignedConnection
from relay.client.downloading import download
from relay.client.linking import LinkPurpose, make_link, open_secret
from relay.client.sealing import (
    Sealed,
    SealedText,
    grant_key,
    open_text,
    seal_text,
    unwrap,
    view_of,
)
from relay.client.verifying import trust_of, verify_item
from relay.client.writing import Hand, address
from relay.crypto import chain, release, statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError
from relay.crypto.keyrings import Keyring, open_identity, seal_identity
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.recipients import parse_recipient
from relay.crypto.signing import statement_hash
from relay.crypto.statements import Member, Policy
from relay.crypto.trust import Trust
from relay.domain.cases import CaseRegistration, CaseView, CharterFiling, CharterView
from relay.domain.credentials import Credentials, NewKeyring
from relay.domain.links import LinkRecord
from relay.domain.messages import (
    Audience,
    AuthorMessage,
    Body,
    Grant,
    Language,
    QueuePage,
    ReviewMessage,
    SignedAct,
)
from relay.domain.sessions import SignedRequest

DecisionKind = Literal[
    "approve", "return", "decline", "hold", "resume", "reopen", "retract", "recall", "retry"
]
DEFAULT_POLICY: Final = Policy(
    approvals=1, captions="optional", server_processing=True, retention_days=365
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """A case that this mediator can read: its verified charter and its identity."""

    charter: chain.VerifiedCharter
    identity: HybridIdentity = dataclasses.field(repr=False)


class Mediator:
    """Somebody with a mediator's credential; what relay says of keys is verified up to the pinned root."""

    def __init__(
        self,
        connection: Connection,
        keyring: Keyring,
        credential_id: uuid.UUID,
        *,
        root_fingerprint: bytes,
        audience: str,
    ) -> None:
        self._signed = SignedConnection(connection, keyring.signer, audience)
        self._keyring = keyring
        self._acts = ActSigner(keyring.signer)
        self._root_fingerprint = root_fingerprint
        self._audience = audience
        self._cases: dict[uuid.UUID, OpenCase] = {}
        self.credential_id = credential_id

    async def keep_keyring(self, sealed: bytes) -> None:
        """Have relay keep one's keys behind their passphrase, for a lost laptop and for the case system."""
        await self._signed.call("PUT", "/v1/keyring", body=NewKeyring(keyring=sealed))

    # Cases.

    async def register_case(self, case_id: uuid.UUID, registration: CaseRegistration) -> CaseView:
        """Make a case known, with this mediator assigned to it."""
        return await self._signed.call(
            "PUT", f"/v1/cases/{case_id}", body=registration, into=CaseView
        )

    async def trust(self) -> Trust:
        """Everybody the pinned root vouches for."""
        found = await self._signed.call("GET", "/v1/credentials", into=Credentials)
        return trust_of(found, self._root_fingerprint)

    async def open_case(
        self,
        case_id: uuid.UUID,
        *,
        colleagues: Sequence[uuid.UUID] = (),
        policy: Policy = DEFAULT_POLICY,
    ) -> OpenCase:
        """Make the case an identity, seal it to its mediators and to recovery, and sign the first charter."""
        trust = await self.trust()
        identity = HybridIdentity.generate()
        now = datetime.now(UTC)
        mediators = [self.credential_id, *colleagues]
        media = [worker.credential for worker in trust.of_role("media") if worker.valid_at(now)]
        statement = statements.sign(
            self._keyring.signer,
            statements.Charter(
                case=case_id,
                version=1,
                previous=None,
                recipient=str(identity.recipient),
                mediators=_members(trust, mediators),
                media=_members(trust, media),
                policy=policy,
                at=now,
            ),
        )
        holders = [trust.authorities[credential] for credential in mediators]
        holders += [authority for authority in trust.of_role("recovery") if authority.valid_at(now)]
        recipients = [parse_recipient(holder.recipient) for holder in holders if holder.recipient]
        await self._signed.call(
            "POST",
            f"/v1/cases/{case_id}/charters",
            body=CharterFiling(statement=statement, key_file=seal_identity(identity, recipients)),
        )
        return await self.case(case_id, again=True)

    async def case(self, case_id: uuid.UUID, *, again: bool = False) -> OpenCase:
        """The verified charter of a case and its identity; ChainError where they do not belong together."""
        if again or case_id not in self._cases:
            charters = await self._signed.call(
                "GET", f"/v1/cases/{case_id}/charters", into=list[CharterView]
            )
            trust = await self.trust()
            verified = chain.verify_charters(trust, [charter.statement for charter in charters])
            identity = open_identity(charters[-1].key_file, [self._keyring.identity])
            if verified.case != case_id or str(identity.recipient) != verified.recipient:
                raise ChainError("the identity of another case")
            self._cases[case_id] = OpenCase(charter=verified, identity=identity)
        return self._cases[case_id]

    # Links.

    async def make_link(
        self,
        case_id: uuid.UUID,
        participant_id: uuid.UUID,
        purpose: LinkPurpose = "participate",
    ) -> str:
        """The address of a new link; its secret goes to relay only sealed to the case."""
        case = await self.case(case_id)
        made = make_link(
            self._keyring.signer,
            case_id=case_id,
            case_recipient=case.charter.recipient,
            participant_id=participant_id,
            purpose=purpose,
            public_url=self._audience,
            root_fingerprint=self._root_fingerprint,
        )
        await self._signed.call("PUT", f"/v1/links/{made.link_id}", body=made.new)
        return made.url

    async def links(self, case_id: uuid.UUID) -> list[LinkRecord]:
        """The links of a case."""
        return await self._signed.call("GET", f"/v1/cases/{case_id}/links", into=list[LinkRecord])

    async def revoke_link(self, link_id: uuid.UUID) -> None:
        """End a link."""
        await self._signed.call("DELETE", f"/v1/links/{link_id}")

    async def verify_claims(self, case_id: uuid.UUID) -> list[statements.Claim]:
        """Check every new claim with the secret of its link, and sign that it is good.

        LinkError where a claim was not made by whoever held the link: somebody put their own key there.
        """
        case = await self.case(case_id, again=True)
        verified = []
        for record in await self.links(case_id):
            if record.claim is None or record.verification is not None:
                continue
            link = chain.verify_link(record.statement, case.charter)
            chain.check_sealed_secret(link, record.sealed)
            secret = open_secret(record.sealed, case.identity)
            chain.check_link_secret(link, secret)
            claim = chain.verify_claim(record.claim, link)
            chain.check_claim_mac(claim, secret)
            statement = statements.sign(
                self._keyring.signer,
                statements.Verification(
                    case=case_id,
                    claim=b64u_encode(statement_hash(record.claim)),
                    participant=claim.participant,
                    recipient=claim.recipient,
                    at=datetime.now(UTC),
                ),
            )
            await self._signed.call(
                "POST", "/v1/verifications", body=SignedRequest(statement=statement)
            )
            verified.append(claim)
        return verified

    # Review.

    async def queue(self, **filters: str | int) -> QueuePage:
        """A page of the review queue."""
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        return await self._signed.call("GET", f"/v1/queue?{query}", into=QueuePage)

    async def lease(self, message_id: uuid.UUID) -> ReviewMessage:
        """Take an item, or keep it for longer."""
        return await self._signed.call(
            "PUT", f"/v1/messages/{message_id}/lease", into=ReviewMessage
        )

    async def let_go(self, message_id: uuid.UUID) -> None:
        """Give an item back."""
        await self._signed.call("DELETE", f"/v1/messages/{message_id}/lease")

    async def read(self, message_id: uuid.UUID) -> ReviewMessage:
        """A message with everything around it."""
        return await self._signed.call("GET", f"/v1/messages/{message_id}", into=ReviewMessage)

    async def verify(self, message: ReviewMessage) -> release.Item:
        """What is to be reviewed, once every signature on it has verified."""
        case = await self.case(message.case)
        compacts = (message.statement, message.rendition, message.captions)
        return verify_item(
            [compact for compact in compacts if compact is not None], message.origin, case.charter
        )

    async def read_letter(self, message: ReviewMessage) -> str:
        """The words of a letter."""
        case = await self.case(message.case)
        item = await self.verify(message)
        body = next(part for part in item.message.parts if part.role == "body")
        return open_text(message.case, body, view_of(message.parts, body), [case.identity])

    async def save(self, message: ReviewMessage, role: str, target: Path) -> None:
        """Fetch, verify and open a part of a message into a file."""
        case = await self.case(message.case)
        item = await self.verify(message)
        for view in message.parts:
            part = item.part(view.commitment)
            if part is not None and part.role == role and view.header is not None:
                await download(
                    self._signed,
                    part,
                    unwrap(message.case, part, view.header, [case.identity]),
                    target,
                )
                return
        raise LookupError(f"there is no {role}")

    async def decide(
        self,
        message: ReviewMessage,
        decision: DecisionKind,
        *,
        reason: str | None = None,
        words: str | None = None,
        author: str | None = None,
    ) -> ReviewMessage:
        """Sign a decision on exactly what was reviewed.

        `words` go to the author where their age recipient is given, and stay with the case in any event.
        """
        note = None if words is None else seal_text(message.case, "note", words)
        grants, bodies = await self._note(message, note, Audience.AUTHOR, message.sender, author)
        if decision == "retry":
            grants = await self._media_grants(message)
        statement = await self._acts.sign(
            lambda at: statements.Decision(
                case=message.case,
                message=message.message,
                revision=message.revision,
                source=_hash_of(message.statement) or "",
                rendition=_hash_of(message.rendition),
                captions=_hash_of(message.captions),
                decision=decision,
                reason=reason,
                notes=[] if note is None else [note.part],
                at=at,
            ),
        )
        return await self._signed.call(
            "POST",
            f"/v1/messages/{message.message}/decisions",
            body=SignedAct(statement=statement, grants=grants, bodies=bodies),
            into=ReviewMessage,
        )

    async def caption(
        self, message: ReviewMessage, *, text: str | None = None, exception: str | None = None
    ) -> ReviewMessage:
        """Add captions (WebVTT) to a video under review, or the coded reason why it needs none."""
        case = await self.case(message.case)
        sealed = (
            None
            if text is None
            else seal_text(message.case, "captions", text, media_type="text/vtt")
        )
        statement = await self._acts.sign(
            lambda at: statements.Captions(
                case=message.case,
                message=message.message,
                revision=message.revision,
                source=_hash_of(message.statement) or "",
                rendition=_hash_of(message.rendition),
                language=message.language.value,
                part=None if sealed is None else sealed.part,
                exception=exception,
                at=at,
            ),
        )
        to_case = (Audience.CASE, message.case, case.charter.recipient)
        return await self._signed.call(
            "PUT",
            f"/v1/messages/{message.message}/captions",
            body=SignedAct(
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
        before it, tells what it says in the mediator's own words.
        """
        case = await self.case(message.case)
        item = await self.verify(message)
        claim, claim_hash = await self.recipient_claim(message.case, message.recipient)
        recipient = (Audience.RECIPIENT, message.recipient, claim.recipient)
        grants = []
        for view in message.parts:
            part = item.part(view.commitment)
            if part is not None and view.header is not None:
                file_key = unwrap(message.case, part, view.header, [case.identity])
                grants.append(grant_key(part.commit, file_key, *recipient))
        notes, bodies = [], []
        for words in (note, summary if note is not None else None):
            sealed = None if words is None else seal_text(message.case, "note", words)
            note_grants, note_bodies = await self._note(
                message, sealed, Audience.RECIPIENT, message.recipient, claim.recipient
            )
            notes += [] if sealed is None else [sealed.part]
            grants += note_grants
            bodies += note_bodies
        statement = statements.sign(
            self._keyring.signer,
            statements.Offer(
                case=message.case,
                message=message.message,
                revision=message.revision,
                source=item.source,
                rendition=item.rendition_hash,
                captions=item.captions_hash,
                recipient=claim.recipient,
                claim=claim_hash,
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
        return await self._signed.call(
            "POST",
            f"/v1/messages/{message.message}/offers",
            body=SignedAct(statement=statement, grants=grants, bodies=bodies),
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
        case = await self.case(case_id)
        hand = Hand(
            case_id=case_id,
            participant_id=sender,
            charter=case.charter,
            signer=self._keyring.signer,
            recipient=await self._author_recipient(case_id, sender),
        )
        written = address(to, language=language)
        return await self._signed.call(
            "PUT", written.path, body=hand.letter(written, text), into=AuthorMessage
        )

    async def _author_recipient(self, case_id: uuid.UUID, participant: uuid.UUID) -> str | None:
        """The key with which somebody reads again what was written down for them, where they have one."""
        try:
            claim, _hash = await self.recipient_claim(case_id, participant)
        except (LookupError, ChainError):
            return None
        return claim.recipient

    async def recipient_claim(
        self, case_id: uuid.UUID, participant_id: uuid.UUID
    ) -> tuple[statements.Claim, str]:
        """A participant's claim that a mediator has verified, with its hash."""
        case = await self.case(case_id)
        for record in reversed(await self.links(case_id)):
            if record.participant != participant_id or record.revoked or record.claim is None:
                continue
            if record.verification is None:
                raise ChainError("no mediator has verified this claim yet")
            chain.verify_participant(record.claim, record.verification, case.charter)
            claim = statements.decode_unverified(record.claim, statements.Claim)
            return claim, b64u_encode(statement_hash(record.claim))
        raise LookupError("this participant has not claimed a link")

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
        case = await self.case(message.case)
        grants = [note.grant(Audience.CASE, message.case, case.charter.recipient)]
        if recipient is not None:
            grants.append(note.grant(audience, reader, recipient))
        return grants, [note.as_body()]

    async def _media_grants(self, message: ReviewMessage) -> list[Grant]:
        """The original, opened with the case's identity and sealed for the media workers once more."""
        case = await self.case(message.case)
        item = await self.verify(message)
        original = next(part for part in item.message.parts if part.role == "original")
        view = view_of(message.parts, original)
        file_key = unwrap(message.case, original, view.header or b"", [case.identity])
        sealed = Sealed(part=original, file_key=file_key)
        return [
            sealed.grant(Audience.MEDIA, worker.credential, worker.recipient)
            for worker in case.charter.media_at(datetime.now(UTC))
            if worker.recipient is not None
        ]


def _members(trust: Trust, credentials: Sequence[uuid.UUID]) -> list[Member]:
    return [
        Member(
            credential=credential,
            statement=b64u_encode(trust.authorities[credential].statement_hash),
        )
        for credential in credentials
    ]


def _hash_of(compact: str | None) -> str | None:
    return None if compact is None else b64u_encode(statement_hash(compact))
