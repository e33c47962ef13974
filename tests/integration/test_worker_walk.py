"""Every statement that a media worker reads, attacked in every way by the owner of the database.

The worker believes the roots of its own settings, and nothing that the database says beside them. What it
refuses it does not open: its grant on the original stays as it was sealed, and no rendition is signed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client.certifying import key_set
from relay.client.participant import Participant
from relay.crypto import age
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError
from relay.crypto.signing import Signer
from relay.crypto.statements import Message, Registration, Statement
from relay.domain.jobs import Job, VideoAltered
from relay.embedded import Access, Services
from relay.errors import RelayError
from relay.media.tools import MediaTools
from relay.services import processing
from relay.settings import Settings
from relay.storage.database import Connection, Database
from relay.storage.objects import Objects
from relay.testing.people import ISSUER, KEY_ID, organization
from tests.support.relays import WORK_FACTOR_LOG2, SharedRelay, served
from tests.support.service_users import come_as
from tests.support.statement_walk.cases import WalkCases, cases
from tests.support.statement_walk.worker_attacks import ATTACKS, Tampering, tampering
from tests.support.statement_walk.worker_expected import (
    NOT_READ,
    TABLE,
    Accepted,
    Altered,
    Unbelieved,
)
from workers.transcoding import Transcoder

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"
CELLS = [(kind, attack) for kind, attacks in ATTACKS.items() for attack in attacks]


@pytest.fixture(scope="module")
def relay(
    shared_settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
    unused_tcp_port_factory: Callable[[], int],
    request: pytest.FixtureRequest,
) -> Iterator[SharedRelay]:
    """A relay of these tests' own, on the database that tests share."""
    request.getfixturevalue("empty_shared_database")()
    root, token_key = Signer.generate(), Ed25519PrivateKey.generate()
    keys = tmp_path_factory.mktemp("case-system") / "jwks.json"
    keys.write_text(key_set(token_key, KEY_ID), "utf-8")
    port = unused_tcp_port_factory()
    settings = dataclasses.replace(
        shared_settings,
        root_public_keys=b64u_encode(root.public_key),
        service_jwks=str(keys),
        service_issuer=ISSUER,
        public_url=f"http://127.0.0.1:{port}",
        listen_port=port,
    )
    with served(settings) as monitor:
        yield SharedRelay(settings=settings, root=root, token_key=token_key, monitor=monitor)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A video that waits for a worker, in a database whose owner is hostile."""

    cases: WalkCases
    database_url: str
    settings: Settings
    """Of the worker."""
    video: uuid.UUID
    other_video: uuid.UUID
    job: Job

    @contextlib.asynccontextmanager
    async def tampering(
        self, video: uuid.UUID | None = None, *, keeps: bool = False
    ) -> AsyncIterator[Tampering]:
        """Changes that are gone afterwards, unless their owner `keeps` them."""
        async with tampering(
            self.cases, self.database_url, video or self.video, self.other_video, keeps=keeps
        ) as changes:
            yield changes

    async def read(self, changes: Tampering) -> processing.Source:
        """What the worker reads of the video, as the database has it now."""
        shown = cast("Database", Shown(changes.connection))
        return await processing.find_source(shown, self.settings, self.cases.worker, self.job)


class Shown:
    """The database as somebody sees it who has not kept their changes yet."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """The one connection that sees them."""
        yield self._connection


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(
    relay: SharedRelay, shared_database_url: str, services: Services
) -> AsyncIterator[Desk]:
    """Two videos, and the worker that both were sealed for."""
    settings = come_as(Access.WORKER, relay.settings, services)
    url = relay.settings.public_url
    async with (
        organization(url, relay.root, relay.token_key, work_factor_log2=WORK_FACTOR_LOG2) as people,
        cases(people, relay.root, shared_database_url, settings) as made,
    ):
        video, other = [
            await _send(case.harmed, case.responsible.participant_id)
            for case in (made.case, made.other)
        ]
        database = await Database.connect(settings.database_url, connections=1)
        job_id = await made.database.fetchval(
            "select job_id from jobs where message_id = $1", video
        )
        job = await processing.lease_job(database, settings, job_id, made.worker)
        assert job is not None
        yield Desk(
            cases=made,
            database_url=shared_database_url,
            settings=settings,
            video=video,
            other_video=other,
            job=job,
        )
        await database.close()


async def _send(sender: Participant, to: uuid.UUID) -> uuid.UUID:
    return (await sender.send_video(to, io.BytesIO(b"a film"), "video/mp4")).message


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The grants that the worker opened in this test."""
    headers: list[bytes] = []
    unwrap = age.unwrap_header

    def watched(header: bytes, identities: list[age.Identity]) -> age.FileKey:
        headers.append(header)
        return unwrap(header, identities)

    monkeypatch.setattr(age, "unwrap_header", watched)
    return headers


def named(value: object) -> str:
    """How a cell is called in the output of a test run."""
    return value.typ if isinstance(value, type) and issubclass(value, Statement) else str(value)


def test_every_type_and_every_attack_has_an_outcome() -> None:
    """A new type or attack is in the table or fails here; a reason is a sentence of the protocol."""
    assert ATTACKS.keys() | NOT_READ.keys() == {*Statement.__subclasses__()}
    assert not ATTACKS.keys() & NOT_READ.keys()
    assert {kind: row.keys() for kind, row in TABLE.items()} == {
        kind: row.keys() for kind, row in ATTACKS.items()
    }
    protocol = re.sub(r"\s+", " ", PROTOCOL.read_text("utf-8").replace("**", ""))
    for row in TABLE.values():
        for outcome in row.values():
            assert not isinstance(outcome, Accepted) or outcome.reason in protocol, outcome


@pytest.mark.asyncio(loop_scope="module")
async def test_a_worker_reads_what_nobody_changed(desk: Desk, opened: list[bytes]) -> None:
    """The video of this walk is one that its worker prepares."""
    async with desk.tampering() as changes:
        source = await desk.read(changes)
    assert source.message.message == desk.video
    assert len(opened) == 1


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("kind", "attack"), CELLS, ids=named)
async def test_the_walk(
    kind: type[Statement], attack: str, desk: Desk, opened: list[bytes]
) -> None:
    """The worker prepares the video, or leaves it sealed, as the table has it."""
    outcome = TABLE[kind][attack]
    async with desk.tampering() as changes:
        await ATTACKS[kind][attack](changes)
        if isinstance(outcome, Accepted):
            await desk.read(changes)
            return
        refused: type[RelayError] = ChainError if isinstance(outcome, Unbelieved) else VideoAltered
        with pytest.raises(refused) as caught:
            await desk.read(changes)
    assert re.search(outcome.says, caught.value.detail or ""), caught.value.detail
    assert bool(opened) == (isinstance(outcome, Altered) and outcome.opens)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("kind", "state", "grants"), [(Registration, "waiting", 1), (Message, "failed", 0)], ids=named
)
async def test_a_whole_job_ends_without_a_rendition(
    kind: type[Statement], state: str, grants: int, desk: Desk, opened: list[bytes]
) -> None:
    """Where a case is not believed the job waits; where a message does not hold it fails; nothing is made."""
    cases = desk.cases
    video = await _send(cases.harmed, cases.case.responsible.participant_id)
    async with desk.tampering(video, keeps=True) as changes:
        before = changes.texts[kind]
        await changes.change(kind, cases.persons["a stranger"].signer)
    database = await Database.connect(desk.settings.database_url, connections=2)
    objects = await Objects.connect(desk.settings)
    # Of one person one video at a time: the other one's lease is over.
    await cases.database.execute("update jobs set lease_expires_at = now() where state = 'running'")
    query = "select job_id from jobs where message_id = $1"
    job = await processing.lease_job(
        database, desk.settings, await cases.database.fetchval(query, video), cases.worker
    )
    assert job is not None
    await Transcoder(
        settings=desk.settings,
        database=database,
        objects=objects,
        worker=cases.worker,
        tools=MediaTools.from_settings(desk.settings),
    ).run(job)
    made = await objects.keys("renditions")
    await objects.close()
    await database.close()
    if kind is Registration:
        async with desk.tampering(video, keeps=True) as changes:
            await changes.restore(before.compact)

    found = await cases.database.fetchrow(
        "select (select state::text from jobs where message_id = $1),"
        " (select count(*) from grants inner join parts using (commitment)"
        "  where message_id = $1 and audience = 'media'),"
        " (select count(*) from messages where message_id = $1 and rendition_hash is not null)",
        video,
    )
    assert tuple(found or ()) == (state, grants, 0)
    assert (made, opened) == ([], [])
