"""Pages change while somebody looks at them; a button stays what it is under a finger and under the focus."""

from __future__ import annotations

import dataclasses
import uuid
from pathlib import Path
from typing import Final

from playwright.async_api import expect

from relay.testing.letters import LETTER, NOTE
from relay.testing.people import verify_everybody
from tests.support.browser.casework import CasePage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene, Waiting, new_reviewer
from tests.support.browser.visitors import Visit

OTHER_NOTE: Final = "This one speaks of the children."


async def test_a_figure_of_the_queue_keeps_the_focus(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """What comes into the queue before a figure does not take its place."""
    own = await new_reviewer(scene.people, tmp_path / "own.keyring")
    alone = dataclasses.replace(scene, mediator=own)
    waiting = await alone.waiting()
    approved, another = await _letters(alone, waiting)
    await own.client.decide(await own.client.lease(approved), "approve")
    page = await CasePage.open(await visit(), alone, own)
    figures = page.page.get_by_role("region", name=page.words("queue.figures"))
    figure = figures.get_by_role("button", name=page.words("state.approved"))
    await figure.focus()

    await own.client.lease(another)

    claimed = figures.get_by_role("button", name=page.words("state.claimed"))
    await expect(claimed).to_be_visible()
    await expect(figure).to_be_focused()


async def test_what_waits_stays_under_the_finger(scene: Scene, visit: Visit) -> None:
    """An older letter that is offered later does not take the place of the newer one under the focus."""
    waiting = await scene.waiting()
    older, newer = await _letters(scene, waiting)
    recipient = await ParticipantPage.begin(await visit(), waiting.responsible_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    await _offer(waiting, newer, NOTE)
    await recipient.is_waiting()
    look = recipient.button(recipient.home("home.look"))
    await look.focus()

    await _offer(waiting, older, OTHER_NOTE)

    await expect(look).to_have_count(2)
    await recipient.page.keyboard.press("Enter")
    await expect(recipient.page.get_by_text(NOTE)).to_be_visible()


async def test_a_draft_that_was_deleted_leaves_the_focus_at_the_heading(
    scene: Scene, visit: Visit
) -> None:
    """Not at the button that deletes the next one. Each is there as soon as its writer comes back."""
    waiting = await scene.waiting()
    author = await ParticipantPage.begin(await visit(), waiting.harmed_url)
    for words in ("The first.", "The second."):
        await author.begin_letter(words)
        await author.go_home()
    delete = author.button(author.home("home.discardDraft"))
    await expect(delete).to_have_count(2)

    await delete.first.click()
    dialog = author.page.get_by_role("dialog")
    await dialog.get_by_role("button", name=author.home("home.discardDraft")).click()

    await expect(delete).to_have_count(1)
    await expect(author.heading(author.home("home.heading"))).to_be_focused()


async def _letters(scene: Scene, waiting: Waiting) -> tuple[uuid.UUID, uuid.UUID]:
    """Two letters of the person harmed, the older first."""
    harmed = await scene.claim(waiting.harmed_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    first = await harmed.send_letter(waiting.responsible_id, LETTER)
    second = await harmed.send_letter(waiting.responsible_id, LETTER)
    return first.message, second.message


async def _offer(waiting: Waiting, message: uuid.UUID, note: str) -> None:
    leased = await waiting.mediator.lease(message)
    await waiting.mediator.offer(await waiting.mediator.decide(leased, "approve"), note=note)
