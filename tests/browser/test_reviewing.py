"""What a mediator is told while they review: what came before, to whom it goes, what they decide on."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Final

import pytest_asyncio
from playwright.async_api import Locator, expect

from relay.client.participant import Participant
from relay.domain.messages import Language
from relay.testing.people import verify_everybody
from tests.support.browser.casework import CasePage
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.scene import Scene, Waiting
from tests.support.browser.tour import prepared_video
from tests.support.browser.video_files import film
from tests.support.browser.visitors import Visit

FIRST: Final = "I was not there when it happened. Forgive me."
SECOND: Final = "I was there when it happened. I am sorry."
QUESTION: Final = "Why did you say nothing for eleven years?"
NOTE: Final = "A short letter with a question."
SUMMARY: Final = "They ask why you were silent."
LONG: Final = (
    "It is eleven years now, and no morning on which I do not ask myself the same thing once again."
)
FILM_SECONDS: Final = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A case of two with a mediator at the console; the two write with the Python client."""

    waiting: Waiting
    harmed: Participant
    responsible: Participant
    mediator: CasePage

    @property
    def case(self) -> str:
        """How the case is called."""
        return f"case {self.waiting.case_id}"

    async def open(self, sender: Participant, to: Participant, text: str) -> None:
        """A letter that its recipient has opened."""
        mediator = self.waiting.mediator
        sent = await sender.send_letter(to.participant_id, text)
        approved = await mediator.decide(await mediator.lease(sent.message), "approve")
        await mediator.offer(approved, note=NOTE, summary=SUMMARY)
        [offered] = [m for m in (await to.correspondence()).received if m.message == sent.message]
        await to.open(await to.respond(offered, "accept"))


@pytest_asyncio.fixture(loop_scope="session")
async def desk(scene: Scene, visit: Visit) -> Desk:
    """An open case, both links claimed and their keys checked."""
    waiting = await scene.waiting()
    harmed = await scene.claim(waiting.harmed_url)
    responsible = await scene.claim(waiting.responsible_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    return Desk(
        waiting=waiting,
        harmed=harmed,
        responsible=responsible,
        mediator=await CasePage.open(await visit(), scene, scene.mediator),
    )


def _card(mediator: MediatorPage, key: str) -> Locator:
    heading = mediator.page.get_by_role("heading", name=mediator.words(key), exact=True)
    return mediator.page.locator("section.card").filter(has=heading)


async def test_what_came_before_is_beside_the_message(desk: Desk) -> None:
    """What the two sent each other, each to be read there; what it may answer; what changed in a revision."""
    mediator = desk.mediator
    await desk.open(desk.responsible, desk.harmed, QUESTION)
    sent = await desk.harmed.send_letter(desk.responsible.participant_id, FIRST)
    await desk.waiting.mediator.decide(
        await desk.waiting.mediator.lease(sent.message), "return", reason="tone", words="Once more."
    )
    revised = await desk.harmed.sent(sent.message)
    await desk.harmed.send_letter(desk.responsible.participant_id, SECOND, revises=revised)
    await mediator.see(desk.case)

    between = _card(mediator, "review.between")
    await expect(between).to_contain_text(mediator.words("review.answers", "").partition(":")[0])
    entry = between.get_by_role("listitem")
    await expect(entry).to_have_count(1)
    await expect(entry).to_contain_text(mediator.words("people.role.responsible"))
    await expect(entry).to_contain_text(mediator.words("state.viewed"))
    await expect(entry).to_contain_text(mediator.words("review.openedAt", ""))
    await expect(mediator.page.get_by_text(QUESTION)).to_have_count(0)
    reading = entry.get_by_role("button", name=mediator.words("review.readPast"))
    await mediator.input.press(reading)
    await expect(entry).to_contain_text(QUESTION)
    await mediator.input.press(entry.get_by_role("button", name=mediator.words("review.putAway")))
    await expect(mediator.page.get_by_text(QUESTION)).to_have_count(0)

    earlier = _card(mediator, "review.earlier")
    await mediator.input.press(earlier.locator("summary"))
    await expect(earlier.locator("del")).to_have_text(
        [
            f"{mediator.words('review.removed')} {gone} {mediator.words('review.removedEnd')}"
            for gone in ("not", "Forgive me")
        ]
    )
    await expect(earlier.locator("ins")).to_have_text(
        f"{mediator.words('review.added')} I am sorry {mediator.words('review.addedEnd')}"
    )

    await mediator.input.press(entry.get_by_role("button", name=mediator.words("review.openPast")))
    await expect(mediator.page.get_by_text(QUESTION)).to_be_visible()
    await expect(_card(mediator, "review.between")).to_contain_text(
        mediator.words("review.answersNothing")
    )
    # What its recipient read before they decided is still there.
    await expect(_card(mediator, "review.facts")).to_contain_text(NOTE)
    await expect(_card(mediator, "review.facts")).to_contain_text(SUMMARY)


async def test_what_came_before_can_be_missing(desk: Desk) -> None:
    """Where relay does not tell it, the message is read and decided all the same, and that is said."""
    mediator = desk.mediator
    await desk.harmed.send_letter(desk.responsible.participant_id, FIRST)
    path = "**/history"
    await mediator.page.context.route(path, lambda route: route.fulfill(status=503))
    await mediator.take(desk.case)
    await expect(mediator.page.get_by_text(mediator.words("review.historyFailed"))).to_be_visible()
    await mediator.approve()
    await mediator.input.press(mediator.button("choice.offer"))
    await expect(mediator.dialog).to_contain_text(mediator.words("review.historyFailed"))
    await mediator.page.context.unroute(path)


async def test_every_act_names_what_it_is_about(desk: Desk) -> None:
    """With two letters of one day, each question says which: when, between whom, how it begins."""
    mediator = desk.mediator
    for text in (LONG, FIRST):
        await desk.harmed.send_letter(desk.responsible.participant_id, text)

    async def named(button: Locator) -> None:
        await mediator.input.press(button)
        subject = mediator.dialog.locator(".subject")
        for part in (desk.case, mediator.words("people.role.harmed"), LONG[:60]):
            await expect(subject).to_contain_text(part)
        await expect(subject).to_contain_text(mediator.words("people.role.responsible"))
        sent = (
            await mediator.page.locator("dt", has_text=mediator.words("review.sent"))
            .locator("xpath=following-sibling::dd[1]")
            .inner_text()
        )
        await expect(subject).to_contain_text(sent)
        await expect(subject).not_to_contain_text(FIRST)
        await mediator.input.press(
            mediator.dialog.get_by_role("button", name=mediator.words("cancel"))
        )

    await mediator.take(desk.case)
    await expect(mediator.page.get_by_text(LONG)).to_be_visible()
    for act in ("approve", "return", "hold", "decline"):
        await named(mediator.button(f"choice.{act}"))
    await named(mediator.button("form.recordWithdrawal"))
    await mediator.decide("hold", reason="readiness")
    await named(mediator.button("choice.resume"))
    await mediator.decide("resume")
    await mediator.input.press(mediator.button("choice.lease"))
    await mediator.approve()
    for act in ("offer", "reopen"):
        await named(mediator.button(f"choice.{act}"))
    await mediator.offer(NOTE)
    await named(mediator.button("choice.retract"))


async def test_an_offer_says_to_whom_and_in_which_language(scene: Scene, desk: Desk) -> None:
    """How the recipient comes to it is shown before it is offered, with a warning of another language."""
    mediator = desk.mediator
    await desk.responsible.send_letter(
        desk.harmed.participant_id, QUESTION, language=Language.FR, assistant="M. Roy"
    )
    await desk.harmed.send_letter(desk.responsible.participant_id, FIRST)
    await mediator.see(desk.case)
    # The first in the queue is the French one, to somebody who has written in English alone.
    access = _card(mediator, "review.access")
    await expect(access).to_contain_text(mediator.words("people.role.harmed"))
    await expect(access).to_contain_text(mediator.words("review.accessAlone"))
    await expect(access.locator(".warn")).to_contain_text("in French")

    await mediator.page.get_by_role("button", name=mediator.words("review.openPast")).click()
    await expect(mediator.page.get_by_text(FIRST)).to_be_visible()
    await mediator.input.press(mediator.button("choice.lease"))
    await mediator.approve()
    await mediator.input.press(mediator.button("choice.offer"))
    going = mediator.dialog.locator("form")
    await expect(going).to_contain_text(mediator.words.pattern("review.accessWay.verified"))
    await expect(going).to_contain_text(mediator.words("review.accessAssisted"))
    await expect(going).to_contain_text(mediator.words("review.accessWrote", "in French"))
    await expect(going.locator(".warn")).to_contain_text("in English")
    await mediator.input.press(mediator.dialog.get_by_role("button", name=mediator.words("cancel")))

    # The same language, and somebody who has written nothing: neither is a warning.
    waiting = await scene.waiting()
    sender = await scene.claim(waiting.harmed_url)
    await sender.send_letter(waiting.responsible_id, FIRST)
    await mediator.see(f"case {waiting.case_id}")
    access = _card(mediator, "review.access")
    await expect(access).to_contain_text(mediator.words.pattern("review.accessWay.made"))
    await expect(access).to_contain_text(mediator.words("review.accessWroteNothing"))
    await expect(access.locator(".warn")).to_have_count(0)


async def test_a_video_is_not_approved_unwatched_by_mistake(
    scene: Scene, desk: Desk, visit: Visit, tmp_path: Path
) -> None:
    """Without having played any of it one has to say so; once played nothing is asked."""
    mediator = desk.mediator
    file = await asyncio.to_thread(film, tmp_path / "film.mp4", FILM_SECONDS)
    for _ in range(2):
        await prepared_video(desk.waiting, desk.harmed, desk.responsible.participant_id, file)
    await mediator.take(desk.case)
    await mediator.input.press(mediator.button("choice.approve"))
    await expect(mediator.dialog.get_by_role("checkbox")).to_have_count(1)
    await mediator.input.press(mediator.dialog.get_by_role("button", name=mediator.words("cancel")))

    # Opened and put away again it is still unwatched.
    await mediator.input.press(mediator.button("review.soundOnly"))
    await expect(mediator.page.locator("audio, video")).to_have_count(1)
    await mediator.input.press(mediator.button("choice.approve"))
    await expect(mediator.dialog.get_by_role("checkbox")).to_have_count(1)
    await mediator.input.press(mediator.dialog.get_by_role("button", name=mediator.words("cancel")))

    played = mediator.page.locator("audio, video")
    await played.evaluate(
        "(media) => new Promise((good) => { media.onplaying = () => good(); media.play(); })"
    )
    await mediator.input.press(mediator.button("choice.approve"))
    await expect(mediator.dialog.get_by_role("heading")).to_be_visible()
    await expect(mediator.dialog.get_by_role("checkbox")).to_have_count(0)
    await mediator.input.press(
        mediator.dialog.get_by_role("button", name=mediator.words("choice.approve"), exact=True)
    )
    await mediator.done("approve")
    await mediator.take(desk.case)
    await mediator.approve_unwatched()
