"""Somebody at work in a browser: what they do, and what is found of it when they come back."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import re
import time
from pathlib import Path
from typing import Final, Protocol

from playwright.async_api import Locator, Page, expect

from relay.client.participant import Participant
from relay.domain.messages import ReviewMessage
from relay.testing.people import PASSPHRASE, verify_everybody
from tests.support.browser.device import Device
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene, Waiting
from tests.support.browser.tour import POLL_SECONDS, POLLS, prepared_video
from tests.support.browser.video_files import film

SAFE_SECONDS: Final = 5.0
"""What was on the screen for longer than this is never lost."""
PIECES: Final = ("I ", "have ", "thought ", "of ", "that ", "evening ", "every ", "day. ")


@dataclasses.dataclass(slots=True)
class Typed:
    """What somebody typed, and since when each of it is on the screen."""

    chance: random.Random
    text: str = ""
    _since: list[tuple[float, str]] = dataclasses.field(default_factory=list)

    async def type(self, page: Page, pieces: int) -> None:
        """Type some words, with pauses as people make them."""
        for _ in range(pieces):
            piece = self.chance.choice(PIECES)
            await page.keyboard.type(piece)
            self.text += piece
            self._since.append((time.monotonic(), self.text))
            await asyncio.sleep(self.chance.choice((0.0, 0.05, 0.3, 1.2)))

    def safe(self) -> str:
        """What has been on the screen for long enough by now."""
        now = time.monotonic()
        return max(
            (text for at, text in self._since if now - at > SAFE_SECONDS), key=len, default=""
        )


@dataclasses.dataclass(slots=True)
class Recorded:
    """What is recorded, as one dot for each second."""

    chance: random.Random
    began_at: float = 0.0

    async def type(self, _page: Page, pieces: int) -> None:
        """Let it run on."""
        self.began_at = self.began_at or time.monotonic()
        await asyncio.sleep(pieces * self.chance.choice((0.3, 0.9)))

    def safe(self) -> str:
        """The seconds that were recorded long enough ago."""
        return "." * int(time.monotonic() - self.began_at - SAFE_SECONDS)


class Work(Protocol):
    """Something that somebody is doing when they are interrupted."""

    def __init__(self, scene: Scene, device: Device) -> None:
        """On this device, in a case of its own."""

    def make(self, chance: random.Random) -> Typed | Recorded:
        """What comes of it."""

    async def begin(self) -> Page:
        """Come to where it is done, with the cursor in the field."""

    async def finish(self) -> None:
        """Do what follows the typing, as far as one gets."""

    async def lock(self) -> None:
        """Lock the page."""

    async def find(self) -> list[str]:
        """Come back: every text that is there, whether it was sent or not."""


class Writing:
    """A letter, through one's own link."""

    def __init__(self, scene: Scene, device: Device) -> None:
        self.scene = scene
        self.device = device
        self.url = ""
        self.waiting: Waiting
        self.person: ParticipantPage

    def make(self, chance: random.Random) -> Typed | Recorded:
        """Words."""
        return Typed(chance)

    async def begin(self) -> Page:
        """A new letter."""
        self.waiting = await self.scene.waiting()
        self.url = self.waiting.harmed_url
        self.person = await ParticipantPage.begin(self.device.guest, self.url)
        await self.person.button(self.person.home("home.newLetter")).click()
        return await self._at_field()

    async def finish(self) -> None:
        """Nothing: it is still being written."""

    async def lock(self) -> None:
        """The button on top."""
        await self.person.button(self.person.arriving("lock")).click()

    async def find(self) -> list[str]:
        """The latest draft."""
        person = await self._back()
        await person.type_passphrase(PASSPHRASE)
        await person.at_home()
        await person.button(person.home("home.goOnWriting")).first.click()
        return [await _field(person).input_value()]

    async def _back(self) -> ParticipantPage:
        page = await self.device.guest.open(self.url.partition("#")[0])
        return ParticipantPage(page, self.device.guest, "en")

    async def _at_field(self) -> Page:
        await _field(self.person).click()
        return self.person.page


class Sending(Writing):
    """A letter that is on its way to the mediator."""

    async def finish(self) -> None:
        """Read it as the other would, and press Send."""
        await self.person.button(self.person.sending("letter.preview")).click()
        await self.person.button(self.person.sending("preview.send")).click()

    async def find(self) -> list[str]:
        """What arrived, once at most, and what is there as a draft."""
        person = await self._back()
        await person.type_passphrase(PASSPHRASE)
        await person.at_home()
        sent = person.page.get_by_role("button", name=person.home.pattern("home.see"))
        drafts = person.button(person.home("home.goOnWriting"))
        await expect(sent.or_(drafts).first).to_be_visible()
        assert await sent.count() <= 1, "it was sent twice"
        found = []
        if await drafts.count():
            await drafts.first.click()
            found.append(await _field(person).input_value())
            await person.button(person.home("home.back")).click()
            await person.at_home()
        if await sent.count():
            await sent.click()
            await person.button(person.home("sent.readOwn")).click()
            found.append(await person.page.get_by_role("article").inner_text())
        return found


class Recording(Writing):
    """A video that is being recorded."""

    def make(self, chance: random.Random) -> Typed | Recorded:
        """Seconds."""
        return Recorded(chance)

    async def begin(self) -> Page:
        """The camera runs."""
        self.waiting = await self.scene.waiting()
        self.url = self.waiting.harmed_url
        self.person = await ParticipantPage.begin(self.device.guest, self.url)
        await self.person.button(self.person.home("home.newVideo")).click()
        await self.person.begin_recording()
        return self.person.page

    async def find(self) -> list[str]:
        """The recording that is kept."""
        person = await self._back()
        await person.type_passphrase(PASSPHRASE)
        await person.at_home()
        return [await self._kept(person)]

    async def _kept(self, person: ParticipantPage) -> str:
        kept = person.page.locator("relay-takes li").first
        await expect(kept).to_be_visible()
        found = re.search(r"(\d+):(\d\d)", await kept.inner_text())
        assert found is not None
        return "." * (int(found[1]) * 60 + int(found[2]))


class SendingRecording(Recording):
    """A video that is being sealed, and sent."""

    async def finish(self) -> None:
        """Stop, and send it."""
        await self.person.send_recording()

    async def find(self) -> list[str]:
        """What arrived, once at most and after going on where it had stopped, or what is kept."""
        person = await self._back()
        await person.type_passphrase(PASSPHRASE)
        await person.at_home()
        kept = person.page.locator("relay-takes li")
        sent = person.page.get_by_role("button", name=person.home.pattern("home.see"))
        begun = person.button(person.home("home.resume"))
        await expect(sent.or_(begun).or_(kept).first).to_be_visible()
        if await begun.count():
            await begun.click()
            await person.has_arrived()
            await expect(sent.first).to_be_visible()
        assert await sent.count() <= 1, "it was sent twice"
        if not await sent.count():
            return [await self._kept(person)]
        return [await self._arrived()]

    async def _arrived(self) -> str:
        mediator = self.waiting.mediator
        await verify_everybody(mediator, self.waiting.case_id)
        page = await mediator.queue(case=str(self.waiting.case_id))
        for _ in range(POLLS):
            if page.items:
                break
            await asyncio.sleep(POLL_SECONDS)
            page = await mediator.queue(case=str(self.waiting.case_id))
        [prepared] = page.items
        item = await mediator.verify(await mediator.lease(prepared.message))
        assert item.rendition is not None
        return "." * (item.rendition.duration_ms // 1000)


class WritingOnce(Writing):
    """A letter through a link for one message."""

    async def begin(self) -> Page:
        """A letter."""
        waiting = self.waiting = await self.scene.waiting()
        self.url = await waiting.mediator.make_link(waiting.case_id, waiting.harmed_id, "upload")
        self.person = await ParticipantPage.arrive(self.device.guest, self.url)
        await self._enter(self.person)
        return await self._at_field()

    async def lock(self) -> None:
        """There is no passphrase to lock it with: one leaves in a hurry."""
        await self.person.button(self.person.arriving("shared.leaveNow")).click(no_wait_after=True)

    async def find(self) -> list[str]:
        """The letter."""
        person = await self._back()
        await self._enter(person)
        return [await _field(person).input_value()]

    async def _enter(self, person: ParticipantPage) -> None:
        once = person.page.get_by_role("heading", name=person.arriving("upload.heading"))
        await expect(once).to_be_visible()
        await person.button(person.arriving("upload.begin")).click()
        letter = person.button(person.sending("choose.letter"))
        await expect(letter.or_(_field(person)).first).to_be_visible()
        if await letter.is_visible():
            await letter.click()
        await expect(_field(person)).to_be_visible()


class Dictating:
    """A letter that a mediator writes down for somebody."""

    field = "#letter-words"

    def __init__(self, scene: Scene, device: Device) -> None:
        self.scene = scene
        self.device = device
        self.reference = ""
        self.console: MediatorPage

    def make(self, chance: random.Random) -> Typed | Recorded:
        """Words."""
        return Typed(chance)

    async def begin(self) -> Page:
        """The form, for a case."""
        waiting = await self.scene.waiting()
        self.reference = f"case {waiting.case_id}"
        self.console = await self._open()
        await self._come(self.console)
        await self.console.page.get_by_label(self.console.words("letter.case")).select_option(
            label=self.reference
        )
        await self.console.page.locator(self.field).fill("")
        await self.console.page.locator(self.field).click()
        return self.console.page

    async def finish(self) -> None:
        """Nothing: it is still being typed."""

    async def lock(self) -> None:
        """From the dialog in front of the button, and locked."""
        await self.console.page.keyboard.press("Escape")
        await self.console.button("lock").click()

    async def find(self) -> list[str]:
        """What is in the field."""
        console = await self._open()
        await self._come(console)
        return [await console.page.locator(self.field).input_value()]

    async def _open(self) -> MediatorPage:
        """The console, open; its keys are in this browser from the first time on."""
        console = MediatorPage(await self.device.guest.open(self.scene.console_url), "en")
        passphrase = console.page.get_by_label(console.words("unlock.passphrase"), exact=True)
        await expect(passphrase.or_(console.field("unlock.importLabel")).first).to_be_visible()
        if not await passphrase.is_visible():
            await console.import_keys(self.scene.mediator)
        await console.unlock(self.scene.mediator)
        return console

    async def _come(self, console: MediatorPage) -> None:
        await console.go("letter")
        await expect(console.page.locator(self.field)).to_be_visible()


class Returning(Dictating):
    """The words with which a mediator sends a letter back."""

    field = "#decision-words"
    state = "claimed"

    async def begin(self) -> Page:
        """The dialog, about a letter that was taken for review."""
        waiting = await self.scene.waiting()
        self.reference = f"case {waiting.case_id}"
        harmed = await self.scene.claim(waiting.harmed_url)
        await self.scene.claim(waiting.responsible_url)
        await verify_everybody(waiting.mediator, waiting.case_id)
        sent = await self._send(waiting, harmed)
        await self._prepare(await waiting.mediator.lease(sent.message))
        self.console = await self._open()
        await self._come(self.console)
        await self.console.page.locator(self.field).click()
        return self.console.page

    async def _send(self, waiting: Waiting, harmed: Participant) -> ReviewMessage:
        sent = await harmed.send_letter(waiting.responsible_id, "Why our house?")
        return await waiting.mediator.read(sent.message)

    async def _prepare(self, message: ReviewMessage) -> None:
        """Bring the letter to where the dialog is asked for."""

    async def _come(self, console: MediatorPage) -> None:
        await console.see(self.reference, self.state)
        await console.button("choice.return").click()


class Captioning(Returning):
    """The captions of a video."""

    field = "#captions-plain"

    async def _send(self, waiting: Waiting, harmed: Participant) -> ReviewMessage:
        file = Path(self.device.folder, "film.mp4")
        await asyncio.to_thread(film, file, 1)
        return await prepared_video(waiting, harmed, waiting.responsible_id, file)

    async def begin(self) -> Page:
        """An empty file."""
        page = await super().begin()
        await page.locator(self.field).fill("")
        return page

    async def lock(self) -> None:
        """No dialog is in front of the button."""
        await self.console.button("lock").click()

    async def _come(self, console: MediatorPage) -> None:
        await console.see(self.reference, self.state)
        await console.button("choice.caption").click()
        field = console.page.locator(self.field)
        await expect(console.button("captions.plain")).to_be_visible()
        if not await field.count():
            await console.button("captions.plain").click()
        await expect(field).to_be_visible()


class Offering(Returning):
    """The note with which a mediator offers a letter."""

    field = "#offer-note"
    state = "approved"

    async def _prepare(self, message: ReviewMessage) -> None:
        await self.scene.mediator.client.decide(message, "approve")

    async def _come(self, console: MediatorPage) -> None:
        await console.see(self.reference, self.state)
        await console.button("choice.offer").click()


WORKS: Final[tuple[type[Work], ...]] = (
    Recording,
    SendingRecording,
    Writing,
    Sending,
    WritingOnce,
    Dictating,
    Returning,
    Captioning,
    Offering,
)


def _field(person: ParticipantPage) -> Locator:
    return person.page.get_by_label(person.sending("letter.field"), exact=True)
