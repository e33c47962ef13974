"""Whose signature counts in a case, and when: by its charters, links and claims."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Final

from relay.crypto import chain, statements
from relay.crypto.encoding import b64u_decode
from relay.crypto.errors import ChainError
from relay.crypto.signing import key_id, read_unverified, statement_hash
from relay.crypto.statements import StatementT
from relay.crypto.trust import Trust, verify_by
from relay.crypto.verified import VerifiedCharter
from relay.errors import CryptoError
from relay.services.audit.findings import Code, Report
from relay.services.audit.kinds import Who
from relay.services.audit.organization import Organization
from relay.storage.audit import CharterTexts

RACE: Final = dt.timedelta(minutes=1)
"""How much later than a change a row may stand whose transaction looked before it."""


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
    misused_at: dt.datetime | None = None
    """Since when relay knows that nothing counts which ever came this way."""
    message: uuid.UUID | None = None
    """The one message that came through an upload link."""

    @property
    def is_known(self) -> bool:
        """Whether what is signed with its key is believed to be its participant's."""
        is_verified = self.link.purpose == "upload" or self.verification_hash is not None
        return is_verified and self.misused_at is None

    def is_open_at(self, at: dt.datetime, session: dt.timedelta) -> bool:
        """Whether relay could take something that came this way: sessions end with the link, not its expiry.

        An expiry closes the way of an upload link, and that to a claim.
        """
        if self.ended_at is not None and at - self.ended_at > RACE:
            return False
        expires = self.link.expires
        is_claimed = self.claim is not None
        return is_claimed or expires is None or at - expires <= session + RACE


class CaseKeys:
    """Who may sign in one case, as far as its log has been walked."""

    def __init__(self, organization: Organization, texts: CharterTexts, report: Report) -> None:
        self._organization = organization
        self.charter = _latest_charter(organization, texts, report)
        """The latest charter that verifies, from the whole log: it knows the terms of all before."""
        terms = () if self.charter is None else self.charter.terms
        self._filed_by = {term.statement_hash: term.signed_by for term in terms}
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
        if who is Who.WORKER and kind is statements.Disposal:
            # Whether or not a charter lists them: a case without one is disposed of as well.
            made, worker = verify_by(compact, kind, self._organization.workers)
            return made, worker.credential
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

    def verify_charter(self, compact: str) -> uuid.UUID:
        """Who signed a charter that was verified with all of them; ChainError for any other."""
        signer = self._filed_by.get(statement_hash(compact))
        if signer is None:
            raise ChainError("not in the chain of charters")
        return signer.credential

    def verify_registration(self, compact: str, who: Who) -> uuid.UUID | None:
        """Who signed a registration; ChainError for a mediator's of a case that is not theirs."""
        said, signer = self.verify(compact, statements.Registration, who)
        if signer is not None and signer not in said.mediators:
            raise ChainError("a mediator registers a case for themselves")
        return signer

    def way_of(self, compact: str) -> WayIn | None:
        """The way in whose key signed, as the statement says."""
        try:
            return self.by_kid.get(read_unverified(compact).kid)
        except CryptoError:
            return None

    def person(self, credential: uuid.UUID | None) -> uuid.UUID | None:
        """Whose credential it is."""
        return self._organization.person(credential)

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

    def add_link(self, link: statements.Link) -> WayIn:
        """A link was made."""
        signer = None if link.signer is None else b64u_decode(link.signer)
        way = WayIn(link=link, signer=signer)
        self.ways[link.link] = way
        self._of_participant.setdefault(link.participant, []).append(way)
        if signer is not None:
            self.by_kid[key_id(signer)] = way
        return way

    def add_claim(self, way: WayIn, claim: statements.Claim, digest: bytes) -> None:
        """A link was claimed."""
        way.claim, way.claim_hash, way.signer = claim, digest, b64u_decode(claim.signer)
        self.by_kid[key_id(way.signer)] = way
        self.by_claim[digest] = way

    def other_claims(self, way: WayIn) -> list[WayIn]:
        """The other ways in of its participant that somebody claimed and that have not ended."""
        others = self._of_participant.get(way.link.participant, [])
        return [each for each in others if each is not way and each.claim and each.ended_at is None]


def _latest_charter(
    organization: Organization, texts: CharterTexts, report: Report
) -> VerifiedCharter | None:
    """The last of the charters that verify, counted from the first one."""
    for length in range(len(texts.charters), 0, -1):
        try:
            kept = texts.charters[:length]
            trust = _trust_of(organization, texts.registration, kept)
            return chain.verify_charters(trust, texts.registration or "", kept)
        except CryptoError as error:
            problem = f"charter {length} does not follow from what was before ({error.detail})"
            report.add(Code.CHARTER_INVALID, problem)
    return None


def _trust_of(
    organization: Organization, registration: str | None, charters: Sequence[str]
) -> Trust:
    members: set[uuid.UUID] = set()
    if registration is not None:
        said = statements.decode_unverified(registration, statements.Registration)
        members.update(said.mediators)
    for compact in charters:
        charter = statements.decode_unverified(compact, statements.Charter)
        listed = (*charter.mediators, *charter.media, *charter.recovery)
        members |= {member.credential for member in listed}
    return organization.of_case(members)
