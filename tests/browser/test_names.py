"""A case system's page names people, and is told how the console stands: what is shown, and what stays."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from pathlib import Path
from typing import Final

from playwright.async_api import Frame, FrameLocator, Locator, Page, expect

from relay.crypto.keyrings import generate_keyring, seal_keyring
from relay.testing.letters import LETTER, NOTE
from relay.testing.people import PASSPHRASE, register_case, verify_everybody
from tests.support.browser.axe import violations_here
from tests.support.browser.embedding import (
    OTHER_ORIGIN,
    hears,
    rename,
    settings_of,
    show,
    told,
    unlock,
    work_in,
)
from tests.support.browser.leaks import found_in, needles_of, stored
from tests.support.browser.scene import Scene, Waiting, with_mediators_of_its_own
from tests.support.browser.tour import approved_letter
from tests.support.browser.visitors import Visit
from tests.support.browser.words import Words
from tests.support.relays import WORK_FACTOR_LOG2

WORDS: Final = Words("console", "en")
CLAIRE: Final = "Claire Tremblay-Qwertzuiopasdfgh"
DENIS: Final = "Denis Asdfghjklyxcvbnm-Roy"
OTHER: Final = "Robin Yxcvbnmasdfghjk-Sample"
FAMILY: Final = "Tremblay and Asdfghjklyxcvbnm"
FORGED: Final = f"<img src=x onerror=alert(1)>\u202e{'W' * 70} “person responsible”"
PARTS: Final = ("Qwertzuiopasdfgh", "Asdfghjklyxcvbnm", "Yxcvbnmasdfghjk")
"""A word of each name, which stays what it is in an address."""
WIDER: Final = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


def names_of(
    case: Waiting, harmed: str = CLAIRE, responsible: str = DENIS
) -> dict[str, dict[str, str]]:
    """What the case system calls the two of a case."""
    return {
        "participants": {str(case.harmed_id): harmed, str(case.responsible_id): responsible},
        "cases": {str(case.case_id): FAMILY},
    }


async def to_offer(scene: Scene) -> tuple[Waiting, uuid.UUID]:
    """A case in which a letter is approved and another one waits."""
    case = await scene.waiting()
    sender, _ = [await scene.claim(url) for url in (case.harmed_url, case.responsible_url)]
    await verify_everybody(case.mediator, case.case_id)
    approved = await approved_letter(case, sender, case.responsible_id)
    await sender.send_letter(case.responsible_id, LETTER)
    return case, approved.message


def inside(page: Page) -> Frame:
    """The document of the console."""
    return page.frames[1]


def go(frame: FrameLocator, key: str) -> Locator:
    """An entry of the navigation."""
    return frame.get_by_role("navigation").get_by_role("button", name=WORDS(f"nav.{key}"))


def mark(person: uuid.UUID) -> str:
    """What stands on the sheets of somebody."""
    return WORDS("finding.mark", str(person)[-4:])


async def nothing_left(page: Page, case: Waiting) -> None:
    """No name is in what the console stores, nor in what it tells the page around, where the case is."""
    shown = await inside(page).evaluate("document.title")
    around = await page.locator("iframe").get_attribute("title")
    said = f"{json.dumps(await told(page))} {shown} {around}"
    assert found_in(await stored(inside(page)), needles_of(PARTS)) == []
    assert [name for name in (*PARTS, LETTER) if name in said] == []
    assert str(case.case_id) in said


async def test_names_stand_beside_roles_on_every_screen_and_stay_in_memory(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """In the queue, the cases, a case, a message, every question; in no request, store or title."""
    scene = await with_mediators_of_its_own(scene, tmp_path)
    case, _ = await to_offer(scene)
    guest = await visit(also=[scene.embedding_url.rstrip("/")])
    guest.keeps_secret(*PARTS)
    page = await guest.open(scene.embedding_url)
    frame = await work_in(guest, page, scene, names=names_of(case))
    main = frame.get_by_role("main")
    dialog = frame.get_by_role("dialog")
    cancel = dialog.get_by_role("button", name=WORDS("cancel"))

    row = frame.locator("ol.queue > li").filter(has_text=f"case {case.case_id}").first
    for text in (CLAIRE, DENIS, FAMILY, WORDS("people.role.harmed")):
        await expect(row).to_contain_text(text)
    await expect(frame.locator("#filter-case")).to_contain_text(FAMILY)

    await go(frame, "cases").click()
    await frame.get_by_label(WORDS("finding.label")).fill("asdfghjklyxcvbnm-roy")
    found = frame.get_by_role("button", name=f"case {case.case_id} “\u2068{FAMILY}\u2069”")
    await expect(main).to_contain_text(f"{WORDS('people.role.responsible')} “\u2068{DENIS}\u2069”")
    await found.click()
    heading = frame.get_by_role("heading", level=1)
    await expect(heading).to_contain_text(FAMILY)
    card = frame.get_by_role("region", name=CLAIRE)
    await expect(card.get_by_role("heading", level=3)).to_contain_text(WORDS("people.role.harmed"))
    for asked in ("recordConsent", "newLink", "grantAgain"):
        await card.get_by_role("button", name=WORDS(f"case.{asked}")).click()
        await expect(dialog.get_by_text(mark(case.harmed_id))).to_be_visible()
        await expect(dialog.get_by_text(WORDS("people.calledNote"))).to_be_visible()
        await cancel.click()
    await frame.get_by_role("button", name=WORDS("case.timelineShow")).click()
    await expect(frame.locator("ol.timeline")).to_contain_text(CLAIRE)

    await card.get_by_role("button", name=WORDS("case.makeUpload")).click()
    await expect(dialog).to_contain_text(CLAIRE)
    await dialog.get_by_role("button", name=WORDS("address.sheet")).click()
    await expect(frame.locator(".printed")).to_have_count(2)
    await expect(main).not_to_contain_text(CLAIRE)
    await frame.get_by_role("button", name=WORDS("back"), exact=True).click()

    await go(frame, "letter").click()
    await frame.locator("#letter-case").select_option(str(case.case_id))
    await frame.locator("#letter-from").select_option(str(case.responsible_id))
    await expect(frame.locator("#letter-to")).to_contain_text(CLAIRE)
    await expect(main.get_by_text(WORDS("people.calledNote"))).to_have_count(2)

    await go(frame, "queue").click()
    await row.get_by_role("button").first.click()
    await expect(heading).to_contain_text(f"{WORDS('people.role.harmed')} “\u2068{CLAIRE}\u2069”")
    for text in (CLAIRE, DENIS, FAMILY, mark(case.responsible_id)):
        await expect(main).to_contain_text(text)

    await nothing_left(page, case)
    await frame.get_by_role("button", name=WORDS("lock"), exact=True).click()
    await expect(frame.locator("body")).not_to_contain_text(CLAIRE)
    await guest.open(
        f"{scene.url}/console"
    )  # what this origin keeps is looked at when the test ends


async def test_an_offer_says_who_it_is_for_whatever_the_name_says(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """Role and mark first; a name that the page replaces while somebody decides is told at once."""
    scene = await with_mediators_of_its_own(scene, tmp_path)
    case, approved = await to_offer(scene)
    guest = await visit(also=[scene.embedding_url.rstrip("/")])
    page = await guest.open(scene.embedding_url)
    frame = await work_in(guest, page, scene, names=names_of(case), message=str(approved))
    await frame.get_by_role("button", name=WORDS("choice.offer"), exact=True).click()
    dialog = frame.get_by_role("dialog")
    whom = dialog.locator(".note").first
    await expect(whom).to_contain_text(
        f"{WORDS('people.role.responsible')}, {mark(case.responsible_id)}"
    )
    await expect(whom).to_contain_text(f"{WORDS('people.called')} {DENIS}")
    await expect(whom).to_contain_text(WORDS("people.calledNote"))
    changed = dialog.get_by_role("alert").filter(has_text=DENIS)
    await expect(changed).to_have_count(0)
    note = dialog.get_by_label(WORDS("offer.contentNote"))
    await note.fill(NOTE)

    await rename(page, names_of(case, responsible=OTHER))
    await expect(changed).to_contain_text(WORDS("people.calledBefore", f"\u2068{DENIS}\u2069"))
    await expect(whom).to_contain_text(f"{WORDS('people.called')} {OTHER}")
    await expect(whom).to_contain_text(mark(case.responsible_id))
    await expect(note).to_have_value(NOTE)

    await rename(page, {"participants": {}, "cases": {}})
    await expect(whom).to_contain_text(WORDS("people.role.responsible"))
    await expect(dialog).not_to_contain_text(OTHER)
    refused = await page.evaluate(
        "() => { try { opened.setNames({ participants: { me: 'x' } }) } catch (e) { return e.name } }"
    )
    assert refused == "TypeError"
    await dialog.get_by_role("button", name=WORDS("offer.do"), exact=True).click()
    await expect(frame.get_by_text(WORDS("form.done.offer"), exact=True)).to_be_visible()


async def test_a_name_is_text_and_has_room_on_a_small_screen(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """Markup and reversed letters are shown for what they are; nothing is wider than a narrow screen."""
    scene = await with_mediators_of_its_own(scene, tmp_path)
    case, approved = await to_offer(scene)
    guest = await visit(also=[scene.embedding_url.rstrip("/")], narrow=True)
    page = await guest.open(scene.embedding_url)
    names = {**names_of(case, FORGED, FORGED), "cases": {str(case.case_id): FORGED}}
    frame = await work_in(guest, page, scene, names=names, message=str(approved))
    main = frame.get_by_role("main")
    await expect(main.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
    await expect(frame.locator("img[src=x]")).to_have_count(0)
    assert "\u202e" not in await inside(page).evaluate("document.body.innerHTML")
    assert not await inside(page).evaluate(WIDER)
    await frame.get_by_role("button", name=WORDS("choice.offer"), exact=True).click()
    await expect(frame.get_by_role("dialog")).to_contain_text(mark(case.responsible_id))
    assert not await inside(page).evaluate(WIDER)
    assert await violations_here(inside(page)) == []
    await frame.get_by_role("dialog").get_by_role("button", name=WORDS("cancel")).click()
    for screen in ("queue", "cases", "letter"):
        await go(frame, screen).click()
        await expect(main).to_contain_text("case" if screen != "queue" else "<img")
        assert not await inside(page).evaluate(WIDER), screen


async def test_the_page_around_is_told_where_the_console_stands(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """That it is ready, each screen, how much waits, that it was locked, and nothing besides."""
    scene = await with_mediators_of_its_own(scene, tmp_path)
    case = await scene.waiting()
    await register_case(scene.people, scene.mediator.client, scene.colleague.client)
    sender = await scene.claim(case.harmed_url)
    guest = await visit(also=[scene.embedding_url.rstrip("/")])
    page = await guest.open(scene.embedding_url)
    frame = await work_in(guest, page, scene)
    counts = {"waiting": 0, "secondApprovals": 0, "claims": 1, "casesToOpen": 1}
    await hears(page, "attention", **counts)
    await sender.send_letter(case.responsible_id, LETTER)
    await hears(page, "attention", **{**counts, "waiting": 1})
    await go(frame, "cases").click()
    await frame.get_by_role("button", name=f"case {case.case_id}").click()
    await hears(page, "navigated", screen="case", case=str(case.case_id))
    await frame.get_by_role("button", name=WORDS("lock"), exact=True).click()
    await hears(page, "locked")
    heard = [(kind, what) for kind, what in await told(page) if kind != "attention"]
    assert heard == [
        ("ready", {"screen": "unlock"}),
        ("navigated", {"screen": "queue"}),
        ("navigated", {"screen": "cases"}),
        ("navigated", {"screen": "case", "case": str(case.case_id)}),
        ("locked", {}),
        ("navigated", {"screen": "unlock"}),
    ]


async def test_the_page_around_is_told_what_failed(scene: Scene, visit: Visit) -> None:
    """Keys that nobody vouches for; a wrong passphrase is the mediator's own."""
    guest = await visit(also=[scene.embedding_url.rstrip("/")])
    guest.expects("401", "Failed to load resource", OTHER_ORIGIN)
    page = await guest.open(scene.embedding_url)
    stranger = seal_keyring(generate_keyring(), PASSPHRASE, WORK_FACTOR_LOG2)
    settings = {**settings_of(scene), "keyring": base64.b64encode(stranger).decode()}
    frame = await show(page, settings)
    await hears(page, "ready", screen="unlock")
    await frame.get_by_label(WORDS("unlock.passphrase"), exact=True).fill("not the passphrase")
    await frame.get_by_role("button", name=WORDS("unlock.open"), exact=True).click()
    await expect(frame.get_by_text(WORDS("refusal.wrong-passphrase"))).to_be_visible()
    assert [kind for kind, _ in await told(page)] == ["ready"]
    await unlock(frame)
    await hears(page, "failed", code="wrong-credential")


async def test_the_page_around_is_told_that_relay_is_away_or_not_to_be_trusted(
    scene: Scene, visit: Visit
) -> None:
    """Without a network first; then a relay whose credentials lead to no root: nothing goes on."""
    guest = await visit(also=[scene.embedding_url.rstrip("/")])
    guest.expects("Failed to load resource", OTHER_ORIGIN)
    page = await guest.open(scene.embedding_url)
    frame = await show(page, settings_of(scene))
    await hears(page, "ready", screen="unlock")
    await guest.context.route("**/v1/credentials", lambda route: route.abort())
    await unlock(frame)
    await hears(page, "failed", code="offline")
    await guest.context.unroute("**/v1/credentials")
    nobody: dict[str, list[str]] = {"roots": [], "credentials": [], "successions": []}
    await guest.context.route("**/v1/credentials", lambda route: route.fulfill(json=nobody))
    await unlock(frame)
    await expect(frame.get_by_role("heading", name=WORDS("untrusted.title"))).to_be_visible()
    await hears(page, "failed", code="integrity")
    assert [kind for kind, _ in await told(page)] == ["ready", "failed", "locked", "failed"]


async def test_a_case_that_was_only_registered_opens_on_its_first_charter(
    scene: Scene, visit: Visit, tmp_path: Path
) -> None:
    """The case system opens a case that has no charter: it is opened there, and nothing is untrusted."""
    scene = await with_mediators_of_its_own(scene, tmp_path)
    case_id, harmed_id, _ = await register_case(
        scene.people, scene.mediator.client, scene.colleague.client
    )
    guest = await visit(also=[scene.embedding_url.rstrip("/")])
    page = await guest.open(scene.embedding_url)
    names = {"participants": {str(harmed_id): CLAIRE}, "cases": {str(case_id): FAMILY}}
    frame = await work_in(guest, page, scene, case=str(case_id), names=names)
    heading = frame.get_by_role("heading", level=1)
    named = f"case {case_id} “\u2068{FAMILY}\u2069”"
    await expect(heading).to_have_text(WORDS("newCase.titleRegistered", named))
    await hears(page, "navigated", screen="new-case", case=str(case_id))
    await frame.get_by_role("checkbox").first.check()
    await frame.get_by_role("button", name=WORDS("newCase.do")).click()
    await expect(heading).to_have_text(WORDS("case.title", named))
    card = frame.get_by_role("region", name=CLAIRE)
    await card.get_by_role("button", name=WORDS("case.makeParticipate")).click()
    await expect(frame.get_by_role("dialog")).to_contain_text(WORDS("address.lead"))
    await frame.get_by_role("dialog").get_by_role("button", name=WORDS("close"), exact=True).click()
    await inside(page).evaluate("history.back()")  # to the form, whose case is open by now
    await asyncio.sleep(1)
    await expect(heading).to_have_text(WORDS("case.title", named))
    await expect(frame.get_by_text(WORDS("untrusted.title"))).to_have_count(0)
