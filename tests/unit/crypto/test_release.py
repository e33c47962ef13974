"""What a recipient's reader insists on before it opens anything."""

from __future__ import annotations

import msgspec
import pytest

from relay.crypto.chain import VerifiedCharter
from relay.crypto.errors import ChainError
from relay.crypto.fields import Part
from relay.crypto.release import Item, check_grant, item, verify_approvals, verify_offer
from relay.crypto.signing import Signer
from relay.crypto.statements import sign
from tests.vectors.cast import (
    ANNA,
    APPROVALS,
    BORIS,
    CAPTIONS,
    CAPTIONS_COMPACT,
    CLAIRE,
    DENIS,
    GRANT_HEADER,
    NOTE,
    OFFER_COMPACT,
    RENDITION,
    RENDITION_COMPACT,
    SERVICE,
    VIDEO,
    VIDEO_COMPACT,
    WORKER,
    approval,
    digest,
    identifier,
    noon_and,
    offer,
    part,
    verified_charter,
)


@pytest.fixture
def case() -> VerifiedCharter:
    """What a reader knows of the case."""
    return verified_charter()


@pytest.fixture
def video() -> Item:
    """The video with its rendition and captions."""
    return item(VIDEO, VIDEO_COMPACT, (RENDITION, RENDITION_COMPACT), (CAPTIONS, CAPTIONS_COMPACT))


def test_a_released_item_holds(case: VerifiedCharter, video: Item) -> None:
    """Two approvals of this item, an offer of it to this key, and the header that the offer names."""
    assert {a.credential for a in verify_approvals(APPROVALS, case, video)} == {
        ANNA.credential.credential,
        BORIS.credential.credential,
    }
    read = verify_offer(OFFER_COMPACT, case, video, DENIS.verified)
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
    ],
)
def test_too_few_approvals_do_not_release(
    case: VerifiedCharter, video: Item, decisions: list[str]
) -> None:
    """Two different mediators must have approved this very text, rendition and captions."""
    with pytest.raises(ChainError):
        verify_approvals(decisions, case, video)


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
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_other_offers_do_not_hold(
    case: VerifiedCharter, video: Item, signer: Signer, changes: dict[str, object]
) -> None:
    """By nobody who may, to another key, of another item, or of a part that nobody reviewed."""
    with pytest.raises(ChainError):
        verify_offer(sign(signer, offer(**changes)), case, video, DENIS.verified)


def test_an_offer_is_for_the_messages_recipient(case: VerifiedCharter, video: Item) -> None:
    """Even a mediator cannot offer a message to somebody it was not written to."""
    to_claire = offer(recipient=CLAIRE.verified.recipient, claim=digest("claim"))
    with pytest.raises(ChainError):
        verify_offer(sign(ANNA.keyring.signer, to_claire), case, video, CLAIRE.verified)


def test_an_original_is_never_released(case: VerifiedCharter, video: Item) -> None:
    """An offer with a grant on the original is refused as a whole."""
    grants = [msgspec.structs.replace(offer().grants[0], commit=VIDEO.parts[0].commit)]
    with pytest.raises(ChainError, match="reviewed"):
        verify_offer(sign(ANNA.keyring.signer, offer(grants=grants)), case, video, DENIS.verified)


def test_required_captions_may_not_be_left_out(case: VerifiedCharter) -> None:
    """Where the charter requires captions, an item without a captions statement is not released."""
    bare = item(VIDEO, VIDEO_COMPACT, (RENDITION, RENDITION_COMPACT))
    compact = sign(ANNA.keyring.signer, offer(captions=None))
    with pytest.raises(ChainError, match="captions"):
        verify_offer(compact, case, bare, DENIS.verified)


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


def test_an_item_is_of_one_revision() -> None:
    """Rendition and captions of something else cannot be put beside a message."""
    other = msgspec.structs.replace(RENDITION, source=digest("another"))
    captions = msgspec.structs.replace(CAPTIONS, rendition=digest("another"))
    with pytest.raises(ChainError):
        item(VIDEO, VIDEO_COMPACT, (other, sign(WORKER.keyring.signer, other)))
    with pytest.raises(ChainError):
        item(
            VIDEO,
            VIDEO_COMPACT,
            (RENDITION, RENDITION_COMPACT),
            (captions, sign(ANNA.keyring.signer, captions)),
        )
