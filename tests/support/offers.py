"""Offers as a mediator may send them, correct or not."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import datetime

from relay.client.sealing import unwrap, view_of
from relay.crypto.age import FileKey
from relay.crypto.encoding import b64u_encode
from relay.domain.messages import RecipientMessage, ReviewMessage, ReviewRequest
from relay.testing.people import Case
from tests.support.requests import (
    Caller,
    Subject,
    caller_of,
    charter_of,
    consents_of,
)


async def waiting(case: Case, message: uuid.UUID) -> RecipientMessage:
    """A message as its recipient sees it."""
    found = (await case.responsible.correspondence()).received
    return next(entry for entry in found if entry.message == message)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OfferRequest:
    """One offer of a mediator, to be sent as it should be or changed."""

    caller: Caller
    words: Subject
    keys: dict[str, FileKey]
    to: uuid.UUID
    recipient: str
    claim: str

    def act(self, at: datetime, **other: object) -> ReviewRequest:
        """The offer, with some members changed."""
        said = {"keys": self.keys, "to": self.to, "recipient": self.recipient, "claim": self.claim}
        return self.words.offer(self.caller.signer, at=at, **{**said, **other})  # type: ignore[arg-type]

    async def send(self, act: ReviewRequest) -> tuple[int, str]:
        """Send it; status and code of the answer."""
        path = f"/v1/messages/{self.words.message}/offers"
        answer = await self.caller.ask("POST", path, act)
        return answer.status, answer.code


async def offer_request(case: Case, message: ReviewMessage) -> OfferRequest:
    """What the case's mediator would offer of this message."""
    item = await case.mediator.verify(message)
    identities = (await case.mediator.case(case.case_id)).identities
    keys = {}
    for part in item.message.parts:
        view = view_of(message.parts, part)
        keys[part.commit] = unwrap(case.case_id, part, view.header or b"", identities)
    to = await case.mediator.recipient_claim(case.case_id, message.recipient)
    return OfferRequest(
        caller=caller_of(case.mediator),
        words=Subject(
            case=case.case_id,
            message=message.message,
            revision=message.revision,
            source=message.statement or "",
            charter=await charter_of(case.mediator, case.case_id),
            consents=consents_of(message),
        ),
        keys=keys,
        to=message.recipient,
        recipient=to.recipient,
        claim=b64u_encode(to.claim_hash),
    )
