"""Signing in: a challenge once, with the right key, for this relay; and every way in which a session ends."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest

from relay.client.administrator import publish_revocation
from relay.client.participant import Participant
from relay.crypto import statements
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.links import parse_link_url
from relay.crypto.signing import Signer
from relay.domain.sessions import Challenge
from relay.testing.people import Case, Organization
from tests.support.requests import Answer, Caller, ask, caller_of, consent


class Door:
    """Somebody signing in, correctly or not."""

    def __init__(self, people: Organization) -> None:
        self.connection = people.connection
        self.audience = people.audience

    async def challenge(self) -> str:
        """A fresh challenge."""
        made = await self.connection.call("POST", "/v1/challenges", into=Challenge)
        return made.challenge

    async def knock(self, signer: Signer, challenge: str, audience: str = "") -> Answer:
        """A signed challenge."""
        said = statements.Session(
            challenge=challenge, audience=audience or self.audience, at=datetime.now(UTC)
        )
        return await self.send(statements.sign(signer, said))

    async def send(self, statement: str) -> Answer:
        """Any statement, as if it opened a session."""
        return await ask(self.connection, "POST", "/v1/sessions", {"statement": statement})


@pytest.fixture
def door(people: Organization) -> Door:
    """The door of this relay."""
    return Door(people)


async def is_in(caller: Caller, path: str = "/v1/messages") -> bool:
    """Whether the session that somebody had still holds."""
    answer = await caller.ask("GET", path)
    assert answer.status in {200, 401}
    return answer.status == 200


async def test_a_challenge_opens_one_session(case: Case, door: Door) -> None:
    """Signed once it opens one session; the same statement, and another over it, open none."""
    signer, challenge = caller_of(case.harmed).signer, await door.challenge()
    opened = await door.knock(signer, challenge)
    assert opened.status == 201
    assert opened.document["role"] == "participant"

    for _ in range(2):
        refused = await door.knock(signer, challenge)
        assert (refused.status, refused.code) == (401, "unauthenticated")
    assert (await door.knock(caller_of(case.mediator).signer, challenge)).status == 401


async def test_a_challenge_answered_by_many_at_once_opens_one_session(
    case: Case, door: Door
) -> None:
    """Of several who send the same answer at the same moment one is let in."""
    signer, challenge = caller_of(case.harmed).signer, await door.challenge()
    answers = await asyncio.gather(*(door.knock(signer, challenge) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [201] + [401] * 7


async def test_only_the_right_answer_to_a_challenge_of_ours_opens(
    case: Case, door: Door, database_url: str
) -> None:
    """Another key, another relay, an invented and an old challenge, another statement: the same refusal."""
    caller = caller_of(case.harmed)
    refused = [
        await door.knock(Signer.generate(), await door.challenge()),
        await door.knock(caller.signer, await door.challenge(), "https://elsewhere.example"),
        await door.knock(caller.signer, b64u_encode(bytes(32))),
        await door.send(
            consent(caller.signer, case.case_id, caller.subject, "paused", datetime.now(UTC))
        ),
    ]
    challenge = await door.challenge()
    connection = await asyncpg.connect(database_url)
    await connection.execute("update challenges set expires_at = now() - interval '1 second'")
    await connection.close()
    refused.append(await door.knock(caller.signer, challenge))

    right = await door.knock(caller.signer, await door.challenge())
    assert right.status == 201
    assert {answer.status for answer in refused} == {401}
    assert len({answer.content for answer in refused}) == 1


async def test_a_signature_that_does_not_hold_opens_nothing(case: Case, door: Door) -> None:
    """A statement whose payload or signature was changed is refused like any other."""
    said = statements.Session(
        challenge=await door.challenge(), audience=door.audience, at=datetime.now(UTC)
    )
    header, payload, signature = statements.sign(caller_of(case.harmed).signer, said).split(".")
    other = statements.sign(caller_of(case.mediator).signer, said).split(".")
    raw = b64u_decode(signature)
    changed = bytes([raw[0] ^ 1]) + raw[1:]
    for compact in (
        f"{header}.{payload}.{other[2]}",
        f"{other[0]}.{payload}.{signature}",
        f"{header}.{payload}.{b64u_encode(changed)}",
    ):
        assert (await door.send(compact)).status in {401, 422}


async def test_only_its_hash_is_kept_of_a_session(
    case: Case, door: Door, database_url: str
) -> None:
    """Anyone who reads the database cannot act as anybody who is signed in."""
    opened = await door.knock(caller_of(case.harmed).signer, await door.challenge())
    token = str(opened.document["token"])
    connection = await asyncpg.connect(database_url)
    kept = await connection.fetch("select sessions::text as row from sessions")
    await connection.close()
    assert kept
    assert not any(token in row["row"] for row in kept)
    for row in kept:
        digest = row["row"].split(",")[0].strip('("\\x')
        assert (await ask(door.connection, "GET", "/v1/messages", bearer=digest)).status == 401


async def test_logging_out_ends_this_session_and_no_other(case: Case, door: Door) -> None:
    """The session that logs out is over at once; another one of the same person holds."""
    caller = caller_of(case.harmed)
    other = await door.knock(caller.signer, await door.challenge())
    assert await is_in(caller)

    assert (await caller.ask("DELETE", "/v1/sessions/current")).status == 204
    assert not await is_in(caller)
    bearer = str(other.document["token"])
    assert (await ask(door.connection, "GET", "/v1/messages", bearer=bearer)).status == 200


async def test_a_session_ends_with_its_time(case: Case, database_url: str) -> None:
    """After its time the bearer opens nothing, and the client signs in again."""
    caller = caller_of(case.harmed)
    assert await is_in(caller)
    connection = await asyncpg.connect(database_url)
    await connection.execute("update sessions set expires_at = now() - interval '1 second'")
    await connection.close()
    assert not await is_in(caller)
    assert (await case.harmed.correspondence()).sent == []


async def test_a_session_ends_with_the_credential(
    case: Case, people: Organization, door: Door
) -> None:
    """A revoked mediator is out at once and does not come in again; their colleague stays."""
    caller = caller_of(case.colleague)
    assert await is_in(caller, "/v1/queue")
    revocation = people.administrator.sign_revocation(case.colleague.credential_id)
    await publish_revocation(people.connection, case.colleague.credential_id, revocation)

    assert not await is_in(caller, "/v1/queue")
    assert (await door.knock(caller.signer, await door.challenge())).status == 401
    assert await is_in(caller_of(case.mediator), "/v1/queue")


async def test_a_session_ends_with_the_link(case: Case, people: Organization, door: Door) -> None:
    """A participant and an uploader whose link was revoked are out at once, and do not come in again."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    uploader = await Participant.through_upload_link(people.connection, url)
    for person, address in ((case.harmed, case.harmed_url), (uploader, url)):
        caller = caller_of(person)
        assert await is_in(caller)
        await case.mediator.end_link(case.case_id, parse_link_url(address).id, "replaced")
        assert not await is_in(caller)
        assert (await door.knock(caller.signer, await door.challenge())).status == 401
    assert await is_in(caller_of(case.responsible))


async def test_an_upload_link_opens_no_session_by_its_signature(
    case: Case, people: Organization, door: Door
) -> None:
    """Its key signs what comes through it and signs nobody in; its bearer does, for one message."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    link = parse_link_url(url)
    signer = link.secret.signer(link.id)
    assert (await door.knock(signer, await door.challenge())).status == 401

    bearer = b64u_encode(link.secret.auth(link.id))
    path = f"/v1/links/{link.id}/sessions"
    opened = await ask(door.connection, "POST", path, bearer=bearer)
    assert (opened.status, opened.document["role"]) == (201, "uploader")
    claimed = parse_link_url(case.harmed_url)
    bearer = b64u_encode(claimed.secret.auth(claimed.id))
    path = f"/v1/links/{claimed.id}/sessions"
    assert (await ask(door.connection, "POST", path, bearer=bearer)).status == 401
