"""What staff do with a case: links, mediators, no contact, closing."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import NoReturn

from aiohttp import web

from example_host import cases
from example_host.case_pages import one_of, shown_case
from example_host.cases import Case
from example_host.context import CONTEXT
from example_host.relay import RelayAway, RelayRefused
from example_host.rendering import MEMBER, page, sorry
from example_host.staff import mediators


def _back(case: Case, saved: str = "") -> NoReturn:
    raise web.HTTPSeeOther(f"/cases/{case.case_id}" + (f"?saved={saved}" if saved else ""))


async def _away(request: web.Request, case: Case, chosen: dict[str, object]) -> web.Response:
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return await shown_case(request, case, problem="away.done", chosen=chosen, status=status)


async def _refused(request: web.Request, case: Case, code: str) -> web.Response:
    return await shown_case(request, case, refused=code, status=HTTPStatus.CONFLICT)


async def make_link(request: web.Request) -> web.Response:
    """`POST /cases/{case}/links`: a link for one of its people, by letter or by e-mail."""
    case = await one_of(request)
    form = await request.post()
    way = str(form.get("way", ""))
    person = next((one for one in case.people if str(one.person) == form.get("person")), None)
    if person is None or way not in {"letter", "email"} or (way == "email" and not person.email):
        return sorry(request, "error.wrong", HTTPStatus.BAD_REQUEST)
    context = request.app[CONTEXT]
    try:
        link, address = await context.relay.make_link(case.case_id, person.person)
    except RelayAway:
        return await _away(request, case, {"person": person.person, "way": way})
    except RelayRefused as refused:
        return await _refused(request, case, refused.code)
    await cases.keep_link(context.pool, link, person.person, way, address)
    _back(case, f"link.made_{way}")


async def show_letter(request: web.Request) -> web.Response:
    """`GET /cases/{case}/links/{link}`: the letter, to be printed; until it was given."""
    case = await one_of(request)
    links = await cases.links_of(request.app[CONTEXT].pool, case.case_id)
    link = next((one for one in links if str(one.link) == request.match_info["link"]), None)
    if link is None or link.way != "letter":
        raise web.HTTPNotFound
    return page(
        request, "letter.html", {"case": case, "link": link, "person": case.person(link.person)}
    )


async def letter_sent(request: web.Request) -> web.Response:
    """`POST /cases/{case}/links/{link}/given`: the address is forgotten."""
    case = await one_of(request)
    try:
        link = uuid.UUID(request.match_info["link"])
    except ValueError:
        raise web.HTTPNotFound from None
    await cases.link_given(request.app[CONTEXT].pool, case.case_id, link)
    _back(case)


async def change_mediators(request: web.Request) -> web.Response:
    """`POST /cases/{case}/mediators`: whose it is, if it still is as the clerk saw it."""
    case = await one_of(request)
    if not request[MEMBER].is_clerk:
        return sorry(request, "error.clerk_only", HTTPStatus.FORBIDDEN)
    context = request.app[CONTEXT]
    form = await request.post()
    wished = {str(one) for one in form.getall("mediator", [])}
    chosen = [one for one in await mediators(context.pool) if str(one.staff) in wished]
    if case.known is None or not chosen:
        return await shown_case(
            request, case, problem="new.wrong_mediators", status=HTTPStatus.UNPROCESSABLE_ENTITY
        )
    credentials = [one.credential for one in chosen if one.credential is not None]
    people = [(one.person, one.role) for one in case.people]
    try:
        found = await context.relay.register(
            case.case_id, case.reference, people, credentials, known=str(form.get("etag", ""))
        )
    except RelayAway:
        return await _away(request, case, {"mediators": [one.staff for one in chosen]})
    except RelayRefused as refused:
        if refused.code != "not-as-expected":
            return await _refused(request, case, refused.code)
        try:
            now = await context.relay.case(case.case_id)
        except (RelayAway, RelayRefused):
            return await _away(request, case, {"mediators": [one.staff for one in chosen]})
        await cases.keep(context.pool, case.case_id, now)
        return await shown_case(
            request,
            await one_of(request),
            problem="mediators.meanwhile",
            status=HTTPStatus.CONFLICT,
        )
    await cases.keep(context.pool, case.case_id, found)
    await cases.assign(context.pool, case.case_id, [one.staff for one in chosen])
    _back(case, "mediators.changed")


async def set_no_contact(request: web.Request) -> web.Response:
    """`POST /cases/{case}/no-contact`."""
    case = await one_of(request)
    if not request[MEMBER].is_clerk:
        return sorry(request, "error.clerk_only", HTTPStatus.FORBIDDEN)
    form = await request.post()
    one, other = (person.person for person in case.people)
    try:
        await request.app[CONTEXT].relay.set_no_contact(
            case.case_id, one, other, no_contact=form.get("no_contact") == "yes"
        )
    except RelayAway:
        return await _away(request, case, {})
    except RelayRefused as refused:
        return await _refused(request, case, refused.code)
    _back(case)


async def set_closed(request: web.Request) -> web.Response:
    """`POST /cases/{case}/closing`."""
    case = await one_of(request)
    form = await request.post()
    try:
        await request.app[CONTEXT].relay.set_closed(
            case.case_id, closed=form.get("closed") == "yes"
        )
    except RelayAway:
        return await _away(request, case, {})
    except RelayRefused as refused:
        return await _refused(request, case, refused.code)
    _back(case)
