"""Gives a case that has lost its mediators to another one: signed offline, with a recovery key."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from relay.client import charters
from relay.client.charters import People, valid_now
from relay.client.connection import Connection
from relay.client.seen import SeenCharters
from relay.client.verifying import trust_of
from relay.crypto.errors import ChainError
from relay.crypto.keyrings import Keyring
from relay.domain.cases import CharterFiling
from relay.domain.credentials import CaseFile


def give_case(
    found: CaseFile, keyring: Keyring, to: uuid.UUID, root_fingerprint: bytes
) -> CharterFiling:
    """The next charter of a case, by a recovery key, with `to` (a credential) as its only mediator.

    Anyone who could read before and is not listed any more reads nothing that is sealed from then on.
    ChainError where the case does not verify up to the root, or the new mediator has no valid credential.
    """
    trust = trust_of(found.credentials, root_fingerprint)
    case = charters.open_charters(
        trust, found.charters, found.case, keyring.identity, SeenCharters()
    )
    successor = trust.authorities.get(to)
    if (
        successor is None
        or successor.role != "mediator"
        or not successor.valid_at(datetime.now(UTC))
    ):
        raise ChainError("the root vouches for no mediator with this credential now")
    people = People(
        mediators=[successor],
        media=valid_now(trust, "media"),
        recovery=valid_now(trust, "recovery"),
    )
    return charters.next_charter(keyring.signer, case, people)


async def publish_recovered(
    connection: Connection, case_id: uuid.UUID, filing: CharterFiling
) -> None:
    """Hand a charter that a recovery key signed to relay."""
    await connection.call("POST", f"/v1/cases/{case_id}/charters/recovered", body=filing)
