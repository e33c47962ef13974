"""From the organization roots to everybody they vouch for: successions, credentials, revocations."""

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
from relay.crypto.statements import (
    Credential,
    Revocation,
    Statement,
    StatementT,
    Succession,
    Verified,
    verify,
)

Role: TypeAlias = Literal["mediator", "media", "recovery", "service"]

CLOCK_TOLERANCE = dt.timedelta(minutes=10)
"""How far the clocks of two honest people may be apart: relay accepts five minutes either way of its own."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Somebody the root vouches for, and for how long."""

    credential: uuid.UUID
    person: uuid.UUID
    """Two credentials of one person count as one."""
    role: Role
    recipient: str | None
    """Their age recipient; None for a service."""
    signer: bytes
    """Their Ed25519 public key."""
    statement_hash: bytes
    not_before: dt.datetime
    not_after: dt.datetime
    revoked_at: dt.datetime | None

    def valid_at(self, at: dt.datetime) -> bool:
        """Whether something signed at that time counts; also in the second of the revocation."""
        revoked = self.revoked_at is not None and at > self.revoked_at
        return self.not_before <= at < self.not_after and not revoked


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Everybody that the roots vouch for."""

    authorities: Mapping[uuid.UUID, Authority]

    def of_role(self, role: Role) -> tuple[Authority, ...]:
        """All who ever had that role, valid now or not."""
        return tuple(a for a in self.authorities.values() if a.role == role)

    def has_case_system(self, at: dt.datetime) -> bool:
        """Whether the root had vouched for a case system by then: it alone says who may open a case."""
        return any(service.not_before <= at for service in self.of_role("service"))


def verify_by(
    compact: str, kind: type[StatementT], authorities: Iterable[Authority]
) -> tuple[StatementT, Authority]:
    """A statement by one of `authorities`, and by which; ChainError if none of them could sign it then.

    When that was, the signer says: somebody who stole a key can date a statement back to before its
    revocation. What shows that is the log, which knows when a statement arrived.
    """
    kid = read_unverified(compact).kid
    for authority in authorities:
        if key_id(authority.signer) == kid:
            statement = verify(compact, kind, authority.signer)
            if authority.valid_at(statement.at):
                return statement, authority
    raise ChainError(f"{kind.typ}: not signed by anybody who may")


def require_order(later: Statement, *earlier: Statement) -> None:
    """ChainError if `later`, which names the others, says that it was signed before them.

    So a key that may not sign any more can date nothing back behind what it is about.
    """
    if any(statement.at - later.at > CLOCK_TOLERANCE for statement in earlier):
        raise ChainError(f"{later.typ}: dated before what it names")


def pin_root(root_fingerprint: bytes, root_public_key: bytes) -> bytes:
    """The root's key, if it is the one behind the pinned fingerprint; ChainError otherwise."""
    if not hmac.compare_digest(fingerprint(root_public_key), root_fingerprint):
        raise ChainError("another root than the pinned one")
    check_public_key(root_public_key)
    return root_public_key


def establish_trust(
    roots: Collection[bytes],
    credentials: Iterable[str],
    revocations: Iterable[str] = (),
    successions: Iterable[str] = (),
) -> Trust:
    """Verify every credential and revocation against `roots` and the roots that succeed or precede them.

    `roots`: Ed25519 public keys that are already trusted. A statement signed by a key that none of these
    roots leads to is set aside: it belongs to another organization. One that names a trusted root and does
    not verify, or two credentials that share an id or a key, is a ChainError: a reader who ignored what is
    wrong would not notice that somebody is trying.
    """
    by_kid = _lineages(roots, successions)
    revoked: dict[uuid.UUID, list[tuple[_Root, dt.datetime]]] = {}
    for compact in revocations:
        root = by_kid.get(read_unverified(compact).kid)
        if root is None:
            continue
        revocation = _verify_by_root(compact, Revocation, root)
        revoked.setdefault(revocation.credential, []).append((root, revocation.at))
    authorities: dict[uuid.UUID, Authority] = {}
    signers: set[str] = set()
    for compact in credentials:
        root = by_kid.get(read_unverified(compact).kid)
        if root is None:
            continue
        credential = _verify_by_root(compact, Credential, root)
        if credential.credential in authorities or credential.signer in signers:
            raise ChainError("two credentials share an id or a key")
        signers.add(credential.signer)
        ends = (
            at for by, at in revoked.get(credential.credential, ()) if by.public_key in root.heirs
        )
        authorities[credential.credential] = _authority(
            credential, statement_hash(compact), min(ends, default=None)
        )
    return Trust(authorities=authorities)


def verify_by_root(
    compact: str,
    kind: type[StatementT],
    roots: Collection[bytes],
    successions: Iterable[str],
    now: dt.datetime,
) -> Verified[StatementT]:
    """A statement that arrives now, by one of `roots` or by a root that these lead to; ChainError otherwise.

    A root whose successor took over admits nothing any more, whatever time it bears.
    """
    root = _lineages(roots, successions).get(read_unverified(compact).kid)
    if root is None:
        raise ChainError("not signed by a trusted root")
    if root.until is not None and now >= root.until:
        raise ChainError("signed by a root whose successor took over")
    return Verified.of(_verify_by_root(compact, kind, root), compact, root.public_key)


def trusted_roots(roots: Collection[bytes], successions: Iterable[str]) -> list[bytes]:
    """`roots` and every root that these lead to."""
    return [root.public_key for root in _lineages(roots, successions).values()]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Root:
    """A trusted root, until when it may sign, and who may revoke what it vouched for."""

    public_key: bytes
    until: dt.datetime | None
    heirs: frozenset[bytes]
    """Itself and those that came after it: a root that was replaced revokes nothing of its successors."""


def _lineages(pinned: Collection[bytes], successions: Iterable[str]) -> dict[str, _Root]:
    """Every root that a pinned one leads to, by the identifier of its key.

    A root leads to its successor by its own signature, and to its predecessor by its own signature too. A
    pinned root is ended by its own signature alone. Two different successions of one root, or a circle of
    them, are a ChainError: otherwise a root that was stolen after it had been replaced would lead anyone who
    has pinned its successor to a root of the thief.
    """
    by_signer: dict[str, list[str]] = {}
    for compact in successions:
        by_signer.setdefault(read_unverified(compact).kid, []).append(compact)
    reached = list(dict.fromkeys(pinned))
    after: dict[bytes, Succession] = {}
    before: dict[bytes, Succession] = {}
    for signer in reached:
        for compact in by_signer.get(key_id(signer), ()):
            succession = verify(compact, Succession, signer)
            old, new = b64u_decode(succession.old), b64u_decode(succession.new)
            if signer not in {old, new}:
                raise ChainError("a succession of other roots than its signer")
            if signer == new and old in pinned:
                continue
            same = (
                after.setdefault(old, succession)
                == before.setdefault(new, succession)
                == succession
            )
            if not same:
                raise ChainError("a root with two successors or two predecessors")
            for root in (old, new):
                check_public_key(root)
                if root not in reached:
                    reached.append(root)
    return {
        key_id(root): _Root(
            public_key=root,
            until=after[root].at if root in after else None,
            heirs=_heirs(root, after),
        )
        for root in reached
    }


def _heirs(root: bytes, after: Mapping[bytes, Succession]) -> frozenset[bytes]:
    heirs = {root}
    while root in after:
        root = b64u_decode(after[root].new)
        if root in heirs:
            raise ChainError("roots that succeed each other in a circle")
        heirs.add(root)
    return frozenset(heirs)


def _verify_by_root(compact: str, kind: type[StatementT], root: _Root) -> StatementT:
    statement = verify(compact, kind, root.public_key)
    if root.until is not None and statement.at > root.until:
        raise ChainError("signed by a root after its successor took over")
    return statement


def _authority(
    credential: Credential, own_hash: bytes, revoked_at: dt.datetime | None
) -> Authority:
    signer = b64u_decode(credential.signer)
    check_public_key(signer)
    return Authority(
        credential=credential.credential,
        person=credential.person,
        role=credential.role,
        recipient=credential.recipient,
        signer=signer,
        statement_hash=own_hash,
        not_before=credential.not_before,
        not_after=credential.not_after,
        revoked_at=revoked_at,
    )
