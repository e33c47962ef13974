"""A recording without a picture is a voice message to everybody who sees it, as far as that is known."""

from __future__ import annotations

import io
from typing import Literal

import pytest

from relay.services.processing import MediaWorker
from relay.settings import Settings
from relay.testing.people import Organization, open_case
from tests.support.prepared_videos import prepare


@pytest.mark.parametrize(
    ("named", "profile", "before", "after"),
    [
        pytest.param("audio/webm", "audio", True, True, id="recorded as a voice"),
        pytest.param("video/webm", "h264-720p", False, False, id="recorded as a video"),
        pytest.param("application/octet-stream", "audio", False, True, id="of an unknown type"),
        pytest.param(
            "audio/ogg", "h264-720p", True, False, id="named a voice, with a picture in it"
        ),
    ],
)
async def test_it_is_a_voice_by_its_rendition_and_before_by_what_its_sender_named(
    people: Organization,
    worker_settings: Settings,
    named: str,
    profile: Literal["h264-720p", "audio"],
    *,
    before: bool,
    after: bool,
) -> None:
    """The author, the queue, the review and the recipient are told the same, and what is prepared counts."""
    credential_id, keyring = await people.enrol("media")
    case = await open_case(people)
    to = case.responsible.participant_id
    sent = await case.harmed.send_video(to, io.BytesIO(b"a voice"), named)
    assert sent.voice is before
    [item] = (await case.mediator.queue(case=str(case.case_id), state="processing")).items
    assert item.voice is before

    worker = MediaWorker(credential_id=credential_id, keyring=keyring)
    await prepare(worker_settings, worker, sent.message, profile)
    [mine] = (await case.harmed.correspondence()).sent
    [item] = (await case.mediator.queue(case=str(case.case_id), state="queued")).items
    leased = await case.mediator.lease(sent.message)
    assert [mine.voice, item.voice, leased.voice] == [after] * 3
    approved = await case.mediator.decide(leased, "approve")
    await case.mediator.offer(approved)
    [offered] = (await case.responsible.correspondence()).received
    assert offered.voice is after


async def test_a_letter_is_no_voice_message(people: Organization) -> None:
    """Nothing of it is sound."""
    case = await open_case(people)
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    assert sent.voice is False
