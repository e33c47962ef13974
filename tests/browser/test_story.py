"""The whole story of the demo in three browsers: in English by mouse, in French by keyboard alone."""

from __future__ import annotations

import dataclasses
from typing import Final

import pytest
from playwright.async_api import expect

from relay.demo import story
from tests.browser import heard
from tests.browser.conftest import Visit
from tests.browser.mediators import MediatorPage
from tests.browser.participants import ParticipantPage
from tests.browser.scene import Scene
from tests.browser.visitors import Language


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the three write, in one language."""

    language: Language
    first_letter: str
    guidance: str
    letter: str
    note: str
    video_note: str
    summary: str
    spoken: str

    @property
    def captions(self) -> str:
        """The spoken words, as WebVTT."""
        return f"WEBVTT\n\n00:00.000 --> 00:01.000\n{self.spoken}\n"

    @property
    def secrets(self) -> list[str]:
        """Everything that is for nobody but a reader."""
        return [value for name, value in dataclasses.asdict(self).items() if name != "language"]


ENGLISH: Final = Said(
    language="en",
    first_letter=story.FIRST_LETTER,
    guidance=story.GUIDANCE,
    letter=story.LETTER,
    note=story.NOTE,
    video_note="A short video. Somebody speaks to you, calmly.",
    summary="They tell you how the years since then were for them.",
    spoken="I have thought about this for a long time.",
)
FRENCH: Final = Said(
    language="fr",
    first_letter="Première version, à revoir ensemble.",
    guidance="Voulez-vous dire ce que vous aimeriez demander ?",
    letter="Je porte cette nuit-là depuis onze ans. Pourquoi notre maison, pourquoi nous ?",
    note="Une lettre de deux minutes. Elle parle de cette nuit-là, calmement.",
    video_note="Une courte vidéo. On vous parle, calmement.",
    summary="Les années qui ont suivi, racontées sans hâte.",
    spoken="Je pense à cela depuis longtemps.",
)


@pytest.mark.parametrize(
    ("said", "keyboard"),
    [
        pytest.param(ENGLISH, False, id="in English by mouse"),
        pytest.param(FRENCH, True, id="in French by keyboard alone"),
    ],
)
async def test_a_letter_and_a_video_go_from_one_person_to_the_other(
    scene: Scene, visit: Visit, said: Said, *, keyboard: bool
) -> None:
    """Three people work through it: links, a letter sent back once, a recorded video, release, playing.

    Every browser is watched meanwhile: nothing that they wrote, chose or were given leaves one in the clear,
    and no page says a sentence of another language.
    """
    waiting = await scene.waiting()
    case = f"case {waiting.case_id}"
    guests = [await visit(language=said.language) for _ in range(3)]
    for guest in guests:
        guest.keeps_secret(*said.secrets)
        await heard.listen(guest)
    harmed = await ParticipantPage.begin(
        guests[0], waiting.harmed_url, said.language, keyboard=keyboard
    )
    responsible = await ParticipantPage.begin(
        guests[1], waiting.responsible_url, said.language, keyboard=keyboard
    )
    mediator = await MediatorPage.open(
        guests[2], scene, scene.mediator, said.language, keyboard=keyboard
    )
    await mediator.verify_claims(case)

    # A letter, which comes back once.
    await harmed.write(said.first_letter)
    await harmed.stands("in review")
    await mediator.take(case)
    await expect(mediator.page.get_by_text(said.first_letter)).to_be_visible()
    await mediator.return_with("needs-a-question", said.guidance)
    await harmed.stands("sent back to you")
    await harmed.revise(said.first_letter, said.guidance, said.letter)
    await mediator.take(case)
    await expect(mediator.page.get_by_text(said.letter)).to_be_visible()
    await mediator.approve()
    await harmed.stands("with your mediator")

    # A video from the camera.
    await harmed.record_video()
    await mediator.take(case)
    await mediator.caption(said.captions)
    await mediator.approve()

    # Nothing has been put in front of anybody.
    await expect(responsible.page.get_by_text(responsible.home("home.nothingYet"))).to_be_visible()

    # The offers, and what the recipient makes of them.
    await mediator.offer(said.video_note, said.summary)
    await responsible.accept(said.video_note)
    await expect(responsible.page.get_by_text(said.letter)).to_have_count(0)
    await responsible.open_step("summary")
    await expect(responsible.page.get_by_text(said.summary)).to_be_visible()
    await responsible.open_step("transcript")
    await expect(responsible.page.get_by_text(said.spoken).first).to_be_visible()
    await responsible.open_step("video")
    await responsible.play()
    await responsible.seek(1.0)
    await responsible.go_home()

    await mediator.see(case, "approved")
    await mediator.offer(said.note)
    await responsible.accept(said.note)
    await responsible.open_step("text")
    await expect(responsible.page.get_by_text(said.letter)).to_be_visible()

    # To the author it reads as before: whether it was accepted is the other's to tell.
    await harmed.stands("with your mediator")
    await expect(harmed.page.get_by_text(harmed.home("author.accepted.name"))).to_have_count(0)

    for page in (harmed.page, responsible.page, mediator.page):
        assert await page.evaluate("document.documentElement.lang") == said.language
        assert await heard.foreign(page, said.language) == []
