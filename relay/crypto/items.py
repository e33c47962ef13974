"""A message with what was made of it, each part verified by the key that must have signed it.

Readers verify it before they believe it, and the relay before it lets it continue: what a recipient's program
would refuse is not approved, offered or opened. Only MACs, commitments and contents are left to readers.
"""

from __future__ import annotations

from collections.abc import Sequence

from relay.crypto import chain, release, statements
from relay.crypto.errors import ChainError
from relay.crypto.signing import read_unverified, statement_hash
from relay.crypto.verified import Standing, VerifiedCharter


def verify_item(
    compacts: Sequence[str], origin: Sequence[str], charter: VerifiedCharter
) -> release.Item:
    """A message with its rendition and captions, each verified by the key that must have signed it.

    `compacts`: the statements of the three, as far as they exist. `origin`: the statements of the sender's
    way in; nothing where a mediator wrote the message down and signed it. Whether the sender is known is in
    `Item.standing`. ChainError or StatementError where one of them does not hold.
    """
    by_type = {read_unverified(compact).typ: compact for compact in compacts}
    compact = by_type.get(statements.Message.typ)
    if compact is None:
        raise ChainError("no message")
    message, standing = verify_words(compact, origin, charter)
    return release.item(
        message,
        compact,
        verify_rendition(by_type.get(statements.Rendition.typ), charter, message, compact),
        verify_captions(by_type.get(statements.Captions.typ), charter),
        standing=standing,
    )


def verify_words(
    compact: str, origin: Sequence[str], charter: VerifiedCharter
) -> tuple[statements.Message, Standing]:
    """The statement of a message, by the key of its author, and how far it is believed."""
    if origin:
        way = chain.verify_origin(origin, charter)
        message = chain.verify_message(compact, charter, way)
        return message, way.standing_at(message.at)
    sender = statements.decode_unverified(compact, statements.Message).sender
    message, _mediator = chain.verify_relayed_message(compact, charter, sender=sender)
    return message, Standing.VERIFIED


def verify_rendition(
    compact: str | None,
    charter: VerifiedCharter,
    message: statements.Message,
    message_compact: str,
) -> tuple[statements.Rendition, str] | None:
    """What a media worker made of a verified message, with its text; None where there is none."""
    if compact is None:
        return None
    made = chain.verify_rendition(
        compact, charter, message=message, message_hash=statement_hash(message_compact)
    )
    return made, compact


def verify_captions(
    compact: str | None, charter: VerifiedCharter
) -> tuple[statements.Captions, str] | None:
    """A mediator's captions, with their text; `release.item` says whether they are of this message."""
    if compact is None:
        return None
    return charter.verify_by_mediator(compact, statements.Captions)[0], compact
