"""How long an answer takes tells nothing that its words do not.

`TIMED_ROUNDS` says how often each pair is asked; `make timing` asks two thousand times and prints all of it.
`TIMED_ONLY` is a word of the pairs that are asked.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import random
import secrets
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import asyncpg
import pytest

from relay.client.connection import Connection
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import parse_link_url
from relay.crypto.signing import Signer
from relay.testing.people import Case, Organization, open_case
from tests.support.relays import THREAD
from tests.support.requests import ask, caller_of
from tests.support.timing import Clock, Request, compare, work_of

pytestmark = pytest.mark.slow

ROUNDS: Final = int(os.environ.get("TIMED_ROUNDS", "25"))
ONLY: Final = os.environ.get("TIMED_ONLY", "")
LETTERS: Final = 2
PLANTED_SECONDS: Final = 0.1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Requests of one caller."""

    connection: Connection
    bearer: str

    def get(self, path: str, method: str = "GET") -> Request:
        """This request, again and again."""

        async def send() -> object:
            return await ask(self.connection, method, path, bearer=self.bearer)

        return send


async def asking(case: Case, who: str) -> Asking:
    """The harmed or the responsible of a case."""
    person = case.harmed if who == "harmed" else case.responsible
    return Asking(
        connection=person.session.connection, bearer=await caller_of(person).signed.bearer()
    )


async def written(case: Case, fate: str) -> uuid.UUID:
    """A letter of the person harmed, and what became of it."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words of one length.")
    if fate == "queued":
        return sent.message
    leased = await case.mediator.lease(sent.message)
    if fate == "declined":
        await case.mediator.decide(leased, "decline", reason="unclear")
        return sent.message
    approved = await case.mediator.decide(leased, "approve")
    if fate == "approved":
        return sent.message
    await case.mediator.offer(approved)
    found = (await case.responsible.correspondence()).received
    offered = next(one for one in found if one.message == sent.message)
    if fate == "refused":
        await case.responsible.respond(offered, "refuse")
    elif fate == "opened":
        await case.responsible.open(await case.responsible.respond(offered, "accept"))
    return sent.message


async def pairs(people: Organization) -> Mapping[str, tuple[Request, Request]]:
    """By what would be told, two requests of the same caller."""
    mediators = (await people.mediator(), await people.mediator())
    read, unread = [await open_case(people, mediators=mediators) for _ in range(2)]
    fates = {fate: await written(read, fate) for fate in ("offered", "opened", "refused", "queued")}
    for _ in range(LETTERS):
        await written(read, "opened")
        await written(unread, "offered")
    kept, given = [await open_case(people, mediators=mediators) for _ in range(2)]
    for case in (kept, given):
        await written(case, "offered")
    for fate in ("queued", "declined", "approved"):
        await written(kept, fate)
    held = await written(kept, "approved")
    part = (await kept.harmed.sent(held)).parts[0].commitment
    author, recipient = await asking(read, "harmed"), await asking(kept, "responsible")

    def author_of(fate: str) -> Request:
        return author.get(f"/v1/messages/{fates[fate]}")

    # What the lists have of everybody's is as long: a letter that was offered more or less changes nothing.
    lists = {
        name: (await asking(case, who)).get("/v1/messages")
        for name, case, who in (
            ("unread", unread, "harmed"),
            ("kept", kept, "responsible"),
            ("given", given, "responsible"),
        )
    }
    unread_too = await open_case(people, mediators=mediators)
    for _ in range(LETTERS):
        await written(unread_too, "opened")
    read_list = (await asking(unread_too, "harmed")).get("/v1/messages")
    never = f"/v1/messages/{uuid.uuid4()}"
    foreign = f"/v1/messages/{fates['opened']}"
    return {
        "whether it was opened": (author_of("offered"), author_of("opened")),
        "whether it was refused": (author_of("offered"), author_of("refused")),
        "whether it was offered": (author_of("queued"), author_of("offered")),
        "by the list, whether any was opened": (lists["unread"], read_list),
        "by the list, whether something is withheld": (lists["given"], lists["kept"]),
        "whether something is withheld": (
            recipient.get(never),
            recipient.get(f"/v1/messages/{held}"),
        ),
        "whether another case has it": (recipient.get(never), recipient.get(foreign)),
        "by opening it, whether something is withheld": (
            recipient.get(f"{never}/openings", "POST"),
            recipient.get(f"/v1/messages/{held}/openings", "POST"),
        ),
        "by discarding it, whether something is withheld": (
            recipient.get(f"{never}/revisions/1/draft", "DELETE"),
            recipient.get(f"/v1/messages/{held}/revisions/1/draft", "DELETE"),
        ),
        "whether a part is withheld": (
            recipient.get(f"/v1/parts/{b64u_encode(secrets.token_bytes(32))}"),
            recipient.get(f"/v1/parts/{part}"),
        ),
        **await _ways_in(people, read),
    }


async def _ways_in(people: Organization, case: Case) -> Mapping[str, tuple[Request, Request]]:
    link = parse_link_url(case.harmed_url)
    ended_url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    ended = parse_link_url(ended_url)
    gone = await people.claim(ended_url)
    await case.mediator.end_link(case.case_id, ended.id, "replaced")

    def holder(link_id: uuid.UUID, auth: bytes) -> Request:
        path = f"/v1/links/{link_id}"
        return Asking(connection=people.connection, bearer=b64u_encode(auth)).get(path)

    def signing_in(signer: Signer) -> Request:
        said = statements.Session(
            challenge=b64u_encode(secrets.token_bytes(32)),
            audience=people.audience,
            at=datetime.now(UTC),
        )
        body = {"statement": statements.sign(signer, said)}

        async def send() -> object:
            return await ask(people.connection, "POST", "/v1/sessions", body)

        return send

    wrong = secrets.token_bytes(32)
    nobody = signing_in(Signer.generate())
    return {
        "whether a link was made": (holder(uuid.uuid4(), wrong), holder(link.id, wrong)),
        "whether a link has ended": (
            holder(ended.id, wrong),
            holder(ended.id, ended.secret.auth(ended.id)),
        ),
        "whether a key is known": (nobody, signing_in(case.harmed.hand.signer)),
        "whether a key was known": (nobody, signing_in(gone.hand.signer)),
    }


@pytest.fixture
async def work(people: Organization, database_url: str) -> Clock:
    """What processors do for the relay of this test and the connections of its database."""
    [thread] = [one for one in threading.enumerate() if one.name == THREAD]
    connection = await asyncpg.connect(database_url)
    try:
        backends = await connection.fetch(
            "select pid from pg_stat_activity where datname = current_database()"
        )
    finally:
        await connection.close()
    return work_of(thread, [backend["pid"] for backend in backends])


@pytest.mark.timeout(0 if ROUNDS > 100 else 300)
async def test_how_long_it_takes_tells_nothing(
    people: Organization, chance: random.Random, work: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of each pair, by either clock."""
    told = {}
    asked = {what: pair for what, pair in (await pairs(people)).items() if ONLY in what}
    for what, (one, other) in asked.items():
        for clock, found in (await compare(one, other, ROUNDS, chance, work)).items():
            if ROUNDS > 100:
                with capsys.disabled():
                    print(f"\n{what}, {clock}: {found}", end="", flush=True)  # noqa: T201 - what it is for
            if found.tells:
                told[what, clock] = str(found)
    assert told == {}


async def test_what_takes_longer_is_told_apart(
    people: Organization, chance: random.Random, work: Clock
) -> None:
    """More work here than there, and a few milliseconds that are waited for, as often as is asked."""
    asked = Asking(connection=people.connection, bearer="")
    found = await compare(asked.get("/livez"), asked.get("/v1/profile"), ROUNDS, chance, work)
    assert found["in work"].tells, str(found)

    async def later() -> object:
        await asyncio.sleep(PLANTED_SECONDS)
        return await asked.get("/livez")()

    found = await compare(asked.get("/livez"), later, ROUNDS, chance, work)
    assert found["on the wall"].tells, str(found)
