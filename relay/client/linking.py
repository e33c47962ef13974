"""Makes a link: its secret, its signed statement, and the secret sealed to the case for its mediators."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias

from relay.crypto import age, statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import LinkSecret, auth_digest, link_url
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.recipients import parse_recipient
from relay.crypto.signing import Signer
from relay.domain.links import NewLink

UPLOAD_LINK_DAYS: Final = 14

LinkPurpose: TypeAlias = Literal["participate", "upload"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MadeLink:
    """A link that is ready to be kept by relay and given to its participant."""

    link_id: uuid.UUID
    url: str = dataclasses.field(repr=False)
    """For the participant alone: its fragment is the secret."""
    new: NewLink


def make_link(
    signer: Signer,
    *,
    case_id: uuid.UUID,
    case_recipient: str,
    participant_id: uuid.UUID,
    purpose: LinkPurpose,
    public_url: str,
    root_fingerprint: bytes,
) -> MadeLink:
    """A new link, signed by a mediator or by the case system; relay sees its secret only sealed."""
    link_id, secret = uuid.uuid4(), LinkSecret.generate()
    sealed = age.seal_file(secret.secret, [parse_recipient(case_recipient)])
    upload = purpose == "upload"
    now = datetime.now(UTC)
    statement = statements.sign(
        signer,
        statements.Link(
            link=link_id,
            case=case_id,
            participant=participant_id,
            purpose=purpose,
            auth=b64u_encode(auth_digest(secret.auth(link_id))),
            signer=b64u_encode(secret.signer(link_id).public_key) if upload else None,
            sealed=b64u_encode(hashlib.sha256(sealed).digest()),
            expires=now + timedelta(days=UPLOAD_LINK_DAYS) if upload else None,
            at=now,
        ),
    )
    return MadeLink(
        link_id=link_id,
        url=link_url(public_url, link_id, secret, root_fingerprint),
        new=NewLink(statement=statement, sealed=sealed),
    )


def open_secret(sealed: bytes, identity: HybridIdentity) -> LinkSecret:
    """The secret of a link, with the identity of its case."""
    return LinkSecret(age.open_file(sealed, [identity]))
