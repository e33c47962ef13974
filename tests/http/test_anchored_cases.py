"""Every case is anchored: anyone who puts a charter of their own into the database is believed by nobody."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import msgspec
import pytest

from relay.client import charters
from relay.client.casework import DEFAULT_POLICY
from relay.client.charters import People
from relay.client.mediator import Mediator
from relay.client.seen import SeenCharters
from relay.crypto import age, statements
from relay.crypto.errors import ChainError, NoMatchError
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.signing import statement_hash
from relay.domain.cases import CharterFiling
from relay.services.trust import charter as verified_charter
from relay.settings import Settings
from relay.storage.database import Connection, Database
from relay.testing.people import Case, Organization, open_case
from tests.support.requests import caller_of

pytestmark = [pytest.mark.own_relay, pytest.mark.tampers]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Connection]:
    """Write access to the database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Intruder:
    """A mediator of the organization who is not one of this case, with write access to the database."""

    mediator: Mediator
    database: Connection
    identity: HybridIdentity = dataclasses.field(default_factory=HybridIdentity.generate)

    async def put(self, case: Case, version: int, filing: CharterFiling) -> None:
        """Put a charter of one's own in the place of the real one, and of all that follow."""
        await self.database.execute("set session_replication_role = replica")
        said = statements.decode_unverified(filing.statement, statements.Charter)
        digest = await self._keep(filing.statement)
        if filing.registration is not None:
            registration = await self._keep(filing.registration)
            await self.database.execute(
                "update cases set registration_hash = $2 where case_id = $1",
                case.case_id,
                registration,
            )
        await self.database.execute(
            "delete from charters where case_id = $1 and version > $2", case.case_id, version
        )
        await self.database.execute(
            "update charters set statement_hash = $3, recipient = $4, key_file = $5, mediators = $6 "
            "where case_id = $1 and version = $2",
            case.case_id,
            version,
            digest,
            said.recipient,
            filing.key_file,
            [member.credential for member in said.mediators],
        )
        await self.database.execute(
            "update cases set charter_version = $2 where case_id = $1", case.case_id, version
        )

    async def _keep(self, compact: str) -> bytes:
        digest = statement_hash(compact)
        await self.database.execute(
            "insert into statements values ($1, 'forged', 'kid', $2) on conflict do nothing",
            digest,
            compact,
        )
        return digest


async def forged_first(intruder: Intruder, case: Case) -> CharterFiling:
    """A version 1 that lists the real mediators too, registered by the intruder themselves."""
    trust = await intruder.mediator.trust()
    own = trust.authorities[intruder.mediator.credential_id]
    real = [
        trust.authorities[mediator.credential_id] for mediator in (case.mediator, case.colleague)
    ]
    signer = caller_of(intruder.mediator).signer
    return charters.first_charter(
        signer,
        case.case_id,
        charters.register(signer, case.case_id, [own.credential]),
        People(mediators=[own, *real], media=[], recovery=[]),
        DEFAULT_POLICY,
    )


async def test_a_first_charter_of_an_intruder_is_believed_by_no_participant(
    case: Case, people: Organization, database: Connection
) -> None:
    """The link names the case's own charter: anyone who opens it seals nothing to another one."""
    intruder = Intruder(mediator=await people.mediator(), database=database)
    await intruder.put(case, 1, await forged_first(intruder, case))
    for url in (case.harmed_url, case.responsible_url):
        with pytest.raises(ChainError, match="another case"):
            await people.unlock(url)


async def test_a_first_charter_of_an_intruder_is_believed_by_no_mediator_who_saw_the_real_one(
    case: Case, people: Organization, database: Connection
) -> None:
    """A program that remembers the hash of a version accepts only what extends it, also after a restart."""
    intruder = Intruder(mediator=await people.mediator(), database=database)
    await intruder.put(case, 1, await forged_first(intruder, case))
    with pytest.raises(ChainError, match="extend"):
        await case.mediator.case(case.case_id, again=True)


async def test_only_who_was_registered_opens_a_case(
    people: Organization, database: Connection, relay_settings: Settings
) -> None:
    """Where a case system signs, a registration by a mediator is none: for service, worker and newcomer."""
    signing = await people.with_case_system_keys()
    case = await open_case(signing)
    intruder = Intruder(mediator=await people.mediator(), database=database)
    await intruder.put(case, 1, await forged_first(intruder, case))
    newcomer = Mediator(
        people.connection,
        case.mediator.keyring,
        case.mediator.credential_id,
        root_fingerprint=people.administrator.fingerprint,
        audience=people.audience,
    )
    with pytest.raises(ChainError):
        await newcomer.case(case.case_id)
    worker_side = await Database.connect(relay_settings.database_url, connections=1)
    async with worker_side.connection() as connection:
        with pytest.raises(ChainError):
            await verified_charter(connection, relay_settings, case.case_id)
    await worker_side.close()


async def test_a_mediator_who_was_not_registered_cannot_file_the_first_charter(
    people: Organization,
) -> None:
    """Relay refuses at once what its readers would refuse."""
    signing = await people.with_case_system_keys()
    case = await open_case(signing)
    found = await case.mediator.charters(case.case_id)
    registered = statements.decode_unverified(found.registration or "", statements.Registration)
    assert set(registered.mediators) == {
        case.mediator.credential_id,
        case.colleague.credential_id,
    }


async def test_a_second_version_of_a_dismissed_mediator_is_believed_by_nobody(
    case: Case, people: Organization, database: Connection
) -> None:
    """A fork after version 1 does not hold for a link that was made later, nor for who saw version 2."""
    dismissed = case.colleague
    before = await dismissed.case(case.case_id)
    await case.mediator.change_charter(case.case_id, mediators=[case.mediator.credential_id])
    later = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    trust = await dismissed.trust()
    own = trust.authorities[dismissed.credential_id]
    fork = charters.next_charter(
        caller_of(dismissed).signer,
        before,
        People(mediators=[own], media=[], recovery=[]),
        msgspec.structs.replace(before.charter.policy, approvals=1),
    )
    intruder = Intruder(mediator=dismissed, database=database)
    await intruder.put(case, 2, fork)
    with pytest.raises(ChainError):
        await people.claim(later)
    with pytest.raises(ChainError):
        await case.mediator.case(case.case_id, again=True)


async def test_what_was_seen_outlives_the_program(
    case: Case, people: Organization, database: Connection, tmp_path: Path
) -> None:
    """A participant's program with a file remembers versions: an older or another one is refused later."""
    path = tmp_path / "seen.json"
    await case.mediator.change_charter(
        case.case_id,
        mediators=[case.mediator.credential_id, case.colleague.credential_id],
    )
    seen = SeenCharters(path)
    await people.unlock(case.harmed_url, seen=seen)
    await database.execute("set session_replication_role = replica")
    await database.execute("delete from charters where version = 2")
    await people.unlock(case.harmed_url)
    with pytest.raises(ChainError, match="extend"):
        await people.unlock(case.harmed_url, seen=SeenCharters(path))


async def test_a_letter_under_a_charter_that_was_replaced_is_sealed_again(
    case: Case, people: Organization
) -> None:
    """A participant who had not heard of the new charter sends under it in the end, for who is there now."""
    dismissed = await case.colleague.case(case.case_id)
    await case.mediator.change_charter(case.case_id, mediators=[case.mediator.credential_id])
    sent = await case.harmed.send_letter(case.responsible.participant_id, "For you alone.")
    message = await case.mediator.lease(sent.message)
    assert await case.mediator.read_letter(message) == "For you alone."
    said = statements.decode_unverified(message.statement or "", statements.Message)
    latest = (await case.mediator.case(case.case_id)).charter
    assert latest.require_version(said.charter, said.at).version == 2
    for view in message.parts:
        with pytest.raises(NoMatchError):
            age.unwrap_header(view.header or b"", dismissed.identities)
