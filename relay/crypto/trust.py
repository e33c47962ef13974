"""From the organization root to everybody it vouches for: credentials and revocations, verified."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hmac
import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Literal, TypeAlias

from relay.crypto.encoding import b64u_decode
from relay.crypto.errors import ChainError
from relay.crypto.signing import (
    check_public_key,
    fingerprint,
    key_id,
    read_unverified,
    statement_hash,
)
from relay.crypto.statements import Credential, Revocation, StatementT, verify

Role: TypeAlias = Literal["mediator", "media", "recovery", "service"]

CLOCK_TOLERANCE = dt.timedelta(minutes=5)
"""How far the clocks of honest people may be apart."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Somebody the root vouches for, and for how long."""

    credential: uuid.UUID
    role: Role
    recipient: str | None
    """Their age recipient; None for a service."""
    signer: bytes | None
    """Their Ed25519 public key; None for recovery."""
    statement_hash: bytes
    not_before: dt.datetime
    not_after: dt.datetime
    revoked_at: dt.datetime | None

    def valid_at(self, at: dt.datetime) -> bool:
        """Whether something signed at that time counts."""
        revoked = self.revoked_at is not None and at >= self.revoked_at
        return self.not_before <= at < self.not_after and not revoked


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Everybody that the roots vouch for."""

    authorities: Mapping[uuid.UUID, Authority]

    def of_role(self, role: Role) -> tuple[Authority, ...]:
        """All who ever had that role, valid now or not."""
        return tuple(a for a in self.authorities.values() if a.role == role)


def verify_by(
    compact: str, kind: type[StatementT], authorities: Iterable[Authority]
) -> tuple[StatementT, Authority]:
    """A statement by one of `authorities`, and by which; ChainError if none of them could sign it then.

    When that was, the signer says: somebody who stole a key can date a statement back to before its
    revocation. What shows that is the log, which knows when a statement arrived.
    """
    kid = read_unverified(compact).kid
    for authority in authorities:
        if authority.signer is not None and key_id(authority.signer) == kid:
            statement = verify(compact, kind, authority.signer)
            if authority.valid_at(statement.at):
                return statement, authority
    raise ChainError(f"{kind.typ}: not signed by anybody who may")


def pin_root(root_fingerprint: bytes, root_public_key: bytes) -> bytes:
    """The root's key, if it is the one behind the pinned fingerprint; ChainError otherwise."""
    if not hmac.compare_digest(fingerprint(root_public_key), root_fingerprint):
        raise ChainError("another root than the pinned one")
    check_public_key(root_public_key)
    return root_public_key


def establish_trust(
    roots: Collection[bytes], credentials: Iterable[str], revocations: Iterable[str] = ()
) -> Trust:
    """Verify every credential and revocation against `roots` (Ed25519 public keys that are already trusted).

    One that does not verify, or two that share an id or a key, is an error and not passed over: a reader who
    ignored what is wrong would not notice that somebody is trying.
    """
    by_kid = {key_id(root): root for root in roots}
    revoked: dict[uuid.UUID, dt.datetime] = {}
    for compact in revocations:
        revocation = verify(compact, Revocation, _root_of(compact, by_kid))
        earliest = min(revocation.at, revoked.get(revocation.credential, revocation.at))
        revoked[revocation.credential] = earliest
    authorities: dict[uuid.UUID, Authority] = {}
    signers: set[str] = set()
    for compact in credentials:
        credential = verify(compact, Credential, _root_of(compact, by_kid))
        if credential.credential in authorities or credential.signer in signers:
            raise ChainError("two credentials share an id or a key")
        if credential.signer is not None:
            signers.add(credential.signer)
        authorities[credential.credential] = _authority(
            credential, statement_hash(compact), revoked.get(credential.credential)
        )
    return Trust(authorities=authorities)


def _root_of(compact: str, by_kid: Mapping[str, bytes]) -> bytes:
    root = by_kid.get(read_unverified(compact).kid)
    if root is None:
        raise ChainError("not signed by a trusted root")
    return root


def _authority(
    credential: Credential, own_hash: bytes, revoked_at: dt.datetime | None
) -> Authority:
    signer = None if credential.signer is None else b64u_decode(credential.signer)
    if signer is not None:
        check_public_key(signer)
    return Authority(
        credential=credential.credential,
        role=credential.role,
        recipient=credential.recipient,
        signer=signer,
        statement_hash=own_hash,
        not_before=credential.not_before,
        not_after=credential.not_after,
        revoked_at=revoked_at,
    )
