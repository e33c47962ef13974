"""An organization and the people of a case: what the demo, the tests and the benchmark begin with."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client.administrator import Administrator, publish_credential
from relay.client.case_system import CaseSystem, ServiceKeys
from relay.client.casework import DEFAULT_POLICY
from relay.client.certifying import request_for
from relay.client.connection import Connection
from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.client.seen import SeenCharters
from relay.crypto.keyrings import PARTICIPANT_WORK_FACTOR_LOG2, Keyring, generate_keyring
from relay.crypto.signing import Signer
from relay.crypto.statements import Policy
from relay.crypto.trust import Role
from relay.domain.cases import CaseRegistration, NewParticipant, ParticipantRole

ISSUER = "https://cases.example"
KEY_ID = "case-system"
PASSPHRASE = "a river under the old bridge"  # noqa: S105 - of invented people


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """Those who run a programme, connected to one relay."""

    connection: Connection
    administrator: Administrator
    case_system: CaseSystem
    audience: str
    """The public address of the relay, which sessions are signed for."""
    work_factor_log2: int = PARTICIPANT_WORK_FACTOR_LOG2
    """Of the keyrings that its participants seal."""

    async def enrol(
        self, role: Role, keyring: Keyring | None = None, *, person: uuid.UUID | None = None
    ) -> tuple[uuid.UUID, Keyring]:
        """Keys with a credential of the root; `person`: whose earlier credential they renew."""
        credential_id = uuid.uuid4()
        keyring = keyring or generate_keyring()
        request = request_for(credential_id, role, keyring, person=person)
        await publish_credential(self.connection, self.administrator.sign_credential(request))
        return credential_id, keyring

    async def with_case_system_keys(self) -> Organization:
        """The same, with a case system that signs: registrations, links and their ends."""
        _credential, keyring = await self.enrol("service")
        keys = ServiceKeys(
            signer=keyring.signer,
            root_fingerprint=self.administrator.fingerprint,
            public_url=self.audience,
        )
        return dataclasses.replace(self, case_system=self.case_system.with_keys(keys))

    async def mediator(self, *, person: uuid.UUID | None = None) -> Mediator:
        """A new mediator; with `person`, one who has a credential already and gets new keys."""
        credential_id, keyring = await self.enrol("mediator", person=person)
        return Mediator(
            self.connection,
            keyring,
            credential_id,
            root_fingerprint=self.administrator.fingerprint,
            audience=self.audience,
        )

    async def claim(self, url: str, passphrase: str = PASSPHRASE) -> Participant:
        """A participant who claims a link."""
        return await Participant.claim(
            self.connection, url, passphrase, work_factor_log2=self.work_factor_log2
        )

    async def unlock(self, url: str, *, seen: SeenCharters | None = None) -> Participant:
        """A participant who comes back through a link that was claimed with `PASSPHRASE`."""
        return await Participant.unlock(
            self.connection, url, PASSPHRASE, seen=seen, work_factor_log2=self.work_factor_log2
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An open case with two mediators, a person harmed and a person responsible who both said yes."""

    case_id: uuid.UUID
    mediator: Mediator
    colleague: Mediator
    harmed: Participant
    responsible: Participant
    harmed_url: str
    responsible_url: str


@asynccontextmanager
async def organization(
    url: str,
    root: Signer,
    token_key: Ed25519PrivateKey,
    *,
    audience: str | None = None,
    work_factor_log2: int = PARTICIPANT_WORK_FACTOR_LOG2,
    keys: ServiceKeys | None = None,
) -> AsyncIterator[Organization]:
    """The organization of `root`, connected to the relay at `url`; `keys` are its case system's own."""
    connection = await Connection.open(url)
    try:
        yield Organization(
            connection=connection,
            administrator=Administrator(root),
            case_system=CaseSystem(connection, token_key, kid=KEY_ID, issuer=ISSUER, keys=keys),
            audience=audience or url,
            work_factor_log2=work_factor_log2,
        )
    finally:
        await connection.close()


async def register_case(
    people: Organization, mediator: Mediator, colleague: Mediator, reference: str | None = None
) -> tuple[uuid.UUID, uuid.UUID, uuid.UUID]:
    """A case of two, registered by the case system: its identifier, and those of the two."""
    case_id, harmed_id, responsible_id = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    await people.case_system.register(
        case_id,
        CaseRegistration(
            reference=reference or f"case {case_id}",
            participants=[
                NewParticipant(participant=harmed_id, role=ParticipantRole.HARMED),
                NewParticipant(participant=responsible_id, role=ParticipantRole.RESPONSIBLE),
            ],
            mediators=[mediator.credential_id, colleague.credential_id],
        ),
    )
    return case_id, harmed_id, responsible_id


async def verify_everybody(mediator: Mediator, case_id: uuid.UUID) -> None:
    """A mediator has heard from everybody who claimed a link that it was really they."""
    for record in await mediator.claims_to_verify(case_id):
        await mediator.verify_claim(case_id, record.link)


async def open_case(
    people: Organization,
    *,
    policy: Policy = DEFAULT_POLICY,
    mediators: tuple[Mediator, Mediator] | None = None,
) -> Case:
    """A case as it is once both have claimed their links, said yes, and a mediator has verified them."""
    mediator, colleague = mediators or (await people.mediator(), await people.mediator())
    case_id, harmed_id, responsible_id = await register_case(people, mediator, colleague)
    await mediator.open_case(case_id, colleagues=[colleague.credential_id], policy=policy)
    harmed_url = await mediator.make_link(case_id, harmed_id)
    responsible_url = await mediator.make_link(case_id, responsible_id)
    harmed = await people.claim(harmed_url)
    responsible = await people.claim(responsible_url)
    for person in (harmed, responsible):
        await person.consent("active")
    await verify_everybody(mediator, case_id)
    return Case(
        case_id=case_id,
        mediator=mediator,
        colleague=colleague,
        harmed=harmed,
        responsible=responsible,
        harmed_url=harmed_url,
        responsible_url=responsible_url,
    )
