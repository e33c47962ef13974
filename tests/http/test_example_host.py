"""The example case system, tried by whoever may not: no login, no token, forged and late events."""

from __future__ import annotations

import dataclasses
import json
import random
import re
import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from example_host import events, mail
from example_host.app import ROUTES
from example_host.gate import WEBHOOK, WITHOUT_LOGIN
from example_host.login_pages import local
from example_host.settings import Settings
from relay.client.api import Notification
from relay.crypto.keyrings import seal_keyring
from relay.crypto.webhooks import new_shared_secret
from relay.demo.mailbox import mailbox, text_of
from relay.testing.letters import LETTER
from relay.testing.people import PASSPHRASE, Organization, verify_everybody
from tests.support.example_host import CLERK, Host, Office, served, settings_for

VISITED: Final = ["visited_at", "seen_at", "failures", "failed_at"]
PROTECTED: Final = [
    (route.method, route.path)
    for route in ROUTES
    if route.path not in {*WITHOUT_LOGIN, WEBHOOK} and not route.path.startswith("/static")
]
FORMS: Final = [route.path for route in ROUTES if route.method == "POST" and route.path != WEBHOOK]


@pytest.fixture
async def signing(people: Organization) -> Organization:
    """The organization, whose case system signs."""
    return await people.with_case_system_keys()


@pytest.fixture
def host_settings(
    signing: Organization,
    token_key: Ed25519PrivateKey,
    empty_database_url: str,
    tmp_path: Path,
) -> Settings:
    """Settings of a case system with a database of its own."""
    return settings_for(signing, token_key, empty_database_url, tmp_path)


@pytest.fixture
async def office(host_settings: Settings, signing: Organization) -> AsyncIterator[Office]:
    """The case system at work, with a case."""
    async with served(host_settings) as host:
        yield await Office.begin(host, signing)


def _address(path: str, office: Office, link: uuid.UUID | None = None) -> str:
    return path.replace("{case}", str(office.case_id)).replace("{link}", str(link or uuid.uuid4()))


async def _everything(host: Host) -> list[str]:
    """All that the case system keeps, but for when somebody was here last."""
    kept = []
    for table in ("staff", "case_file", "person", "assignment", "link", "event", "webhook"):
        query = f"select to_jsonb(one) - $1::text[] as row from {table} one"  # noqa: S608 - of these
        rows = await host.context.pool.fetch(query, VISITED)
        kept += sorted(f"{table} {row['row']}" for row in rows)
    return kept


async def test_nothing_is_shown_or_done_without_login(office: Office) -> None:
    """Each address leads to the login, with every method it has, and changes nothing."""
    before = await _everything(office.host)
    browser = await office.host.somebody()
    assert len(PROTECTED) > 10
    for method, path in PROTECTED:
        address = _address(path, office)
        answer = await browser.get(address) if method == "GET" else await browser.post(address, {})
        assert answer.status == HTTPStatus.SEE_OTHER, path
        assert answer.headers["Location"].startswith("/login?next=/"), path
    assert await _everything(office.host) == before


async def test_no_form_is_taken_without_its_token(office: Office) -> None:
    """Each form, with no token, a made one, and that of somebody else, is refused and changes nothing."""
    clerk, other = await office.host.at_work(CLERK), await office.host.at_work("stranger")
    before = await _everything(office.host)
    foreign = await other.form_token()
    assert len(FORMS) > 7
    for path in FORMS:
        for token in (None, "", "0" * 64, foreign):
            form = {"closed": "yes", "no_contact": "yes", "login": CLERK}
            if token is not None:
                form["form_token"] = token
            answer = await clerk.post(_address(path, office), form)
            assert answer.status == HTTPStatus.FORBIDDEN, (path, token)
    assert await _everything(office.host) == before
    assert (await clerk.get("/")).status == HTTPStatus.OK  # still logged in


async def test_a_case_of_somebody_else_is_not_there(office: Office) -> None:
    """Every address of a case, for a mediator who is not of it: nothing is shown, nothing done."""
    clerk = await office.host.at_work(CLERK)
    stranger = await office.host.at_work("stranger")
    before = await _everything(office.host)
    of_case = [(method, path) for method, path in PROTECTED if "{case}" in path]
    assert len(of_case) > 7
    for method, path in of_case:
        address = _address(path, office)
        answer = await stranger.get(address) if method == "GET" else await stranger.send(address)
        assert answer.status == HTTPStatus.NOT_FOUND, path
        assert "Max" not in answer.text
    assert "Max" not in (await stranger.get("/")).text
    assert "Max" in (await clerk.get("/")).text
    assert await _everything(office.host) == before


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
    before = await _everything(office.host)
    for path in ("/cases", "/cases/{case}/mediators", "/cases/{case}/no-contact"):
        answer = await own.send(_address(path, office), ("no_contact", "yes"))
        assert answer.status == HTTPStatus.FORBIDDEN
    assert (await own.get("/cases/new")).status == HTTPStatus.FORBIDDEN
    assert await _everything(office.host) == before


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


async def _told(office: Office) -> list[Notification]:
    """What relay has told of the case so far."""
    page = await office.people.case_system.events(0, limit=500)
    return [one for one in page.events if one.case == office.case_id]


async def test_a_webhook_that_is_not_relays_is_not_taken(office: Office) -> None:
    """Another secret, another body, another id, an old or missing time, no signature: nothing is stored."""
    await office.people.case_system.set_closed(office.case_id, closed=True)
    body = msgspec.json.encode((await _told(office))[0])
    host = office.host
    good = host.signed(body, "1-a")
    other = dataclasses.replace(
        host.context,
        settings=dataclasses.replace(host.context.settings, webhook_secret=new_shared_secret()),
    )
    forged = dataclasses.replace(host, context=other).signed(body, "1-a")
    before = await _everything(host)
    tries = [
        (body, {}),
        (body, forged),
        (body.replace(b"closed", b"opened"), good),
        (body, {**good, "webhook-id": "1-b"}),
        (body, host.signed(body, "1-a", datetime.now(UTC) - timedelta(minutes=10))),
        (body, host.signed(body, "1-a", datetime.now(UTC) + timedelta(minutes=10))),
        (body, {**good, "webhook-timestamp": "soon"}),
        (body, {**good, "webhook-signature": "v1,"}),
        (body, {**good, "webhook-signature": "v1a," + good["webhook-signature"][3:]}),
        *((body, {k: v for k, v in good.items() if k != name}) for name in good),
    ]
    for content, headers in tries:
        assert await host.deliver(content, headers) == HTTPStatus.UNAUTHORIZED, headers
    nonsense = b'{"id": 1}'
    assert await host.deliver(nonsense, host.signed(nonsense, "2-a")) == HTTPStatus.BAD_REQUEST
    assert await _everything(host) == before
    assert await host.deliver(body, good) == HTTPStatus.NO_CONTENT


async def test_events_count_once_in_whatever_order_they_come(
    office: Office, chance: random.Random
) -> None:
    """By webhook twice and shuffled, then asked for after an outage: each is there once, the state true."""
    host, system = office.host, office.people.case_system
    for closed in (True, False, True, False, True):
        await system.set_closed(office.case_id, closed=closed)
    told = await _told(office)
    assert len(told) == 5
    by_webhook = [*told[:4], *told[:4]]
    chance.shuffle(by_webhook)
    for event in by_webhook:
        body = msgspec.json.encode(event)
        headers = host.signed(body, f"{event.id}-x")
        assert await host.deliver(body, headers) == HTTPStatus.NO_CONTENT
        assert await host.deliver(body, headers) == HTTPStatus.NO_CONTENT
    taken = await events.catch_up(host.context)
    assert taken >= 1
    assert await events.catch_up(host.context) == 0
    rows = await host.context.pool.fetch(
        "select number from event where case_id = $1 order by number", office.case_id
    )
    assert [row["number"] for row in rows] == sorted(one.id for one in told)
    await host.until("select not stale and view->>'closed_at' is not null from case_file")
    page = (await (await host.at_work(CLERK)).get(f"/cases/{office.case_id}")).text
    assert page.count("The case was closed") == 3


async def test_an_event_that_comes_late_writes_to_nobody_who_came_since(office: Office) -> None:
    """A mediator who has looked since it happened is not written to about it; about a newer one they are."""
    host = office.host
    waiting = "select waiting_since is not null from staff where login = 'mediator'"

    async def deliver(number: int, at: datetime) -> None:
        event = {
            "id": number,
            "type": "mediator.review-waiting",
            "at": at.isoformat(),
            "case": str(office.case_id),
            **dict.fromkeys(("participant", "message", "link", "credential", "log")),
        }
        body = json.dumps(event).encode()
        headers = host.signed(body, f"{number}-y")
        assert await host.deliver(body, headers) == HTTPStatus.NO_CONTENT

    await host.at_work("mediator")
    mediator = await host.at_work("mediator")
    await mediator.get("/")
    await deliver(1001, datetime.now(UTC) - timedelta(minutes=1))
    assert not await host.context.pool.fetchval(waiting)
    await deliver(1002, datetime.now(UTC) + timedelta(seconds=1))
    assert await host.context.pool.fetchval(waiting)
    strangers = "select count(*) from staff where waiting_since is not null"
    assert await host.context.pool.fetchval(strangers) == 1
    await mediator.get("/")
    assert not await host.context.pool.fetchval(waiting)


async def test_events_that_are_gone_have_every_case_read_again(office: Office) -> None:
    """A case system that knows a number which relay never gave begins anew, and misses no state."""
    host = office.host
    await office.people.case_system.set_closed(office.case_id, closed=True)
    await host.context.pool.execute("update progress set next = 1000000")
    await host.context.pool.execute("update case_file set stale = false")
    assert await events.catch_up(host.context) >= 1
    await host.until("select not stale and view->>'closed_at' is not null from case_file")


async def test_a_case_is_changed_only_as_it_was_seen(office: Office) -> None:
    """Where somebody changed it in relay meanwhile the clerk is told, and nothing is changed."""
    clerk = await office.host.at_work(CLERK)
    page = (await clerk.get(f"/cases/{office.case_id}")).text
    etag = re.search(r'name="etag" value="([^"]*)"', page)
    staff = dict(re.findall(r'name="mediator" value="([^"]*)"[^>]*> ([^<]*)<', page))
    assert etag is not None
    stranger = next(one for one, name in staff.items() if "stranger" in name)
    etag_text = etag[1].replace("&#34;", '"')
    await office.people.case_system.set_closed(office.case_id, closed=True)
    before = (await office.people.case_system.case(office.case_id)).view
    form = [("etag", etag_text), ("mediator", stranger)]
    answer = await clerk.send(f"/cases/{office.case_id}/mediators", *form)
    assert answer.status == HTTPStatus.CONFLICT
    assert "Somebody changed the case" in answer.text
    assert (await office.people.case_system.case(office.case_id)).view == before
    newer = re.search(r'name="etag" value="([^"]*)"', answer.text)
    assert newer is not None
    form[0] = ("etag", newer[1].replace("&#34;", '"'))
    answer = await clerk.send(f"/cases/{office.case_id}/mediators", *form)
    assert answer.status == HTTPStatus.SEE_OTHER
    after = (await office.people.case_system.case(office.case_id)).view
    assert office.stranger.credential_id in after.mediators
    assert "Max" in (await (await office.host.at_work("stranger")).get("/")).text
    assert "Max" not in (await (await office.host.at_work("mediator")).get("/")).text


def _new_case(page: str, more: Mapping[str, str]) -> list[tuple[str, str]]:
    mediators = re.findall(r'name="mediator" value="([^"]*)"', page)
    form = {
        "harmed_name": "Ana",
        "responsible_name": "Ben",
        "mediator": mediators[0],
        **more,
    }
    return list(form.items())


async def test_while_relay_is_away_what_is_entered_is_kept_and_registered_later(
    host_settings: Settings, signing: Organization, unused_tcp_port: int
) -> None:
    """The pages say so; nothing that was typed is lost; once relay answers the case is there by itself."""
    away = dataclasses.replace(host_settings, relay_url=f"http://127.0.0.1:{unused_tcp_port}")
    async with served(host_settings) as host:
        office = await Office.begin(host, signing)
    async with served(away) as host:
        clerk = await host.at_work(CLERK)
        answer = await clerk.get("/")
        assert (answer.status, "relay cannot be reached" in answer.text) == (HTTPStatus.OK, True)
        form = _new_case((await clerk.get("/cases/new")).text, {"reference": "R-2"})
        answer = await clerk.send("/cases", *form)
        assert answer.status == HTTPStatus.SEE_OTHER
        added = answer.headers["Location"]
        assert "is registered by itself as soon as relay answers" in (await clerk.get(added)).text
        answer = await clerk.send(f"/cases/{office.case_id}/closing", ("closed", "yes"))
        assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert "nothing was changed" in answer.text
        mediator = await host.at_work("mediator")
        answer = await mediator.get("/console")
        assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert 'http-equiv="refresh"' in answer.text
    async with served(host_settings) as host:
        await host.until("select bool_and(view is not null) from case_file")
    found = await signing.case_system.case(uuid.UUID(added.rpartition("/")[2]))
    assert found.view.reference == "R-2"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"reference": ""}, "1 to 60 characters"),
        ({"reference": "R-1"}, "Another case has this reference"),
        ({"harmed_name": "x" * 81}, "80 characters"),
        ({"harmed_email": "a@b"}, "not complete"),
        ({"harmed_email": "a@b.example\nBcc: c@d.example"}, "not complete"),
        ({"mediator": str(uuid.uuid4())}, "at least one mediator"),
    ],
)
async def test_a_case_that_is_not_right_is_not_kept_and_nothing_typed_is_lost(
    office: Office, wrong: dict[str, str], says: str
) -> None:
    """Each mistake is named, and the form comes back as it was filled in."""
    clerk = await office.host.at_work(CLERK)
    before = await _everything(office.host)
    form = _new_case((await clerk.get("/cases/new")).text, {"reference": "R-9", **wrong})
    answer = await clerk.send("/cases", *form)
    assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert says in answer.text
    assert 'value="Ben"' in answer.text
    assert await _everything(office.host) == before


async def test_links_are_given_by_letter_or_email_and_then_forgotten(
    host_settings: Settings, signing: Organization
) -> None:
    """A letter until it is sent, an e-mail once; whoever has no e-mail address gets a letter alone."""
    async with mailbox() as mails:
        settings = dataclasses.replace(host_settings, smtp_port=mails.smtp_port)
        async with served(settings) as host:
            office = await Office.begin(host, signing)
            await office.mediator.open_case(office.case_id)
            own = await host.at_work("mediator")
            links = f"/cases/{office.case_id}/links"
            to_nobody = (("person", str(office.responsible_id)), ("way", "email"))
            assert (await own.send(links, *to_nobody)).status == HTTPStatus.BAD_REQUEST
            by_letter = (("person", str(office.responsible_id)), ("way", "letter"))
            assert (await own.send(links, *by_letter)).status == HTTPStatus.SEE_OTHER
            by_mail = (("person", str(office.harmed_id)), ("way", "email"))
            assert (await own.send(links, *by_mail)).status == HTTPStatus.SEE_OTHER
            await host.until("select bool_and(address is null) from link where way = 'email'")
            [letter] = mails.to("eve@people.example")
            assert "Bonjour" in text_of(letter)
            found = re.search(r"http\S+/l/\S+", text_of(letter))
            assert found is not None
            harmed = await signing.claim(found[0])
            link = await host.context.pool.fetchval("select link from link where way = 'letter'")
            page = (await own.get(f"{links}/{link}")).text
            address = re.search(r'class="address">([^<]*)<', page)
            assert address is not None
            assert (await own.send(f"{links}/{link}/given")).status == HTTPStatus.SEE_OTHER
            assert address[1] not in (await own.get(f"{links}/{link}")).text
            responsible = await signing.claim(address[1])
            for person in (harmed, responsible):
                await person.consent("active")
            await verify_everybody(office.mediator, office.case_id)
            await harmed.send_letter(office.responsible_id, LETTER)
            await events.catch_up(host.context)
            await host.until("select mailed_at is not null from staff where login = 'mediator'")
            assert len(mails.to("mediator@office.example")) == 1
            assert len(mails.to("stranger@office.example")) == 0


async def test_an_email_that_cannot_be_sent_stays_to_be_sent(office: Office) -> None:
    """No mail server: the address of the link is kept, and whoever waits goes on waiting."""
    pool, settings = office.host.context.pool, office.host.context.settings
    await pool.execute("update staff set waiting_since = now() where login = 'mediator'")
    with pytest.raises(OSError, match="1"):
        await mail.send_due(pool, settings)
    waiting = (
        "select waiting_since is not null and mailed_at is null from staff where login = 'mediator'"
    )
    assert await pool.fetchval(waiting)
