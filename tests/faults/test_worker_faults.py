"""Media workers that are killed, raced, lied to and left without Redis: every video still ends well, once."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import math
import os
import pickle
import random
import shutil
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from relay.client.administrator import publish_revocation
from relay.crypto import age, statements
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.signing import Signer, statement_hash
from relay.domain.jobs import LeaseLost
from relay.domain.messages import Audience
from relay.domain.transitions import State
from relay.queue import QUEUE_NAME, TRANSCODE
from relay.services import processing
from relay.services.processing import MediaWorker
from relay.settings import Settings
from relay.storage.statements import find_statement
from relay.testing.people import open_case
from tests.support.corruptions import KEYS, TEXTS, Corruption
from tests.support.hostile import HostileSender
from tests.support.statements import put_statement
from tests.support.videos import VideoCase, film, video_case

KILLS = 6
STOP_SECONDS = 20


@pytest.fixture
async def videos(
    settings: Settings,
    tmp_path: Path,
    as_worker: Callable[[Settings], Settings],
    database_url: str,
    redis_url: str,
) -> AsyncIterator[VideoCase]:
    """A relay whose workers are quick to notice."""
    quick = dataclasses.replace(settings, job_lease_seconds=2, job_retry_seconds=1, sweep_seconds=1)
    async with video_case(
        quick, tmp_path, as_worker=as_worker, database_url=database_url, redis_url=redis_url
    ) as opened:
        yield opened


# Killed.


async def test_a_killed_worker_loses_nothing(videos: VideoCase, chance: random.Random) -> None:
    """SIGKILL at moments all over the work, with Redis emptied every other time: each video arrives once."""
    video = await asyncio.to_thread(film, videos.folder)
    with videos.running() as workers:
        worker = workers.start()
        sent = [await videos.send(video)]
        await videos.until_leased(sent[0])
        began = time.monotonic()
        await videos.until_state(sent[0], State.QUEUED)
        undisturbed = time.monotonic() - began
        for kill in range(KILLS):
            sent.append(await videos.send(video))
            await videos.until_leased(sent[-1])
            await asyncio.sleep(undisturbed * (kill + chance.random()) / KILLS)
            family = descendants(worker.pid)
            worker.kill()
            worker.wait()
            if kill % 2:
                await videos.redis.flushall()
            await until_gone(family)
            worker = workers.start()
        for message_id in sent:
            await videos.until_state(message_id, State.QUEUED, State.FAILED)
            await videos.require_prepared_once(message_id)
    assert await videos.count("select count(*) from jobs where attempts > 1"), "none was disturbed"
    await videos.require_tidy()


async def test_a_stopped_worker_gives_its_job_back(videos: VideoCase) -> None:
    """SIGTERM in the middle: exit 0, nothing of the jail left, and the next worker has the job at once."""
    video = await asyncio.to_thread(film, videos.folder, 20, size="1280x720")
    with videos.running() as workers:
        worker = workers.start()
        message_id = await videos.send(video)
        await videos.until_stage(message_id, "encoding")
        family = descendants(worker.pid)
        assert "bwrap" in family.values()

        worker.send_signal(signal.SIGTERM)

        assert await asyncio.to_thread(worker.wait, STOP_SECONDS) == 0
        given_back = "select count(*) from jobs where state = 'waiting' and attempts = 0"
        assert await videos.count(given_back) == 1
        await until_gone(family)
        workers.start()
        await videos.until_state(message_id, State.QUEUED)
    await videos.require_prepared_once(message_id)
    await videos.require_tidy()


async def test_a_worker_of_several_videos_gives_all_of_them_back(videos: VideoCase) -> None:
    """Two videos at once, each longer than a lease, and SIGTERM: both wait again, tried once each."""
    video = await asyncio.to_thread(film, videos.folder, 20, size="1280x720")
    with videos.running() as workers:
        worker = workers.start(RELAY_WORKER_JOBS="2")
        sent = [await videos.send(video), await videos.send(video)]
        for message_id in sent:
            await videos.until_stage(message_id, "encoding")
        await asyncio.sleep(2 * videos.settings.job_lease_seconds)
        family = descendants(worker.pid)

        worker.send_signal(signal.SIGTERM)

        assert await asyncio.to_thread(worker.wait, STOP_SECONDS) == 0
        given_back = "select count(*) from jobs where state = 'waiting' and attempts = 0"
        assert await videos.count(given_back) == 2, videos.said()
        await until_gone(family)
    assert videos.said().count("attempt 1") == 2
    assert "attempt 2" not in videos.said()


async def test_plaintext_is_in_memory_alone(videos: VideoCase) -> None:
    """While a video is prepared, no process of the worker has a file open for writing but its log."""
    video = await asyncio.to_thread(film, videos.folder, 20, size="1280x720")
    with videos.running() as workers:
        worker = workers.start()
        message_id = await videos.send(video)
        await videos.until_stage(message_id, "encoding")
        family = {worker.pid: "worker", **descendants(worker.pid)}
        written = {path for pid in family for path in open_for_writing(pid)}
        worker.send_signal(signal.SIGTERM)
        await asyncio.to_thread(worker.wait, STOP_SECONDS)
    assert any("memfd:relay" in path for path in written), "the rendition"
    on_disk = {path for path in written if path.startswith("/") and "memfd:" not in path}
    assert on_disk <= {"/dev/null", str(videos.folder / "worker.log")}


async def test_a_frozen_worker_hands_nothing_in(videos: VideoCase) -> None:
    """A worker that stood still past its lease finds another's work done when it wakes, and lets go."""
    video = await asyncio.to_thread(film, videos.folder, 6)
    with videos.running() as workers:
        frozen = workers.start("frozen")
        message_id = await videos.send(video)
        await videos.until_leased(message_id)
        frozen.send_signal(signal.SIGSTOP)
        workers.start("other")
        await videos.until_state(message_id, State.QUEUED)

        frozen.send_signal(signal.SIGCONT)
        await videos.until_said("frozen", "LeaseLost")

    await videos.require_prepared_once(message_id)
    await videos.require_tidy()


# Left without Redis.


async def test_an_emptied_redis_loses_nothing(videos: VideoCase) -> None:
    """FLUSHALL while one video is prepared and others wait: all of them arrive."""
    video = await asyncio.to_thread(film, videos.folder)
    with videos.running() as workers:
        workers.start()
        sent = [await videos.send(video) for _ in range(3)]
        await videos.until_leased(sent[0])
        await videos.redis.flushall()
        for message_id in sent:
            await videos.until_state(message_id, State.QUEUED)
            await videos.require_prepared_once(message_id)


async def test_what_was_begun_goes_on_while_redis_is_away(videos: VideoCase) -> None:
    """When every connection to Redis breaks, the running job ends as it would, and the next one is taken."""
    video = await asyncio.to_thread(film, videos.folder, 6)
    with videos.running() as workers:
        workers.start()
        first = await videos.send(video)
        await videos.until_leased(first)
        for _ in range(20):
            await videos.redis.client_kill_filter(_type="normal")
            await asyncio.sleep(0.05)
        second = await videos.send(video)
        for message_id in (first, second):
            await videos.until_state(message_id, State.QUEUED)
            await videos.require_prepared_once(message_id)
    assert await videos.count("select max(attempts) from jobs") == 1


# Misled.


class Steals:
    """A job as arq writes them by default: unpickled, it copies a file."""

    def __init__(self, source: str, target: Path) -> None:
        self.source, self.target = source, target

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Called where this is unpickled."""
        return shutil.copyfile, (self.source, str(self.target))


async def test_a_crafted_job_runs_nothing_in_the_worker(videos: VideoCase) -> None:
    """Writing to Redis gives nobody the worker's key, nor does it stop the worker: the next video arrives."""
    stolen = videos.folder / "stolen"
    steals = Steals(videos.settings.media_key_file, stolen)
    for wire in (steals, {"t": 1, "f": TRANSCODE, "a": (steals,), "k": {}, "et": 0}):
        job = str(uuid.uuid4())
        await videos.redis.set(f"arq:job:{job}", pickle.dumps(wire))
        await videos.redis.zadd(QUEUE_NAME, {job: 1})
    await videos.redis.zadd(QUEUE_NAME, {b"\xff\xfe": 1, b"-": -math.inf})
    video = await asyncio.to_thread(film, videos.folder)
    with videos.running() as workers:
        worker = workers.start()
        sent = await videos.send(video)
        await videos.until_state(sent, State.QUEUED)
        await videos.require_prepared_once(sent)
        assert worker.poll() is None
    assert not stolen.exists()
    assert "4 entries of the queue in Redis are no jobs; dropped" in videos.said()
    assert await videos.redis.dbsize() == 0


# Raced.


async def test_two_workers_at_once_take_a_job_once(videos: VideoCase) -> None:
    """Two workers are woken for one job: one takes it, the other finds nothing to do."""
    message_id = await videos.send(await asyncio.to_thread(film, videos.folder))
    job_id = await videos.job_of(message_id)

    await asyncio.gather(videos.transcoder.run(job_id), videos.transcoder.run(job_id))

    await videos.require_prepared_once(message_id)
    assert await videos.count("select attempts from jobs") == 1
    await videos.require_tidy()


async def test_of_two_workers_on_one_video_one_hands_in(videos: VideoCase) -> None:
    """Two attempts both come to their end; the one whose lease was taken over is refused as a whole."""
    message_id = await videos.send(await asyncio.to_thread(film, videos.folder))
    job_id = await videos.job_of(message_id)
    first = await processing.lease_job(videos.database, videos.settings, job_id, videos.worker)
    assert first is not None
    source = await processing.find_source(videos.database, videos.settings, videos.worker, first)
    await videos.execute("update jobs set lease_expires_at = now() - interval '1 second'")

    await videos.transcoder.run(job_id)

    await videos.require_prepared_once(message_id)
    made = await videos.prepare_by_hand()
    with pytest.raises(LeaseLost):
        await processing.finish(videos.database, videos.worker, first, source, made)
    with pytest.raises(LeaseLost):
        await processing.fail(videos.database, videos.worker, first, "video-refused")
    await videos.require_prepared_once(message_id)
    await videos.require_tidy()


# Lied to.


async def test_another_body_is_not_prepared(videos: VideoCase) -> None:
    """A segment that is not the one that was signed: `video-altered`, and no rendition."""
    message_id = await videos.send(await asyncio.to_thread(film, videos.folder))
    [key] = await videos.objects.keys("uploads")
    body = bytearray(await videos.objects.get(key))
    body[len(body) // 2] ^= 1
    await videos.objects.put(key, bytes(body))

    await require_altered(videos, message_id)


async def test_a_body_sealed_again_is_not_prepared(videos: VideoCase) -> None:
    """Other ciphertext of the right size under the right file key opens, and is still not what was signed."""
    message_id = await videos.send(await asyncio.to_thread(film, videos.folder))
    [key] = await videos.objects.keys("uploads")
    body = await videos.objects.get(key)
    file_key = await videos.file_key(message_id)
    again = age.seal_body(file_key, age.open_body(file_key, body))
    assert len(again) == len(body)
    await videos.objects.put(key, again)

    await require_altered(videos, message_id)


async def test_a_grant_of_another_key_is_not_used(videos: VideoCase) -> None:
    """A grant that opens to a file key which the sender did not commit to: not a byte is fetched for it."""
    message_id = await videos.send(await asyncio.to_thread(film, videos.folder))
    await videos.objects.delete(await videos.objects.keys("uploads"))
    forged = age.wrap_header(age.new_file_key(), [videos.worker.keyring.identity.recipient])
    await videos.execute("update grants set header = $1 where audience = 'media'", forged)

    await require_altered(videos, message_id)


async def test_a_grant_for_somebody_else_is_not_opened(videos: VideoCase) -> None:
    """A grant that this worker's key does not open: no rendition."""
    message_id = await videos.send(await asyncio.to_thread(film, videos.folder))
    file_key = await videos.file_key(message_id)
    other = age.wrap_header(file_key, [HybridIdentity.generate().recipient])
    await videos.execute("update grants set header = $1 where audience = 'media'", other)

    await require_altered(videos, message_id)


async def test_words_of_another_key_are_not_prepared(videos: VideoCase) -> None:
    """The sender's statement, signed again by a key that is not theirs: no rendition."""
    message_id = await videos.send(await asyncio.to_thread(film, videos.folder))
    said = statements.decode_unverified(await videos.statement(message_id), statements.Message)

    await videos.put_statement(message_id, statements.sign(Signer.generate(), said))

    await require_altered(videos, message_id)


async def test_words_that_were_changed_are_not_prepared(videos: VideoCase) -> None:
    """Other words under the sender's name and old signature: no rendition."""
    message_id = await videos.send(await asyncio.to_thread(film, videos.folder))
    header, payload, signature = (await videos.statement(message_id)).split(".")
    said = msgspec.json.decode(b64u_decode(payload), type=statements.Message)
    changed = msgspec.json.encode(msgspec.structs.replace(said, language="fr"))

    await videos.put_statement(message_id, f"{header}.{b64u_encode(changed)}.{signature}")

    await require_altered(videos, message_id)


async def test_a_hostile_original_ends_its_own_job_and_no_other(videos: VideoCase) -> None:
    """Granted, committed, sealed and filled in every wrong way: it fails, and the next is prepared."""
    sender = await HostileSender.of(videos.case)
    reader = str(videos.worker.keyring.identity.recipient)
    altered, unknown = "video-altered", "video-not-recognized"
    films: dict[str, tuple[Corruption, bytes, str]] = {
        **{name: (corruption, b"a film", altered) for name, corruption in KEYS.items()},
        "a body under another key": (TEXTS["a body under another key"], b"a film", altered),
        "nothing": (Corruption(), b"", "video-empty"),
        "one byte": (Corruption(), b"x", unknown),
        "a page": (Corruption(), b"<!doctype html><script>alert(1)</script>", unknown),
        "a list": (Corruption(), b"ffconcat version 1.0\nfile /etc/passwd\n", "video-playlist"),
    }
    for name, (corruption, content, code) in films.items():
        message = uuid.uuid4()
        original = await sender.original(message, corruption, content)
        granted = original.grant(Audience.MEDIA, videos.worker.credential_id, reader)
        if corruption.grant is not None:
            header = corruption.grant(original.file_key, reader)
            granted = msgspec.structs.replace(granted, header=header)
        answer = await sender.send(message, [original], [granted, original.grant(*sender.to_case)])
        assert answer.status == 200, name

        await videos.transcoder.run(await videos.job_of(message))

        row = await videos.message(message)
        assert (row.state, row.failure) == (State.FAILED, code), name
        assert await videos.grants_of(message, "media") == 0
    sound = await videos.send(await asyncio.to_thread(film, videos.folder))
    await videos.transcoder.run(await videos.job_of(sound))
    await videos.require_prepared_once(sound)
    await videos.require_tidy()


async def test_a_video_copied_into_another_case_is_not_opened_there(videos: VideoCase) -> None:
    """The owner of the database, working with people of another case, gets nothing out of the worker.

    Everything of the victim's video is filed under a statement of the accomplice's: body, commitment and
    the worker's grant. Only the case is another, and the commitment does not hold for it.
    """
    video = await asyncio.to_thread(film, videos.folder)
    victim = await videos.send(video)
    stolen = statements.decode_unverified(await videos.statement(victim), statements.Message)
    other = await open_case(videos.people)
    with video.open("rb") as source:
        sent = await other.harmed.send_video(other.responsible.participant_id, source, "video/mp4")
    own = statements.decode_unverified(await videos.statement(sent.message), statements.Message)
    forged = msgspec.structs.replace(own, parts=stolen.parts)

    await videos.execute("delete from parts where message_id = $1", sent.message)
    await videos.execute(
        "update parts set message_id = $2 where message_id = $1", victim, sent.message
    )
    await videos.put_statement(sent.message, statements.sign(other.harmed.hand.signer, forged))

    await require_altered(videos, sent.message)


async def test_a_worker_that_the_charter_does_not_name_opens_nothing(videos: VideoCase) -> None:
    """A worker whom only the database adds to a case, with a grant that opens, leaves the video closed."""
    message_id = await videos.send(await asyncio.to_thread(film, videos.folder))
    credential_id, keyring = await videos.people.enrol("media")
    header = age.wrap_header(await videos.file_key(message_id), [keyring.identity.recipient])
    await videos.execute("update charters set media = media || $1::uuid", credential_id)
    await videos.execute(
        "insert into grants select commitment, 'media', $1, $2 from grants where audience = 'media'",
        credential_id,
        header,
    )
    stranger = MediaWorker(credential_id=credential_id, keyring=keyring)

    await dataclasses.replace(videos.transcoder, worker=stranger).run(
        await videos.job_of(message_id)
    )

    assert (await videos.message(message_id)).state is State.PROCESSING
    assert await videos.count("select count(*) from jobs where error = 'crypto'") == 1
    assert await videos.objects.keys("renditions") == []


async def test_a_charter_that_nobody_signed_gets_nothing(videos: VideoCase) -> None:
    """A relay that slips its own key in as the case's is found out before the video is opened."""
    message_id = await videos.send(await asyncio.to_thread(film, videos.folder))
    spy = HybridIdentity.generate()
    async with videos.unguarded.transaction() as connection:
        [row] = await connection.fetch("select * from charters")
        compact = await find_statement(connection, row["statement_hash"])
        said = statements.decode_unverified(compact or "", statements.Charter)
        forged = statements.sign(
            Signer.generate(),
            statements.Charter(
                at=said.at,
                case=said.case,
                version=2,
                registration=None,
                previous=b64u_encode(statement_hash(compact or "")),
                recipient=str(spy.recipient),
                mediators=said.mediators,
                media=said.media,
                recovery=said.recovery,
                policy=said.policy,
            ),
        )
        forged_hash = await put_statement(connection, forged)
        await connection.execute(
            "insert into charters values ($1, 2, $2, $3, $4, $5, $6, $7)",
            row["case_id"],
            forged_hash,
            str(spy.recipient),
            row["mediators"],
            row["media"],
            row["recovery"],
            row["key_file"],
        )
        await connection.execute("update cases set charter_version = 2")

    await videos.transcoder.run(await videos.job_of(message_id))

    assert (await videos.message(message_id)).state is State.PROCESSING
    assert await videos.objects.keys("renditions") == []
    assert await videos.count("select count(*) from jobs where state = 'waiting'") == 1


async def test_a_recipient_slipped_into_the_row_gets_nothing(videos: VideoCase) -> None:
    """The case's key is taken from the signed charter, whatever the database says beside it."""
    message_id = await videos.send(await asyncio.to_thread(film, videos.folder))
    spy = HybridIdentity.generate()
    await videos.execute("update charters set recipient = $1", str(spy.recipient))

    await videos.transcoder.run(await videos.job_of(message_id))

    leased = await videos.case.mediator.lease(message_id)
    await videos.case.mediator.save(leased, "rendition", videos.folder / "rendition.mp4")


# Refused.


async def test_a_revoked_worker_does_not_work(videos: VideoCase) -> None:
    """Once its credential ended, a running worker takes no job and ends, and none starts."""
    with videos.running() as workers:
        running = workers.start("running")
        await videos.until_said("running", "is ready")
        revocation = videos.people.administrator.sign_revocation(videos.worker.credential_id)
        await publish_revocation(videos.people.connection, videos.worker.credential_id, revocation)
        assert await asyncio.to_thread(running.wait, STOP_SECONDS) == 1
        late = workers.start("late")
        assert await asyncio.to_thread(late.wait, STOP_SECONDS) == 1
    assert "media credential" in videos.said("running")
    assert "media credential" in videos.said("late")
    assert "is ready" not in videos.said("late")


async def test_a_revoked_worker_leases_nothing(videos: VideoCase) -> None:
    """Between two sweeps a revoked worker that is woken leaves the job as it is."""
    message_id = await videos.send(await asyncio.to_thread(film, videos.folder))
    revocation = videos.people.administrator.sign_revocation(videos.worker.credential_id)
    await publish_revocation(videos.people.connection, videos.worker.credential_id, revocation)

    await videos.transcoder.run(await videos.job_of(message_id))

    waiting = "select count(*) from jobs where state = 'waiting' and attempts = 0"
    assert await videos.count(waiting) == 1


async def test_a_worker_without_a_jail_does_not_start(videos: VideoCase) -> None:
    """Where the jail cannot be built the worker says so, and ends with 2."""
    with videos.running() as workers:
        worker = workers.start(RELAY_BUBBLEWRAP="/bin/false")
        assert await asyncio.to_thread(worker.wait, STOP_SECONDS) == 2
    assert "jail" in videos.said()


async def test_a_key_file_that_others_may_read_is_not_used(videos: VideoCase) -> None:
    """A worker whose keys are open to others says so, and ends with 1."""
    Path(videos.settings.media_key_file).chmod(0o640)
    with videos.running() as workers:
        worker = workers.start()
        assert await asyncio.to_thread(worker.wait, STOP_SECONDS) == 1
    assert "0640" in videos.said()


async def require_altered(videos: VideoCase, message_id: uuid.UUID) -> None:
    """Assert that the worker finds that a video is not what was sealed, and makes nothing of it."""
    await videos.transcoder.run(await videos.job_of(message_id))
    message = await videos.message(message_id)
    assert (message.state, message.failure) == (State.FAILED, "video-altered")
    assert message.rendition_hash is None
    assert await videos.objects.keys("renditions") == []
    assert await videos.grants_of(message_id, "media") == 0


def descendants(pid: int) -> dict[int, str]:
    """The processes below a process, with their names."""
    children: dict[int, list[int]] = {}
    names: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                name, _, rest = (
                    (entry / "stat").read_text("utf-8").partition("(")[2].rpartition(")")
                )
                names[int(entry.name)] = name
                children.setdefault(int(rest.split()[1]), []).append(int(entry.name))
    found: dict[int, str] = {}
    below = [pid]
    while below:
        for child in children.get(below.pop(), []):
            found[child] = names[child]
            below.append(child)
    return found


def open_for_writing(pid: int) -> set[str]:
    """What a process could write to."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            told = Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text("ascii")
            flags = int(told.split("flags:")[1].split()[0], 8)
            if flags & os.O_ACCMODE != os.O_RDONLY:
                found.add(str(descriptor.readlink()))
    return found


async def until_gone(processes: dict[int, str]) -> None:
    """Wait until none of these processes is left."""
    async with asyncio.timeout(STOP_SECONDS):
        while any(is_running(pid, name) for pid, name in processes.items()):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.02)


def is_running(pid: int, name: str) -> bool:
    """Whether this very process runs; one that ended and waits for its parent does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return False
    found, _, rest = stat.partition("(")[2].rpartition(")")
    return found == name and rest.split()[0] not in {"Z", "X"}
