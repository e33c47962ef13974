"""The gates between an approved message and its recipient.

Which transitions they are asked for, the transition table says.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from relay.errors import Conflict


class Gate(StrEnum):
    """One condition that must hold before a message may reach its recipient."""

    SENDER_KEY = "sender-key"
    SENDER_CONSENT = "sender-consent"
    RECIPIENT_CONSENT = "recipient-consent"
    NO_CONTACT = "no-contact"
    CASE_CLOSED = "case-closed"
    APPROVALS = "approvals"
    RECIPIENT_KEY = "recipient-key"
    CAPTIONS = "captions"


class GateClosed(Conflict):
    """At least one gate is closed; `gates` names them."""

    code = "gate-closed"


class GateFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the gates look at, read in the same transaction as the transition; closed where nobody looked."""

    sender_verified: bool = False
    """The words came by a verified claim or an upload link that nobody misused, or a mediator signed them."""
    sender_consents: bool = False
    recipient_consents: bool = False
    no_contact: bool = True
    case_closed: bool = True
    approvals: int = 0
    """Different people who approved, as mediators, exactly what would be released."""
    approvals_needed: int = 2
    has_approved: bool = False
    """Whether the mediator who asks is one of them."""
    recipient_key_verified: bool = False
    """A mediator has verified the claim whose key the offer is for."""
    captions_settled: bool = False
    """Captions exist, an exception was recorded, or the case does not ask for them."""
    is_early: bool = True
    """The offer is for later."""


NOT_ASKED: Final = GateFacts()
"""Of anyone who passes no gate."""


def closed_gates(facts: GateFacts) -> tuple[Gate, ...]:
    """Every closed gate, in the order of the enumeration; empty where the message may pass."""
    closed = {
        Gate.SENDER_KEY: not facts.sender_verified,
        Gate.SENDER_CONSENT: not facts.sender_consents,
        Gate.RECIPIENT_CONSENT: not facts.recipient_consents,
        Gate.NO_CONTACT: facts.no_contact,
        Gate.CASE_CLOSED: facts.case_closed,
        Gate.APPROVALS: facts.approvals < facts.approvals_needed,
        Gate.RECIPIENT_KEY: not facts.recipient_key_verified,
        Gate.CAPTIONS: not facts.captions_settled,
    }
    return tuple(gate for gate in Gate if closed[gate])


def is_open(facts: GateFacts) -> bool:
    """Whether nothing keeps an offer from its recipient now."""
    return not closed_gates(facts) and not facts.is_early


def require_open(facts: GateFacts) -> None:
    """Raise GateClosed, naming every closed gate."""
    closed = closed_gates(facts)
    if closed:
        raise GateClosed(", ".join(closed), gates=list(closed))
