"""The list of cases, one case, and a new one."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import web

from example_host import cases, work
from example_host.cases import Case, Person, ReferenceTaken
from example_host.context import CONTEXT
from example_host.relay import RelayAway, RelayRefused
from example_host.rendering import MEMBER, page, sorry
from example_host.staff import mediators
from relay.client.api import CaseFacts, CaseSummary, CaseView

NAME_MOST: Final = 80
REFERENCE_MOST: Final = 60
EMAIL_MOST: Final = 200
_EMAIL: Final = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\"]+", re.ASCII)


def state_of(case: Case, summary: CaseFacts | None) -> str:
    """The key of the words for how a case stands."""
    if summary is None:
        return "refused" if case.refused else "unregistered"
    if summary.disposed_at is not None:
        return "disposed"
    if summary.closed_at is not None:
        return "closed"
    return "open" if summary.charter_version else "registered"


async def show_cases(request: web.Request) -> web.Response:
    """`GET /`: what waits in each of one's cases, as relay says now, or as it said last."""
    context = request.app[CONTEXT]
    found = await cases.cases_of(context.pool, request[MEMBER])
    is_away = False
    try:
        now = await context.relay.cases() if found else {}
    except (RelayAway, RelayRefused):
        is_away = True
        now = {}
    rows = []
    for case in found:
        summary = now.get(case.case_id) or (case.known.view if case.known else None)
        rows.append({"case": case, "summary": summary, "state": state_of(case, summary)})
    totals = [
        row["summary"].figures for row in rows if isinstance(row["summary"], CaseSummary | CaseView)
    ]
    values = {
        "rows": rows,
        "is_away": is_away,
        "messages": sum(one.mediator for one in totals),
        "claims": sum(one.claims for one in totals),
    }
    return page(request, "cases.html", values)


async def one_of(request: web.Request) -> Case:
    """The case of the address; 404 where there is none that this member may see."""
    try:
        case_id = uuid.UUID(request.match_info["case"])
    except ValueError:
        raise web.HTTPNotFound from None
    case = await cases.case_of(request.app[CONTEXT].pool, request[MEMBER], case_id)
    if case is None:
        raise web.HTTPNotFound
    return case


async def show_case(request: web.Request) -> web.Response:
    """`GET /cases/{case}`."""
    return await shown_case(request, await one_of(request))


async def shown_case(
    request: web.Request,
    case: Case,
    *,
    problem: str = "",
    refused: str = "",
    status: int = HTTPStatus.OK,
    chosen: Mapping[str, object] | None = None,
) -> web.Response:
    """A case, as relay has it now.

    `problem` is a key of texts, `refused` a code of relay, `chosen` what a form had that did not work.
    """
    context = request.app[CONTEXT]
    is_away = False
    if case.known is not None and not problem:
        try:
            found = await context.relay.case(case.case_id)
        except RelayAway:
            is_away = True
        except RelayRefused as error:
            refused = refused or error.code
        else:
            await cases.keep(context.pool, case.case_id, found)
            case = await one_of(request)
    view = case.known.view if case.known else None
    everybody = await mediators(context.pool)
    in_relay = set(view.mediators) - {one.credential for one in case.mediators} if view else set()
    values = {
        "case": case,
        "view": view,
        "etag": case.known.etag if case.known else "",
        "state": state_of(case, view),
        "consents": {one.participant: one.consent for one in view.participants} if view else {},
        "others": [one.name for one in everybody if one.credential in in_relay],
        "strangers": len(in_relay - {one.credential for one in everybody}),
        "pair": view.pairs[0] if view and view.pairs else None,
        "links": await cases.links_of(context.pool, case.case_id),
        "happened": await cases.happened(context.pool, case.case_id),
        "all_mediators": everybody,
        "is_away": is_away,
        "problem": problem,
        "refused": refused,
        "chosen": chosen or {},
    }
    return page(request, "case.html", values, status=status)


async def show_new(request: web.Request) -> web.Response:
    """`GET /cases/new`."""
    if not request[MEMBER].is_clerk:
        return sorry(request, "error.clerk_only", HTTPStatus.FORBIDDEN)
    return await _new(request, {}, [])


async def add(request: web.Request) -> web.Response:
    """`POST /cases`: kept here first, so that nothing that was typed is lost; then registered."""
    if not request[MEMBER].is_clerk:
        return sorry(request, "error.clerk_only", HTTPStatus.FORBIDDEN)
    context = request.app[CONTEXT]
    form = await request.post()
    given = {name: str(value).strip() for name, value in form.items() if isinstance(value, str)}
    known = {str(one.staff) for one in await mediators(context.pool)}
    chosen = [uuid.UUID(one) for one in form.getall("mediator", []) if one in known]
    people = [
        Person(
            person=uuid.uuid4(),
            role=role,
            name=given.get(f"{role}_name", ""),
            email=given.get(f"{role}_email", ""),
            language="fr" if given.get(f"{role}_language") == "fr" else "en",
        )
        for role in cases.ROLES
    ]
    wrong = _wrong(given.get("reference", ""), people, chosen)
    case_id = uuid.uuid4()
    if not wrong:
        try:
            await cases.add(context.pool, case_id, given["reference"], people, chosen)
        except ReferenceTaken:
            wrong = ["wrong_taken"]
    if wrong:
        return await _new(request, {**given, "chosen": chosen}, wrong)
    try:
        await work.look_again(context, case_id)
    except RelayAway:
        context.woken.set()
    raise web.HTTPSeeOther(f"/cases/{case_id}")


async def register(request: web.Request) -> web.Response:
    """`POST /cases/{case}/registration`: try it again."""
    case = await one_of(request)
    try:
        await work.look_again(request.app[CONTEXT], case.case_id)
    except RelayAway:
        return await shown_case(request, case, status=HTTPStatus.SERVICE_UNAVAILABLE)
    raise web.HTTPSeeOther(f"/cases/{case.case_id}")


def _wrong(reference: str, people: list[Person], chosen: list[uuid.UUID]) -> list[str]:
    """The keys of what has to be corrected."""
    wrong = []
    if not 0 < len(reference) <= REFERENCE_MOST or not reference.isprintable():
        wrong.append("wrong_reference")
    if not all(0 < len(one.name) <= NAME_MOST and one.name.isprintable() for one in people):
        wrong.append("wrong_name")
    emails = [one.email for one in people if one.email]
    if not all(_EMAIL.fullmatch(one) and len(one) <= EMAIL_MOST for one in emails):
        wrong.append("wrong_email")
    if not chosen:
        wrong.append("wrong_mediators")
    return wrong


async def _new(request: web.Request, given: Mapping[str, object], wrong: list[str]) -> web.Response:
    values = {
        "given": given,
        "wrong": wrong,
        "roles": cases.ROLES,
        "all_mediators": await mediators(request.app[CONTEXT].pool),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return page(request, "new_case.html", values, status=status)
