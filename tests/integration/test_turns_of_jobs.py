"""Whose video is prepared next: cases have turns, and people in them; nobody takes up all workers."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import random
import uuid
from typing import Final

import pytest

from relay.client.participant import Participant
from relay.domain.jobs import Job
from relay.services import processing
from relay.testing.people import Case, open_case
from tests.support.videos import VideoCase

SMALL: Final = 2_000
MANY: Final = 8
ENDED: Final = "video-refused"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A video that waits for a worker."""

    case: uuid.UUID
    person: uuid.UUID
    size: int
    number: int


@dataclasses.dataclass(frozen=True, slots=True)
class Senders:
    """People who send videos, and whose each job is."""

    videos: VideoCase
    sent: dict[uuid.UUID, Sent] = dataclasses.field(default_factory=dict)

    async def send(self, case: Case, person: Participant, size: int = SMALL) -> None:
        """Send one of this size; nobody looks into it here."""
        to = case.responsible if person is case.harmed else case.harmed
        message = await person.send_video(to.participant_id, io.BytesIO(bytes(size)), "video/mp4")
        self.sent[await self.videos.job_of(message.message)] = Sent(
            case=case.case_id, person=person.participant_id, size=size, number=len(self.sent)
        )

    async def take(self) -> Job | None:
        """The next job, as a worker takes it."""
        videos = self.videos
        taken = await processing.lease_next(videos.database, videos.settings, [videos.worker])
        return None if taken is None else taken[1]

    async def end(self, job: Job) -> None:
        """End it, as a worker does that cannot do it."""
        await processing.fail(self.videos.database, self.videos.worker, job, ENDED)

    async def drain(self) -> list[Sent]:
        """Whose jobs one worker does, one after the other, until there are none."""
        order = []
        while (job := await self.take()) is not None:
            order.append(self.sent[job.job_id])
            await self.end(job)
        return order


@pytest.fixture
def senders(videos: VideoCase) -> Senders:
    """Nobody has sent anything yet."""
    return Senders(videos)


async def test_a_stranger_is_next_however_many_somebody_sent(
    senders: Senders, videos: VideoCase
) -> None:
    """Long ones that came before do not keep a short one of somebody else waiting, nor a second worker."""
    greedy, other = videos.case, await open_case(videos.people)
    for _ in range(MANY):
        await senders.send(greedy, greedy.harmed, 50 * SMALL)
    first = await senders.take()
    assert first is not None
    assert await senders.take() is None
    await senders.send(other, other.harmed)
    second = await senders.take()
    assert second is not None
    assert senders.sent[second.job_id].case == other.case_id
    await senders.end(first)
    third = await senders.take()
    assert third is not None
    assert senders.sent[third.job_id].case == greedy.case_id
    await senders.send(greedy, greedy.responsible, 90 * SMALL)
    await senders.end(third)
    fourth = await senders.take()
    assert fourth is not None
    assert senders.sent[fourth.job_id].person == greedy.responsible.participant_id


async def test_every_turn_is_of_whoever_was_served_longest_ago(
    senders: Senders, videos: VideoCase, chance: random.Random
) -> None:
    """Of all that waits the case, then the person, then the smallest, then the oldest: at every turn."""
    cases = [videos.case, *[await open_case(videos.people) for _ in range(2)]]
    people = [(case, person) for case in cases for person in (case.harmed, case.responsible)]
    for _ in range(3 * len(people)):
        case, person = chance.choice(people)
        await senders.send(case, person, chance.choice([SMALL, 2 * SMALL]))
    waiting = set(senders.sent.values())
    served: dict[uuid.UUID, int] = {}
    for turn, one in enumerate(await senders.drain(), 1):
        due = min(
            waiting,
            key=lambda sent: (
                served.get(sent.case, 0),
                served.get(sent.person, 0),
                sent.size,
                sent.number,
            ),
        )
        assert one == due
        waiting.remove(one)
        served[one.case] = served[one.person] = turn
    assert not waiting


async def test_workers_at_once_take_different_jobs_of_different_people(
    senders: Senders, videos: VideoCase
) -> None:
    """Whoever comes second finds the next one; never one of a person whose other one is prepared."""
    other = await open_case(videos.people)
    for case in (videos.case, other):
        for person in (case.harmed, case.responsible):
            for _ in range(2):
                await senders.send(case, person)
    taken = await asyncio.gather(*(senders.take() for _ in range(MANY)))
    jobs = [job.job_id for job in taken if job is not None]
    while (job := await senders.take()) is not None:
        jobs.append(job.job_id)
    assert len(jobs) == len({senders.sent[job_id].person for job_id in jobs}) == 4


async def test_the_same_job_is_not_taken_for_a_person_who_is_busy(
    senders: Senders, videos: VideoCase
) -> None:
    """Also by whoever names it; and it can be taken once the other one's lease has run out."""
    for _ in range(2):
        await senders.send(videos.case, videos.case.harmed)
    first = await senders.take()
    assert first is not None
    [other] = set(senders.sent) - {first.job_id}
    arguments = (videos.database, videos.settings, other, videos.worker)
    assert await processing.lease_job(*arguments) is None
    await videos.execute("update jobs set lease_expires_at = now() where job_id = $1", first.job_id)
    assert await processing.lease_job(*arguments) is not None


async def test_who_is_woken_for_anything_does_what_is_due(
    senders: Senders, videos: VideoCase
) -> None:
    """A forged call changes no order, and does nothing twice; what is due next is told to the next worker."""
    for _ in range(2):
        await senders.send(videos.case, videos.case.harmed)
    await videos.redis.flushdb()
    await videos.transcoders().run(uuid.uuid4())
    states = "select count(*) from jobs where state = $1"
    assert await videos.count(states, "failed") == 1
    [waiting] = await videos.redis.zrange("relay:jobs", 0, -1)
    assert uuid.UUID(waiting.decode()) in senders.sent
    for _ in range(3):
        await videos.transcoders().run(uuid.uuid4())
    assert await videos.count(states, "failed") == 2
    assert await videos.count("select sum(attempts) from jobs") == 2


async def test_a_key_that_may_not_work_does_not_stop_the_others(
    senders: Senders, videos: VideoCase
) -> None:
    """One that was revoked is passed over; where it is the only one, that is said."""
    await senders.send(videos.case, videos.case.harmed)
    revoked = dataclasses.replace(videos.worker, credential_id=uuid.uuid4())
    for workers in ([revoked, videos.worker], [videos.worker, revoked]):
        taken = await processing.lease_next(videos.database, videos.settings, workers)
        assert taken is not None
        worker, job = taken
        assert worker == videos.worker
        await processing.give_back(videos.database, job)
    assert await processing.lease_next(videos.database, videos.settings, [revoked]) is None
