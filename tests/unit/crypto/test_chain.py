"""From the root to the latest charter of a case: every step holds, and every forged step is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec
import pytest

from relay.crypto.chain import (
    check_anchor,
    check_identities,
    check_seen,
    verify_charter,
    verify_charters,
    verify_link,
)
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError, KeyInvalidError
from relay.crypto.signing import Signer, fingerprint, statement_hash
from relay.crypto.statements import Charter, Link, Revocation, Succession, decode_unverified, sign
from relay.crypto.trust import CLOCK_TOLERANCE, Trust, establish_trust
from relay.crypto.verified import VerifiedCharter
from tests.vectors.people import (
    ANNA,
    ANNA_RENEWED,
    BORIS,
    CASE,
    CASE_IDENTITY,
    CHARTER_1,
    CHARTER_2,
    CHARTER_3,
    CHARTERS,
    CLAIRE,
    CREDENTIALS,
    NEW_CASE_IDENTITY,
    NEW_ROOT,
    NOON,
    RECOVERY,
    REGISTRATION,
    REGISTRATION_COMPACT,
    ROOT,
    SERVICE,
    WORKER,
    Person,
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
OLD, NEW = (str(identity.recipient) for identity in (CASE_IDENTITY, NEW_CASE_IDENTITY))
EVERYBODY = (*CREDENTIALS, ANNA_RENEWED.compact)


def trust_in(credentials: Iterable[str] = EVERYBODY, revocations: Iterable[str] = ()) -> Trust:
    """Everybody whom the root vouches for."""
    return establish_trust([ROOT.public_key], credentials, revocations)


def third(by: Person = BORIS, /, **changes: object) -> str:
    """A third version, at step 200."""
    plain = charter(3, hash_of(CHARTER_2), at=noon_and(200))
    return resigned(by.keyring.signer, plain, **changes)


def with_third(compact: str) -> VerifiedCharter:
    """The case with a third version."""
    return verified_charter(compact, credentials=EVERYBODY)


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
        verify_charter(PIN, forger.public_key, CREDENTIALS, REGISTRATION_COMPACT, CHARTERS)
    own_pin = fingerprint(forger.public_key)
    with pytest.raises(ChainError):
        verify_charter(own_pin, forger.public_key, CREDENTIALS, REGISTRATION_COMPACT, CHARTERS)


def test_a_root_that_is_no_key_is_refused() -> None:
    """A fingerprint of a small-order point does not help."""
    point = b"\x01" + bytes(31)
    with pytest.raises(KeyInvalidError):
        verify_charter(fingerprint(point), point, [], REGISTRATION_COMPACT, CHARTERS)


@pytest.mark.parametrize("pinned", [ROOT, NEW_ROOT], ids=["the old root", "the new root"])
def test_a_case_outlives_its_root(pinned: Signer) -> None:
    """Who pinned either root reads a case that people of the old one opened and one of the new one joined."""
    nora = person("Nora", "mediator", root=NEW_ROOT, begins=510)
    named = {"old": b64u_encode(ROOT.public_key), "new": b64u_encode(NEW_ROOT.public_key)}
    succession = Succession(**named, at=noon_and(500))
    members = [ANNA.member, BORIS.member, nora.member]
    case = verify_charter(
        fingerprint(pinned.public_key),
        pinned.public_key,
        [*CREDENTIALS, nora.compact],
        REGISTRATION_COMPACT,
        [*CHARTERS, third(mediators=members, at=noon_and(520))],
        successions=[sign(ROOT, succession), sign(NEW_ROOT, succession)],
    )
    assert nora.credential.credential in {mediator.credential for mediator in case.mediators}
    late = resigned(
        nora.keyring.signer,
        CLAIRE.link,
        charter=hash_of(third(mediators=members, at=noon_and(520))),
        at=noon_and(530),
    )
    assert verify_link(late, case).at == noon_and(530)


@pytest.mark.parametrize("field", ["not_before", "not_after"])
def test_statements_outside_a_credentials_validity_do_not_count(field: str) -> None:
    """A charter signed before the credential is valid, or after, is refused."""
    shifted = {"not_before": noon_and(2), "not_after": noon_and(1)}[field]
    other = resigned(ROOT, ANNA.credential, **{field: shifted})
    member = msgspec.structs.replace(ANNA.member, statement=hash_of(other))
    first = sign(ANNA.keyring.signer, charter(1, None, mediators=[member]))
    with pytest.raises(ChainError, match="not signed by anybody"):
        verify_charters(trust_in([other, *CREDENTIALS[1:]]), REGISTRATION_COMPACT, [first])


def test_revoked_from_then_on() -> None:
    """What somebody signed up to the second of the revocation counts; later they count for nothing."""
    for revoked_at, holds in ((noon_and(2, -1), False), (noon_and(2), True)):
        revocation = sign(ROOT, Revocation(credential=ANNA.credential.credential, at=revoked_at))
        trust = trust_in(revocations=[revocation])
        if holds:
            charter_now = verify_charters(trust, REGISTRATION_COMPACT, CHARTERS)
            assert [m.credential for m in charter_now.mediators_at(noon_and(2, 1))] == [
                BORIS.credential.credential
            ]
            with pytest.raises(ChainError):
                verify_link(CLAIRE.link_compact, charter_now)
        else:
            with pytest.raises(ChainError):
                verify_charters(trust, REGISTRATION_COMPACT, CHARTERS)


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
        verify_charters(trust_in(), REGISTRATION_COMPACT, charters)


@pytest.mark.parametrize(
    ("by", "changes", "why"),
    [
        (ANNA_RENEWED, {}, "not signed by anybody"),
        (WORKER, {}, "not signed by anybody"),
        (SERVICE, {}, "not signed by anybody"),
        (BORIS, {"previous": digest("another")}, "does not follow"),
        (BORIS, {"version": 4}, "does not follow"),
        (BORIS, {"case": identifier("another case")}, "does not follow"),
        (BORIS, {"at": noon_and(2, -1)}, "does not follow"),
        (BORIS, {"mediators": [WORKER.member], "media": [], "recipient": NEW}, "without that role"),
        (BORIS, {"media": [SERVICE.member]}, "without that role"),
        (BORIS, {"recovery": [ANNA_RENEWED.member]}, "without that role"),
        (BORIS, {"media": [RECOVERY.member], "recovery": []}, "without that role"),
        (
            BORIS,
            {"mediators": [msgspec.structs.replace(BORIS.member, statement=digest("x"))]},
            "another credential",
        ),
        (
            BORIS,
            {"mediators": [msgspec.structs.replace(BORIS.member, credential=identifier("x"))]},
            "without that role",
        ),
        (
            BORIS,
            {"mediators": [ANNA.member, ANNA_RENEWED.member, BORIS.member]},
            "one person as two",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else getattr(value, "name", ""),
)
def test_the_next_charter_is_refused(by: Person, changes: dict[str, object], why: str) -> None:
    """Signed by somebody whom the version before does not let, or with anything that does not follow."""
    with pytest.raises(ChainError, match=why):
        with_third(third(by, **changes))


def test_approvals_are_never_lowered() -> None:
    """Neither a mediator nor a recovery key takes the second approval away."""
    policy = msgspec.structs.replace(charter(2, digest("x")).policy, approvals=1)
    for by in (BORIS, RECOVERY):
        with pytest.raises(ChainError, match="does not follow"):
            with_third(third(by, policy=policy))


def test_the_first_charter_is_signed_by_a_mediator_whom_it_lists() -> None:
    """A mediator who is registered and one who is listed are both needed: the same one."""
    registration = resigned(
        SERVICE.keyring.signer,
        REGISTRATION,
        mediators=[ANNA.credential.credential, BORIS.credential.credential],
    )
    named = charter(1, None, registration=hash_of(registration))
    for by, mediators, holds in (
        (ANNA, [ANNA.member], True),
        (BORIS, [ANNA.member], False),
        (BORIS, [ANNA.member, BORIS.member], True),
        (RECOVERY, [ANNA.member], False),
        (SERVICE, [ANNA.member], False),
    ):
        first = resigned(by.keyring.signer, named, mediators=mediators)
        if holds:
            verify_charters(trust_in(), registration, [first])
        else:
            with pytest.raises(ChainError, match="not signed by anybody"):
                verify_charters(trust_in(), registration, [first])


def test_a_recovery_key_goes_on_for_a_case_that_lost_its_mediators() -> None:
    """With the new mediators that it lists, and everybody sees who put them there."""
    case = with_third(CHARTER_3)
    assert [term.by_recovery for term in case.terms] == [False, False, True]
    assert case.terms[-1].signed_by.credential == RECOVERY.credential.credential
    assert {m.credential for m in case.mediators} == {
        ANNA_RENEWED.credential.credential,
        BORIS.credential.credential,
    }
    assert case.recovery == case.terms[-1].recovery


def test_a_recovery_key_does_nothing_else(case: VerifiedCharter) -> None:
    """It makes no link and decides nothing."""
    with pytest.raises(ChainError):
        verify_link(sign(RECOVERY.keyring.signer, CLAIRE.link), case)
    with pytest.raises(ChainError):
        case.verify_by_mediator(sign(RECOVERY.keyring.signer, CLAIRE.link), Link)


@pytest.mark.parametrize(
    "who",
    [RECOVERY, person("another recovery", "recovery")],
    ids=["one that left", "one that was never listed"],
)
def test_only_the_recovery_keys_of_the_version_before_count(who: Person) -> None:
    """A recovery key that left the case, or is the organization's for other cases, signs no version."""
    without = third(recovery=[], recipient=NEW)
    fourth = resigned(
        who.keyring.signer,
        charter(4, hash_of(without), recipient=NEW, recovery=[], at=noon_and(300)),
    )
    with pytest.raises(ChainError, match="not signed by anybody"):
        verified_charter(
            without,
            fourth,
            credentials=(*CREDENTIALS, person("another recovery", "recovery").compact),
        )


LEAVING: list[dict[str, object]] = [
    {"mediators": [BORIS.member]},
    {"mediators": [ANNA_RENEWED.member, BORIS.member]},
    {"recovery": []},
]


@pytest.mark.parametrize("changes", LEAVING, ids=["leaves", "is renewed", "recovery leaves"])
def test_who_leaves_has_no_identity_of_the_case_any_more(changes: dict[str, object]) -> None:
    """From then on the case has a new recipient; the old one stays among those that it had."""
    with pytest.raises(ChainError, match="identity"):
        with_third(third(**changes))
    case = with_third(third(**changes, recipient=NEW))
    assert (case.recipient, case.recipients) == (NEW, (NEW, OLD))


def test_an_older_recipient_never_comes_back() -> None:
    """Anyone who left may still have it."""
    left = third(mediators=[BORIS.member], recipient=NEW)
    for recipient, holds in ((NEW, True), (OLD, False)):
        fourth = resigned(
            BORIS.keyring.signer,
            charter(
                4, hash_of(left), recipient=recipient, mediators=[BORIS.member], at=noon_and(300)
            ),
        )
        if holds:
            assert verified_charter(left, fourth).recipients == (NEW, OLD)
        else:
            with pytest.raises(ChainError, match="identity"):
                verified_charter(left, fourth)


def test_a_media_worker_leaves_with_no_identity_of_the_case() -> None:
    """It never had one: the recipient may stay."""
    assert with_third(third(media=[])).recipients == (OLD,)


def test_the_anchor_is_of_one_case(case: VerifiedCharter) -> None:
    """The address of a link fixes every version up to the one whose hash it begins."""
    for compact in CHARTERS:
        check_anchor(case, statement_hash(compact)[:16])
    other = resigned(ANNA.keyring.signer, charter(2, hash_of(CHARTER_1)), media=[])
    for anchor in (statement_hash(other)[:16], bytes(16), b"", statement_hash(CHARTER_2)[:15]):
        with pytest.raises(ChainError):
            check_anchor(case, anchor)
    with pytest.raises(ChainError):
        check_anchor(case, statement_hash(CHARTER_2))


def test_what_was_seen_is_not_unseen(case: VerifiedCharter) -> None:
    """A relay that shows an older or another state to who saw a newer one is found out."""
    first, second = (statement_hash(compact) for compact in CHARTERS)
    third_hash = statement_hash(third())
    for seen in ({}, {1: first}, {2: second}, {1: first, 2: second}):
        check_seen(case, seen)
    for seen in ({3: third_hash}, {1: second}, {2: first}, {1: first, 2: third_hash}):
        with pytest.raises(ChainError):
            check_seen(case, seen)
    check_seen(with_third(third()), {1: first, 2: second, 3: third_hash})


def test_a_fork_is_found_by_who_saw_the_other_branch() -> None:
    """Who left signs another third version, dated before they left: only what was seen tells them apart."""
    left = third(mediators=[BORIS.member], recipient=NEW)
    fork = third(ANNA, at=noon_and(199))
    assert with_third(fork).version == with_third(left).version == 3
    with pytest.raises(ChainError):
        check_seen(with_third(fork), {3: statement_hash(left)})
    with pytest.raises(ChainError):
        check_anchor(with_third(fork), statement_hash(left)[:16])


def test_the_identities_are_those_of_the_charters() -> None:
    """All that the case has had, the latest first, and no other."""
    case = with_third(CHARTER_3)
    check_identities(case, [NEW, OLD])
    for recipients in (
        [],
        [NEW],
        [OLD],
        [OLD, NEW],
        [NEW, OLD, OLD],
        [NEW, CLAIRE.claim.recipient],
    ):
        with pytest.raises(ChainError):
            check_identities(case, recipients)


def test_nothing_is_older_than_the_case(case: VerifiedCharter) -> None:
    """A key that was revoked before the case was opened dates nothing back into it."""
    first = hash_of(CHARTER_1)
    begins = noon_and(1)
    service = SERVICE.keyring.signer
    at = begins - CLOCK_TOLERANCE
    assert verify_link(resigned(service, CLAIRE.link, charter=first, at=at), case).at == at
    too_early = resigned(service, CLAIRE.link, charter=first, at=at - dt.timedelta(seconds=1))
    with pytest.raises(ChainError):
        verify_link(too_early, case)


def test_a_charter_is_not_older_than_its_registration() -> None:
    """A mediator who is registered after their credential ended cannot date the first version back."""
    late = resigned(SERVICE.keyring.signer, REGISTRATION, at=noon_and(60))
    first = charter(1, None, registration=hash_of(late), at=noon_and(59))
    revocation = sign(ROOT, Revocation(credential=ANNA.credential.credential, at=noon_and(60)))
    trust = trust_in(revocations=[revocation])
    with pytest.raises(ChainError, match="dated before"):
        verify_charters(trust, late, [sign(ANNA.keyring.signer, first)])


def test_acts_of_earlier_terms_still_stand() -> None:
    """Who left the case is not believed any more, but what they did while they served is."""
    case = with_third(third(mediators=[BORIS.member], recipient=NEW, at=noon_and(1000)))
    link, author = verify_link(CLAIRE.link_compact, case), ANNA.keyring.signer
    assert link == CLAIRE.link
    late = resigned(
        author, CLAIRE.link, charter=b64u_encode(case.statement_hash), at=noon_and(1001)
    )
    with pytest.raises(ChainError):
        verify_link(late, case)


def test_nobody_acts_before_their_term() -> None:
    """Who joined with the third charter did nothing in the case an hour before, clocks allowed for."""
    carol = person("Carol", "mediator")
    joined = noon_and(200)
    compact = third(ANNA, mediators=[ANNA.member, BORIS.member, carol.member], at=joined)
    case = verified_charter(compact, credentials=(*CREDENTIALS, carol.compact))
    hour = dt.timedelta(hours=1)
    signer, named = carol.keyring.signer, hash_of(compact)
    for at in (joined - CLOCK_TOLERANCE, joined, joined + hour):
        assert verify_link(resigned(signer, CLAIRE.link, charter=named, at=at), case).at == at
    for charter_named in (named, hash_of(CHARTER_2)):
        early = resigned(signer, CLAIRE.link, charter=charter_named, at=joined - hour)
        with pytest.raises(ChainError):
            verify_link(early, case)


def test_media_workers_only_where_the_policy_allows_it() -> None:
    """With server processing turned off no sender seals a video for a worker, listed or not."""
    policy = msgspec.structs.replace(charter(2, digest("x")).policy, server_processing=False)
    second = sign(ANNA.keyring.signer, charter(2, hash_of(CHARTER_1), policy=policy))
    case = verify_charters(trust_in(), REGISTRATION_COMPACT, [CHARTER_1, second])
    assert len(case.media) == 1
    assert case.media_at(noon_and(5)) == ()


@pytest.mark.parametrize(
    ("named", "at", "version"),
    [
        (CHARTER_1, noon_and(1), 1),
        (CHARTER_1, noon_and(2, 9), 1),
        (CHARTER_1, noon_and(2, 10), None),
        (CHARTER_2, noon_and(2, -11), None),
        (CHARTER_2, noon_and(2, -10), 2),
        (CHARTER_2, noon_and(9000), 2),
        (CHARTER_3, noon_and(2), None),
    ],
)
def test_what_names_a_charter_was_made_under_it(
    case: VerifiedCharter, named: str, at: dt.datetime, version: int | None
) -> None:
    """The version must be the case's, and in force at the time, give or take the clocks."""
    if version is None:
        with pytest.raises(ChainError, match="another charter"):
            case.require_version(hash_of(named), at)
    else:
        assert case.require_version(hash_of(named), at).version == version


def test_the_chain_is_one_text(case: VerifiedCharter) -> None:
    """A charter signed again with the same content is another version: hashes name the signature too."""
    assert case.terms[0].statement_hash == statement_hash(CHARTER_1)
    by_boris = sign(BORIS.keyring.signer, decode_unverified(CHARTER_3, Charter))
    assert statement_hash(by_boris) != statement_hash(CHARTER_3)
    with pytest.raises(ChainError):
        check_seen(with_third(by_boris), {3: statement_hash(CHARTER_3)})
