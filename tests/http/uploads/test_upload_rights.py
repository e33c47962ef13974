"""Whose upload it is, when it is taken, and what becomes of those that nobody finishes."""

from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from relay.client.participant import Participant
from relay.client.sealing import seal_file
from relay.client.uploading import Retry, Upload, upload_body
from relay.client.writing import address
from relay.domain.segments import SEGMENT_BYTES
from relay.domain.uploads import OPEN_UPLOADS, object_prefix, write_metadata
from relay.services.uploads import (
    ORPHAN_GRACE_SECONDS,
    sweep_orphans,
    sweep_pieces,
    sweep_uploads,
)
from relay.settings import Settings
from relay.storage.database import Database
from relay.storage.objects import piece_key
from relay.testing.people import Case, Organization
from tests.support.uploads import (
    OFFSET_STREAM,
    Answer,
    Sending,
    body_of,
    sending,
    signed,
    upload_of,
)

pytestmark = pytest.mark.own_relay


async def test_an_upload_is_there_for_its_sender_alone(draft: Sending) -> None:
    """For the other participant it does not exist, in the very words used of one that never did."""
    path = await draft.create(100)
    await draft.patch(path, 0, b"x" * 10)
    nowhere = f"/v1/uploads/{uuid.uuid4()}"
    headers = {"Upload-Offset": "10", "Content-Type": OFFSET_STREAM}
    stranger = draft.case.responsible

    for method, data in (("HEAD", None), ("PATCH", b"y"), ("DELETE", None)):
        given = headers if method == "PATCH" else {}
        theirs = await draft.ask(method, path, given, data, sender=stranger)
        none = await draft.ask(method, nowhere, given, data)
        assert (theirs.status, theirs.document) == (404, none.document)
    creation = {"Upload-Length": "100", "Upload-Metadata": draft.metadata()}
    assert (await draft.ask("POST", "/v1/uploads", creation, sender=stranger)).status == 404
    assert (await draft.head(path)).offset == 10


async def test_a_stranger_does_not_stop_the_connection_that_writes(draft: Sending) -> None:
    """Asking for somebody else's upload disturbs nothing."""
    body = body_of(10_000)
    path = await draft.create(len(body))
    writing = await draft.begin_patch(path, 0, len(body), body[:5000])

    assert (await draft.ask("HEAD", path, sender=draft.case.responsible)).status == 404

    await writing.write(body[5000:])
    await draft.until_kept(path, len(body))
    writing.cut()
    await draft.assert_whole(path, body)


async def test_mediators_and_nobody_upload_nothing(draft: Sending) -> None:
    """401 without a session, 403 for a mediator."""
    path = await draft.create(100)
    bearer = await draft.case.mediator.session.bearer()

    mediator = await draft.ask("HEAD", path, {"Authorization": f"Bearer {bearer}"})
    nobody = await draft.ask("HEAD", path, {"Authorization": ""})

    assert (mediator.status, nobody.status) == (403, 401)


async def test_a_letter_takes_no_video(draft: Sending) -> None:
    """An upload for what is no draft of a video is refused."""
    letter = await draft.case.harmed.send_letter(draft.case.responsible.participant_id, "Why?")
    headers = {"Upload-Length": "100", "Upload-Metadata": write_metadata(letter.message, 1)}

    answer = await draft.ask("POST", "/v1/uploads", headers)

    assert (answer.status, answer.code) == (409, "upload-not-expected")


async def test_what_was_submitted_is_not_touched_any_more(draft: Sending) -> None:
    """Once the video is sent its bytes are neither added to nor ended, and other uploads are gone."""
    sealed_file = io.BytesIO()
    sealed = seal_file(
        draft.case.case_id, "original", io.BytesIO(body_of(50_000)), "video/mp4", sealed_file
    )
    harmed = draft.case.harmed
    size = sealed.part.size
    path, other = await draft.create(size), await draft.create(200)
    await draft.patch(path, 0, sealed_file.getvalue())
    await draft.patch(other, 0, b"x" * 200)

    written = address(draft.case.responsible.participant_id, message_id=draft.message_id)
    await harmed.submit_video(written, sealed)

    assert (await draft.patch(path, size, b"")).code == "upload-not-expected"
    assert (await draft.ask("DELETE", path)).code == "upload-not-expected"
    creation = {"Upload-Length": "100", "Upload-Metadata": draft.metadata()}
    assert (await draft.ask("POST", "/v1/uploads", creation)).code == "upload-not-expected"
    assert (await draft.head(path)).offset == size
    assert (await draft.head(other)).status == 404
    assert await draft.one("select object_prefix from orphans") == object_prefix(upload_of(other))


async def test_a_draft_that_is_discarded_takes_its_upload_along(
    draft: Sending, worker_database: Database
) -> None:
    """What still comes in on an open connection is refused, and its objects are swept."""
    body = body_of(2 * SEGMENT_BYTES)
    path = await draft.create(len(body))
    writing = await draft.begin_patch(path, 0, len(body), body[: SEGMENT_BYTES + 10])
    await draft.until_kept(path, SEGMENT_BYTES)

    discarded = await draft.ask("DELETE", f"/v1/messages/{draft.message_id}/revisions/1/draft")
    await writing.write(body[SEGMENT_BYTES + 10 :])

    assert discarded.status == 204
    assert await writing.status() == 409
    assert (await draft.head(path)).status == 404
    later = datetime.now(UTC) + timedelta(seconds=ORPHAN_GRACE_SECONDS + 1)
    await sweep_orphans(worker_database, draft.objects, later)
    assert await draft.objects.keys(object_prefix(upload_of(path))) == []


async def test_several_uploads_of_one_draft_go_on_side_by_side(draft: Sending) -> None:
    """A second window disturbs nothing; the statement's digests say which upload was meant."""
    one, two = body_of(1000), body_of(1001)
    first, second = await draft.create(len(one)), await draft.create(len(two))
    await draft.patch(second, 0, two)
    await draft.assert_whole(second, two)

    await draft.patch(first, 0, one)

    finished = await draft.finished(one)
    assert finished is not None
    assert finished.upload_id == upload_of(first)
    finished = await draft.finished(two)
    assert finished is not None
    assert finished.upload_id == upload_of(second)


async def test_one_upload_too_many_ends_the_one_idle_for_longest(draft: Sending) -> None:
    """Finished ones are the last to go."""
    whole = await draft.create(16)
    await draft.patch(whole, 0, b"x" * 16)
    idle, busy = [await draft.create(100) for _ in range(OPEN_UPLOADS - 1)]
    await draft.patch(idle, 0, b"x")
    await draft.patch(busy, 0, b"x")

    newest = await draft.create(100)

    statuses = [(await draft.head(path)).status for path in (whole, idle, busy, newest)]
    assert statuses == [200, 404, 200, 200]


async def test_an_upload_that_is_ended_leaves_nothing(
    draft: Sending, worker_database: Database
) -> None:
    """DELETE removes the objects at once, and what a late write might still add is swept later."""
    path = await draft.create(2 * SEGMENT_BYTES)
    await draft.patch(path, 0, body_of(SEGMENT_BYTES + 10))
    prefix = object_prefix(upload_of(path))
    assert len(await draft.objects.keys(prefix)) == 2

    assert (await draft.ask("DELETE", path)).status == 204
    assert (await draft.head(path)).status == 404
    assert await draft.objects.keys(prefix) == []

    await draft.objects.put(f"{prefix}/000001", b"late")
    now = datetime.now(UTC)
    assert await sweep_orphans(worker_database, draft.objects, now) == 0
    later = now + timedelta(seconds=ORPHAN_GRACE_SECONDS + 1)
    assert await sweep_orphans(worker_database, draft.objects, later) == 1
    assert await draft.objects.keys(prefix) == []
    assert await sweep_orphans(worker_database, draft.objects, later) == 0


async def test_what_a_connection_left_beside_a_submitted_upload_is_removed(
    draft: Sending, worker_database: Database
) -> None:
    """Not before a late write has landed, and no segment with it."""
    file = io.BytesIO()
    content = io.BytesIO(body_of(SEGMENT_BYTES + 50_000))
    sealed = seal_file(draft.case.case_id, "original", content, "video/mp4", file)
    body = file.getvalue()
    path = await draft.create(len(body))
    await draft.patch(path, 0, body[: SEGMENT_BYTES + 10])
    await draft.patch(path, SEGMENT_BYTES + 10, body[SEGMENT_BYTES + 10 :])
    written = address(draft.case.responsible.participant_id, message_id=draft.message_id)
    await draft.case.harmed.submit_video(written, sealed)
    prefix = object_prefix(upload_of(path))
    whole = await draft.objects.keys(prefix)
    assert len(whole) == len(sealed.part.segments)
    late = piece_key(prefix, SEGMENT_BYTES, SEGMENT_BYTES + 10)
    await draft.objects.put(late, body[SEGMENT_BYTES : SEGMENT_BYTES + 10])

    now = datetime.now(UTC)
    assert await sweep_pieces(worker_database, draft.objects, now) == 0
    later = now + timedelta(seconds=ORPHAN_GRACE_SECONDS + 1)
    assert await sweep_pieces(worker_database, draft.objects, later) == 1
    assert await draft.objects.keys(prefix) == whole
    assert await sweep_pieces(worker_database, draft.objects, later) == 0


async def test_an_upload_left_for_too_long_has_ended(
    draft: Sending, worker_database: Database
) -> None:
    """410 once its time is over, 404 once it is swept; each byte that comes in gives it time again."""
    path, active = await draft.create(100), await draft.create(100)
    started = datetime.now(UTC)
    await draft.expire(path, started - timedelta(seconds=1))
    await draft.expire(active, started + timedelta(seconds=60))
    await draft.patch(active, 0, b"x")

    head, patch = await draft.head(path), await draft.patch(path, 0, b"x")
    assert (head.status, patch.status, patch.code) == (410, 410, "upload-expired")
    after = started + timedelta(seconds=120)
    assert await sweep_uploads(worker_database, draft.objects, after) == 1
    assert (await draft.head(path)).status == 404
    assert (await draft.head(active)).offset == 1


async def test_an_upload_link_carries_its_own_message_and_no_other(
    case: Case, people: Organization, relay_settings: Settings, database_url: str
) -> None:
    """Anyone who holds only an upload link uploads for its message; others of that person stay closed."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    uploader = await Participant.through_upload_link(people.connection, url)
    to, message, body = case.responsible.participant_id, uuid.uuid4(), body_of(SEGMENT_BYTES + 1)
    revision = (await uploader.begin_video(address(to, message_id=message))).revision

    await upload_body(signed(uploader), message, revision, io.BytesIO(body), len(body))

    async with sending(case, relay_settings, database_url) as draft:
        path = await draft.create(100)
        refused: list[Answer] = [
            await draft.ask("HEAD", path, sender=uploader),
            await draft.ask("DELETE", path, sender=uploader),
            await draft.ask(
                "POST",
                "/v1/uploads",
                {"Upload-Length": "100", "Upload-Metadata": draft.metadata()},
                sender=uploader,
            ),
        ]
        assert [answer.status for answer in refused] == [404, 404, 404]
        assert (await draft.one("select count(*) from uploads where offset_bytes > 100")) == 1


async def test_a_session_that_ends_on_the_way_is_opened_again(draft: Sending) -> None:
    """An upload may take longer than a session: the client signs in again and continues."""
    body = body_of(SEGMENT_BYTES + 3)
    harmed = signed(draft.case.harmed)
    upload = Upload(harmed, Retry(first_pause_seconds=0.01))
    await upload.create(draft.message_id, 1, len(body))
    await draft.patch(upload.path, 0, body[:1000])
    before = await harmed.bearer()
    await draft.one("delete from sessions")

    await upload.send(io.BytesIO(body), len(body))

    assert await harmed.bearer() != before
    await draft.assert_whole(upload.path, body)
