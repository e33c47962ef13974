"""What every reader does before believing anything: from a pinned root to the keys and contents of a case.

    root → credentials → charter 1 → charter 2 → … → link → claim → verification → message → rendition

Each step is signed by somebody whom an earlier one names. The relay stores and hands out all of these
statements and can change none of them; what it can do is hold some back.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import hmac
import uuid
from collections.abc import Iterable, Sequence

from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import ChainError, LinkError
from relay.crypto.links import LinkSecret, auth_digest, claim_mac
from relay.crypto.signing import check_public_key, statement_hash
from relay.crypto.statements import (
    Charter,
    Claim,
    Link,
    Member,
    Message,
    Policy,
    Rendition,
    StatementT,
    Verification,
    decode_unverified,
    verify,
)
from relay.crypto.trust import (
    CLOCK_TOLERANCE,
    Authority,
    Role,
    Trust,
    establish_trust,
    pin_root,
    verify_by,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Who served a case under one version of its charter."""

    since: dt.datetime | None
    """None for the first version: there was no case before it."""
    until: dt.datetime | None
    """None for the latest version."""
    mediators: tuple[Authority, ...]
    media: tuple[Authority, ...]

    def covers(self, at: dt.datetime) -> bool:
        """Whether something signed at that time was signed under this version, give or take the clocks."""
        begun = self.since is None or at >= self.since - CLOCK_TOLERANCE
        return begun and (self.until is None or at < self.until + CLOCK_TOLERANCE)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCharter:
    """The keys and rules of a case as its latest charter has them, and who served under the earlier ones."""

    case: uuid.UUID
    version: int
    statement_hash: bytes
    at: dt.datetime
    recipient: str
    """The case's age recipient."""
    policy: Policy
    terms: tuple[Term, ...]
    trust: Trust

    @property
    def mediators(self) -> tuple[Authority, ...]:
        """The mediators of the latest version, with credentials valid or not."""
        return self.terms[-1].mediators

    @property
    def media(self) -> tuple[Authority, ...]:
        """The media workers of the latest version, with credentials valid or not."""
        return self.terms[-1].media

    def mediators_at(self, at: dt.datetime) -> tuple[Authority, ...]:
        """The mediators of the latest version that something may be sealed for now."""
        return tuple(mediator for mediator in self.mediators if mediator.valid_at(at))

    def media_at(self, at: dt.datetime) -> tuple[Authority, ...]:
        """The media workers that a video may be sealed for now; none where the policy forbids it."""
        allowed = self.media if self.policy.server_processing else ()
        return tuple(worker for worker in allowed if worker.valid_at(at))

    def verify_by_mediator(
        self, compact: str, kind: type[StatementT]
    ) -> tuple[StatementT, Authority]:
        """A statement by somebody who mediated this case at the time, and by whom; else ChainError."""
        at = decode_unverified(compact, kind).at
        return verify_by(
            compact, kind, _serving(term.mediators for term in self.terms if term.covers(at))
        )

    def verify_by_media(self, compact: str, kind: type[StatementT]) -> tuple[StatementT, Authority]:
        """A statement by a media worker of this case at the time, and by which; else ChainError."""
        at = decode_unverified(compact, kind).at
        return verify_by(
            compact, kind, _serving(term.media for term in self.terms if term.covers(at))
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedParticipant:
    """A participant's keys, for which a mediator of the case has vouched."""

    case: uuid.UUID
    participant: uuid.UUID
    recipient: str
    signer: bytes
    claim_hash: bytes


def verify_charter(
    root_fingerprint: bytes,
    root_public_key: bytes,
    credentials: Iterable[str],
    charters: Sequence[str],
    revocations: Iterable[str] = (),
) -> VerifiedCharter:
    """The whole way from a pinned fingerprint (16 bytes) to the latest charter of a case.

    `charters` are all its versions in order. ChainError or StatementError where a step does not hold.
    """
    root = pin_root(root_fingerprint, root_public_key)
    return verify_charters(establish_trust([root], credentials, revocations), charters)


def verify_charters(trust: Trust, charters: Sequence[str]) -> VerifiedCharter:
    """The latest charter of a case, from all its versions in order; ChainError if they are not a chain.

    A relay can hold back the newest versions. Who has seen one remembers its number and expects it.
    """
    verified: VerifiedCharter | None = None
    for compact in charters:
        verified = _next_version(trust, verified, compact)
    if verified is None:
        raise ChainError("no charter")
    return verified


def verify_link(compact: str, charter: VerifiedCharter) -> Link:
    """A link into this case that one of its mediators or a service of the organization made."""
    link = decode_unverified(compact, Link)
    makers = [*(term.mediators for term in charter.terms if term.covers(link.at))]
    link, _ = verify_by(compact, Link, _serving([*makers, charter.trust.of_role("service")]))
    if link.case != charter.case:
        raise ChainError("a link into another case")
    return link


def check_link_secret(link: Link, secret: LinkSecret) -> None:
    """LinkError unless the signed link is the one that `secret` belongs to: done by whoever opens a link."""
    digest = b64u_encode(auth_digest(secret.auth(link.link)))
    signer = None if link.signer is None else b64u_encode(secret.signer(link.link).public_key)
    if not hmac.compare_digest(digest, link.auth) or signer != link.signer:
        raise LinkError("the link's statement belongs to another secret")


def check_sealed_secret(link: Link, sealed: bytes) -> None:
    """LinkError unless `sealed` is the age file that the link's statement names."""
    if hashlib.sha256(sealed).digest() != b64u_decode(link.sealed):
        raise LinkError("another sealed secret than the link's statement names")


def verify_claim(compact: str, link: Link) -> Claim:
    """A claim of `link`, signed with the key it brings; only the MAC tells whether its maker held it."""
    signer = b64u_decode(decode_unverified(compact, Claim).signer)
    claim = verify(compact, Claim, signer)
    if link.purpose != "participate":
        raise LinkError("an upload link is not claimed")
    if (claim.link, claim.case, claim.participant) != (link.link, link.case, link.participant):
        raise LinkError("a claim of another link")
    return claim


def check_claim_mac(claim: Claim, secret: LinkSecret) -> None:
    """LinkError unless whoever made the claim held the link: what a mediator does before verifying one."""
    mac = claim_mac(
        secret.claim_key(claim.link),
        link=claim.link,
        case=claim.case,
        participant=claim.participant,
        recipient=claim.recipient,
        signer=claim.signer,
    )
    if not hmac.compare_digest(mac, b64u_decode(claim.mac)):
        raise LinkError("the MAC of the claim does not match")


def verify_participant(
    claim_compact: str, verification_compact: str, charter: VerifiedCharter
) -> VerifiedParticipant:
    """A participant's keys, for readers without the link's secret: they trust the mediator who checked it."""
    verification, _ = charter.verify_by_mediator(verification_compact, Verification)
    claim_hash = statement_hash(claim_compact)
    if b64u_decode(verification.claim) != claim_hash:
        raise ChainError("the verification is of another claim")
    signer = b64u_decode(decode_unverified(claim_compact, Claim).signer)
    claim = verify(claim_compact, Claim, signer)
    vouched = (verification.case, verification.participant, verification.recipient)
    if vouched != (claim.case, claim.participant, claim.recipient) or claim.case != charter.case:
        raise ChainError("the verification says something else than the claim")
    check_public_key(signer)
    return VerifiedParticipant(
        case=claim.case,
        participant=claim.participant,
        recipient=claim.recipient,
        signer=signer,
        claim_hash=claim_hash,
    )


def verify_message(compact: str, *, case: uuid.UUID, sender: uuid.UUID, signer: bytes) -> Message:
    """A message of `sender` in `case`, signed by the key of their claim, or of the upload link they used."""
    message = verify(compact, Message, signer)
    if (message.case, message.sender) != (case, sender):
        raise ChainError("a message of another case or sender")
    return message


def verify_relayed_message(
    compact: str, charter: VerifiedCharter, *, sender: uuid.UUID
) -> tuple[Message, Authority]:
    """A letter that a mediator wrote down for `sender`, and which mediator did."""
    message, mediator = charter.verify_by_mediator(compact, Message)
    if (message.case, message.sender) != (charter.case, sender):
        raise ChainError("a message of another case or sender")
    if message.kind != "letter":
        raise ChainError("nobody records a video for somebody else")
    return message, mediator


def verify_rendition(
    compact: str, charter: VerifiedCharter, *, message: Message, message_hash: bytes
) -> Rendition:
    """What a media worker of the case made of exactly this revision of `message`."""
    rendition, _ = charter.verify_by_media(compact, Rendition)
    same = (rendition.case, rendition.message, rendition.revision) == (
        message.case,
        message.message,
        message.revision,
    )
    if not same or b64u_decode(rendition.source) != message_hash:
        raise ChainError("a rendition of something else")
    return rendition


def _next_version(trust: Trust, before: VerifiedCharter | None, compact: str) -> VerifiedCharter:
    claimed = decode_unverified(compact, Charter)
    mediators = _members(trust, claimed.mediators, "mediator")
    charter, _ = verify_by(compact, Charter, mediators if before is None else before.mediators)
    earlier: tuple[Term, ...] = ()
    if before is None:
        follows = charter.version == 1
    else:
        follows = (
            charter.version == before.version + 1
            and charter.case == before.case
            and charter.previous == b64u_encode(before.statement_hash)
            and charter.at >= before.at
            # Otherwise one mediator of two would be rid of the other's approval.
            and charter.policy.approvals >= before.policy.approvals
        )
        ended = dataclasses.replace(before.terms[-1], until=charter.at)
        earlier = (*before.terms[:-1], ended)
    if not follows:
        raise ChainError("a charter does not follow from the one before")
    term = Term(
        since=None if before is None else charter.at,
        until=None,
        mediators=mediators,
        media=_members(trust, charter.media, "media"),
    )
    return VerifiedCharter(
        case=charter.case,
        version=charter.version,
        statement_hash=statement_hash(compact),
        at=charter.at,
        recipient=charter.recipient,
        policy=charter.policy,
        terms=(*earlier, term),
        trust=trust,
    )


def _members(trust: Trust, members: Sequence[Member], role: Role) -> tuple[Authority, ...]:
    """The holders of the listed credentials.

    Whether they are valid is asked when they sign or are sealed for, not here: otherwise a credential that
    is revoked with effect from last week would make all of a case unreadable.
    """
    found = []
    for member in members:
        authority = trust.authorities.get(member.credential)
        if authority is None or authority.role != role:
            raise ChainError("a charter lists somebody without that role")
        if b64u_encode(authority.statement_hash) != member.statement:
            raise ChainError("a charter lists another credential of the same id")
        found.append(authority)
    return tuple(found)


def _serving(groups: Iterable[tuple[Authority, ...]]) -> tuple[Authority, ...]:
    return tuple(authority for group in groups for authority in group)
