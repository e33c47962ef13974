"""A participant's link: the secret in it, and what is derived from that without showing it to the server."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import re
import secrets
import uuid
from typing import Self

from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import LinkError
from relay.crypto.filekeys import hkdf
from relay.crypto.signing import FINGERPRINT_BYTES, Signer

SECRET_BYTES = 16
ANCHOR_BYTES = 16
"""So much of the hash of a charter is in the address of a link."""

_AUTH = b"relay/v1/link/auth"
_CLAIM = b"relay/v1/link/claim"
_UNLOCK = b"relay/v1/link/unlock"
_SIGNER = b"relay/v1/link/signer"
_CLAIM_MAC = "relay/v1/claim"
_URL = re.compile(
    r"(?P<public>https?://[!-\"$->@-~]+?)/l/"
    r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})#(?P<fragment>[A-Za-z0-9_-]{64})"
)


@dataclasses.dataclass(frozen=True, slots=True)
class LinkSecret:
    """The 16 random bytes in a link's fragment. All else comes out of them and the link's id."""

    secret: bytes = dataclasses.field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES:
            raise LinkError("a link's secret has 16 bytes")

    @classmethod
    def generate(cls) -> Self:
        """A new secret."""
        return cls(secrets.token_bytes(SECRET_BYTES))

    def auth(self, link_id: uuid.UUID) -> bytes:
        """32 bytes: the bearer that lets somebody fetch and claim the link. The server knows its hash."""
        return self._derive(link_id, _AUTH)

    def claim_key(self, link_id: uuid.UUID) -> bytes:
        """32 bytes: the key of the MAC in the claim."""
        return self._derive(link_id, _CLAIM)

    def unlock(self, link_id: uuid.UUID) -> bytes:
        """32 bytes: the salt with which the participant's passphrase is stretched."""
        return self._derive(link_id, _UNLOCK)

    def signer(self, link_id: uuid.UUID) -> Signer:
        """Signs what comes through an upload link."""
        return Signer.from_seed(self._derive(link_id, _SIGNER))

    def _derive(self, link_id: uuid.UUID, info: bytes) -> bytes:
        return hkdf(self.secret, salt=link_id.bytes, info=info)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link's address says."""

    public_url: str
    id: uuid.UUID
    secret: LinkSecret
    root_fingerprint: bytes
    """16 bytes: the one root that anyone who opens the link trusts."""
    anchor: bytes
    """The first 16 bytes of the hash of a charter: the one case that the link leads into."""


def link_url(
    public_url: str,
    link_id: uuid.UUID,
    secret: LinkSecret,
    root_fingerprint: bytes,
    anchor: bytes,
) -> str:
    """`{public_url}/l/{link id}#{secret, fingerprint, anchor}`; no browser sends what follows the #."""
    if len(root_fingerprint) != FINGERPRINT_BYTES or len(anchor) != ANCHOR_BYTES:
        raise LinkError("a root's fingerprint and the anchor of a case have 16 bytes each")
    fragment = b64u_encode(secret.secret + root_fingerprint + anchor)
    return f"{public_url.rstrip('/')}/l/{link_id}#{fragment}"


def parse_link_url(url: str) -> Link:
    """What link_url was given; LinkError (which does not quote the address) for anything else."""
    match = _URL.fullmatch(url)
    if match is None:
        raise LinkError("not the address of a link")
    fragment = b64u_decode(match["fragment"])
    return Link(
        public_url=match["public"],
        id=uuid.UUID(match["id"]),
        secret=LinkSecret(fragment[:SECRET_BYTES]),
        root_fingerprint=fragment[SECRET_BYTES:-ANCHOR_BYTES],
        anchor=fragment[-ANCHOR_BYTES:],
    )


def auth_digest(auth: bytes) -> bytes:
    """SHA-256 of a link's bearer: what the link statement names and the server compares."""
    return hashlib.sha256(auth).digest()


def claim_mac(
    claim_key: bytes,
    *,
    link: uuid.UUID,
    case: uuid.UUID,
    participant: uuid.UUID,
    recipient: str,
    signer: str,
) -> bytes:
    """HMAC-SHA256 over the claim's members, one per line: only who held the link can make it.

    `recipient` and `signer` are the texts in the claim; neither they nor ids can hold a line feed.
    """
    lines = (_CLAIM_MAC, str(link), str(case), str(participant), recipient, signer)
    return hmac.digest(claim_key, "\n".join(lines).encode("ascii"), "sha256")
