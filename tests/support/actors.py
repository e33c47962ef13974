"""Callers whom relay knows, and whom nobody counted yet."""

from __future__ import annotations

import uuid

from relay.domain.actors import Mediator, Participant


def mediator() -> Mediator:
    """A mediator."""
    return Mediator(credential_id=uuid.uuid4(), kid="", signer=b"")


def participant(case_id: uuid.UUID) -> Participant:
    """Somebody of this case."""
    return Participant(
        participant_id=uuid.uuid4(),
        case_id=case_id,
        kid="",
        signer=b"",
        link_id=None,
        is_verified=True,
    )
