"""What a recipient's reader checks before it opens anything: a mediator offers it, and enough approved it.

The grant itself can only come from somebody who holds the case's identity. These checks hold that person to
the charter: one mediator of two cannot release alone, and nobody can offer another item than was approved.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from collections.abc import Iterable, Sequence

from relay.crypto.chain import verify_consent
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import ChainError
from relay.crypto.fields import Part
from relay.crypto.signing import statement_hash
from relay.crypto.statements import Captions, Decision, Message, Offer, Rendition, Statement
from relay.crypto.trust import CLOCK_TOLERANCE, Authority, require_order
from relay.crypto.verified import Standing, VerifiedCharter, VerifiedParticipant
from relay.errors import CryptoError


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One revision of a message with all that was reviewed of it: what an approval or an offer is about."""

    message: Message
    source: str
    """Hash of the message's statement, base64url."""
    rendition: Rendition | None
    rendition_hash: str | None
    captions: Captions | None
    captions_hash: str | None
    standing: Standing
    """How far the message may be believed to be its sender's."""

    @property
    def has_captions(self) -> bool:
        """Whether there are captions, or a reason why not: by a mediator, or the sender's own."""
        return self.captions is not None or any(part.role == "captions" for part in self.released)

    @property
    def named(self) -> tuple[object, ...]:
        """What a decision or an offer must name to be about this item."""
        return (
            self.message.case,
            self.message.message,
            self.message.revision,
            self.source,
            self.rendition_hash,
            self.captions_hash,
        )

    @property
    def made_of(self) -> tuple[Statement, ...]:
        """The statements that it is made of, each later one naming the earlier ones."""
        made = (self.message, self.rendition, self.captions)
        return tuple(statement for statement in made if statement is not None)

    @property
    def parts(self) -> list[Part]:
        """All parts of the statements that it is made of."""
        parts = [*self.message.parts]
        parts += [] if self.rendition is None else self.rendition.parts
        if self.captions is not None and self.captions.part is not None:
            parts.append(self.captions.part)
        return parts

    @property
    def released(self) -> tuple[Part, ...]:
        """The signed parts that are released: one of each role at most.

        Never an original, and never the note of a message, which says who assisted its sender. A mediator's
        captions, or their reason for none, take the place of the sender's own.
        """
        roles = {"original", "note"} | ({"captions"} if self.captions is not None else set())
        withheld = [part for part in self.message.parts if part.role in roles]
        return tuple(part for part in self.parts if part not in withheld)

    def part(self, commitment: str) -> Part | None:
        """The signed part with that commitment that is released."""
        return next((part for part in self.released if part.commit == commitment), None)


def item(
    message: Message,
    message_compact: str,
    rendition: tuple[Rendition, str] | None = None,
    captions: tuple[Captions, str] | None = None,
    *,
    standing: Standing,
) -> Item:
    """Put verified statements and their texts together; ChainError unless they are of one revision.

    `standing`: of the sender's way in when the message was signed; VERIFIED where a mediator wrote it down.
    """
    source = b64u_encode(statement_hash(message_compact))
    made_from = [made[0] for made in (rendition, captions) if made is not None]
    if any(
        (made.case, made.message, made.revision, made.source)
        != (message.case, message.message, message.revision, source)
        for made in made_from
    ):
        raise ChainError("a rendition or captions of something else")
    rendition_hash = None if rendition is None else b64u_encode(statement_hash(rendition[1]))
    if captions is not None and captions[0].rendition != rendition_hash:
        raise ChainError("captions of another rendition")
    whole = Item(
        message=message,
        source=source,
        rendition=None if rendition is None else rendition[0],
        rendition_hash=rendition_hash,
        captions=None if captions is None else captions[0],
        captions_hash=None if captions is None else b64u_encode(statement_hash(captions[1])),
        standing=standing,
    )
    for place, later in enumerate(whole.made_of):
        require_order(later, *whole.made_of[:place])
    if len({part.commit for part in whole.parts}) != len(whole.parts):
        raise ChainError("two parts share a file key")
    return whole


def verify_approvals(
    decisions: Iterable[str], charter: VerifiedCharter, of: Item, needed: int
) -> tuple[Authority, ...]:
    """The mediators who approved exactly this item, one a person; ChainError if fewer than `needed`.

    A decision that does not hold does not count, and takes nothing from the others.
    """
    approvers = {}
    for compact in decisions:
        try:
            decision, mediator = charter.verify_by_mediator(compact, Decision)
            require_order(decision, *of.made_of)
        except CryptoError:
            continue
        if decision.decision == "approve" and _named(decision) == of.named:
            approvers[mediator.person] = mediator
    if len(approvers) < needed:
        raise ChainError("fewer approvals than the charter asks for")
    return tuple(approvers.values())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SignedConsent:
    """A consent, and the statements of the way in whose key signed it; none where somebody recorded it."""

    compact: str
    origin: Sequence[str] = ()


def verify_offer(
    compact: str,
    charter: VerifiedCharter,
    of: Item,
    recipient: VerifiedParticipant,
    *,
    decisions: Iterable[str],
    consents: Iterable[SignedConsent],
) -> Offer:
    """A mediator's offer of exactly this item to exactly this participant's key.

    It must rest on as many approvals (`decisions`) as the charter it was made under asks for, and on the
    consents of both people, which it names. ChainError otherwise.
    """
    offer, _ = charter.verify_by_mediator(compact, Offer)
    made_under = charter.require_version(offer.charter, offer.at)
    to = (offer.recipient, b64u_decode(offer.claim), of.message.recipient)
    if _named(offer) != of.named:
        raise ChainError("an offer of something else")
    if to != (recipient.recipient, recipient.claim_hash, recipient.participant):
        raise ChainError("an offer to somebody else")
    require_order(offer, *of.made_of)
    if recipient.claimed_at - offer.at > CLOCK_TOLERANCE:
        raise ChainError("an offer dated before the recipient's claim")
    if made_under.version < charter.require_version(of.message.charter, of.message.at).version:
        raise ChainError("an offer under an older charter than its message")
    if of.standing is not Standing.VERIFIED:
        raise ChainError("an offer of words whose sender nobody verified")
    policy = made_under.policy
    if policy.captions == "required" and of.message.kind == "video" and not of.has_captions:
        raise ChainError("an offer without captions, which the charter requires")
    allowed = {part.commit for part in offer.notes}
    if any(part.commit in allowed for part in of.parts):
        raise ChainError("a note shares a file key with a part that was reviewed")
    if any(of.part(grant.commit) is None and grant.commit not in allowed for grant in offer.grants):
        raise ChainError("an offer grants a part that was not reviewed")
    verify_approvals(decisions, charter, of, policy.approvals)
    _verify_consents(offer, charter, of.message, consents)
    return offer


def _verify_consents(
    offer: Offer, charter: VerifiedCharter, message: Message, consents: Iterable[SignedConsent]
) -> None:
    given = {b64u_encode(statement_hash(signed.compact)): signed for signed in consents}
    for named, participant in zip(offer.consents, (message.sender, message.recipient), strict=True):
        signed = given.get(named)
        if signed is None:
            raise ChainError("an offer without a consent that it names")
        consent = verify_consent(signed.compact, charter, signed.origin)
        if consent.participant != participant or consent.status != "active":
            raise ChainError("an offer that rests on another consent")
        require_order(offer, consent)


def check_grant(offer: Offer, part: Part, header: bytes) -> None:
    """ChainError unless `offer` grants `part` with exactly this header."""
    digest = b64u_encode(hashlib.sha256(header).digest())
    named = {grant.commit: grant.header for grant in offer.grants}.get(part.commit, "")
    if not hmac.compare_digest(named, digest):
        raise ChainError("the offer does not name this grant")


def _named(statement: Decision | Offer) -> tuple[object, ...]:
    return (
        statement.case,
        statement.message,
        statement.revision,
        statement.source,
        statement.rendition,
        statement.captions,
    )
