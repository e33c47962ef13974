"""A case whose mediators change: who left stays verifiable, who came can read, who is gone cannot."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime

import msgspec
import pytest

from relay.client.casework import DEFAULT_POLICY
from relay.client.connection import Problem
from relay.crypto import chain, statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError, LinkError
from relay.crypto.links import LinkSecret, link_url, parse_link_url
from relay.crypto.signing import Signer, statement_hash
from relay.testing.people import Case, Organization, open_case
from tests.support.cases import replace_mediators


async def test_what_a_former_mediator_did_stays_verifiable(
    case: Case, people: Organization
) -> None:
    """After both mediators were replaced, a participant still verifies their case; the new one reviews."""
    successor = await people.mediator()
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Why our house?")
    await replace_mediators(case, case.mediator, [successor])

    with pytest.raises(Problem) as gone:
        await case.mediator.lease(sent.message)
    assert gone.value.code == "not-found"

    leased = await successor.lease(sent.message)
    assert await successor.read_letter(leased) == "Why our house?"
    await successor.offer(await successor.decide(leased, "approve"))
    again = await people.unlock(case.responsible_url)
    [waiting] = (await again.correspondence()).received
    received = await again.open(await again.respond(waiting, "accept"))
    assert again.read_text(received) == "Why our house?"


async def test_a_link_that_relay_made_itself_is_noticed_by_whoever_opens_it(
    case: Case, people: Organization
) -> None:
    """A link whose statement belongs to another secret, or that nobody signed, leads nowhere."""
    address = parse_link_url(case.harmed_url)
    wrong = link_url(
        address.public_url,
        address.id,
        LinkSecret.generate(),
        address.root_fingerprint,
        address.anchor,
    )
    with pytest.raises(Problem) as refused:
        await people.unlock(wrong)
    assert refused.value.code == "not-found"

    opened = await case.mediator.case(case.case_id)
    secret, link_id = LinkSecret.generate(), uuid.uuid4()
    forged = statements.sign(
        Signer.generate(),
        statements.Link(
            link=link_id,
            case=case.case_id,
            charter=b64u_encode(opened.charter.statement_hash),
            participant=case.harmed.participant_id,
            purpose="participate",
            auth=b64u_encode(hashlib.sha256(secret.auth(link_id)).digest()),
            signer=None,
            sealed=b64u_encode(bytes(32)),
            expires=None,
            at=datetime.now(UTC),
        ),
    )
    with pytest.raises(ChainError):
        chain.verify_link(forged, opened.charter)
    [record, *_] = await case.mediator.links(case.case_id)
    signed = chain.verify_link(record.statement, opened.charter)
    with pytest.raises(LinkError):
        chain.check_link_secret(signed, secret)


async def test_one_mediator_cannot_be_rid_of_the_second_approval(people: Organization) -> None:
    """A charter that lowers the approvals is refused by the relay, and by every reader if it were not."""
    two = msgspec.structs.replace(DEFAULT_POLICY, approvals=2)
    case = await open_case(people, policy=two)
    with pytest.raises(Problem) as refused:
        await replace_mediators(case, case.mediator, [case.mediator], DEFAULT_POLICY)
    assert refused.value.code == "approvals-lowered"

    trust = await case.mediator.trust()
    found = await case.mediator.charters(case.case_id)
    first = found.charters[0].statement
    said = statements.decode_unverified(first, statements.Charter)
    lowered = msgspec.structs.replace(
        said,
        version=2,
        registration=None,
        previous=b64u_encode(statement_hash(first)),
        policy=DEFAULT_POLICY,
    )
    compact = statements.sign(case.mediator.keyring.signer, lowered)
    with pytest.raises(ChainError):
        chain.verify_charters(trust, found.registration or "", [first, compact])
