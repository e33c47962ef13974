"""The whole story of the demo, clicked through by three people in browsers of their own, in Chromium."""

from __future__ import annotations

from typing import Final

from playwright.async_api import expect

from relay.demo.story import FIRST_LETTER, GUIDANCE, LETTER, NOTE
from tests.browser.conftest import Visit
from tests.browser.mediators import MediatorPage
from tests.browser.participants import ParticipantPage
from tests.browser.scene import Scene

VIDEO_NOTE: Final = "A short video. Somebody speaks to you, calmly."
SUMMARY: Final = "They tell you how the years since then were for them."
CAPTIONS: Final = "WEBVTT\n\n00:00.000 --> 00:01.000\nI have thought about this for a long time.\n"
SPOKEN: Final = "I have thought about this for a long time."


async def test_a_letter_and_a_video_go_from_one_person_to_the_other(
    scene: Scene, visit: Visit
) -> None:
    """Three people click through it: links, a letter sent back once, a recorded video, release, playing.

    Every browser is watched meanwhile: nothing that they wrote, chose or were given leaves one in the clear.
    """
    waiting = await scene.waiting()
    case = f"case {waiting.case_id}"
    harmed = await ParticipantPage.begin(await visit(), waiting.harmed_url)
    responsible = await ParticipantPage.begin(await visit(), waiting.responsible_url)
    at_work = await visit()
    mediator = await MediatorPage.open(at_work, scene, scene.mediator)
    at_work.keeps_secret(GUIDANCE, NOTE, VIDEO_NOTE, SUMMARY, SPOKEN, FIRST_LETTER, LETTER)
    responsible.guest.keeps_secret(LETTER, NOTE, VIDEO_NOTE, SUMMARY, SPOKEN)
    await mediator.verify_claims(case)

    # A letter, which comes back once.
    await harmed.write(FIRST_LETTER)
    await harmed.stands("in review")
    await mediator.take(case)
    await expect(mediator.page.get_by_text(FIRST_LETTER)).to_be_visible()
    await mediator.return_with("needs-a-question", GUIDANCE)
    await harmed.stands("sent back to you")
    await harmed.revise(FIRST_LETTER, GUIDANCE, LETTER)
    await mediator.take(case)
    await expect(mediator.page.get_by_text(LETTER)).to_be_visible()
    await mediator.approve()
    await harmed.stands("with your mediator")

    # A video from the camera.
    await harmed.record_video()
    await mediator.take(case)
    await mediator.caption(CAPTIONS)
    await mediator.approve()

    # Nothing has been put in front of anybody.
    await expect(responsible.page.get_by_text(responsible.home("home.nothingYet"))).to_be_visible()

    # The offers, and what the recipient makes of them.
    await mediator.offer(VIDEO_NOTE, SUMMARY)
    await responsible.accept(VIDEO_NOTE)
    await expect(responsible.page.get_by_text(LETTER)).to_have_count(0)
    await responsible.open_step("summary")
    await expect(responsible.page.get_by_text(SUMMARY)).to_be_visible()
    await responsible.open_step("transcript")
    await expect(responsible.page.get_by_text(SPOKEN).first).to_be_visible()
    await responsible.open_step("video")
    await responsible.play()
    await responsible.seek(1.0)
    await responsible.go_home()

    await mediator.see(case, "approved")
    await mediator.offer(NOTE)
    await responsible.accept(NOTE)
    await responsible.open_step("text")
    await expect(responsible.page.get_by_text(LETTER)).to_be_visible()

    # To the author it reads as before: whether it was accepted is the other's to tell.
    await harmed.stands("with your mediator")
    await expect(harmed.page.get_by_text(harmed.home("author.accepted.name"))).to_have_count(0)
