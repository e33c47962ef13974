"""Charters of a case, and ways into it: what is accepted, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from relay.crypto.signing import Signer
from relay.crypto.statements import (
    Charter,
    Verification,
    decode_unverified,
)
from tests.vectors import people
from tests.vectors.chains import (
    ANNA,
    BORIS,
    CHARTERS,
    CLAIRE,
    PEOPLE,
    RECOVERY,
    RENEWED,
    SERVICE,
    STRANGER,
    WORKER,
    Json,
    public,
    time,
)


def charters() -> Json:
    """Registrations and versions that make a case, and such that do not."""
    return {
        "root_public_key": public(people.ROOT),
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
OWN = people.sign(ANNA, people.REGISTRATION)
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


def _third(by: Signer = BORIS, /, **changes: object) -> str:
    plain = people.charter(3, people.hash_of(people.CHARTER_2), at=people.noon_and(200))
    return people.resigned(by, plain, **changes)


NEW = str(people.NEW_CASE_IDENTITY.recipient)
OLD = str(people.CASE_IDENTITY.recipient)


def _good_charters() -> Iterator[Json]:
    def case(given: dict[str, Json], *recipients: str) -> Json:
        return {**given, "version": len(given["charters"]), "recipients": recipients}  # type: ignore[arg-type]

    yield case(_case("one version", [people.CHARTER_1]), OLD)
    yield case(_case("two versions", people.CHARTERS), OLD)
    yield case(_case("the third by a recovery key", CHARTERS), NEW, OLD)
    yield case(_case("no service yet", [_opened(people.ANNA, OWN)], OWN, _WITHOUT_SERVICE), OLD)
    yield case(
        _case(
            "a service later",
            [_opened(people.ANNA, OWN)],
            OWN,
            (*_WITHOUT_SERVICE, _LATE_SERVICE.name),
        ),
        OLD,
    )
    plain = _third()
    yield case(_case("nobody leaves", [*people.CHARTERS, plain]), OLD)
    renewed = _third(recipient=NEW)
    yield case(_case("nobody leaves, and another recipient", [*people.CHARTERS, renewed]), NEW, OLD)
    no_worker = _third(media=[])
    yield case(_case("a media worker leaves", [*people.CHARTERS, no_worker]), OLD)


def _bad_charters() -> Iterator[Json]:
    first, second = people.CHARTERS

    def later(why: str, third: str) -> Json:
        return _case(why, [first, second, third])

    by_boris = people.resigned(BORIS, people.REGISTRATION)
    of_boris = people.resigned(
        SERVICE, people.REGISTRATION, mediators=[people.BORIS.credential.credential]
    )
    other_case = people.resigned(
        SERVICE, people.REGISTRATION, case=people.identifier("another case")
    )
    yield _case("no version", [])
    yield _case("the first version missing", [second])
    yield _case("versions exchanged", [second, first])
    yield _case("a version twice", [first, second, second])
    yield _case("another registration than the first version names", [first], OWN)
    yield _case("a registration by a mediator beside a service", [_opened(people.ANNA, OWN)], OWN)
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
    for who, signer in (("worker", WORKER), ("recovery key", RECOVERY), ("stranger", STRANGER)):
        said = people.sign(signer, people.REGISTRATION)
        yield _case(
            f"a registration by a {who}", [_opened(people.ANNA, said)], said, _WITHOUT_SERVICE
        )
    later_on = people.resigned(SERVICE, people.REGISTRATION, at=people.noon_and(2))
    yield _case(
        "a first version dated before the registration",
        [_opened(people.ANNA, later_on, at=people.noon_and(2, -11))],
        later_on,
    )
    by_recovery = people.resigned(RECOVERY, people.charter(1, None))
    yield _case("a first version by a recovery key", [by_recovery])
    for who, signer in (
        ("newcomer", RENEWED),
        ("worker", WORKER),
        ("service", SERVICE),
        ("stranger", STRANGER),
    ):
        forged = people.resigned(
            signer,
            decode_unverified(people.CHARTER_3, Charter),
            recipient=NEW,
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
        _third(mediators=[people.BORIS.member, people.WORKER.member], media=[], recipient=NEW),
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
        BORIS,
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
    return people.resigned(CLAIRE, _WAY.claim, **changes)


def _verification(by: Signer = BORIS, /, **changes: object) -> str:
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
        ("a verification by a service", (link, claim, _verification(SERVICE))),
        ("a verification by the participant", (link, claim, _verification(CLAIRE))),
        ("a verification in another case", (link, claim, _verification(case=other))),
        ("a claim dated before its link", (link, _claim(at=people.noon_and(10, -11)))),
        ("a verification dated before its claim",
         (link, claim, _verification(at=people.noon_and(20, -11)))),
        ("an end dated before its link",
         (*_WAY.origin, people.ending(_WAY.link, at=people.noon_and(10, -11)))),
        ("a link dated before the first version",
         (people.resigned(SERVICE, _WAY.link, charter=people.hash_of(people.CHARTER_1),
                        at=people.noon_and(1, -11)), claim)),
        ("the end of another link", (*_WAY.origin, people.ending(denis.link))),
        ("the end of another participant's link",
         (*_WAY.origin, people.ending(_WAY.link, participant=denis.id))),
        ("an end in another case", (*_WAY.origin, people.ending(_WAY.link, case=other))),
        ("an end by a worker", (*_WAY.origin, people.ending(_WAY.link, people.WORKER))),
        ("an end by a recovery key", (*_WAY.origin, people.ending(_WAY.link, people.RECOVERY))),
        ("an end by a mediator who had left",
         (*_WAY.origin, people.ending(_WAY.link, people.ANNA, at=people.noon_and(210)))),
        ("a link by a worker", (people.sign(WORKER, _WAY.link), claim)),
        ("a link into another case", (people.resigned(ANNA, _WAY.link, case=other), claim)),
        ("a link that names no version",
         (people.resigned(ANNA, _WAY.link, charter=people.digest("x")), claim)),
        ("a link that names a version that had ended",
         (people.resigned(ANNA, _WAY.link, charter=people.hash_of(people.CHARTER_1)), claim)),
        ("a link that names a version to come",
         (people.resigned(ANNA, _WAY.link, charter=people.hash_of(people.CHARTER_3)), claim)),
    ]  # fmt: skip
    for why, statements in table:
        yield {"why": why, "statements": statements}
