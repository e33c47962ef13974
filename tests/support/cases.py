"""Changes of a case that several tests make."""

from __future__ import annotations

from relay.client.mediator import Mediator
from relay.crypto.statements import Policy
from relay.testing.people import Case


async def replace_mediators(
    case: Case, signer: Mediator, successors: list[Mediator], policy: Policy | None = None
) -> None:
    """File the next charter of a case, with other mediators or another policy."""
    await signer.change_charter(
        case.case_id,
        mediators=[mediator.credential_id for mediator in successors],
        policy=policy,
    )
