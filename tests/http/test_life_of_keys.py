"""A case lives on when people, keys and roots change."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from relay.__main__ import program
from relay.client.administrator import (
    Administrator,
    publish_credential,
    publish_revocation,
    publish_succession,
)
from relay.client.casework import DEFAULT_POLICY
from relay.client.certifying import request_for
from relay.client.connection import Problem
from relay.client.mediator import Mediator
from relay.client.recovery import give_case, publish_recovered
from relay.commands.recovery import Recovered
from relay.crypto import age, statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError, NoMatchError
from relay.crypto.keyfiles import save_keyring_file
from relay.crypto.keyrings import generate_keyring
from relay.crypto.signing import Signer
from relay.domain.cases import CaseRegistration, NewParticipant, ParticipantRole
from relay.services import charters, credentials
from relay.settings import Settings
from relay.storage.database import Database
from relay.testing.people import Case, Organization, open_case, register_case
from tests.support.requests import caller_of

pytestmark = pytest.mark.own_relay


async def read(mediator: Mediator, case: Case, text: str) -> None:
    """The person harmed writes, and this mediator reads it."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, text)
    message = await mediator.read(sent.message)
    await mediator.case(case.case_id, again=True)
    assert await mediator.read_letter(message) == text


async def test_a_mediator_joins_and_reads_what_the_case_has(
    case: Case, people: Organization
) -> None:
    """Who joins reads the letters of before and of after."""
    before = await case.harmed.send_letter(case.responsible.participant_id, "Before.")
    newcomer = await people.mediator()
    await case.mediator.change_charter(
        case.case_id,
        mediators=[
            case.mediator.credential_id,
            case.colleague.credential_id,
            newcomer.credential_id,
        ],
    )
    assert await newcomer.read_letter(await newcomer.read(before.message)) == "Before."
    await read(newcomer, case, "After.")
    assert (await newcomer.case(case.case_id)).charter.version == 2


async def test_a_mediator_leaves_and_reads_nothing_that_is_sealed_from_then_on(
    case: Case,
) -> None:
    """The case gets a new identity: the copy of the old one that they kept opens older letters alone."""
    kept = (await case.colleague.case(case.case_id)).identities
    before = await case.harmed.send_letter(case.responsible.participant_id, "Before.")
    await case.mediator.change_charter(case.case_id, mediators=[case.mediator.credential_id])
    after = await case.harmed.send_letter(case.responsible.participant_id, "After.")

    [old] = [p for p in (await case.mediator.read(before.message)).parts if p.header]
    [new] = [p for p in (await case.mediator.read(after.message)).parts if p.header]
    age.unwrap_header(old.header or b"", kept)
    with pytest.raises(NoMatchError):
        age.unwrap_header(new.header or b"", kept)
    with pytest.raises(Problem):
        await case.colleague.case(case.case_id, again=True)


async def test_the_case_system_asks_for_a_change_and_a_mediator_signs_it(
    case: Case, people: Organization
) -> None:
    """Other mediators after the first charter are a proposal, which the next charter ends."""
    newcomer = await people.mediator()
    wished = [case.mediator.credential_id, newcomer.credential_id]
    registration = CaseRegistration(
        reference=f"case {case.case_id}",
        participants=[
            NewParticipant(participant=case.harmed.participant_id, role=ParticipantRole.HARMED),
            NewParticipant(
                participant=case.responsible.participant_id, role=ParticipantRole.RESPONSIBLE
            ),
        ],
        mediators=wished,
    )
    shown = (await people.case_system.register(case.case_id, registration)).view
    assert (set(shown.proposed_mediators or ()), shown.charter_version) == (set(wished), 1)
    with pytest.raises(Problem):
        await newcomer.case(case.case_id)
    proposed = (await case.mediator.read_case(case.case_id)).proposed_mediators
    await case.mediator.change_charter(case.case_id, mediators=proposed)
    shown = (await people.case_system.register(case.case_id, registration)).view
    assert (shown.proposed_mediators, set(shown.mediators)) == (None, set(wished))
    await read(newcomer, case, "Welcome.")


async def test_renewed_keys_take_over_and_old_keys_read_nothing_new(
    case: Case, people: Organization
) -> None:
    """A mediator brings their case over to new keys of the same person; two people's keys are refused."""
    person = (await case.mediator.trust()).authorities[case.mediator.credential_id].person
    renewed = await people.mediator(person=person)
    old = (await case.mediator.case(case.case_id)).identities
    with pytest.raises(ChainError, match="two people"):
        await case.mediator.replace_credential(
            case.case_id, case.colleague.credential_id, renewed.credential_id
        )
    await case.colleague.replace_credential(
        case.case_id, case.mediator.credential_id, renewed.credential_id
    )
    await read(renewed, case, "With new keys.")
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Newer.")
    [part] = [p for p in (await renewed.read(sent.message)).parts if p.header]
    with pytest.raises(NoMatchError):
        age.unwrap_header(part.header or b"", old)


async def test_one_person_with_two_credentials_is_one_person(people: Organization) -> None:
    """They are not listed twice, and their two signatures are one approval."""
    policy = msgspec.structs.replace(DEFAULT_POLICY, approvals=2)
    case = await open_case(people, policy=policy)
    person = (await case.mediator.trust()).authorities[case.mediator.credential_id].person
    renewed = await people.mediator(person=person)
    with pytest.raises(Problem) as twice:
        await case.mediator.change_charter(
            case.case_id, mediators=[case.mediator.credential_id, renewed.credential_id]
        )
    assert twice.value.code == "charter-invalid"

    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    first = await case.mediator.decide(await case.mediator.lease(sent.message), "approve")
    assert (first.approvals, first.approvals_needed) == (1, 2)
    await case.mediator.replace_credential(
        case.case_id, case.mediator.credential_id, renewed.credential_id
    )
    leased = await renewed.lease(sent.message)
    with pytest.raises(Problem) as again:
        await renewed.decide(leased, "approve")
    assert again.value.code == "approved-already"
    await renewed.let_go(sent.message)
    second = await case.colleague.decide(await case.colleague.lease(sent.message), "approve")
    assert second.approvals == 2


async def test_a_lost_laptop_is_no_lost_case(case: Case, people: Organization) -> None:
    """Another mediator lets the person back in with new keys, after the old credential was revoked."""
    person = (await case.mediator.trust()).authorities[case.colleague.credential_id].person
    before = await case.harmed.send_letter(case.responsible.participant_id, "Before.")
    lost = case.colleague.credential_id
    await publish_revocation(people.connection, lost, people.administrator.sign_revocation(lost))
    back = await people.mediator(person=person)
    await case.mediator.replace_credential(case.case_id, lost, back.credential_id)
    assert await back.read_letter(await back.read(before.message)) == "Before."
    await read(back, case, "After.")


async def test_the_recovery_key_gives_a_case_without_mediators_to_another(
    people: Organization, relay_settings: Settings, tmp_path: Path
) -> None:
    """Offline, by command; the log and every reader show that a recovery key did it."""
    recovery_id, recovery = await people.enrol("recovery")
    only = await people.mediator()
    case_id, harmed_id, responsible_id = await register_case(people, only, only)
    await only.open_case(case_id)
    url = await only.make_link(case_id, harmed_id)
    person = await people.claim(url)
    sent = await person.send_letter(responsible_id, "Who reads this now?")
    await publish_revocation(
        people.connection,
        only.credential_id,
        people.administrator.sign_revocation(only.credential_id),
    )
    successor = await people.mediator()

    database = await Database.connect(relay_settings.database_url, connections=1)
    exported = tmp_path / "case.json"
    exported.write_bytes(
        msgspec.json.encode(await charters.export(database, relay_settings, case_id))
    )
    await database.close()
    save_keyring_file(tmp_path / "recovery.keys", recovery, recovery_id)
    pinned = b64u_encode(people.administrator.fingerprint)
    given = tmp_path / "given.json"
    arguments = [
        *("recovery", "give", str(exported), "--to", str(successor.credential_id)),
        *("--key", str(tmp_path / "recovery.keys"), "--root-fingerprint", pinned),
        *("--output", str(given)),
    ]
    result = CliRunner().invoke(program(), arguments)
    assert result.exit_code == 0, result.output
    recovered = msgspec.json.decode(given.read_bytes(), type=Recovered)
    await publish_recovered(people.connection, case_id, recovered.filing)

    assert await successor.read_letter(await successor.read(sent.message)) == "Who reads this now?"
    charter = (await successor.case(case_id)).charter
    assert [term.by_recovery for term in charter.terms] == [False, True]
    await person.refresh()
    assert person.hand.charter.terms[-1].by_recovery
    log = await caller_of(successor).ask("GET", f"/v1/cases/{case_id}/log")
    rows = log.document["rows"]
    assert isinstance(rows, list)
    assert [row["actor"] for row in rows if row["kind"] == "charter-filed"] == [
        f"mediator:{only.credential_id}",
        f"recovery:{recovery_id}",
    ]


async def test_only_a_recovery_key_of_the_case_gives_it_away(
    case: Case, people: Organization, relay_settings: Settings
) -> None:
    """A recovery key that was made after the charter, a mediator's key and no key at all: refused."""
    later_id, later = await people.enrol("recovery")
    successor = await people.mediator()
    database = await Database.connect(relay_settings.database_url, connections=1)
    found = await charters.export(database, relay_settings, case.case_id)
    await database.close()
    pinned = people.administrator.fingerprint
    with pytest.raises(ChainError, match="no identity opens"):
        give_case(found, later, successor.credential_id, pinned)
    with pytest.raises(ChainError):
        give_case(found, case.mediator.keyring, later_id, pinned)
    filing = give_case(found, case.mediator.keyring, successor.credential_id, pinned)
    with pytest.raises(Problem) as refused:
        await publish_recovered(people.connection, case.case_id, filing)
    assert refused.value.code == "unknown-signer"


async def test_the_root_rotates_and_links_on_paper_go_on_working(
    case: Case, people: Organization, root: Signer
) -> None:
    """After the succession the new root vouches; what the old one signs does not count any more."""
    new_root = Signer.generate()
    for compact in people.administrator.sign_succession(new_root):
        await publish_succession(people.connection, compact)
    old_style = await people.connection.http.get(f"{people.connection.url}/v1/roots")
    assert len((await old_style.json())["roots"]) == 2

    renewed = dataclasses.replace(people, administrator=Administrator(new_root))
    credential_id, keyring = await renewed.enrol("mediator")
    with pytest.raises(Problem) as refused:
        await people.enrol("mediator")
    assert refused.value.code == "unknown-signer"

    dated_back = statements.sign(
        root,
        msgspec.structs.replace(
            statements.decode_unverified(
                people.administrator.sign_credential(
                    request_for(uuid.uuid4(), "mediator", generate_keyring())
                ),
                statements.Credential,
            ),
            at=datetime.now(UTC) - timedelta(days=30),
        ),
    )
    with pytest.raises(Problem) as stolen:
        await publish_credential(people.connection, dated_back)
    assert stolen.value.code == "unknown-signer"

    newcomer = Mediator(
        people.connection,
        keyring,
        credential_id,
        root_fingerprint=renewed.administrator.fingerprint,
        audience=people.audience,
    )
    await case.mediator.change_charter(
        case.case_id, mediators=[case.mediator.credential_id, credential_id]
    )
    await read(newcomer, case, "To the new mediator.")
    for url in (case.harmed_url, case.responsible_url):
        person = await people.unlock(url)
        assert person.hand.charter.version == 2
    url = await newcomer.make_link(case.case_id, case.harmed.participant_id)
    assert (await people.claim(url)).hand.charter.version == 2


async def test_a_case_system_does_not_begin_before_what_mediators_opened(
    case: Case, people: Organization
) -> None:
    """A credential that would void the registration of a case is refused; one that begins later is not."""
    keyring = generate_keyring()
    request = request_for(uuid.uuid4(), "service", keyring)
    with pytest.raises(Problem) as refused:
        await publish_credential(people.connection, people.administrator.sign_credential(request))
    assert refused.value.code == "service-too-early"
    later = people.administrator.sign_credential(
        request, begins=datetime.now(UTC) + timedelta(seconds=1)
    )
    await publish_credential(people.connection, later)
    await asyncio.sleep(2)
    await people.unlock(case.harmed_url)
    await case.mediator.case(case.case_id, again=True)


@pytest.mark.tampers
async def test_a_second_root_beside_the_first_locks_nobody_out(
    relay_settings: Settings, case: Case, people: Organization
) -> None:
    """Credentials of another organization's root are set aside by those who do not pin it."""
    other = Administrator(Signer.generate())
    keyring = generate_keyring()
    request = request_for(case.case_id, "mediator", keyring)
    with pytest.raises(Problem) as unknown:
        await publish_credential(people.connection, other.sign_credential(request))
    assert unknown.value.code == "unknown-signer"
    database = await Database.connect(relay_settings.database_url, connections=1)
    both = dataclasses.replace(
        relay_settings,
        root_public_keys=f"{relay_settings.root_public_keys},{b64u_encode(other.public_key)}",
    )
    await credentials.add(database, both, other.sign_credential(request))
    await database.close()
    await people.unlock(case.harmed_url)
    assert case.case_id not in (await case.mediator.trust()).authorities
    await case.mediator.case(case.case_id, again=True)
