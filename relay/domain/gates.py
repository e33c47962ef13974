"""The gates between an approved message and its recipient.

They are checked at offer, at accept, at the first opening, and when a message is granted again.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from relay.errors import Conflict


class Gate(StrEnum):
    """One condition that must hold before a message may reach its recipient."""

    SENDER_KEY = "sender-key"
    SENDER_CONSENT = "sender-consent"
    RECIPIENT_CONSENT = "recipient-consent"
    NO_CONTACT = "no-contact"
    APPROVALS = "approvals"
    RECIPIENT_KEY = "recipient-key"
    CAPTIONS = "captions"


class GateClosed(Conflict):
    """This may not reach its recipient now: the named gates are closed. Settle them, then offer it."""

    code = "gate-closed"
    french = (
        "Ce message ne peut pas être remis maintenant : les conditions nommées ne sont pas remplies. "
        "Réglez-les, puis offrez-le."
    )


class GateFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the gates look at, read in the same transaction as the transition."""

    sender_verified: bool
    """The words came by a verified claim or an upload link that nobody misused, or a mediator signed them."""
    sender_consents: bool
    recipient_consents: bool
    no_contact: bool
    approvals: int
    """Different people who approved, as mediators, exactly what would be released."""
    approvals_needed: int
    recipient_key_verified: bool
    """A mediator has verified the claim whose key the offer is for."""
    captions_settled: bool
    """Captions exist, an exception was recorded, or the case does not ask for them."""


def closed_gates(facts: GateFacts) -> tuple[Gate, ...]:
    """Every closed gate, in the order of the enumeration; empty where the message may pass."""
    closed = {
        Gate.SENDER_KEY: not facts.sender_verified,
        Gate.SENDER_CONSENT: not facts.sender_consents,
        Gate.RECIPIENT_CONSENT: not facts.recipient_consents,
        Gate.NO_CONTACT: facts.no_contact,
        Gate.APPROVALS: facts.approvals < facts.approvals_needed,
        Gate.RECIPIENT_KEY: not facts.recipient_key_verified,
        Gate.CAPTIONS: not facts.captions_settled,
    }
    return tuple(gate for gate in Gate if closed[gate])


def require_open(facts: GateFacts) -> None:
    """Raise GateClosed, naming every closed gate."""
    closed = closed_gates(facts)
    if closed:
        raise GateClosed(", ".join(closed), gates=list(closed))
