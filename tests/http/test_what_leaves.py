"""What relay does in a whole story is heard by every way out, and each kind of secret in it is known."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Final

import pytest
from aiohttp import hdrs

from relay.client.connection import Problem
from relay.client.participant import Participant
from relay.domain.tokens import Scope
from relay.embedded import Access, Services
from relay.settings import Settings
from relay.storage.database import Database
from relay.testing.people import Organization, open_case
from tests.support.privacy.net import Exit, another_net
from tests.support.receivers import delivering, receiving_host
from tests.support.requests import ask, caller_of
from tests.support.service_users import database_as

KINDS: Final = {
    "a private key",
    "a token of the case system",
    "what a link's secret gives",
    "a passphrase",
    "the proof of a passphrase",
    "the key of a keyring",
    "what was sealed",
    "a bearer",
    "a receipt",
    "the name of a file",
    "what relay.crypto.filekeys made at random",
    "what relay.crypto.links made at random",
    "what relay.crypto.webhooks made at random",
    "what relay.services.sessions made at random",
}
"""By where each is first seen: file keys and secrets of links are made at random before they are used."""


@pytest.fixture
async def deliverer(relay_settings: Settings, services: Services) -> AsyncIterator[Database]:
    """The database, as whoever sends events comes to it."""
    url = database_as(Access.DELIVERER, relay_settings.database_url, services)
    database = await Database.connect(url, connections=4)
    yield database
    await database.close()


async def test_a_story_is_heard_and_gives_nothing_away(
    people: Organization, deliverer: Database
) -> None:
    """A letter and a video, a wrong passphrase, a receipt, a feed, webhooks, refusals."""
    with another_net() as own:
        async with receiving_host() as host, delivering(deliverer, host.receiver()):
            case = await open_case(people)
            caller = caller_of(case.harmed)
            bearer = {hdrs.AUTHORIZATION: f"Bearer {await caller.signed.bearer()}"}
            url = f"{people.connection.url}/v1/messages/events"
            async with people.connection.http.get(url, headers=bearer) as feed:
                await feed.content.readline()
            link = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
            sender = await Participant.through_upload_link(people.connection, link)
            sent = await sender.send_letter(case.responsible.participant_id, "Words by a link.")
            await ask(people.connection, "POST", "/v1/receipts", {"receipt": sent.receipt})
            film = io.BytesIO(b"a film of some seconds")
            film.name = "that evening at the lake.mp4"
            await case.harmed.send_video(case.responsible.participant_id, film, "video/mp4")
            await case.mediator.decide(await case.mediator.lease(sent.message), "approve")
            with pytest.raises(Problem, match="wrong-passphrase"):
                await Participant.unlock(people.connection, case.harmed_url, "another passphrase")
            await people.unlock(case.harmed_url)
            await ask(
                people.connection, "GET", "/v1/queue", bearer=people.case_system.token(*Scope)
            )
            await host.until(lambda: len(host.taken) > 2)
        assert own.kinds >= KINDS, KINDS - own.kinds
        assert own.exits >= {*Exit} - {Exit.METRIC}
        assert own.look() == []
