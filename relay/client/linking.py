"""Makes a link: its secret, its signed statement, and the secret sealed to the case for its mediators."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias

from relay.crypto import age, statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import ANCHOR_BYTES, LinkSecret, auth_digest, link_url
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.recipients import parse_recipient
from relay.crypto.signing import Signer
from relay.crypto.verified import VerifiedCharter
from relay.domain.links import LinkRecord, NewLink

UPLOAD_LINK_DAYS: Final = 14

LinkPurpose: TypeAlias = Literal["participate", "upload"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MadeLink:
    """A link that is ready to be stored by relay and given to its participant."""

    link_id: uuid.UUID
    url: str = dataclasses.field(repr=False)
    """For the participant alone: its fragment is the secret."""
    new: NewLink


def make_link(
    signer: Signer,
    *,
    charter: VerifiedCharter,
    participant_id: uuid.UUID,
    purpose: LinkPurpose,
    public_url: str,
    root_fingerprint: bytes,
    maker: str | None = None,
) -> MadeLink:
    """A new link into the case of `charter`, signed by a mediator or by the case system.

    For a link to claim, the key that checks the claim is sealed to the case; with `maker`, an age recipient
    of the mediator's own, the secret is sealed to them too, so that they can show the link again. The secret
    of an upload link is stored nowhere.
    """
    link_id, secret = uuid.uuid4(), LinkSecret.generate()
    is_upload = purpose == "upload"
    sealed = again = None
    if not is_upload:
        case = parse_recipient(charter.recipient)
        sealed = age.seal_file(secret.claim_key(link_id), [case])
        if maker is not None:
            again = age.seal_file(secret.secret, [parse_recipient(maker)])
    now = datetime.now(UTC)
    statement = statements.sign(
        signer,
        statements.Link(
            link=link_id,
            case=charter.case,
            charter=b64u_encode(charter.statement_hash),
            participant=participant_id,
            purpose=purpose,
            auth=b64u_encode(auth_digest(secret.auth(link_id))),
            signer=b64u_encode(secret.signer(link_id).public_key) if is_upload else None,
            sealed=None if sealed is None else b64u_encode(hashlib.sha256(sealed).digest()),
            expires=now + timedelta(days=UPLOAD_LINK_DAYS) if is_upload else None,
            at=now,
        ),
    )
    return MadeLink(
        link_id=link_id,
        url=link_url(
            public_url, link_id, secret, root_fingerprint, charter.statement_hash[:ANCHOR_BYTES]
        ),
        new=NewLink(statement=statement, sealed=sealed, again=again),
    )


def open_claim_key(sealed: bytes, identities: Iterable[HybridIdentity]) -> bytes:
    """The key that checks the claim of a link, with the identities of its case."""
    return age.open_file(sealed, identities)


def sign_ending(
    signer: Signer,
    case_id: uuid.UUID,
    record: LinkRecord,
    reason: Literal["replaced", "misused"],
) -> str:
    """The end of a link, signed by a mediator of its case or by the case system.

    Its statement need not hold: anyone who compares the ending with it finds out whether it is of that link.
    """
    return statements.sign(
        signer,
        statements.LinkEnding(
            link=record.link,
            case=case_id,
            participant=record.participant,
            reason=reason,
            at=datetime.now(UTC),
        ),
    )
