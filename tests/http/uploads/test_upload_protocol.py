"""tus 1.0 request by request: what is taken, what is refused, and how."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

from relay.domain.segments import SEGMENT_BYTES
from relay.domain.uploads import write_metadata
from tests.support.uploads import OFFSET_STREAM, Sending, body_of, checksum_of, signed


async def test_what_is_spoken_is_told_to_anybody(draft: Sending) -> None:
    """OPTIONS needs neither a session nor a version, and names every extension."""
    url = f"{draft.settings.public_url}/v1/uploads"
    async with draft.http.options(url) as answer:
        assert answer.status == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Extension"].split(",") == [
            "creation",
            "creation-with-upload",
            "termination",
            "expiration",
            "checksum",
        ]
        assert answer.headers["Tus-Checksum-Algorithm"] == "sha-256"
        assert answer.headers["Tus-Max-Size"] == str(draft.settings.upload_max_bytes)
        told = dict(answer.headers)
    async with draft.http.options(f"{url}/{uuid.uuid4()}") as answer:
        assert (answer.status, answer.headers["Tus-Version"]) == (204, told["Tus-Version"])
    for nothing in ("0", "%20", "an-upload", "3f6d1c5e-8a37-4d0b-9f57"):
        async with draft.http.options(f"{url}/{nothing}") as answer:
            assert answer.status == 404
            assert (await answer.json(content_type=None))["code"] == "not-found"


async def test_an_upload_goes_from_creation_to_its_last_byte(draft: Sending) -> None:
    """Created empty, asked about, filled by two requests: then it is complete."""
    body = body_of(1000)
    path = await draft.create(len(body))
    begun = await draft.head(path)
    assert (begun.offset, begun.headers["Upload-Length"]) == (0, "1000")
    assert begun.headers["Upload-Metadata"] == draft.metadata()
    assert begun.headers["Cache-Control"] == "no-store"
    assert await draft.finished() is None

    first = await draft.patch(path, 0, body[:300])
    second = await draft.patch(path, 300, body[300:])

    assert (first.status, first.offset) == (204, 300)
    assert (second.status, second.offset) == (204, 1000)
    assert second.headers["Tus-Resumable"] == "1.0.0"
    assert second.headers["Upload-Expires"].endswith("GMT")
    await draft.assert_whole(path, body)


async def test_bytes_may_come_with_the_creation(draft: Sending) -> None:
    """Creation-with-upload answers with the place and with how far it came."""
    body = body_of(SEGMENT_BYTES + 5)
    headers = {"Upload-Length": str(len(body)), "Upload-Metadata": draft.metadata()}

    answer = await draft.ask(
        "POST", "/v1/uploads", {**headers, "Content-Type": OFFSET_STREAM}, body
    )

    assert (answer.status, answer.offset) == (201, len(body))
    await draft.assert_whole(answer.headers["Location"], body)


async def test_no_byte_is_a_request_like_any_other(draft: Sending) -> None:
    """An empty PATCH changes nothing and tells how far the upload has come."""
    path = await draft.create(100)

    answer = await draft.patch(path, 0, b"")

    assert (answer.status, answer.offset) == (204, 0)


async def test_another_offset_is_a_conflict_that_names_the_right_one(draft: Sending) -> None:
    """Neither a gap nor a repetition is taken."""
    path = await draft.create(100)
    await draft.patch(path, 0, b"x" * 50)

    for offset in (0, 49, 51, 100):
        answer = await draft.patch(path, offset, b"y")
        assert (answer.status, answer.code) == (409, "offset-mismatch")
        assert answer.document["offset"] == 50
    assert (await draft.head(path)).offset == 50


async def test_another_version_is_refused_with_ours(draft: Sending) -> None:
    """412, and the version that is spoken here."""
    path = await draft.create(100)

    for version in ("", "0.2.2", "1.0.1"):
        answer = await draft.patch(path, 0, b"x", {"Tus-Resumable": version})
        assert (answer.status, answer.headers["Tus-Version"]) == (412, "1.0.0")
    assert (await draft.head(path)).offset == 0


async def test_another_content_type_is_refused(draft: Sending) -> None:
    """415 for anything but application/offset+octet-stream, at creation too."""
    path = await draft.create(100)
    wrong = {"Content-Type": "application/octet-stream"}
    creation = {"Upload-Length": "100", "Upload-Metadata": draft.metadata()}

    assert (await draft.patch(path, 0, b"x", wrong)).status == 415
    assert (await draft.ask("POST", "/v1/uploads", {**creation, **wrong}, b"x")).status == 415


async def test_a_length_that_no_sealed_file_has_is_refused(draft: Sending) -> None:
    """A length is a plain number, and at least that of an age nonce."""
    for length in ("15", "-1", "1e3", "", "0x20", "99999999999999999999"):
        headers = {"Upload-Metadata": draft.metadata(), "Upload-Length": length}
        answer = await draft.ask("POST", "/v1/uploads", headers)
        assert (answer.status, answer.code) == (400, "invalid-request"), length


async def test_a_video_that_is_too_large_is_refused_before_it_is_sent(draft: Sending) -> None:
    """413 at creation, with the most that is taken."""
    most = draft.settings.upload_max_bytes
    headers = {"Upload-Length": str(most + 1), "Upload-Metadata": draft.metadata()}

    answer = await draft.ask("POST", "/v1/uploads", headers)

    assert (answer.status, answer.code) == (413, "upload-too-large")
    assert answer.document["most_bytes"] == most


async def test_metadata_that_name_no_message_are_refused(draft: Sending) -> None:
    """An upload belongs to a revision of a message from the start."""
    revision = "revision MQ=="

    for metadata in ("", "message", f"message !!,{revision}", revision, f"message eA==,{revision}"):
        headers = {"Upload-Length": "100", "Upload-Metadata": metadata}
        answer = await draft.ask("POST", "/v1/uploads", headers)
        assert (answer.status, answer.code) == (400, "invalid-request"), metadata


async def test_metadata_with_more_in_them_are_refused(draft: Sending) -> None:
    """No file name, and nothing else that could say something about the video."""
    metadata = f"{draft.metadata()},filename Z3JhbmRtYS5tcDQ="
    headers = {"Upload-Length": "100", "Upload-Metadata": metadata}

    assert (await draft.ask("POST", "/v1/uploads", headers)).status == 400


async def test_more_than_was_announced_is_refused(draft: Sending) -> None:
    """413 without taking a byte where the length is known, else up to the byte that has no room."""
    path = await draft.create(100)

    answer = await draft.patch(path, 0, b"x" * 101)

    assert (answer.status, answer.code) == (413, "upload-too-long")
    assert (await draft.head(path)).offset == 0


async def test_a_checksum_is_held_against_what_arrived(draft: Sending) -> None:
    """460 and nothing kept where it does not match; where it does, the bytes count as always."""
    body = body_of(SEGMENT_BYTES + 100)
    path = await draft.create(len(body))
    await draft.patch(path, 0, body[:200])

    wrong = await draft.patch(path, 200, body[200:400], {"Upload-Checksum": checksum_of(b"other")})
    assert (wrong.status, wrong.code) == (460, "checksum-mismatch")
    assert (await draft.head(path)).offset == 200

    across = body[200 : SEGMENT_BYTES + 50]
    right = await draft.patch(path, 200, across, {"Upload-Checksum": checksum_of(across)})
    assert (right.status, right.offset) == (204, SEGMENT_BYTES + 50)
    await draft.patch(path, right.offset, body[right.offset :])
    await draft.assert_whole(path, body)


async def test_a_checksum_over_more_than_is_held_in_memory_is_refused(draft: Sending) -> None:
    """413 beyond 8 MiB; that much is taken."""
    body = body_of(2 * SEGMENT_BYTES)
    path = await draft.create(len(body))
    most, more = body[:SEGMENT_BYTES], body[: SEGMENT_BYTES + 1]

    refused = await draft.patch(path, 0, more, {"Upload-Checksum": checksum_of(more)})
    taken = await draft.patch(path, 0, most, {"Upload-Checksum": checksum_of(most)})

    assert (refused.status, refused.code) == (413, "checked-too-large")
    assert (taken.status, taken.offset) == (204, SEGMENT_BYTES)


async def test_another_checksum_is_refused(draft: Sending) -> None:
    """Only SHA-256, whole and in Base64."""
    path = await draft.create(100)

    for checksum in ("sha1 x", "sha-256", "sha-256 AAAA", "md5 AAAA", ""):
        answer = await draft.patch(path, 0, b"x", {"Upload-Checksum": checksum})
        assert (answer.status, answer.code) == (400, "invalid-request"), checksum
    assert (await draft.head(path)).offset == 0


async def test_a_method_may_stand_in_a_header(draft: Sending) -> None:
    """Where only POST comes through, PATCH and DELETE still do; nothing else does."""
    path = await draft.create(100)
    headers = {"Upload-Offset": "0", "Content-Type": OFFSET_STREAM}

    patched = await draft.ask("POST", path, {**headers, "X-HTTP-Method-Override": "PATCH"}, b"xyz")
    refused = await draft.ask("POST", path, {"X-HTTP-Method-Override": "GET"})
    deleted = await draft.ask("POST", path, {"X-HTTP-Method-Override": "DELETE"})

    assert (patched.status, patched.offset) == (204, 3)
    assert (refused.status, deleted.status) == (400, 204)
    assert (await draft.head(path)).status == 404


async def test_an_upload_of_another_revision_is_refused(draft: Sending) -> None:
    """Only the revision that is being written takes a video."""
    headers = {
        "Upload-Length": "100",
        "Upload-Metadata": write_metadata(draft.message_id, 2),
    }

    answer = await draft.ask("POST", "/v1/uploads", headers)

    assert (answer.status, answer.code) == (409, "upload-not-expected")


async def test_more_than_announced_is_noticed_also_without_a_length(draft: Sending) -> None:
    """A chunked request is taken as far as there is room for what comes, and refused from there."""
    body = body_of(100)
    path = await draft.create(len(body))

    async def too_much() -> AsyncIterator[bytes]:
        for start in range(0, 120, 40):
            yield (body + b"x" * 20)[start : start + 40]

    bearer = await signed(draft.case.harmed).bearer()
    headers = {"Authorization": f"Bearer {bearer}", "Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    async with draft.http.patch(
        f"{draft.settings.public_url}{path}",
        headers={**headers, "Content-Type": OFFSET_STREAM},
        data=too_much(),
    ) as answer:
        assert answer.status == 413

    kept = (await draft.head(path)).offset
    assert kept in {0, 40, 80}
    await draft.patch(path, kept, body[kept:])
    await draft.assert_whole(path, body)
