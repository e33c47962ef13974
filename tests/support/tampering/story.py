"""A story as relay keeps it: what an audit has to hold, and what somebody may try to change in it."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Final

from relay.crypto.links import parse_link_url
from relay.crypto.statements import Policy
from relay.settings import Settings
from relay.testing.people import Case, Organization, open_case

_TWO: Final = Policy(approvals=2, captions="optional", server_processing=True, retention_days=365)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Two cases on one relay. In the first, one letter was opened by its recipient and another waits."""

    people: Organization
    settings: Settings
    case: Case
    """It asks for two approvals."""
    other: Case
    message: uuid.UUID
    """Returned, revised, approved by two, offered, accepted, opened."""
    waiting: uuid.UUID
    """The recipient's own letter, approved by one of two."""

    @property
    def case_id(self) -> uuid.UUID:
        """The first case."""
        return self.case.case_id


async def play(people: Organization, settings: Settings) -> Story:
    """Tell it, through relay."""
    case, other = await open_case(people, policy=_TWO), await open_case(people)
    harmed, responsible = case.harmed, case.responsible
    sent = await harmed.send_letter(responsible.participant_id, "Why?")
    author = await case.mediator.recipient_claim(case.case_id, harmed.participant_id)
    await case.mediator.decide(
        await case.mediator.lease(sent.message),
        "return",
        reason="unclear",
        words="Say more.",
        author=author.recipient,
    )
    await harmed.send_letter(
        responsible.participant_id, "Why did you come?", revises=await harmed.sent(sent.message)
    )
    await case.mediator.decide(await case.mediator.lease(sent.message), "approve")
    approved = await case.colleague.decide(await case.colleague.lease(sent.message), "approve")
    await case.mediator.offer(approved, note="A letter with questions.")
    [offered] = (await responsible.correspondence()).received
    await responsible.open(await responsible.respond(offered, "accept"))
    url = await case.mediator.make_link(case.case_id, harmed.participant_id, "upload")
    await case.mediator.end_link(case.case_id, parse_link_url(url).id, "misused")
    answer = await responsible.send_letter(harmed.participant_id, "I was afraid.")
    await case.mediator.decide(await case.mediator.lease(answer.message), "approve")
    return Story(
        people=people,
        settings=settings,
        case=case,
        other=other,
        message=sent.message,
        waiting=answer.message,
    )
