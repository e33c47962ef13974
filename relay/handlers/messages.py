"""What participants do: write, send, take back; read what was offered, answer, open."""

from __future__ import annotations

from aiohttp import web

from relay.domain.actors import Mediator, Participant
from relay.domain.correspondence import CorrespondenceQuery
from relay.domain.messages import NewDraft, ReceiptRequest, Submission
from relay.domain.sessions import SignedRequest
from relay.handlers.routing import Call, Role, answer, no_content, route
from relay.services import correspondence, message_views, offers, submissions


async def begin_draft(call: Call) -> web.Response:
    """The beginning of a message or of its next revision."""
    draft = await call.body(NewDraft)
    message = await submissions.begin_draft(
        call.database,
        call.settings,
        call.participant,
        call.uuid("message"),
        call.number("revision"),
        draft,
    )
    return answer(message)


async def submit(call: Call) -> web.Response:
    """A signed revision."""
    submission = await call.body(Submission)
    actor = call.actor
    assert isinstance(actor, Participant | Mediator)  # noqa: S101 - by the route's roles
    message = await submissions.submit(
        call.database,
        call.relay.queue,
        call.settings,
        actor,
        call.uuid("message"),
        call.number("revision"),
        submission,
    )
    return answer(message)


async def discard(call: Call) -> web.Response:
    """The end of a draft that was never sent."""
    await submissions.discard(
        call.database, call.participant, call.uuid("message"), call.number("revision")
    )
    return no_content()


async def withdraw(call: Call) -> web.Response:
    """A sender takes a message back."""
    request = await call.body(SignedRequest)
    actor = call.actor
    assert isinstance(actor, Participant | Mediator)  # noqa: S101 - by the route's roles
    await submissions.withdraw(
        call.database, call.settings, actor, call.uuid("message"), request.statement
    )
    return no_content()


async def list_own(call: Call) -> web.Response:
    """A page of what the caller wrote and was offered."""
    query = call.query(CorrespondenceQuery)
    return answer(await correspondence.correspondence(call.database, call.participant, query))


async def read(call: Call) -> web.Response:
    """One message, as the caller is to see it."""
    if isinstance(call.actor, Mediator):
        return answer(await message_views.review(call.database, call.actor, call.uuid("message")))
    return answer(
        await message_views.read_own(call.database, call.participant, call.uuid("message"))
    )


async def respond(call: Call) -> web.Response:
    """What a recipient answers to an offer."""
    request = await call.body(SignedRequest)
    message = await offers.respond(
        call.database,
        call.settings,
        call.participant,
        call.uuid("message"),
        request.statement,
    )
    return answer(message)


async def open_message(call: Call) -> web.Response:
    """The headers of a released message."""
    opening = await offers.open_message(
        call.database, call.settings, call.participant, call.uuid("message")
    )
    return answer(opening)


async def read_receipt(call: Call) -> web.Response:
    """The state of the message of a receipt."""
    request = await call.body(ReceiptRequest)
    status = await message_views.read_receipt(
        call.database, submissions.hash_receipt(request.receipt)
    )
    return answer(status)


_SENDERS = (Role.PARTICIPANT, Role.UPLOADER)

ROUTES = (
    route("GET", "/v1/messages", list_own, *_SENDERS),
    route("GET", "/v1/messages/{message}", read, *_SENDERS, Role.MEDIATOR),
    route("PUT", "/v1/messages/{message}/revisions/{revision}/draft", begin_draft, *_SENDERS),
    route("DELETE", "/v1/messages/{message}/revisions/{revision}/draft", discard, *_SENDERS),
    route("PUT", "/v1/messages/{message}/revisions/{revision}", submit, *_SENDERS, Role.MEDIATOR),
    route("PUT", "/v1/messages/{message}/withdrawal", withdraw, *_SENDERS, Role.MEDIATOR),
    route("POST", "/v1/messages/{message}/responses", respond, Role.PARTICIPANT),
    route("POST", "/v1/messages/{message}/openings", open_message, Role.PARTICIPANT),
    route("POST", "/v1/receipts", read_receipt, Role.PUBLIC),
)
