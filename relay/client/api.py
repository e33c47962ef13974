"""What a case system says to relay and is told, for programs that import nothing of relay but its client."""

from __future__ import annotations

from relay.domain.cases import (
    CaseFacts,
    CaseFigures,
    CaseRegistration,
    CaseSummary,
    CaseView,
    NewParticipant,
    ParticipantRole,
)
from relay.domain.notifications import Notification, NotificationPage, NotificationType
from relay.errors import RelayError

__all__ = [
    "CaseFacts",
    "CaseFigures",
    "CaseRegistration",
    "CaseSummary",
    "CaseView",
    "NewParticipant",
    "Notification",
    "NotificationPage",
    "NotificationType",
    "ParticipantRole",
    "RelayError",
]
