"""Makes charters: the first one of a case, and the next one when its people, keys or rules change."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from relay.client.records import trusting
from relay.client.seen import SeenCharters
from relay.crypto import chain, statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError
from relay.crypto.keyrings import open_identities, seal_identities
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.recipients import parse_recipient
from relay.crypto.signing import Signer, statement_hash
from relay.crypto.statements import Member, Policy
from relay.crypto.trust import Authority, Trust
from relay.crypto.verified import VerifiedCharter
from relay.domain.cases import CharterFiling, Charters


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """A case that somebody can read: its verified charter, and every identity that it has had."""

    charter: VerifiedCharter
    identities: tuple[HybridIdentity, ...] = dataclasses.field(repr=False)
    """The latest first."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Whom a charter lists."""

    mediators: Sequence[Authority]
    media: Sequence[Authority]
    recovery: Sequence[Authority]


def valid_now(trust: Trust, role: str) -> list[Authority]:
    """Everybody of a role whose credential is valid now."""
    now = datetime.now(UTC)
    return [a for a in trust.authorities.values() if a.role == role and a.valid_at(now)]


def open_charters(
    trust: Trust, found: Charters, case_id: uuid.UUID, own: HybridIdentity, seen: SeenCharters
) -> OpenCase:
    """The charter of a case and its identities, opened with one's own.

    BrokenTrust where they do not fit each other, or do not extend what was `seen`.
    """
    with trusting():
        charter = verify_charters(trust, found, case_id)
        seen.require(charter)
        identities = open_identities(found.charters[-1].key_file, [own])
        chain.check_identities(charter, [str(identity.recipient) for identity in identities])
        return OpenCase(charter=charter, identities=identities)


def verify_charters(trust: Trust, found: Charters, case_id: uuid.UUID) -> VerifiedCharter:
    """The charter of a case as relay hands it out, verified up to the roots of `trust`."""
    if found.registration is None:
        raise ChainError("nobody registered who may open the case")
    compacts = [charter.statement for charter in found.charters]
    charter = chain.verify_charters(trust, found.registration, compacts)
    if charter.case != case_id:
        raise ChainError("a charter of another case")
    return charter


def register(signer: Signer, case_id: uuid.UUID, mediators: Sequence[uuid.UUID]) -> str:
    """Who may open the case: signed by the case system, or by a mediator where there is none."""
    return statements.sign(
        signer,
        statements.Registration(case=case_id, mediators=list(mediators), at=datetime.now(UTC)),
    )


def first_charter(
    signer: Signer, case_id: uuid.UUID, registration: str, people: People, policy: Policy
) -> CharterFiling:
    """The charter that opens a case, with a new identity sealed to its mediators and recovery keys."""
    identity = HybridIdentity.generate()
    statement = statements.Charter(
        case=case_id,
        version=1,
        registration=b64u_encode(statement_hash(registration)),
        previous=None,
        recipient=str(identity.recipient),
        mediators=_members(people.mediators),
        media=_members(people.media),
        recovery=_members(people.recovery),
        policy=policy,
        at=datetime.now(UTC),
    )
    return CharterFiling(
        statement=statements.sign(signer, statement),
        key_file=_key_file([identity], people),
        registration=registration,
    )


def next_charter(
    signer: Signer, case: OpenCase, people: People, policy: Policy | None = None
) -> CharterFiling:
    """The charter that takes the place of the one in force.

    Where somebody leaves who can read, the case gets a new identity: what is sealed from then on they cannot
    read. Everybody who stays or joins is given all identities.
    """
    before = case.charter.terms[-1]
    staying = {a.credential for a in (*people.mediators, *people.recovery)}
    leaves = any(a.credential not in staying for a in (*before.mediators, *before.recovery))
    identities = [*([HybridIdentity.generate()] if leaves else []), *case.identities]
    statement = statements.Charter(
        case=case.charter.case,
        version=case.charter.version + 1,
        registration=None,
        previous=b64u_encode(case.charter.statement_hash),
        recipient=str(identities[0].recipient),
        mediators=_members(people.mediators),
        media=_members(people.media),
        recovery=_members(people.recovery),
        policy=policy or case.charter.policy,
        at=max(datetime.now(UTC), case.charter.at),
    )
    return CharterFiling(
        statement=statements.sign(signer, statement), key_file=_key_file(identities, people)
    )


def _members(people: Sequence[Authority]) -> list[Member]:
    return [
        Member(credential=somebody.credential, statement=b64u_encode(somebody.statement_hash))
        for somebody in people
    ]


def _key_file(identities: Sequence[HybridIdentity], people: People) -> bytes:
    holders = (*people.mediators, *people.recovery)
    return seal_identities(
        identities, [parse_recipient(holder.recipient) for holder in holders if holder.recipient]
    )
