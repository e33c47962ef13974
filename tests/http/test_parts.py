"""The sealed bytes of parts: who may read them, and what of them is sent."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import itertools
import logging
import secrets
import uuid
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web

from relay.app import create_app
from relay.crypto.encoding import b64u_encode
from relay.domain.actors import Mediator, Participant
from relay.domain.messages import PartRole
from relay.domain.segments import SEGMENT_BYTES
from relay.domain.transitions import State
from relay.errors import NotFound
from relay.services.parts import find_body
from relay.settings import Settings
from relay.storage.database import Connection, Database
from relay.storage.objects import Objects
from relay.testing.people import Case, Organization, open_case
from tests.support.uploads import body_of, sockets

pytestmark = [pytest.mark.own_relay, pytest.mark.tampers]

CURRENT = {
    PartRole.BODY: "statement_hash",
    PartRole.ORIGINAL: "statement_hash",
    PartRole.RENDITION: "rendition_hash",
    PartRole.POSTER: "rendition_hash",
    PartRole.CAPTIONS: "captions_hash",
}
"""Which statement of a message a part of each role belongs to while it is current."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Messages and parts in any state, put straight into the database, without its guards."""

    case: Case
    connection: Connection
    database: Database
    objects: Objects
    url: str

    async def statement(self) -> bytes:
        """A statement that nobody reads."""
        statement_hash = secrets.token_bytes(32)
        await self.connection.execute(
            "insert into statements (statement_hash, typ, kid, compact) values ($1, '', '', '')",
            statement_hash,
        )
        return statement_hash

    async def message(self, state: State) -> dict[str, bytes]:
        """A video of the person harmed in this state; its statements by column."""
        hashes = {
            f"{name}_hash": await self.statement()
            for name in ("statement", "rendition", "captions", "offer")
        }
        message_id = uuid.uuid4()
        await self.connection.execute(
            "insert into messages (message_id, case_id, sender_id, recipient_id, kind, language, "
            "state, statement_hash, rendition_hash, captions_hash, offer_hash, failure, "
            "writer_kid, lease_holder, lease_expires_at) values ($1::uuid, $2, $3, $4, 'video', 'en', "
            "$5::message_state, $6, $7, $8, $9, 'no', 'kid', "
            "case when $5 = 'claimed'::message_state then $1::uuid end, "
            "case when $5 = 'claimed'::message_state then now() end)",
            message_id,
            self.case.case_id,
            self.case.harmed.participant_id,
            self.case.responsible.participant_id,
            state,
            *hashes.values(),
        )
        return {**hashes, "message_id": message_id.bytes}

    async def part(
        self, message_id: bytes, statement_hash: bytes, role: PartRole, body: bytes
    ) -> bytes:
        """A part that is kept in its row; its commitment."""
        commitment = secrets.token_bytes(32)
        await self.connection.execute(
            "insert into parts (commitment, message_id, statement_hash, role, media_type, "
            "size_bytes, segments, body) values ($1, $2, $3, $4, '', $5, '{}', $6)",
            commitment,
            uuid.UUID(bytes=message_id),
            statement_hash,
            role,
            len(body),
            body,
        )
        return commitment

    async def grant(self, commitment: bytes, audience: str, audience_id: uuid.UUID) -> None:
        """A header for somebody."""
        await self.connection.execute(
            "insert into grants (commitment, audience, audience_id, header) "
            "values ($1, $2, $3, $4)",
            commitment,
            audience,
            audience_id,
            bytes(64),
        )

    async def serves(self, actor: Mediator | Participant, commitment: bytes) -> bool:
        """Whether the part is served to this caller."""
        try:
            await find_body(self.database, self.objects, actor, commitment)
        except NotFound:
            return False
        return True


@pytest.fixture
async def shelf(case: Case, relay_settings: Settings, database_url: str) -> AsyncIterator[Shelf]:
    """A case, and the way around its guards."""
    database = await Database.connect(relay_settings.database_url, connections=2)
    unguarded = await Database.connect(database_url, connections=1)
    objects = await Objects.connect(relay_settings)
    async with unguarded.connection() as connection:
        await connection.execute("set session_replication_role = replica")
        yield Shelf(
            case=case,
            connection=connection,
            database=database,
            objects=objects,
            url=relay_settings.public_url,
        )
        await connection.execute("reset session_replication_role")
    await objects.close()
    await unguarded.close()
    await database.close()


def participant(participant_id: uuid.UUID, case_id: uuid.UUID) -> Participant:
    """Somebody with a session."""
    return Participant(
        participant_id=participant_id,
        case_id=case_id,
        kid="",
        signer=b"",
        link_id=None,
        is_verified=True,
    )


def mediator(credential_id: uuid.UUID) -> Mediator:
    """A mediator with a session."""
    return Mediator(credential_id=credential_id, kid="", signer=b"")


@pytest.mark.slow
async def test_each_part_is_served_to_exactly_those_who_may_read_it(
    shelf: Shelf, people: Organization
) -> None:
    """Every state, role, caller, grant and revision: only what the rule of the product lets through."""
    elsewhere = await open_case(people)
    sender, recipient = shelf.case.harmed, shelf.case.responsible
    callers: dict[str, Mediator | Participant] = {
        "mediator": mediator(shelf.case.mediator.credential_id),
        "sender": participant(sender.participant_id, shelf.case.case_id),
        "recipient": participant(recipient.participant_id, shelf.case.case_id),
        "mediator of another case": mediator(elsewhere.mediator.credential_id),
        "participant of another case": participant(
            elsewhere.harmed.participant_id, elsewhere.case_id
        ),
        "mediator by the recipient's number": mediator(recipient.participant_id),
    }
    seen = 0
    for state, role in itertools.product(State, PartRole):
        message = await shelf.message(state)
        other = await shelf.statement()
        for is_current, granted in itertools.product((True, False), (None, "author", "recipient")):
            current = message[CURRENT[role]] if role in CURRENT else other
            commitment = await shelf.part(
                message["message_id"], current if is_current else other, role, bytes(16)
            )
            reader = {"author": sender, "recipient": recipient}.get(granted or "")
            if reader is not None and granted is not None:
                await shelf.grant(commitment, granted, reader.participant_id)
            expected = {"mediator"}
            if granted == "author" or (is_current and role in {PartRole.BODY, PartRole.ORIGINAL}):
                expected.add("sender")
            if (
                granted == "recipient"
                and is_current
                and role not in {PartRole.ORIGINAL, PartRole.NOTE}
                and state in {State.RELEASED, State.VIEWED}
            ):
                expected.add("recipient")
            served = {name for name, who in callers.items() if await shelf.serves(who, commitment)}
            assert served == expected, (state, role, is_current, granted)
            seen += len(callers)
    assert seen == len(State) * len(PartRole) * 2 * 3 * len(callers)


async def test_a_grant_of_the_wrong_kind_opens_nothing(shelf: Shelf) -> None:
    """A recipient with an author's grant, or a sender with a recipient's, is granted nothing by it."""
    message = await shelf.message(State.VIEWED)
    commitment = await shelf.part(
        message["message_id"], message["rendition_hash"], PartRole.RENDITION, bytes(16)
    )
    case = shelf.case
    await shelf.grant(commitment, "author", case.responsible.participant_id)
    await shelf.grant(commitment, "recipient", case.harmed.participant_id)

    for person in (case.harmed, case.responsible):
        actor = participant(person.participant_id, case.case_id)
        assert not await shelf.serves(actor, commitment)


async def get(
    shelf: Shelf, commitment: bytes | str, *, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """What the sender gets."""
    name = commitment if isinstance(commitment, str) else b64u_encode(commitment)
    bearer = await shelf.case.harmed.session.bearer()
    given = {"Authorization": f"Bearer {bearer}", "X-Request-Id": "by-a-test", **headers}
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, f"{shelf.url}/v1/parts/{name}", headers=given) as answer,
    ):
        return answer.status, dict(answer.headers), await answer.read()


@pytest.mark.parametrize("where", ["row", "bucket"])
async def test_a_part_is_sent_whole_or_by_range(shelf: Shelf, where: str) -> None:
    """RFC 9110: 200, 206 and 416 with their headers, the same from a row and from the bucket."""
    size = 3000 if where == "row" else 2 * SEGMENT_BYTES + 99
    body = body_of(size)
    message = await shelf.message(State.QUEUED)
    commitment = await shelf.part(
        message["message_id"], message["statement_hash"], PartRole.BODY, body
    )
    if where == "bucket":
        await shelf.objects.put_segments("somewhere", chunks_of(body))
        await shelf.connection.execute(
            "update parts set body = null, object_prefix = 'somewhere' where commitment = $1",
            commitment,
        )

    status, headers, content = await get(shelf, commitment)
    assert (status, content == body) == (200, True)
    assert headers["Content-Length"] == str(size)
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Cache-Control"] == "no-store"

    middle = size // 2
    for asked, start, stop in (
        ("bytes=0-0", 0, 1),
        (f"bytes={middle - 5}-{middle + 5}", middle - 5, middle + 6),
        ("bytes=16-", 16, size),
        ("bytes=-100", size - 100, size),
    ):
        status, headers, content = await get(shelf, commitment, Range=asked)
        assert (status, content == body[start:stop]) == (206, True), asked
        assert headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
        assert headers["Content-Length"] == str(stop - start)

    status, headers, content = await get(shelf, commitment, Range=f"bytes={size}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{size}")

    conditional = {"Range": "bytes=0-0", "If-Range": '"x"'}
    status, headers, content = await get(shelf, commitment, **conditional)
    assert (status, len(content)) == (200, size)

    status, headers, content = await get(shelf, commitment, method="HEAD", Range="bytes=5-9")
    assert (status, headers["Content-Length"], content) == (206, "5", b"")


async def test_what_is_not_there_and_what_is_not_yours_look_the_same(shelf: Shelf) -> None:
    """The same 404 for an unknown commitment, a malformed one, and a part of somebody else's."""
    message = await shelf.message(State.VIEWED)
    hidden = await shelf.part(
        message["message_id"], message["rendition_hash"], PartRole.RENDITION, bytes(16)
    )

    answers = [
        await get(shelf, name)
        for name in (hidden, secrets.token_bytes(32), b"short", "not-b64u-!", "a" * 43)
    ]

    assert {status for status, _headers, _content in answers} == {404}
    assert len({content for _status, _headers, content in answers}) == 1


async def test_a_part_whose_objects_are_gone_is_said_to_be_missing(shelf: Shelf) -> None:
    """Nothing is promised before the first bytes are there: 503, never a 200 that ends too early."""
    message = await shelf.message(State.QUEUED)
    commitment = await shelf.part(
        message["message_id"], message["statement_hash"], PartRole.BODY, bytes(16)
    )
    await shelf.connection.execute(
        "update parts set body = null, object_prefix = 'nowhere' where commitment = $1", commitment
    )

    status, _headers, content = await get(shelf, commitment)

    assert status == 503
    assert b"object-missing" in content


async def test_a_part_that_ends_too_early_is_not_passed_off_as_whole(shelf: Shelf) -> None:
    """Where the bucket lost the end, the connection breaks instead of ending well."""
    message = await shelf.message(State.QUEUED)
    commitment = await shelf.part(
        message["message_id"], message["statement_hash"], PartRole.BODY, bytes(3_000_000)
    )
    await shelf.objects.put("cut/000000", bytes(2_000_000))
    await shelf.connection.execute(
        "update parts set body = null, object_prefix = 'cut' where commitment = $1", commitment
    )

    with pytest.raises(aiohttp.ClientError):
        await get(shelf, commitment)


async def test_whoever_takes_nothing_or_leaves_is_let_go(
    shelf: Shelf,
    relay_settings: Settings,
    unused_tcp_port_factory: Callable[[], int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A stalled reader loses the connection after the patience of the settings; neither is an error."""
    message = await shelf.message(State.QUEUED)
    commitment = await shelf.part(
        message["message_id"], message["statement_hash"], PartRole.BODY, bytes(16)
    )
    size = 4 * SEGMENT_BYTES
    await shelf.objects.put_segments("large", chunks_of(bytes(size)))
    await shelf.connection.execute(
        "update parts set body = null, object_prefix = 'large', size_bytes = $2 "
        "where commitment = $1",
        commitment,
        size,
    )
    impatient = dataclasses.replace(relay_settings, download_idle_seconds=1)
    runner = web.AppRunner(create_app(impatient), handler_cancellation=True)
    await runner.setup()
    port = unused_tcp_port_factory()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    bearer = await shelf.case.harmed.session.bearer()
    asked = (
        f"GET /v1/parts/{b64u_encode(commitment)} HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {bearer}\r\n\r\n"
    )

    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
    writer.write(asked.encode())
    await reader.readline()
    mine: int = writer.get_extra_info("sockname")[1]
    async with asyncio.timeout(10):
        while any(ports == (port, mine) for ports, _waiting in sockets()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(size)
    writer.close()
    _reader, leaving = await asyncio.open_connection("127.0.0.1", port, limit=1000)
    leaving.write(asked.encode())
    await _reader.readline()
    leaving.transport.abort()
    await runner.cleanup()

    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record for record in said if record.name.startswith("relay")] == []


async def chunks_of(body: bytes) -> AsyncIterator[bytes]:
    """A body as a stream."""
    for start in range(0, len(body), 1_000_000):
        yield body[start : start + 1_000_000]


async def test_a_sealed_letter_is_read_back_as_it_was_sealed(case: Case, relay_url: str) -> None:
    """What the author sent is what a mediator is served, to the byte."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Why?")
    [view] = sent.parts
    bearer = await case.mediator.session.bearer()

    async with (
        aiohttp.ClientSession() as http,
        http.get(
            f"{relay_url}/v1/parts/{view.commitment}",
            headers={"Authorization": f"Bearer {bearer}"},
        ) as answer,
    ):
        content = await answer.read()

    assert hashlib.sha256(content).digest() == hashlib.sha256(view.body or b"").digest()
