"""A certificate of disposal is a media worker's of this organization, of its time and of this case."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

import pytest

from relay.crypto.disposals import verify_disposal
from relay.crypto.errors import ChainError, StatementError
from relay.crypto.signing import Signer
from relay.crypto.statements import Disposal, Revocation, sign
from relay.crypto.trust import establish_trust
from tests.vectors import people
from tests.vectors.walk_table import SIGNERS

AT: Final = people.noon_and(60)
CERTIFICATE: Final = Disposal(
    case=people.CASE,
    charter=people.hash_of(people.CHARTER_1),
    closed=people.NOON,
    rows=7,
    head=people.digest("the last row"),
    messages=2,
    parts=3,
    size=400,
    at=AT,
)
VOUCHED: Final = [
    person.compact for person in (people.ANNA, people.WORKER, people.SERVICE, people.RECOVERY)
]
WORKER: Final = people.WORKER.keyring.signer
ROOTS: Final = [people.ROOT.public_key]


@pytest.mark.parametrize("name", SIGNERS)
def test_only_a_media_worker_signs_it(name: str) -> None:
    """Nobody else whom a root vouches for, no participant, and no root."""
    trust = establish_trust(ROOTS, VOUCHED)
    compact = sign(SIGNERS[name], CERTIFICATE)
    if name == "a worker":
        assert verify_disposal(trust, compact, people.CASE) == CERTIFICATE
    else:
        with pytest.raises(ChainError):
            verify_disposal(trust, compact, people.CASE)


def test_a_worker_of_another_root_does_not() -> None:
    """Its credential is set aside, and with it what it signs."""
    trust = establish_trust([Signer.generate().public_key], VOUCHED)
    with pytest.raises(ChainError):
        verify_disposal(trust, sign(WORKER, CERTIFICATE))


@pytest.mark.parametrize("way", ["after its end", "before its beginning", "revoked"])
def test_its_time_is_one_at_which_the_worker_could_sign(way: str) -> None:
    """As of everything that somebody signs with a credential."""
    revoked = Revocation(
        credential=people.WORKER.credential.credential, at=AT - timedelta(minutes=1)
    )
    trust = establish_trust(
        ROOTS, VOUCHED, [people.sign(people.ROOT, revoked)] if way == "revoked" else []
    )
    at = {
        "after its end": people.WORKER.credential.not_after,
        "before its beginning": people.WORKER.credential.not_before - timedelta(seconds=1),
        "revoked": AT,
    }[way]
    with pytest.raises(ChainError):
        verify_disposal(trust, people.resigned(WORKER, CERTIFICATE, at=at))


def test_it_is_of_the_case_that_is_asked_for() -> None:
    """The certificate of one case says nothing of another."""
    trust = establish_trust(ROOTS, VOUCHED)
    with pytest.raises(ChainError):
        verify_disposal(trust, sign(WORKER, CERTIFICATE), uuid.uuid4())


def test_a_rendition_is_no_certificate() -> None:
    """The type is part of what is signed."""
    trust = establish_trust(ROOTS, VOUCHED)
    with pytest.raises(StatementError):
        verify_disposal(trust, sign(WORKER, people.RENDITION))
