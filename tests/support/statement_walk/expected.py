"""What the service answers to each attack on each request, by hand; and why, where it takes one.

A refusal is a status and the code of its problem. What is accepted has the sentence of docs/protocol.md that
says so. Somebody who is in no row of `_sent` has no session, and comes with the bearer of the right signer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final, TypeAlias

from relay.crypto.statements import Disposal, Rendition, Statement
from tests.support.statement_walk.attacks import BRINGERS, MEMBERS, SIGNERS, WITH_BEARERS


@dataclasses.dataclass(frozen=True, slots=True)
class Refused:
    """The service says no, and nothing has changed."""

    status: int
    code: str


@dataclasses.dataclass(frozen=True, slots=True)
class Accepted:
    """The service takes it, by this sentence of the specification."""

    reason: str
    adds: frozenset[str] = frozenset()
    """Of a text that comes again: the tables that have more rows than before."""


@dataclasses.dataclass(frozen=True, slots=True)
class NotApplicable:
    """There is nothing to try."""

    reason: str


Outcome: TypeAlias = Refused | Accepted | NotApplicable
Row: TypeAlias = Mapping[str, Outcome]

NOT_OVER_HTTP: Final[Mapping[type[Statement], str]] = {
    Rendition: "a media worker writes it to the database; tests/integration/test_worker_walk.py",
    Disposal: "a media worker writes it to the database; tests/unit/crypto/test_disposals.py",
}
"""Types that no route takes, and where they are walked."""

# Refusals.

INVALID: Final = Refused(400, "invalid-request")
MISMATCH: Final = Refused(400, "statement-mismatch")
UNAUTHENTICATED: Final = Refused(401, "unauthenticated")
FORBIDDEN: Final = Refused(403, "forbidden")
UNKNOWN: Final = Refused(403, "unknown-signer")
UNVERIFIED: Final = Refused(403, "claim-unverified")
NOT_FOUND: Final = Refused(404, "not-found")
CHARTER_CHANGED: Final = Refused(409, "charter-changed")
OUT_OF_ORDER: Final = Refused(409, "charter-out-of-order")
EXISTS: Final = Refused(409, "credential-exists")
WRONG_STATE: Final = Refused(409, "wrong-state")
LEASE_TAKEN: Final = Refused(409, "lease-taken")
CONSENTS: Final = Refused(409, "consents-changed")
CONFLICT: Final = Refused(409, "conflict")
CRYPTO: Final = Refused(422, "crypto")

# What the specification allows.

SIGNS_IN: Final = Accepted("`relay-session+jws` | anybody with a signer")
SIGNS_IN_UNVERIFIED: Final = Accepted(
    "What an unverified claim may do: sign in, write and send, and see what it wrote itself."
)
ANY_TIME: Final = Accepted(
    "It does not look at the `at` of what a root signs, which is carried from an offline machine, nor at "
    "that of a session, whose challenge is new."
)
NEXT_CHARTER: Final = Accepted(
    "It is signed by a mediator or a recovery key of the version before."
)
MAKES_LINKS: Final = Accepted(
    "the link's statement (by a mediator of the case at the time, or a service)"
)
ENDS_LINKS: Final = Accepted(
    "The end of a link is `relay-link-ending+jws`, by a mediator of the case at the time, or a service."
)
VERIFIES: Final = Accepted("`relay-verification+jws` | mediator")
WRITES: Final = Accepted("`relay-message+jws` | sender, or a mediator who wrote it down")
WRITES_DOWN: Final = Accepted(
    "A message that a mediator wrote down is a letter whose statement a mediator of the case signed, with "
    "`from` the participant whose words they are."
)
UPLOADS: Final = Accepted(
    "What comes through it is signed by the upload signer, which the signed link ties to the participant."
)
OFFERS: Final = Accepted("`relay-offer+jws` | mediator")
TAKES_BACK: Final = Accepted("`relay-withdrawal+jws` | sender, or a mediator who recorded it")
CONSENTS_TO: Final = Accepted(
    "`relay-consent+jws` | participant, or a mediator or service that recorded it"
)
SAME_ACT: Final = Accepted("The same text is the same statement, however often it arrives.")
NOTHING_NEW: Final = Accepted(
    "A case that is registered once more has a row of its own only where something in it changes."
)

NO_MEMBER: Final = NotApplicable("it has no such member")
RIGHTFUL: Final = NotApplicable("this is who signs it")
ONLY_SIGNED: Final = NotApplicable("whoever brings it, its signature admits it")
NOTHING_LATER: Final = NotApplicable("nothing comes after it")

EMPTY: Final[Mapping[str, Outcome]] = {}
MEDIATORS: Final = (
    "a mediator of the case",
    "a mediator of another case",
    "a dismissed mediator",
)
PARTICIPANTS: Final = ("the participant", "the other participant", "an unverified claim")


def _signed(by: Outcome, **others: Outcome) -> Row:
    """Signed by somebody else, and sent as it is always sent."""
    return {
        f"signed by {who}": others.get(who.replace(" ", "_").replace(",", ""), by)
        for who in SIGNERS
    }


def _sent(others: Mapping[str, Outcome]) -> Row:
    """Signed and sent by somebody else, who is of no role for which the route is unless they are named."""
    ended = ("a stranger", "an ended link", *(who for who in WITH_BEARERS if "revoked" in who))
    return {
        f"sent by {who}": others.get(who, UNAUTHENTICATED if who in ended else FORBIDDEN)
        for who in ("a stranger", *WITH_BEARERS)
    }


def _brought(sent: Row, others: Mapping[str, Outcome]) -> Row:
    """Signed as it should be, and sent by somebody else: another key than that of their session signed it."""
    kept = (FORBIDDEN, UNAUTHENTICATED, RIGHTFUL, ONLY_SIGNED)
    alike = {who: outcome for who in BRINGERS if (outcome := sent[f"sent by {who}"]) in kept}
    found = {"a service": UNKNOWN, **others, **alike}
    return {f"brought by {who}": found.get(who, CRYPTO) for who in BRINGERS}


def _row(
    members: Mapping[str, Outcome],
    signed: Row,
    sent: Row,
    *,
    brought: Mapping[str, Outcome] = EMPTY,
    again: Outcome = SAME_ACT,
    later: Outcome = SAME_ACT,
    dated: Outcome = FORBIDDEN,
    other_type: Outcome = CRYPTO,
) -> Row:
    return {
        **dict.fromkeys((*MEMBERS, "in another place"), NO_MEMBER),
        **dict.fromkeys(("dated back", "dated ahead"), dated),
        **members,
        "of another type": other_type,
        **signed,
        **sent,
        **_brought(sent, brought),
        "again": again,
        "later": later,
    }


_OF_MEDIATORS: Final = {
    "a mediator of another case": NOT_FOUND,
    "a dismissed mediator": NOT_FOUND,
}
"""For others than the mediators of a case, it does not exist."""
_NOT_THEIRS: Final = {**_OF_MEDIATORS, "the other participant": NOT_FOUND}
_NOBODY: Final[Row] = {f"sent by {who}": ONLY_SIGNED for who in ("a stranger", *WITH_BEARERS)}
_BY_SERVICE: Final = _signed(UNKNOWN, a_service=RIGHTFUL)


def _linked(signed: Row, others: Mapping[str, Outcome], other_case: Outcome) -> Row:
    return _row(
        {
            "of another case": other_case,
            "of another participant": MAKES_LINKS,
            "of somebody of another case": NOT_FOUND,
            "under an older charter": CHARTER_CHANGED,
            "naming another statement": INVALID,
            "naming another key": INVALID,
            "in another place": INVALID,
        },
        signed,
        _sent({**_OF_MEDIATORS, "a mediator of the case": MAKES_LINKS, **others}),
    )


def _ended(signed: Row, others: Mapping[str, Outcome]) -> Row:
    return _row(
        {
            "of another case": NOT_FOUND,
            "of another participant": NOT_FOUND,
            "of somebody of another case": NOT_FOUND,
            "naming another statement": INVALID,
            "in another place": INVALID,
        },
        signed,
        _sent({**_OF_MEDIATORS, "a mediator of the case": ENDS_LINKS, **others}),
    )


def _letter(sent: Mapping[str, Outcome], signed: Row | None = None, **members: Outcome) -> Row:
    return _row(
        {
            "of another case": members.get("other_case", MISMATCH),
            "of another message": MISMATCH,
            "of another participant": members.get("other_participant", MISMATCH),
            "of somebody of another case": members.get("somebody", MISMATCH),
            "under an older charter": CHARTER_CHANGED,
            "naming another statement": MISMATCH,
            "naming another key": NOT_FOUND,
            "in another place": MISMATCH,
        },
        signed or _signed(CRYPTO),
        _sent(
            {
                **_OF_MEDIATORS,
                "a mediator of the case": WRITES_DOWN,
                "the participant": WRITES,
                "the other participant": MISMATCH,
                "an upload link": UPLOADS,
                "an unverified claim": SIGNS_IN_UNVERIFIED,
                **sent,
            }
        ),
    )


def _withdrawn(signed: Row, others: Mapping[str, Outcome]) -> Row:
    return _row(
        {
            "of another case": MISMATCH,
            "of another message": MISMATCH,
            "of another participant": MISMATCH,
            "of somebody of another case": MISMATCH,
            "in another place": MISMATCH,
        },
        signed,
        _sent(
            {
                **_NOT_THEIRS,
                "a mediator of the case": TAKES_BACK,
                "an upload link": NOT_FOUND,
                "an unverified claim": NOT_FOUND,
                **others,
            }
        ),
        later=NOTHING_LATER,
    )


def _consented(signed: Row, others: Mapping[str, Outcome], elsewhere: Outcome = INVALID) -> Row:
    return _row(
        {
            "of another case": INVALID,
            "of another participant": INVALID,
            "of somebody of another case": INVALID,
            "in another place": elsewhere,
        },
        signed,
        _sent(
            {
                **_NOT_THEIRS,
                "a service": CONSENTS_TO,
                "a mediator of the case": CONSENTS_TO,
                "the participant": CONSENTS_TO,
                "an unverified claim": UNVERIFIED,
                **others,
            }
        ),
        brought=_NOT_THEIRS,
        later=CONFLICT,
    )


_BY_PARTICIPANT: Final = _signed(CRYPTO, the_participant=RIGHTFUL)
_PARTICIPANT: Final = {"the participant": RIGHTFUL}
_SERVICE: Final = {"a service": RIGHTFUL}

EARLIER_THAN_CREDENTIAL: Final = (
    *("registration", "charter", "charter by a recovery key"),
    *("link", "link by a service", "link ending", "link ending by a service"),
    *("verification", "letter written down", "decision", "captions", "offer"),
    *("withdrawal recorded", "consent recorded", "consent by a service"),
)
"""What is signed with a credential: from a time before it that is not far from the clock, it is FORBIDDEN."""

TABLE: Final[Mapping[str, Row]] = {
    "session": _row(
        {"naming another statement": UNAUTHENTICATED, "naming another key": UNAUTHENTICATED},
        _signed(
            UNAUTHENTICATED,
            the_participant=RIGHTFUL,
            the_other_participant=SIGNS_IN,
            a_mediator_of_the_case=SIGNS_IN,
            a_mediator_of_another_case=SIGNS_IN,
            a_dismissed_mediator=SIGNS_IN,
            an_unverified_claim=SIGNS_IN_UNVERIFIED,
        ),
        _NOBODY,
        again=UNAUTHENTICATED,
        later=NOTHING_LATER,
        dated=ANY_TIME,
        other_type=UNAUTHENTICATED,
    ),
    "credential": _row(
        {"naming another statement": EXISTS, "naming another key": EXISTS},
        _signed(UNKNOWN, the_root=RIGHTFUL),
        _NOBODY,
        later=NOTHING_LATER,
        dated=ANY_TIME,
    ),
    "revocation": _row(
        {"naming another statement": FORBIDDEN, "in another place": FORBIDDEN},
        _signed(UNKNOWN, the_root=RIGHTFUL),
        _NOBODY,
        later=NOTHING_LATER,
        dated=ANY_TIME,
    ),
    "registration": _row(
        {
            "of another case": INVALID,
            "naming another statement": INVALID,
            "in another place": INVALID,
        },
        _BY_SERVICE,
        _sent({**_SERVICE, **dict.fromkeys(MEDIATORS, UNKNOWN)}),
        again=NOTHING_NEW,
        later=NOTHING_NEW,
    ),
    "charter": _row(
        {
            "of another case": INVALID,
            "under an older charter": OUT_OF_ORDER,
            "naming another statement": OUT_OF_ORDER,
            "in another place": NOT_FOUND,
        },
        _signed(CRYPTO),
        _sent({**_OF_MEDIATORS, "a mediator of the case": NEXT_CHARTER}),
        later=OUT_OF_ORDER,
    ),
    "charter by a recovery key": _row(
        {
            "of another case": INVALID,
            "under an older charter": OUT_OF_ORDER,
            "naming another statement": OUT_OF_ORDER,
            "in another place": INVALID,
        },
        _signed(UNKNOWN, a_recovery_key=RIGHTFUL),
        _NOBODY,
        later=OUT_OF_ORDER,
    ),
    "link": _linked(_signed(CRYPTO), {"a service": MAKES_LINKS}, NOT_FOUND),
    "link by a service": _linked(_BY_SERVICE, _SERVICE, CHARTER_CHANGED),
    "link ending": _ended(_signed(CRYPTO), {"a service": ENDS_LINKS}),
    "link ending by a service": _ended(_BY_SERVICE, _SERVICE),
    "claim": _row(
        {
            "of another case": INVALID,
            "of another participant": INVALID,
            "of somebody of another case": INVALID,
            "naming another statement": INVALID,
            "naming another key": CRYPTO,
            "in another place": NOT_FOUND,
        },
        _signed(CRYPTO),
        _sent(dict.fromkeys(WITH_BEARERS, NOT_FOUND)),
        brought=dict.fromkeys(BRINGERS, NOT_FOUND),
        later=NOT_FOUND,
    ),
    "verification": _row(
        {
            "of another case": NOT_FOUND,
            "of another participant": NOT_FOUND,
            "of somebody of another case": NOT_FOUND,
            "naming another statement": NOT_FOUND,
            "naming another key": INVALID,
        },
        _signed(CRYPTO),
        _sent({**_OF_MEDIATORS, "a mediator of the case": VERIFIES}),
    ),
    "letter": _letter(_PARTICIPANT, _BY_PARTICIPANT),
    "letter written down": _letter(
        {},
        other_case=NOT_FOUND,
        other_participant=WRITES_DOWN,
        somebody=NOT_FOUND,
    ),
    "letter through an upload link": _letter({}),
    "decision": _row(
        {
            "of another case": MISMATCH,
            "of another message": MISMATCH,
            "naming another statement": WRONG_STATE,
            "in another place": MISMATCH,
        },
        _signed(CRYPTO),
        _sent({**_OF_MEDIATORS, "a mediator of the case": LEASE_TAKEN}),
    ),
    "captions": _row(
        {
            "of another case": MISMATCH,
            "of another message": MISMATCH,
            "naming another statement": MISMATCH,
            "naming another key": MISMATCH,
            "in another place": MISMATCH,
        },
        _signed(CRYPTO),
        _sent({**_OF_MEDIATORS, "a mediator of the case": LEASE_TAKEN}),
    ),
    "offer": _row(
        {
            "of another case": MISMATCH,
            "of another message": MISMATCH,
            "under an older charter": CHARTER_CHANGED,
            "naming another statement": WRONG_STATE,
            "naming another key": MISMATCH,
            "naming other consents": CONSENTS,
            "in another place": MISMATCH,
        },
        _signed(CRYPTO),
        _sent({**_OF_MEDIATORS, "a mediator of the case": OFFERS}),
    ),
    "response": _row(
        {
            "of another case": MISMATCH,
            "of another message": MISMATCH,
            "naming another statement": MISMATCH,
            "in another place": MISMATCH,
        },
        _BY_PARTICIPANT,
        _sent(
            {
                **_PARTICIPANT,
                "the other participant": NOT_FOUND,
                "an unverified claim": NOT_FOUND,
            }
        ),
    ),
    "withdrawal": _withdrawn(_BY_PARTICIPANT, _PARTICIPANT),
    "withdrawal recorded": _withdrawn(_signed(CRYPTO), {"the participant": TAKES_BACK}),
    "consent": _consented(_BY_PARTICIPANT, _PARTICIPANT, NOT_FOUND),
    "consent recorded": _consented(_signed(CRYPTO), {}),
    "consent by a service": _consented(_BY_SERVICE, _SERVICE),
    "succession": _row(
        {
            "naming another key": UNKNOWN,
            "dated back": INVALID,
            "dated ahead": NotApplicable("it is dated ahead itself"),
        },
        _signed(UNKNOWN, the_root=RIGHTFUL),
        _NOBODY,
        later=NOTHING_LATER,
    ),
}
"""By the names in `requests.REQUESTS` and `attacks.ATTACKS` beside this file; then the text once more."""
