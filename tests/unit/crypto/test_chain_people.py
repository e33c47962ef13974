"""From a charter to a message: links, claims, verifications, and words that are really their sender's."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib

import msgspec
import pytest

from relay.crypto.chain import (
    check_claim_mac,
    check_link_secret,
    check_sealed_claim_key,
    verify_claim,
    verify_consent,
    verify_link,
    verify_message,
    verify_origin,
    verify_participant,
    verify_relayed_message,
    verify_rendition,
)
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError, LinkError, StatementError
from relay.crypto.links import LinkSecret
from relay.crypto.signing import Signer, sign_statement, statement_hash
from relay.crypto.statements import (
    Captions,
    Charter,
    Link,
    Rendition,
    Verification,
    decode_unverified,
    sign,
)
from relay.crypto.trust import CLOCK_TOLERANCE
from relay.crypto.verified import Standing, VerifiedCharter
from relay.errors import CryptoError
from tests.vectors.people import (
    ANNA,
    BORIS,
    CAPTIONS,
    CHARTER_1,
    CHARTER_2,
    CHARTER_3,
    CLAIRE,
    CLAIRES_CONSENT,
    CLAIRES_CONSENT_COMPACT,
    CREDENTIALS,
    DENIS,
    NEW_CASE_IDENTITY,
    RECOVERY,
    RENDITION,
    RENDITION_COMPACT,
    SERVICE,
    UPLOAD_ID,
    UPLOAD_LINK,
    UPLOAD_LINK_COMPACT,
    UPLOAD_SECRET,
    VIDEO,
    VIDEO_COMPACT,
    WORKER,
    charter,
    digest,
    ending,
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


def test_the_sealed_claim_key_is_the_one_that_was_signed() -> None:
    """The relay cannot hand another sealed claim key to the mediators, nor any for an upload link."""
    sealed = b"an age file"
    link = msgspec.structs.replace(CLAIRE.link, sealed=b64u_encode(hashlib.sha256(sealed).digest()))
    check_sealed_claim_key(link, sealed)
    for of, other in ((link, sealed + b"x"), (UPLOAD_LINK, sealed), (UPLOAD_LINK, b"")):
        with pytest.raises(LinkError):
            check_sealed_claim_key(of, other)


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
    claires, denis = (p.secret.claim_key(p.link.link) for p in (CLAIRE, DENIS))
    check_claim_mac(CLAIRE.claim, claires)
    swapped = msgspec.structs.replace(
        CLAIRE.claim,
        recipient=str(BORIS.keyring.identity.recipient),
        signer=b64u_encode(STRANGER.public_key),
    )
    upload = CLAIRE.secret.claim_key(UPLOAD_ID)
    for claim, key in (
        (swapped, claires),
        (CLAIRE.claim, denis),
        (CLAIRE.claim, upload),
        (CLAIRE.claim, CLAIRE.secret.auth(CLAIRE.link.link)),
    ):
        with pytest.raises(LinkError):
            check_claim_mac(claim, key)


def test_a_link_is_made_under_the_charter_in_force(case: VerifiedCharter) -> None:
    """It names the version of its time: another of the case, or of another case, is refused."""
    for named in (hash_of(CHARTER_1), hash_of(CHARTER_3), digest("another")):
        with pytest.raises(ChainError, match="another charter"):
            verify_link(resigned(ANNA.keyring.signer, CLAIRE.link, charter=named), case)


def test_a_participants_keys_stand_on_a_mediators_word(case: VerifiedCharter) -> None:
    """Readers without the claim key believe a claim that a mediator verified."""
    assert verify_participant(CLAIRE.origin, case, noon_and(40)) == CLAIRE.verified


@pytest.mark.parametrize(
    ("statements", "at", "why"),
    [
        (CLAIRE.origin[:2], noon_and(40), "unverified"),
        (CLAIRE.origin[:1], noon_and(40), "nobody has claimed"),
        ((UPLOAD_LINK_COMPACT,), noon_and(40), "without a claim"),
        ((*CLAIRE.origin, ending(CLAIRE.link)), noon_and(100, 1), "ended"),
        ((*CLAIRE.origin, ending(CLAIRE.link, reason="misused")), noon_and(40), "ended"),
        (CLAIRE.origin, noon_and(19), "before its key"),
    ],
    ids=["unverified", "unclaimed", "an upload link", "replaced", "misused", "before the claim"],
)
def test_nothing_is_sealed_for_other_keys(
    case: VerifiedCharter, statements: tuple[str, ...], at: dt.datetime, why: str
) -> None:
    """A claim that nobody verified, or of a link that ended, has no key to seal for."""
    with pytest.raises(ChainError, match=why):
        verify_participant(statements, case, at)


@pytest.mark.parametrize(
    ("signer", "changes"),
    [
        (CLAIRE.keyring.signer, {}),
        (SERVICE.keyring.signer, {}),
        (RECOVERY.keyring.signer, {}),
        (STRANGER, {}),
        (BORIS.keyring.signer, {"claim": digest("another claim")}),
        (BORIS.keyring.signer, {"participant": DENIS.id}),
        (BORIS.keyring.signer, {"case": identifier("another case")}),
        (BORIS.keyring.signer, {"recipient": DENIS.claim.recipient}),
        (BORIS.keyring.signer, {"at": noon_and(20, -11)}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_other_verifications_do_not_count(
    case: VerifiedCharter, signer: Signer, changes: dict[str, object]
) -> None:
    """By somebody who is no mediator of the case, or of something else than this claim."""
    said = decode_unverified(CLAIRE.verification_compact, Verification)
    passed = CLAIRE.origin[:2]
    with pytest.raises(ChainError):
        verify_participant([*passed, resigned(signer, said, **changes)], case, noon_and(40))


def test_a_participants_word_in_another_case_does_not_count(case: VerifiedCharter) -> None:
    """Link, claim and verification that agree with each other but belong to another case are refused."""
    other = {"case": identifier("another case")}
    claim = resigned(CLAIRE.keyring.signer, CLAIRE.claim, **other)
    said = decode_unverified(CLAIRE.verification_compact, Verification)
    statements = [
        resigned(ANNA.keyring.signer, CLAIRE.link, **other),
        claim,
        resigned(BORIS.keyring.signer, said, claim=hash_of(claim), **other),
    ]
    with pytest.raises(ChainError, match="another case"):
        verify_participant(statements, case, noon_and(40))


def test_who_left_vouches_for_nobody_who_came_later() -> None:
    """A mediator who left may date a verification back, but not to before the claim and its link."""
    third = resigned(
        BORIS.keyring.signer,
        charter(3, hash_of(CHARTER_2), at=noon_and(200)),
        mediators=[BORIS.member],
        recipient=str(NEW_CASE_IDENTITY.recipient),
    )
    case = verified_charter(third)
    link = resigned(SERVICE.keyring.signer, DENIS.link, charter=hash_of(third), at=noon_and(210))
    said = decode_unverified(DENIS.verification_compact, Verification)
    for claimed_at in (noon_and(220), noon_and(199)):
        claim = resigned(DENIS.keyring.signer, DENIS.claim, at=claimed_at)
        back = resigned(ANNA.keyring.signer, said, claim=hash_of(claim), at=noon_and(199))
        with pytest.raises(ChainError, match="dated before"):
            verify_origin([link, claim, back], case)
        honest = resigned(BORIS.keyring.signer, said, claim=hash_of(claim), at=noon_and(230))
        if claimed_at > noon_and(210):
            origin = verify_origin([link, claim, honest], case)
            assert origin.standing_at(noon_and(240)) is Standing.VERIFIED


def test_messages_are_their_senders(case: VerifiedCharter) -> None:
    """Signed by the sender's key, in the sender's name, in this case, under its charter."""
    claire, denis = (verify_origin(p.origin, case) for p in (CLAIRE, DENIS))
    assert verify_message(VIDEO_COMPACT, case, claire) == VIDEO
    with pytest.raises(StatementError):
        verify_message(VIDEO_COMPACT, case, denis)
    signer = CLAIRE.keyring.signer
    for changes in (
        {"sender": DENIS.id, "recipient": CLAIRE.id},
        {"case": identifier("another case")},
        {"charter": hash_of(CHARTER_1)},
        {"charter": hash_of(CHARTER_3)},
        {"at": noon_and(2, -11)},
    ):
        with pytest.raises(ChainError):
            verify_message(resigned(signer, VIDEO, **changes), case, claire)


def test_an_upload_link_signs_for_its_participant(case: VerifiedCharter) -> None:
    """What comes through an upload link carries the link's signature, from the link on until it expires."""
    signer = UPLOAD_SECRET.signer(UPLOAD_ID)
    message = msgspec.structs.replace(VIDEO, sender=DENIS.id, recipient=CLAIRE.id)
    origin = verify_origin([UPLOAD_LINK_COMPACT], case)
    assert verify_message(sign(signer, message), case, origin) == message
    assert origin.standing_at(message.at) is Standing.VERIFIED
    with pytest.raises(ChainError):
        verify_message(sign(signer, VIDEO), case, origin)
    with pytest.raises(ChainError, match="before its key"):
        origin.standing_at(noon_and(14))
    assert UPLOAD_LINK.expires is not None
    assert origin.standing_at(UPLOAD_LINK.expires + CLOCK_TOLERANCE) is Standing.ENDED


def test_consents_are_the_persons_or_recorded(case: VerifiedCharter) -> None:
    """By the verified key of their own way in, by a mediator of the case, or by a service."""
    for signer in (BORIS.keyring.signer, ANNA.keyring.signer, SERVICE.keyring.signer):
        assert verify_consent(sign(signer, CLAIRES_CONSENT), case) == CLAIRES_CONSENT
    assert verify_consent(CLAIRES_CONSENT_COMPACT, case, CLAIRE.origin) == CLAIRES_CONSENT


MISUSED = ending(CLAIRE.link, reason="misused")
REPLACED = ending(CLAIRE.link, at=CLAIRES_CONSENT.at - dt.timedelta(seconds=1))


@pytest.mark.parametrize(
    ("compact", "origin"),
    [
        (CLAIRES_CONSENT_COMPACT, ()),
        (CLAIRES_CONSENT_COMPACT, DENIS.origin),
        (CLAIRES_CONSENT_COMPACT, CLAIRE.origin[:2]),
        (CLAIRES_CONSENT_COMPACT, (*CLAIRE.origin, MISUSED)),
        (CLAIRES_CONSENT_COMPACT, (*CLAIRE.origin, REPLACED)),
        (sign(WORKER.keyring.signer, CLAIRES_CONSENT), ()),
        (sign(RECOVERY.keyring.signer, CLAIRES_CONSENT), ()),
        (sign(STRANGER, CLAIRES_CONSENT), ()),
        (sign(BORIS.keyring.signer, CLAIRES_CONSENT), CLAIRE.origin),
        (resigned(BORIS.keyring.signer, CLAIRES_CONSENT, case=identifier("x")), ()),
        (resigned(CLAIRE.keyring.signer, CLAIRES_CONSENT, case=identifier("x")), CLAIRE.origin),
        (resigned(CLAIRE.keyring.signer, CLAIRES_CONSENT, participant=DENIS.id), CLAIRE.origin),
        (
            resigned(UPLOAD_SECRET.signer(UPLOAD_ID), CLAIRES_CONSENT, participant=DENIS.id),
            (UPLOAD_LINK_COMPACT,),
        ),
    ],
    ids=[
        "no way in",
        "the other's way in",
        "unverified",
        "misused",
        "replaced",
        "a worker's",
        "a recovery key's",
        "a stranger's",
        "a mediator's, as if by the person",
        "recorded in another case",
        "said in another case",
        "of somebody else",
        "through an upload link",
    ],
)
def test_other_consents_do_not_count(
    case: VerifiedCharter, compact: str, origin: tuple[str, ...]
) -> None:
    """By nobody who may, or by a key that nobody verified."""
    with pytest.raises(CryptoError):
        verify_consent(compact, case, origin)


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
    for changes in ({"charter": hash_of(CHARTER_1)}, {"case": identifier("another case")}):
        with pytest.raises(ChainError):
            verify_relayed_message(
                resigned(ANNA.keyring.signer, letter, **changes), case, sender=CLAIRE.id
            )


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
        {"charter": hash_of(CHARTER_1)},
        {"at": noon_and(40, -11)},
    ):
        other = resigned(WORKER.keyring.signer, RENDITION, **changes)
        with pytest.raises(ChainError):
            verify_rendition(other, case, message=VIDEO, message_hash=source)


def test_a_rendition_is_not_under_an_older_charter_than_its_message(case: VerifiedCharter) -> None:
    """It names the message, which names its charter: no clock makes it older than that."""
    message = msgspec.structs.replace(VIDEO, at=noon_and(2))
    source = {"source": hash_of(sign(CLAIRE.keyring.signer, message))}
    for named, holds in ((CHARTER_2, True), (CHARTER_1, False)):
        compact = resigned(
            WORKER.keyring.signer, RENDITION, charter=hash_of(named), at=noon_and(2), **source
        )
        read = functools.partial(
            verify_rendition,
            compact,
            case,
            message=message,
            message_hash=statement_hash(sign(CLAIRE.keyring.signer, message)),
        )
        if holds:
            assert read().at == noon_and(2)
        else:
            with pytest.raises(ChainError, match="older charter"):
                read()


def test_every_reader_of_the_case_asks_for_the_case(case: VerifiedCharter) -> None:
    """A mediator, worker or service of two cases: what they said in one is refused in the other."""
    other = {"case": identifier("another case")}
    with pytest.raises(ChainError, match="another case"):
        case.verify_by_mediator(resigned(ANNA.keyring.signer, CAPTIONS, **other), Captions)
    with pytest.raises(ChainError, match="another case"):
        case.verify_by_media(resigned(WORKER.keyring.signer, RENDITION, **other), Rendition)
    with pytest.raises(ChainError, match="another case"):
        case.verify_by_mediator_or_service(
            resigned(SERVICE.keyring.signer, CLAIRE.link, **other), Link
        )


def test_one_kind_of_statement_is_never_another(case: VerifiedCharter) -> None:
    """A mediator's charter is no link, even if the payload were one."""
    disguised = sign_statement(ANNA.keyring.signer, Charter.typ, msgspec.json.encode(CLAIRE.link))
    with pytest.raises(StatementError):
        verify_link(disguised, case)
    with pytest.raises(StatementError):
        case.verify_by_mediator(CREDENTIALS[0], Link)
    with pytest.raises(StatementError):
        case.verify_by_media(CREDENTIALS[0], Link)
