"""The keys of a media worker: replaced one after the other, without a video failing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from relay.client.administrator import publish_revocation
from relay.crypto.keyfiles import save_keyring_file
from relay.domain.moves import State
from relay.settings import Settings
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
    revocation = people.administrator.sign_revocation(old_id)
    await publish_revocation(people.connection, old_id, revocation)
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
