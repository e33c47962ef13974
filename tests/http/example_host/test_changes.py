"""Cases of the example case system are added and changed, also while relay is away or has changed."""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Mapping
from http import HTTPStatus

import pytest

from example_host.settings import Settings
from relay.testing.people import Organization
from tests.support.example_host import CLERK, Office, served


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
    before = await office.host.everything()
    form = _new_case((await clerk.get("/cases/new")).text, {"reference": "R-9", **wrong})
    answer = await clerk.send("/cases", *form)
    assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert says in answer.text
    assert 'value="Ben"' in answer.text
    assert await office.host.everything() == before
