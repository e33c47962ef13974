"""The console inside the case system's page, and inside pages that only pretend to be that."""

from __future__ import annotations

import base64
from typing import Final

from playwright.async_api import FrameLocator, Page, expect

from relay.crypto.encoding import b64u_encode
from relay.demo.cast import PASSPHRASE
from tests.browser.conftest import Visit
from tests.browser.scene import Scene
from tests.browser.words import Words

WORDS: Final = Words("console", "en")

FORGED_WELCOME: Final = """
([console_url, settings]) => {
  const channel = new MessageChannel();
  const opened = window.open(console_url);
  addEventListener('message', () => document.body.append('answered'));
  channel.port1.onmessage = () => document.body.append('answered');
  const say = () => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => document.body.append('answered');
    port1.postMessage(settings);
    opened.postMessage({ relay: 'console-welcome', version: 1 }, '*', [port2]);
  };
  say();
  setInterval(say, 20);
}
"""


def settings_of(scene: Scene) -> dict[str, str]:
    """What the case system hands to the console."""
    return {
        "relay": scene.url,
        "fingerprint": b64u_encode(scene.people.administrator.fingerprint),
        "keyring": base64.b64encode(scene.mediator.keyring_file.read_bytes()).decode(),
        "language": "en",
    }


async def show(page: Page, settings: dict[str, str]) -> FrameLocator:
    """Put the console into the page."""
    await page.evaluate(
        "(settings) => void relayConsole.open(document.querySelector('#place'), settings)",
        settings,
    )
    return page.frame_locator("iframe")


async def test_a_mediator_works_inside_the_case_system(scene: Scene, visit: Visit) -> None:
    """The page around hands sealed keys over a port, the passphrase is typed in the frame, no URL tells."""
    guest = await visit(also=[scene.embedding_url.rstrip("/")])
    guest.keeps_secret(PASSPHRASE)
    page = await guest.open(scene.embedding_url)
    frame = await show(page, settings_of(scene))
    await frame.get_by_label(WORDS("unlock.passphrase"), exact=True).fill(PASSPHRASE)
    await frame.get_by_role("button", name=WORDS("unlock.open"), exact=True).click()
    await expect(frame.get_by_role("heading", name=WORDS("queue.title"), level=1)).to_be_visible()
    assert [one.url for one in page.frames[1:]] == [f"{scene.url}/console"]


async def test_a_page_of_another_origin_cannot_show_the_console(scene: Scene, visit: Visit) -> None:
    """An origin that was not named is refused by the browser itself: nothing is drawn or run."""
    guest = await visit(also=[scene.forged_url.rstrip("/")], check=False)
    page = await guest.open(scene.forged_url)
    async with page.expect_event("console", lambda said: "frame-ancestors" in said.text):
        frame = await show(page, settings_of(scene))
    await expect(frame.get_by_role("button")).to_have_count(0)
    assert guest.wire.to_relay("/v1/") == []


async def test_a_window_that_pretends_to_be_the_case_system_is_not_believed(
    scene: Scene, visit: Visit
) -> None:
    """A console that another site opened in a window takes no settings from it, and never answers."""
    guest = await visit(also=[scene.forged_url.rstrip("/")])
    page = await guest.open(scene.forged_url)
    async with guest.context.expect_page() as opening:
        await page.evaluate(
            FORGED_WELCOME,
            [f"{scene.url}/console", {**settings_of(scene), "relay": "settings"}],
        )
    console = await opening.value
    await expect(console.get_by_text(WORDS("unlock.noFingerprint")).first).to_be_visible()
    await expect(console.get_by_label(WORDS("unlock.passphrase"), exact=True)).to_have_count(0)
    await expect(page.get_by_text("answered")).to_have_count(0)
