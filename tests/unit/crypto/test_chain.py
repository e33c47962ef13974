"""From the root to the latest charter of a case: every step holds, and every forged step is refused."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from relay.crypto.chain import (
    VerifiedCharter,
    verify_charter,
    verify_charters,
    verify_link,
)
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError, KeyInvalidError, StatementError
from relay.crypto.signing import Signer, fingerprint, statement_hash
from relay.crypto.statements import Revocation, sign
from relay.crypto.trust import establish_trust
from tests.vectors.cast import (
    ANNA,
    BORIS,
    CASE,
    CHARTER_1,
    CHARTER_2,
    CHARTERS,
    CLAIRE,
    CREDENTIALS,
    NOON,
    ROOT,
    SERVICE,
    WORKER,
    YEAR,
    charter,
    digest,
    hash_of,
    identifier,
    noon_and,
    person,
    resigned,
    verified_charter,
)

PIN = fingerprint(ROOT.public_key)
STRANGER = Signer.from_seed(bytes(32))


@pytest.fixture
def case() -> VerifiedCharter:
    """What a reader knows of the case."""
    return verified_charter()


def test_the_whole_chain_holds(case: VerifiedCharter) -> None:
    """From the pinned fingerprint to the latest charter: recipient, people and policy."""
    assert (case.case, case.version) == (CASE, 2)
    assert {mediator.credential for mediator in case.mediators} == {
        ANNA.credential.credential,
        BORIS.credential.credential,
    }
    assert [worker.recipient for worker in case.media_at(NOON)] == [WORKER.credential.recipient]
    assert case.policy.approvals == 2
    assert case.statement_hash == statement_hash(CHARTER_2)


def test_another_root_is_refused() -> None:
    """A relay that brings its own root, credentials and charters does not get past the fingerprint."""
    forger = Signer.from_seed(bytes(range(32)))
    with pytest.raises(ChainError, match="root"):
        verify_charter(PIN, forger.public_key, CREDENTIALS, CHARTERS)
    with pytest.raises(ChainError):
        verify_charter(fingerprint(forger.public_key), forger.public_key, CREDENTIALS, CHARTERS)


def test_a_root_that_is_no_key_is_refused() -> None:
    """A fingerprint of a small-order point does not help."""
    point = b"\x01" + bytes(31)
    with pytest.raises(KeyInvalidError):
        verify_charter(fingerprint(point), point, [], CHARTERS)


def test_credentials_count_only_with_the_roots_signature() -> None:
    """A credential signed by a mediator, or altered, spoils the whole set: nothing is passed over."""
    mallory = person("Mallory", "mediator", root=ANNA.keyring.signer)
    with pytest.raises(ChainError):
        establish_trust([ROOT.public_key], [*CREDENTIALS, mallory.compact])
    broken = CREDENTIALS[0][:-2] + ("AA" if CREDENTIALS[0][-2:] != "AA" else "BA")
    with pytest.raises(StatementError):
        establish_trust([ROOT.public_key], [broken])


def test_an_id_or_key_has_one_credential() -> None:
    """Two credentials of one id, or of one signer under two ids, are refused."""
    again = resigned(ROOT, ANNA.credential, not_after=NOON + 2 * YEAR)
    other_id = resigned(ROOT, ANNA.credential, credential=identifier("second Anna"))
    for second in (again, other_id):
        with pytest.raises(ChainError, match="share"):
            establish_trust([ROOT.public_key], [*CREDENTIALS, second])


def test_a_credential_with_a_key_that_is_none_is_refused() -> None:
    """Even the root cannot make a small-order point a signer."""
    weak = resigned(ROOT, ANNA.credential, signer=b64u_encode(b"\x01" + bytes(31)))
    with pytest.raises(KeyInvalidError):
        establish_trust([ROOT.public_key], [weak])


def test_several_roots_may_vouch() -> None:
    """While a root is replaced, credentials of the old and of the new one count side by side."""
    new_root = Signer.from_seed(bytes(range(1, 33)))
    carol = person("Carol", "mediator", root=new_root)
    trust = establish_trust([ROOT.public_key, new_root.public_key], [*CREDENTIALS, carol.compact])
    assert len(trust.authorities) == 6


@pytest.mark.parametrize("field", ["not_before", "not_after"])
def test_statements_outside_a_credentials_validity_do_not_count(field: str) -> None:
    """A charter signed before the credential is valid, or after, is refused."""
    shifted = {"not_before": noon_and(5), "not_after": noon_and(1)}[field]
    other = resigned(ROOT, ANNA.credential, **{field: shifted})
    member = msgspec.structs.replace(ANNA.member, statement=hash_of(other))
    first = sign(ANNA.keyring.signer, charter(1, None, mediators=[member]))
    with pytest.raises(ChainError):
        verify_charters(establish_trust([ROOT.public_key], [other]), [first])


def test_revoked_from_then_on() -> None:
    """What somebody signed before the revocation stands; from its time on they count for nothing."""
    for at, holds in ((noon_and(2), False), (noon_and(3), True)):
        revocation = sign(ROOT, Revocation(credential=ANNA.credential.credential, at=at))
        trust = establish_trust([ROOT.public_key], CREDENTIALS, [revocation])
        if holds:
            charter_now = verify_charters(trust, CHARTERS)
            assert [m.credential for m in charter_now.mediators_at(at)] == [
                BORIS.credential.credential
            ]
            with pytest.raises(ChainError):
                verify_link(CLAIRE.link_compact, charter_now)
        else:
            with pytest.raises(ChainError):
                verify_charters(trust, CHARTERS)


def test_the_earliest_revocation_counts() -> None:
    """Revoking again later does not bring anybody back."""
    early, late = (
        sign(ROOT, Revocation(credential=ANNA.credential.credential, at=noon_and(minute)))
        for minute in (1, 500)
    )
    for revocations in ([early, late], [late, early]):
        trust = establish_trust([ROOT.public_key], CREDENTIALS, revocations)
        with pytest.raises(ChainError):
            verify_charters(trust, [CHARTER_1])


def test_only_a_root_revokes() -> None:
    """A mediator cannot revoke another."""
    forged = sign(
        BORIS.keyring.signer, Revocation(credential=ANNA.credential.credential, at=noon_and(1))
    )
    with pytest.raises(ChainError):
        establish_trust([ROOT.public_key], CREDENTIALS, [forged])


@pytest.mark.parametrize(
    "charters",
    [
        [],
        [CHARTER_2],
        [CHARTER_2, CHARTER_1],
        [CHARTER_1, CHARTER_1],
        [CHARTER_1, CHARTER_2, CHARTER_2],
    ],
    ids=["none", "no first", "reversed", "first again", "second again"],
)
def test_charters_come_whole_and_in_order(charters: list[str]) -> None:
    """No version may be missing, repeated or moved."""
    with pytest.raises(ChainError):
        verify_charter(PIN, ROOT.public_key, CREDENTIALS, charters)


@pytest.mark.parametrize(
    ("signer", "changes"),
    [
        (BORIS.keyring.signer, {}),
        (WORKER.keyring.signer, {}),
        (SERVICE.keyring.signer, {}),
        (STRANGER, {}),
        (ANNA.keyring.signer, {"previous": digest("another")}),
        (ANNA.keyring.signer, {"version": 3}),
        (ANNA.keyring.signer, {"case": identifier("another case")}),
        (ANNA.keyring.signer, {"at": noon_and(0)}),
        (ANNA.keyring.signer, {"mediators": [WORKER.member], "media": []}),
        (ANNA.keyring.signer, {"media": [SERVICE.member]}),
        (
            ANNA.keyring.signer,
            {"mediators": [msgspec.structs.replace(ANNA.member, statement=digest("x"))]},
        ),
        (
            ANNA.keyring.signer,
            {"mediators": [msgspec.structs.replace(ANNA.member, credential=identifier("x"))]},
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_the_next_charter_is_refused(signer: Signer, changes: dict[str, object]) -> None:
    """Signed by somebody who was not a mediator before it, or with anything that does not follow."""
    follows = {"version": 2, "previous": hash_of(CHARTER_1), **changes}
    forged = sign(signer, msgspec.structs.replace(charter(2, digest("x")), **follows))
    with pytest.raises(ChainError):
        verify_charter(PIN, ROOT.public_key, CREDENTIALS, [CHARTER_1, forged])


def test_the_first_charter_is_signed_by_one_of_its_mediators() -> None:
    """A mediator of the organization cannot open a case in the name of another."""
    forged = sign(BORIS.keyring.signer, charter(1, None))
    with pytest.raises(ChainError):
        verify_charter(PIN, ROOT.public_key, CREDENTIALS, [forged])


def test_acts_of_earlier_terms_still_stand() -> None:
    """Who left the case is not believed any more, but what they did while they served is."""
    third = sign(
        BORIS.keyring.signer,
        charter(3, hash_of(CHARTER_2), mediators=[BORIS.member], at=noon_and(1000)),
    )
    case = verify_charter(PIN, ROOT.public_key, CREDENTIALS, [*CHARTERS, third])
    link, author = verify_link(CLAIRE.link_compact, case), ANNA.keyring.signer
    assert link == CLAIRE.link
    late = resigned(author, CLAIRE.link, at=noon_and(1010))
    with pytest.raises(ChainError):
        verify_link(late, case)


def test_nobody_acts_before_their_term() -> None:
    """Who joined with the third charter did nothing in the case an hour before, clocks allowed for."""
    carol = person("Carol", "mediator")
    joined = noon_and(24 * 60)
    members = [ANNA.member, BORIS.member, carol.member]
    third = sign(ANNA.keyring.signer, charter(3, hash_of(CHARTER_2), mediators=members, at=joined))
    case = verify_charter(PIN, ROOT.public_key, [*CREDENTIALS, carol.compact], [*CHARTERS, third])
    a_minute, an_hour = dt.timedelta(minutes=1), dt.timedelta(hours=1)
    signer = carol.keyring.signer
    for at in (joined - a_minute, joined, joined + an_hour):
        assert verify_link(resigned(signer, CLAIRE.link, at=at), case).at == at
    with pytest.raises(ChainError):
        verify_link(resigned(signer, CLAIRE.link, at=joined - an_hour), case)


def test_media_workers_only_where_the_policy_allows_it() -> None:
    """With server processing turned off no sender seals a video for a worker, listed or not."""
    policy = msgspec.structs.replace(charter(2, digest("x")).policy, server_processing=False)
    second = sign(ANNA.keyring.signer, charter(2, hash_of(CHARTER_1), policy=policy))
    case = verify_charter(PIN, ROOT.public_key, CREDENTIALS, [CHARTER_1, second])
    assert len(case.media) == 1
    assert case.media_at(noon_and(5)) == ()
