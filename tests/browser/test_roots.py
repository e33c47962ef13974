"""Whom a browser trusts for the console: the root it came with first, until its mediator says otherwise."""

from __future__ import annotations

from playwright.async_api import expect

from relay.crypto.encoding import b64u_encode
from relay.testing.letters import LETTER
from tests.support.browser.embedding import OTHER_ORIGIN, hears, settings_of, show, told
from tests.support.browser.mediators import MediatorPage
from tests.support.browser.scene import Scene
from tests.support.browser.visitors import Visit

ANOTHER = b64u_encode(bytes(16))


async def test_an_address_with_another_root_changes_nothing(scene: Scene, visit: Visit) -> None:
    """The page says both fingerprints, sends nothing, and continues with the first; so does a reload."""
    guest = await visit()
    console = await MediatorPage.open(guest, scene, scene.mediator)
    await console.page.goto("about:blank")
    sent = len(guest.wire.about_people())
    for _ in range(2):
        await console.page.goto(f"{scene.url}/console#{ANOTHER}")
        await expect(console.heading("roots.title")).to_be_visible()
        await expect(console.page.get_by_text(ANOTHER)).to_be_visible()
        await expect(console.page.get_by_text(_root(scene), exact=True)).to_be_visible()
        assert console.page.url == f"{scene.url}/console"
        assert len(guest.wire.about_people()) == sent
        await console.page.reload()
        await expect(console.page.get_by_text(_of(console, _root(scene)))).to_be_visible()
    await console.page.goto("about:blank")
    await console.page.goto(f"{scene.url}/console#{ANOTHER}")
    await console.button("roots.goOn").click()
    await console.unlock(scene.mediator)
    await console.go("letter")
    await console.page.locator("#letter-words").fill(LETTER)
    await console.page.evaluate("(root) => { location.hash = root; }", ANOTHER)
    await expect(console.page.get_by_text(console.words("roots.whileOpen"))).to_be_visible()
    await expect(console.page.locator("#letter-words")).to_have_value(LETTER)
    assert console.page.url == f"{scene.url}/console"


async def test_a_second_root_stands_beside_the_first_once_it_was_compared(
    scene: Scene, visit: Visit
) -> None:
    """It is trusted after a warning and a comparison, locks nobody out, and can be removed again."""
    guest = await visit()
    console = await MediatorPage.open(guest, scene, scene.mediator)
    page = console.page
    await page.goto("about:blank")
    await page.goto(f"{scene.url}/console#{ANOTHER}")
    await page.get_by_text(console.words("roots.told")).click()
    await console.button("roots.trust").click()
    await expect(page.get_by_text(console.words("roots.needed"))).to_be_visible()
    await page.get_by_label(console.words("roots.compared")).check()
    await console.button("roots.trust").click()
    await expect(page.get_by_text(_of(console, ANOTHER))).to_be_visible()
    await expect(page.get_by_text(console.words("unlock.none"))).to_be_visible()

    choice = page.get_by_label(console.words("roots.choose"))
    await choice.select_option(_root(scene))
    await expect(page.get_by_text(_of(console, _root(scene)))).to_be_visible()
    await console.unlock(scene.mediator)
    for root in (ANOTHER, _root(scene)):
        await page.goto("about:blank")
        await page.goto(f"{scene.url}/console#{root}")
        await expect(page.get_by_text(_of(console, root))).to_be_visible()

    await choice.select_option(ANOTHER)
    await console.button("roots.forget").click()
    await console.button("roots.forgetYes").click()
    await expect(choice).to_have_count(0)
    await console.unlock(scene.mediator)
    await page.goto("about:blank")
    await page.goto(f"{scene.url}/console#{ANOTHER}")
    await expect(console.heading("roots.title")).to_be_visible()


async def test_a_page_around_that_names_another_root_is_not_followed(
    scene: Scene, visit: Visit
) -> None:
    """The console in a frame refuses it as well, and continues with the one that it was handed first."""
    guest = await visit(also=[scene.embedding_url.rstrip("/")])
    guest.expects(OTHER_ORIGIN)
    page = await guest.open(scene.embedding_url)
    words = MediatorPage(page, "en").words
    frame = await show(page, settings_of(scene))
    passphrase = frame.get_by_label(words("unlock.passphrase"), exact=True)
    await expect(passphrase).to_be_visible()
    await page.reload()
    frame = await show(page, {**settings_of(scene), "fingerprint": ANOTHER, "language": "fr"})
    french = MediatorPage(page, "fr").words
    heading = frame.get_by_role("heading", name=french("roots.title"), level=1)
    await expect(heading).to_be_visible()
    await hears(page, "failed", code="another-root")
    assert [kind for kind, _ in await told(page)] == ["failed", "navigated"]
    await frame.get_by_role("button", name=french("roots.goOn")).click()
    await hears(page, "ready", screen="unlock")
    await frame.get_by_label(french("unlock.passphrase"), exact=True).fill(
        scene.mediator.passphrase
    )
    await frame.get_by_role("button", name=french("unlock.open"), exact=True).click()
    await expect(frame.get_by_role("heading", name=french("queue.title"), level=1)).to_be_visible()
    alone = await guest.open(f"{scene.url}/console")
    assert await alone.evaluate("localStorage.getItem('relay-language')") is None


def _root(scene: Scene) -> str:
    return b64u_encode(scene.people.administrator.fingerprint)


def _of(console: MediatorPage, root: str) -> str:
    return console.words("unlock.fingerprint", root)
