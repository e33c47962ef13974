"""Cases, charters, consent, no-contact facts, and the log of a case."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from aiohttp import web

from relay.domain.actors import Mediator, Participant, Service
from relay.domain.cases import (
    CaseRegistration,
    CasesQuery,
    CharterFiling,
    Closing,
    NewHold,
    NoContact,
)
from relay.domain.reviews import CaseMessagesQuery
from relay.domain.sessions import SignedRequest
from relay.handlers.routing import Call, Role, Scope, answer, no_content, route, tagged
from relay.services import cases, charters, closing, consents, disposal, links, log, reviews


class LogQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of the log; `after` is the last sequence number of the page before."""

    after: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 200


async def register(call: Call) -> web.Response:
    """Make a case known, or add to it."""
    registration = await call.body(CaseRegistration)
    case, is_new = await cases.register(
        call.database,
        call.settings,
        call.professional,
        call.uuid("case"),
        registration,
        call.preconditions,
    )
    return tagged(case, status=HTTPStatus.CREATED if is_new else HTTPStatus.OK)


async def read(call: Call) -> web.Response:
    """One case; 304 for whoever has it as it is."""
    case = await cases.read(call.database, call.professional, call.uuid("case"))
    return tagged(case, known=call.preconditions.none_match)


async def list_cases(call: Call) -> web.Response:
    """A page of cases."""
    return answer(await cases.list_cases(call.database, call.professional, call.query(CasesQuery)))


async def file_charter(call: Call) -> web.Response:
    """The next charter of a case."""
    filing = await call.body(CharterFiling)
    case = await charters.file_charter(
        call.database, call.settings, call.mediator, call.uuid("case"), filing
    )
    return answer(case, status=201)


async def file_recovered(call: Call) -> web.Response:
    """A charter that a recovery key signed; its signature is what admits it."""
    filing = await call.body(CharterFiling)
    await charters.file_recovered(call.database, call.settings, call.uuid("case"), filing)
    return no_content()


async def list_charters(call: Call) -> web.Response:
    """The charters of a case."""
    return answer(await charters.list_charters(call.database, call.professional, call.uuid("case")))


async def trust(call: Call) -> web.Response:
    """What a participant needs to verify their case."""
    return answer(await links.trust(call.database, call.settings, call.participant.case_id))


async def record_consent(call: Call) -> web.Response:
    """What a participant said about taking part."""
    request = await call.body(SignedRequest)
    actor = call.actor
    assert isinstance(actor, Participant | Mediator | Service)  # noqa: S101 - by the route's roles
    await consents.record_consent(
        call.database,
        call.settings,
        actor,
        call.uuid("case"),
        call.uuid("participant"),
        request.statement,
    )
    return no_content()


async def set_no_contact(call: Call) -> web.Response:
    """A no-contact fact between two participants."""
    fact = await call.body(NoContact)
    await consents.set_no_contact(
        call.database,
        call.service,
        call.uuid("case"),
        (call.uuid("one"), call.uuid("other")),
        no_contact=fact.no_contact,
    )
    return no_content()


async def set_closed(call: Call) -> web.Response:
    """Close a case, or open it again."""
    wanted = await call.body(Closing)
    await closing.set_closed(
        call.database, call.professional, call.uuid("case"), closed=wanted.closed
    )
    return no_content()


async def list_holds(call: Call) -> web.Response:
    """The holds on a case."""
    return answer(await disposal.list_holds(call.database, call.professional, call.uuid("case")))


async def place_hold(call: Call) -> web.Response:
    """Hold a case, so that it is not disposed of."""
    hold = await call.body(NewHold)
    await disposal.place_hold(
        call.database, call.professional, call.uuid("case"), call.uuid("hold"), hold
    )
    return no_content()


async def lift_hold(call: Call) -> web.Response:
    """End a hold."""
    await disposal.lift_hold(call.database, call.professional, call.uuid("case"), call.uuid("hold"))
    return no_content()


async def read_certificate(call: Call) -> web.Response:
    """That a case was disposed of, signed."""
    return answer(
        await disposal.read_certificate(call.database, call.professional, call.uuid("case"))
    )


async def read_log(call: Call) -> web.Response:
    """The log of a case, for anyone who verifies it."""
    query = call.query(LogQuery)
    page = await log.read_log(
        call.database,
        call.professional,
        call.uuid("case"),
        after=query.after,
        limit=query.limit,
    )
    return answer(page)


async def list_messages(call: Call) -> web.Response:
    """A page of the messages of a case."""
    page = await reviews.of_case(
        call.database, call.mediator, call.uuid("case"), call.query(CaseMessagesQuery)
    )
    return answer(page)


ROUTES = (
    route("GET", "/v1/cases", list_cases, Role.MEDIATOR, Role.SERVICE, scope=Scope.CASES_READ),
    route(
        "PUT", "/v1/cases/{case}", register, Role.MEDIATOR, Role.SERVICE, scope=Scope.CASES_WRITE
    ),
    route("GET", "/v1/cases/{case}", read, Role.MEDIATOR, Role.SERVICE, scope=Scope.CASES_READ),
    route(
        *("PUT", "/v1/cases/{case}/closing", set_closed, Role.MEDIATOR, Role.SERVICE),
        scope=Scope.CASES_WRITE,
    ),
    route(
        *("GET", "/v1/cases/{case}/holds", list_holds, Role.MEDIATOR, Role.SERVICE),
        scope=Scope.CASES_READ,
    ),
    route(
        *("PUT", "/v1/cases/{case}/holds/{hold}", place_hold, Role.MEDIATOR, Role.SERVICE),
        scope=Scope.CASES_WRITE,
    ),
    route(
        *("DELETE", "/v1/cases/{case}/holds/{hold}", lift_hold, Role.MEDIATOR, Role.SERVICE),
        scope=Scope.CASES_WRITE,
    ),
    route(
        *("GET", "/v1/cases/{case}/disposal", read_certificate, Role.MEDIATOR, Role.SERVICE),
        scope=Scope.CASES_READ,
    ),
    route("POST", "/v1/cases/{case}/charters", file_charter, Role.MEDIATOR),
    route("POST", "/v1/cases/{case}/charters/recovered", file_recovered, Role.PUBLIC),
    route(
        "GET",
        "/v1/cases/{case}/charters",
        list_charters,
        Role.MEDIATOR,
        Role.SERVICE,
        scope=Scope.CASES_READ,
    ),
    route("GET", "/v1/trust", trust, Role.PARTICIPANT, Role.UPLOADER),
    route(
        "PUT",
        "/v1/cases/{case}/participants/{participant}/consent",
        record_consent,
        Role.PARTICIPANT,
        Role.MEDIATOR,
        Role.SERVICE,
        scope=Scope.CONSENTS_WRITE,
    ),
    route(
        "PUT",
        "/v1/cases/{case}/pairs/{one}/{other}/no-contact",
        set_no_contact,
        Role.SERVICE,
        scope=Scope.NO_CONTACT_WRITE,
    ),
    route("GET", "/v1/cases/{case}/messages", list_messages, Role.MEDIATOR),
    route(
        "GET", "/v1/cases/{case}/log", read_log, Role.MEDIATOR, Role.SERVICE, scope=Scope.LOG_READ
    ),
)
