"""A media worker that is misled, lied to, or may not work: it opens and makes nothing that it should not."""

from __future__ import annotations

import asyncio
import math
import pickle
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec

from relay.client.administrator import publish_revocation
from relay.crypto import age, statements
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.signing import Signer, statement_hash
from relay.domain.messages import Audience
from relay.domain.transitions import State
from relay.queue import QUEUE_NAME, TRANSCODE
from relay.services.processing import MediaWorker
from relay.storage.statements import find_statement
from relay.testing.people import open_case
from tests.support.corruptions import KEYS, TEXTS, Corruption
from tests.support.hostile import HostileSender
from tests.support.statements import put_statement
from tests.support.videos import STOP_SECONDS, VideoCase, make_video


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
    video = await asyncio.to_thread(make_video, videos.folder)
    with videos.running() as workers:
        worker = workers.start()
        sent = await videos.send(video)
        await videos.until_state(sent, State.QUEUED)
        await videos.require_prepared_once(sent)
        assert worker.poll() is None
    assert not stolen.exists()
    assert "4 entries of the queue in Redis are no jobs; dropped" in videos.said()
    assert await videos.redis.dbsize() == 0


async def test_another_body_is_not_prepared(videos: VideoCase) -> None:
    """A segment that is not the one that was signed: `video-altered`, and no rendition."""
    message_id = await videos.send(await asyncio.to_thread(make_video, videos.folder))
    [key] = await videos.objects.keys("uploads")
    body = bytearray(await videos.objects.get(key))
    body[len(body) // 2] ^= 1
    await videos.objects.put(key, bytes(body))

    await require_altered(videos, message_id)


async def test_a_body_sealed_again_is_not_prepared(videos: VideoCase) -> None:
    """Other ciphertext of the right size under the right file key opens, and is still not what was signed."""
    message_id = await videos.send(await asyncio.to_thread(make_video, videos.folder))
    [key] = await videos.objects.keys("uploads")
    body = await videos.objects.get(key)
    file_key = await videos.file_key(message_id)
    again = age.seal_body(file_key, age.open_body(file_key, body))
    assert len(again) == len(body)
    await videos.objects.put(key, again)

    await require_altered(videos, message_id)


async def test_a_grant_of_another_key_is_not_used(videos: VideoCase) -> None:
    """A grant that opens to a file key which the sender did not commit to: not a byte is fetched for it."""
    message_id = await videos.send(await asyncio.to_thread(make_video, videos.folder))
    await videos.objects.delete(await videos.objects.keys("uploads"))
    forged = age.wrap_header(age.new_file_key(), [videos.worker.keyring.identity.recipient])
    await videos.execute("update grants set header = $1 where audience = 'media'", forged)

    await require_altered(videos, message_id)


async def test_a_grant_for_somebody_else_is_not_opened(videos: VideoCase) -> None:
    """A grant that this worker's key does not open: no rendition."""
    message_id = await videos.send(await asyncio.to_thread(make_video, videos.folder))
    file_key = await videos.file_key(message_id)
    other = age.wrap_header(file_key, [HybridIdentity.generate().recipient])
    await videos.execute("update grants set header = $1 where audience = 'media'", other)

    await require_altered(videos, message_id)


async def test_words_of_another_key_are_not_prepared(videos: VideoCase) -> None:
    """The sender's statement, signed again by a key that is not theirs: no rendition."""
    message_id = await videos.send(await asyncio.to_thread(make_video, videos.folder))
    said = statements.decode_unverified(await videos.statement(message_id), statements.Message)

    await videos.put_statement(message_id, statements.sign(Signer.generate(), said))

    await require_altered(videos, message_id)


async def test_words_that_were_changed_are_not_prepared(videos: VideoCase) -> None:
    """Other words under the sender's name and old signature: no rendition."""
    message_id = await videos.send(await asyncio.to_thread(make_video, videos.folder))
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

        await videos.transcoders().run(await videos.job_of(message))

        row = await videos.message(message)
        assert (row.state, row.failure) == (State.FAILED, code), name
        assert await videos.grants_of(message, "media") == 0
    sound = await videos.send(await asyncio.to_thread(make_video, videos.folder))
    await videos.transcoders().run(await videos.job_of(sound))
    await videos.require_prepared_once(sound)
    await videos.require_tidy()


async def test_a_video_copied_into_another_case_is_not_opened_there(videos: VideoCase) -> None:
    """The owner of the database, working with people of another case, gets nothing out of the worker.

    Everything of the victim's video is filed under a statement of the accomplice's: body, commitment and
    the worker's grant. Only the case is another, and the commitment does not hold for it.
    """
    video = await asyncio.to_thread(make_video, videos.folder)
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
    message_id = await videos.send(await asyncio.to_thread(make_video, videos.folder))
    credential_id, keyring = await videos.people.enrol("media")
    header = age.wrap_header(await videos.file_key(message_id), [keyring.identity.recipient])
    await videos.execute("update charters set media = media || $1::uuid", credential_id)
    await videos.execute(
        "insert into grants select commitment, 'media', $1, $2 from grants where audience = 'media'",
        credential_id,
        header,
    )
    stranger = MediaWorker(credential_id=credential_id, keyring=keyring)

    await videos.transcoders(worker=stranger).run(await videos.job_of(message_id))

    assert (await videos.message(message_id)).state is State.PROCESSING
    assert await videos.count("select count(*) from jobs where error = 'crypto'") == 1
    assert await videos.objects.keys("renditions") == []


async def test_a_charter_that_nobody_signed_gets_nothing(videos: VideoCase) -> None:
    """A relay that slips its own key in as the case's is found out before the video is opened."""
    message_id = await videos.send(await asyncio.to_thread(make_video, videos.folder))
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

    await videos.transcoders().run(await videos.job_of(message_id))

    assert (await videos.message(message_id)).state is State.PROCESSING
    assert await videos.objects.keys("renditions") == []
    assert await videos.count("select count(*) from jobs where state = 'waiting'") == 1


async def test_a_recipient_slipped_into_the_row_gets_nothing(videos: VideoCase) -> None:
    """The case's key is taken from the signed charter, whatever the database says beside it."""
    message_id = await videos.send(await asyncio.to_thread(make_video, videos.folder))
    spy = HybridIdentity.generate()
    await videos.execute("update charters set recipient = $1", str(spy.recipient))

    await videos.transcoders().run(await videos.job_of(message_id))

    leased = await videos.case.mediator.lease(message_id)
    await videos.case.mediator.save(leased, "rendition", videos.folder / "rendition.mp4")


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
    message_id = await videos.send(await asyncio.to_thread(make_video, videos.folder))
    revocation = videos.people.administrator.sign_revocation(videos.worker.credential_id)
    await publish_revocation(videos.people.connection, videos.worker.credential_id, revocation)

    await videos.transcoders().run(await videos.job_of(message_id))

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
    """Assert that the worker finds a video altered, and prepares nothing."""
    await videos.transcoders().run(await videos.job_of(message_id))
    message = await videos.message(message_id)
    assert (message.state, message.failure) == (State.FAILED, "video-altered")
    assert message.rendition_hash is None
    assert await videos.objects.keys("renditions") == []
    assert await videos.grants_of(message_id, "media") == 0
