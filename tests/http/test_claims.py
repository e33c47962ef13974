"""Claims are checked one by one: what somebody makes of one link says nothing of anybody else's."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from datetime import UTC, datetime

import pytest

from relay.client.connection import Problem, SignedConnection
from relay.client.records import BrokenRecord, Fault, Record
from relay.client.sealing import seal_text
from relay.crypto import age, statements
from relay.crypto.encoding import b64u_encode, bech32_encode
from relay.crypto.keyrings import Keyring, generate_keyring
from relay.crypto.links import (
    ANCHOR_BYTES,
    LinkSecret,
    auth_digest,
    claim_mac,
    link_url,
    parse_link_url,
)
from relay.crypto.mlkem768x25519 import RECIPIENT_PREFIX, HybridIdentity
from relay.crypto.verified import Standing
from relay.domain.links import NewLink
from relay.testing.people import Case, Organization
from tests.support.hostile import ENDING, HostileSender
from tests.support.requests import ask, caller_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """Somebody who holds a link of the person harmed, or has only heard of it."""

    case: Case
    people: Organization
    keyring: Keyring

    async def claim(
        self, url: str, *, secret: LinkSecret | None = None, recipient: str | None = None
    ) -> None:
        """Claim a link; with a MAC of another secret, or with another key to seal for."""
        address = parse_link_url(url)
        named = {
            "link": address.id,
            "case": self.case.case_id,
            "participant": self.case.harmed.participant_id,
            "recipient": recipient or str(self.keyring.identity.recipient),
            "signer": b64u_encode(self.keyring.signer.public_key),
        }
        mac = claim_mac((secret or address.secret).claim_key(address.id), **named)  # type: ignore[arg-type]
        said = statements.Claim(**named, mac=b64u_encode(mac), at=datetime.now(UTC))  # type: ignore[arg-type]
        answer = await ask(
            self.people.connection,
            "PUT",
            f"/v1/links/{address.id}/claim",
            {
                "statement": statements.sign(self.keyring.signer, said),
                "keyring": b"opaque",
                "proof_hash": bytes(32),
            },
            bearer=b64u_encode(address.secret.auth(address.id)),
        )
        assert answer.status == 204

    async def write(self) -> uuid.UUID:
        """A letter, signed with the claimed key."""
        sender = await HostileSender.of(self.case)
        signed = SignedConnection(self.people.connection, self.keyring.signer, self.people.audience)
        caller = dataclasses.replace(sender.caller, signed=signed, signer=self.keyring.signer)
        body, message = seal_text(self.case.case_id, "body", "Believe me."), uuid.uuid4()
        own = dataclasses.replace(sender, caller=caller)
        answer = await own.send(message, [body], [body.grant(*sender.to_case)])
        assert answer.status == 200
        return message


def unusable() -> str:
    """A recipient that has the form of one, and that nothing can be sealed for."""
    return f"{RECIPIENT_PREFIX}1{'q' * 1952}"


def low_order() -> str:
    """A recipient whose X25519 half is of low order."""
    sound = HybridIdentity.generate().recipient.public_key
    return bech32_encode(RECIPIENT_PREFIX, sound[:-32] + bytes(32))


async def test_a_claim_that_does_not_hold_stops_no_other(case: Case, people: Organization) -> None:
    """Another MAC, keys that nothing can be sealed for: said of that claim, and the next is verified."""
    wrong: dict[str, tuple[dict[str, object], Fault]] = {
        "another MAC": ({"secret": LinkSecret.generate()}, Fault.NOT_FROM_LINK),
        "a recipient that is none": ({"recipient": unusable()}, Fault.UNUSABLE_KEY),
        "a recipient of low order": ({"recipient": low_order()}, Fault.UNUSABLE_KEY),
    }
    for name, (given, fault) in wrong.items():
        url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
        claimant = Claimant(case=case, people=people, keyring=generate_keyring())
        await claimant.claim(url, **given)  # type: ignore[arg-type]
        again = await case.mediator.make_link(case.case_id, case.responsible.participant_id)
        await people.claim(again)

        links = [one.link for one in await case.mediator.claims_to_verify(case.case_id)]
        assert parse_link_url(url).id in links
        for check in (case.mediator.check_claim, case.mediator.verify_claim):
            with pytest.raises(BrokenRecord) as refused:
                await check(case.case_id, parse_link_url(url).id)
            assert (refused.value.record, refused.value.fault) == (Record.CLAIM, fault), name
            assert refused.value.says("fr") != refused.value.says("en")
        checked = await case.mediator.verify_claim(case.case_id, parse_link_url(again).id)
        assert checked.claim.participant == case.responsible.participant_id


async def test_a_letter_of_keys_that_do_not_hold_is_returned_declined_or_held(
    case: Case, people: Organization
) -> None:
    """It is nobody's words, it is approved by nobody, and it does not stay in the queue for good."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    claimant = Claimant(case=case, people=people, keyring=generate_keyring())
    await claimant.claim(url, secret=LinkSecret.generate())
    for state, decision in ENDING.items():
        leased = await case.mediator.lease(await claimant.write())
        assert (await case.mediator.verify(leased)).standing is Standing.UNVERIFIED
        with pytest.raises(Problem) as refused:
            await case.mediator.decide(leased, "approve")
        assert refused.value.code == "sender-unverified"
        decided = await case.mediator.decide(leased, decision, reason="unclear", words="Call me.")
        assert decided.state is state
    sound = await case.responsible.send_letter(case.harmed.participant_id, "Words.")
    assert await case.mediator.read_letter(await case.mediator.lease(sound.message)) == "Words."


@pytest.mark.parametrize("claim_key", [b"", b"short", bytes(33), b"\xff" * 4096])
async def test_a_link_that_seals_no_key_stops_no_other(
    case: Case, people: Organization, claim_key: bytes
) -> None:
    """A link that was signed well and seals nonsense: its claim is not verified, and the next one is."""
    caller, link_id, own = caller_of(case.mediator), uuid.uuid4(), LinkSecret.generate()
    charter = (await case.mediator.case(case.case_id)).charter
    sealed = age.seal_file(claim_key, [age.parse_recipient(charter.recipient)])
    said = statements.Link(
        link=link_id,
        case=case.case_id,
        charter=b64u_encode(charter.statement_hash),
        participant=case.harmed.participant_id,
        purpose="participate",
        auth=b64u_encode(auth_digest(own.auth(link_id))),
        signer=None,
        sealed=b64u_encode(hashlib.sha256(sealed).digest()),
        expires=None,
        at=datetime.now(UTC),
    )
    new = NewLink(statement=statements.sign(caller.signer, said), sealed=sealed, again=None)
    assert (await caller.ask("PUT", f"/v1/links/{link_id}", new)).status == 204
    anchor = charter.statement_hash[:ANCHOR_BYTES]
    await people.claim(
        link_url(people.audience, link_id, own, people.administrator.fingerprint, anchor)
    )
    again = await case.mediator.make_link(case.case_id, case.responsible.participant_id)
    await people.claim(again)

    with pytest.raises(BrokenRecord) as refused:
        await case.mediator.verify_claim(case.case_id, link_id)
    assert refused.value.record is Record.CLAIM
    checked = await case.mediator.verify_claim(case.case_id, parse_link_url(again).id)
    assert checked.claim.participant == case.responsible.participant_id
