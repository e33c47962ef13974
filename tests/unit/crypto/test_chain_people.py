"""From a charter to a message: links, claims, verifications, and words that are really their sender's."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from relay.crypto.chain import (
    VerifiedCharter,
    check_claim_mac,
    check_link_secret,
    check_sealed_secret,
    verify_claim,
    verify_link,
    verify_message,
    verify_participant,
    verify_relayed_message,
    verify_rendition,
)
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError, LinkError, StatementError
from relay.crypto.links import LinkSecret
from relay.crypto.signing import Signer, sign_statement, statement_hash
from relay.crypto.statements import Charter, Link, Verification, sign
from tests.vectors.cast import (
    ANNA,
    BORIS,
    CASE,
    CLAIRE,
    CREDENTIALS,
    DENIS,
    RENDITION,
    RENDITION_COMPACT,
    SERVICE,
    UPLOAD_ID,
    UPLOAD_LINK,
    UPLOAD_SECRET,
    VIDEO,
    VIDEO_COMPACT,
    WORKER,
    digest,
    hash_of,
    identifier,
    noon_and,
    resigned,
    verified_charter,
)

STRANGER = Signer.from_seed(bytes(32))


@pytest.fixture
def case() -> VerifiedCharter:
    """What a reader knows of the case."""
    return verified_charter()


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
    letter = msgspec.structs.replace(VIDEO, kind="letter", parts=VIDEO.parts[1:])
    compact = sign(ANNA.keyring.signer, letter)
    message, mediator = verify_relayed_message(compact, case, sender=CLAIRE.id)
    assert message == letter
    assert mediator.credential == ANNA.credential.credential
    with pytest.raises(ChainError):
        verify_relayed_message(compact, case, sender=DENIS.id)
    with pytest.raises(ChainError):
        verify_relayed_message(sign(CLAIRE.keyring.signer, letter), case, sender=CLAIRE.id)
    with pytest.raises(ChainError, match="video"):
        verify_relayed_message(sign(ANNA.keyring.signer, VIDEO), case, sender=CLAIRE.id)


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
