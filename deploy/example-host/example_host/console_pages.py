"""The mediator's console of relay, in a page that knows the names."""

from __future__ import annotations

import json
from http import HTTPStatus

from aiohttp import web

from example_host import cases
from example_host.case_pages import one_of
from example_host.context import CONTEXT
from example_host.relay import RelayAway, RelayRefused
from example_host.rendering import MEMBER, language_of, page, refusal, sorry
from example_host.texts import TEXTS, text

FAILURES = tuple(key.partition(".")[2] for key in TEXTS if key.startswith("failure."))


async def show(request: web.Request) -> web.Response:
    """`GET /console` and `GET /cases/{case}/console`: for a mediator, with names of their own cases alone."""
    context, member = request.app[CONTEXT], request[MEMBER]
    begin = await one_of(request) if "case" in request.match_info else None
    if member.credential is None:
        return sorry(request, "error.forbidden", HTTPStatus.FORBIDDEN)
    language = language_of(request)
    try:
        keyring = await context.relay.keyring(member.credential)
    except RelayAway:
        values = {"why": "away.console", "refresh": 10}
        return page(request, "error.html", values, status=HTTPStatus.SERVICE_UNAVAILABLE)
    except RelayRefused as refused:
        if refused.code == "not-found":
            return sorry(request, "console.no_keyring", HTTPStatus.CONFLICT)
        values = {"why": "", "said": refusal(refused.code, language)}
        return page(request, "error.html", values, status=HTTPStatus.CONFLICT)
    own = await cases.cases_of(context.pool, member)
    handed = {
        "relay": context.settings.relay_url,
        "fingerprint": context.settings.relay_fingerprint,
        "keyring": keyring,
        "language": language,
        "label": text("console.label", language, name=member.name),
        "names": {
            "participants": {str(one.person): one.name for case in own for one in case.people},
            "cases": {str(case.case_id): case.title for case in own},
        },
    }
    if begin is not None and begin.known is not None:
        handed["case"] = str(begin.case_id)
    words = {
        key: TEXTS[f"console.{key}"][language] for key in ("ready", "locked", "failed", "counts")
    }
    words |= {f"failure.{code}": TEXTS[f"failure.{code}"][language] for code in FAILURES}
    values = {"handed": json.dumps(handed), "words": json.dumps(words), "case": begin}
    return page(request, "console.html", values)
