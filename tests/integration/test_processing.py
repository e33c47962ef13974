"""Videos through the media worker, on real services and in the real jail."""

from __future__ import annotations

import asyncio
import dataclasses
import subprocess
import uuid
from datetime import UTC, datetime, timedelta

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
from relay.storage.objects import segment_key
from tests.support.videos import VideoCase, make_video


async def test_a_video_is_prepared_for_the_case_alone(videos: VideoCase) -> None:
    """What the worker made is signed, waits for review, and opens for the case and nobody else."""
    message_id = await videos.send(make_video(videos.folder))

    await videos.transcoders().run(await videos.job_of(message_id))

    await videos.require_prepared_once(message_id)
    leased = await videos.case.mediator.lease(message_id)
    item = await videos.case.mediator.verify(leased)
    assert item.rendition is not None
    for role in ("rendition", "poster"):
        await videos.case.mediator.save(leased, role, videos.folder / role)
    with av.open(str(videos.folder / "rendition")) as opened:
        assert opened.streams.video[0].codec_context.name == "h264"
        assert opened.streams.audio[0].codec_context.name == "aac"
    assert (videos.folder / "rendition").stat().st_size == item.rendition.size
    assert item.rendition.duration_ms == pytest.approx(3000, abs=100)
    assert (videos.folder / "poster").read_bytes().startswith(b"\xff\xd8")
    assert [part.role for part in leased.parts] == ["original", "rendition", "poster"]
    own = await videos.case.harmed.sent(message_id)
    assert [part.role for part in own.parts] == ["original"]
    assert await videos.grants_of(message_id, "recipient") == 0


async def test_a_sound_recording_is_prepared_too(videos: VideoCase) -> None:
    """A recording without a picture becomes a rendition with none, and a plain poster."""
    sound = videos.folder / "sound.m4a"
    tone = ["-f", "lavfi", "-i", "sine=440:d=2", "-c:a", "aac", str(sound)]
    await asyncio.to_thread(subprocess.run, [imageio_ffmpeg.get_ffmpeg_exe(), *tone], check=True)
    message_id = await videos.send(sound)

    await videos.transcoders().run(await videos.job_of(message_id))

    item = await videos.case.mediator.verify(await videos.case.mediator.read(message_id))
    assert item.rendition is not None
    assert (item.rendition.profile, item.rendition.width) == ("audio", 0)
    assert [part.type for part in item.rendition.parts] == ["audio/mp4", "image/jpeg"]


async def test_a_video_of_many_segments_is_prepared(videos: VideoCase) -> None:
    """A body of several segments arrives in order, and its rendition is cut into segments, too."""
    noise = videos.folder / "noise.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=2,noise=alls=100:allf=t"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "8", "-pix_fmt", "yuv420p"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), *picture, *coded, str(noise)]
    await asyncio.to_thread(subprocess.run, command, check=True)
    assert noise.stat().st_size > 3 * 8 * 1024 * 1024
    message_id = await videos.send(noise)

    await videos.transcoders().run(await videos.job_of(message_id))

    await videos.require_prepared_once(message_id)
    leased = await videos.case.mediator.lease(message_id)
    await videos.case.mediator.save(leased, "rendition", videos.folder / "rendition.mp4")
    await videos.require_tidy()


async def test_the_sender_sees_how_far_the_work_is(videos: VideoCase) -> None:
    """While a video is prepared its sender sees a stage and a share that only grows."""
    message_id = await videos.send(make_video(videos.folder, 8, size="1280x720"))
    work = asyncio.create_task(videos.transcoders().run(await videos.job_of(message_id)))
    seen: list[Processing] = []

    while not work.done():
        sent = await videos.case.harmed.sent(message_id)
        if sent.processing is not None and sent.processing not in seen:
            assert sent.view is AuthorView.PREPARING
            seen.append(sent.processing)
        await asyncio.sleep(0.1)

    await work
    assert Stage.ENCODING in [step.stage for step in seen]
    fractions = [step.fraction for step in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] > fractions[0]
    assert (await videos.case.harmed.sent(message_id)).processing is None


async def test_a_refused_video_tells_its_sender_why(videos: VideoCase) -> None:
    """What cannot be prepared is `failed` with a code that has sentences, and no worker can open it again."""
    text = videos.folder / "letter.mp4"
    text.write_text("This is no video at all. " * 100, "utf-8")
    message_id = await videos.send(text)

    await videos.transcoders().run(await videos.job_of(message_id))

    sent = await videos.case.harmed.sent(message_id)
    assert (sent.view, sent.failure) == (AuthorView.NOT_PREPARED, "video-not-recognized")
    assert await videos.grants_of(message_id, "media") == 0
    assert await videos.count("select count(*) from jobs where state = 'failed'") == 1


async def test_every_failure_has_its_sentences(videos: VideoCase) -> None:
    """The codes that a worker adds to those of the media pipeline are explained in both languages, too."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{videos.settings.public_url}/v1/failures") as answer,
    ):
        explained = {failure["code"]: failure for failure in await answer.json()}

    assert {"video-altered", "video-not-prepared", "video-refused"} <= explained.keys()
    assert all(failure["en"] != failure["fr"] for failure in explained.values())


async def test_a_mediator_has_a_failed_video_tried_again(videos: VideoCase) -> None:
    """A retry brings the worker's grant back, and a new job that ends well."""
    message_id = await videos.send(make_video(videos.folder))
    first = await videos.job_of(message_id)
    await videos.execute("update jobs set attempts = $1", videos.settings.job_attempts)
    await videos.transcoders().run(first)
    failed = await videos.case.mediator.read(message_id)
    assert (failed.state, failed.failure) == (State.FAILED, "video-not-prepared")

    await videos.case.mediator.decide(failed, "retry")
    second = await videos.job_of(message_id)
    assert second != first
    await videos.transcoders().run(second)

    await videos.require_prepared_once(message_id)


async def test_a_withdrawn_video_is_let_go(videos: VideoCase) -> None:
    """A message that is withdrawn while it is prepared stays withdrawn, and nothing of it is written."""
    message_id = await videos.send(make_video(videos.folder, 20, size="1280x720"))
    work = asyncio.create_task(videos.transcoders().run(await videos.job_of(message_id)))
    await videos.until_leased(message_id)

    await videos.case.harmed.withdraw(message_id)
    await work

    message = await videos.message(message_id)
    assert (message.state, message.rendition_hash) == (State.WITHDRAWN, None)
    assert await videos.count("select count(*) from jobs where state = 'cancelled'") == 1
    assert await videos.grants_of(message_id, "media") == 0
    await videos.require_tidy()


async def test_a_trouble_that_passes_is_waited_for(videos: VideoCase) -> None:
    """Where a body is away the job waits, each time for longer, and a later attempt prepares it."""
    message_id = await videos.send(make_video(videos.folder))
    job_id = await videos.job_of(message_id)
    [key] = await videos.objects.keys("uploads")
    body = await videos.objects.get(key)
    await videos.objects.delete([key])

    await videos.transcoders().run(job_id)

    waiting = """
        select count(*) from jobs
        where state = 'waiting' and attempts = 1 and error = 'object-missing'
            and not_before between now() + interval '20 seconds' and now() + interval '30 seconds'
    """
    assert await videos.count(waiting) == 1
    await videos.transcoders().run(job_id)
    assert await videos.count(waiting) == 1, "before its time, a job is nobody's"
    await videos.objects.put(key, body)
    await videos.execute("update jobs set not_before = now()")
    await videos.transcoders().run(job_id)
    await videos.require_prepared_once(message_id)


async def test_a_video_is_given_up_after_its_attempts(videos: VideoCase) -> None:
    """The last attempt that fails ends the work; the sender is told that it could not be prepared."""
    message_id = await videos.send(make_video(videos.folder))
    job_id = await videos.job_of(message_id)
    await videos.objects.delete(await videos.objects.keys("uploads"))

    for _ in range(videos.settings.job_attempts):
        assert (await videos.message(message_id)).state is State.PROCESSING
        await videos.execute("update jobs set not_before = now()")
        await videos.transcoders().run(job_id)
    await videos.execute("update jobs set not_before = now()")
    await videos.transcoders().run(job_id)

    message = await videos.message(message_id)
    assert (message.state, message.failure) == (State.FAILED, "video-not-prepared")
    assert await videos.count("select attempts from jobs") == videos.settings.job_attempts


async def test_a_worker_without_a_grant_leaves_a_job_alone(videos: VideoCase) -> None:
    """A worker that the charter does not name takes nothing; the job stays for the one it does."""
    message_id = await videos.send(make_video(videos.folder))
    job_id = await videos.job_of(message_id)
    credential_id, keyring = await videos.people.enrol("media")
    stranger = MediaWorker(credential_id=credential_id, keyring=keyring)

    assert await processing.lease_job(videos.database, videos.settings, job_id, stranger) is None

    await videos.transcoders().run(job_id)
    await videos.require_prepared_once(message_id)


async def test_a_worker_needs_its_own_credential(videos: VideoCase) -> None:
    """An unknown credential, one of another role and one of other keys are refused."""
    mediator_id, mediator_keys = await videos.people.enrol("mediator")
    for credential_id, keyring in (
        (uuid.uuid4(), generate_keyring()),
        (mediator_id, mediator_keys),
        (videos.worker.credential_id, generate_keyring()),
    ):
        with pytest.raises(WorkerRefused):
            await processing.require_worker(
                videos.database, MediaWorker(credential_id=credential_id, keyring=keyring)
            )
    await processing.require_worker(videos.database, videos.worker)


async def test_a_workers_key_rotates_and_no_video_fails(videos: VideoCase) -> None:
    """Sent before, while both keys are there, and after the old one was revoked: each is prepared once."""
    case, people = videos.case, videos.people
    video = make_video(videos.folder)
    before = await videos.send(video)

    new_id, new_keys = await people.enrol("media")
    new_file = videos.folder / "new.keys"
    save_keyring_file(new_file, new_keys, new_id)
    both = f"{videos.settings.media_key_file},{new_file}"
    with videos.running() as workers:
        workers.start(RELAY_MEDIA_KEY_FILE=both)
        await videos.until_state(before, State.QUEUED)
        unchanged = await videos.send(video)
        await case.mediator.change_charter(case.case_id)
        during = await videos.send(video)
        for message in (unchanged, during):
            await videos.until_state(message, State.QUEUED)

    old_id = videos.worker.credential_id
    await revoke(videos, old_id)
    await case.mediator.change_charter(case.case_id)
    charter = (await case.mediator.case(case.case_id)).charter
    assert [worker.credential for worker in charter.media] == [new_id]
    after = await videos.send(video)
    with videos.running() as workers:
        workers.start("new", RELAY_MEDIA_KEY_FILE=str(new_file))
        await videos.until_state(after, State.QUEUED)

    for message in (before, unchanged, during, after):
        await videos.require_prepared_once(message)
        item = await case.mediator.verify(await case.mediator.read(message))
        assert item.rendition is not None


async def test_a_worker_trusts_the_roots_of_its_own_settings(videos: VideoCase) -> None:
    """Where the relay's root is not the worker's, nothing is opened and nothing is made."""
    message_id = await videos.send(make_video(videos.folder))
    other = b64u_encode(Signer.generate().public_key)
    settings = dataclasses.replace(videos.settings, root_public_keys=other)

    await videos.transcoders(settings=settings).run(await videos.job_of(message_id))

    assert (await videos.message(message_id)).state is State.PROCESSING
    assert await videos.count("select count(*) from jobs where state = 'waiting'") == 1
    assert await videos.objects.keys("renditions") == []


async def test_stalled_jobs_are_woken_once(videos: VideoCase) -> None:
    """The sweep wakes a worker for what waits and for a lease that ran out, but not twice."""
    message_id = await videos.send(make_video(videos.folder))
    await videos.redis.flushdb()

    assert await videos.sweep.wake_jobs() == 1
    assert await videos.sweep.wake_jobs() == 1
    assert await videos.redis.zcard("relay:jobs") == 1
    leased = await processing.lease_job(
        videos.database, videos.settings, await videos.job_of(message_id), videos.worker
    )
    assert leased is not None
    assert await videos.sweep.wake_jobs() == 0
    await videos.execute("update jobs set lease_expires_at = now() - interval '1 second'")
    assert await videos.sweep.wake_jobs() == 1


async def test_redis_holds_identifiers_alone(videos: VideoCase) -> None:
    """What wakes a worker names the job, and nothing of the message or its people."""
    message_id = await videos.send(make_video(videos.folder))
    pool = videos.redis

    keys = sorted([key async for key in pool.scan_iter()])

    job = str(await videos.job_of(message_id)).encode()
    assert keys == [b"arq:job:" + job, b"relay:jobs"]
    content = await pool.get(keys[0])
    assert job in content
    assert str(message_id).encode() not in content


async def test_a_job_that_no_worker_can_do_ends(videos: VideoCase) -> None:
    """When the only worker that was given a video is revoked, the message fails and may be tried again."""
    message_id = await videos.send(make_video(videos.folder))
    assert await videos.sweep.fail_stranded_jobs() == 0
    await revoke(videos, videos.worker.credential_id)

    assert await videos.sweep.fail_stranded_jobs() == 1

    message = await videos.message(message_id)
    assert (message.state, message.failure) == (State.FAILED, "video-not-prepared")


async def test_a_lease_that_ran_out_is_back_in_the_queue(videos: VideoCase) -> None:
    """The sweep puts an item back whose reviewer's lease ran out, and leaves one that holds."""
    one = await videos.case.harmed.send_letter(videos.case.responsible.participant_id, "One.")
    two = await videos.case.harmed.send_letter(videos.case.responsible.participant_id, "Two.")
    for letter in (one, two):
        await videos.case.mediator.lease(letter.message)
    await videos.execute(
        "update messages set lease_expires_at = now() - interval '1 s' where message_id = $1",
        one.message,
    )

    assert await videos.sweep.lapse_leases() == 1

    assert (await videos.message(one.message)).state is State.QUEUED
    assert (await videos.message(two.message)).state is State.CLAIMED


async def test_a_draft_that_nobody_touches_ends(videos: VideoCase) -> None:
    """The sweep ends a draft after its time, and one that was just begun stays."""
    old, new = uuid.uuid4(), uuid.uuid4()
    for draft in (old, new):
        await videos.case.harmed.begin_video(
            address(videos.case.responsible.participant_id, message_id=draft)
        )
    since = datetime.now(UTC) - timedelta(seconds=videos.settings.draft_expires_seconds + 1)
    await videos.execute("update messages set state_since = $2 where message_id = $1", old, since)

    assert await videos.sweep.expire_drafts() == 1

    assert (await videos.message(old)).state is State.EXPIRED
    assert (await videos.message(new)).state is State.DRAFT


async def test_an_unsent_text_that_nobody_changes_is_removed(videos: VideoCase) -> None:
    """The sweep removes an unsent text after its time, and one that was changed since stays."""
    seconds = videos.settings.unsent_expires_seconds
    for kid, age_seconds in (("old", seconds + 1), ("new", seconds - 60)):
        await videos.execute(
            "insert into unsent_texts (kid, text_id, version, sealed, changed_at)"
            " values ($1, gen_random_uuid(), 1, 'sealed', $2)",
            kid,
            datetime.now(UTC) - timedelta(seconds=age_seconds),
        )

    await videos.sweep.forget_unsent()

    assert await videos.count("select count(*) from unsent_texts where kid = 'old'") == 0
    assert await videos.count("select count(*) from unsent_texts where kid = 'new'") == 1


async def test_old_sessions_are_forgotten(videos: VideoCase) -> None:
    """The sweep removes sessions and challenges whose time is over, and no others."""
    open_sessions = await videos.count("select count(*) from sessions")
    assert open_sessions > 1
    await videos.execute(
        "update sessions set expires_at = now() - interval '1 s' where token_hash ="
        " (select min(token_hash) from sessions)"
    )

    await videos.sweep.end_sessions()

    assert await videos.count("select count(*) from sessions") == open_sessions - 1


async def test_sweeps_of_several_workers_share_the_work(videos: VideoCase) -> None:
    """Five sweeps at once do what one does, once."""
    letter = await videos.case.harmed.send_letter(videos.case.responsible.participant_id, "One.")
    await videos.case.mediator.lease(letter.message)
    await videos.execute("update messages set lease_expires_at = now() - interval '1 s'")
    await videos.objects.put(segment_key("renditions/left", 0), b"left behind")
    await videos.execute(
        "insert into orphans values ('renditions/left', now() - interval '1 hour')"
    )

    await asyncio.gather(*(videos.sweep.once() for _ in range(5)))

    assert await videos.objects.keys("renditions") == []
    lapses = "select count(*) from events where message_id = $1 and kind = 'lapse'"
    assert await videos.count(lapses, letter.message) == 1


async def revoke(videos: VideoCase, credential_id: uuid.UUID) -> None:
    """The root ends a credential."""
    statement = videos.people.administrator.sign_revocation(credential_id)
    await publish_revocation(videos.people.connection, credential_id, statement)
