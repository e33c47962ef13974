"""What a reader verifies before believing relay: whose words, reviewed by whom, under which charter."""

from __future__ import annotations

from collections.abc import Sequence

from relay.crypto import chain, release, statements
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import ChainError
from relay.crypto.signing import fingerprint, read_unverified, statement_hash
from relay.crypto.trust import Trust, establish_trust, pin_root
from relay.domain import links
from relay.domain.credentials import Credentials
from relay.domain.messages import ReviewMessage


def verify_trust(trust: links.Trust, root_fingerprint: bytes) -> chain.VerifiedCharter:
    """The case's charter, verified up to the root whose fingerprint one holds; ChainError otherwise."""
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
    """Everybody whom the root vouches for whose fingerprint one holds; ChainError where one is wrong."""
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


def verify_item(
    compacts: Sequence[str], origin: Sequence[str], charter: chain.VerifiedCharter
) -> release.Item:
    """A message with its rendition and captions, each verified by the key of whoever must have signed it.

    `compacts`: the statements of the three, as far as they exist. `origin`: the statements of the sender's
    way in; nothing where a mediator wrote the message down and signed it. Whether the sender is known is in
    `Item.standing`.
    """
    by_type = {read_unverified(compact).typ: compact for compact in compacts}
    message_compact = by_type[statements.Message.typ]
    if origin:
        way = chain.verify_origin(origin, charter)
        message = chain.verify_message(message_compact, charter, way)
        standing = way.standing_at(message.at)
    else:
        claimed = statements.decode_unverified(message_compact, statements.Message)
        message, _mediator = chain.verify_relayed_message(
            message_compact, charter, sender=claimed.sender
        )
        standing = chain.Standing.VERIFIED
    rendition = captions = None
    if statements.Rendition.typ in by_type:
        compact = by_type[statements.Rendition.typ]
        made = chain.verify_rendition(
            compact, charter, message=message, message_hash=statement_hash(message_compact)
        )
        rendition = (made, compact)
    if statements.Captions.typ in by_type:
        compact = by_type[statements.Captions.typ]
        captions = (charter.verify_by_mediator(compact, statements.Captions)[0], compact)
    return release.item(message, message_compact, rendition, captions, standing=standing)


def verify_consents(message: ReviewMessage, charter: chain.VerifiedCharter) -> list[str]:
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
