"""Nothing of relay's goes where an answer says: neither the Python client nor the reading of keys follows."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest
from aiohttp import web

from relay.client.connection import Connection, Problem
from relay.services.token_keys import fetch_key_set


@contextlib.asynccontextmanager
async def serving(application: web.Application) -> AsyncIterator[str]:
    """An application on a port of its own."""
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_refusal(status: int) -> None:
    """Whoever is led to receives nothing: no bearer, no statement, no question for keys."""
    received: list[str] = []

    async def take(request: web.Request) -> web.Response:
        received.append(request.path)
        return web.json_response({"keys": []})

    elsewhere = web.Application()
    elsewhere.router.add_route("*", "/{path:.*}", take)
    async with serving(elsewhere) as there:

        async def lead(request: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": there + request.path})

        here = web.Application()
        here.router.add_route("*", "/{path:.*}", lead)
        async with serving(here) as url:
            connection = await Connection.open(url)
            for method in ("GET", "POST"):
                with pytest.raises(Problem) as refused:
                    await connection.exchange(method, "/v1/receipts", bearer="b", body={"a": 1})
                assert refused.value.status == HTTPStatus(status)
            await connection.close()
            with pytest.raises(OSError, match=f"answered {status}"):
                await fetch_key_set(f"{url}/keys.json")
    assert received == []
