"""What an act finds out about its case still holds when it is done: a change at that moment is waited for.

Each test locks the case, as a charter that is being filed does, begins the act, changes the case once the act
waits, lets the change be kept, and then sees what came of the act.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import asyncpg
import pytest

from relay.client.connection import Problem
from relay.client.mediator import Mediator
from relay.domain.cases import CaseRegistration, NewParticipant, ParticipantRole
from relay.domain.jobs import LeaseLost
from relay.domain.messages import ReviewMessage
from relay.domain.transitions import State
from relay.services import processing
from relay.services.processing import MediaWorker
from relay.settings import Settings
from relay.storage.database import Connection, Database
from relay.testing.people import Case, Organization, open_case, register_case
from tests.support.cases import replace_mediators
from tests.support.prepared_videos import hand_in, prepare
from tests.support.requests import Answer, caller_of, consent, withdrawal

pytestmark = [pytest.mark.own_relay, pytest.mark.tampers]

Act = Callable[[], Awaitable[object]]
LONGEST_SECONDS = 30
WAITING = (
    "select count(*) from pg_stat_activity "
    "where datname = current_database() and wait_event_type = 'Lock'"
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A case whose mediator is about to be dismissed, and somebody who looks on."""

    case: Case
    people: Organization
    worker: MediaWorker
    worker_settings: Settings
    observer: Connection

    @property
    def mediator(self) -> Mediator:
        """Who is dismissed."""
        return self.case.mediator

    async def letter(self) -> uuid.UUID:
        """A letter in the queue."""
        to = self.case.responsible.participant_id
        return (await self.case.harmed.send_letter(to, "Words.")).message

    async def video(self) -> uuid.UUID:
        """A prepared video in the queue."""
        to = self.case.responsible.participant_id
        sent = await self.case.harmed.send_video(to, io.BytesIO(b"a film"), "video/mp4")
        await prepare(self.worker_settings, self.worker, sent.message)
        return sent.message

    async def approved(self) -> ReviewMessage:
        """An approved letter."""
        leased = await self.mediator.lease(await self.letter())
        return await self.mediator.decide(leased, "approve")

    async def kept(self) -> tuple[int, int]:
        """How much is in the log and in the statements."""
        counts = "select (select count(*) from events), (select count(*) from statements)"
        events, statements = await self.observer.fetchrow(counts) or (0, 0)
        return events, statements


@pytest.fixture
async def scene(
    people: Organization, worker_settings: Settings, database_url: str
) -> AsyncIterator[Scene]:
    """A case of two mediators."""
    credential_id, keyring = await people.enrol("media")
    observer = await asyncpg.connect(database_url)
    yield Scene(
        case=await open_case(people),
        people=people,
        worker=MediaWorker(credential_id=credential_id, keyring=keyring),
        worker_settings=worker_settings,
        observer=observer,
    )
    await observer.close()


@contextlib.asynccontextmanager
async def changing(database_url: str, case_id: uuid.UUID) -> AsyncIterator[Connection]:
    """A change of a case that is under way, as a charter's; it is kept at the end of the block."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute(
                "select from cases where case_id = $1 for no key update", case_id
            )
            yield connection
    finally:
        await connection.close()


async def during(
    scene: Scene, database_url: str, case_id: uuid.UUID, change: str, *given: object, act: Act
) -> object:
    """What an act comes to that begins while the change is under way, and ends after it."""
    async with changing(database_url, case_id) as connection:
        task = asyncio.ensure_future(act())
        async with asyncio.timeout(LONGEST_SECONDS):
            while not task.done() and not await scene.observer.fetchval(WAITING):
                await asyncio.wait({task}, timeout=0.01)
        await connection.execute(change, case_id, *given)
    return await task


DISMISS = "delete from case_mediators where case_id = $1 and credential_id = $2"


async def lease(scene: Scene) -> Act:
    """Take a letter."""
    message = await scene.letter()
    return lambda: scene.mediator.lease(message)


async def renew(scene: Scene) -> Act:
    """Keep a letter for longer."""
    message = await scene.letter()
    await scene.mediator.lease(message)
    return lambda: scene.mediator.lease(message)


async def let_go(scene: Scene) -> Act:
    """Give a letter back."""
    message = await scene.letter()
    await scene.mediator.lease(message)
    return lambda: scene.mediator.let_go(message)


async def approve(scene: Scene) -> Act:
    """Approve a letter."""
    leased = await scene.mediator.lease(await scene.letter())
    return lambda: scene.mediator.decide(leased, "approve")


async def send_back(scene: Scene) -> Act:
    """Send a letter back."""
    leased = await scene.mediator.lease(await scene.letter())
    return lambda: scene.mediator.decide(leased, "return", reason="unclear")


async def caption(scene: Scene) -> Act:
    """Add captions to a video."""
    leased = await scene.mediator.lease(await scene.video())
    return lambda: scene.mediator.caption(
        leased, text="WEBVTT\n\n00:00.000 --> 00:01.000\nWords.\n"
    )


async def offer(scene: Scene) -> Act:
    """Offer a letter."""
    approved = await scene.approved()
    return lambda: scene.mediator.offer(approved)


async def grant_again(scene: Scene) -> Act:
    """Grant again what was released."""
    await scene.mediator.offer(await scene.approved())
    [waiting] = (await scene.case.responsible.correspondence()).received
    await scene.case.responsible.respond(waiting, "accept")
    released = await scene.mediator.read(waiting.message)
    return lambda: scene.mediator.offer(released)


async def write_down(scene: Scene) -> Act:
    """Send a letter for somebody."""
    people = (scene.case.harmed.participant_id, scene.case.responsible.participant_id)
    return lambda: scene.mediator.relay_letter(scene.case.case_id, *people, "Their words.")


async def take_back(scene: Scene) -> Act:
    """Withdraw a letter as its sender said."""
    message = await scene.letter()
    caller = caller_of(scene.mediator)
    person = scene.case.harmed.participant_id
    said = withdrawal(caller.signer, scene.case.case_id, message, person, datetime.now(UTC))
    return lambda: caller.send("PUT", f"/v1/messages/{message}/withdrawal", said)


async def record_consent(scene: Scene) -> Act:
    """Write down that somebody paused."""
    caller, case = caller_of(scene.mediator), scene.case.case_id
    person = scene.case.harmed.participant_id
    said = consent(caller.signer, case, person, "paused", datetime.now(UTC))
    return lambda: caller.send("PUT", f"/v1/cases/{case}/participants/{person}/consent", said)


async def make_link(scene: Scene) -> Act:
    """Make a link."""
    return lambda: scene.mediator.make_link(
        scene.case.case_id, scene.case.harmed.participant_id, "upload"
    )


async def revoke_link(scene: Scene) -> Act:
    """End a link."""
    [record, *_] = await scene.mediator.links(scene.case.case_id)
    return lambda: scene.mediator.end_link(scene.case.case_id, record.link, "replaced")


async def file_charter(scene: Scene) -> Act:
    """File the next charter."""
    await scene.mediator.trust()
    return lambda: replace_mediators(scene.case, scene.mediator, [scene.mediator])


async def register(scene: Scene) -> Act:
    """Add to a case."""
    known = await scene.mediator.read_case(scene.case.case_id)
    registration = CaseRegistration(
        reference=known.reference,
        participants=[
            *(
                NewParticipant(participant=one.participant, role=one.role)
                for one in known.participants
            ),
            NewParticipant(participant=uuid.uuid4(), role=ParticipantRole.HARMED_FAMILY),
        ],
    )
    return lambda: scene.mediator.register_case(scene.case.case_id, registration)


ACTS: dict[str, Callable[[Scene], Awaitable[Act]]] = {
    act.__name__: act
    for act in (
        *(lease, renew, let_go, approve, send_back, caption, offer, grant_again, write_down),
        *(take_back, record_consent, make_link, revoke_link, file_charter, register),
    )
}


def refusal(answer: object) -> str:
    """The code of an answer that refuses."""
    return answer.code if isinstance(answer, Answer) else ""


@pytest.mark.parametrize("name", ACTS)
async def test_who_is_dismissed_at_that_moment_acts_no_more(
    name: str, scene: Scene, database_url: str
) -> None:
    """A mediator whom the next charter leaves out is refused, though they asked while it was filed."""
    act = await ACTS[name](scene)
    before = await scene.kept()
    case_id, mediator_id = scene.case.case_id, scene.mediator.credential_id

    async def task() -> str:
        try:
            return refusal(await act())
        except Problem as problem:
            return problem.code

    refused = await during(scene, database_url, case_id, DISMISS, mediator_id, act=task)

    assert refused == ("case-exists" if name == "register" else "not-found")
    assert await scene.kept() == before


async def test_no_mediator_is_assigned_beside_the_first_charter(
    people: Organization, scene: Scene, database_url: str
) -> None:
    """The case system adds a mediator while the first charter is filed: the charter's are the mediators."""
    mediator, colleague, late = [await people.mediator() for _ in range(3)]
    case_id, harmed, responsible = await register_case(people, mediator, colleague)
    registration = CaseRegistration(
        reference=f"case {case_id}",
        participants=[
            NewParticipant(participant=harmed, role=ParticipantRole.HARMED),
            NewParticipant(participant=responsible, role=ParticipantRole.RESPONSIBLE),
        ],
        mediators=[late.credential_id],
    )

    await during(
        scene,
        database_url,
        case_id,
        "update cases set charter_version = 1 where case_id = $1",
        act=lambda: people.case_system.register(case_id, registration),
    )

    assigned = await scene.observer.fetch(
        "select credential_id from case_mediators where case_id = $1", case_id
    )
    assert {row["credential_id"] for row in assigned} == {
        mediator.credential_id,
        colleague.credential_id,
    }


async def test_a_second_approval_is_asked_for_from_the_moment_that_a_charter_asks(
    scene: Scene, database_url: str
) -> None:
    """An approval that comes while a charter raises their number is the first of two."""
    leased = await scene.mediator.lease(await scene.letter())

    decided = await during(
        scene,
        database_url,
        scene.case.case_id,
        "update cases set approvals = 2 where case_id = $1",
        act=lambda: scene.mediator.decide(leased, "approve"),
    )

    assert isinstance(decided, ReviewMessage)
    assert (decided.state, decided.approvals, decided.approvals_needed) == (State.QUEUED, 1, 2)


async def test_no_video_comes_in_once_a_charter_takes_letters_only(
    scene: Scene, database_url: str
) -> None:
    """A video that is begun while a charter turns server processing off is not taken."""
    before = await scene.kept()
    to = scene.case.responsible.participant_id

    with pytest.raises(Problem) as refused:
        await during(
            scene,
            database_url,
            scene.case.case_id,
            "update cases set server_processing = false where case_id = $1",
            act=lambda: scene.case.harmed.send_video(to, io.BytesIO(b"a film"), "video/mp4"),
        )

    assert refused.value.code == "video-not-taken"
    assert await scene.kept() == before


@pytest.mark.parametrize("moment", ["lease", "finish"])
async def test_a_worker_that_a_charter_leaves_out_hands_nothing_in(
    moment: str, scene: Scene, database_url: str
) -> None:
    """Whom the next charter does not name takes no video of the case, nor hands in what they began."""
    to = scene.case.responsible.participant_id
    sent = await scene.case.harmed.send_video(to, io.BytesIO(b"a film"), "video/mp4")
    jobs = "select job_id from jobs where message_id = $1"
    job_id = await scene.observer.fetchval(jobs, sent.message)
    settings = scene.worker_settings
    database = await Database.connect(settings.database_url, connections=2)
    job = None
    if moment == "finish":
        job = await processing.lease_job(database, settings, job_id, scene.worker)
        assert job is not None
    before = await scene.kept()

    async def work() -> object:
        if job is None:
            return await processing.lease_job(database, settings, job_id, scene.worker)
        with pytest.raises(LeaseLost, match="another charter"):
            await hand_in(database, settings, scene.worker, job)
        return None

    next_charter = (
        "with filed as (insert into charters "
        "(case_id, version, statement_hash, recipient, mediators, media, recovery, key_file) "
        "select case_id, 2, sha256('next'), recipient, mediators, '{}', recovery, key_file "
        "from charters where case_id = $1 and version = 1) "
        "update cases set charter_version = 2 where case_id = $1"
    )
    await scene.observer.execute(
        "insert into statements values (sha256('next'), 'relay-charter+jws', 'kid', 'text')"
    )
    assert await during(scene, database_url, scene.case.case_id, next_charter, act=work) is None

    await database.close()
    assert (await scene.kept())[0] == before[0]
