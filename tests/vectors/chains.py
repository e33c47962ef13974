"""Test vectors of who may sign what: roots, charters, ways in, and the whole way to a released video.

What is expected is written here by hand; tests/unit/crypto/test_vectors.py holds the code to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer
from relay.crypto.statements import (
    Revocation,
    Succession,
)
from tests.vectors import people

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"
"""A tuple is an array too."""

ANNA, BORIS, CLAIRE = (p.keyring.signer for p in (people.ANNA, people.BORIS, people.CLAIRE))
RENEWED, RECOVERY = people.ANNA_RENEWED.keyring.signer, people.RECOVERY.keyring.signer
SERVICE, WORKER = people.SERVICE.keyring.signer, people.WORKER.keyring.signer
STRANGER = people.keyring("Mallory").signer
MALLORY = people.person("Mallory", "mediator", root=STRANGER)
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


def public(signer: Signer) -> str:
    """A public key as statements have it."""
    return b64u_encode(signer.public_key)


def succession(by: Signer, old: Signer, new: Signer, at: int = 500) -> str:
    """A statement that `new` takes the place of `old`, at that step after noon."""
    return people.sign(by, Succession(old=public(old), new=public(new), at=people.noon_and(at)))


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
        "pinned": [public(root) for root in pinned],
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
    stranger = [anna.compact, MALLORY.compact]

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
            pinned=[people.ROOT, STRANGER],
            credentials=[anna.compact, late.compact, MALLORY.compact],
            successions=[succession(STRANGER, people.ROOT, STRANGER)],
        ),
        anna,
        late,
        MALLORY,
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
            succession(STRANGER, people.ROOT, STRANGER),
        ),
        (
            "a stranger who claims to precede the root",
            succession(STRANGER, STRANGER, people.ROOT),
        ),
        (
            "a succession that a stranger signed",
            succession(STRANGER, people.ROOT, people.NEW_ROOT),
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
    by_stranger = [revocation(STRANGER, anna, 60)]
    yield case(_given("a stranger's revocation", revocations=by_stranger), anna)
    yield case(_given("a mediator's revocation", revocations=[revocation(BORIS, anna, 60)]), anna)
    yield case(
        _given(
            "a revocation by a root that is trusted too, but did not vouch",
            pinned=[people.ROOT, STRANGER],
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
        successions=[succession(root, STRANGER, _THIRD_ROOT)],
    )
    to_no_key = Succession(old=public(root), new=_NO_KEY, at=people.noon_and(500))
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
