"""Checks what is to continue exactly as its recipient's program does.

Whatever a reader would refuse is neither approved nor offered, and not called opened: a credential that was
revoked into the past, for one. The relay checks all but MACs, commitments and contents, which take keys that
it does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from relay.crypto import chain, items, release
from relay.crypto.verified import Standing, VerifiedCharter
from relay.domain.messages import NotVerifiable
from relay.errors import CryptoError
from relay.services import trust
from relay.services.message_views import released_statements, signed_consent
from relay.settings import Settings
from relay.storage import links as stored_links
from relay.storage import messages as stored
from relay.storage import reviews as stored_reviews
from relay.storage.database import Connection


async def require_verifiable(
    connection: Connection, settings: Settings, message: stored.MessageRow
) -> None:
    """Require words, a rendition and captions that a reader believes; NotVerifiable otherwise."""
    try:
        _charter, item = await _item(connection, settings, message)
    except CryptoError as error:
        raise NotVerifiable(f"{type(error).__name__}: {error.detail}") from None
    if item.standing is not Standing.VERIFIED:
        raise NotVerifiable("not of a sender whom somebody verified")


async def require_readable(
    connection: Connection,
    settings: Settings,
    message: stored.MessageRow,
    offer: str,
    consents: Sequence[bytes],
) -> None:
    """Require that the recipient of `offer` (the text of its statement) believes it as it is now.

    `consents`: the hashes of those that the offer names. NotVerifiable otherwise.
    """
    claim = await stored_links.current_claim(connection, message.recipient_id)
    if claim is None:
        raise NotVerifiable("an offer to nobody")
    way = await stored_links.list_way_in(connection, claim.statement_hash)
    approvals = await stored_reviews.list_approvals(connection, message.message_id)
    signed = [await signed_consent(connection, consent_hash) for consent_hash in consents]
    try:
        charter, item = await _item(connection, settings, message)
        release.verify_offer(
            offer,
            charter,
            item,
            chain.verify_participant(way, charter, datetime.now(UTC)),
            decisions=approvals,
            consents=[
                release.SignedConsent(compact=one.statement, origin=one.origin) for one in signed
            ],
        )
    except CryptoError as error:
        raise NotVerifiable(f"{type(error).__name__}: {error.detail}") from None


async def _item(
    connection: Connection, settings: Settings, message: stored.MessageRow
) -> tuple[VerifiedCharter, release.Item]:
    charter = await trust.charter(connection, settings, message.case_id)
    compacts = await released_statements(connection, message)
    origin = await stored.list_origin(connection, message.statement_hash or b"")
    return charter, items.verify_item(compacts, origin, charter)
