"""What a participant does on their pages, step by step, found by the words on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from playwright.async_api import FilePayload, Locator, Page

from relay.testing.people import PASSPHRASE
from tests.support.browser.inputs import Hand, Input, Mouse
from tests.support.browser.remote import expect
from tests.support.browser.visitors import Guest, Language
from tests.support.browser.words import Words

_TRANSITIONS: Final = """
(video) => new Promise((good) => {
  const look = () => (video.currentTime > 0.3 ? good() : requestAnimationFrame(look));
  look();
})
"""
_IS_AT: Final = """
(video, seconds) => new Promise((good) => {
  const there = () => !video.seeking && Math.abs(video.currentTime - seconds) < 0.2;
  const look = () => (there() ? good() : requestAnimationFrame(look));
  look();
})
"""


class ParticipantPage:
    """A participant's pages in one tab."""

    def __init__(self, page: Page, guest: Guest, language: Language, *, by: Hand = Mouse) -> None:
        self.page = page
        self.input: Input = by(page)
        self.guest = guest
        self.arriving = Words("participant/arriving", language)
        self.link = Words("participant/link", language)
        self.home = Words("participant/home", language)
        self.sending = Words("participant/sending", language)
        self.capture = Words("capture", language)
        self.playback = Words("playback", language)
        self.opening = Words("participant/opening", language)

    # Arriving.

    @classmethod
    async def arrive(
        cls, guest: Guest, url: str, language: Language = "en", *, by: Hand = Mouse
    ) -> ParticipantPage:
        """Open a link."""
        guest.keeps_link_secret(url)
        guest.keeps_secret(PASSPHRASE)
        return cls(await guest.open(url), guest, language, by=by)

    @classmethod
    async def begin(
        cls, guest: Guest, url: str, language: Language = "en", *, by: Hand = Mouse
    ) -> ParticipantPage:
        """Open a link for the first time and take it into one's own hands."""
        person = await cls.arrive(guest, url, language, by=by)
        await person.claim()
        return person

    @classmethod
    async def begin_with_staff(cls, guest: Guest, url: str, assistant: str) -> ParticipantPage:
        """Hand over a link for the first time at a kiosk, with somebody of the staff present."""
        person = await cls.at_kiosk(guest)
        await person.hand_over(url)
        await person.name_assistant(assistant)
        await person.claim()
        return person

    @classmethod
    async def at_kiosk(
        cls, guest: Guest, language: Language = "en", *, by: Hand = Mouse
    ) -> ParticipantPage:
        """Open the page that staff open, which has no link in its address."""
        page = await guest.open(f"{guest.wire.origin}/kiosk")
        return cls(page, guest, language, by=by)

    async def hand_over(self, url: str) -> None:
        """Type a link into the page."""
        self.guest.keeps_link_secret(url)
        self.guest.keeps_secret(PASSPHRASE)
        await self.input.write(self.page.get_by_label(self.link("kiosk.field.label")), url)
        await self.input.press(self.button(self.link("kiosk.field.open")))

    async def name_assistant(self, assistant: str) -> None:
        """Say who helps."""
        field = self.page.get_by_label(self.arriving("assistant.field"))
        await self.input.write(field, assistant)
        await self.input.press(self.button(self.arriving("assistant.go")))

    def button(self, name: str) -> Locator:
        """The button that says this."""
        return self.page.get_by_role("button", name=name, exact=True)

    def heading(self, name: str) -> Locator:
        """The heading of the screen."""
        return self.page.get_by_role("heading", name=name, level=1)

    def heading_like(self, key: str) -> Locator:
        """The heading of the screen, with anything in its places."""
        return self.page.get_by_role("heading", name=self.home.pattern(key), level=1)

    async def claim(self, passphrase: str = PASSPHRASE) -> None:
        """Choose a passphrase."""
        await self.input.write(
            self.page.get_by_label(self.arriving("choose.field"), exact=True), passphrase
        )
        await self.input.press(self.button(self.arriving("choose.begin")))
        await self.at_home()

    async def unlock(self, passphrase: str = PASSPHRASE) -> None:
        """Come back."""
        await self.type_passphrase(passphrase)
        await self.at_home()

    async def type_passphrase(self, passphrase: str) -> None:
        """Type the passphrase of a link that was claimed."""
        await self.input.write(
            self.page.get_by_label(self.arriving("back.field"), exact=True), passphrase
        )
        await self.input.press(self.button(self.arriving("back.open")))

    async def at_home(self) -> None:
        """Wait until one's messages are shown."""
        await expect(self.heading(self.home("home.heading"))).to_be_visible()

    # Writing and sending.

    async def write(self, text: str) -> None:
        """Write a letter from the beginning and send it."""
        await self._new_letter()
        await self.finish_letter(text)

    async def begin_letter(self, text: str) -> None:
        """Write some of a letter, which is kept on the device."""
        self.guest.keeps_secret(text)
        await self._new_letter()
        await self.input.write(
            self.page.get_by_label(self.sending("letter.field"), exact=True), text
        )

    async def _new_letter(self) -> None:
        await self.input.press(self.button(self.home("home.newLetter")))
        await expect(self.heading(self.sending("letter.heading"))).to_be_visible()

    async def finish_letter(self, text: str) -> None:
        """Write the words, read them as they would be seen, and send them."""
        self.guest.keeps_secret(text)
        await self.input.write(
            self.page.get_by_label(self.sending("letter.field"), exact=True), text
        )
        await self.input.press(self.button(self.sending("letter.preview")))
        await expect(self.page.get_by_text(text, exact=True)).to_be_visible()
        await self.input.press(self.button(self.sending("preview.send")))
        await self.has_arrived()

    async def has_arrived(self) -> None:
        """Wait until it is said that it is there, and go home."""
        await expect(self.heading(self.sending("done.heading"))).to_be_visible(timeout=60_000)
        await self.input.press(self.button(self.sending("done.home")))
        await self.at_home()

    async def choose_video(self, file: Path | FilePayload) -> None:
        """Pick a file from the device."""
        await self.input.press(self.button(self.home("home.newVideo")))
        await expect(self.heading(self.sending("video.heading"))).to_be_visible()
        await self.input.press(self.button(self.sending("video.file")))
        await self.input.pick(self.page.get_by_label(self.sending("video.fileLabel")), file)

    async def send_video(self, file: Path) -> None:
        """Pick a file from the device, send it, and wait until it has arrived."""
        await self.choose_video(file)
        await self.input.press(self.button(self.sending("video.send")))
        await self.has_arrived()

    async def record_video(self, seconds: int = 2) -> None:
        """Record with the camera, watch it, and send it."""
        await self.input.press(self.button(self.home("home.newVideo")))
        await self.begin_recording(seconds)
        await self.send_recording()

    async def record_voice(self, seconds: int = 2) -> None:
        """Record one's voice alone, listen to it, and send it."""
        await self.input.press(self.button(self.home("home.newVideo")))
        await self.begin_recording(seconds, "voice")
        await self.send_recording()

    async def begin_recording(
        self, seconds: int = 2, form: Literal["video", "voice"] = "video"
    ) -> None:
        """Turn the devices on, and record until it is so long."""
        way = {"video": "record", "voice": "voice"}[form]
        await self.input.press(self.button(self.sending(f"video.{way}")))
        await self.input.press(self.button(self.capture(f"{form}.start")))
        await self.input.press(self.button(self.capture("record")))
        recorded = self.capture("recorded", f"0:{seconds:02}")
        await expect(self.page.get_by_text(recorded)).to_be_visible()

    async def send_recording(self) -> None:
        """Stop, use what was recorded, and send it."""
        await self.input.press(self.button(self.capture("stop")))
        await self.input.press(self.button(self.capture("use")))
        await self.input.press(self.button(self.sending("video.send")))
        await self.has_arrived()

    async def go_on_sending(self, file: Path) -> None:
        """Go on with a video that was not sent whole; with the same file where the device kept no copy."""
        await self.input.press(self.button(self.home("home.resume")))
        again = self.page.get_by_label(self.sending("video.fileLabel"))
        on_its_way = self.heading(self.sending("progress.heading"))
        await expect(again.or_(on_its_way).first).to_be_visible()
        if await again.is_visible():
            await self.input.pick(again, file)

    async def revise(self, before: str, guidance: str, text: str) -> None:
        """Read why a letter came back, and send a new revision that begins from the old one."""
        view = self.home("author.sent-back.name")
        await self.input.press(self.sent(view).get_by_role("button"))
        await expect(self.page.get_by_text(guidance)).to_be_visible()
        await self.input.press(self.button(self.home("sent.reviseLetter")))
        await expect(
            self.page.get_by_label(self.sending("letter.field"), exact=True)
        ).to_have_value(before)
        await self.finish_letter(text)

    def sent(self, view: str) -> Locator:
        """What was sent and is shown so, on the page with one's messages."""
        return self.page.get_by_role("listitem").filter(has_text=f"{view}.")

    async def shows_state(self, view: str) -> None:
        """Wait until something that was sent is shown in this state."""
        name = self.home(f"author.{view}.name")
        await expect(self.sent(name).first).to_be_visible(timeout=60_000)

    async def open_sent(self, view: str) -> None:
        """See more of what was sent and is shown so."""
        name = self.home(f"author.{view}.name")
        await self.input.press(self.sent(name).first.get_by_role("button"))

    async def go_home(self) -> None:
        """Go back to one's messages."""
        await self.input.press(self.button(self.home("home.back")))
        await self.at_home()

    # Receiving.

    async def has_nothing(self) -> None:
        """Wait until nothing is, or was, put in front of this person."""
        await self.at_home()
        await expect(self.button(self.home("home.look"))).to_have_count(0)
        for again in ("openAgain", "readAgain"):
            await expect(self.button(self.home(f"home.{again}"))).to_have_count(0)

    async def is_waiting(self) -> None:
        """Wait until something is put in front of this person."""
        await expect(self.button(self.home("home.look")).first).to_be_visible()

    async def open_again(self) -> None:
        """Open what was accepted before."""
        opens = self.button(self.home("home.openAgain"))
        await self.input.press(opens.or_(self.button(self.home("home.readAgain"))).first)
        await expect(self.heading(self.opening("steps.heading"))).to_be_visible()

    async def accept(self, note: str) -> None:
        """Look at what waits, with this note of the mediator, and say yes."""
        await self.input.press(self.button(self.home("home.look")).first)
        await expect(self.heading(self.opening("offer.heading"))).to_be_visible()
        await expect(self.page.get_by_text(note)).to_be_visible()
        await self.input.press(self.button(self.opening("offer.accept")))
        await expect(self.heading(self.opening("steps.heading"))).to_be_visible()

    async def open_step(self, step: str) -> None:
        """Open one of the steps."""
        name = f"{self.opening('steps.show')} {self.opening(f'steps.{step}')}"
        await self.input.press(self.button(name))

    async def play(self) -> None:
        """Play the video or the sound that is shown, until it moves."""
        await self.input.press(self.button(self.playback("play")))
        await self.page.locator("relay-player").locator("video, audio").evaluate(_TRANSITIONS)
        await self.input.press(self.button(self.playback("pause")))

    async def seek(self, seconds: float) -> None:
        """Go to another place of it, with the slider."""
        await self.input.move(
            self.page.get_by_role("slider", name=self.playback("position")), seconds
        )
        await self.page.locator("video").evaluate(_IS_AT, seconds)
