"""Test vectors of who may sign what: roots, charters, ways in, and the whole way to a released video.

What is expected is written here by hand; tests/unit/crypto/test_vectors.py holds the code to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.links import ANCHOR_BYTES
from relay.crypto.signing import Signer, fingerprint
from relay.crypto.statements import (
    Charter,
    Consent,
    Revocation,
    Succession,
    Verification,
    decode_unverified,
)
from tests.vectors import people

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"
"""A tuple is an array too."""

_ANNA, _BORIS, _CLAIRE = (p.keyring.signer for p in (people.ANNA, people.BORIS, people.CLAIRE))
_RENEWED, _RECOVERY = people.ANNA_RENEWED.keyring.signer, people.RECOVERY.keyring.signer
_SERVICE, _WORKER = people.SERVICE.keyring.signer, people.WORKER.keyring.signer
_STRANGER = people.keyring("Mallory").signer
_MALLORY = people.person("Mallory", "mediator", root=_STRANGER)
_NEWCOMER = people.person("Nora", "mediator", root=people.NEW_ROOT, begins=510)
_THIRD_ROOT = Signer.from_seed(people.seed("a third root"))
_LATECOMER = people.person("Otto", "media", root=_THIRD_ROOT, begins=910)
_NO_KEY = b64u_encode(b"\x01" + bytes(31))
"""A point of small order."""
PEOPLE = (
    people.ANNA,
    people.BORIS,
    people.WORKER,
    people.SERVICE,
    people.RECOVERY,
    people.ANNA_RENEWED,
)
CREDENTIALS = tuple(person.compact for person in PEOPLE)
CHARTERS = (*people.CHARTERS, people.CHARTER_3)


def time(at: dt.datetime) -> str:
    """As statements write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def altered(compact: str) -> str:
    """The same text with a signature that does not hold."""
    covered, _, _ = compact.rpartition(".")
    return f"{covered}.{b64u_encode(bytes(64))}"


def _public(signer: Signer) -> str:
    return b64u_encode(signer.public_key)


def succession(by: Signer, old: Signer, new: Signer, at: int = 500) -> str:
    """A statement that `new` takes the place of `old`, at that step after noon."""
    return people.sign(by, Succession(old=_public(old), new=_public(new), at=people.noon_and(at)))


def revocation(by: Signer, of: people.Person, at: int) -> str:
    """A statement that a credential counts for nothing from that step after noon on."""
    return people.sign(by, Revocation(credential=of.credential.credential, at=people.noon_and(at)))


BY_OLD = succession(people.ROOT, people.ROOT, people.NEW_ROOT)
BY_NEW = succession(people.NEW_ROOT, people.ROOT, people.NEW_ROOT)


def trust() -> Json:
    """Which credentials count for whoever pins a root, and which sets are refused."""
    return {"good": [*_good_trust()], "bad": [*_bad_trust()]}


def _given(
    why: str,
    *,
    pinned: Sequence[Signer] = (people.ROOT,),
    credentials: Sequence[str] = (people.ANNA.compact,),
    revocations: Sequence[str] = (),
    successions: Sequence[str] = (),
) -> dict[str, Json]:
    return {
        "why": why,
        "pinned": [_public(root) for root in pinned],
        "credentials": credentials,
        "revocations": revocations,
        "successions": successions,
    }


def _good_trust() -> Iterator[Json]:
    anna, nora, otto = people.ANNA, _NEWCOMER, _LATECOMER
    old, new = (people.ROOT,), (people.NEW_ROOT,)
    both, third = (
        [anna.compact, nora.compact],
        succession(people.NEW_ROOT, people.NEW_ROOT, _THIRD_ROOT, 900),
    )
    stranger = [anna.compact, _MALLORY.compact]

    def case(given: dict[str, Json], *whose: people.Person, revoked: int | None = None) -> Json:
        at = None if revoked is None else time(people.noon_and(revoked))
        return {**given, "revoked_at": {str(p.credential.credential): at for p in whose}}

    yield case(_given("one root", credentials=CREDENTIALS), *PEOPLE)
    yield case(_given("another root beside it", credentials=stranger), anna)
    for what, pinned in (("old", old), ("new", new), ("old and the new", (*old, *new))):
        yield case(
            _given(
                f"pinned on the {what} root",
                pinned=pinned,
                credentials=both,
                successions=[BY_OLD, BY_NEW],
            ),
            anna,
            nora,
        )
    for what, pinned, own, others, reached in (
        ("old", old, BY_OLD, BY_NEW, anna),
        ("new", new, BY_NEW, BY_OLD, nora),
    ):
        yield case(
            _given(
                f"pinned on the {what} root, with its own signature alone",
                pinned=pinned,
                credentials=both,
                successions=[own],
            ),
            anna,
            nora,
        )
        yield case(
            _given(
                f"pinned on the {what} root, which did not sign",
                pinned=pinned,
                credentials=both,
                successions=[others],
            ),
            reached,
        )
    yield case(
        _given(
            "two successions, from the first root to the third",
            credentials=[anna.compact, otto.compact],
            successions=[third, BY_OLD],
        ),
        anna,
        otto,
    )
    late = people.person("Lena", "mediator", begins=501)
    yield case(
        _given(
            "another trusted root that claims to succeed this one",
            pinned=[people.ROOT, _STRANGER],
            credentials=[anna.compact, late.compact, _MALLORY.compact],
            successions=[succession(_STRANGER, people.ROOT, _STRANGER)],
        ),
        anna,
        late,
        _MALLORY,
    )
    yield case(
        _given(
            "a replaced root that claims to succeed the pinned one",
            pinned=new,
            credentials=both,
            successions=[BY_NEW, succession(people.ROOT, people.NEW_ROOT, people.ROOT, 505)],
        ),
        anna,
        nora,
    )
    yield case(
        _given(
            "a replaced root that revokes what its successor vouched for",
            credentials=both,
            successions=[BY_OLD],
            revocations=[revocation(people.ROOT, nora, 499)],
        ),
        anna,
        nora,
    )
    for why, claimed in (
        (
            "a stranger who claims to succeed the root",
            succession(_STRANGER, people.ROOT, _STRANGER),
        ),
        (
            "a stranger who claims to precede the root",
            succession(_STRANGER, _STRANGER, people.ROOT),
        ),
        (
            "a succession that a stranger signed",
            succession(_STRANGER, people.ROOT, people.NEW_ROOT),
        ),
    ):
        yield case(_given(why, credentials=[*stranger, nora.compact], successions=[claimed]), anna)
    sixty, ninety = (revocation(people.ROOT, anna, minute) for minute in (60, 90))
    yield case(_given("a revocation", revocations=[sixty]), anna, revoked=60)
    yield case(_given("the earliest of two counts", revocations=[ninety, sixty]), anna, revoked=60)
    yield case(
        _given(
            "the new root revokes what the old one vouched for",
            successions=[BY_OLD],
            revocations=[revocation(people.NEW_ROOT, anna, 60)],
        ),
        anna,
        revoked=60,
    )
    by_stranger = [revocation(_STRANGER, anna, 60)]
    yield case(_given("a stranger's revocation", revocations=by_stranger), anna)
    yield case(_given("a mediator's revocation", revocations=[revocation(_BORIS, anna, 60)]), anna)
    yield case(
        _given(
            "a revocation by a root that is trusted too, but did not vouch",
            pinned=[people.ROOT, _STRANGER],
            revocations=by_stranger,
        ),
        anna,
    )


def _bad_trust() -> Iterator[Json]:
    root, anna = people.ROOT, people.ANNA
    late = people.person("Lena", "mediator", begins=501)
    yield _given(
        "the old root vouches after its successor took over",
        credentials=[late.compact],
        successions=[BY_OLD],
    )
    yield _given(
        "the old root revokes after its successor took over",
        revocations=[revocation(root, anna, 501)],
        successions=[BY_OLD],
    )
    second_successor = succession(root, root, _THIRD_ROOT)
    yield _given("a root with two successors", successions=[BY_OLD, second_successor])
    yield _given(
        "a root with two predecessors",
        pinned=[people.NEW_ROOT],
        successions=[BY_NEW, succession(people.NEW_ROOT, _THIRD_ROOT, people.NEW_ROOT)],
    )
    yield _given(
        "one succession at two times",
        successions=[BY_OLD, succession(root, root, people.NEW_ROOT, 499)],
    )
    yield _given(
        "one succession at two times, one by each root",
        pinned=[people.NEW_ROOT],
        successions=[BY_NEW, succession(root, root, people.NEW_ROOT, 499)],
    )
    yield _given(
        "a replaced root that names another successor",
        pinned=[people.NEW_ROOT],
        successions=[BY_NEW, succession(root, root, _THIRD_ROOT)],
    )
    yield _given(
        "a replaced root that claims to succeed its successor",
        pinned=[_THIRD_ROOT],
        successions=[
            succession(_THIRD_ROOT, people.NEW_ROOT, _THIRD_ROOT, 900),
            BY_NEW,
            succession(root, people.NEW_ROOT, root, 505),
        ],
    )
    yield _given(
        "roots that succeed each other in a circle",
        successions=[BY_OLD, succession(people.NEW_ROOT, people.NEW_ROOT, root, 900)],
    )
    yield _given(
        "a succession of other roots than its signer",
        successions=[succession(root, _STRANGER, _THIRD_ROOT)],
    )
    to_no_key = Succession(old=_public(root), new=_NO_KEY, at=people.noon_and(500))
    yield _given("a succession to what is no key", successions=[people.sign(root, to_no_key)])
    yield _given("a succession whose signature does not hold", successions=[altered(BY_OLD)])
    yield _given("a credential whose signature does not hold", credentials=[altered(anna.compact)])
    revoked = revocation(root, anna, 60)
    yield _given("a revocation whose signature does not hold", revocations=[altered(revoked)])
    yield _given("a revocation among the credentials", credentials=[anna.compact, revoked])
    yield _given("a credential among the revocations", revocations=[anna.compact])
    again = people.resigned(root, anna.credential, not_after=people.NOON + 2 * people.YEAR)
    yield _given("two credentials with one id", credentials=[anna.compact, again])
    other_id = people.resigned(root, anna.credential, credential=people.identifier("x"))
    yield _given("two credentials with one key", credentials=[anna.compact, other_id])
    weak = people.resigned(root, anna.credential, signer=_NO_KEY)
    yield _given("a credential of a key of small order", credentials=[weak])


def charters() -> Json:
    """Registrations and versions that make a case, and such that do not."""
    return {
        "root_public_key": _public(people.ROOT),
        "credentials": {person.name: person.compact for person in (*PEOPLE, _LATE_SERVICE)},
        "good": [*_good_charters()],
        "bad": [*_bad_charters()],
    }


def _opened(by: people.Person, registration: str, **changes: object) -> str:
    first = people.charter(
        1, None, registration=people.hash_of(registration), mediators=[by.member], **changes
    )
    return people.sign(by.keyring.signer, first)


_LATE_SERVICE = people.person("a later case system", "service", begins=60)
_NAMES = tuple(person.name for person in PEOPLE)
_WITHOUT_SERVICE = tuple(name for name in _NAMES if name != people.SERVICE.name)
_OWN = people.sign(_ANNA, people.REGISTRATION)
"""Anna registers the case herself."""


def _case(
    why: str,
    charters: Sequence[str],
    registration: str = people.REGISTRATION_COMPACT,
    credentials: Sequence[str] = _NAMES,
) -> dict[str, Json]:
    return {
        "why": why,
        "credentials": credentials,
        "registration": registration,
        "charters": charters,
    }


def _third(by: Signer = _BORIS, /, **changes: object) -> str:
    plain = people.charter(3, people.hash_of(people.CHARTER_2), at=people.noon_and(200))
    return people.resigned(by, plain, **changes)


_NEW = str(people.NEW_CASE_IDENTITY.recipient)
_OLD = str(people.CASE_IDENTITY.recipient)


def _good_charters() -> Iterator[Json]:
    def case(given: dict[str, Json], *recipients: str) -> Json:
        return {**given, "version": len(given["charters"]), "recipients": recipients}  # type: ignore[arg-type]

    yield case(_case("one version", [people.CHARTER_1]), _OLD)
    yield case(_case("two versions", people.CHARTERS), _OLD)
    yield case(_case("the third by a recovery key", CHARTERS), _NEW, _OLD)
    yield case(_case("no service yet", [_opened(people.ANNA, _OWN)], _OWN, _WITHOUT_SERVICE), _OLD)
    yield case(
        _case(
            "a service later",
            [_opened(people.ANNA, _OWN)],
            _OWN,
            (*_WITHOUT_SERVICE, _LATE_SERVICE.name),
        ),
        _OLD,
    )
    plain = _third()
    yield case(_case("nobody leaves", [*people.CHARTERS, plain]), _OLD)
    renewed = _third(recipient=_NEW)
    yield case(
        _case("nobody leaves, and another recipient", [*people.CHARTERS, renewed]), _NEW, _OLD
    )
    no_worker = _third(media=[])
    yield case(_case("a media worker leaves", [*people.CHARTERS, no_worker]), _OLD)


def _bad_charters() -> Iterator[Json]:
    first, second = people.CHARTERS

    def later(why: str, third: str) -> Json:
        return _case(why, [first, second, third])

    by_boris = people.resigned(_BORIS, people.REGISTRATION)
    of_boris = people.resigned(
        _SERVICE, people.REGISTRATION, mediators=[people.BORIS.credential.credential]
    )
    other_case = people.resigned(
        _SERVICE, people.REGISTRATION, case=people.identifier("another case")
    )
    yield _case("no version", [])
    yield _case("the first version missing", [second])
    yield _case("versions exchanged", [second, first])
    yield _case("a version twice", [first, second, second])
    yield _case("another registration than the first version names", [first], _OWN)
    yield _case("a registration by a mediator beside a service", [_opened(people.ANNA, _OWN)], _OWN)
    yield _case(
        "a registration by a mediator who does not list themselves",
        [_opened(people.ANNA, by_boris)],
        by_boris,
        _WITHOUT_SERVICE,
    )
    yield _case(
        "a first version by somebody not registered", [_opened(people.ANNA, of_boris)], of_boris
    )
    yield _case("a registration of another case", [_opened(people.ANNA, other_case)], other_case)
    for who, signer in (("worker", _WORKER), ("recovery key", _RECOVERY), ("stranger", _STRANGER)):
        said = people.sign(signer, people.REGISTRATION)
        yield _case(
            f"a registration by a {who}", [_opened(people.ANNA, said)], said, _WITHOUT_SERVICE
        )
    later_on = people.resigned(_SERVICE, people.REGISTRATION, at=people.noon_and(2))
    yield _case(
        "a first version dated before the registration",
        [_opened(people.ANNA, later_on, at=people.noon_and(2, -11))],
        later_on,
    )
    by_recovery = people.resigned(_RECOVERY, people.charter(1, None))
    yield _case("a first version by a recovery key", [by_recovery])
    for who, signer in (
        ("newcomer", _RENEWED),
        ("worker", _WORKER),
        ("service", _SERVICE),
        ("stranger", _STRANGER),
    ):
        forged = people.resigned(
            signer,
            decode_unverified(people.CHARTER_3, Charter),
            recipient=_NEW,
        )
        yield later(f"a later version by a {who}", forged)
    yield later("a version of another case", _third(case=people.identifier("another case")))
    yield later("a version after another one", _third(previous=people.digest("another")))
    yield later("a version with a wrong number", _third(version=4))
    yield later("a version before the one before it", _third(at=people.noon_and(1)))
    policy = msgspec.structs.replace(people.charter(2, "").policy, approvals=1)
    yield later("fewer approvals", _third(policy=policy))
    yield later(
        "one person as two mediators",
        _third(mediators=[people.ANNA.member, people.ANNA_RENEWED.member, people.BORIS.member]),
    )
    yield later(
        "a worker as a mediator",
        _third(mediators=[people.BORIS.member, people.WORKER.member], media=[], recipient=_NEW),
    )
    yield later(
        "a mediator as a recovery key",
        _third(recovery=[people.RECOVERY.member, people.ANNA_RENEWED.member]),
    )
    yield later("a service as a media worker", _third(media=[people.SERVICE.member]))
    yield later(
        "a mediator leaves and the recipient stays", _third(mediators=[people.BORIS.member])
    )
    yield later(
        "a mediator's credential is renewed and the recipient stays",
        _third(mediators=[people.ANNA_RENEWED.member, people.BORIS.member]),
    )
    yield later("a recovery key leaves and the recipient stays", _third(recovery=[]))
    back = people.resigned(
        _BORIS,
        people.charter(4, people.hash_of(people.CHARTER_3)),
        mediators=[people.ANNA_RENEWED.member, people.BORIS.member],
        at=people.noon_and(300),
    )
    yield _case("an older recipient comes back", [*CHARTERS, back])
    yield _case("a mediator without a credential", [first], credentials=_NAMES[1:])


def origins() -> Json:
    """Ways in under the three versions of chain.json, and how far what came by them counts."""
    return {"good": [*_good_origins()], "bad": [*_bad_origins()]}


_WAY = people.CLAIRE
_PASSED = (_WAY.link_compact, _WAY.claim_compact)


def _misused() -> str:
    return people.ending(_WAY.link, reason="misused")


def _claim(**changes: object) -> str:
    return people.resigned(_CLAIRE, _WAY.claim, **changes)


def _verification(by: Signer = _BORIS, /, **changes: object) -> str:
    said = decode_unverified(_WAY.verification_compact, Verification)
    return people.resigned(by, said, **changes)


def _good_origins() -> Iterator[Json]:
    link, claim, verification = _WAY.origin
    replaced, misused = people.ending(_WAY.link), _misused()
    early = (link, claim, people.ending(_WAY.link, at=people.noon_and(25)), verification)
    upload, upload_signer = people.UPLOAD_LINK_COMPACT, people.UPLOAD_LINK.signer
    expires = 7 * 24 * 2
    table: list[tuple[str, Sequence[str], dict[tuple[int, int], str]]] = [
        ("a claim that nobody verified", _PASSED,
         {(20, -11): "refused", (20, -10): "unverified", (40, 0): "unverified"}),
        ("a verified claim", _WAY.origin,
         {(20, -11): "refused", (20, -10): "verified", (40, 0): "verified", (9000, 0): "verified"}),
        ("verified, then replaced", (*_WAY.origin, replaced),
         {(20, -11): "refused", (40, 0): "verified", (100, 0): "verified", (100, 1): "ended"}),
        ("replaced by a service", (people.ending(_WAY.link, people.SERVICE), *_WAY.origin),
         {(100, 0): "verified", (100, 1): "ended"}),
        ("verified, then misused", (*_WAY.origin, misused),
         {(20, -10): "ended", (40, 0): "ended", (100, 0): "ended"}),
        ("replaced before anybody verified", (*_PASSED, replaced),
         {(40, 0): "ended", (100, 0): "ended"}),
        ("two endings: the earlier counts",
         (*_WAY.origin, replaced, people.ending(_WAY.link, at=people.noon_and(60))),
         {(60, 0): "verified", (60, 1): "ended"}),
        ("two endings, one for misuse", (*_WAY.origin, replaced, misused), {(40, 0): "ended"}),
        ("verified after its end", early, {(25, 0): "ended"}),
        ("two verifications: the earlier counts", (*early, _verification(at=people.noon_and(24))),
         {(25, 0): "verified", (25, 1): "ended"}),
        ("an upload link", (upload,),
         {(15, -11): "refused", (15, -10): "verified",
          (expires, 9): "verified", (expires, 10): "ended"}),
        ("an upload link that ended", (upload, people.ending(people.UPLOAD_LINK)),
         {(100, 0): "verified", (100, 1): "ended"}),
        ("an upload link that was misused",
         (upload, people.ending(people.UPLOAD_LINK, reason="misused")), {(40, 0): "ended"}),
        ("dated before the link, as far as clocks may be apart",
         (link, _claim(at=people.noon_and(10, -10)) ), {(40, 0): "unverified"}),
    ]  # fmt: skip
    for why, statements, standings in table:
        yield {
            "why": why,
            "statements": statements,
            "signer": upload_signer if statements[0] == upload else _WAY.claim.signer,
            "standings": [
                {"at": time(people.noon_and(*at)), "standing": standing}
                for at, standing in standings.items()
            ],
        }


def _bad_origins() -> Iterator[Json]:
    link, claim, verification = _WAY.origin
    denis = people.DENIS
    other = people.identifier("another")
    table: list[tuple[str, Sequence[str]]] = [
        ("nothing", ()),
        ("no link", (claim, verification)),
        ("two links", (link, denis.link_compact, claim)),
        ("two claims", (link, claim, _claim(at=people.noon_and(21)))),
        ("a link that nobody claimed", (link,)),
        ("another statement beside them", (*_WAY.origin, people.VIDEO_COMPACT)),
        ("a claim of another link", (link, denis.claim_compact)),
        ("a verification of another claim", (link, claim, denis.verification_compact)),
        ("a second verification that is of something else", (*_WAY.origin, denis.verification_compact)),
        ("a verification without a claim", (people.UPLOAD_LINK_COMPACT, verification)),
        ("a verification by a service", (link, claim, _verification(_SERVICE))),
        ("a verification by the participant", (link, claim, _verification(_CLAIRE))),
        ("a verification in another case", (link, claim, _verification(case=other))),
        ("a claim dated before its link", (link, _claim(at=people.noon_and(10, -11)))),
        ("a verification dated before its claim",
         (link, claim, _verification(at=people.noon_and(20, -11)))),
        ("an end dated before its link",
         (*_WAY.origin, people.ending(_WAY.link, at=people.noon_and(10, -11)))),
        ("a link dated before the first version",
         (people.resigned(_SERVICE, _WAY.link, charter=people.hash_of(people.CHARTER_1),
                        at=people.noon_and(1, -11)), claim)),
        ("the end of another link", (*_WAY.origin, people.ending(denis.link))),
        ("the end of another participant's link",
         (*_WAY.origin, people.ending(_WAY.link, participant=denis.id))),
        ("an end in another case", (*_WAY.origin, people.ending(_WAY.link, case=other))),
        ("an end by a worker", (*_WAY.origin, people.ending(_WAY.link, people.WORKER))),
        ("an end by a recovery key", (*_WAY.origin, people.ending(_WAY.link, people.RECOVERY))),
        ("an end by a mediator who had left",
         (*_WAY.origin, people.ending(_WAY.link, people.ANNA, at=people.noon_and(210)))),
        ("a link by a worker", (people.sign(_WORKER, _WAY.link), claim)),
        ("a link into another case", (people.resigned(_ANNA, _WAY.link, case=other), claim)),
        ("a link that names no version",
         (people.resigned(_ANNA, _WAY.link, charter=people.digest("x")), claim)),
        ("a link that names a version that had ended",
         (people.resigned(_ANNA, _WAY.link, charter=people.hash_of(people.CHARTER_1)), claim)),
        ("a link that names a version to come",
         (people.resigned(_ANNA, _WAY.link, charter=people.hash_of(people.CHARTER_3)), claim)),
    ]  # fmt: skip
    for why, statements in table:
        yield {"why": why, "statements": statements}


def chain() -> Json:
    """From a root to a released video, and what goes wrong when one member is exchanged for another."""
    participants = {"Claire": people.CLAIRE, "Denis": people.DENIS}
    return {
        "case": str(people.CASE),
        "version": 3,
        "recipient": _NEW,
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
        "root_public_key": _public(people.ROOT),
        "credentials": CREDENTIALS,
        "revocations": [],
        "successions": [],
        "registration": people.REGISTRATION_COMPACT,
        "charters": CHARTERS,
        "anchor": _anchor(people.CHARTER_2),
        "seen": {"1": people.hash_of(people.CHARTER_1), "2": people.hash_of(people.CHARTER_2)},
        "identities": [_NEW, _OLD],
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
    return people.sign(_BORIS, said)


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
    yield "another root's credential", "credentials", [*CREDENTIALS, _MALLORY.compact]
    yield "a successor of the root", "successions", [BY_OLD, BY_NEW]
    yield "Anna revoked after she acted", "revocations", [revocation(people.ROOT, people.ANNA, 201)]
    yield "a stranger revokes", "revocations", [revocation(_STRANGER, people.ANNA, 0)]
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
    yield "another root", "root_public_key", _public(_STRANGER)
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
    yield "two successors", "successions", [BY_OLD, succession(people.ROOT, people.ROOT, _STRANGER)]
    yield "a registration by a mediator", "registration", _OWN
    other = people.resigned(_SERVICE, people.REGISTRATION, at=people.noon_and(1))
    yield "another registration", "registration", other
    yield "no charter", "charters", []
    yield "the first charter missing", "charters", [*CHARTERS[1:]]
    yield "charters reversed", "charters", [*CHARTERS[::-1]]
    newcomer = people.sign(_BORIS, people.charter(2, people.hash_of(people.CHARTER_1)))
    yield "a charter by a newcomer", "charters", [people.CHARTER_1, newcomer]
    yield "an anchor of another case", "anchor", b64u_encode(bytes(ANCHOR_BYTES))
    yield "a version missing that was seen", "seen", {"4": people.digest("the fourth version")}
    yield "another version than was seen", "seen", {"2": people.digest("another second version")}
    yield "an identity too few", "identities", [_NEW]
    yield "identities in another order", "identities", [_OLD, _NEW]
    yield "an identity too many", "identities", [_NEW, _OLD, people.CLAIRE.claim.recipient]


def _bad_ways_in() -> Iterator[tuple[str, str, Json]]:
    claire, denis = people.CLAIRE, people.DENIS
    said = decode_unverified(claire.verification_compact, Verification)
    yield "a link by a worker", "author_link", people.sign(_WORKER, claire.link)
    yield "a link of another person", "author_link", denis.link_compact
    older = people.resigned(_ANNA, claire.link, charter=people.hash_of(people.CHARTER_1))
    yield "a link under an older charter", "author_link", older
    yield "a claim of another link", "author_claim", denis.claim_compact
    yield "a verification by a service", "author_verification", people.sign(_SERVICE, said)
    yield "a verification by the author", "author_verification", people.sign(_CLAIRE, said)
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
    yield "a message by the relay", "message", people.sign(_SERVICE, people.VIDEO)
    to_another = people.resigned(_CLAIRE, people.VIDEO, recipient=people.identifier("x"))
    yield "a message to another", "message", to_another
    yield (
        "a message under another charter",
        "message",
        people.resigned(_CLAIRE, people.VIDEO, charter=first),
    )
    in_another = {"case": people.identifier("another case")}
    yield (
        "a message in another case",
        "message",
        people.resigned(_CLAIRE, people.VIDEO, **in_another),
    )
    before = people.resigned(_WORKER, people.RENDITION, at=people.noon_and(40, -11))
    yield "a rendition dated before the message", "rendition", before
    yield "a rendition by a mediator", "rendition", people.sign(_ANNA, people.RENDITION)
    older = people.resigned(_WORKER, people.RENDITION, charter=first)
    yield "a rendition under another charter", "rendition", older
    before = people.resigned(_ANNA, people.CAPTIONS, at=people.noon_and(40, -11))
    yield "captions dated before the message", "captions", before
    same_key = people.resigned(_ANNA, people.CAPTIONS, part=people.part("captions", "original"))
    yield "captions with the file key of the original", "captions", same_key
    yield "captions by a worker", "captions", people.sign(_WORKER, people.CAPTIONS)
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
    yield "an offer by a service", _SERVICE, {}
    yield "an offer by a recovery key", _RECOVERY, {}
    yield "an offer of the original", _ANNA, {"grants": [original]}
    yield "an offer to another key", _ANNA, {"recipient": people.CLAIRE.claim.recipient}
    yield "an offer under the first charter", _ANNA, {"charter": people.hash_of(people.CHARTER_1)}
    yield "an offer under a charter to come", _BORIS, {"charter": people.hash_of(people.CHARTER_3)}
    yield "an offer with the consents exchanged", _ANNA, {"consents": [denis, claires]}
    yield "an offer on another consent", _ANNA, {"consents": [claires, people.digest("another")]}
    yield "an offer on a pause", _ANNA, {"consents": [claires, people.hash_of(_PAUSE)]}
    yield "an offer on a later consent", _ANNA, {"consents": [claires, people.hash_of(_LATER)]}
    yield "an offer dated before the captions", _ANNA, {"at": people.noon_and(55, -11)}
    as_note = people.part("note", "original")
    with_original = [*people.offer().grants, original]
    yield (
        "a note with the file key of the original",
        _ANNA,
        {"notes": [people.NOTE, as_note], "grants": with_original},
    )
