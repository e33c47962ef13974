"""The story of the demo at pages: a letter that comes back once and a video, from one person to the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from relay.testing import letters
from tests.support.browser import heard
from tests.support.browser.inputs import Hand
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.remote import expect
from tests.support.browser.scene import Scene
from tests.support.browser.visitors import Guest, Language


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
    first_letter=letters.FIRST_LETTER,
    guidance=letters.GUIDANCE,
    letter=letters.LETTER,
    note=letters.NOTE,
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


async def tell(
    scene: Scene, guests: Sequence[Guest], said: Said, by: Hand, picked: Path | None
) -> None:
    """Three guests work through it, in a new case; `picked`: a video's file in place of the camera."""
    waiting = await scene.waiting()
    case = f"case {waiting.case_id}"
    for guest in guests:
        guest.keeps_secret(*said.secrets)
        await heard.listen(guest)
    harmed = await ParticipantPage.begin(guests[0], waiting.harmed_url, said.language, by=by)
    responsible = await ParticipantPage.begin(
        guests[1], waiting.responsible_url, said.language, by=by
    )
    mediator = await MediatorPage.open(guests[2], scene, scene.mediator, said.language, by=by)
    await mediator.verify_claims(case)

    # A letter, which comes back once.
    await harmed.write(said.first_letter)
    await harmed.shows_state("in-review")
    await mediator.take(case)
    await expect(mediator.page.get_by_text(said.first_letter)).to_be_visible()
    await mediator.return_with("needs-a-question", said.guidance)
    await harmed.shows_state("sent-back")
    await harmed.revise(said.first_letter, said.guidance, said.letter)
    await mediator.take(case)
    await expect(mediator.page.get_by_text(said.letter)).to_be_visible()
    await mediator.approve()
    await harmed.shows_state("with-mediator")

    # A video from the camera, or a file.
    if picked is None:
        await harmed.record_video()
    else:
        await harmed.send_video(picked)
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
    await harmed.shows_state("with-mediator")
    await expect(harmed.page.get_by_text(harmed.home("author.accepted.name"))).to_have_count(0)

    for page in (harmed.page, responsible.page, mediator.page):
        assert await page.evaluate("document.documentElement.lang") == said.language
        assert await heard.foreign(page, said.language) == []
