"""A stand-in for a case system: one page, on an origin of its own, that embeds the mediators' console."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import uuid
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from aiohttp import hdrs, web

from relay.client.case_system import CaseSystem
from relay.crypto.encoding import b64u_encode
from relay.services.pages import BUILT

_PAGE: Final = """<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>A case system</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/page.css">
  <script src="{relay}/embed.js" integrity="{integrity}" crossorigin="anonymous" defer></script>
  <script type="module" src="/page.js"></script>
  <h1>A case system</h1>
  <p>It knows the names, and gives them to what is below.
  That comes from relay, and this page can read none of it.</p>
  <p id="told" role="status">The console is not open yet.</p>
  <main></main>
</html>
"""
_STYLE: Final = """:root { color-scheme: light dark; font-family: system-ui, sans-serif }
body { margin: 1rem auto; max-width: 70rem; padding: 0 1rem }
"""
_SCRIPT: Final = """const settings = await (await fetch('/settings')).json();
const language = navigator.language.startsWith('fr') ? 'fr' : 'en';
const tell = (text) => { document.querySelector('#told').textContent = text; };
relayConsole.open(document.querySelector('main'), {
  ...settings,
  language,
  onReady: () => tell('The console waits for the passphrase.'),
  onFailed: ({ code }) => tell(`The console cannot go on: ${code}.`),
  onLocked: () => tell('The console is locked.'),
  onAttention: ({ waiting, secondApprovals, claims, casesToOpen }) => tell(
    `Waiting in the console: ${waiting} messages (${secondApprovals} for a second approval), ` +
    `${claims} links to check, ${casesToOpen} cases to open.`),
});
"""


@dataclasses.dataclass(frozen=True, slots=True)
class CaseNames:
    """What the case system calls a case and its people, by relay's identifiers."""

    case_id: uuid.UUID
    name: str
    people: dict[uuid.UUID, str]


def invented_names(
    case_id: uuid.UUID, harmed_id: uuid.UUID, responsible_id: uuid.UUID
) -> CaseNames:
    """Names of nobody, for a case of two, in every case the same."""
    people = {harmed_id: "Camille Exemple", responsible_id: "Robin Sample"}
    return CaseNames(case_id, "Exemple and Sample", people)


class _Names(msgspec.Struct, frozen=True, kw_only=True):
    """Names as embed.js takes them."""

    participants: dict[str, str]
    cases: dict[str, str]


class _Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the page hands to the console: nothing that opens anything without the passphrase."""

    relay: str
    fingerprint: str
    keyring: str
    names: _Names


class CaseSystemPage:
    """The page; empty until it is told which relay and which mediator it is for."""

    def __init__(self) -> None:
        self.origin = ""
        self._page = ""
        self._settings: _Settings | None = None
        self._names: list[CaseNames] = []

    def name(self, names: CaseNames) -> None:
        """Give these names to the console from the next load on, beside those given before."""
        self._names.append(names)

    async def embed(
        self, relay: str, fingerprint: bytes, system: CaseSystem, mediator: uuid.UUID
    ) -> None:
        """Show a mediator's console from now on. Their sealed keyring is fetched here, with a token."""
        hashes = msgspec.json.decode((BUILT / "integrity.json").read_bytes(), type=dict[str, str])
        self._page = _PAGE.format(relay=relay, integrity=hashes["embed.js"])
        self._settings = _Settings(
            relay=relay,
            fingerprint=b64u_encode(fingerprint),
            keyring=base64.b64encode(await system.keyring(mediator)).decode(),
            names=_Names(participants={}, cases={}),
        )

    def _handed(self) -> bytes:
        """The settings, with all names so far."""
        if self._settings is None:
            return b"null"
        names = _Names(
            participants={
                str(one): name for case in self._names for one, name in case.people.items()
            },
            cases={str(case.case_id): case.name for case in self._names},
        )
        return msgspec.json.encode(msgspec.structs.replace(self._settings, names=names))

    def application(self) -> web.Application:
        """What is served; a real case system asks who is there before it hands out a keyring."""

        async def page(_request: web.Request) -> web.Response:
            return web.Response(text=self._page, content_type="text/html")

        async def style(_request: web.Request) -> web.Response:
            return web.Response(text=_STYLE, content_type="text/css")

        async def script(_request: web.Request) -> web.Response:
            return web.Response(text=_SCRIPT, content_type="text/javascript")

        async def settings(_request: web.Request) -> web.Response:
            return web.Response(
                body=self._handed(),
                content_type="application/json",
                headers={hdrs.CACHE_CONTROL: "no-store"},
            )

        application = web.Application()
        for path, handler in (
            ("/", page),
            ("/page.css", style),
            ("/page.js", script),
            ("/settings", settings),
        ):
            application.router.add_get(path, handler)
        return application


@contextlib.asynccontextmanager
async def case_system_page() -> AsyncIterator[CaseSystemPage]:
    """The page on a free port of loopback, during the block."""
    page = CaseSystemPage()
    runner = web.AppRunner(page.application())
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        page.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield page
    finally:
        await runner.cleanup()
