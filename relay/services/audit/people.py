"""What the rows of a case say of its people: registration, charters, consents, links and claims."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from relay.crypto import statements
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.signing import key_id
from relay.domain.cases import retention
from relay.services.audit.expected import ANY, Expected
from relay.services.audit.findings import Code, Report
from relay.services.audit.keys import RACE, CaseKeys, WayIn
from relay.services.audit.kinds import Who
from relay.services.audit.rows import Row

_STATUSES: Final = ("active", "paused", "withdrawn")
"""What takes more back comes later."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Charter:
    """A charter as far as other rows ask for it."""

    digest: bytes | None
    approvals: int
    since: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Consent:
    """What a participant said last."""

    said: statements.Consent
    digest: bytes
    way: WayIn | None
    """The way in whose key signed it; None where somebody recorded it."""
    at: dt.datetime
    """From when on something else may be said."""

    @property
    def holds(self) -> bool:
        """Whether it is believed to be the participant's."""
        return self.way is None or self.way.is_known


class People:
    """The people of one case and its rules, as far as its log has been walked."""

    def __init__(
        self, case_id: uuid.UUID, keys: CaseKeys, expected: Expected, report: Report
    ) -> None:
        self.case_id = case_id
        self.version = 0
        """Of the charter in force; 0 before there is one."""
        self.approvals = 1
        self.captions_required = True
        self.closed_at: dt.datetime | None = None
        self.is_disposed = False
        self._retention = retention(None)
        self._holds = 0
        self._keys = keys
        self._expected = expected
        self._report = report
        self._charter = _Charter(digest=None, approvals=1, since=None)
        self._before: _Charter | None = None
        self._registration: bytes | None = None
        self._consents: dict[uuid.UUID, _Consent] = {}
        expected.leave_open("participants", consent=None, consent_hash=None, consent_at=None)
        expected.leave_open("case_mediators")
        expected.put(
            "cases",
            case_id,
            registration_hash=None,
            registered_by_mediator_at=None,
            proposed_mediators=None,
            charter_version=0,
            approvals=ANY,
            captions_required=ANY,
            server_processing=ANY,
            is_closed=False,
            retention_days=None,
            disposal_hash=None,
            holds=0,
            changed_at=ANY,
        )

    @property
    def is_closed(self) -> bool:
        """Whether nothing is begun, sent, offered or released now."""
        return self.closed_at is not None

    def consents(self, participant: uuid.UUID | None) -> bool:
        """Whether somebody takes part now, by a word that counts."""
        consent = None if participant is None else self._consents.get(participant)
        return consent is not None and consent.said.status == "active" and consent.holds

    def consent_hash(self, participant: uuid.UUID | None) -> str | None:
        """What somebody said last, by its hash."""
        consent = None if participant is None else self._consents.get(participant)
        return None if consent is None else b64u_encode(consent.digest)

    def charters_at(self, at: dt.datetime) -> frozenset[str]:
        """What may be named as the charter in force: the one before, too, if it ended at that moment."""
        return frozenset(
            b64u_encode(charter.digest) for charter in self._in_force(at) if charter.digest
        )

    def may_suffice(self, approvals: int, at: dt.datetime) -> bool:
        """Whether so many approvals were enough then; a charter that came at that moment may be late."""
        return any(approvals >= charter.approvals for charter in self._in_force(at))

    def _in_force(self, at: dt.datetime) -> list[_Charter]:
        since = self._charter.since
        is_new = self._before is not None and since is not None and at <= since + RACE
        return [self._charter, *([self._before] if self._before is not None and is_new else [])]

    def take(self, row: Row) -> None:
        """Take in what a row says of anything but a message."""
        if (row.seq == 1) != (row.log.kind == "case-registered"):
            self._report.add(
                Code.TRANSITION_UNKNOWN, "a case is registered once, in its first row", seq=row.seq
            )
        effect = _EFFECTS.get(row.log.kind)
        if effect is not None:
            effect(self, row)

    def close(self, row: Row) -> None:
        """The case is closed, or open again."""
        is_closed = row.log.kind == "case-closed"
        if is_closed is self.is_closed:
            self._report.add(
                Code.TRANSITION_UNKNOWN, f"{row.log.kind} of a case that was so", seq=row.seq
            )
        self.closed_at = row.at if is_closed else None
        self._expected.change("cases", self.case_id, is_closed=is_closed)

    def hold(self, row: Row) -> None:
        """Somebody holds the case, or does so no more."""
        self._holds += 1 if row.log.kind == "hold-placed" else -1
        if self._holds < 0:
            self._report.add(
                Code.TRANSITION_UNKNOWN, "a hold was lifted that nobody placed", seq=row.seq
            )
        self._expected.change("cases", self.case_id, holds=self._holds)

    def dispose(self, row: Row) -> None:
        """What was written in the case is destroyed: in its time, or again where a backup brought it back."""
        self.is_disposed = True
        self._expected.change(
            "cases", self.case_id, disposal_hash=row.digest, holds=0, is_closed=True
        )
        said = row.statement(statements.Disposal)
        if said is None:
            return
        charter = None if self._charter.digest is None else b64u_encode(self._charter.digest)
        follows = (charter, row.seq - 1, b64u_encode(row.log.prev))
        if (said.charter, said.rows, said.head) != follows:
            self._report.add(
                Code.STATEMENT_DIFFERS, "a certificate of another log than this", seq=row.seq
            )
        if row.log.kind == "case-disposed":
            self._check_disposable(row, said)

    def _check_disposable(self, row: Row, said: statements.Disposal) -> None:
        if self._holds:
            self._report.add(Code.GATE_CLOSED, "disposed of while somebody held it", seq=row.seq)
        closed_at = self.closed_at
        if closed_at is None:
            self._report.add(Code.GATE_CLOSED, "disposed of while it was open", seq=row.seq)
            return
        if abs(closed_at - said.closed) > RACE:
            self._report.add(
                Code.STATEMENT_DIFFERS,
                "closed of its statement is not what it must be",
                seq=row.seq,
            )
        if row.at < closed_at + self._retention - RACE:
            self._report.add(Code.GATE_CLOSED, "disposed of before its time", seq=row.seq)

    def file_charter(self, row: Row) -> None:
        """A charter comes in force."""
        said = row.statement(statements.Charter)
        self._keys.is_open = True
        if said is None:
            return
        if said.version != self.version + 1:
            self._report.add(
                Code.CHARTER_INVALID,
                f"charter {said.version} after charter {self.version}",
                seq=row.seq,
            )
        registration = None if self._registration is None else b64u_encode(self._registration)
        if said.version == 1 and said.registration != registration:
            self._report.add(
                Code.CHARTER_INVALID, "the first charter rests on another registration", seq=row.seq
            )
        self.version, self.approvals = said.version, said.policy.approvals
        self._before = self._charter
        self._charter = _Charter(digest=row.digest, approvals=self.approvals, since=row.at)
        self.captions_required = said.policy.captions == "required"
        mediators = [member.credential for member in said.mediators]
        self._expected.put(
            "charters",
            said.version,
            seq=row.seq,
            statement_hash=row.digest,
            recipient=said.recipient,
            mediators=mediators,
            media=[member.credential for member in said.media],
            recovery=[member.credential for member in said.recovery],
            has_key_file=True,
        )
        self._expected.change(
            "cases",
            self.case_id,
            proposed_mediators=None,
            charter_version=said.version,
            approvals=said.policy.approvals,
            captions_required=self.captions_required,
            server_processing=said.policy.server_processing,
            retention_days=said.policy.retention_days,
        )
        self._retention = retention(said.policy.retention_days)
        self._expected.replace("case_mediators", mediators, seq=row.seq)

    def register(self, row: Row) -> None:
        """Somebody says which mediators may open the case."""
        said = row.statement(statements.Registration)
        if said is None:
            return
        if self.version:
            self._report.add(
                Code.TRANSITION_UNKNOWN, "a registration after the first charter", seq=row.seq
            )
        self._registration = row.digest
        by_mediator = row.actor is not None and row.actor.who is Who.MEDIATOR
        self._expected.change(
            "cases",
            self.case_id,
            registration_hash=row.digest,
            registered_by_mediator_at=said.at if by_mediator else None,
        )

    def propose(self, _row: Row) -> None:
        """The case system asks for other mediators, which nobody signs."""
        self._expected.change("cases", self.case_id, proposed_mediators=ANY)

    def consent(self, row: Row) -> None:
        """A participant continues, pauses or ends; what was said last counts."""
        said = row.statement(statements.Consent)
        if said is None:
            return
        way = None if row.log.compact is None else self._keys.way_of(row.log.compact)
        before = self._consents.get(said.participant)
        at = said.at
        if before is not None and before.holds:
            at = max(at, before.at)
            self._check_may_say(row, said, way, before)
        self._consents[said.participant] = _Consent(said=said, digest=row.digest, way=way, at=at)
        self._expected.put(
            "participants",
            said.participant,
            seq=row.seq,
            consent=said.status,
            consent_hash=row.digest,
            consent_at=at,
        )

    def _check_may_say(
        self, row: Row, said: statements.Consent, way: WayIn | None, before: _Consent
    ) -> None:
        if way is not None and not way.is_known and way is not before.way:
            self._report.add(
                Code.TRANSITION_BY_ANOTHER,
                "a consent by a key that no mediator verified",
                seq=row.seq,
            )
        raises = _STATUSES.index(said.status) < _STATUSES.index(before.said.status)
        if raises and way is None and before.way is not None:
            self._report.add(
                Code.TRANSITION_BY_ANOTHER,
                "somebody went back on what a participant said themself",
                seq=row.seq,
            )

    def make_link(self, row: Row) -> None:
        """A way in for a participant."""
        said = row.statement(statements.Link)
        if said is None:
            return
        signer = self._keys.add_link(said).signer
        by_mediator = row.actor is not None and row.actor.who is Who.MEDIATOR
        self._expected.put(
            "links",
            said.link,
            seq=row.seq,
            participant_id=said.participant,
            purpose=said.purpose,
            statement_hash=row.digest,
            auth_hash=b64u_decode(said.auth),
            signer=signer,
            kid=None if signer is None else key_id(signer),
            sealed=None if said.sealed is None else b64u_decode(said.sealed),
            expires_at=said.expires,
            made_by=row.actor_id if by_mediator else None,
            ended=False,
            is_misused=False,
            message_id=ANY,
        )

    def end_link(self, row: Row) -> None:
        """A link leads nowhere any more."""
        said = row.statement(statements.LinkEnding)
        if said is None:
            return
        way = self._keys.ways.get(said.link)
        is_new = way is not None and (
            way.ended_at is None or (said.reason == "misused" and way.misused_at is None)
        )
        if way is None or not is_new or way.link.participant != said.participant:
            self._report.add(
                Code.KEY_UNKNOWN, "the end of a link that is not there to be ended", seq=row.seq
            )
            return
        way.ended_at = way.ended_at or row.at
        if said.reason == "misused":
            way.misused_at = row.at
        self._expected.change("links", said.link, ended=True, is_misused=way.misused_at is not None)
        self._expected.put("link_endings", row.digest, seq=row.seq, link_id=said.link)

    def claim(self, row: Row) -> None:
        """A participant makes a link theirs."""
        said = row.statement(statements.Claim)
        if said is None:
            return
        way = self._keys.ways.get(said.link)
        if way is None or way.link.purpose != "participate" or way.claim is not None:
            self._report.add(
                Code.KEY_UNKNOWN, "a claim of a link that is not there to be claimed", seq=row.seq
            )
            return
        if (way.link.case, way.link.participant) != (said.case, said.participant):
            self._report.add(
                Code.STATEMENT_DIFFERS, "a claim for somebody else than its link", seq=row.seq
            )
        self._keys.add_claim(way, said, row.digest)
        signer = b64u_decode(said.signer)
        self._expected.put(
            "claims",
            row.digest,
            seq=row.seq,
            link_id=said.link,
            case_id=said.case,
            participant_id=said.participant,
            kid=key_id(signer),
            signer=signer,
            recipient=said.recipient,
            verification_hash=None,
            has_keyring=True,
        )

    def verify_claim(self, row: Row) -> None:
        """A mediator checked a claim."""
        said = row.statement(statements.Verification)
        if said is None:
            return
        digest = b64u_decode(said.claim)
        way = self._keys.by_claim.get(digest)
        is_waiting = way is not None and way.verification_hash is None and way.ended_at is None
        if way is None or way.claim is None or not is_waiting:
            self._report.add(
                Code.KEY_UNKNOWN, "a verification of a claim that waits for none", seq=row.seq
            )
            return
        if self._keys.other_claims(way):
            self._report.add(
                Code.KEY_UNKNOWN, "verified while another claimed link was open", seq=row.seq
            )
        if (said.participant, said.recipient) != (way.claim.participant, way.claim.recipient):
            self._report.add(
                Code.STATEMENT_DIFFERS,
                "a verification of another key than the claim's",
                seq=row.seq,
            )
        way.verification_hash = row.digest
        self._expected.change("claims", digest, verification_hash=row.digest)

    def try_claimed(self, row: Row) -> None:
        """Somebody with a link that was claimed tried to claim it, or to guess its passphrase."""
        way = None if row.actor_id is None else self._keys.ways.get(row.actor_id)
        if way is None or way.claim is None:
            self._report.add(
                Code.KEY_UNKNOWN, f"{row.log.kind} of a link that nobody claimed", seq=row.seq
            )


_EFFECTS: Final[Mapping[str, Callable[[People, Row], None]]] = {
    "case-closed": People.close,
    "case-reopened": People.close,
    "hold-placed": People.hold,
    "hold-lifted": People.hold,
    "case-disposed": People.dispose,
    "case-disposed-again": People.dispose,
    "mediators-registered": People.register,
    "mediators-proposed": People.propose,
    "charter-filed": People.file_charter,
    "consent-active": People.consent,
    "consent-paused": People.consent,
    "consent-withdrawn": People.consent,
    "link-made-to-participate": People.make_link,
    "link-made-to-upload": People.make_link,
    "link-claimed": People.claim,
    "link-replaced": People.end_link,
    "link-misused": People.end_link,
    "claim-verified": People.verify_claim,
    "second-claim-refused": People.try_claimed,
    "passphrase-tries-limited": People.try_claimed,
}
