"""How much one person and one case may begin and store, whatever is tried at once."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from http import HTTPStatus
from typing import Final

import msgspec
import pytest

from relay.client.connection import Problem
from relay.client.uploading import Retry, Upload
from relay.client.writing import address
from relay.domain.messages import AuthorMessage, Kind, Language, NewDraft
from relay.domain.uploads import TUS_VERSION, write_metadata
from relay.settings import Settings
from relay.testing.people import Case, Organization, open_case
from tests.support.requests import Answer, Caller, caller_of

pytestmark = pytest.mark.own_relay

DRAFTS: Final = 8
UPLOADS: Final = 4
PERSON_BYTES: Final = 10_000
CASE_BYTES: Final = 15_000
SMALL: Final = 100
SOON_SECONDS: Final = 20


@pytest.fixture
def relay_settings(relay_settings: Settings) -> Settings:
    """Little of everything."""
    return dataclasses.replace(
        relay_settings,
        limit_drafts=DRAFTS,
        limit_open_uploads=UPLOADS,
        limit_person_bytes=PERSON_BYTES,
        limit_case_bytes=CASE_BYTES,
    )


async def draft(caller: Caller, to: uuid.UUID, message: uuid.UUID | None = None) -> Answer:
    """Begin a video, or begin it again."""
    path = f"/v1/messages/{message or uuid.uuid4()}/revisions/1/draft"
    return await caller.ask(
        "PUT", path, NewDraft(recipient=to, kind=Kind.VIDEO, language=Language.EN)
    )


async def begun(caller: Caller, to: uuid.UUID) -> uuid.UUID:
    """A draft for an upload."""
    message = uuid.uuid4()
    assert (await draft(caller, to, message)).status == HTTPStatus.OK
    return message


async def upload(caller: Caller, message: uuid.UUID, size: int) -> Answer:
    """Begin an upload of so many bytes."""
    headers = {
        "Tus-Resumable": TUS_VERSION,
        "Upload-Length": str(size),
        "Upload-Metadata": write_metadata(message, 1),
    }
    return await caller.ask("POST", "/v1/uploads", headers=headers)


def require_refused(answer: Answer, code: str, limit: str) -> None:
    """It is told which limit was reached, and when to come back."""
    headers = {name.lower(): value for name, value in answer.headers}
    assert (answer.status, answer.code) == (HTTPStatus.TOO_MANY_REQUESTS, code)
    assert headers["ratelimit-policy"].startswith(f'"{limit}";q=')
    assert int(headers["retry-after"]) >= 60


async def test_drafts_are_counted_for_each_person(case: Case) -> None:
    """As many as may be, however many are begun at once; one that is thrown away makes room."""
    caller, to = caller_of(case.harmed), case.responsible.participant_id
    answers = await asyncio.gather(*(draft(caller, to) for _ in range(3 * DRAFTS)))
    taken = [answer for answer in answers if answer.status == HTTPStatus.OK]
    assert len(taken) == DRAFTS
    for answer in answers:
        if answer not in taken:
            require_refused(answer, "too-many-drafts", "drafts")
    message = msgspec.json.decode(taken[0].content, type=AuthorMessage).message
    assert (await draft(caller, to, message)).status == HTTPStatus.OK
    assert (await draft(caller_of(case.responsible), case.harmed.participant_id)).status == 200
    assert (await case.harmed.send_letter(to, "Words.")).view == "in-review"
    gone = await caller.ask("DELETE", f"/v1/messages/{message}/revisions/1/draft")
    assert gone.status == HTTPStatus.NO_CONTENT
    assert (await draft(caller, to)).status == HTTPStatus.OK
    require_refused(await draft(caller, to), "too-many-drafts", "drafts")


async def test_open_uploads_are_counted_over_all_drafts(case: Case) -> None:
    """As many as may be, however many are begun at once; one that ends makes room."""
    caller, to = caller_of(case.harmed), case.responsible.participant_id
    messages = [await begun(caller, to) for _ in range(DRAFTS)]
    answers = await asyncio.gather(*(upload(caller, message, SMALL) for message in messages))
    taken = [answer for answer in answers if answer.status == HTTPStatus.CREATED]
    assert len(taken) == UPLOADS
    for answer in answers:
        if answer not in taken:
            require_refused(answer, "too-many-uploads", "open-uploads")
    path = next(value for name, value in taken[0].headers if name == "Location")
    ended = await caller.ask("DELETE", path, headers={"Tus-Resumable": TUS_VERSION})
    assert ended.status == HTTPStatus.NO_CONTENT
    assert (await upload(caller, messages[0], SMALL)).status == HTTPStatus.CREATED


async def test_videos_take_up_so_much_and_no_more(case: Case, people: Organization) -> None:
    """Of each person, and of all people of a case; what is announced counts as what was sent."""
    harmed, responsible = caller_of(case.harmed), caller_of(case.responsible)
    to = case.responsible.participant_id
    first, second, third = [await begun(harmed, to) for _ in range(3)]
    assert (await upload(harmed, first, PERSON_BYTES - SMALL)).status == HTTPStatus.CREATED
    require_refused(await upload(harmed, second, SMALL + 1), "stored-too-much", "person-bytes")
    assert (await upload(harmed, second, SMALL)).status == HTTPStatus.CREATED
    require_refused(await upload(harmed, third, 16), "stored-too-much", "person-bytes")

    theirs = [await begun(responsible, case.harmed.participant_id) for _ in range(2)]
    room = CASE_BYTES - PERSON_BYTES
    at_once = await asyncio.gather(*(upload(responsible, one, room) for one in theirs))
    assert sorted(answer.status for answer in at_once) == [201, 429]
    refused = next(answer for answer in at_once if answer.status != HTTPStatus.CREATED)
    require_refused(refused, "stored-too-much", "case-bytes")

    other = await open_case(people)
    message = await begun(caller_of(other.harmed), other.responsible.participant_id)
    answer = await upload(caller_of(other.harmed), message, PERSON_BYTES)
    assert answer.status == HTTPStatus.CREATED


async def test_the_client_does_not_try_again_what_no_waiting_helps(case: Case) -> None:
    """It passes the refusal on at once, with the sentence of relay."""
    draft = address(case.responsible.participant_id)
    await case.harmed.begin_video(draft)
    upload = Upload(case.harmed.session, Retry(attempts=2, first_pause_seconds=3600))
    async with asyncio.timeout(SOON_SECONDS):
        with pytest.raises(Problem, match="stored-too-much") as refused:
            await upload.create(draft.message_id, 1, PERSON_BYTES + 1)
    assert refused.value.title
