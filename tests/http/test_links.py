"""Links and claims: who made them shows, who claimed them shows, and a forged one opens no gate."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from relay.client.connection import Problem
from relay.client.participant import Participant
from relay.client.records import BrokenRecord, Fault, Record
from relay.crypto import age, statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyrings import generate_keyring
from relay.crypto.links import LinkSecret, auth_digest, claim_mac, parse_link_url
from relay.crypto.signing import Signer
from relay.domain.links import LinkRecord
from relay.testing.people import (
    Case,
    Organization,
    open_case,
    register_case,
    verify_everybody,
)
from tests.support.requests import Answer, ask, caller_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """Makes links and claims by hand."""

    case: Case
    people: Organization
    case_recipient: str
    charter: str

    def link(
        self, by: Signer, link_id: uuid.UUID, secret: LinkSecret, **changes: object
    ) -> dict[str, object]:
        """A signed link with its sealed claim key, as it is sent."""
        claim_key = secret.claim_key(link_id)
        sealed = age.seal_file(claim_key, [age.parse_recipient(self.case_recipient)])
        said: dict[str, object] = {
            "link": link_id,
            "case": self.case.case_id,
            "charter": self.charter,
            "participant": self.case.harmed.participant_id,
            "purpose": "participate",
            "auth": b64u_encode(auth_digest(secret.auth(link_id))),
            "signer": None,
            "sealed": b64u_encode(hashlib.sha256(sealed).digest()),
            "expires": None,
            "at": datetime.now(UTC),
        }
        statement = statements.sign(by, statements.Link(**{**said, **changes}))  # type: ignore[arg-type]
        return {"statement": statement, "sealed": sealed}

    async def claim(self, url: str, *, forged: bool = False, **changes: object) -> Answer:
        """A claim of a link, with a MAC that is right or made without its secret."""
        address, keyring = parse_link_url(url), generate_keyring()
        named: dict[str, object] = {
            "link": address.id,
            "case": self.case.case_id,
            "participant": self.case.harmed.participant_id,
            "recipient": str(keyring.identity.recipient),
            "signer": b64u_encode(keyring.signer.public_key),
            **changes,
        }
        secret = LinkSecret.generate() if forged else address.secret
        mac = claim_mac(secret.claim_key(address.id), **named)  # type: ignore[arg-type]
        said = statements.Claim(**named, mac=b64u_encode(mac), at=datetime.now(UTC))  # type: ignore[arg-type]
        bearer = b64u_encode(address.secret.auth(address.id))
        return await ask(
            self.people.connection,
            "PUT",
            f"/v1/links/{address.id}/claim",
            {
                "statement": statements.sign(keyring.signer, said),
                "keyring": b"opaque",
                "proof_hash": bytes(32),
            },
            bearer=bearer,
        )


@pytest.fixture
async def forge(case: Case, people: Organization) -> Forge:
    """A forge for the case of this test."""
    charter = (await case.mediator.case(case.case_id)).charter
    return Forge(
        case=case,
        people=people,
        case_recipient=charter.recipient,
        charter=b64u_encode(charter.statement_hash),
    )


async def test_a_forged_claim_is_refused_by_the_mediators_reader(case: Case, forge: Forge) -> None:
    """A key that relay put there itself has no MAC: nobody verifies it, and nothing else is touched."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    assert (await forge.claim(url, forged=True)).status == 204

    with pytest.raises(BrokenRecord) as refused:
        await verify_everybody(case.mediator, case.case_id)
    assert (refused.value.record, refused.value.fault) == (Record.CLAIM, Fault.NOT_FROM_LINK)
    sent = await case.responsible.send_letter(case.harmed.participant_id, "Words.")
    leased = await case.mediator.lease(sent.message)
    offered = await case.mediator.offer(await case.mediator.decide(leased, "approve"))
    assert offered.gates == []
    assert [found.message for found in (await case.harmed.correspondence()).received] == [
        sent.message
    ]


async def test_a_claim_is_of_one_link_and_its_participant(case: Case, forge: Forge) -> None:
    """A claim that names another link, case or participant is refused, and the link stays unclaimed."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    for name in ("link", "case", "participant"):
        other: dict[str, Any] = {name: uuid.uuid4()}
        assert (await forge.claim(url, **other)).status == 400, name
    assert (await forge.claim(url)).status == 204
    assert (await forge.claim(url)).status == 409


async def test_a_link_that_nobody_signed_is_refused(case: Case, forge: Forge) -> None:
    """Another's signature, another link, another secret, a stranger's case or participant: refused."""
    caller, link_id, secret = caller_of(case.mediator), uuid.uuid4(), LinkSecret.generate()
    path = f"/v1/links/{link_id}"
    stranger = await forge.people.mediator()
    other = await open_case(forge.people)
    now = datetime.now(UTC)
    for signer, changes, statuses in (
        (Signer.generate(), {}, {422}),
        (caller_of(case.colleague).signer, {}, {422}),
        (caller.signer, {"link": uuid.uuid4()}, {400}),
        (caller.signer, {"sealed": b64u_encode(bytes(32))}, {400}),
        (caller.signer, {"case": other.case_id}, {404}),
        (caller.signer, {"participant": other.harmed.participant_id}, {404}),
        (caller.signer, {"at": now - timedelta(minutes=10)}, {403}),
        (caller.signer, {"charter": b64u_encode(bytes(32))}, {409}),
    ):
        answer = await caller.ask("PUT", path, forge.link(signer, link_id, secret, **changes))
        assert answer.status in statuses, (changes, answer)
    strange = forge.link(caller_of(stranger).signer, link_id, secret)
    assert (await caller_of(stranger).ask("PUT", path, strange)).status == 404

    right = forge.link(caller.signer, link_id, secret)
    assert [(await caller.ask("PUT", path, right)).status for _ in range(2)] == [204, 204]
    again = forge.link(caller.signer, link_id, secret, at=now + timedelta(seconds=5))
    refused = await caller.ask("PUT", path, again)
    assert (refused.status, refused.code) == (409, "link-exists")


@pytest.mark.own_relay
@pytest.mark.tampers
async def test_a_link_of_the_relays_own_is_not_believed(
    case: Case, forge: Forge, database_url: str
) -> None:
    """A link written into the database without a mediator's hand fails anyone who verifies the claims."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    address = parse_link_url(url)
    forged = statements.sign(
        Signer.generate(),
        statements.Link(
            link=address.id,
            case=case.case_id,
            charter=forge.charter,
            participant=case.harmed.participant_id,
            purpose="participate",
            auth=b64u_encode(auth_digest(address.secret.auth(address.id))),
            signer=None,
            sealed=b64u_encode(bytes(32)),
            expires=None,
            at=datetime.now(UTC),
        ),
    )
    digest = hashlib.sha256(forged.encode()).digest()
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "insert into statements values ($1, 'relay-link+jws', 'kid', $2)", digest, forged
    )
    await connection.execute(
        "update links set statement_hash = $1 where link_id = $2", digest, address.id
    )
    await connection.close()
    assert (await forge.claim(url)).status == 204

    with pytest.raises(BrokenRecord) as refused:
        await verify_everybody(case.mediator, case.case_id)
    assert (refused.value.record, refused.value.fault) == (Record.CLAIM, Fault.NOT_SIGNED)


async def test_only_who_holds_a_link_is_shown_it(case: Case, people: Organization) -> None:
    """An unknown link, a wrong bearer, an ended and an expired link: the same answer for all."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    address, other = parse_link_url(url), parse_link_url(case.responsible_url)
    bearer = b64u_encode(address.secret.auth(address.id))
    connection, path = people.connection, f"/v1/links/{address.id}"
    assert (await ask(connection, "GET", path, bearer=bearer)).status == 200

    wrong = b64u_encode(other.secret.auth(other.id))
    answers = [
        await ask(connection, "GET", path, bearer=wrong),
        await ask(connection, "GET", path, bearer="AAAA"),
        await ask(connection, "GET", f"/v1/links/{uuid.uuid4()}", bearer=bearer),
        await ask(connection, "GET", "/v1/links/nothing", bearer=bearer),
    ]
    await case.mediator.end_link(case.case_id, address.id, "replaced")
    answers.append(await ask(connection, "GET", path, bearer=bearer))
    assert {answer.status for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.own_relay
@pytest.mark.tampers
async def test_an_upload_link_ends_with_its_time(
    case: Case, people: Organization, database_url: str
) -> None:
    """After its end the link leads nowhere."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "update links set expires_at = now() - interval '1 second' where purpose = 'upload'"
    )
    await connection.close()
    with pytest.raises(Problem) as refused:
        await Participant.through_upload_link(people.connection, url)
    assert refused.value.status == 404


async def test_a_new_link_takes_the_place_of_a_lost_one(case: Case, people: Organization) -> None:
    """The older way in ends when a mediator has verified the new claim, and not before."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    await people.claim(url)
    assert (await case.harmed.correspondence()).sent == []
    await case.mediator.verify_claim(case.case_id, parse_link_url(url).id)

    with pytest.raises(Problem) as refused:
        await case.harmed.correspondence()
    assert refused.value.status == 401
    with pytest.raises(Problem):
        await people.unlock(case.harmed_url)
    ended = {record.link: record.ended for record in await case.mediator.links(case.case_id)}
    assert ended[parse_link_url(case.harmed_url).id]
    assert not ended[parse_link_url(url).id]


async def test_of_two_links_verified_at_once_one_holds(people: Organization) -> None:
    """Both are claimed; one claim is verified and the other's link ends, never both or neither."""
    mediator = await people.mediator()
    for _ in range(4):
        case_id, harmed_id, _responsible_id = await register_case(people, mediator, mediator)
        await mediator.open_case(case_id)
        urls = [await mediator.make_link(case_id, harmed_id) for _ in range(2)]
        async with asyncio.timeout(30):
            claimed = await asyncio.gather(
                *(people.claim(url) for url in urls),
                return_exceptions=True,
            )
        assert all(isinstance(found, Participant) for found in claimed), claimed
        async with asyncio.timeout(30):
            verified = await asyncio.gather(
                *(mediator.verify_claim(case_id, parse_link_url(url).id) for url in urls),
                return_exceptions=True,
            )
        assert sum(not isinstance(found, BaseException) for found in verified) == 1, verified
        records: list[LinkRecord] = await mediator.links(case_id)
        assert [record.ended for record in records].count(False) == 1
        assert [record.verification is None for record in records].count(False) == 1


async def test_a_claim_is_verified_by_a_mediator_of_the_case_alone(
    case: Case, people: Organization
) -> None:
    """Another's signature, another key or a claim that is not there: refused."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    person = await people.claim(url)
    caller, stranger = caller_of(case.mediator), caller_of(await people.mediator())
    right: dict[str, object] = {
        "case": case.case_id,
        "claim": b64u_encode(person.claim_hash or b""),
        "participant": case.harmed.participant_id,
        "recipient": caller_of(person).recipient,
        "at": datetime.now(UTC),
    }

    earlier = statements.LinkEnding(
        link=parse_link_url(case.harmed_url).id,
        case=case.case_id,
        participant=case.harmed.participant_id,
        reason="replaced",
        at=datetime.now(UTC),
    )

    async def verify(who: str, **changes: object) -> int:
        speaker = {"mediator": caller, "stranger": stranger}[who]
        said = statements.Verification(**{**right, **changes})  # type: ignore[arg-type]
        body = {
            "statement": statements.sign(speaker.signer, said),
            "endings": [statements.sign(speaker.signer, earlier)],
        }
        return (await speaker.ask("POST", "/v1/verifications", body)).status

    other = str(generate_keyring().identity.recipient)
    assert await verify("stranger") == 404
    assert await verify("mediator", recipient=other) == 400
    assert await verify("mediator", participant=uuid.uuid4()) == 404
    assert await verify("mediator", claim=b64u_encode(bytes(32))) == 404
    assert await verify("mediator") == 204
    assert await verify("mediator") == 204
