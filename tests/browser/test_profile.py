"""The pages of a programme that says of itself something else than relay's defaults, in both languages."""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.support.browser import axe
from tests.support.browser.casework import LANGUAGES, CasePage
from tests.support.browser.inspecting import too_wide
from tests.support.browser.participants import ParticipantPage
from tests.support.browser.scene import Scene
from tests.support.browser.scene import scene as set_scene
from tests.support.browser.visitors import NARROW, Language, Visit
from tests.support.browser.words import Words
from tests.support.profiles import HARBOUR, SVG, changed, write_profile

MARKUP: Final = "<img src=x onerror=alert(1)>"
BRIDGE: Final = changed("name", {"en": f"Bridge {MARKUP}", "fr": f"Pont {MARKUP}"})
LIGHT, DARK = HARBOUR["colours"]["light"], HARBOUR["colours"]["dark"]
_DEFAULTS: Final = re.compile(r"9-1-1|9-8-8|Canada|some days|quelques jours|\brelay\b")
_COLOUR: Final = "(link) => getComputedStyle(link).color"
_COME_BACK: Final = "document.dispatchEvent(new Event('visibilitychange'))"
_SEEN: Final = """
globalThis.seen = [];
const look = () => {
  const text = document.body?.innerText.trim() ?? '';
  const accent = getComputedStyle(document.documentElement).getPropertyValue('--accent').trim();
  if (text !== '') globalThis.seen.push({ text, accent });
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
"""What is on the screen in every frame that has something on it."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def harbour() -> AsyncIterator[Scene]:
    """A relay that was started with a profile of its own."""
    with tempfile.TemporaryDirectory(prefix="relay-profile-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        file = write_profile(folder, logo=SVG.encode())
        async with set_scene(folder, {"RELAY_PROFILE_FILE": str(file)}) as ready:
            yield ready


@pytest.fixture
def scene(harbour: Scene) -> Scene:
    """The relay that visitors of this file visit."""
    return harbour


async def replace(scene: Scene, profile: dict[str, Any]) -> None:
    """Start relay again with another profile."""
    write_profile(scene.running.folder.parent, profile, logo=SVG.encode())
    await scene.running.start_again()


def rgb(colour: str) -> str:
    """A colour as a browser says it."""
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


async def shows_harbour(calls: Locator, language: Language) -> None:
    """Whom to call and how to reach the programme, all of it, in one language, as links that work."""
    line, contact = HARBOUR["crisis_line"][0], HARBOUR["contact"]
    for said in (line["name"], line["note"], line["hours"], contact["hours"], HARBOUR["name"]):
        await expect(calls).to_contain_text(said[language])
    for street in contact["address"][language].split("\n"):
        await expect(calls).to_contain_text(street)
    for shown, href in (
        ("555-0199", "tel:5550199"),
        ("+1 (613) 555-0100", "tel:+16135550100"),
        ("office@harbour.example", "mailto:office@harbour.example"),
    ):
        await expect(calls.get_by_role("link", name=shown, exact=True)).to_have_attribute(
            "href", href
        )


async def nothing_is_relays(page: Page) -> None:
    """No word of the defaults is left."""
    assert _DEFAULTS.findall(await page.locator("body").inner_text()) == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_participants_find_their_programme(
    scene: Scene, visit: Visit, language: Language
) -> None:
    """Name, logo, numbers, times and colours from the first frame on; readable in light and dark, and small.

    The profile is one request, which the document itself asks for.
    """
    waiting = await scene.waiting()
    guest = await visit(language=language)
    await guest.at_every_page(_SEEN)
    person = await ParticipantPage.arrive(guest, waiting.harmed_url, language)
    page = person.page
    calls = page.locator("section.card").filter(has_text=person.arriving("help.heading"))
    await shows_harbour(calls, language)
    await expect(page.locator(".bar .mark")).to_have_text(HARBOUR["name"][language])
    logo = page.locator(".bar .logo")
    await expect(logo).to_be_visible()
    assert await logo.evaluate("(logo) => logo.decode().then(() => logo.naturalWidth > 0)")
    await expect(page.get_by_text(HARBOUR["review_time"][language])).to_be_visible()
    await nothing_is_relays(page)
    assert HARBOUR["name"][language] not in await page.title()

    frames = await page.evaluate("seen")
    assert frames
    assert {frame["accent"] for frame in frames} == {LIGHT["accent"]}
    assert [frame for frame in frames if "555-0199" not in frame["text"]] == []
    asked = [one for one in guest.wire.sent if one.url.endswith("/v1/profile")]
    assert len(asked) == 1

    number = calls.get_by_role("link", name="555-0199", exact=True)
    assert await number.evaluate(_COLOUR) == rgb(LIGHT["accent"])
    await page.emulate_media(color_scheme="dark")
    assert await number.evaluate(_COLOUR) == rgb(DARK["accent"])
    assert await axe.violations(page) == []
    await page.set_viewport_size(NARROW)
    await expect(page.locator(".mark.below")).to_have_text(HARBOUR["name"][language])
    assert await too_wide(page) == []

    await person.claim()
    await page.get_by_text(person.arriving("help.heading")).click()
    await shows_harbour(page.locator("details.card.after"), language)
    for path in ("kiosk", "receipt"):
        page = await guest.open(f"{scene.url}/{path}")
        await shows_harbour(page.locator("section.card").last, language)
        await nothing_is_relays(page)


async def test_a_profile_that_changes_takes_the_place_of_the_whole(
    scene: Scene, visit: Visit
) -> None:
    """A page that is open works on with what it has; who comes back to it finds the new one, as text."""
    waiting = await scene.waiting()
    guest = await visit()
    person = await ParticipantPage.arrive(guest, waiting.harmed_url)
    page = person.page
    mark = page.locator(".bar .mark")
    await expect(mark).to_have_text(HARBOUR["name"]["en"])
    await expect(page.get_by_text(person.arriving("checking.status"))).to_have_count(0)
    guest.expects("Failed to load resource")  # relay is away while it starts again
    new = changed("colours", None, changed("crisis_line.0.number", "555-0142", BRIDGE))
    try:
        await replace(scene, new)
        await person.claim()
        await expect(mark).to_have_text(HARBOUR["name"]["en"])

        await page.evaluate(_COME_BACK)
        await expect(mark).to_have_text(BRIDGE["name"]["en"])
        await page.get_by_text(person.arriving("help.heading")).click()
        calls = page.locator("details.card.after")
        number = calls.get_by_role("link", name="555-0142", exact=True)
        await expect(number).to_have_attribute("href", "tel:5550142")
        await expect(calls).not_to_contain_text("555-0199")
        await expect(calls).to_contain_text(MARKUP)
        await expect(page.locator("img[src=x]")).to_have_count(0)
        assert await number.evaluate(_COLOUR) == rgb("#0b5a6e")
        await person.button(person.arriving("shared.otherLanguage")).click()
        await expect(mark).to_have_text(BRIDGE["name"]["fr"])
    finally:
        await replace(scene, HARBOUR)


async def test_a_page_without_its_profile_says_nothing_in_its_place(
    scene: Scene, visit: Visit
) -> None:
    """It waits, and not for ever; nothing of the defaults is shown meanwhile, and then all of it comes."""
    waiting = await scene.waiting()
    guest = await visit()
    guest.wire.hold("/v1/profile")
    person = await ParticipantPage.arrive(guest, waiting.harmed_url)
    page = person.page
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    calls = page.locator("section.card").filter(has_text=person.arriving("help.heading"))
    await expect(calls).to_contain_text(person.arriving("help.mediator"))
    await expect(page.locator("a.tel")).to_have_count(0)
    await nothing_is_relays(page)
    guest.wire.let_go()
    await shows_harbour(calls, "en")
    await expect(page.locator(".bar .mark")).to_have_text(HARBOUR["name"]["en"])


async def test_mediators_and_their_sheets_have_it_too(scene: Scene, visit: Visit) -> None:
    """At the door of the console, and on the sheet in each language, one page each."""
    waiting = await scene.waiting()
    guest = await visit()
    door = await guest.open(scene.console_url)
    await expect(door.locator(".bar .mark")).to_have_text(HARBOUR["name"]["en"])
    console = await CasePage.open(guest, scene, scene.mediator)
    await console.at_case(f"case {waiting.case_id}")
    make = console.act("case.makeParticipate")
    await console.person("harmed").get_by_role("button", name=make).click()
    await console.dialog.get_by_role("button", name=console.words("address.sheet")).click()
    sheets = console.page.locator("console-sheet section")
    await expect(sheets).to_have_count(2)
    for sheet, language in zip(await sheets.all(), LANGUAGES, strict=True):
        await shows_harbour(sheet, language)
        await expect(sheet).to_contain_text(Words("console", language)("sheet.call"))
    await console.page.emulate_media(media="print")
    printed = await console.page.pdf()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == len(LANGUAGES)
    await console.page.emulate_media(media="screen")
