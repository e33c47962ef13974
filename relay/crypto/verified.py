"""What a verified chain leads to: a charter with its terms, a participant, and the way that they came in."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import uuid
from collections.abc import Callable

from relay.crypto.encoding import b64u_decode
from relay.crypto.errors import ChainError
from relay.crypto.statements import (
    Claim,
    Link,
    Policy,
    StatementT,
    decode_unverified,
)
from relay.crypto.trust import (
    CLOCK_TOLERANCE,
    Authority,
    Trust,
    verify_by,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One version of a charter: who served under it, and from when until when."""

    version: int
    statement_hash: bytes
    signed_by: Authority
    since: dt.datetime
    until: dt.datetime | None
    """None for the latest version."""
    recipient: str
    """The case's age recipient under this version."""
    policy: Policy
    mediators: tuple[Authority, ...]
    media: tuple[Authority, ...]
    recovery: tuple[Authority, ...]

    @property
    def everybody(self) -> tuple[Authority, ...]:
        """Everybody whom this version lists."""
        return (*self.mediators, *self.media, *self.recovery)

    @property
    def by_recovery(self) -> bool:
        """Whether a recovery key, not a mediator, put this version in force."""
        return self.signed_by.role == "recovery"

    def covers(self, at: dt.datetime) -> bool:
        """Whether something signed at that time was signed under this version, give or take the clocks."""
        begun = self.since - at <= CLOCK_TOLERANCE
        return begun and (self.until is None or at - self.until < CLOCK_TOLERANCE)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCharter:
    """The keys and rules of a case as its latest charter has them, and those of the earlier ones."""

    case: uuid.UUID
    at: dt.datetime
    terms: tuple[Term, ...]
    """All versions in order."""
    trust: Trust

    @property
    def version(self) -> int:
        """The number of the latest version."""
        return self.terms[-1].version

    @property
    def statement_hash(self) -> bytes:
        """Of the latest version, 32 bytes."""
        return self.terms[-1].statement_hash

    @property
    def recipient(self) -> str:
        """The age recipient that is sealed to now."""
        return self.terms[-1].recipient

    @property
    def recipients(self) -> tuple[str, ...]:
        """Every age recipient that the case has had, the latest first, each once."""
        return tuple(dict.fromkeys(term.recipient for term in reversed(self.terms)))

    @property
    def policy(self) -> Policy:
        """The rules of the latest version."""
        return self.terms[-1].policy

    @property
    def recovery(self) -> tuple[Authority, ...]:
        """The holders of recovery keys of the latest version, with credentials valid or not."""
        return self.terms[-1].recovery

    @property
    def mediators(self) -> tuple[Authority, ...]:
        """The mediators of the latest version, with credentials valid or not."""
        return self.terms[-1].mediators

    @property
    def media(self) -> tuple[Authority, ...]:
        """The media workers of the latest version, with credentials valid or not."""
        return self.terms[-1].media

    def mediators_at(self, at: dt.datetime) -> tuple[Authority, ...]:
        """The mediators of the latest version that something may be sealed for now."""
        return tuple(mediator for mediator in self.mediators if mediator.valid_at(at))

    def media_at(self, at: dt.datetime) -> tuple[Authority, ...]:
        """The media workers that a video may be sealed for now; none where the policy forbids it."""
        allowed = self.media if self.policy.server_processing else ()
        return tuple(worker for worker in allowed if worker.valid_at(at))

    def require_version(self, named: str, at: dt.datetime) -> Term:
        """The version whose hash (base64url) a statement of that time names.

        ChainError unless it is one of this case's and was in force then, give or take the clocks.
        """
        digest = b64u_decode(named)
        for term in self.terms:
            if term.statement_hash == digest and term.covers(at):
                return term
        raise ChainError("made under another charter")

    def verify_by_mediator(
        self, compact: str, kind: type[StatementT]
    ) -> tuple[StatementT, Authority]:
        """A statement by somebody who mediated this case at the time, and by whom; else ChainError."""
        return self._verify_by(compact, kind, lambda term: term.mediators)

    def verify_by_media(self, compact: str, kind: type[StatementT]) -> tuple[StatementT, Authority]:
        """A statement by a media worker of this case at the time, and by which; else ChainError."""
        return self._verify_by(compact, kind, lambda term: term.media)

    def verify_by_mediator_or_service(self, compact: str, kind: type[StatementT]) -> StatementT:
        """A statement by a mediator of this case at the time, or by a service; else ChainError."""
        services = self.trust.of_role("service")
        statement, _ = self._verify_by(compact, kind, lambda term: term.mediators, services)
        return statement

    def _verify_by(
        self,
        compact: str,
        kind: type[StatementT],
        who: Callable[[Term], tuple[Authority, ...]],
        others: tuple[Authority, ...] = (),
    ) -> tuple[StatementT, Authority]:
        at = decode_unverified(compact, kind).at
        serving = [authority for term in self.terms if term.covers(at) for authority in who(term)]
        statement, authority = verify_by(compact, kind, [*serving, *others])
        if getattr(statement, "case", None) != self.case:
            raise ChainError(f"{kind.typ}: of another case")
        return statement, authority


class Standing(enum.Enum):
    """How far a reader may believe that a statement is its participant's."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    """Nobody has checked yet who made the claim."""
    ENDED = "ended"
    """It came through a link after its end, or through one that somebody misused."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A participant's way in: a link, and what was made of it."""

    link: Link
    signer: bytes
    """The Ed25519 key that signs what comes this way: of the claim, or of an upload link."""
    claim: Claim | None
    claim_hash: bytes | None
    verified_at: dt.datetime | None
    """When a mediator says that they verified the claim."""
    ended_at: dt.datetime | None
    is_misused: bool

    @property
    def participant(self) -> uuid.UUID:
        """Whose way in it is."""
        return self.link.participant

    def standing_at(self, at: dt.datetime) -> Standing:
        """How far something counts that was signed with this key at that time."""
        if self.is_misused or (self.ended_at is not None and at > self.ended_at):
            return Standing.ENDED
        if (self.claim or self.link).at - at > CLOCK_TOLERANCE:
            raise ChainError("signed before its key was there")
        if self.claim is None:
            # An upload link: its own statement ties the key to the participant, until it expires.
            expires = self.link.expires
            is_late = expires is not None and at - expires >= CLOCK_TOLERANCE
            return Standing.ENDED if is_late else Standing.VERIFIED
        if self.verified_at is None:
            return Standing.UNVERIFIED if self.ended_at is None else Standing.ENDED
        if self.ended_at is not None and self.verified_at > self.ended_at:
            return Standing.ENDED
        return Standing.VERIFIED


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedParticipant:
    """A participant's keys, for which a mediator of the case has vouched."""

    case: uuid.UUID
    participant: uuid.UUID
    recipient: str
    signer: bytes
    claim_hash: bytes
    claimed_at: dt.datetime
    """When they say that they made the claim."""
