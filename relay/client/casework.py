"""What a mediator does with cases: open and change them, make links and end them, verify who claimed one."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from relay.client import charters
from relay.client.charters import OpenCase, People, valid_now
from relay.client.connection import Connection, SignedConnection
from relay.client.linking import LinkPurpose, make_link, open_claim_key, sign_ending
from relay.client.records import BrokenRecord, Fault, Record, checking
from relay.client.seen import SeenCharters
from relay.client.verifying import trust_of
from relay.crypto import age, chain, statements
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import ChainError, EncodingError, KeyInvalidError, LinkError
from relay.crypto.keyrings import Keyring
from relay.crypto.links import ANCHOR_BYTES, LinkSecret, link_url
from relay.crypto.signing import statement_hash
from relay.crypto.statements import Policy
from relay.crypto.trust import Trust
from relay.crypto.verified import VerifiedCharter, VerifiedParticipant
from relay.domain.cases import (
    CaseHolds,
    CaseRegistration,
    CaseView,
    Certificate,
    CharterFiling,
    Charters,
    Closing,
    NewHold,
)
from relay.domain.credentials import Credentials, NewKeyring
from relay.domain.links import LinkRecord, NewVerification
from relay.domain.sessions import SignedRequest

DEFAULT_POLICY: Final = Policy(
    approvals=1, captions="optional", server_processing=True, retention_days=365
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CheckedClaim:
    """A claim whose maker held the link: what is left to do is to hear from the person that it is theirs."""

    record: LinkRecord
    claim: statements.Claim
    claim_hash: bytes
    """32 bytes; the four words that the person reads out come from it."""


class Casework:
    """Somebody with a mediator's credential; what relay says of keys is verified up to the pinned root."""

    def __init__(
        self,
        connection: Connection,
        keyring: Keyring,
        credential_id: uuid.UUID,
        *,
        root_fingerprint: bytes,
        audience: str,
        seen: SeenCharters | None = None,
    ) -> None:
        """`seen`: where the charters that were seen are remembered; in memory alone by default."""
        self.session = SignedConnection(connection, keyring.signer, audience)
        self.keyring = keyring
        self._root_fingerprint = root_fingerprint
        self._audience = audience
        self._seen = seen or SeenCharters()
        self._cases: dict[uuid.UUID, OpenCase] = {}
        self.credential_id = credential_id

    async def keep_keyring(self, sealed: bytes) -> None:
        """Have relay store one's keys behind their passphrase, for a lost laptop and for the case system."""
        await self.session.call("PUT", "/v1/keyring", body=NewKeyring(keyring=sealed))

    # Cases.

    async def register_case(self, case_id: uuid.UUID, registration: CaseRegistration) -> CaseView:
        """Make a case known, with this mediator assigned to it."""
        return await self.session.call(
            "PUT", f"/v1/cases/{case_id}", body=registration, into=CaseView
        )

    async def read_case(self, case_id: uuid.UUID) -> CaseView:
        """Who takes part in a case, and what its case system proposes."""
        return await self.session.call("GET", f"/v1/cases/{case_id}", into=CaseView)

    async def trust(self) -> Trust:
        """Everybody the pinned root vouches for."""
        found = await self.session.call("GET", "/v1/credentials", into=Credentials)
        return trust_of(found, self._root_fingerprint)

    async def set_closed(self, case_id: uuid.UUID, *, closed: bool) -> None:
        """Close a case, or open it again."""
        path = f"/v1/cases/{case_id}/closing"
        await self.session.call("PUT", path, body=Closing(closed=closed))

    async def holds(self, case_id: uuid.UUID) -> CaseHolds:
        """What keeps a case from being disposed of."""
        return await self.session.call("GET", f"/v1/cases/{case_id}/holds", into=CaseHolds)

    async def place_hold(self, case_id: uuid.UUID, hold_id: uuid.UUID, hold: NewHold) -> None:
        """Keep a case from being disposed of."""
        await self.session.call("PUT", f"/v1/cases/{case_id}/holds/{hold_id}", body=hold)

    async def lift_hold(self, case_id: uuid.UUID, hold_id: uuid.UUID) -> None:
        """End a hold that a mediator placed."""
        await self.session.call("DELETE", f"/v1/cases/{case_id}/holds/{hold_id}")

    async def certificate(self, case_id: uuid.UUID) -> Certificate:
        """That a case was disposed of, signed by a media worker."""
        return await self.session.call("GET", f"/v1/cases/{case_id}/disposal", into=Certificate)

    async def open_case(
        self,
        case_id: uuid.UUID,
        *,
        colleagues: Sequence[uuid.UUID] = (),
        policy: Policy = DEFAULT_POLICY,
    ) -> OpenCase:
        """Make the case an identity, seal it to its mediators and to recovery, and sign the first charter.

        Where no case system registered who may open it, the mediator signs that, too.
        """
        trust = await self.trust()
        found = await self.charters(case_id)
        registration = found.registration or charters.register(
            self.keyring.signer, case_id, [self.credential_id]
        )
        people = People(
            mediators=[trust.authorities[c] for c in (self.credential_id, *colleagues)],
            media=valid_now(trust, "media"),
            recovery=valid_now(trust, "recovery"),
        )
        filing = charters.first_charter(self.keyring.signer, case_id, registration, people, policy)
        await self._file(case_id, filing)
        return await self.case(case_id)

    async def change_charter(
        self,
        case_id: uuid.UUID,
        *,
        mediators: Sequence[uuid.UUID] | None = None,
        policy: Policy | None = None,
    ) -> None:
        """Sign the next charter: other mediators or rules, and the media workers and recovery keys of today.

        `mediators` are credentials; None keeps those who are there. Who leaves can read nothing that is
        sealed from then on.
        """
        trust = await self.trust()
        case = await self.case(case_id, again=True)
        listed = case.charter.mediators
        people = People(
            mediators=listed if mediators is None else [trust.authorities[c] for c in mediators],
            media=valid_now(trust, "media"),
            recovery=valid_now(trust, "recovery"),
        )
        await self._file(case_id, charters.next_charter(self.keyring.signer, case, people, policy))

    async def replace_credential(self, case_id: uuid.UUID, old: uuid.UUID, new: uuid.UUID) -> None:
        """Let a mediator with new keys continue in a case: the new credential takes the place of the old one.

        ChainError where the two are not of one person.
        """
        trust = await self.trust()
        if trust.authorities[old].person != trust.authorities[new].person:
            raise ChainError("the credentials of two people")
        case = await self.case(case_id, again=True)
        await self.change_charter(
            case_id,
            mediators=[
                new if mediator.credential == old else mediator.credential
                for mediator in case.charter.mediators
            ],
        )

    async def case(self, case_id: uuid.UUID, *, again: bool = False) -> OpenCase:
        """The verified charter of a case and its identities; BrokenTrust where they do not fit each other."""
        if again or case_id not in self._cases:
            found = await self.charters(case_id)
            self._cases[case_id] = charters.open_charters(
                await self.trust(), found, case_id, self.keyring.identity, self._seen
            )
        return self._cases[case_id]

    async def charters(self, case_id: uuid.UUID) -> Charters:
        """What relay says of the charters of a case; not verified here."""
        return await self.session.call("GET", f"/v1/cases/{case_id}/charters", into=Charters)

    async def _file(self, case_id: uuid.UUID, filing: CharterFiling) -> None:
        await self.session.call("POST", f"/v1/cases/{case_id}/charters", body=filing)
        self._cases.pop(case_id, None)

    # Links.

    async def make_link(
        self,
        case_id: uuid.UUID,
        participant_id: uuid.UUID,
        purpose: LinkPurpose = "participate",
    ) -> str:
        """The address of a new link; relay has no part of its secret that it could open."""
        case = await self.case(case_id, again=True)
        made = make_link(
            self.keyring.signer,
            charter=case.charter,
            participant_id=participant_id,
            purpose=purpose,
            public_url=self._audience,
            root_fingerprint=self._root_fingerprint,
            maker=str(self.keyring.identity.recipient),
        )
        await self.session.call("PUT", f"/v1/links/{made.link_id}", body=made.new)
        return made.url

    async def links(self, case_id: uuid.UUID) -> list[LinkRecord]:
        """The links of a case."""
        return await self.session.call("GET", f"/v1/cases/{case_id}/links", into=list[LinkRecord])

    async def show_link_again(self, case_id: uuid.UUID, link_id: uuid.UUID) -> str:
        """The address of a link that one made oneself and that nobody has claimed yet; LookupError else.

        BrokenRecord where the link does not hold.
        """
        case = await self.case(case_id)
        record = await self._link(case_id, link_id)
        if record.again is None:
            raise LookupError("somebody else's link, or claimed by now")
        with checking(Record.LINK):
            link = chain.verify_link(record.statement, case.charter)
            secret = LinkSecret(age.open_file(record.again, [self.keyring.identity]))
            chain.check_link_secret(link, secret)
        anchor = b64u_decode(link.charter)[:ANCHOR_BYTES]
        return link_url(self._audience, link.link, secret, self._root_fingerprint, anchor)

    async def end_link(
        self, case_id: uuid.UUID, link_id: uuid.UUID, reason: Literal["replaced", "misused"]
    ) -> None:
        """End a link. `misused`: somebody else used it, and nothing that came through it counts."""
        record = await self._link(case_id, link_id)
        statement = sign_ending(self.keyring.signer, case_id, record, reason)
        await self.session.call(
            "PUT", f"/v1/links/{link_id}/ending", body=SignedRequest(statement=statement)
        )

    async def claims_to_verify(self, case_id: uuid.UUID) -> list[LinkRecord]:
        """The links that somebody claimed, that have not ended, and whose claim nobody has verified."""
        return [
            record
            for record in await self.links(case_id)
            if record.claim is not None and record.verification is None and not record.ended
        ]

    async def check_claim(self, case_id: uuid.UUID, link_id: uuid.UUID) -> CheckedClaim:
        """A claim whose maker held the link, and whose keys can be used; BrokenRecord for any other.

        What is wrong with one claim says nothing of any other.
        """
        case = await self.case(case_id, again=True)
        record = await self._link(case_id, link_id)
        if record.claim is None or record.sealed is None:
            raise LookupError("nobody has claimed this link")
        with checking(Record.CLAIM):
            if record.ended or record.endings:
                raise ChainError("this link has ended")
            link = chain.verify_link(record.statement, case.charter)
            chain.check_sealed_claim_key(link, record.sealed)
            claim = chain.verify_claim(record.claim, link)
            _check_mac(claim, open_claim_key(record.sealed, case.identities))
            _check_usable(claim.recipient)
        return CheckedClaim(record=record, claim=claim, claim_hash=statement_hash(record.claim))

    async def verify_claim(self, case_id: uuid.UUID, link_id: uuid.UUID) -> CheckedClaim:
        """Sign that this claim is the participant's own: one has checked it, and has heard it from them.

        The other links that the participant claimed end with it.
        """
        checked = await self.check_claim(case_id, link_id)
        earlier = [
            record
            for record in await self.links(case_id)
            if record.participant == checked.claim.participant
            and record.link != link_id
            and record.claim is not None
            and not record.endings
        ]
        statement = statements.sign(
            self.keyring.signer,
            statements.Verification(
                case=case_id,
                claim=b64u_encode(checked.claim_hash),
                participant=checked.claim.participant,
                recipient=checked.claim.recipient,
                at=datetime.now(UTC),
            ),
        )
        signer = self.keyring.signer
        endings = [sign_ending(signer, case_id, record, "replaced") for record in earlier]
        await self.session.call(
            "POST",
            "/v1/verifications",
            body=NewVerification(statement=statement, endings=endings),
        )
        return checked

    async def recipient_claim(
        self, case_id: uuid.UUID, participant_id: uuid.UUID
    ) -> VerifiedParticipant:
        """The keys of a participant whose claim a mediator has verified; LookupError where there are none.

        BrokenRecord where they do not hold.
        """
        case = await self.case(case_id)
        now = datetime.now(UTC)
        for record in reversed(await self.links(case_id)):
            if record.participant == participant_id and record.verification and not record.ended:
                return verify_recipient(way_in(record), case.charter, now)
        raise LookupError("no mediator has verified a claim of this participant")

    async def _link(self, case_id: uuid.UUID, link_id: uuid.UUID) -> LinkRecord:
        for record in await self.links(case_id):
            if record.link == link_id:
                return record
        raise LookupError("no such link in this case")


def verify_recipient(
    compacts: Iterable[str], charter: VerifiedCharter, at: datetime
) -> VerifiedParticipant:
    """A participant's keys to seal for, from the statements of their way in; BrokenRecord otherwise."""
    with checking(Record.CLAIM):
        keys = chain.verify_participant(compacts, charter, at)
        _check_usable(keys.recipient)
    return keys


def _check_mac(claim: statements.Claim, claim_key: bytes) -> None:
    try:
        chain.check_claim_mac(claim, claim_key)
    except LinkError:
        raise BrokenRecord(Record.CLAIM, Fault.NOT_FROM_LINK) from None


def _check_usable(recipient: str) -> None:
    """BrokenRecord where nothing can be sealed for a recipient that has the form of one."""
    try:
        age.wrap_header(age.new_file_key(), [age.parse_recipient(recipient)])
    except (EncodingError, KeyInvalidError):
        raise BrokenRecord(Record.CLAIM, Fault.UNUSABLE_KEY) from None


def way_in(record: LinkRecord) -> Iterable[str]:
    """The statements of a link, as its origin is verified from them."""
    found = (record.statement, record.claim, record.verification, *record.endings)
    return [compact for compact in found if compact is not None]
