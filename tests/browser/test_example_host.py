"""The example case system and relay, from a new case to a closed one, in both languages."""

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
from playwright.async_api import Browser, ViewportSize, expect

from example_host.texts import text
from relay.commands.demo import Started, start
from relay.demo.example_host import CLERK, ExampleHost, entries_of
from relay.demo.mailbox import Mailbox, text_of
from relay.demo.visiting import KeptMediator, kept_mediators
from relay.testing.letters import LETTER
from relay.testing.people import PASSPHRASE, Organization, organization, verify_everybody
from relay.testing.relays import keys_of
from tests.support.browser.case_system import CaseSystemPage
from tests.support.browser.embedding import OTHER_ORIGIN
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.visitors import DESKTOP, NARROW, Language, Manner, Visitor, visitor
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
            while not self.mails.to(address):  # noqa: ASYNC110 - from another process
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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The two people of a case, as the case system knows them."""

    language: Language

    @property
    def harmed(self) -> str:
        """A name with a letter of its own."""
        return f"Élise {self.language}"

    @property
    def responsible(self) -> str:
        """Another."""
        return f"Noé {self.language}"

    @property
    def harmed_mail(self) -> str:
        """Where one may write to."""
        return f"elise-{self.language}@people.example"

    @property
    def responsible_mail(self) -> str:
        """The other one's."""
        return f"noe-{self.language}@people.example"


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
    """Registered, opened, links by letter and by e-mail, a letter, its release, and closed; all is shown."""
    named = Named(language=language)
    first, second = programme.mediators
    programme.mails.letters.clear()
    async with contextlib.AsyncExitStack() as stack:

        async def come(viewport: ViewportSize = DESKTOP) -> Visitor:
            manner = Manner(also=[programme.host.url], language=language, viewport=viewport)
            return await stack.enter_async_context(
                visitor(chromium, programme.started.running.url, **manner)
            )

        await _at_work(
            await come(), programme, language, second.login
        )  # who may be written to from now on
        clerk = await _at_work(await come(NARROW), programme, language, CLERK)
        case_id = await _registered_and_opened(clerk, programme, named)
        by_mail, by_letter = await _links(clerk, programme, named)

        other = await programme.people.claim(by_letter)
        await other.consent("active")
        writer = await ParticipantPage.begin(await come(), by_mail, language)
        await verify_everybody(first.mediator, case_id)
        await writer.write(LETTER)
        await clerk.until(clerk.words("figures.mediator", count=1))
        await clerk.until(clerk.words("event.link.claimed", name=named.harmed))
        await clerk.holds()
        await programme.mail_to(f"{second.login}@office.example")

        guest = await come()
        guest.expects(OTHER_ORIGIN)
        mediator = await _at_work(guest, programme, language, first.login)
        await _works_with_names(mediator, case_id, named)

        await _release(first, case_id)
        said = await programme.mail_to(named.responsible_mail)
        assert said.strip() == text("mail.waiting", language).strip()
        assert len(programme.mails.to(named.harmed_mail)) == 1

        await clerk.page.goto(f"{programme.host.url}/cases/{case_id}")
        await clerk.press("closing.close")
        await clerk.until(clerk.words("state.closed", date="").strip())
        await clerk.until(clerk.words("event.case.closed"))
        await clerk.press("closing.reopen")
        await clerk.until(clerk.words("event.case.reopened"))
        await clerk.holds()


async def _registered_and_opened(
    clerk: CaseSystemPage, programme: Programme, named: Named
) -> uuid.UUID:
    """The clerk sees names, and adds a case; it is registered, and a mediator opens it."""
    language, (first, second) = named.language, programme.mediators
    await expect(clerk.page.get_by_role("link", name="Ariane Exemple")).to_be_visible()
    case_id = await clerk.add_case(
        f"B-{language}",
        {
            "harmed": (named.harmed, named.harmed_mail, language),
            "responsible": (named.responsible, named.responsible_mail, language),
        },
        [first.name, second.name],
    )
    await clerk.until(clerk.words("state.registered"))
    await first.mediator.open_case(case_id, colleagues=[second.mediator.credential_id])
    await clerk.until(clerk.words("event.case.opened"))
    await clerk.holds()
    return case_id


async def _links(clerk: CaseSystemPage, programme: Programme, named: Named) -> tuple[str, str]:
    """One link goes by e-mail, the other one by letter; neither address stays on the pages."""
    await clerk.make_link(named.harmed, "email")
    found = ADDRESS.search(await programme.mail_to(named.harmed_mail))
    assert found is not None
    await clerk.make_link(named.responsible, "letter")
    await clerk.follow("link.print", name=named.responsible)
    await clerk.shows("letter.title", name=named.responsible)
    address = await clerk.page.locator(".address").inner_text()
    await clerk.press("letter.sent")
    await expect(clerk.page.locator(".address")).to_have_count(0)
    assert "/l/" not in await clerk.page.content()
    return found[0], address


async def _works_with_names(mediator: CaseSystemPage, case_id: uuid.UUID, named: Named) -> None:
    """A mediator opens their keys in the frame, which has the names; the page around shows what waits."""
    await mediator.page.goto(f"{mediator.url}cases/{case_id}/console")
    await mediator.shows("console.title")
    words = Words("console", named.language)
    frame = mediator.page.frame_locator("iframe")
    await frame.get_by_label(words("unlock.passphrase"), exact=True).fill(PASSPHRASE)
    await frame.get_by_role("button", name=words("unlock.open"), exact=True).click()
    await expect(frame.get_by_text(named.harmed).first).to_be_visible()
    counts = mediator.words("console.counts", waiting=1, secondApprovals=0, claims=0, casesToOpen=1)
    await expect(mediator.page.get_by_text(counts)).to_be_visible()
    left = "document.querySelector('#relay').dataset.handed ?? null"
    assert await mediator.page.evaluate(left) is None


async def _release(kept: KeptMediator, case_id: uuid.UUID) -> None:
    [item] = (await kept.mediator.queue(case=str(case_id))).items
    leased = await kept.mediator.lease(item.message)
    assert await kept.mediator.read_letter(leased) == LETTER
    await kept.mediator.offer(await kept.mediator.decide(leased, "approve"))
