"""The watch over every browser here, itself put to the test: what could find nothing would prove nothing."""

from __future__ import annotations

from typing import Final

import pytest

from tests.support.browser.scene import Scene
from tests.support.browser.visitors import Visit

SECRET: Final = "I would like to know why it was our house."

PLANTED: Final = {
    "a request body": "fetch('/v1/planted', { method: 'POST', body: text })",
    "a URL": "fetch('/v1/planted?' + btoa('x' + text).replaceAll('+', '-'))",
    "a header": "fetch('/v1/planted', { headers: { planted: text } })",
    "a worker's request": (
        "new Promise((done) => new Worker(URL.createObjectURL(new Blob([`fetch('${origin}/v1/planted',"
        "{ method: 'POST', body: new Uint8Array([${Array.from(text, (c) => c.charCodeAt(0) + ',0')}])})"
        ".finally(() => postMessage(0))`]))).onmessage = done)"
    ),
    "the console": "console.info(text)",
    "localStorage": "localStorage.setItem('planted', btoa(text))",
    "sessionStorage": "sessionStorage.setItem(text, '')",
    "IndexedDB": (
        "new Promise((done) => { const asked = indexedDB.open('planted'); asked.onupgradeneeded = () =>"
        " asked.result.createObjectStore('all').put({ deep: [new TextEncoder().encode(text)] }, 1);"
        " asked.onsuccess = () => { asked.result.close(); done(); }; })"
    ),
    "a cache": "caches.open('planted').then((cache) => cache.put('/planted', new Response(text)))",
    "a private file": (
        "navigator.storage.getDirectory().then((all) => all.getFileHandle('planted', { create: true }))"
        ".then((file) => file.createWritable())"
        ".then((to) => to.write(text).then(() => to.close()))"
    ),
    "history": "history.replaceState(null, '', '#' + btoa(text))",
    "the state of history": "history.replaceState({ text }, '')",
}


@pytest.mark.parametrize("place", PLANTED)
async def test_a_secret_is_found_wherever_it_may_be(scene: Scene, visit: Visit, place: str) -> None:
    """A sentence that was planted in one place, plain or spelled otherwise, is seen by the watch."""
    guest = await visit(bypass_csp=True, check=False)
    guest.keeps_secret(SECRET)
    guest.expects("status of 404", "status of 405")
    page = await guest.open(f"{scene.url}/readyz")
    assert await guest.wrong() == []
    await page.evaluate(f"async (text) => {{ await ({PLANTED[place]}) }}", SECRET)
    assert len(await guest.wrong()) > 0


async def test_a_request_to_anybody_else_is_found(scene: Scene, visit: Visit) -> None:
    """Whatever goes to another origin, from a page or a worker, is refused on the line and told."""
    guest = await visit(bypass_csp=True, check=False)
    page = await guest.open(f"{scene.url}/readyz")
    await page.evaluate(
        "async () => { for (const to of ['http://other.example/', 'https://other.example/'])"
        " await fetch(to, { mode: 'no-cors' }).catch(() => null) }"
    )
    assert guest.wire.foreign == ["GET http://other.example/", "CONNECT other.example:443"]


async def test_mistakes_of_a_page_are_found(scene: Scene, visit: Visit) -> None:
    """An uncaught error, a warning on the console and a violation of the policy each fail a test."""
    guest = await visit(check=False)
    page = await guest.open(f"{scene.url}/readyz")
    await page.evaluate("() => void setTimeout(() => { throw new Error('planted') })")
    await page.evaluate("() => console.warn('planted')")
    await page.evaluate("() => fetch('/readyz').catch(() => null)")
    found = "\n".join(await guest.wrong())
    assert "uncaught: planted" in found
    assert "console warning: planted" in found
    assert "policy violated: connect-src" in found
