"""Whose signature counts, and when: the organization's credentials, a case's charters, claims and links."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from relay.crypto import chain, statements
from relay.crypto.encoding import b64u_decode
from relay.crypto.errors import ChainError
from relay.crypto.signing import key_id, read_unverified, statement_hash
from relay.crypto.statements import StatementT
from relay.crypto.trust import Authority, Trust, establish_trust, verify_by
from relay.errors import CryptoError
from relay.services.audit.findings import Code, Report
from relay.services.audit.kinds import Who
from relay.storage.audit import CredentialRecord


@dataclasses.dataclass(frozen=True, slots=True)
class Actor:
    """Whom a row names."""

    who: Who
    id: uuid.UUID | None
    """None for the case system and the clock."""

    @property
    def participant(self) -> uuid.UUID | None:
        """The participant, if it is one."""
        return self.id if self.who is Who.PARTICIPANT else None


def parse_actor(text: str) -> Actor | None:
    """Whom a row names; None for a text that relay does not write."""
    name, colon, rest = text.partition(":")
    if name not in {who.value for who in Who}:
        return None
    who = Who(name)
    if who is Who.CLOCK:
        return None if colon else Actor(who, None)
    if who is Who.SERVICE:
        return Actor(who, None) if rest else None
    try:
        named = uuid.UUID(rest)
    except ValueError:
        return None
    return Actor(who, named) if str(named) == rest else None


class Organization:
    """Everybody for whom the configured roots vouch."""

    def __init__(self, roots: Collection[bytes]) -> None:
        self.authorities: dict[uuid.UUID, Authority] = {}
        self.services: list[Authority] = []
        self.mediators: list[Authority] = []
        self.statements: set[bytes] = set()
        """Hashes of all credentials and revocations."""
        self._roots = roots
        self._signers: set[bytes] = set()

    def admit(self, record: CredentialRecord, report: Report) -> None:
        """Believe a credential whose statements verify and say what its row says; report any other."""
        self.statements.add(record.statement_hash)
        if record.revocation_hash is not None:
            self.statements.add(record.revocation_hash)
        try:
            authority = _verify_credential(self._roots, record)
            if authority.signer is not None and authority.signer in self._signers:
                raise ChainError("another credential has the same key")
        except CryptoError as error:
            report.add(
                Code.CREDENTIAL_INVALID, f"credential {record.credential_id}: {error.detail}"
            )
            return
        if authority.signer is not None:
            self._signers.add(authority.signer)
        self.authorities[authority.credential] = authority
        if authority.role == "service":
            self.services.append(authority)
        if authority.role == "mediator":
            self.mediators.append(authority)

    def of_case(self, members: Collection[uuid.UUID]) -> Trust:
        """The trust that a case needs: those whom its charters list, and the services."""
        known = {key: self.authorities[key] for key in members if key in self.authorities}
        known |= {service.credential: service for service in self.services}
        return Trust(authorities=known)


@dataclasses.dataclass(slots=True, kw_only=True)
class WayIn:
    """A link of a participant, and the key that came with it."""

    link: statements.Link
    signer: bytes | None
    """Of the claim or of the upload link; None for a link that nobody has claimed."""
    claim: statements.Claim | None = None
    claim_hash: bytes | None = None
    verification_hash: bytes | None = None
    ended_at: dt.datetime | None = None
    """When relay took it as ended."""
    message: uuid.UUID | None = None
    """The one message that came through an upload link."""

    def is_open_at(self, at: dt.datetime, skew: dt.timedelta, session: dt.timedelta) -> bool:
        """Whether relay could take something that came this way: sessions end with the link, not its expiry.

        An expiry closes the way of an upload link, and that to a claim.
        """
        if self.ended_at is not None and at > self.ended_at + skew:
            return False
        expires = self.link.expires
        is_claimed = self.claim is not None
        return is_claimed or expires is None or at <= expires + skew + session


class CaseKeys:
    """Who may sign in one case, as far as its log has been walked."""

    def __init__(self, organization: Organization, charters: Sequence[str], report: Report) -> None:
        self._organization = organization
        self._charters, problem = _longest_chain(organization, charters)
        self.charter: chain.VerifiedCharter | None = None
        """The latest charter that verifies, from the whole log: it knows the terms of all before."""
        if self._charters:
            trust = _trust_of(organization, self._charters)
            self.charter = chain.verify_charters(trust, self._charters)
        self._verified = {statement_hash(compact) for compact in self._charters}
        if problem is not None:
            report.add(Code.CHARTER_INVALID, problem)
        self.is_open = False
        """Whether the first charter is filed already."""
        self.ways: dict[uuid.UUID, WayIn] = {}
        """By link."""
        self.by_kid: dict[str, WayIn] = {}
        self.by_claim: dict[bytes, WayIn] = {}
        self._of_participant: dict[uuid.UUID, list[WayIn]] = {}

    def verify(
        self, compact: str, kind: type[StatementT], who: Who
    ) -> tuple[StatementT, uuid.UUID | None]:
        """The statement and who signed it; CryptoError unless somebody did who could at its time.

        Who: the credential, or the participant; None for the case system, which a row names by its token.
        """
        if who is Who.PARTICIPANT:
            way = self.way_of(compact)
            if way is None or way.signer is None:
                raise ChainError("not a key of a participant of this case")
            return statements.verify(compact, kind, way.signer), way.link.participant
        if who is Who.SERVICE:
            return verify_by(compact, kind, self._organization.services)[0], None
        if who is Who.WORKER:
            if self.charter is None:
                raise ChainError("a case without a charter")
            made, worker = self.charter.verify_by_media(compact, kind)
            return made, worker.credential
        if self.charter is None or not self.is_open:
            # Before its charter a case has the mediators that were assigned to it, which nobody signs.
            said, mediator = verify_by(compact, kind, self._organization.mediators)
        else:
            said, mediator = self.charter.verify_by_mediator(compact, kind)
        return said, mediator.credential

    def verify_charter(self, compact: str) -> tuple[statements.Charter, uuid.UUID | None]:
        """A charter that was verified with all of them, and who signed it; ChainError for any other."""
        if statement_hash(compact) not in self._verified:
            raise ChainError("not in the chain of charters")
        kid = read_unverified(compact).kid
        said = statements.decode_unverified(compact, statements.Charter)
        for mediator in self._organization.mediators:
            if mediator.signer is not None and key_id(mediator.signer) == kid:
                return said, mediator.credential
        raise ChainError("signed by nobody known")

    def way_of(self, compact: str) -> WayIn | None:
        """The way in whose key signed, as the statement says."""
        return self.by_kid.get(read_unverified(compact).kid)

    def is_mediator_at(self, credential: uuid.UUID, at: dt.datetime) -> bool:
        """Whether somebody mediated this case then, give or take the clocks."""
        if self.charter is None or not self.is_open:
            return any(each.credential == credential for each in self._organization.mediators)
        return any(
            term.covers(at) and any(each.credential == credential for each in term.mediators)
            for term in self.charter.terms
        )

    def is_worker(self, credential: uuid.UUID) -> bool:
        """Whether it is a media worker of the organization."""
        authority = self._organization.authorities.get(credential)
        return authority is not None and authority.role == "media"

    def add_link(self, link: statements.Link) -> None:
        """A link was made."""
        signer = None if link.signer is None else b64u_decode(link.signer)
        way = WayIn(link=link, signer=signer)
        self.ways[link.link] = way
        self._of_participant.setdefault(link.participant, []).append(way)
        if signer is not None:
            self.by_kid[key_id(signer)] = way

    def add_claim(
        self, way: WayIn, claim: statements.Claim, digest: bytes, at: dt.datetime
    ) -> None:
        """A link was claimed: it is its participant's only one from now on."""
        for other in self._of_participant.get(claim.participant, []):
            if other is not way and other.link.purpose == "participate" and other.ended_at is None:
                other.ended_at = at
        way.claim, way.claim_hash, way.signer = claim, digest, b64u_decode(claim.signer)
        self.by_kid[key_id(way.signer)] = way
        self.by_claim[digest] = way


def is_hash_of(digest: bytes, compact: str) -> bool:
    """Whether a text is the one that a hash names."""
    return compact.isascii() and statement_hash(compact) == digest


def _verify_credential(roots: Collection[bytes], record: CredentialRecord) -> Authority:
    """What a root vouches for; CryptoError unless the row says just that."""
    revocations = []
    if record.revocation_hash is not None:
        revocations.append(_text_of(record.revocation_hash, record.revocation))
    compact = _text_of(record.statement_hash, record.credential)
    authority = establish_trust(roots, [compact], revocations).authorities.get(record.credential_id)
    if authority is None:
        raise ChainError("its statement is of another credential")
    if (authority.revoked_at is None) != (record.revocation_hash is None):
        raise ChainError("its revocation is of another credential")
    verified = (
        authority.role,
        authority.signer,
        None if authority.signer is None else key_id(authority.signer),
        authority.recipient,
        authority.not_before,
        authority.not_after,
    )
    row = (record.role, record.signer, record.kid, record.recipient)
    if verified != (*row, record.not_before, record.not_after):
        raise ChainError("its row says something else than its statement")
    return authority


def _text_of(digest: bytes | None, compact: str | None) -> str:
    if digest is None or compact is None or not is_hash_of(digest, compact):
        raise ChainError("its statement is not the one that its row names")
    return compact


def _trust_of(organization: Organization, charters: Sequence[str]) -> Trust:
    members: set[uuid.UUID] = set()
    for compact in charters:
        said = statements.decode_unverified(compact, statements.Charter)
        members |= {member.credential for member in (*said.mediators, *said.media)}
    return organization.of_case(members)


def _longest_chain(
    organization: Organization, charters: Sequence[str]
) -> tuple[list[str], str | None]:
    """The charters from the first one as far as they verify, and why the next one does not."""
    problem = None
    for length in range(len(charters), 0, -1):
        try:
            kept = list(charters[:length])
            chain.verify_charters(_trust_of(organization, kept), kept)
        except CryptoError as error:
            problem = f"charter {length} does not follow from the one before ({error.detail})"
        else:
            return kept, problem
    return [], problem
