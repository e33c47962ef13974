"""A mediator with many cases: what there is to do, for whom it waits, where it is found, and whose it is."""

from __future__ import annotations

import dataclasses
import uuid
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, ViewportSize, expect

from relay.client.casework import DEFAULT_POLICY
from relay.client.participant import Participant
from relay.crypto.statements import Policy
from relay.domain.cases import CaseRegistration, NewParticipant, ParticipantRole
from relay.testing.letters import LETTER
from relay.testing.people import verify_everybody
from tests.support.browser.casework import CasePage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Reviewer, Scene, with_mediators_of_its_own
from tests.support.browser.visitors import Visit

TWO: Final = Policy(approvals=2, captions="optional", server_processing=True, retention_days=365)
LAPTOP: Final[ViewportSize] = {"width": 1366, "height": 768}
ROWS: Final = 10

_IN_SIGHT: Final = """
(rows) => rows.filter((row) => {
  const { top, bottom } = row.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}).length
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """A mediator and a colleague whose queues hold what a test puts there, and nothing else."""

    scene: Scene
    mediator: Reviewer
    colleague: Reviewer


@pytest_asyncio.fixture(loop_scope="session")
async def alone(scene: Scene, tmp_path: Path) -> Alone:
    """Two new mediators."""
    own = await with_mediators_of_its_own(scene, tmp_path)
    return Alone(scene=own, mediator=own.mediator, colleague=own.colleague)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Two:
    """A case of two people harmed and one responsible, who may write to both."""

    reference: str
    case_id: uuid.UUID
    harmed: tuple[uuid.UUID, uuid.UUID]
    """The first has the higher identifier."""
    responsible: uuid.UUID


async def two_harmed(alone: Alone, policy: Policy = DEFAULT_POLICY, *, reference: str = "") -> Two:
    """Registered by the case system, in an order that is not that of their identifiers."""
    case_id, responsible = uuid.uuid4(), uuid.uuid4()
    reference = reference or f"R-2026-{case_id.hex[:4]}"
    first, second = sorted((uuid.uuid4(), uuid.uuid4()), reverse=True)
    await alone.scene.people.case_system.register(
        case_id,
        CaseRegistration(
            reference=reference,
            participants=[
                NewParticipant(participant=first, role=ParticipantRole.HARMED),
                NewParticipant(participant=second, role=ParticipantRole.HARMED),
                NewParticipant(participant=responsible, role=ParticipantRole.RESPONSIBLE),
            ],
            mediators=[alone.mediator.client.credential_id, alone.colleague.client.credential_id],
            pairs=[(responsible, first), (responsible, second)],
        ),
    )
    await alone.mediator.client.open_case(
        case_id, colleagues=[alone.colleague.client.credential_id], policy=policy
    )
    return Two(
        reference=reference, case_id=case_id, harmed=(first, second), responsible=responsible
    )


async def claimed(alone: Alone, case: Two, person: uuid.UUID) -> Participant:
    """Somebody of a case with keys that a mediator has checked."""
    mediator = alone.mediator.client
    found = await alone.scene.claim(await mediator.make_link(case.case_id, person))
    await verify_everybody(mediator, case.case_id)
    return found


async def approve(reviewer: Reviewer, message: uuid.UUID) -> None:
    """Take a message and approve it, with the Python client."""
    await reviewer.client.decide(await reviewer.client.lease(message), "approve")


def rows(page: Page) -> Locator:
    """What the list holds."""
    return page.locator(".lines > li")


async def test_two_of_one_role_have_one_number_everywhere(alone: Alone, visit: Visit) -> None:
    """On the page of the case, in its dialogs, on sheets, in the queue and for anyone who writes to them."""
    case = await two_harmed(alone)
    mediator = alone.mediator.client
    url = await mediator.make_link(case.case_id, case.responsible)
    writer = await ParticipantPage.begin(await visit(), url)
    await verify_everybody(mediator, case.case_id)
    await writer.button(writer.home("home.newLetter")).click()
    names = [writer.home("several", writer.home("role.harmed"), number) for number in (1, 2)]
    choices = writer.page.get_by_role("radio")
    await expect(choices).to_have_count(2)
    for choice, name in zip(await choices.all(), names, strict=True):
        await expect(writer.page.get_by_role("radio", name=name)).to_have_count(1)
        assert await choice.evaluate("(box) => box.labels[0].innerText.trim()") == name
    second = await claimed(alone, case, case.harmed[1])
    await second.send_letter(case.responsible, LETTER)

    page = await CasePage.open(await visit(), alone.scene, alone.mediator)
    called = [page.words("people.several", page.words("people.role.harmed"), n) for n in (1, 2)]
    await expect(rows(page.page)).to_contain_text([called[1]])
    await page.at_case(case.reference)
    for name, person in zip(called, case.harmed, strict=True):
        mark = str(person)[-4:]
        card = page.page.get_by_role("region", name=name, exact=True)
        await expect(card).to_contain_text(page.words("case.mark", mark))
        await card.get_by_role("button", name=page.act("case.recordConsent")).click()
        title = page.words("case.recordConsentTitle", name, case.reference)
        await expect(page.dialog.get_by_role("heading", name=title, exact=True)).to_be_visible()
        await page.button("cancel").click()
        await card.get_by_role("button", name=page.act("case.makeUpload")).click()
        title = page.words("address.title", name, case.reference)
        await expect(page.dialog.get_by_role("heading", name=title, exact=True)).to_be_visible()
        await page.dialog.get_by_role("button", name=page.words("address.sheet")).click()
        sheet = page.page.locator("console-sheet section").first
        await expect(sheet).to_contain_text(page.words("sheet.whose", name, case.reference))
        await expect(sheet.locator(".strip")).to_contain_text(mark)
        await page.button("back").click()


async def test_every_dialog_names_the_person_and_the_case(alone: Alone, visit: Visit) -> None:
    """Whose link ends, which of theirs, who is given a new one; no two buttons of the page have one name."""
    case = await two_harmed(alone)
    await claimed(alone, case, case.harmed[0])
    again = await alone.mediator.client.make_link(case.case_id, case.harmed[0])
    await alone.scene.people.claim(again)
    page = await CasePage.open(await visit(), alone.scene, alone.mediator)
    await page.at_case(case.reference)
    name = page.words("people.several", page.words("people.role.harmed"), 1)
    card = page.page.get_by_role("region", name=name, exact=True)
    for act, title in (
        ("case.newLink", "case.newLinkTitle"),
        ("case.grantAgain", "case.grantAgainTitle"),
        ("claim.check", "claim.title"),
        ("case.endLink", "ending.title"),
    ):
        await card.get_by_role("button", name=page.act(act)).first.click()
        heading = page.dialog.get_by_role("heading", level=2)
        await expect(heading).to_have_text(page.words(title, name, case.reference))
        if act == "case.endLink":
            which = page.words("case.purpose.participate")
            await expect(page.dialog).to_contain_text(which)
        await page.button("cancel").click()
    await page.button("readers.change").click()
    heading = page.dialog.get_by_role("heading", level=2)
    await expect(heading).to_have_text(page.words("readers.changeTitle", case.reference))
    await page.button("cancel").click()
    spoken = (
        await page.page.get_by_role("main")
        .get_by_role("button")
        .evaluate_all(
            "(buttons) => buttons.map((one) => one.getAttribute('aria-label') ?? one.innerText.trim())"
        )
    )
    assert len(set(spoken)) == len(spoken)


async def test_a_second_approval_is_somebody_elses(alone: Alone, visit: Visit) -> None:
    """What one approved first waits for another mediator, in a list of its own, and is not their next."""
    case = await two_harmed(alone, TWO)
    sender = await claimed(alone, case, case.harmed[0])
    approved = (await sender.send_letter(case.responsible, LETTER)).message
    page = await CasePage.open(await visit(), alone.scene, alone.mediator)
    await expect(rows(page.page)).to_have_count(1)
    await approve(alone.mediator, approved)
    await expect(page.page.get_by_text(page.words("lists.emptyYou"))).to_be_visible()
    figures = page.page.get_by_role("region", name=page.words("queue.figures"))
    await figures.get_by_role("button", name=page.words("turn.mediator")).click()
    await expect(rows(page.page)).to_contain_text([page.words("lists.approvedByYou")])
    await page.page.keyboard.press("n")
    await expect(page.page.get_by_text(page.words("lists.noNext"))).to_be_visible()

    other = await CasePage.open(await visit(), alone.scene, alone.colleague)
    await expect(rows(other.page)).to_contain_text([other.words("queue.approvals", 1, 2)])
    await expect(rows(other.page)).not_to_contain_text([other.words("lists.approvedByYou")])


async def test_what_has_ended_is_found_again(alone: Alone, visit: Visit) -> None:
    """In the queue by its state, and on the page of its case apart from what waits; it still opens."""
    case = await two_harmed(alone)
    sender = await claimed(alone, case, case.harmed[0])
    withdrawn = (await sender.send_letter(case.responsible, LETTER)).message
    await sender.send_letter(case.responsible, LETTER)
    await sender.withdraw(withdrawn)
    page = await CasePage.open(await visit(), alone.scene, alone.mediator)
    figures = page.page.get_by_role("region", name=page.words("queue.figures"))
    await figures.get_by_role("button", name=page.words("turn.ended")).click()
    await expect(page.page.get_by_text(page.words("queue.empty"))).to_be_visible()
    await figures.get_by_role("button", name=page.words("state.withdrawn")).click()
    await expect(rows(page.page)).to_have_count(1)
    await rows(page.page).get_by_role("button").click()
    await page.shows_state("withdrawn")

    await page.at_case(case.reference)
    listed = page.page.locator("section").filter(
        has=page.page.get_by_role("heading", name=page.words("case.messages"), exact=True)
    )
    lists = listed.locator("ul.queue")
    await expect(lists).to_have_count(2)
    await expect(lists.first).to_contain_text(page.words("turn.you"))
    await expect(lists.last).to_contain_text(page.words("state.withdrawn"))


async def test_the_next_message_is_a_key_away(alone: Alone, visit: Visit) -> None:
    """From one that waits to the next, oldest first, and round again; the tab says of what case."""
    case = await two_harmed(alone)
    sender = await claimed(alone, case, case.harmed[0])
    for _ in range(2):
        await sender.send_letter(case.responsible, LETTER)
    other = await two_harmed(alone)
    await (await claimed(alone, other, other.harmed[1])).send_letter(other.responsible, LETTER)
    page = await CasePage.open(await visit(), alone.scene, alone.mediator)
    await expect(rows(page.page)).to_have_count(3)
    await page.page.keyboard.press("n")
    title = page.words("place.message", page.words("kind.letter"), "{reference}")
    titles = [title.replace("{reference}", one.reference) for one in (case, other)]
    await expect(page.page).to_have_title(f"{titles[0]} · {page.words('title')}")
    await page.button("lists.next").click()
    await page.page.wait_for_function("() => document.activeElement?.tagName === 'H1'")
    await expect(page.page).to_have_title(f"{titles[0]} · {page.words('title')}")
    await page.page.keyboard.press("n")
    await expect(page.page).to_have_title(f"{titles[1]} · {page.words('title')}")
    await page.input.press(page.button("choice.lease"))
    await page.decide("hold", reason="readiness")
    await page.page.keyboard.press("n")
    await expect(page.page).to_have_title(f"{titles[0]} · {page.words('title')}")
    await page.at_case(other.reference)
    place = page.words("case.title", other.reference)
    await expect(page.page).to_have_title(f"{place} · {page.words('title')}")
    await page.button("lock").click()
    await expect(page.page).to_have_title(page.words("title"))


async def test_cases_and_people_are_found(alone: Alone, visit: Visit) -> None:
    """By reference, by role, by the mark on a sheet; a case with something to do comes first."""
    busy = await two_harmed(alone)
    sender = await claimed(alone, busy, busy.harmed[1])
    await sender.send_letter(busy.responsible, LETTER)
    await alone.scene.claim(await alone.mediator.client.make_link(busy.case_id, busy.harmed[0]))
    quiet = await two_harmed(alone)
    await alone.mediator.client.make_link(quiet.case_id, quiet.responsible)
    page = await CasePage.open(await visit(), alone.scene, alone.mediator)
    await page.go("cases")
    listed = rows(page.page)
    await expect(listed).to_contain_text([busy.reference, quiet.reference])
    await expect(listed.first).to_contain_text("1 used link to check")
    await expect(listed.first).to_contain_text("1 message for you")
    await expect(listed.last).to_contain_text("1 link not used yet")
    field = page.page.get_by_label(page.words("finding.label"))
    for sought, found in (
        (quiet.reference[2:].upper(), quiet.reference),
        (str(busy.harmed[0]), busy.reference),
        (str(quiet.responsible)[-4:].upper(), quiet.reference),
        (f"harmed {busy.reference.lower()}", busy.reference),
    ):
        await field.fill(sought)
        await expect(listed).to_have_count(1)
        await expect(listed).to_contain_text(found)
    await field.fill(str(busy.harmed[0])[-4:])
    name = page.words("people.several", page.words("people.role.harmed"), 1)
    await expect(listed.first).to_contain_text(name)
    await field.fill("nobody at all")
    await expect(page.page.get_by_text(page.words("finding.none"))).to_be_visible()
    await field.fill("")
    opening = page.button("ownKeys.openCase", quiet.reference)
    await opening.click()
    await expect(page.heading("case.title")).to_contain_text(quiet.reference)


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_ten_messages_are_in_sight_on_a_laptop(
    alone: Alone, visit: Visit, language: str
) -> None:
    """With the bar of the page, and messages that wait for others; each row says whose case it is."""
    case = await two_harmed(alone)
    sender = await claimed(alone, case, case.harmed[0])
    held, returned, *_ = [
        (await sender.send_letter(case.responsible, LETTER)).message for _ in range(ROWS + 2)
    ]
    client = alone.mediator.client
    await client.decide(await client.lease(held), "hold", reason="readiness")
    await client.decide(
        await client.lease(returned), "return", reason="needs-a-question", words="Ask."
    )
    guest = await visit(viewport=LAPTOP, language="fr" if language == "fr" else "en")
    page = await CasePage.open(
        guest, alone.scene, alone.mediator, "fr" if language == "fr" else "en"
    )
    await expect(rows(page.page)).to_have_count(ROWS + 1)
    assert await rows(page.page).evaluate_all(_IN_SIGHT) >= ROWS
    opening = rows(page.page).get_by_role("button", name=case.reference)
    await expect(opening).to_have_count(ROWS + 1)


async def test_what_comes_into_an_empty_queue_is_shown(alone: Alone, visit: Visit) -> None:
    """Without being asked for."""
    case = await two_harmed(alone)
    sender = await claimed(alone, case, case.harmed[0])
    page = await CasePage.open(await visit(), alone.scene, alone.mediator)
    await expect(page.page.get_by_text(page.words("lists.emptyYou"))).to_be_visible()
    await sender.send_letter(case.responsible, LETTER)
    await expect(rows(page.page)).to_have_count(1)


async def test_cases_are_chosen_in_the_order_of_their_references(
    alone: Alone, visit: Visit
) -> None:
    """In the filter of the queue and where a letter is written down: the ninth before the tenth."""
    for number in (10, 9, 11):
        await two_harmed(alone, reference=f"S-2026-{number}")
    page = await CasePage.open(await visit(), alone.scene, alone.mediator)
    expected = [f"S-2026-{number}" for number in (9, 10, 11)]
    await page.page.get_by_text(page.words("queue.filters"), exact=True).click()
    options = page.page.get_by_label(page.words("queue.case"), exact=True).locator("option")
    await expect(options).to_have_text([page.words("queue.anyCase"), *expected])
    await page.go("letter")
    options = page.field("letter.case").locator("option")
    await expect(options).to_have_text([page.words("letter.chooseCase"), *expected])
