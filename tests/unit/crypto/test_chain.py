"""The way from the root to a message: every step holds, and every forged step is refused."""

from __future__ import annotations

import datetime as dt
import hashlib

import msgspec
import pytest

from relay.crypto.chain import (
    VerifiedCharter,
    check_claim_mac,
    check_link_secret,
    check_sealed_secret,
    verify_charter,
    verify_charters,
    verify_claim,
    verify_link,
    verify_message,
    verify_participant,
    verify_relayed_message,
    verify_rendition,
)
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError, KeyInvalidError, LinkError, StatementError
from relay.crypto.links import LinkSecret
from relay.crypto.signing import Signer, fingerprint, sign_statement, statement_hash
from relay.crypto.statements import Charter, Link, Revocation, Verification, sign
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
    DENIS,
    NOON,
    RENDITION,
    RENDITION_COMPACT,
    ROOT,
    SERVICE,
    UPLOAD_ID,
    UPLOAD_LINK,
    UPLOAD_SECRET,
    VIDEO,
    VIDEO_COMPACT,
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


def test_links_are_made_by_mediators_and_services(case: VerifiedCharter) -> None:
    """The case system may make links, with its own signature; nobody else may."""
    assert verify_link(CLAIRE.link_compact, case) == CLAIRE.link
    assert verify_link(DENIS.link_compact, case) == DENIS.link
    for signer in (STRANGER, WORKER.keyring.signer, DENIS.keyring.signer):
        with pytest.raises(ChainError):
            verify_link(sign(signer, CLAIRE.link), case)


def test_a_link_leads_into_one_case(case: VerifiedCharter) -> None:
    """A mediator's link of another case is refused here."""
    with pytest.raises(ChainError):
        verify_link(resigned(ANNA.keyring.signer, CLAIRE.link, case=identifier("other")), case)


def test_who_opens_a_link_checks_that_it_is_theirs() -> None:
    """The signed statement must belong to the secret in the address, for both purposes."""
    check_link_secret(CLAIRE.link, CLAIRE.secret)
    check_link_secret(UPLOAD_LINK, UPLOAD_SECRET)
    other = LinkSecret(bytes(16))
    signer = b64u_encode(other.signer(UPLOAD_ID).public_key)
    for link, secret in (
        (CLAIRE.link, other),
        (DENIS.link, CLAIRE.secret),
        (UPLOAD_LINK, other),
        (msgspec.structs.replace(UPLOAD_LINK, signer=signer), UPLOAD_SECRET),
    ):
        with pytest.raises(LinkError):
            check_link_secret(link, secret)


def test_the_sealed_secret_is_the_one_that_was_signed() -> None:
    """The relay cannot hand another sealed secret to the mediators."""
    sealed = b"an age file"
    link = msgspec.structs.replace(CLAIRE.link, sealed=b64u_encode(hashlib.sha256(sealed).digest()))
    check_sealed_secret(link, sealed)
    with pytest.raises(LinkError):
        check_sealed_secret(link, sealed + b"x")


def test_a_claim_is_of_its_link_and_self_signed() -> None:
    """It names link, case and participant, carries its own key, and an upload link is never claimed."""
    assert verify_claim(CLAIRE.claim_compact, CLAIRE.link) == CLAIRE.claim
    with pytest.raises(LinkError):
        verify_claim(CLAIRE.claim_compact, DENIS.link)
    with pytest.raises(StatementError):
        verify_claim(sign(STRANGER, CLAIRE.claim), CLAIRE.link)
    own = msgspec.structs.replace(
        CLAIRE.claim, link=UPLOAD_LINK.link, participant=UPLOAD_LINK.participant
    )
    with pytest.raises(LinkError):
        verify_claim(sign(CLAIRE.keyring.signer, own), UPLOAD_LINK)


def test_the_mac_shows_who_held_the_link() -> None:
    """A relay that claims the link itself, with its own keys, cannot make the MAC."""
    check_claim_mac(CLAIRE.claim, CLAIRE.secret)
    swapped = msgspec.structs.replace(
        CLAIRE.claim,
        recipient=str(BORIS.keyring.identity.recipient),
        signer=b64u_encode(STRANGER.public_key),
    )
    for claim, secret in ((swapped, CLAIRE.secret), (CLAIRE.claim, DENIS.secret)):
        with pytest.raises(LinkError):
            check_claim_mac(claim, secret)


def test_a_participants_keys_stand_on_a_mediators_word(case: VerifiedCharter) -> None:
    """Readers without the link's secret believe a claim that a mediator verified."""
    verified = verify_participant(CLAIRE.claim_compact, CLAIRE.verification_compact, case)
    assert verified == CLAIRE.verified


@pytest.mark.parametrize(
    ("signer", "changes"),
    [
        (CLAIRE.keyring.signer, {}),
        (SERVICE.keyring.signer, {}),
        (STRANGER, {}),
        (BORIS.keyring.signer, {"claim": digest("another claim")}),
        (BORIS.keyring.signer, {"participant": DENIS.id}),
        (BORIS.keyring.signer, {"case": identifier("another case")}),
        (BORIS.keyring.signer, {"recipient": DENIS.claim.recipient}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_other_verifications_do_not_count(
    case: VerifiedCharter, signer: Signer, changes: dict[str, object]
) -> None:
    """By somebody who is no mediator of the case, or of something else than this claim."""
    statement = Verification(
        case=CASE,
        claim=hash_of(CLAIRE.claim_compact),
        participant=CLAIRE.id,
        recipient=CLAIRE.claim.recipient,
        at=noon_and(30),
    )
    with pytest.raises(ChainError):
        verify_participant(CLAIRE.claim_compact, resigned(signer, statement, **changes), case)


def test_a_participants_word_in_another_case_does_not_count(case: VerifiedCharter) -> None:
    """A claim and verification that agree with each other but belong to another case are refused."""
    claim = resigned(CLAIRE.keyring.signer, CLAIRE.claim, case=identifier("another case"))
    verification = Verification(
        case=identifier("another case"),
        claim=hash_of(claim),
        participant=CLAIRE.id,
        recipient=CLAIRE.claim.recipient,
        at=noon_and(30),
    )
    with pytest.raises(ChainError):
        verify_participant(claim, sign(BORIS.keyring.signer, verification), case)


def test_messages_are_their_senders() -> None:
    """Signed by the sender's key, in the sender's name, in this case."""
    signer = CLAIRE.keyring.signer.public_key
    assert verify_message(VIDEO_COMPACT, case=CASE, sender=CLAIRE.id, signer=signer) == VIDEO
    with pytest.raises(ChainError):
        verify_message(VIDEO_COMPACT, case=CASE, sender=DENIS.id, signer=signer)
    with pytest.raises(ChainError):
        verify_message(VIDEO_COMPACT, case=identifier("other"), sender=CLAIRE.id, signer=signer)
    with pytest.raises(StatementError):
        verify_message(
            VIDEO_COMPACT, case=CASE, sender=CLAIRE.id, signer=DENIS.keyring.signer.public_key
        )


def test_an_upload_link_signs_for_its_participant() -> None:
    """What comes through an upload link carries the link's signature."""
    signer = UPLOAD_SECRET.signer(UPLOAD_ID)
    message = msgspec.structs.replace(VIDEO, sender=DENIS.id, recipient=CLAIRE.id)
    compact = sign(signer, message)
    assert UPLOAD_LINK.signer == b64u_encode(signer.public_key)
    read = verify_message(compact, case=CASE, sender=DENIS.id, signer=signer.public_key)
    assert read == message


def test_a_relayed_message_is_a_mediators(case: VerifiedCharter) -> None:
    """A mediator may write down what a participant said; the signature shows who did."""
    compact = sign(ANNA.keyring.signer, VIDEO)
    message, mediator = verify_relayed_message(compact, case, sender=CLAIRE.id)
    assert message == VIDEO
    assert mediator.credential == ANNA.credential.credential
    with pytest.raises(ChainError):
        verify_relayed_message(compact, case, sender=DENIS.id)
    with pytest.raises(ChainError):
        verify_relayed_message(VIDEO_COMPACT, case, sender=CLAIRE.id)


def test_a_rendition_is_a_workers_and_of_this_revision(case: VerifiedCharter) -> None:
    """Signed by a media worker of the charter, about exactly this message statement."""
    source = statement_hash(VIDEO_COMPACT)
    read = verify_rendition(RENDITION_COMPACT, case, message=VIDEO, message_hash=source)
    assert read == RENDITION
    for signer in (ANNA.keyring.signer, CLAIRE.keyring.signer, STRANGER):
        with pytest.raises(ChainError):
            verify_rendition(sign(signer, RENDITION), case, message=VIDEO, message_hash=source)
    for changes in (
        {"source": digest("another")},
        {"revision": 2},
        {"message": identifier("another")},
        {"case": identifier("another case")},
    ):
        other = resigned(WORKER.keyring.signer, RENDITION, **changes)
        with pytest.raises(ChainError):
            verify_rendition(other, case, message=VIDEO, message_hash=source)


def test_one_kind_of_statement_is_never_another(case: VerifiedCharter) -> None:
    """A mediator's charter is no link, even if the payload were one."""
    disguised = sign_statement(ANNA.keyring.signer, Charter.typ, msgspec.json.encode(CLAIRE.link))
    with pytest.raises(StatementError):
        verify_link(disguised, case)
    with pytest.raises(StatementError):
        case.verify_by_mediator(CREDENTIALS[0], Link)
    with pytest.raises(StatementError):
        case.verify_by_media(CREDENTIALS[0], Link)
