"""What a media worker says to each attack on each statement that it reads, by hand; and why it takes one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final, TypeAlias

from relay.crypto.statements import (
    Captions,
    Charter,
    Claim,
    Consent,
    Credential,
    Decision,
    Disposal,
    Link,
    LinkEnding,
    Message,
    Offer,
    Registration,
    Rendition,
    Response,
    Revocation,
    Session,
    Statement,
    Succession,
    Verification,
    Withdrawal,
)
from tests.support.statement_walk.attacks import SIGNERS


@dataclasses.dataclass(frozen=True, slots=True)
class Unbelieved:
    """Nothing of the case is believed: the job waits. What the worker says of it, as a regular expression."""

    says: str


@dataclasses.dataclass(frozen=True, slots=True)
class Altered:
    """The message does not hold: its job fails. What the worker says of it, as a regular expression."""

    says: str
    opens: bool = False
    """Whether it takes the file key to see that."""


@dataclasses.dataclass(frozen=True, slots=True)
class Accepted:
    """The video is prepared, by this sentence of the specification."""

    reason: str


Outcome: TypeAlias = Unbelieved | Altered | Accepted
Row: TypeAlias = Mapping[str, Outcome]

NOT_READ: Final[Mapping[type[Statement], str]] = {
    **dict.fromkeys((Session, Response, Withdrawal, Consent), "it is for the service"),
    **dict.fromkeys((Captions, Decision, Offer), "it comes after the worker"),
    Rendition: "the worker writes it",
    Disposal: "the worker writes it",
}
"""Types that a worker does not read, and why."""

NOBODY: Final = "not signed by anybody who may"
BY_ANOTHER_KEY: Final = "signed by another key"
ENDED: Final = Altered("a link that has ended")

SERVED: Final = Accepted(
    "A version is in force from its `at` to the `at` of the next one, give or take ten minutes."
)
STOLEN: Final = Accepted(
    "Somebody with a key can sign for any time at which the key counted: after its revocation"
)
NOT_REVOKED: Final = Accepted("no revocation of that credential has an earlier `at`")
SET_ASIDE: Final = Accepted(
    "those signed by a key that the trusted roots do not lead to are set aside"
)
SUCCEEDS: Final = Accepted("from a trusted root to its successor by the old root's signature")
MAKES_LINKS: Final = Accepted("(by a mediator of the case at the time, or a service)")
ENDS_LINKS: Final = Accepted(
    "what was signed before with the keys of a verified claim still counts"
)
VERIFIES: Final = Accepted("`relay-verification+jws` | mediator")
UNVERIFIED: Final = Accepted(
    "one of an unverified claim is shown as such to a mediator, and is not approved"
)
UPLOADS: Final = Accepted("What comes through it is signed by the upload signer")
ANY_TIME: Final = Accepted("`at` is the signer's word")


def _signed(by: Outcome, others: Row | None = None, *, without: str = "") -> Row:
    """Signed by everybody but who signs it."""
    return {f"signed by {who}": (others or {}).get(who, by) for who in SIGNERS if who != without}


_STILL_COUNT: Final[Row] = {
    "a dismissed mediator": SERVED,
    "a revoked mediator, dated before": STOLEN,
}
"""Mediators whose time is over, but not for long."""
_OTHER_HASH: Final = Altered("made under another charter")
"""Link and message name the charter by its hash."""

TABLE: Final[Mapping[type[Statement], Row]] = {
    Credential: {
        "of another role": Unbelieved("without that role"),
        "of another key": Unbelieved("another credential of the same id"),
        "dated back": Unbelieved("another credential of the same id"),
        "replayed in another place": Unbelieved("share an id"),
        **_signed(Unbelieved("without that role"), without="the root"),
    },
    Revocation: {
        "of the mediator, from before the charter": Unbelieved(NOBODY),
        "of the mediator, from later on": NOT_REVOKED,
        "of the worker, from before": Unbelieved("may work for"),
        "of the worker, from later on": NOT_REVOKED,
        "replayed in another place": NOT_REVOKED,
        **_signed(SET_ASIDE, {"the root": Unbelieved(NOBODY)}),
    },
    Succession: {
        "from later on": SUCCEEDS,
        **_signed(SET_ASIDE, {"the root": Unbelieved("after its successor took over")}),
    },
    Registration: {
        "of another case": Unbelieved("does not follow"),
        "dated back": Unbelieved(NOBODY),
        "replayed in another place": Unbelieved("does not follow"),
        **_signed(Unbelieved(NOBODY), without="a service"),
    },
    Charter: {
        "of another case": Unbelieved("does not follow"),
        "of another version before it": Unbelieved("does not follow"),
        "held back": _OTHER_HASH,
        "dated back": Unbelieved(NOBODY),
        "replayed in another place": Unbelieved(NOBODY),
        **_signed(
            Unbelieved(NOBODY),
            dict.fromkeys(("a recovery key", "a mediator of the case", *_STILL_COUNT), _OTHER_HASH),
        ),
    },
    Link: {
        "of another case": Altered("of another case"),
        "of another participant": Altered("a claim of another link"),
        "under an older charter": SERVED,
        "under an older charter, later": Altered("made under another charter"),
        "dated back": Altered(NOBODY),
        "dated ahead": Altered("dated before what it names"),
        "replayed in another place": Altered("a claim of another link"),
        **_signed(
            Altered(NOBODY),
            {"a service": MAKES_LINKS, "a mediator of the case": MAKES_LINKS, **_STILL_COUNT},
        ),
    },
    LinkEnding: {
        "replaced, after the message": ENDS_LINKS,
        "replaced, before the message": ENDED,
        "misused": ENDED,
        "of another case": Altered("of another case"),
        "of another participant": Altered("the end of another link"),
        "of another link": Altered("the end of another link"),
        "dated back": Altered(NOBODY),
        **_signed(
            Altered(NOBODY),
            {
                "a service": ENDS_LINKS,
                "a mediator of the case": ENDS_LINKS,
                "a revoked mediator, dated before": ENDED,
            },
        ),
    },
    Claim: {
        "of another case": Altered("a claim of another link"),
        "of another participant": Altered("a claim of another link"),
        "of another link": Altered("a claim of another link"),
        "of another key than was verified": Altered("the verification is of another claim"),
        "of other keys, with a message": UNVERIFIED,
        "dated back": Altered("dated before what it names"),
        "dated ahead": Altered("before its key was there"),
        "replayed in another place": Altered("a claim of another link"),
        **_signed(Altered(BY_ANOTHER_KEY), without="the participant"),
    },
    Verification: {
        "of another case": Altered("of another case"),
        "of another participant": Altered("something else than the claim"),
        "of another claim": Altered("of another claim"),
        "of another key": Altered("something else than the claim"),
        "held back": UNVERIFIED,
        "dated back": Altered(NOBODY),
        "dated ahead": ANY_TIME,
        "replayed in another place": Altered("of another claim"),
        **_signed(Altered(NOBODY), {"a mediator of the case": VERIFIES, **_STILL_COUNT}),
    },
    Message: {
        "of another case": Altered("of another case or sender"),
        "of another message": Altered("about another message"),
        "of another participant": Altered("of another case or sender"),
        "of another revision": Altered("about another message"),
        "under an older charter": SERVED,
        "under an older charter, later": Altered("made under another charter"),
        "dated back": Altered("made under another charter"),
        "dated ahead": ANY_TIME,
        "replayed in another place": Altered(BY_ANOTHER_KEY),
        "with the grant of another video": Altered("CommitmentError", opens=True),
        "with the way in of an unverified claim": UNVERIFIED,
        "with the way in of an upload link": UPLOADS,
        "with the way in of an ended link": ENDED,
        "with the way in of the other participant": Altered("of another case or sender"),
        **_signed(Altered(BY_ANOTHER_KEY), without="the participant"),
    },
}
"""By the attacks of `tests.support.statement_walk.worker_attacks.ATTACKS`."""
