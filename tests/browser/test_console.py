"""A mediator's acts in the console on a real relay, each seen by whom it concerns alone."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import expect

from relay.client.casework import DEFAULT_POLICY
from relay.crypto.statements import Policy
from relay.testing.letters import LETTER, NOTE
from relay.testing.people import verify_everybody
from tests.support.browser.casework import LANGUAGES, CasePage
from tests.support.browser.mediators import PREPARED_MS, MediatorPage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene, Waiting
from tests.support.browser.video_files import film
from tests.support.browser.visitors import Visit
from tests.support.browser.words import Words

WORDS: Final = "Let us find another way together. I will call you."
FILM_SECONDS: Final = 3
ROLES: Final = ("harmed", "harmed-family", "representative", "responsible", "responsible-family")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The author and the recipient in browsers of their own, and a mediator at the console."""

    waiting: Waiting
    case: str
    author: ParticipantPage
    recipient: ParticipantPage
    mediator: CasePage


@pytest_asyncio.fixture(loop_scope="session")
async def cast(scene: Scene, visit: Visit) -> Cast:
    """An open case, both links claimed and their keys checked."""
    return await _cast(scene, visit)


async def _cast(scene: Scene, visit: Visit, policy: Policy = DEFAULT_POLICY) -> Cast:
    waiting = await scene.waiting(policy)
    author = await ParticipantPage.begin(await visit(), waiting.harmed_url)
    recipient = await ParticipantPage.begin(await visit(), waiting.responsible_url)
    await verify_everybody(waiting.mediator, waiting.case_id)
    return Cast(
        waiting=waiting,
        case=f"case {waiting.case_id}",
        author=author,
        recipient=recipient,
        mediator=await CasePage.open(await visit(), scene, scene.mediator),
    )


async def test_a_letter_is_held_put_back_and_declined(cast: Cast) -> None:
    """A hold tells its author nothing; a decline closes it, with words for the author alone."""
    author, mediator = cast.author, cast.mediator
    await author.write(LETTER)
    await mediator.take(cast.case)
    await mediator.decide("hold", reason="readiness")
    await mediator.shows_state("held")
    await author.shows_state("in-review")
    await mediator.decide("resume")
    await mediator.shows_state("queued")
    await mediator.take(cast.case)
    await mediator.decide("decline", reason="not-for-this-way", words=WORDS)
    await mediator.shows_state("declined")
    await author.shows_state("closed")
    await author.open_sent("closed")
    await expect(author.page.get_by_text(WORDS)).to_be_visible()
    await expect(author.page.get_by_text(mediator.words("decision.hold"))).to_have_count(0)
    await cast.recipient.has_nothing()


async def test_an_offer_waits_for_its_day_is_taken_back_and_recalled(cast: Cast) -> None:
    """What is offered later is not seen before; what is taken back is gone; what is recalled says so."""
    author, mediator, recipient = cast.author, cast.mediator, cast.recipient
    await author.write(LETTER)
    await mediator.take(cast.case)
    await mediator.approve()
    await mediator.decide("reopen")
    await mediator.shows_state("queued")
    await mediator.take(cast.case)
    await mediator.approve()
    later = (datetime.now().astimezone() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    await mediator.offer(NOTE, not_before=later)
    await mediator.shows_state("offered")
    await expect(
        mediator.page.get_by_text(mediator.words.pattern("review.offeredLater"))
    ).to_be_visible()
    await recipient.page.reload()
    await recipient.unlock()
    await recipient.has_nothing()
    await mediator.decide("retract")
    await mediator.shows_state("approved")

    await mediator.offer(NOTE)
    await recipient.is_waiting()
    await mediator.decide("retract")
    await recipient.has_nothing()

    await mediator.offer(NOTE)
    await recipient.accept(NOTE)
    await mediator.see(cast.case, "released")
    await mediator.decide("recall")
    await mediator.shows_state("recalled")
    await recipient.page.reload()
    await recipient.unlock()
    gone = recipient.home("received.not-available.name")
    await expect(recipient.page.get_by_text(gone).first).to_be_visible()
    await author.shows_state("with-mediator")


async def test_two_approvals_are_given_by_two_people(scene: Scene, visit: Visit) -> None:
    """After the first the message waits for a colleague; the mediator who gave it cannot give the second."""
    policy = Policy(approvals=2, captions="optional", server_processing=True, retention_days=365)
    cast = await _cast(scene, visit, policy)
    first = cast.mediator
    second = await MediatorPage.open(await visit(), scene, scene.colleague)
    await cast.author.write(LETTER)
    await first.take(cast.case)
    await first.approve()
    await first.waits_for_another()
    await expect(first.page.get_by_text(first.words("queue.approvals", 1, 2))).to_be_visible()
    await expect(first.page.get_by_text(first.words("review.approvedByYou"))).to_be_visible()
    await first.input.press(first.button("choice.lease"))
    await expect(first.page.get_by_text(first.words("review.approvedByYouMine"))).to_be_visible()
    await expect(first.button("choice.return")).to_be_visible()
    await expect(first.button("choice.approve")).to_have_count(0)
    await first.page.keyboard.press("a")
    await expect(first.page.get_by_role("dialog")).to_have_count(0)
    await first.input.press(first.button("choice.let-go"))
    await expect(first.heading("queue.title")).to_be_visible()
    await second.take(cast.case)
    await expect(second.page.get_by_text(second.words("review.approvedByYouMine"))).to_have_count(0)
    await second.approve()
    await second.shows_state("approved")
    await second.offer(NOTE)
    await cast.recipient.accept(NOTE)


async def test_what_is_pressed_while_a_page_still_loads_is_done(scene: Scene, visit: Visit) -> None:
    """A case shows its people before its messages are there: what is asked for meanwhile comes after them."""
    waiting = await scene.waiting()
    guest = await visit()
    mediator = await CasePage.open(guest, scene, scene.mediator)
    guest.wire.hold("/v1/queue?")
    await mediator.at_case(f"case {waiting.case_id}")
    person = mediator.person("harmed")
    await person.get_by_role("button", name=mediator.act("case.makeUpload")).click()
    await expect(mediator.dialog).to_have_count(0)
    guest.wire.let_go()
    assert await mediator.read_address()


@pytest.mark.parametrize("purpose", ["Participate", "Upload"])
async def test_a_sheet_is_printed_with_all_that_is_on_it(
    scene: Scene, visit: Visit, purpose: str
) -> None:
    """A page in each language, with the address and the code; the rest of the console stays on the screen.

    A strip to cut off says whose it is. What is left tells anyone who sees it of no case and no part in it.
    """
    waiting = await scene.waiting()
    page = await CasePage.open(await visit(), scene, scene.mediator)
    await page.at_case(f"case {waiting.case_id}")
    make = page.act(f"case.make{purpose}")
    await page.person("harmed").get_by_role("button", name=make).click()
    await page.dialog.get_by_role("button", name=page.words("address.sheet")).click()
    sheets = page.page.locator("console-sheet section")
    await expect(sheets).to_have_count(2)
    await page.page.emulate_media(media="print")
    printed = await page.page.pdf()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == len(LANGUAGES)
    mark = str(waiting.harmed_id)[-4:]
    for sheet, language in zip(await sheets.all(), LANGUAGES, strict=True):
        words = Words("console", language)
        await expect(sheet.locator("p > .code").first).to_contain_text(f"{scene.url}/")
        await expect(sheet.get_by_role("img")).to_be_visible()
        whose = words("sheet.whose", words("people.role.harmed"), f"case {waiting.case_id}")
        strip = sheet.locator(".strip")
        await expect(strip).to_contain_text(whose)
        await expect(strip).to_contain_text(words("finding.mark", mark))
        await strip.evaluate("(strip) => strip.remove()")
        kept = await sheet.inner_text()
        assert mark in kept
        for told in (str(waiting.case_id), *(words(f"people.role.{role}") for role in ROLES)):
            assert told not in kept
    await expect(page.button("print")).to_be_hidden()
    await page.page.emulate_media(media="screen")


async def test_no_key_leaves_a_form_that_is_being_filled_in(scene: Scene, visit: Visit) -> None:
    """A letter key that is pressed on a box to tick, or on the button, is no shortcut: the words stay."""
    waiting = await scene.waiting()
    page = await CasePage.open(await visit(), scene, scene.mediator)
    await page.go("letter")
    await page.field("letter.case").select_option(label=f"case {waiting.case_id}")
    words = page.field("letter.words")
    await words.fill(WORDS)
    for control in (page.page.get_by_role("checkbox"), page.button("letter.do")):
        await control.focus()
        for key in ("u", "g", "j", "a", "?"):
            await page.page.keyboard.press(key)
        await expect(words).to_have_value(WORDS)
        await expect(page.dialog).to_have_count(0)


async def test_the_cases_are_listed_without_a_request_for_each(scene: Scene, visit: Visit) -> None:
    """Whether a charter is out of date is seen in the list itself."""
    await scene.waiting()
    guest = await visit()
    mediator = await CasePage.open(guest, scene, scene.mediator)
    await mediator.go("cases")
    await expect(mediator.page.locator(".lines > li").nth(1)).to_be_visible()
    assert guest.wire.to_relay("/charters") == []


async def test_a_case_is_opened_and_a_lost_link_made_up_for(scene: Scene, visit: Visit) -> None:
    """Keys, charter and links are made in the console; with a new link one reads again what was released."""
    mediator = await CasePage.open(await visit(), scene, scene.mediator)
    reference = f"2026-{uuid.uuid4().hex[:8]}"
    await mediator.open_case(reference)
    author_url, recipient_url = (
        await mediator.link_for("harmed"),
        await mediator.link_for("responsible"),
    )
    author = await ParticipantPage.begin(await visit(), author_url)
    recipient = await ParticipantPage.begin(await visit(), recipient_url)
    await mediator.at_case(reference)
    await mediator.check_claims()
    await author.write(LETTER)
    await mediator.take(reference)
    await mediator.approve()
    await mediator.offer(NOTE)
    await recipient.accept(NOTE)
    await recipient.open_step("text")
    await expect(recipient.page.get_by_text(LETTER)).to_be_visible()

    await mediator.at_case(reference)
    new_url = await mediator.new_link_for("responsible")
    again = await ParticipantPage.begin(await visit(), new_url)
    await again.has_nothing()
    recipient.guest.expects("status of 4")
    await mediator.at_case(reference)
    await mediator.check_claims()
    lost = await visit()
    lost.expects("status of 4")
    closed = await ParticipantPage.arrive(lost, recipient_url)
    lost.address_may_stay = True
    await expect(closed.heading(closed.arriving("problem.no-such-link.heading"))).to_be_visible()
    await again.open_again()
    await again.open_step("text")
    await expect(again.page.get_by_text(again.arriving("olderKey"))).to_be_visible()
    await again.go_home()
    await mediator.at_case(reference)
    await mediator.grant_again("responsible")
    await expect(mediator.page.get_by_text("Access to one message was restored.")).to_be_visible()
    await again.open_again()
    await again.open_step("text")
    await expect(again.page.get_by_text(LETTER)).to_be_visible()
    timeline = await mediator.timeline()
    for event in ("charter-filed", "link-replaced", "claim-verified", "approve", "granted-again"):
        await expect(timeline).to_contain_text(mediator.words(f"event.{event}"))
    for raw in await timeline.get_by_role("listitem").all_inner_texts():
        assert "-" not in raw.rpartition("(")[0].split("\n")[-1], raw


async def test_what_people_said_and_a_no_contact_order_stand_in_the_way(
    scene: Scene, cast: Cast
) -> None:
    """A pause, an order, and a withdrawal that a mediator wrote down count at once; each says what to do."""
    author, mediator, waiting = cast.author, cast.mediator, cast.waiting
    await author.write(LETTER)
    await mediator.take(cast.case)
    await mediator.approve()
    await expect(mediator.button("choice.offer")).to_be_visible()
    await mediator.at_case(cast.case)
    await mediator.record("responsible", "paused")
    pair = (waiting.case_id, waiting.harmed_id, waiting.responsible_id)
    await scene.people.case_system.set_no_contact(*pair, no_contact=True)
    await mediator.see(cast.case, "approved")
    for gate in ("recipient-consent", "no-contact"):
        await expect(mediator.page.get_by_text(mediator.words(f"gate.{gate}.is"))).to_be_visible()
    await expect(mediator.button("choice.reopen")).to_be_visible()
    await expect(mediator.button("choice.offer")).to_have_count(0)
    await mediator.at_case(cast.case)
    await expect(
        mediator.page.get_by_text(mediator.words.pattern("case.noContactBetween"))
    ).to_be_visible()
    await mediator.record("responsible", "active")
    await scene.people.case_system.set_no_contact(*pair, no_contact=False)
    await mediator.see(cast.case, "approved")
    await expect(mediator.button("choice.offer")).to_be_visible()

    await mediator.record_withdrawal()
    await mediator.shows_state("withdrawn")
    await author.shows_state("closed")
    await cast.recipient.has_nothing()


async def test_a_letter_is_relayed_for_somebody_who_confirmed_it(cast: Cast) -> None:
    """Without their word it is not sent; its reader learns that a mediator wrote it down."""
    mediator, recipient = cast.mediator, cast.recipient
    await mediator.relay(cast.case, mediator.words("people.role.harmed"), LETTER)
    await expect(mediator.page.get_by_text(LETTER)).to_be_visible()
    await expect(
        mediator.page.get_by_text(mediator.words.pattern("review.originMediator"))
    ).to_be_visible()
    await mediator.take(cast.case)
    await mediator.approve()
    await mediator.offer(NOTE)
    await recipient.accept(NOTE)
    await recipient.open_step("text")
    await expect(recipient.page.get_by_text(LETTER)).to_be_visible()
    await expect(recipient.page.get_by_text(recipient.opening("steps.relayed"))).to_be_visible()
    await cast.author.shows_state("with-mediator")


async def test_a_video_that_cannot_be_prepared_is_explained_and_tried_again(
    scene: Scene, cast: Cast, tmp_path: Path
) -> None:
    """The console says what is the matter with the file; another try is another job of a worker."""
    mediator = cast.mediator
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0" * 4096)
    await cast.author.send_video(broken)
    await cast.author.shows_state("not-prepared")
    await mediator.see(cast.case, "failed")
    await expect(mediator.page.get_by_text(mediator.words("review.failed"))).to_be_visible()
    await mediator.decide("retry")
    await expect(mediator.button("choice.retry")).to_be_visible(timeout=PREPARED_MS)
    await expect(mediator.page.get_by_text(mediator.words("decision.retry"))).to_be_visible()


async def test_a_video_without_captions_needs_a_reason_where_the_charter_asks(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """Until there are captions or a reason for none, nothing is offered; the reason is shown."""
    policy = Policy(approvals=1, captions="required", server_processing=True, retention_days=365)
    cast = await _cast(scene, visit, policy)
    mediator = cast.mediator
    file = await asyncio.to_thread(film, tmp_path / "film.mp4", FILM_SECONDS)
    await cast.author.send_video(file)
    await mediator.take(cast.case)
    await mediator.except_captions("no-speech")
    reason = mediator.words("captions.exceptions.no-speech")
    await expect(
        mediator.page.get_by_text(mediator.words("review.captionException", reason))
    ).to_be_visible()
    await mediator.approve_unwatched()
    await mediator.offer(NOTE)
    await cast.recipient.accept(NOTE)
    await cast.recipient.open_step("video")
    await cast.recipient.play()
