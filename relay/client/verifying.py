"""What a reader verifies before believing relay: the chain of trust, and what both people said."""

from __future__ import annotations

from collections.abc import Sequence

from relay.client.records import trusting
from relay.crypto import chain
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import ChainError
from relay.crypto.signing import fingerprint, statement_hash
from relay.crypto.trust import Trust, establish_trust, pin_root
from relay.crypto.verified import VerifiedCharter
from relay.domain import links
from relay.domain.credentials import Credentials
from relay.domain.messages import ReviewMessage


def verify_trust(trust: links.Trust, root_fingerprint: bytes) -> VerifiedCharter:
    """The case's charter, verified up to the root whose fingerprint one holds; BrokenTrust otherwise."""
    with trusting():
        return chain.verify_charter(
            root_fingerprint,
            _pinned(trust.roots, root_fingerprint),
            [pair.credential for pair in trust.credentials],
            trust.registration,
            trust.charters,
            [pair.revocation for pair in trust.credentials if pair.revocation is not None],
            trust.successions,
        )


def trust_of(found: Credentials, root_fingerprint: bytes) -> Trust:
    """Everybody whom the root vouches for whose fingerprint one holds; BrokenTrust where one is wrong."""
    with trusting():
        return establish_trust(
            [_pinned(found.roots, root_fingerprint)],
            [pair.credential for pair in found.credentials],
            [pair.revocation for pair in found.credentials if pair.revocation is not None],
            found.successions,
        )


def _pinned(roots: Sequence[str], root_fingerprint: bytes) -> bytes:
    for root in map(b64u_decode, roots):
        if fingerprint(root) == root_fingerprint:
            return pin_root(root_fingerprint, root)
    raise ChainError("the relay does not know the root that is pinned")


def verify_consents(message: ReviewMessage, charter: VerifiedCharter) -> list[str]:
    """The hashes of what both people said last, which an offer of this message rests on.

    ChainError unless each said it with their own verified key, or somebody who may recorded it. Whether both
    say yes is relay's to check, and the recipient's.
    """
    hashes = []
    people = (
        (message.consents.sender, message.sender),
        (message.consents.recipient, message.recipient),
    )
    for signed, participant in people:
        if signed is None:
            raise ChainError("a consent is missing")
        consent = chain.verify_consent(signed.statement, charter, signed.origin)
        if consent.participant != participant:
            raise ChainError("a consent of somebody else")
        hashes.append(b64u_encode(statement_hash(signed.statement)))
    return hashes
