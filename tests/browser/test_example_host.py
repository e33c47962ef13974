"""The example case system and relay, from a new case to a closed one: as people use both, in both languages."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
import tempfile
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from example_host.texts import text
from relay.commands.demo import Started, start
from relay.demo.example_host import CLERK, ExampleHost, entries_of
from relay.demo.mailbox import Mailbox, text_of
from relay.demo.visiting import KeptMediator, kept_mediators
from relay.testing.letters import LETTER
from relay.testing.people import Organization, organization, verify_everybody
from relay.testing.relays import keys_of
from tests.support.browser.case_system import CaseSystemPage
from tests.support.browser.embedding import OTHER_ORIGIN
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.remote import expect
from tests.support.browser.visitors import NARROW, Language, Visitor, visitor
from tests.support.browser.words import Words
from tests.support.node import build_pages

ARRIVES_SECONDS: Final = 30
ADDRESS: Final = re.compile(r"http://\S+/l/\S+")
TELLING: Final = re.compile(
    r"relay|mediat|médiat|crim|justice|harm|touch|respons|case|dossier|message", re.IGNORECASE
)
"""What no e-mail may say."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A running relay, and the case system of those who work with it."""

    started: Started
    host: ExampleHost
    mails: Mailbox
    people: Organization
    mediators: list[KeptMediator]

    async def mail_to(self, address: str) -> str:
        """Wait for the one e-mail to this address; its text, which gives nothing away."""
        async with asyncio.timeout(ARRIVES_SECONDS):
            while not self.mails.to(address):
                await asyncio.sleep(0.1)
        [letter] = self.mails.to(address)
        said = text_of(letter)
        shown = ADDRESS.sub("", f"{letter['Subject']} {letter['From']} {said}")
        assert TELLING.search(shown) is None
        return said


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def programme() -> AsyncIterator[Programme]:
    """What `relay demo` starts, without its story."""
    await asyncio.to_thread(build_pages)
    with tempfile.TemporaryDirectory(prefix="relay-host-") as folder:
        Path(folder).chmod(0o711)
        async with contextlib.AsyncExitStack() as context:
            started = await start(context, Path(folder) / "data", 0)
            assert started.host is not None
            assert started.mails is not None
            running = started.running
            people = await context.enter_async_context(
                organization(running.url, running.root, running.token_key, keys=keys_of(running))
            )
            mediators = await kept_mediators(people, running.folder / "demo")
            await started.host.load(entries_of(mediators, None))
            yield Programme(
                started=started,
                host=started.host,
                mails=started.mails,
                people=people,
                mediators=mediators,
            )


async def _at_work(
    guest: Visitor, programme: Programme, language: Language, login: str
) -> CaseSystemPage:
    page = CaseSystemPage(await guest.page(), f"{programme.host.url}/", language)
    await page.log_in(login)
    return page


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_case_from_its_first_day_to_its_last(
    programme: Programme, chromium: Browser, language: Language
) -> None:
    """Registered, opened, links by letter and by e-mail, a letter, its release, and closed; all of it is seen."""
    running, mails = programme.started.running, programme.mails
    also = [programme.host.url]
    people: dict[str, tuple[str, str, Language]] = {
        "harmed": (f"Élise {language}", f"elise-{language}@people.example", language),
        "responsible": (f"Noé {language}", f"noe-{language}@people.example", language),
    }
    (harmed, harmed_mail, _), (responsible, responsible_mail, _) = people.values()
    first, second = programme.mediators
    mails.letters.clear()
    async with contextlib.AsyncExitStack() as stack:

        async def come(*, narrow: bool = False) -> Visitor:
            manner = NARROW if narrow else {"width": 1280, "height": 800}
            return await stack.enter_async_context(
                visitor(chromium, running.url, also=also, language=language, viewport=manner)
            )

        # The clerk sees names, adds a case, and it is registered.
        clerk = await _at_work(await come(narrow=True), programme, language, CLERK)
        await expect(clerk.page.get_by_role("link", name="Ariane Exemple")).to_be_visible()
        case_id = await clerk.add_case(f"B-{language}", people, [first.name, second.name])
        await clerk.until(clerk.words("state.registered"))
        await first.mediator.open_case(case_id, colleagues=[second.mediator.credential_id])
        await clerk.until(clerk.words("event.case.opened"))
        await clerk.holds()

        # One link goes by e-mail, the other one by letter.
        await clerk.make_link(harmed, "email")
        found = ADDRESS.search(await programme.mail_to(harmed_mail))
        assert found is not None
        await clerk.make_link(responsible, "letter")
        await clerk.follow("link.print", name=responsible)
        await clerk.shows("letter.title", name=responsible)
        address = await clerk.page.locator(".address").inner_text()
        await clerk.press("letter.sent")
        assert address not in await clerk.page.content()
        assert found[0] not in await clerk.page.content()

        # Both come with their links, and a letter is written.
        other = await programme.people.claim(address)
        await other.consent("active")
        writer = await ParticipantPage.begin(await come(), found[0], language)
        await verify_everybody(first.mediator, case_id)
        await writer.write(LETTER)
        await clerk.until(clerk.words("figures.mediator", count=1))
        await clerk.until(clerk.words("event.link.claimed", name=harmed))
        await clerk.holds()
        await programme.mail_to(f"{second.login}@office.example")

        # A mediator works with names in the messages of the case system.
        guest = await come()
        guest.expects(OTHER_ORIGIN)
        mediator = await _at_work(guest, programme, language, first.login)
        await mediator.page.goto(f"{programme.host.url}/cases/{case_id}/console")
        await mediator.shows("console.title")
        console = Words("console", language)
        frame = mediator.page.frame_locator("iframe")
        await frame.get_by_label(console("unlock.passphrase"), exact=True).fill(
            "a river under the old bridge"
        )
        await frame.get_by_role("button", name=console("unlock.open"), exact=True).click()
        await expect(frame.get_by_text(harmed).first).to_be_visible()
        counts = mediator.words(
            "console.counts", waiting=1, secondApprovals=0, claims=0, casesToOpen=1
        )
        await expect(mediator.page.get_by_text(counts)).to_be_visible()

        # It is released, and the other one is told by e-mail.
        await _release(first, case_id)
        said = await programme.mail_to(responsible_mail)
        assert said.strip() == text("mail.waiting", language).strip()
        assert len(mails.to(harmed_mail)) == 1

        # The case is closed, and shown as closed.
        await clerk.page.goto(f"{programme.host.url}/cases/{case_id}")
        await clerk.press("closing.close")
        closed = clerk.words("state.closed", date="")
        await clerk.until(closed)
        await clerk.until(clerk.words("event.case.closed"))
        await clerk.press("closing.reopen")
        await clerk.until(clerk.words("event.case.reopened"))
        await clerk.holds()


async def _release(kept: KeptMediator, case_id: uuid.UUID) -> None:
    [item] = (await kept.mediator.queue(case=case_id)).items
    leased = await kept.mediator.lease(item.message)
    assert await kept.mediator.read_letter(leased) == LETTER
    await kept.mediator.offer(await kept.mediator.decide(leased, "approve"))
