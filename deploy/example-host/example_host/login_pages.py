"""Logging in and out."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from example_host.context import CONTEXT
from example_host.gate import cookie_name, set_cookie
from example_host.rendering import COOKIE, page
from example_host.staff import log_in, log_out


async def show(request: web.Request) -> web.Response:
    """`GET /login`."""
    return page(request, "login.html", _values(request, request.query.get("next", "/")))


async def enter(request: web.Request) -> web.Response:
    """`POST /login`: a new session, whatever there was before."""
    context = request.app[CONTEXT]
    form = await request.post()
    login, wanted = str(form.get("login", "")), str(form.get("next", "/"))
    token = await log_in(context.pool, login, str(form.get("password", "")))
    if token is None:
        values = {**_values(request, wanted), "login": login, "wrong": True}
        return page(request, "login.html", values, status=HTTPStatus.FORBIDDEN)
    answer = web.HTTPSeeOther(local(wanted))
    set_cookie(request, answer, "session", token)
    raise answer


async def leave(request: web.Request) -> web.Response:
    """`POST /logout`."""
    context = request.app[CONTEXT]
    await log_out(context.pool, request[COOKIE])
    answer = web.HTTPSeeOther("/login")
    answer.del_cookie(cookie_name(context.settings, "session"), path="/")
    raise answer


def local(wanted: str) -> str:
    """A place to go on at, if it is one of this program's own."""
    is_local = (
        wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    )
    return wanted if is_local else "/"


def _values(request: web.Request, wanted: str) -> dict[str, object]:
    ended = "ended" in request.query
    return {"next": local(wanted), "login": "", "wrong": False, "ended": ended}
