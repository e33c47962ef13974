"""The example case system, tried by whoever may not: no login, no token, somebody else's case."""

from __future__ import annotations

import json
import re
import uuid
from http import HTTPStatus
from typing import Final

import pytest

from example_host.app import ROUTES
from example_host.gate import WEBHOOK, WITHOUT_LOGIN
from example_host.login_pages import local
from relay.crypto.keyrings import seal_keyring
from relay.testing.people import PASSPHRASE
from tests.support.example_host import CLERK, Office

PROTECTED: Final = [
    (route.method, route.path)
    for route in ROUTES
    if route.path not in {*WITHOUT_LOGIN, WEBHOOK} and not route.path.startswith("/static")
]
FORMS: Final = [route.path for route in ROUTES if route.method == "POST" and route.path != WEBHOOK]


def _address(path: str, office: Office, link: uuid.UUID | None = None) -> str:
    return path.replace("{case}", str(office.case_id)).replace("{link}", str(link or uuid.uuid4()))


async def test_nothing_is_shown_or_done_without_login(office: Office) -> None:
    """Each address leads to the login, with every method it has, and changes nothing."""
    before = await office.host.everything()
    browser = await office.host.somebody()
    assert len(PROTECTED) > 10
    for method, path in PROTECTED:
        address = _address(path, office)
        answer = await browser.get(address) if method == "GET" else await browser.post(address, {})
        assert answer.status == HTTPStatus.SEE_OTHER, path
        assert answer.headers["Location"].startswith("/login?next=/"), path
    assert await office.host.everything() == before


async def test_no_form_is_taken_without_its_token(office: Office) -> None:
    """Each form, with no token, a made one, and that of somebody else, is refused and changes nothing."""
    clerk, other = await office.host.at_work(CLERK), await office.host.at_work("stranger")
    before = await office.host.everything()
    foreign = await other.form_token()
    assert len(FORMS) > 7
    for path in FORMS:
        for token in (None, "", "0" * 64, foreign):
            form = {"closed": "yes", "no_contact": "yes", "login": CLERK}
            if token is not None:
                form["form_token"] = token
            answer = await clerk.post(_address(path, office), form)
            assert answer.status == HTTPStatus.FORBIDDEN, (path, token)
    assert await office.host.everything() == before
    assert (await clerk.get("/")).status == HTTPStatus.OK  # still logged in


async def test_a_case_of_somebody_else_is_not_there(office: Office) -> None:
    """Every address of a case, for a mediator who is not of it: nothing is shown, nothing done."""
    clerk = await office.host.at_work(CLERK)
    stranger = await office.host.at_work("stranger")
    before = await office.host.everything()
    of_case = [(method, path) for method, path in PROTECTED if "{case}" in path]
    assert len(of_case) > 7
    for method, path in of_case:
        address = _address(path, office)
        answer = await stranger.get(address) if method == "GET" else await stranger.send(address)
        assert answer.status == HTTPStatus.NOT_FOUND, path
        assert "Max" not in answer.text
    assert "Max" not in (await stranger.get("/")).text
    assert "Max" in (await clerk.get("/")).text
    assert await office.host.everything() == before


async def test_the_console_is_handed_to_a_mediator_with_names_of_their_cases(
    office: Office,
) -> None:
    """Their own sealed keys, and no names of others; a clerk gets none, and neither does a stranger."""
    for mediator in (office.mediator, office.stranger):
        sealed = seal_keyring(mediator.keyring, PASSPHRASE, 1)
        await mediator.keep_keyring(sealed)
    shown = {}
    for login in ("mediator", "stranger"):
        page = (await (await office.host.at_work(login)).get("/console")).text
        found = re.search(r'data-handed="([^"]*)"', page)
        assert found is not None
        shown[login] = json.loads(found[1].replace("&#34;", '"').replace("&amp;", "&"))
    assert set(shown["mediator"]["names"]["participants"]) == {
        str(office.harmed_id),
        str(office.responsible_id),
    }
    assert shown["stranger"]["names"] == {"participants": {}, "cases": {}}
    assert shown["mediator"]["keyring"] != shown["stranger"]["keyring"]
    clerk = await office.host.at_work(CLERK)
    for path in ("/console", f"/cases/{office.case_id}/console"):
        assert (await clerk.get(path)).status == HTTPStatus.FORBIDDEN
    own = await office.host.at_work("mediator")
    answer = await own.get(f"/cases/{office.case_id}/console")
    assert answer.status == HTTPStatus.OK
    assert "no-store" in answer.headers["Cache-Control"]


async def test_only_the_clerk_changes_whose_case_it_is(office: Office) -> None:
    """A mediator of the case neither adds cases nor changes mediators or no contact."""
    own = await office.host.at_work("mediator")
    before = await office.host.everything()
    for path in ("/cases", "/cases/{case}/mediators", "/cases/{case}/no-contact"):
        answer = await own.send(_address(path, office), ("no_contact", "yes"))
        assert answer.status == HTTPStatus.FORBIDDEN
    assert (await own.get("/cases/new")).status == HTTPStatus.FORBIDDEN
    assert await office.host.everything() == before


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_page_is_in_one_language_with_strict_headers(
    office: Office, language: str
) -> None:
    """All addresses that can be looked at, also those that are refused; a name is text, never markup."""
    for login in ("", CLERK, "mediator"):
        browser = await office.host.at_work(login) if login else await office.host.somebody()
        for route in ROUTES:
            if route.method != "GET" or route.path == "/livez" or "static" in route.path:
                continue
            answer = await browser.get(_address(route.path, office), Accept_Language=language)
            if answer.status == HTTPStatus.SEE_OTHER:
                continue
            assert f'<html lang="{language}">' in answer.text, route.path
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert f"frame-src {office.people.connection.url};" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Ève <b>" not in answer.text
    browser = await office.host.somebody()
    other = "fr" if language == "en" else "en"
    answer = await browser.get(f"/login?language={other}&next=%2F", Accept_Language=language)
    assert answer.headers["Location"] == "/login?next=/"
    page = await browser.get("/login", Accept_Language=language)
    assert f'<html lang="{other}">' in page.text


async def test_a_login_rests_after_wrong_passwords_and_ends_with_logging_out(
    office: Office,
) -> None:
    """Neither the right password after five wrong ones, nor a session that was ended, opens anything."""
    browser = await office.host.somebody()
    for _ in range(5):
        assert (await browser.log_in(CLERK, "not the password")).status == HTTPStatus.FORBIDDEN
    assert (await browser.log_in(CLERK)).status == HTTPStatus.FORBIDDEN
    assert (await browser.log_in("nobody")).status == HTTPStatus.FORBIDDEN
    await office.host.context.pool.execute("update staff set failed_at = now() - interval '2 min'")
    assert (await browser.log_in(CLERK)).status == HTTPStatus.SEE_OTHER
    kept = await office.host.context.pool.fetchval("select token_hash from session")
    assert len(kept) == 32
    assert (await browser.send("/logout")).headers["Location"] == "/login"
    assert (await browser.get("/")).status == HTTPStatus.SEE_OTHER
    assert await office.host.context.pool.fetchval("select count(*) from session") == 0
    mediator = await office.host.at_work("mediator")
    await office.host.context.pool.execute("update session set used_at = now() - interval '1 h'")
    assert (await mediator.get("/")).status == HTTPStatus.SEE_OTHER


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "/\\evil.example", "https://evil.example", "", "/\nx", "javascript:"],
)
def test_login_leads_to_no_other_place(wanted: str) -> None:
    """Whatever stands in the address of the login page."""
    assert local(wanted) == "/"
    assert local("/cases/1?a=b") == "/cases/1?a=b"
