"""A whole case, from the root to what was released: what is accepted, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.links import ANCHOR_BYTES
from relay.crypto.signing import Signer, fingerprint
from relay.crypto.statements import (
    Consent,
    Verification,
    decode_unverified,
)
from tests.vectors import people
from tests.vectors.chains import (
    ANNA,
    BORIS,
    BY_NEW,
    BY_OLD,
    CHARTERS,
    CLAIRE,
    CREDENTIALS,
    MALLORY,
    RECOVERY,
    SERVICE,
    STRANGER,
    WORKER,
    Json,
    altered,
    public,
    revocation,
    succession,
    time,
)
from tests.vectors.charter_chains import NEW, OLD, OWN


def chain() -> Json:
    """From a root to a released video, and what goes wrong when one member is exchanged for another."""
    participants = {"Claire": people.CLAIRE, "Denis": people.DENIS}
    return {
        "case": str(people.CASE),
        "version": 3,
        "recipient": NEW,
        "now": time(people.noon_and(75)),
        "link_secrets": {name: b64u_encode(p.secret.secret) for name, p in participants.items()},
        "claim_keys": {
            name: b64u_encode(p.secret.claim_key(p.link.link)) for name, p in participants.items()
        },
        "participants": {name: str(p.id) for name, p in participants.items()},
        "good": _good_chain(),
        "also_good": [
            {"why": why, "exchange": member, "for": value}
            for why, member, value in _other_good_members()
        ],
        "bad": [
            {"why": why, "exchange": member, "for": value} for why, member, value in _bad_members()
        ],
    }


def _good_chain() -> dict[str, Json]:
    return {
        "root_fingerprint": b64u_encode(fingerprint(people.ROOT.public_key)),
        "root_public_key": public(people.ROOT),
        "credentials": CREDENTIALS,
        "revocations": [],
        "successions": [],
        "registration": people.REGISTRATION_COMPACT,
        "charters": CHARTERS,
        "anchor": _anchor(people.CHARTER_2),
        "seen": {"1": people.hash_of(people.CHARTER_1), "2": people.hash_of(people.CHARTER_2)},
        "identities": [NEW, OLD],
        "author_link": people.CLAIRE.link_compact,
        "author_claim": people.CLAIRE.claim_compact,
        "author_verification": people.CLAIRE.verification_compact,
        "author_endings": [people.ending(people.CLAIRE.link)],
        "recipient_link": people.DENIS.link_compact,
        "recipient_claim": people.DENIS.claim_compact,
        "recipient_verification": people.DENIS.verification_compact,
        "recipient_endings": [],
        "message": people.VIDEO_COMPACT,
        "rendition": people.RENDITION_COMPACT,
        "captions": people.CAPTIONS_COMPACT,
        "decisions": people.APPROVALS,
        "consents": _consents(),
        "offer": people.OFFER_COMPACT,
        "grant_header": b64u_encode(people.GRANT_HEADER),
    }


def _recorded(status: Literal["active", "paused"], at: int) -> str:
    said = Consent(
        case=people.CASE, participant=people.DENIS.id, status=status, at=people.noon_and(at)
    )
    return people.sign(BORIS, said)


_PAUSE, _LATER = _recorded("paused", 31), _recorded("active", 80)


def _consents(
    author: str = people.CLAIRES_CONSENT_COMPACT,
    recipient: str = people.DENIS_CONSENT_COMPACT,
    by: str | None = "author",
) -> Json:
    """The author's, which came their own way, and three of the recipient's, which Boris recorded."""
    return [
        {"compact": author, "by": by},
        {"compact": recipient, "by": None},
        {"compact": _PAUSE, "by": None},
        {"compact": _LATER, "by": None},
    ]


def _anchor(charter: str) -> str:
    return b64u_encode(b64u_decode(people.hash_of(charter))[:ANCHOR_BYTES])


def _other_good_members() -> Iterator[tuple[str, str, Json]]:
    """What may be exchanged, and everything still holds."""
    yield "another root's credential", "credentials", [*CREDENTIALS, MALLORY.compact]
    yield "a successor of the root", "successions", [BY_OLD, BY_NEW]
    yield "Anna revoked after she acted", "revocations", [revocation(people.ROOT, people.ANNA, 201)]
    yield "a stranger revokes", "revocations", [revocation(STRANGER, people.ANNA, 0)]
    yield "no version after the second seen", "seen", {}
    yield "anchored in the first version", "anchor", _anchor(people.CHARTER_1)
    yield "no end of the author's link", "author_endings", []
    yield (
        "the author's link replaced in the second of the video",
        "author_endings",
        [people.ending(people.CLAIRE.link, at=people.noon_and(40))],
    )
    yield (
        "the recipient's link replaced later",
        "recipient_endings",
        [people.ending(people.DENIS.link, at=people.noon_and(76))],
    )


def _bad_members() -> Iterator[tuple[str, str, Json]]:
    yield from _bad_people()
    yield from _bad_ways_in()
    yield from _bad_releases()


def _bad_people() -> Iterator[tuple[str, str, Json]]:
    yield "another root", "root_public_key", public(STRANGER)
    yield "a credential missing", "credentials", [*CREDENTIALS[1:]]
    yield "a mediator revoked", "revocations", [revocation(people.ROOT, people.ANNA, 1)]
    yield (
        "a revocation whose signature does not hold",
        "revocations",
        [altered(revocation(people.ROOT, people.BORIS, 999))],
    )
    yield (
        "a root that had a successor when it vouched",
        "successions",
        [succession(people.ROOT, people.ROOT, people.NEW_ROOT, 0)],
    )
    yield "two successors", "successions", [BY_OLD, succession(people.ROOT, people.ROOT, STRANGER)]
    yield "a registration by a mediator", "registration", OWN
    other = people.resigned(SERVICE, people.REGISTRATION, at=people.noon_and(1))
    yield "another registration", "registration", other
    yield "no charter", "charters", []
    yield "the first charter missing", "charters", [*CHARTERS[1:]]
    yield "charters reversed", "charters", [*CHARTERS[::-1]]
    newcomer = people.sign(BORIS, people.charter(2, people.hash_of(people.CHARTER_1)))
    yield "a charter by a newcomer", "charters", [people.CHARTER_1, newcomer]
    yield "an anchor of another case", "anchor", b64u_encode(bytes(ANCHOR_BYTES))
    yield "a version missing that was seen", "seen", {"4": people.digest("the fourth version")}
    yield "another version than was seen", "seen", {"2": people.digest("another second version")}
    yield "an identity too few", "identities", [NEW]
    yield "identities in another order", "identities", [OLD, NEW]
    yield "an identity too many", "identities", [NEW, OLD, people.CLAIRE.claim.recipient]


def _bad_ways_in() -> Iterator[tuple[str, str, Json]]:
    claire, denis = people.CLAIRE, people.DENIS
    said = decode_unverified(claire.verification_compact, Verification)
    yield "a link by a worker", "author_link", people.sign(WORKER, claire.link)
    yield "a link of another person", "author_link", denis.link_compact
    older = people.resigned(ANNA, claire.link, charter=people.hash_of(people.CHARTER_1))
    yield "a link under an older charter", "author_link", older
    yield "a claim of another link", "author_claim", denis.claim_compact
    yield "a verification by a service", "author_verification", people.sign(SERVICE, said)
    yield "a verification by the author", "author_verification", people.sign(CLAIRE, said)
    yield "a verification of another", "author_verification", denis.verification_compact
    yield (
        "the author's link replaced before the video",
        "author_endings",
        [people.ending(claire.link, at=people.noon_and(39))],
    )
    yield (
        "the author's link misused",
        "author_endings",
        [people.ending(claire.link, reason="misused")],
    )
    yield "the end of another link", "author_endings", [people.ending(denis.link)]
    yield "an end by a worker", "author_endings", [people.ending(claire.link, people.WORKER)]
    yield (
        "the recipient's link replaced",
        "recipient_endings",
        [people.ending(denis.link, at=people.noon_and(69))],
    )


def _bad_releases() -> Iterator[tuple[str, str, Json]]:
    first = people.hash_of(people.CHARTER_1)
    yield "a message by the relay", "message", people.sign(SERVICE, people.VIDEO)
    to_another = people.resigned(CLAIRE, people.VIDEO, recipient=people.identifier("x"))
    yield "a message to another", "message", to_another
    yield (
        "a message under another charter",
        "message",
        people.resigned(CLAIRE, people.VIDEO, charter=first),
    )
    in_another = {"case": people.identifier("another case")}
    yield (
        "a message in another case",
        "message",
        people.resigned(CLAIRE, people.VIDEO, **in_another),
    )
    before = people.resigned(WORKER, people.RENDITION, at=people.noon_and(40, -11))
    yield "a rendition dated before the message", "rendition", before
    yield "a rendition by a mediator", "rendition", people.sign(ANNA, people.RENDITION)
    older = people.resigned(WORKER, people.RENDITION, charter=first)
    yield "a rendition under another charter", "rendition", older
    before = people.resigned(ANNA, people.CAPTIONS, at=people.noon_and(40, -11))
    yield "captions dated before the message", "captions", before
    same_key = people.resigned(ANNA, people.CAPTIONS, part=people.part("captions", "original"))
    yield "captions with the file key of the original", "captions", same_key
    yield "captions by a worker", "captions", people.sign(WORKER, people.CAPTIONS)
    yield "one approval", "decisions", [people.APPROVALS[0]]
    yield "one approval twice", "decisions", [people.APPROVALS[0]] * 2
    renewed = people.approval(people.ANNA_RENEWED, at=people.noon_and(201))
    yield "one person twice, with two credentials", "decisions", [people.APPROVALS[0], renewed]
    no_captions = people.approval(people.BORIS, captions=None)
    yield "an approval without captions", "decisions", [people.APPROVALS[0], no_captions]
    yield (
        "a consent that the offer does not name",
        "consents",
        _consents(recipient=_recorded("active", 34)),
    )
    by_nobody = _consents(by=None)
    yield "a consent by a participant that no way in comes with", "consents", by_nobody
    yield "a consent by the other participant's key", "consents", _consents(by="recipient")
    before = people.approval(people.ANNA, at=people.noon_and(55, -11))
    yield "an approval dated before the captions", "decisions", [before, people.APPROVALS[1]]
    for why, signer, changes in _bad_offers():
        yield why, "offer", people.sign(signer, people.offer(**changes))
    yield "another grant", "grant_header", b64u_encode(b"another")


def _bad_offers() -> Iterator[tuple[str, Signer, dict[str, object]]]:
    original = msgspec.structs.replace(
        people.offer().grants[0], commit=people.VIDEO.parts[0].commit
    )
    claires, denis = people.offer().consents
    yield "an offer by a service", SERVICE, {}
    yield "an offer by a recovery key", RECOVERY, {}
    yield "an offer of the original", ANNA, {"grants": [original]}
    yield "an offer to another key", ANNA, {"recipient": people.CLAIRE.claim.recipient}
    yield "an offer under the first charter", ANNA, {"charter": people.hash_of(people.CHARTER_1)}
    yield "an offer under a charter to come", BORIS, {"charter": people.hash_of(people.CHARTER_3)}
    yield "an offer with the consents exchanged", ANNA, {"consents": [denis, claires]}
    yield "an offer on another consent", ANNA, {"consents": [claires, people.digest("another")]}
    yield "an offer on a pause", ANNA, {"consents": [claires, people.hash_of(_PAUSE)]}
    yield "an offer on a later consent", ANNA, {"consents": [claires, people.hash_of(_LATER)]}
    yield "an offer dated before the captions", ANNA, {"at": people.noon_and(55, -11)}
    as_note = people.part("note", "original")
    with_original = [*people.offer().grants, original]
    yield (
        "a note with the file key of the original",
        ANNA,
        {"notes": [people.NOTE, as_note], "grants": with_original},
    )
