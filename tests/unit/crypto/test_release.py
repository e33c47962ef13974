"""What a recipient's reader insists on before it opens anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import msgspec
import pytest

from relay.crypto.errors import ChainError
from relay.crypto.fields import Part
from relay.crypto.release import (
    Item,
    SignedConsent,
    check_grant,
    item,
    verify_approvals,
    verify_offer,
)
from relay.crypto.signing import Signer
from relay.crypto.statements import GrantedPart, Offer, sign
from relay.crypto.verified import Standing, VerifiedCharter, VerifiedParticipant
from tests.vectors.people import (
    ANNA,
    ANNA_RENEWED,
    APPROVALS,
    BORIS,
    CAPTIONS,
    CAPTIONS_COMPACT,
    CHARTER_1,
    CHARTER_2,
    CHARTER_3,
    CLAIRE,
    CLAIRES_CONSENT,
    CLAIRES_CONSENT_COMPACT,
    CREDENTIALS,
    DENIS,
    DENIS_CONSENT,
    DENIS_CONSENT_COMPACT,
    GRANT_HEADER,
    NOTE,
    OFFER_COMPACT,
    RECOVERY,
    RENDITION,
    RENDITION_COMPACT,
    SERVICE,
    VIDEO,
    VIDEO_COMPACT,
    WORKER,
    approval,
    digest,
    hash_of,
    identifier,
    noon_and,
    offer,
    part,
    resigned,
    verified_charter,
)


@pytest.fixture
def case() -> VerifiedCharter:
    """What a reader knows of the case."""
    return verified_charter()


CONSENTS = (
    SignedConsent(compact=CLAIRES_CONSENT_COMPACT, origin=CLAIRE.origin),
    SignedConsent(compact=DENIS_CONSENT_COMPACT),
)


def the_video(standing: Standing = Standing.VERIFIED) -> Item:
    """The video with its rendition and captions."""
    return item(
        VIDEO,
        VIDEO_COMPACT,
        (RENDITION, RENDITION_COMPACT),
        (CAPTIONS, CAPTIONS_COMPACT),
        standing=standing,
    )


@pytest.fixture
def video() -> Item:
    """The video, of a sender whom a mediator verified."""
    return the_video()


def offered(
    compact: str,
    case: VerifiedCharter,
    of: Item,
    recipient: VerifiedParticipant = DENIS.verified,
    *,
    decisions: Sequence[str] = APPROVALS,
    consents: Sequence[SignedConsent] = CONSENTS,
) -> Offer:
    """What the recipient's reader makes of an offer."""
    return verify_offer(compact, case, of, recipient, decisions=decisions, consents=consents)


def test_a_released_item_holds(case: VerifiedCharter, video: Item) -> None:
    """Two approvals of this item, an offer of it to this key, and the header that the offer names."""
    assert {a.credential for a in verify_approvals(APPROVALS, case, video, 2)} == {
        ANNA.credential.credential,
        BORIS.credential.credential,
    }
    read = offered(OFFER_COMPACT, case, video)
    assert read == offer()
    for granted in (*RENDITION.parts, NOTE):
        check_grant(read, granted, GRANT_HEADER)


@pytest.mark.parametrize(
    "decisions",
    [
        [],
        [APPROVALS[0]],
        [APPROVALS[0], APPROVALS[0]],
        [APPROVALS[0], approval(ANNA, at=noon_and(61))],
        [APPROVALS[0], approval(BORIS, captions=None)],
        [APPROVALS[0], approval(BORIS, rendition=digest("another"))],
        [APPROVALS[0], approval(BORIS, source=digest("another"))],
        [APPROVALS[0], approval(BORIS, revision=2)],
        [APPROVALS[0], approval(BORIS, message=identifier("another"))],
        [APPROVALS[0], approval(BORIS, decision="hold", reason="readiness")],
        [APPROVALS[0], approval(WORKER)],
        [APPROVALS[0], approval(SERVICE)],
        [APPROVALS[0], approval(RECOVERY)],
        [APPROVALS[0], approval(BORIS, at=noon_and(55, -11))],
        [APPROVALS[0], approval(BORIS, case=identifier("another case"))],
    ],
    ids=[
        "none",
        "one",
        "one twice",
        "one mediator twice",
        "without the captions",
        "another rendition",
        "another message text",
        "another revision",
        "another message",
        "no approval",
        "no mediator",
        "no person",
        "a recovery key",
        "dated before the captions",
        "another case",
    ],
)
def test_too_few_approvals_do_not_release(
    case: VerifiedCharter, video: Item, decisions: list[str]
) -> None:
    """Two different mediators must have approved this very text, rendition and captions."""
    with pytest.raises(ChainError):
        verify_approvals(decisions, case, video, 2)
    with pytest.raises(ChainError):
        offered(OFFER_COMPACT, case, video, decisions=decisions)


def test_two_credentials_of_one_person_are_one_approval(video: Item) -> None:
    """Anyone who has their keys renewed does not become a second mediator."""
    case = verified_charter(CHARTER_3, credentials=(*CREDENTIALS, ANNA_RENEWED.compact))
    renewed = approval(ANNA_RENEWED, at=noon_and(201))
    (approver,) = verify_approvals([APPROVALS[0], renewed], case, video, 1)
    assert approver.person == ANNA.credential.person
    for decisions in ([APPROVALS[0], renewed], [renewed, APPROVALS[0]]):
        with pytest.raises(ChainError):
            verify_approvals(decisions, case, video, 2)
    assert len(verify_approvals([renewed, APPROVALS[1]], case, video, 2)) == 2


def test_as_many_approvals_as_the_charter_of_the_offer_asks_for() -> None:
    """One was enough under the first charter; under the second the same words need two."""
    words = msgspec.structs.replace(
        VIDEO, kind="letter", parts=VIDEO.parts[1:], charter=hash_of(CHARTER_1), at=noon_and(1)
    )
    compact = sign(CLAIRE.keyring.signer, words)
    letter = item(words, compact, standing=Standing.VERIFIED)
    of_letter = {
        "source": hash_of(compact),
        "rendition": None,
        "captions": None,
        "grants": [GrantedPart(commit=words.parts[0].commit, header=digest("header"))],
        "notes": [],
    }
    named = {name: of_letter[name] for name in ("source", "rendition", "captions")}
    early = dataclasses.replace(DENIS.verified, claimed_at=noon_and(1))
    consents = [
        SignedConsent(compact=resigned(ANNA.keyring.signer, said, at=noon_and(1)))
        for said in (CLAIRES_CONSENT, DENIS_CONSENT)
    ]
    named_consents = [hash_of(consent.compact) for consent in consents]
    case = verified_charter()
    for version, at, holds in ((CHARTER_1, noon_and(1, 20), True), (CHARTER_2, noon_and(3), False)):
        one = [approval(ANNA, **named, at=at)]
        statement = sign(
            ANNA.keyring.signer,
            offer(**of_letter, consents=named_consents, charter=hash_of(version), at=at),
        )
        if holds:
            read = offered(statement, case, letter, early, decisions=one, consents=consents)
            assert read.charter == hash_of(version)
        else:
            with pytest.raises(ChainError, match="fewer approvals"):
                offered(statement, case, letter, early, decisions=one, consents=consents)


def test_an_offer_is_not_dated_back_to_when_one_approval_was_enough(case: VerifiedCharter) -> None:
    """It names a message of the second charter, so it was not made under the first one."""
    words = msgspec.structs.replace(VIDEO, kind="letter", parts=VIDEO.parts[1:], at=noon_and(2, 5))
    compact = sign(CLAIRE.keyring.signer, words)
    letter = item(words, compact, standing=Standing.VERIFIED)
    grants = [GrantedPart(commit=words.parts[0].commit, header=digest("header"))]
    named = {"source": hash_of(compact), "rendition": None, "captions": None}
    early = dataclasses.replace(DENIS.verified, claimed_at=noon_and(1))
    back = offer(**named, grants=grants, notes=[], charter=hash_of(CHARTER_1), at=noon_and(2, -1))
    one = [approval(ANNA, **named, at=noon_and(2, -1))]
    with pytest.raises(ChainError, match="older charter"):
        offered(sign(ANNA.keyring.signer, back), case, letter, early, decisions=one)


@pytest.mark.parametrize("standing", [Standing.UNVERIFIED, Standing.ENDED])
def test_words_of_nobody_known_are_not_offered(case: VerifiedCharter, standing: Standing) -> None:
    """Until a mediator has verified who claimed the sender's link, nothing of theirs is released."""
    with pytest.raises(ChainError, match="nobody verified"):
        offered(OFFER_COMPACT, case, the_video(standing))


PAUSED, WITHDRAWN, OTHERS, LATER = (
    sign(BORIS.keyring.signer, msgspec.structs.replace(DENIS_CONSENT, **changes))
    for changes in (
        {"status": "paused"},
        {"status": "withdrawn"},
        {"participant": identifier("somebody else")},
        {"at": noon_and(70, 11)},
    )
)


@pytest.mark.parametrize(
    ("consents", "named"),
    [
        ((), None),
        (CONSENTS[:1], None),
        (CONSENTS[1:], None),
        (
            (SignedConsent(compact=CLAIRES_CONSENT_COMPACT), CONSENTS[1]),
            None,
        ),
        (
            (SignedConsent(compact=CLAIRES_CONSENT_COMPACT, origin=CLAIRE.origin[:2]), CONSENTS[1]),
            None,
        ),
        (CONSENTS, [DENIS_CONSENT_COMPACT, CLAIRES_CONSENT_COMPACT]),
        (CONSENTS, [CLAIRES_CONSENT_COMPACT, PAUSED]),
        *(
            ((CONSENTS[0], SignedConsent(compact=said)), [CLAIRES_CONSENT_COMPACT, said])
            for said in (PAUSED, WITHDRAWN, OTHERS, LATER)
        ),
    ],
    ids=[
        "none",
        "the sender's alone",
        "the recipient's alone",
        "without the way in",
        "of a claim that nobody verified",
        "exchanged",
        "another than was given",
        "paused",
        "withdrawn",
        "somebody else's",
        "given after the offer",
    ],
)
def test_an_offer_rests_on_the_consents_of_both(
    case: VerifiedCharter,
    video: Item,
    consents: Sequence[SignedConsent],
    named: Sequence[str] | None,
) -> None:
    """Of exactly these two people, active, given before, and signed by who may."""
    changes = {} if named is None else {"consents": [hash_of(compact) for compact in named]}
    compact = sign(BORIS.keyring.signer, offer(**changes))
    with pytest.raises(ChainError):
        offered(compact, case, video, consents=consents)


def test_consents_that_the_offer_does_not_name_do_not_matter(
    case: VerifiedCharter, video: Item
) -> None:
    """A reader may be given all that were ever signed."""
    others = [SignedConsent(compact=said) for said in (PAUSED, OTHERS, LATER)]
    assert offered(OFFER_COMPACT, case, video, consents=[*others, *CONSENTS]) == offer()


@pytest.mark.parametrize(
    "other", ["", "a.b.c", approval(WORKER), approval(SERVICE), APPROVALS[0][:-2]]
)
def test_an_approval_that_does_not_verify_takes_nothing_from_the_others(
    case: VerifiedCharter, video: Item, other: str
) -> None:
    """It does not count, and those that do are enough."""
    assert len(verify_approvals([other, *APPROVALS], case, video, 2)) == len(APPROVALS)


@pytest.mark.parametrize(
    ("signer", "changes"),
    [
        (SERVICE.keyring.signer, {}),
        (WORKER.keyring.signer, {}),
        (CLAIRE.keyring.signer, {}),
        (Signer.from_seed(bytes(32)), {}),
        (ANNA.keyring.signer, {"recipient": CLAIRE.claim.recipient}),
        (ANNA.keyring.signer, {"claim": digest("an older claim")}),
        (ANNA.keyring.signer, {"source": digest("another")}),
        (ANNA.keyring.signer, {"rendition": None}),
        (ANNA.keyring.signer, {"captions": None}),
        (ANNA.keyring.signer, {"revision": 2}),
        (ANNA.keyring.signer, {"notes": []}),
        (ANNA.keyring.signer, {"case": identifier("another case")}),
        (ANNA.keyring.signer, {"charter": hash_of(CHARTER_1)}),
        (ANNA.keyring.signer, {"charter": digest("another")}),
        (ANNA.keyring.signer, {"at": noon_and(55, -11)}),
        (RECOVERY.keyring.signer, {}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_other_offers_do_not_hold(
    case: VerifiedCharter, video: Item, signer: Signer, changes: dict[str, object]
) -> None:
    """By nobody who may, to another key, of another item, or of a part that nobody reviewed."""
    with pytest.raises(ChainError):
        offered(sign(signer, offer(**changes)), case, video)


def test_an_offer_is_for_the_messages_recipient(case: VerifiedCharter, video: Item) -> None:
    """Even a mediator cannot offer a message to somebody it was not written to."""
    to_claire = offer(recipient=CLAIRE.verified.recipient, claim=digest("claim"))
    with pytest.raises(ChainError):
        offered(sign(ANNA.keyring.signer, to_claire), case, video, CLAIRE.verified)


def test_an_offer_is_not_older_than_the_recipients_claim(
    case: VerifiedCharter, video: Item
) -> None:
    """It names the claim."""
    late = dataclasses.replace(DENIS.verified, claimed_at=noon_and(70, 11))
    with pytest.raises(ChainError, match="before the recipient's claim"):
        offered(OFFER_COMPACT, case, video, late)


def test_an_original_is_never_released(case: VerifiedCharter, video: Item) -> None:
    """An offer with a grant on the original is refused as a whole."""
    grants = [msgspec.structs.replace(offer().grants[0], commit=VIDEO.parts[0].commit)]
    with pytest.raises(ChainError, match="reviewed"):
        offered(sign(ANNA.keyring.signer, offer(grants=grants)), case, video)


@pytest.mark.parametrize("role", ["original", "note"])
def test_an_original_is_not_released_under_another_name(case: VerifiedCharter, role: str) -> None:
    """A grant is named by its commitment: no other part may have that of a part that is never released."""
    withheld = part("original", "x") if role == "original" else part("note", "x")
    message = msgspec.structs.replace(
        VIDEO,
        parts=[
            part("original", "original" if role == "note" else "x"),
            part("body", "words"),
            part("note", "x" if role == "note" else "y"),
        ],
    )
    compact = sign(CLAIRE.keyring.signer, message)
    source = {"source": hash_of(compact)}
    plain = msgspec.structs.replace(RENDITION, **source)
    posing = msgspec.structs.replace(
        plain, parts=[part("rendition", "rendition"), part("poster", "x")]
    )
    with pytest.raises(ChainError, match="share a file key"):
        item(
            message,
            compact,
            (posing, sign(WORKER.keyring.signer, posing)),
            standing=Standing.VERIFIED,
        )
    rendition = sign(WORKER.keyring.signer, plain)
    captions = msgspec.structs.replace(CAPTIONS, **source, rendition=hash_of(rendition))
    posing_captions = msgspec.structs.replace(captions, part=part("captions", "x"))
    with pytest.raises(ChainError, match="share a file key"):
        item(
            message,
            compact,
            (plain, rendition),
            (posing_captions, sign(ANNA.keyring.signer, posing_captions)),
            standing=Standing.VERIFIED,
        )
    signed_captions = sign(ANNA.keyring.signer, captions)
    whole = item(
        message,
        compact,
        (plain, rendition),
        (captions, signed_captions),
        standing=Standing.VERIFIED,
    )
    assert whole.part(withheld.commit) is None
    named = {**source, "rendition": hash_of(rendition), "captions": hash_of(signed_captions)}
    grants = [msgspec.structs.replace(offer().grants[0], commit=withheld.commit)]
    posing_offer = offer(**named, notes=[part("note", "x")], grants=grants)
    with pytest.raises(ChainError, match="shares a file key"):
        offered(sign(ANNA.keyring.signer, posing_offer), case, whole)


def test_required_captions_may_not_be_left_out(case: VerifiedCharter) -> None:
    """Where the charter requires captions, an item without a captions statement is not released."""
    bare = item(VIDEO, VIDEO_COMPACT, (RENDITION, RENDITION_COMPACT), standing=Standing.VERIFIED)
    compact = sign(ANNA.keyring.signer, offer(captions=None))
    with pytest.raises(ChainError, match="captions"):
        offered(compact, case, bare)


@pytest.mark.parametrize(
    ("of", "header"),
    [
        (RENDITION.parts[0], GRANT_HEADER + b"x"),
        (part("rendition", "another"), GRANT_HEADER),
    ],
)
def test_another_grant_is_refused(of: Part, header: bytes) -> None:
    """A header that the offer does not name, or a part it does not grant, is not used."""
    with pytest.raises(ChainError):
        check_grant(offer(), of, header)


@pytest.mark.parametrize(
    ("rendition", "captions"),
    [
        ({"source": digest("another")}, None),
        ({"case": identifier("another case")}, None),
        ({"message": identifier("another")}, None),
        ({"revision": 2}, None),
        ({"at": noon_and(40, -11)}, None),
        ({}, {"rendition": digest("another")}),
        ({}, {"rendition": None}),
        ({}, {"source": digest("another")}),
        ({}, {"case": identifier("another case")}),
        ({}, {"revision": 2}),
        ({}, {"at": noon_and(40, -11)}),
        ({}, {"at": noon_and(50, -11)}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_an_item_is_of_one_revision(
    rendition: dict[str, object], captions: dict[str, object] | None
) -> None:
    """Rendition and captions of something else, or older than it, cannot be put beside a message."""
    made = msgspec.structs.replace(RENDITION, **rendition)
    compact = sign(WORKER.keyring.signer, made)
    said = None
    if captions is not None:
        other = msgspec.structs.replace(CAPTIONS, **captions)
        said = (other, sign(ANNA.keyring.signer, other))
    with pytest.raises(ChainError):
        item(VIDEO, VIDEO_COMPACT, (made, compact), said, standing=Standing.VERIFIED)
