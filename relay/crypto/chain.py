"""What every reader does before believing anything: from a pinned root to the keys of a case and all it holds.

    root ─ credentials ─ charter 1 ─ charter 2 ─ … ─ links ─ claims ─ verifications ─ messages, decisions, offers

Each step is signed by somebody whom the step before names. The relay stores and hands out every one of these
statements, and can change none of them.
"""

from __future__ import annotations

import dataclasses
import datetime
import hmac
import uuid
from collections.abc import Collection, Iterable, Sequence

from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import ChainError, LinkError
from relay.crypto.links import auth_digest, claim_mac
from relay.crypto.signing import check_public_key, statement_hash
from relay.crypto.statements import (
    Charter,
    Claim,
    Decision,
    Link,
    Member,
    Message,
    Offer,
    Policy,
    Rendition,
    StatementT,
    Verification,
    decode_unverified,
    verify,
)
from relay.crypto.trust import Authority, Role, Trust, establish_trust, pin_root, verify_by


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCharter:
    """The keys and rules of a case, as its latest charter has them."""

    case: uuid.UUID
    version: int
    statement_hash: bytes
    recipient: str
    """The case's age recipient."""
    mediators: tuple[Authority, ...]
    media: tuple[Authority, ...]
    """Media workers; a sender seals a video for those that are valid now, if the policy allows it."""
    policy: Policy
    trust: Trust

    def verify_by_mediator(
        self, compact: str, kind: type[StatementT]
    ) -> tuple[StatementT, Authority]:
        """A statement by a mediator of this case, and who it was; ChainError otherwise."""
        return verify_by(compact, kind, self.mediators)

    def verify_by_media(self, compact: str, kind: type[StatementT]) -> tuple[StatementT, Authority]:
        """A statement by a media worker of this case, and which one; ChainError otherwise."""
        return verify_by(compact, kind, self.media)


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
    """All of the chain at once, for a reader who knows nothing but the root's fingerprint (16 bytes).

    `charters` are all versions in order. ChainError or StatementError where any step does not hold.
    """
    root = pin_root(root_fingerprint, root_public_key)
    return verify_charters(establish_trust([root], credentials, revocations), charters)


def verify_charters(trust: Trust, charters: Sequence[str]) -> VerifiedCharter:
    """The latest charter of a case, from all its versions in order.

    A relay can hide the newest versions; a reader who has seen one remembers its number and expects it.
    """
    if not charters:
        raise ChainError("no charter")
    verified: VerifiedCharter | None = None
    previous: Charter | None = None
    for compact in charters:
        claimed = decode_unverified(compact, Charter)
        mediators = _members(trust, claimed.mediators, "mediator")
        signers = mediators if verified is None else verified.mediators
        charter, _ = verify_by(compact, Charter, signers)
        _check_follows(charter, previous, verified)
        previous = charter
        verified = VerifiedCharter(
            case=charter.case,
            version=charter.version,
            statement_hash=statement_hash(compact),
            recipient=charter.recipient,
            mediators=mediators,
            media=_members(trust, charter.media, "media"),
            policy=charter.policy,
            trust=trust,
        )
    assert verified is not None
    return verified


