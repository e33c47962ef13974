"""A walk past every page and state, for what looks at each: the accessibility tests and the pictures."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import tempfile
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

from playwright.async_api import Browser, Page, expect

from relay.client.connection import Problem
from relay.client.participant import Participant
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import link_url, parse_link_url
from relay.domain.messages import ReviewMessage
from relay.domain.transitions import State
from relay.testing.letters import FIRST_LETTER, GUIDANCE, LETTER, NOTE
from relay.testing.people import PASSPHRASE, verify_everybody
from tests.support.browser import forging
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene, Waiting
from tests.support.browser.video_files import film
from tests.support.browser.visitors import Language, Visitor, visitor

Look: TypeAlias = Callable[[str, Page], Awaitable[None]]

CAPTIONS: Final = "WEBVTT\n\n00:00.000 --> 00:02.000\nI have thought about this for a long time.\n"
POLL_SECONDS: Final = 0.2
POLLS: Final = 600
SUMMARY: Final = "They tell you how the years since then were for them."


async def approved_letter(
    waiting: Waiting, sender: Participant, to: uuid.UUID, text: str = LETTER
) -> ReviewMessage:
    """A letter that a mediator has approved."""
    sent = await sender.send_letter(to, text)
    leased = await waiting.mediator.lease(sent.message)
    return await waiting.mediator.decide(leased, "approve")


async def prepared_video(
    waiting: Waiting, sender: Participant, to: uuid.UUID, file: Path
) -> ReviewMessage:
    """A video that the worker has prepared, in the queue."""
    with file.open("rb") as source:
        sent = await sender.send_video(to, source, "video/mp4")
    message = await waiting.mediator.read(sent.message)
    for _ in range(POLLS):
        if message.state is not State.PROCESSING:
            break
        await asyncio.sleep(POLL_SECONDS)
        message = await waiting.mediator.read(sent.message)
    assert message.state is State.QUEUED
    return message


async def approved_video(
    waiting: Waiting, sender: Participant, to: uuid.UUID, file: Path
) -> ReviewMessage:
    """A video that the worker has prepared, with captions, approved."""
    prepared = await prepared_video(waiting, sender, to, file)
    leased = await waiting.mediator.lease(prepared.message)
    captioned = await waiting.mediator.caption(leased, text=CAPTIONS)
    return await waiting.mediator.decide(captioned, "approve")


async def returned_letter(waiting: Waiting, sender: Participant, to: uuid.UUID) -> None:
    """A letter that came back with guidance."""
    sent = await sender.send_letter(to, FIRST_LETTER)
    leased = await waiting.mediator.lease(sent.message)
    author = await waiting.mediator.recipient_claim(waiting.case_id, sender.participant_id)
    await waiting.mediator.decide(
        leased, "return", reason="needs-a-question", words=GUIDANCE, author=author.recipient
    )


async def revised_letter(waiting: Waiting, sender: Participant, to: uuid.UUID) -> None:
    """A letter that came back once, in the queue."""
    sent = await sender.send_letter(to, FIRST_LETTER)
    leased = await waiting.mediator.lease(sent.message)
    await waiting.mediator.decide(leased, "return", reason="needs-a-question", words=GUIDANCE)
    await sender.send_letter(to, LETTER, revises=await sender.sent(sent.message))


def with_another_root(url: str) -> str:
    """The same link, for anyone who trusts another root."""
    link = parse_link_url(url)
    root = bytes(byte ^ 1 for byte in link.root_fingerprint)
    return link_url(link.public_url, link.id, link.secret, root, link.anchor)


@dataclasses.dataclass(frozen=True, slots=True)
class Tour:
    """One language, one size of screen, and what is done at each stop."""

    scene: Scene
    browser: Browser
    language: Language
    look: Look
    viewport: tuple[int, int] = (1280, 800)

    async def whole(self) -> None:
        """Past everything."""
        await self.doors()
        await self.participant()
        await self.mediator()

    def guest(self) -> contextlib.AbstractAsyncContextManager[Visitor]:
        """Somebody with a browser of their own; others watch what leaks."""
        width, height = self.viewport
        return visitor(
            self.browser,
            self.scene.url,
            language=self.language,
            check=False,
            viewport={"width": width, "height": height},
        )

    async def doors(self) -> None:
        """What is before a participant's pages: arriving, and what may be in the way."""
        waiting = await self.scene.waiting()
        async with self.guest() as guest:
            person = await ParticipantPage.arrive(guest, waiting.harmed_url, self.language)
            await expect(person.page.get_by_label(person.arriving("choose.field"))).to_be_visible()
            await self.look("arrive", person.page)
            await person.page.get_by_label(person.arriving("choose.field")).fill("three word river")
            await person.page.get_by_text(person.arriving("choose.lost")).click()
            await self.look("arrive-typed", person.page)
            await self._choosing(person)
            await person.page.goto(f"{self.scene.url}/l/{uuid.uuid4()}")
            await expect(
                person.heading(person.arriving("problem.no-such-link.heading"))
            ).to_be_visible()
            await self.look("no-such-link", person.page)
            await person.page.goto(f"{self.scene.url}/receipt")
            await expect(person.heading(person.arriving("receipt.heading"))).to_be_visible()
            await self.look("receipt", person.page)
            await self._kiosk(person, waiting.responsible_url)
            await expect(person.heading(person.arriving("assistant.heading"))).to_be_visible()
            await self.look("assistant", person.page)
            await person.page.get_by_label(person.arriving("assistant.field")).fill("Chaplain")
            await person.button(person.arriving("assistant.go")).click()
            await expect(person.page.get_by_label(person.arriving("choose.field"))).to_be_visible()
            await self.look("assisted", person.page)
            await person.button(person.arriving("finish")).click()
            await expect(person.heading(person.arriving("left.heading"))).to_be_visible()
            await self.look("left", person.page)
            await person.page.goto(with_another_root(waiting.harmed_url))
            await expect(person.heading(person.link("another.heading"))).to_be_visible()
            await person.page.get_by_text(person.link("another.told")).click()
            await self.look("another-root", person.page)
            guest.wire.alter("/v1/links/", forging.ARRIVAL["another root"])
            await person.page.goto("about:blank")
            await person.page.goto(waiting.harmed_url)
            await expect(
                person.heading(person.arriving("problem.untrusted.heading"))
            ).to_be_visible()
            await self.look("untrusted", person.page)
        upload_url = await waiting.mediator.make_link(waiting.case_id, waiting.harmed_id, "upload")
        async with self.guest() as guest:
            person = await ParticipantPage.arrive(guest, upload_url, self.language)
            await expect(person.page.get_by_text(person.arriving("upload.heading"))).to_be_visible()
            await self.look("upload-link", person.page)
            await person.button(person.arriving("upload.begin")).click()
            await expect(person.heading(person.sending("choose.heading"))).to_be_visible()
            await self.look("upload-choose", person.page)
            await person.button(person.sending("choose.letter")).click()
            await person.page.get_by_label(person.sending("letter.field"), exact=True).fill(LETTER)
            await person.button(person.sending("letter.preview")).click()
            await person.button(person.sending("preview.send")).click()
            await expect(person.heading(person.sending("done.heading"))).to_be_visible()
            await self.look("upload-receipt", person.page)

    async def _kiosk(self, person: ParticipantPage, url: str) -> None:
        address, _, fragment = url.partition("#")
        await person.page.goto(f"{address}?assisted#{fragment}")
        await expect(person.heading(person.link("exposed.heading"))).to_be_visible()
        await self.look("exposed", person.page)
        await person.page.get_by_role("link", name=person.link("exposed.kiosk")).click()
        await expect(person.heading(person.link("kiosk.heading"))).to_be_visible()
        await self.look("kiosk", person.page)
        await person.button(person.link("kiosk.scan.start")).click()
        await expect(person.page.get_by_text(person.link("kiosk.scan.looking"))).to_be_visible()
        await self.look("kiosk-camera", person.page)
        await person.button(person.link("kiosk.scan.stop")).click()
        await person.page.get_by_label(person.link("kiosk.field.label")).fill("half a link")
        await person.button(person.link("kiosk.field.open")).click()
        await expect(person.page.get_by_text(person.link("kiosk.field.notLink"))).to_be_visible()
        await self.look("kiosk-not-a-link", person.page)
        await person.hand_over(url)

    async def _choosing(self, person: ParticipantPage) -> None:
        await person.page.get_by_label(person.arriving("choose.field")).fill("river")
        await person.button(person.arriving("choose.begin")).click()
        await expect(person.page.get_by_role("alert")).to_be_visible()
        await self.look("arrive-too-short", person.page)
        await person.button(person.arriving("shared.suggestion.four")).click()
        await expect(
            person.page.get_by_text(person.arriving("shared.suggestion.given"))
        ).to_be_visible()
        await self.look("arrive-suggested", person.page)

    async def participant(self) -> None:
        """A participant's pages, with letters and a video in every state that they may see."""
        waiting = await self.scene.waiting()
        other = await self.scene.claim(waiting.responsible_url)
        with tempfile.TemporaryDirectory() as folder:
            file = await asyncio.to_thread(film, Path(folder) / "film.mp4", 3)
            async with self.guest() as guest:
                person = await ParticipantPage.begin(guest, waiting.harmed_url, self.language)
                await self.look("home-empty", person.page)
                await self._writing(person)
                await self._sending(person, file)
                await verify_everybody(waiting.mediator, waiting.case_id)
                me = await Participant.unlock(
                    self.scene.people.connection, waiting.harmed_url, PASSPHRASE
                )
                await returned_letter(waiting, me, waiting.responsible_id)
                letter = await approved_letter(waiting, other, waiting.harmed_id)
                await waiting.mediator.offer(letter, note=NOTE)
                video = await approved_video(waiting, other, waiting.harmed_id, file)
                await self._standing(person)
                await self._receiving(person, NOTE, ("text",))
                await waiting.mediator.offer(video, note=NOTE)
                await self._receiving(person, NOTE, ("transcript", "sound", "video"))
                await self._taking_part(person)
                await person.button(person.arriving("lock")).click()
                await expect(
                    person.page.get_by_label(person.arriving("back.field"), exact=True)
                ).to_be_visible()
                await self.look("come-back", person.page)
                await person.type_passphrase("something else")
                await expect(person.page.get_by_text(person.arriving("back.wrong"))).to_be_visible()
                await self.look("wrong-passphrase", person.page)
                for _ in range(4):
                    with contextlib.suppress(Problem):
                        await Participant.unlock(
                            self.scene.people.connection, waiting.harmed_url, "a guess of somebody"
                        )
                await person.type_passphrase("something else")
                await expect(
                    person.page.get_by_text(person.arriving.pattern("back.wait"))
                ).to_be_visible()
                await self.look("too-many-tries", person.page)

    async def _writing(self, person: ParticipantPage) -> None:
        await person.button(person.home("home.newLetter")).click()
        await expect(person.heading(person.sending("letter.heading"))).to_be_visible()
        await person.page.get_by_text(person.sending("letter.questions")).click()
        await person.page.get_by_label(person.sending("letter.field"), exact=True).fill(LETTER)
        await self.look("write", person.page)
        await person.button(person.sending("letter.preview")).click()
        await expect(person.heading(person.sending("preview.heading"))).to_be_visible()
        await self.look("preview", person.page)
        await person.button(person.sending("preview.send")).click()
        await expect(person.heading(person.sending("done.heading"))).to_be_visible()
        await self.look("sent", person.page)
        await person.button(person.sending("done.home")).click()
        await person.at_home()

    async def _sending(self, person: ParticipantPage, file: Path) -> None:
        await person.button(person.home("home.newVideo")).click()
        await expect(person.heading(person.sending("video.heading"))).to_be_visible()
        await self.look("video", person.page)
        await person.button(person.sending("video.record")).click()
        await expect(person.page.locator("relay-recorder")).to_be_visible()
        await self.look("record", person.page)
        await self._recording(person)
        await person.button(person.sending("video.file")).click()
        await person.page.get_by_label(person.sending("video.fileLabel")).set_input_files(file)
        await expect(person.button(person.sending("video.send"))).to_be_visible()
        await self.look("video-chosen", person.page)
        person.guest.wire.hold("/uploads")
        await person.button(person.sending("video.send")).click()
        await expect(person.heading(person.sending("progress.heading"))).to_be_visible()
        await self.look("progress", person.page)
        person.guest.wire.let_go()
        await person.has_arrived()

    async def _recording(self, person: ParticipantPage) -> None:
        await person.button(person.capture("video.start")).click()
        await expect(person.button(person.capture("record"))).to_be_visible()
        await self.look("record-ready", person.page)
        await person.begin_recording(1, "voice")
        await self.look("record-voice", person.page)
        await person.button(person.capture("stop")).click()
        await expect(person.page.get_by_label(person.capture("preview"))).to_be_visible()
        await self.look("recorded", person.page)
        await person.button(person.capture("again")).click()
        await expect(person.page.get_by_role("dialog")).to_be_visible()
        await self.look("record-again", person.page)
        await person.button(person.capture("againNot")).click()
        await person.go_home()
        await person.button(person.sending("takes.listen")).click()
        await expect(person.page.locator("relay-takes audio")).to_be_visible()
        await self.look("recording-kept", person.page)
        await person.button(person.sending("takes.discard")).click()
        dialog = person.page.get_by_role("dialog")
        await dialog.get_by_role("button", name=person.sending("takes.discard")).click()
        await expect(person.page.locator("relay-takes li")).to_have_count(0)
        await person.button(person.home("home.newVideo")).click()

    async def _standing(self, person: ParticipantPage) -> None:
        await person.shows_state("sent-back")
        await expect(person.button(person.home("home.look")).first).to_be_visible()
        await self.look("home", person.page)
        await person.sent(person.home("author.sent-back.name")).get_by_role("button").click()
        await expect(person.page.get_by_text(GUIDANCE)).to_be_visible()
        await self.look("sent-back", person.page)
        await person.button(person.home("sent.withdraw")).click()
        await expect(person.page.get_by_role("dialog")).to_be_visible()
        await self.look("withdraw", person.page)
        await person.button(person.home("sent.keep")).click()
        await person.go_home()

    async def _receiving(self, person: ParticipantPage, note: str, steps: tuple[str, ...]) -> None:
        await person.button(person.home("home.look")).first.click()
        await expect(person.page.get_by_text(note)).to_be_visible()
        await self.look(f"offer-{steps[0]}", person.page)
        await person.button(person.opening("offer.refuse")).click()
        await expect(person.page.get_by_role("dialog")).to_be_visible()
        await self.look(f"refuse-{steps[0]}", person.page)
        await (
            person.page.get_by_role("dialog")
            .get_by_role("button", name=person.home("home.cancel"))
            .click()
        )
        await person.button(person.opening("offer.accept")).click()
        await expect(person.heading(person.opening("steps.heading"))).to_be_visible()
        await self.look(f"steps-{steps[0]}", person.page)
        for step in steps:
            await person.open_step(step)
            await expect(
                person.page.get_by_role("button", name=person.opening("steps.hide"))
            ).to_be_visible()
            await self.look(f"step-{step}", person.page)
        await person.button(person.opening("steps.stop")).click()
        await expect(person.heading(person.opening("steps.stopHeading"))).to_be_visible()
        await self.look("stopped", person.page)
        await person.button(person.opening("steps.leave")).click()
        await person.at_home()

    async def _taking_part(self, person: ParticipantPage) -> None:
        await person.button(person.home("home.takingPart")).click()
        await expect(person.heading(person.home("part.heading"))).to_be_visible()
        await self.look("taking-part", person.page)
        await person.button(person.home("part.end")).click()
        await expect(person.page.get_by_role("dialog")).to_be_visible()
        await self.look("end-contact", person.page)
        await (
            person.page.get_by_role("dialog")
            .get_by_role("button", name=person.home("home.cancel"))
            .click()
        )
        await person.go_home()

    async def mediator(self) -> None:
        """The console, with a letter and a video in the queue."""
        waiting = await self.scene.waiting()
        one = await self.scene.claim(waiting.harmed_url)
        other = await self.scene.claim(waiting.responsible_url)
        case = f"case {waiting.case_id}"
        async with self.guest() as guest:
            page = await guest.open(f"{self.scene.url}/console")
            console = MediatorPage(page, self.language)
            await expect(console.heading("unlock.noFingerprint")).to_be_visible()
            await self.look("console-no-fingerprint", page)
            await page.goto("about:blank")
            await page.goto(self.scene.console_url)
            await expect(console.heading("unlock.title")).to_be_visible()
            await self.look("console-import", page)
            await self._another_root(console)
            await page.get_by_text(console.words("unlock.make"), exact=True).click()
            await console.button("shared.suggestion.six").click()
            await expect(page.get_by_text(console.words("shared.suggestion.given"))).to_be_visible()
            await self.look("console-make-keys", page)
            await console.import_keys(self.scene.mediator)
            await expect(console.button("unlock.open")).to_be_visible()
            await self.look("console-unlock", page)
            await console.unlock(self.scene.mediator)
            early = await one.send_letter(other.participant_id, LETTER)
            await console.see(case)
            await expect(console.button("claim.check")).to_be_visible()
            await self.look("console-unchecked", page)
            await one.withdraw(early.message)
            await self._case(console, case)
            await revised_letter(waiting, one, other.participant_id)
            await self._letter(console, case)
            with tempfile.TemporaryDirectory() as folder:
                file = await asyncio.to_thread(film, Path(folder) / "film.mp4", 3)
                await prepared_video(waiting, one, other.participant_id, file)
            await self._video(console, case)
            await self._rest(console, guest)

    async def _another_root(self, console: MediatorPage) -> None:
        page = console.page
        await page.goto(f"{self.scene.url}/console#{b64u_encode(bytes(16))}")
        await expect(console.heading("roots.title")).to_be_visible()
        await page.get_by_text(console.words("roots.told")).click()
        await console.button("roots.trust").click()
        await self.look("console-another-root", page)
        await page.get_by_label(console.words("roots.compared")).check()
        await console.button("roots.trust").click()
        choice = page.get_by_label(console.words("roots.choose"))
        await expect(choice).to_be_visible()
        await self.look("console-two-roots", page)
        await choice.select_option(b64u_encode(self.scene.people.administrator.fingerprint))

    async def _case(self, console: MediatorPage, case: str) -> None:
        await console.go("cases")
        await expect(console.page.get_by_role("button", name=case)).to_be_visible()
        await self.look("console-cases", console.page)
        await console.page.get_by_role("button", name=case).click()
        await expect(console.button("claim.check").first).to_be_visible()
        await console.button("case.timelineShow").click()
        await expect(
            console.page.get_by_text(console.words("event.case-registered")).first
        ).to_be_visible()
        await self.look("console-case", console.page)
        await console.button("claim.check").first.click()
        await expect(console.button("claim.same")).to_be_visible()
        await self.look("console-claim", console.page)
        await console.button("claim.notThem").click()
        await expect(console.button("ending.do")).to_be_visible()
        await self.look("console-not-them", console.page)
        await console.button("cancel").click()
        await console.check_claims()
        await console.button("case.endLink").first.click()
        await expect(console.page.get_by_role("radio")).to_have_count(2)
        await self.look("console-end-link", console.page)
        await console.button("cancel").click()
        await console.button("readers.change").click()
        await expect(console.button("readers.sign")).to_be_visible()
        await self.look("console-mediators", console.page)
        await console.button("cancel").click()
        await console.button("case.recordConsent").first.click()
        await expect(console.page.get_by_role("dialog")).to_be_visible()
        await self.look("console-consent", console.page)
        await console.button("cancel").click()
        await console.button("case.makeUpload").first.click()
        await expect(console.page.get_by_role("dialog")).to_be_visible()
        await self.look("console-link", console.page)
        await (
            console.page.get_by_role("dialog")
            .get_by_role("button", name=console.words("address.sheet"))
            .click()
        )
        await expect(console.page.get_by_text(console.words("sheet.hello"))).to_be_visible()
        await self.look("console-sheet", console.page)

    async def _letter(self, console: MediatorPage, case: str) -> None:
        page = console.page
        await console.go("queue")
        await expect(await console.entry(case)).to_be_visible()
        await page.get_by_text(console.words("queue.filters")).click()
        await self.look("console-queue", page)
        await console.take(case)
        await page.locator("console-history summary").click()
        await page.locator("console-history li").first.get_by_role("button").first.click()
        await expect(page.locator("console-history li .letter")).to_be_visible()
        await expect(page.locator("console-history ins").first).to_be_visible()
        await self.look("console-letter", page)
        for choice in ("approve", "return", "decline", "hold"):
            await console.button(f"choice.{choice}").click()
            await expect(page.get_by_role("dialog")).to_be_visible()
            await self.look(f"console-{choice}", page)
            await console.button("cancel").click()
        await console.approve()
        await console.button("choice.offer").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await self.look("console-offer", page)
        await console.button("cancel").click()

    async def _video(self, console: MediatorPage, case: str) -> None:
        page = console.page
        await console.take(case)
        await self.look("console-video", page)
        await console.button("choice.approve").click()
        await expect(page.get_by_role("dialog").get_by_role("checkbox")).to_be_visible()
        await self.look("console-unwatched", page)
        await console.button("cancel").click()
        await console.button("review.showVideo").click()
        await expect(page.locator("video")).to_be_visible()
        await self.look("console-video-open", page)
        await console.button("choice.caption").click()
        await expect(console.heading("captions.title")).to_be_visible()
        await console.button("captions.add").click()
        await self.look("console-captions", page)

    async def _rest(self, console: MediatorPage, guest: Visitor) -> None:
        page = console.page
        await console.go("letter")
        await expect(console.field("letter.words")).to_be_visible()
        await self.look("console-relay", page)
        await console.go("keys")
        await expect(console.button("ownKeys.do")).to_be_visible()
        await self.look("console-keys", page)
        await console.go("cases")
        await console.button("cases.new").click()
        await expect(console.heading("newCase.title")).to_be_visible()
        await self.look("console-new-case", page)
        await console.button("nav.shortcuts").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await self.look("console-shortcuts", page)
        await console.button("close").click()
        guest.wire.alter("/v1/credentials", forging.CREDENTIALS)
        await page.reload()
        await page.get_by_label(console.words("unlock.passphrase"), exact=True).fill(PASSPHRASE)
        await console.button("unlock.open").click()
        await expect(console.heading("untrusted.title")).to_be_visible()
        await self.look("console-untrusted", page)
