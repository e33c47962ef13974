"""Videos through the media worker, on real services and in the real jail."""

from __future__ import annotations

import asyncio
import dataclasses
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import av
import imageio_ffmpeg
import pytest

from relay.client.administrator import publish_revocation
from relay.client.writing import address
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyfiles import save_keyring_file
from relay.crypto.keyrings import generate_keyring
from relay.crypto.signing import Signer
from relay.domain.jobs import Stage, WorkerRefused
from relay.domain.messages import Processing
from relay.domain.transitions import State
from relay.domain.views import AuthorView
from relay.services import processing
from relay.services.processing import MediaWorker
from relay.settings import Settings
from relay.storage.objects import segment_key
from tests.videos import Studio, film, studio


@pytest.fixture
async def stage(
    settings: Settings,
    tmp_path: Path,
    as_worker: Callable[[Settings], Settings],
    database_url: str,
    redis_url: str,
) -> AsyncIterator[Studio]:
    """A relay with a case."""
    async with studio(
        settings, tmp_path, as_worker=as_worker, database_url=database_url, redis_url=redis_url
    ) as opened:
        yield opened


async def test_a_video_is_prepared_for_the_case_alone(stage: Studio) -> None:
    """What the worker made is signed, waits for review, and opens for the case and nobody else."""
    message_id = await stage.send(film(stage.folder))

    await stage.transcoder.run(await stage.job_of(message_id))

    await stage.require_prepared_once(message_id)
    leased = await stage.case.mediator.lease(message_id)
    item = await stage.case.mediator.verify(leased)
    assert item.rendition is not None
    for role in ("rendition", "poster"):
        await stage.case.mediator.save(leased, role, stage.folder / role)
    with av.open(str(stage.folder / "rendition")) as opened:
        assert opened.streams.video[0].codec_context.name == "h264"
        assert opened.streams.audio[0].codec_context.name == "aac"
    assert (stage.folder / "rendition").stat().st_size == item.rendition.size
    assert item.rendition.duration_ms == pytest.approx(3000, abs=100)
    assert (stage.folder / "poster").read_bytes().startswith(b"\xff\xd8")
    assert [part.role for part in leased.parts] == ["original", "rendition", "poster"]
    own = await stage.case.harmed.sent(message_id)
    assert [part.role for part in own.parts] == ["original"]
    assert await stage.grants_of(message_id, "recipient") == 0


async def test_a_sound_recording_is_prepared_too(stage: Studio) -> None:
    """A recording without a picture becomes a rendition with none, and a plain poster."""
    sound = stage.folder / "sound.m4a"
    tone = ["-f", "lavfi", "-i", "sine=440:d=2", "-c:a", "aac", str(sound)]
    await asyncio.to_thread(subprocess.run, [imageio_ffmpeg.get_ffmpeg_exe(), *tone], check=True)
    message_id = await stage.send(sound)

    await stage.transcoder.run(await stage.job_of(message_id))

    item = await stage.case.mediator.verify(await stage.case.mediator.read(message_id))
    assert item.rendition is not None
    assert (item.rendition.profile, item.rendition.width) == ("audio", 0)
    assert [part.type for part in item.rendition.parts] == ["audio/mp4", "image/jpeg"]


async def test_a_video_of_many_segments_is_prepared(stage: Studio) -> None:
    """A body of several segments arrives in order, and its rendition is cut into segments, too."""
    noise = stage.folder / "noise.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=2,noise=alls=100:allf=t"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "8", "-pix_fmt", "yuv420p"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), *picture, *coded, str(noise)]
    await asyncio.to_thread(subprocess.run, command, check=True)
    assert noise.stat().st_size > 3 * 8 * 1024 * 1024
    message_id = await stage.send(noise)

    await stage.transcoder.run(await stage.job_of(message_id))

    await stage.require_prepared_once(message_id)
    leased = await stage.case.mediator.lease(message_id)
    await stage.case.mediator.save(leased, "rendition", stage.folder / "rendition.mp4")
    await stage.require_tidy()


async def test_the_sender_sees_how_far_the_work_is(stage: Studio) -> None:
    """While a video is prepared its sender sees a stage and a share that only grows."""
    message_id = await stage.send(film(stage.folder, 8, size="1280x720"))
    work = asyncio.create_task(stage.transcoder.run(await stage.job_of(message_id)))
    seen: list[Processing] = []

    while not work.done():
        sent = await stage.case.harmed.sent(message_id)
        if sent.processing is not None and sent.processing not in seen:
            assert sent.view is AuthorView.PREPARING
            seen.append(sent.processing)
        await asyncio.sleep(0.1)

    await work
    assert Stage.ENCODING in [step.stage for step in seen]
    fractions = [step.fraction for step in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] > fractions[0]
    assert (await stage.case.harmed.sent(message_id)).processing is None


async def test_a_refused_video_tells_its_sender_why(stage: Studio) -> None:
    """What cannot be prepared is `failed` with a code that has sentences, and no worker can open it again."""
    text = stage.folder / "letter.mp4"
    text.write_text("This is no video at all. " * 100, "utf-8")
    message_id = await stage.send(text)

    await stage.transcoder.run(await stage.job_of(message_id))

    sent = await stage.case.harmed.sent(message_id)
    assert (sent.view, sent.failure) == (AuthorView.NOT_PREPARED, "video-not-recognized")
    assert await stage.grants_of(message_id, "media") == 0
    assert await stage.count("select count(*) from jobs where state = 'failed'") == 1


async def test_every_failure_has_its_sentences(stage: Studio) -> None:
    """The codes that a worker adds to those of the media room are explained in both languages, too."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{stage.settings.public_url}/v1/failures") as answer,
    ):
        explained = {failure["code"]: failure for failure in await answer.json()}

    assert {"video-altered", "video-not-prepared", "video-refused"} <= explained.keys()
    assert all(failure["en"] != failure["fr"] for failure in explained.values())


async def test_a_mediator_has_a_failed_video_tried_again(stage: Studio) -> None:
    """A retry brings the worker's grant back, and a new job that ends well."""
    message_id = await stage.send(film(stage.folder))
    first = await stage.job_of(message_id)
    await stage.execute("update jobs set attempts = $1", stage.settings.job_attempts)
    await stage.transcoder.run(first)
    failed = await stage.case.mediator.read(message_id)
    assert (failed.state, failed.failure) == (State.FAILED, "video-not-prepared")

    await stage.case.mediator.decide(failed, "retry")
    second = await stage.job_of(message_id)
    assert second != first
    await stage.transcoder.run(second)

    await stage.require_prepared_once(message_id)


async def test_a_withdrawn_video_is_let_go(stage: Studio) -> None:
    """A message that is withdrawn while it is prepared stays withdrawn, and nothing of it is written."""
    message_id = await stage.send(film(stage.folder, 20, size="1280x720"))
    work = asyncio.create_task(stage.transcoder.run(await stage.job_of(message_id)))
    await stage.until_leased(message_id)

    await stage.case.harmed.withdraw(message_id)
    await work

    message = await stage.message(message_id)
    assert (message.state, message.rendition_hash) == (State.WITHDRAWN, None)
    assert await stage.count("select count(*) from jobs where state = 'cancelled'") == 1
    assert await stage.grants_of(message_id, "media") == 0
    await stage.require_tidy()


async def test_a_trouble_that_passes_is_waited_for(stage: Studio) -> None:
    """Where a body is away the job waits, each time for longer, and a later attempt prepares it."""
    message_id = await stage.send(film(stage.folder))
    job_id = await stage.job_of(message_id)
    [key] = await stage.objects.keys("uploads")
    body = await stage.objects.get(key)
    await stage.objects.delete([key])

    await stage.transcoder.run(job_id)

    waiting = """
        select count(*) from jobs
        where state = 'waiting' and attempts = 1 and error = 'object-missing'
            and not_before between now() + interval '20 seconds' and now() + interval '30 seconds'
    """
    assert await stage.count(waiting) == 1
    await stage.transcoder.run(job_id)
    assert await stage.count(waiting) == 1, "before its time, a job is nobody's"
    await stage.objects.put(key, body)
    await stage.execute("update jobs set not_before = now()")
    await stage.transcoder.run(job_id)
    await stage.require_prepared_once(message_id)


async def test_a_video_is_given_up_after_its_attempts(stage: Studio) -> None:
    """The last attempt that fails ends the work; the sender is told that it could not be prepared."""
    message_id = await stage.send(film(stage.folder))
    job_id = await stage.job_of(message_id)
    await stage.objects.delete(await stage.objects.keys("uploads"))

    for _ in range(stage.settings.job_attempts):
        assert (await stage.message(message_id)).state is State.PROCESSING
        await stage.execute("update jobs set not_before = now()")
        await stage.transcoder.run(job_id)
    await stage.execute("update jobs set not_before = now()")
    await stage.transcoder.run(job_id)

    message = await stage.message(message_id)
    assert (message.state, message.failure) == (State.FAILED, "video-not-prepared")
    assert await stage.count("select attempts from jobs") == stage.settings.job_attempts


async def test_a_worker_without_a_grant_leaves_a_job_alone(stage: Studio) -> None:
    """A worker that the charter does not name takes nothing; the job stays for the one it does."""
    message_id = await stage.send(film(stage.folder))
    job_id = await stage.job_of(message_id)
    credential_id, keyring = await stage.people.enrol("media")
    stranger = MediaWorker(credential_id=credential_id, keyring=keyring)

    assert await processing.lease_job(stage.database, stage.settings, job_id, stranger) is None

    await stage.transcoder.run(job_id)
    await stage.require_prepared_once(message_id)


async def test_a_worker_needs_its_own_credential(stage: Studio) -> None:
    """An unknown credential, one of another role and one of other keys are refused."""
    mediator_id, mediator_keys = await stage.people.enrol("mediator")
    for credential_id, keyring in (
        (uuid.uuid4(), generate_keyring()),
        (mediator_id, mediator_keys),
        (stage.worker.credential_id, generate_keyring()),
    ):
        with pytest.raises(WorkerRefused):
            await processing.require_worker(
                stage.database, MediaWorker(credential_id=credential_id, keyring=keyring)
            )
    await processing.require_worker(stage.database, stage.worker)


async def test_a_workers_key_rotates_and_no_video_fails(stage: Studio) -> None:
    """Sent before, while both keys are there, and after the old one was revoked: each is prepared once."""
    case, people = stage.case, stage.people
    video = film(stage.folder)
    before = await stage.send(video)

    new_id, new_keys = await people.enrol("media")
    new_file = stage.folder / "new.keys"
    save_keyring_file(new_file, new_keys, new_id)
    both = f"{stage.settings.media_key_file},{new_file}"
    with stage.running() as workers:
        workers.start(RELAY_MEDIA_KEY_FILE=both)
        await stage.until_state(before, State.QUEUED)
        unchanged = await stage.send(video)
        await case.mediator.change_charter(case.case_id)
        during = await stage.send(video)
        for message in (unchanged, during):
            await stage.until_state(message, State.QUEUED)

    old_id = stage.worker.credential_id
    await revoke(stage, old_id)
    await case.mediator.change_charter(case.case_id)
    charter = (await case.mediator.case(case.case_id)).charter
    assert [worker.credential for worker in charter.media] == [new_id]
    after = await stage.send(video)
    with stage.running() as workers:
        workers.start("new", RELAY_MEDIA_KEY_FILE=str(new_file))
        await stage.until_state(after, State.QUEUED)

    for message in (before, unchanged, during, after):
        await stage.require_prepared_once(message)
        item = await case.mediator.verify(await case.mediator.read(message))
        assert item.rendition is not None


async def test_a_worker_trusts_the_roots_of_its_own_settings(stage: Studio) -> None:
    """Where the relay's root is not the worker's, nothing is opened and nothing is made."""
    message_id = await stage.send(film(stage.folder))
    other = b64u_encode(Signer.generate().public_key)
    settings = dataclasses.replace(stage.settings, root_public_keys=other)

    await dataclasses.replace(stage.transcoder, settings=settings).run(
        await stage.job_of(message_id)
    )

    assert (await stage.message(message_id)).state is State.PROCESSING
    assert await stage.count("select count(*) from jobs where state = 'waiting'") == 1
    assert await stage.objects.keys("renditions") == []


async def test_stalled_jobs_are_woken_once(stage: Studio) -> None:
    """The sweep wakes a worker for what waits and for a lease that ran out, but not twice."""
    message_id = await stage.send(film(stage.folder))
    await stage.redis.flushdb()

    assert await stage.sweep.wake_jobs() == 1
    assert await stage.sweep.wake_jobs() == 1
    assert await stage.redis.zcard("relay:jobs") == 1
    leased = await processing.lease_job(
        stage.database, stage.settings, await stage.job_of(message_id), stage.worker
    )
    assert leased is not None
    assert await stage.sweep.wake_jobs() == 0
    await stage.execute("update jobs set lease_expires_at = now() - interval '1 second'")
    assert await stage.sweep.wake_jobs() == 1


async def test_redis_holds_identifiers_alone(stage: Studio) -> None:
    """What wakes a worker names the job, and nothing of the message or its people."""
    message_id = await stage.send(film(stage.folder))
    pool = stage.redis

    keys = sorted([key async for key in pool.scan_iter()])

    job = str(await stage.job_of(message_id)).encode()
    assert keys == [b"arq:job:" + job, b"relay:jobs"]
    content = await pool.get(keys[0])
    assert job in content
    assert str(message_id).encode() not in content


async def test_a_job_that_no_worker_can_do_ends(stage: Studio) -> None:
    """When the only worker that was given a video is revoked, the message fails and may be tried again."""
    message_id = await stage.send(film(stage.folder))
    assert await stage.sweep.fail_stranded_jobs() == 0
    await revoke(stage, stage.worker.credential_id)

    assert await stage.sweep.fail_stranded_jobs() == 1

    message = await stage.message(message_id)
    assert (message.state, message.failure) == (State.FAILED, "video-not-prepared")


async def test_a_lease_that_ran_out_is_back_in_the_queue(stage: Studio) -> None:
    """The sweep puts an item back whose reviewer's lease ran out, and leaves one that holds."""
    one = await stage.case.harmed.send_letter(stage.case.responsible.participant_id, "One.")
    two = await stage.case.harmed.send_letter(stage.case.responsible.participant_id, "Two.")
    for letter in (one, two):
        await stage.case.mediator.lease(letter.message)
    await stage.execute(
        "update messages set lease_expires_at = now() - interval '1 s' where message_id = $1",
        one.message,
    )

    assert await stage.sweep.lapse_leases() == 1

    assert (await stage.message(one.message)).state is State.QUEUED
    assert (await stage.message(two.message)).state is State.CLAIMED


async def test_a_draft_that_nobody_touches_ends(stage: Studio) -> None:
    """The sweep ends a draft after its time, and one that was just begun stays."""
    old, new = uuid.uuid4(), uuid.uuid4()
    for draft in (old, new):
        await stage.case.harmed.begin_video(
            address(stage.case.responsible.participant_id, message_id=draft)
        )
    since = datetime.now(UTC) - timedelta(seconds=stage.settings.draft_expires_seconds + 1)
    await stage.execute("update messages set state_since = $2 where message_id = $1", old, since)

    assert await stage.sweep.expire_drafts() == 1

    assert (await stage.message(old)).state is State.EXPIRED
    assert (await stage.message(new)).state is State.DRAFT


async def test_an_unsent_text_that_nobody_changes_is_removed(stage: Studio) -> None:
    """The sweep removes an unsent text after its time, and one that was changed since stays."""
    seconds = stage.settings.unsent_expires_seconds
    for kid, age_seconds in (("old", seconds + 1), ("new", seconds - 60)):
        await stage.execute(
            "insert into unsent_texts (kid, text_id, version, sealed, changed_at)"
            " values ($1, gen_random_uuid(), 1, 'sealed', $2)",
            kid,
            datetime.now(UTC) - timedelta(seconds=age_seconds),
        )

    await stage.sweep.forget_unsent()

    assert await stage.count("select count(*) from unsent_texts where kid = 'old'") == 0
    assert await stage.count("select count(*) from unsent_texts where kid = 'new'") == 1


async def test_old_sessions_are_forgotten(stage: Studio) -> None:
    """The sweep removes sessions and challenges whose time is over, and no others."""
    open_sessions = await stage.count("select count(*) from sessions")
    assert open_sessions > 1
    await stage.execute(
        "update sessions set expires_at = now() - interval '1 s' where token_hash ="
        " (select min(token_hash) from sessions)"
    )

    await stage.sweep.end_sessions()

    assert await stage.count("select count(*) from sessions") == open_sessions - 1


async def test_sweeps_of_several_workers_share_the_work(stage: Studio) -> None:
    """Five sweeps at once do what one does, once."""
    letter = await stage.case.harmed.send_letter(stage.case.responsible.participant_id, "One.")
    await stage.case.mediator.lease(letter.message)
    await stage.execute("update messages set lease_expires_at = now() - interval '1 s'")
    await stage.objects.put(segment_key("renditions/left", 0), b"left behind")
    await stage.execute("insert into orphans values ('renditions/left', now() - interval '1 hour')")

    await asyncio.gather(*(stage.sweep.once() for _ in range(5)))

    assert await stage.objects.keys("renditions") == []
    lapses = "select count(*) from events where message_id = $1 and kind = 'lapse'"
    assert await stage.count(lapses, letter.message) == 1


async def revoke(stage: Studio, credential_id: uuid.UUID) -> None:
    """The root ends a credential."""
    statement = stage.people.administrator.sign_revocation(credential_id)
    await publish_revocation(stage.people.connection, credential_id, statement)
