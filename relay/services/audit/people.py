"""What the rows of a case say of its people: registration, charters, consents, links and claims."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from relay.crypto import statements
from relay.crypto.encoding import b64u_decode
from relay.crypto.signing import key_id
from relay.crypto.trust import CLOCK_TOLERANCE
from relay.services.audit.expected import ANY, Expected
from relay.services.audit.findings import Code, Report
from relay.services.audit.keys import CaseKeys
from relay.services.audit.rows import Row


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
        self._keys = keys
        self._expected = expected
        self._report = report
        self._before: tuple[int, dt.datetime] | None = None
        """How many approvals the charter before asked for, and until when."""
        self._consents: dict[uuid.UUID, statements.Consent] = {}
        self._consented_at: dict[uuid.UUID, dt.datetime] = {}
        expected.leave_open("participants", consent=None, consent_hash=None, consent_at=None)
        expected.leave_open("case_mediators")
        expected.put(
            "cases",
            case_id,
            charter_version=0,
            approvals=ANY,
            captions_required=ANY,
            server_processing=ANY,
        )

    def consents(self, participant: uuid.UUID | None) -> bool:
        """Whether somebody takes part now."""
        said = None if participant is None else self._consents.get(participant)
        return said is not None and said.status == "active"

    def may_suffice(self, approvals: int, at: dt.datetime) -> bool:
        """Whether so many approvals were enough then; a charter that came at the same time may be late."""
        if approvals >= self.approvals:
            return True
        if self._before is None or at > self._before[1] + CLOCK_TOLERANCE:
            return False
        return approvals >= self._before[0]

    def take(self, row: Row) -> None:
        """Take in what a row says."""
        if (row.seq == 1) != (row.log.kind == "case-registered"):
            self._report.add(
                Code.MOVE_UNKNOWN, "a case is registered once, in its first row", seq=row.seq
            )
        effect = _EFFECTS.get(row.log.kind)
        if effect is not None:
            effect(self, row)

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
        if self.version:
            self._before = (self.approvals, row.at)
        self.version, self.approvals = said.version, said.policy.approvals
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
        )
        self._expected.change(
            "cases",
            self.case_id,
            charter_version=said.version,
            approvals=said.policy.approvals,
            captions_required=self.captions_required,
            server_processing=said.policy.server_processing,
        )
        self._expected.replace("case_mediators", mediators, seq=row.seq)

    def consent(self, row: Row) -> None:
        """A participant goes on, pauses or ends; what was said last counts."""
        said = row.statement(statements.Consent)
        if said is None:
            return
        newest = max(said.at, self._consented_at.get(said.participant, said.at))
        self._consents[said.participant] = said
        self._consented_at[said.participant] = newest
        self._expected.put(
            "participants",
            said.participant,
            seq=row.seq,
            consent=said.status,
            consent_hash=row.digest,
            consent_at=newest,
        )

    def make_link(self, row: Row) -> None:
        """A way in for a participant."""
        said = row.statement(statements.Link)
        if said is None:
            return
        signer = None if said.signer is None else b64u_decode(said.signer)
        self._keys.add_link(said)
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
            sealed=b64u_decode(said.sealed),
            expires_at=said.expires,
            message_id=ANY,
        )

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
        self._keys.add_claim(way, said, row.digest, row.at)
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
        )

    def verify_claim(self, row: Row) -> None:
        """A mediator checked a claim."""
        said = row.statement(statements.Verification)
        if said is None:
            return
        digest = b64u_decode(said.claim)
        way = self._keys.by_claim.get(digest)
        if way is None or way.claim is None or way.verification_hash is not None:
            self._report.add(
                Code.KEY_UNKNOWN, "a verification of a claim that waits for none", seq=row.seq
            )
            return
        if (said.participant, said.recipient) != (way.claim.participant, way.claim.recipient):
            self._report.add(
                Code.STATEMENT_DIFFERS,
                "a verification of another key than the claim's",
                seq=row.seq,
            )
        way.verification_hash = row.digest
        self._expected.change("claims", digest, verification_hash=row.digest)

    def refuse_claim(self, row: Row) -> None:
        """Somebody tried to claim a link that was claimed."""
        way = None if row.actor_id is None else self._keys.ways.get(row.actor_id)
        if way is None or way.claim is None:
            self._report.add(
                Code.KEY_UNKNOWN, "a second claim of a link without a first", seq=row.seq
            )


_EFFECTS: Final[Mapping[str, Callable[[People, Row], None]]] = {
    "charter-filed": People.file_charter,
    "consent-active": People.consent,
    "consent-paused": People.consent,
    "consent-withdrawn": People.consent,
    "link-made-to-participate": People.make_link,
    "link-made-to-upload": People.make_link,
    "link-claimed": People.claim,
    "claim-verified": People.verify_claim,
    "second-claim-refused": People.refuse_claim,
}
