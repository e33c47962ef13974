"""A case system in Node that knows of relay what docs/ say: from its first form to a closed case."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import re
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final, cast

import aiohttp
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from standardwebhooks import Webhook

from relay.crypto.keyfiles import save_signer_file
from relay.crypto.signing import Signer
from relay.crypto.webhooks import new_shared_secret
from relay.domain.cases import CaseExists
from relay.domain.preconditions import NotAsExpected
from relay.settings import Settings, database_url
from relay.testing import searching
from relay.testing.letters import LETTER, NOTE
from relay.testing.people import PASSPHRASE
from relay.testing.relays import RunningRelay, free_port, stop_processes
from tests.support.browser.casework import CasePage
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.visitors import Visitor, visitor
from tests.support.browser.words import Words
from tests.support.foreign_host import FOLDER, ForeignHost, beside_relay, foreign_host

HARMED: Final = "Claire Tremblay-Qwertzuiopasdfgh"
RESPONSIBLE: Final = "Denis Asdfghjklyxcvbnm-Roy"
TITLE: Final = "Yxcvbnmasdfghjkl and others"
PARTS: Final = ("Qwertzuiopasdfgh", "Asdfghjklyxcvbnm", "Yxcvbnmasdfghjkl")
"""A word of each name."""
REFERENCE: Final = "R-2030-014"
FIRST: Final = "Marie Gagnon"
SECOND: Final = "David Clarke"
SOON_SECONDS: Final = 30
OPENED: Final = {"node:crypto", "node:fs", "node:http", "node:path", "standardwebhooks"}
_IMPORTED: Final = re.compile(r"""(?:\bfrom|\bimport)\s+['"]([^'"]+)['"]""")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Clerk:
    """Somebody at the pages of the case system."""

    page: Page
    url: str

    async def register(self, reference: str = REFERENCE) -> None:
        """Fill in the form for a new case and send it."""
        await self.page.goto(self.url)
        for label, text in (
            *(("Reference", reference), ("Title", TITLE)),
            *(("Person harmed", HARMED), ("Person responsible", RESPONSIBLE)),
        ):
            await self.page.get_by_label(label).fill(text)
        await self.page.get_by_label("Mediator").select_option(label=FIRST)
        await self.press("Register")

    async def press(self, name: str) -> None:
        """Press a button."""
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def is_refused(self, sentence: str) -> None:
        """See why relay did not do it, in relay's words."""
        await expect(self.page.get_by_role("alert")).to_contain_text(sentence)

    async def until(self, where: str, text: str) -> None:
        """Load the page again until a part of it says this."""
        async with asyncio.timeout(SOON_SECONDS):
            while text not in await self.page.locator(where).inner_text():
                await asyncio.sleep(0.2)
                await self.page.reload()

    async def told(self) -> list[str]:
        """What the page of a case says that happened."""
        await self.page.reload()
        return await self.page.locator("#told li").all_inner_texts()


async def test_a_case_from_the_first_form_to_its_closing(chromium: Browser) -> None:
    """Names, console, links, letter, webhook, events that are asked for; names stay where they are."""
    async with beside_relay() as (host, running):
        await _from_first_to_last(host, running, chromium)
        await _names_are_nowhere(host, running)


async def _from_first_to_last(host: ForeignHost, running: RunningRelay, chromium: Browser) -> None:
    async with contextlib.AsyncExitStack() as stack:

        async def come(*secrets: str) -> Visitor:
            arriving = visitor(chromium, running.url, also=[host.url])
            guest = await stack.enter_async_context(arriving)
            guest.keeps_secret(*secrets)
            return guest

        office = await come()
        clerk = Clerk(page=await office.page(), url=f"{host.url}/")
        await clerk.register()
        await expect(clerk.page.locator("#state")).to_contain_text("registered")
        case_url = clerk.page.url

        console = await _open_case(await come(*PARTS, PASSPHRASE), case_url)
        office.expects("412", "409")
        await (await office.open(case_url)).close()  # the system has read the case since
        await clerk.press(f"Ask for {SECOND}")  # on a page from before the case was opened
        await clerk.is_refused(NotAsExpected.sentence("en"))
        await clerk.page.goto(case_url)
        await clerk.press(f"Ask for {SECOND}")
        await expect(clerk.page.get_by_role("button", name=f"Ask for {SECOND}")).to_have_count(0)

        links = [await console.link_for(role) for role in ("harmed", "responsible")]
        writer, reader = [await ParticipantPage.begin(await come(), link) for link in links]
        await console.verify_claims(REFERENCE)
        await writer.write(LETTER)
        await _release(console)

        await clerk.page.goto(host.url)
        await clerk.until("#to-write", f"{RESPONSIBLE}: Something waits")
        assert HARMED not in await clerk.page.locator("#to-write").inner_text()
        await clerk.press("Written")
        await expect(clerk.page.locator("#to-write li")).to_have_count(0)
        await reader.accept(NOTE)
        await reader.open_step("text")
        await expect(reader.page.get_by_text(LETTER)).to_be_visible()

        await clerk.page.goto(case_url)
        by_webhook = await clerk.told()
        waits = f"participant.message-waiting {RESPONSIBLE} (webhook)"
        assert [waits in one for one in by_webhook].count(True) == 1
        assert all("(webhook)" in one for one in by_webhook)
        await stop_processes({"deliverer": running.processes["deliverer"]})
        await host.start(pull=True)
        await _close(clerk, by_webhook)

        await clerk.page.goto(host.url)
        await expect(clerk.page.locator("#to-write li")).to_have_count(
            0
        )  # nobody is written to twice
        await clerk.register()  # the same reference again
        await clerk.is_refused(CaseExists.sentence("en"))
        await clerk.page.goto(host.url)
        await expect(clerk.page.get_by_role("link", name=REFERENCE)).to_have_count(1)


async def _open_case(guest: Visitor, case_url: str) -> CasePage:
    """A mediator at the page of the case system, who opens their keys and then the case, by its name."""
    words = Words("console", "en")
    page = await guest.open(case_url)
    await page.get_by_role("link", name=f"Console of {FIRST}").click()
    await expect(page.get_by_role("status")).to_have_text("The console waits for the passphrase.")
    frame = page.frame_locator("iframe")
    await frame.get_by_label(words("unlock.passphrase"), exact=True).fill(PASSPHRASE)
    await frame.get_by_role("button", name=words("unlock.open"), exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("Cases to open: 1.")
    heading = frame.get_by_role("heading", level=1)
    named = f"{REFERENCE} “\u2068{TITLE}\u2069”"
    await expect(heading).to_have_text(words("newCase.titleRegistered", named))
    await frame.get_by_role("checkbox").first.check()
    await frame.get_by_role("button", name=words("newCase.do")).click()
    await expect(heading).to_have_text(words("case.title", named))
    for name in (HARMED, RESPONSIBLE):
        await expect(frame.get_by_role("region", name=name)).to_be_visible()
    # A frame answers to everything that the steps of a mediator ask of a page.
    return CasePage(cast("Page", page.frames[1]), "en")


async def _release(console: CasePage) -> None:
    """The mediator reads the letter and offers it."""
    await console.take(REFERENCE)
    await expect(console.page.get_by_text(LETTER)).to_be_visible()
    await console.approve()
    await console.offer(NOTE)


async def _close(clerk: Clerk, by_webhook: list[str]) -> None:
    """The case is closed while no webhook comes: the event is asked for, and the others count once."""
    await clerk.press("Close")
    await expect(clerk.page.locator("#state")).to_contain_text("closed since")
    await clerk.until("#told", "case.closed")
    [*before, closed] = await clerk.told()
    assert before == by_webhook
    assert re.search(r"case\.closed +\(asked\)$", closed)


async def _names_are_nowhere(host: ForeignHost, running: RunningRelay) -> None:
    """In no table, object, log or other file of relay's; nor is the letter. The case system has them."""
    needles = searching.needles_of_text(LETTER)
    needles += [needle for part in PARTS for needle in searching.needles_of_text(part)]
    settings = dataclasses.replace(
        Settings.from_environment(running.environment), database_url=database_url(running.owner)
    )
    search = await searching.search_everything(settings, [running.folder], needles)
    assert search.found == ()
    assert search.places > 20
    kept = await searching.search_everything(settings, [host.folder], needles)
    assert "file store.json" in kept.found


@pytest_asyncio.fixture(loop_scope="session")
async def alone(tmp_path: Path) -> AsyncIterator[ForeignHost]:
    """The case system, with a relay that is away."""
    save_signer_file(tmp_path / "service.keys", Signer.generate())
    settings = {
        "HOST_URL": f"http://127.0.0.1:{free_port()}",
        "HOST_RELAY_URL": f"http://127.0.0.1:{free_port()}",
        "HOST_FINGERPRINT": "3U_aQlDz8B2LaAaW2O7Ocw",
        "HOST_INTEGRITY": "sha384-AA",
        "HOST_SIGNING_KEY_FILE": str(tmp_path / "service.keys"),
        "HOST_WEBHOOK_SECRET": new_shared_secret(),
        "HOST_MEDIATORS": f"{FIRST}={uuid.uuid4()}",
    }
    async with foreign_host(settings, tmp_path) as host:
        yield host


async def test_what_is_not_relays_is_not_taken(alone: ForeignHost) -> None:
    """A webhook that nobody signed, another host name, a form of another page: nothing is kept."""
    body = json.dumps(
        {"id": 1, "type": "participant.message-waiting", "at": "2030-01-01T00:00:00Z"}
    )
    forged = Webhook(new_shared_secret()).sign("1", datetime.now(UTC), body)
    now = str(int(datetime.now(UTC).timestamp()))
    signed = {"webhook-id": "1", "webhook-timestamp": now, "webhook-signature": forged}
    attempts: list[tuple[str, str, dict[str, str], HTTPStatus]] = [
        ("POST", "/relay/events", signed, HTTPStatus.BAD_REQUEST),
        ("POST", "/relay/events", {}, HTTPStatus.BAD_REQUEST),
        ("GET", "/", {"Host": "cases.example"}, HTTPStatus.FORBIDDEN),
        ("POST", "/cases", {"Origin": "https://other.example"}, HTTPStatus.FORBIDDEN),
        ("POST", "/cases", {}, HTTPStatus.FORBIDDEN),
    ]
    async with aiohttp.ClientSession() as http:
        for method, path, headers, status in attempts:
            sent = body if method == "POST" else None
            asked = http.request(method, f"{alone.url}{path}", headers=headers, data=sent)
            async with asked as answer:
                assert answer.status == status, (method, path, headers)
    assert not (alone.folder / "store.json").exists()


async def test_a_webhook_of_relays_is_taken_once(alone: ForeignHost) -> None:
    """Signed by whoever has the secret, and five minutes old at most; a second attempt changes nothing."""
    body = json.dumps({"id": 1, "type": "relay.test", "at": "2030-01-01T00:00:00Z", "case": None})
    secret = Webhook(alone.settings["HOST_WEBHOOK_SECRET"])
    async with aiohttp.ClientSession() as http:
        for minutes, status in ((6, 400), (0, 204), (0, 204)):
            at = datetime.now(UTC) - timedelta(minutes=minutes)
            headers = {
                "webhook-id": "1",
                "webhook-timestamp": str(int(at.timestamp())),
                "webhook-signature": secret.sign("1", at, body),
            }
            async with http.post(f"{alone.url}/relay/events", data=body, headers=headers) as answer:
                assert answer.status == status
    kept = json.loads((alone.folder / "store.json").read_text("utf-8"))
    assert [one["type"] for one in kept["taken"].values()] == ["relay.test"]


async def test_it_says_that_relay_is_away_and_keeps_the_case(alone: ForeignHost) -> None:
    """In words, with 503; the names are kept, and the case is sent when somebody looks at it again."""
    form = {"reference": REFERENCE, "title": TITLE, "harmed": HARMED, "responsible": RESPONSIBLE}
    mediator = alone.settings["HOST_MEDIATORS"].partition("=")[2]
    async with aiohttp.ClientSession(headers={"Origin": alone.url}) as http:
        async with http.post(f"{alone.url}/cases", data={**form, "mediator": mediator}) as answer:
            assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
            assert "relay cannot be reached now." in await answer.text()
        async with http.get(f"{alone.url}/") as answer:
            assert f"{REFERENCE}: {TITLE}</a> (not at relay yet)" in await answer.text()


def test_it_has_nothing_of_relay() -> None:
    """It imports Node's own, one public package, and its own files; nothing is found at run time."""
    files = [*FOLDER.glob("*.mjs"), FOLDER / "console.js"]
    assert len(files) == 6
    imported = set()
    for file in files:
        text = file.read_text("utf-8")
        assert not re.search(r"\bimport\(|\brequire\b|\beval\b|child_process", text), file
        imported |= set(_IMPORTED.findall(text))
    own = {f"./{file.name}" for file in files}
    assert imported - own == OPENED
    package = json.loads((FOLDER / "package.json").read_text("utf-8"))
    assert set(package["dependencies"]) == {"standardwebhooks"}
