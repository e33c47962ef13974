"""What a reader verifies before believing relay: whose words, reviewed by whom, under which charter."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from relay.crypto import chain, release, statements
from relay.crypto.encoding import b64u_decode
from relay.crypto.errors import ChainError
from relay.crypto.signing import fingerprint, read_unverified, statement_hash
from relay.crypto.trust import Trust, establish_trust
from relay.domain import links
from relay.domain.credentials import Credentials


def verify_trust(trust: links.Trust, root_fingerprint: bytes) -> chain.VerifiedCharter:
    """The case's charter, verified up to the root whose fingerprint one holds; ChainError otherwise."""
    roots = [b64u_decode(root) for root in trust.roots]
    pinned = [root for root in roots if fingerprint(root) == root_fingerprint]
    if not pinned:
        raise ChainError("the relay does not know the root that is pinned")
    return chain.verify_charter(
        root_fingerprint,
        pinned[0],
        [pair.credential for pair in trust.credentials],
        trust.charters,
        [pair.revocation for pair in trust.credentials if pair.revocation is not None],
    )


def trust_of(found: Credentials, root_fingerprint: bytes) -> Trust:
    """Everybody whom the root vouches for whose fingerprint one holds; ChainError where one is wrong."""
    roots = [b64u_decode(root) for root in found.roots]
    return establish_trust(
        [root for root in roots if fingerprint(root) == root_fingerprint],
        [pair.credential for pair in found.credentials],
        [pair.revocation for pair in found.credentials if pair.revocation is not None],
    )


def verify_item(
    compacts: Sequence[str], origin: Sequence[str], charter: chain.VerifiedCharter
) -> release.Item:
    """A message with its rendition and captions, each verified by the key of whoever must have signed it.

    `compacts`: the statements of the three, as far as they exist. `origin`: the sender's claim with its
    verification, or the upload link; nothing where a mediator wrote the message down and signed it.
    """
    by_type = {read_unverified(compact).typ: compact for compact in compacts}
    message_compact = by_type[statements.Message.typ]
    claimed = statements.decode_unverified(message_compact, statements.Message)
    if origin:
        message = chain.verify_message(
            message_compact,
            case=charter.case,
            sender=claimed.sender,
            signer=_origin_signer(origin, charter, claimed.sender),
        )
    else:
        message, _mediator = chain.verify_relayed_message(
            message_compact, charter, sender=claimed.sender
        )
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
    return release.item(message, message_compact, rendition, captions)


def _origin_signer(
    origin: Sequence[str], charter: chain.VerifiedCharter, sender: uuid.UUID
) -> bytes:
    by_type = {read_unverified(compact).typ: compact for compact in origin}
    if statements.Claim.typ in by_type:
        if statements.Verification.typ not in by_type:
            raise ChainError("a claim that no mediator has verified")
        verified = chain.verify_participant(
            by_type[statements.Claim.typ], by_type[statements.Verification.typ], charter
        )
        if verified.participant != sender:
            raise ChainError("a claim of somebody else")
        return verified.signer
    if statements.Link.typ not in by_type:
        raise ChainError("words of nobody known")
    link = chain.verify_link(by_type[statements.Link.typ], charter)
    if link.participant != sender or link.signer is None:
        raise ChainError("a link of somebody else")
    return b64u_decode(link.signer)
