"""Links: a lost one and what follows; those that the case system makes."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client.case_system import CaseSystem, ServiceKeys
from relay.client.connection import Problem
from relay.client.records import BrokenRecord, Fault, Record
from relay.crypto.signing import Signer
from relay.testing.people import ISSUER, KEY_ID, Case, Organization, open_case, verify_everybody


async def test_what_was_released_is_granted_again_to_a_new_key(
    case: Case, people: Organization
) -> None:
    """Somebody who lost their passphrase reads a released letter again through a new link."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Why our house?")
    leased = await case.mediator.lease(sent.message)
    approved = await case.mediator.decide(leased, "approve")
    await case.mediator.offer(approved)
    [waiting] = (await case.responsible.correspondence()).received
    await case.responsible.open(await case.responsible.respond(waiting, "accept"))

    url = await case.mediator.make_link(case.case_id, case.responsible.participant_id)
    again = await people.claim(url)
    assert (await again.correspondence()).received == []

    await verify_everybody(case.mediator, case.case_id)
    [unreadable] = (await again.correspondence()).received
    with pytest.raises(BrokenRecord) as refused:
        await again.open(unreadable)
    assert (refused.value.record, refused.value.fault) == (Record.OFFER, Fault.NO_KEY)
    await case.mediator.offer(await case.mediator.read(sent.message))
    [readable] = (await again.correspondence()).received
    assert again.read_text(await again.open(readable)) == "Why our house?"
    with pytest.raises(Problem) as ended:
        await case.responsible.correspondence()
    assert ended.value.code == "unauthenticated"


@pytest.mark.own_relay
async def test_the_case_system_makes_links_that_people_trust(
    people: Organization, token_key: Ed25519PrivateKey
) -> None:
    """A link of the case system is claimed and verified as a mediator's is; without credential, never."""
    signing = await people.with_case_system_keys()
    case = await open_case(signing)
    url = await signing.case_system.make_link(case.case_id, case.harmed.participant_id)
    again = await people.claim(url)
    [record] = await case.mediator.claims_to_verify(case.case_id)
    claim = (await case.mediator.verify_claim(case.case_id, record.link)).claim
    assert claim.participant == again.participant_id

    unknown = ServiceKeys(
        signer=Signer.generate(),
        root_fingerprint=people.administrator.fingerprint,
        public_url=people.audience,
    )
    impostor = CaseSystem(people.connection, token_key, kid=KEY_ID, issuer=ISSUER, keys=unknown)
    with pytest.raises(Problem) as refused:
        await impostor.make_link(case.case_id, case.harmed.participant_id)
    assert refused.value.code == "unknown-signer"
