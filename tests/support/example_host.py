"""The example case system, served in the process of a test, and whoever asks it for pages."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final, Self

import aiohttp
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

from example_host.app import application
from example_host.context import CONTEXT, Context
from example_host.loading import Entries, load
from example_host.settings import Settings
from relay.client.mediator import Mediator
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyfiles import save_signer_file
from relay.crypto.webhooks import new_shared_secret
from relay.demo.example_host import STAFF_PASSWORD
from relay.testing.people import ISSUER, KEY_ID, Organization

CLERK: Final = "clerk"
WEBHOOKS: Final = "/relay/events"
TABLES: Final = ("staff", "case_file", "person", "assignment", "link", "event", "webhook")
VISITED: Final = ["visited_at", "seen_at", "failures", "failed_at"]
_TOKEN: Final = re.compile(r'name="form_token" value="([0-9a-f]*)"')
SOON_SECONDS: Final = 20


def settings_for(
    people: Organization, token_key: Ed25519PrivateKey, database_url: str, folder: Path
) -> Settings:
    """Settings of a case system of these people, whose case system signs; its keys are files in `folder`."""
    keys = people.case_system.keys
    assert keys is not None
    token_file, signing_file = folder / "token.pem", folder / "service.keys"
    token_file.write_bytes(
        token_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    save_signer_file(signing_file, keys.signer)
    return Settings(
        database_url=database_url,
        public_url="http://127.0.0.1",
        relay_url=people.connection.url,
        relay_fingerprint=b64u_encode(keys.root_fingerprint),
        token_key_file=token_file,
        token_key_id=KEY_ID,
        token_issuer=ISSUER,
        signing_key_file=signing_file,
        seen_file=folder / "seen.json",
        webhook_secret=new_shared_secret(),
        mail_from="office@office.example",
        smtp_port=1,  # nobody listens there, unless a test says where
        poll_seconds=3600,  # a test catches up itself
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    text: str
    headers: Mapping[str, str]


class Browser:
    """Somebody who keeps cookies and follows no redirect by themself."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self._http = http

    async def get(self, path: str, **headers: str) -> Answer:
        """Look at a page."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._http.get(
            f"{self.url}{path}", headers=sent, allow_redirects=False
        ) as answer:
            return Answer(
                status=answer.status, text=await answer.text(), headers=dict(answer.headers)
            )

    async def post(self, path: str, form: Mapping[str, str] | list[tuple[str, str]]) -> Answer:
        """Send a form as it is given."""
        async with self._http.post(f"{self.url}{path}", data=form, allow_redirects=False) as answer:
            return Answer(
                status=answer.status, text=await answer.text(), headers=dict(answer.headers)
            )

    async def form_token(self, page: str = "/") -> str:
        """The token of the forms of a page."""
        found = _TOKEN.search((await self.get(page)).text)
        assert found is not None
        return found[1]

    async def send(self, path: str, *form: tuple[str, str], page: str = "/") -> Answer:
        """Send a form with the token of a page that was looked at before."""
        return await self.post(path, [("form_token", await self.form_token(page)), *form])

    async def log_in(self, login: str, password: str = STAFF_PASSWORD) -> Answer:
        """Log in."""
        form = (("login", login), ("password", password), ("next", "/"))
        return await self.send("/login", *form, page="/login")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The case system as it is served."""

    url: str
    context: Context
    stack: contextlib.AsyncExitStack

    async def somebody(self) -> Browser:
        """A browser with no cookies."""
        jar = aiohttp.CookieJar(unsafe=True)  # it keeps those of an address, too
        http = await self.stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
        return Browser(self.url, http)

    async def at_work(self, login: str) -> Browser:
        """Somebody who has logged in."""
        browser = await self.somebody()
        assert (await browser.log_in(login)).status == HTTPStatus.SEE_OTHER
        return browser

    def signed(self, body: bytes, webhook_id: str, at: datetime | None = None) -> dict[str, str]:
        """The headers of a webhook of relay's."""
        at = at or datetime.now(UTC)
        return {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.context.settings.webhook_secret).sign(
                webhook_id, at, body.decode()
            ),
        }

    async def deliver(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Bring a webhook; the status of the answer."""
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.url}{WEBHOOKS}", data=body, headers=headers) as answer,
        ):
            return answer.status

    async def everything(self) -> list[str]:
        """All that the case system keeps, but for when somebody was here last."""
        kept = []
        for table in TABLES:
            query = f"select to_jsonb(one) - $1::text[] as row from {table} one"  # noqa: S608 - of these
            rows = await self.context.pool.fetch(query, VISITED)
            kept += sorted(f"{table} {row['row']}" for row in rows)
        return kept

    async def until(self, query: str, *values: object) -> None:
        """Wait until the database of the case system answers a question with true."""
        async with asyncio.timeout(SOON_SECONDS):
            while not await self.context.pool.fetchval(query, *values):  # noqa: ASYNC110 - of a database
                await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[Host]:
    """The case system on a port of loopback, during the block."""
    async with contextlib.AsyncExitStack() as stack:
        made = await stack.enter_async_context(application(settings))
        runner = web.AppRunner(made)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield Host(url=url, context=made[CONTEXT], stack=stack)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Its staff: a clerk and two mediators, of whom the first has a case with the identifiers given."""

    host: Host
    people: Organization
    mediator: Mediator
    stranger: Mediator
    case_id: uuid.UUID
    harmed_id: uuid.UUID
    responsible_id: uuid.UUID

    @classmethod
    async def begin(cls, host: Host, people: Organization) -> Self:
        """Staff and a case, which is registered by the time this is done."""
        mediator, stranger = await people.mediator(), await people.mediator()
        office = cls(
            host=host,
            people=people,
            mediator=mediator,
            stranger=stranger,
            case_id=uuid.uuid4(),
            harmed_id=uuid.uuid4(),
            responsible_id=uuid.uuid4(),
        )
        await load(host.context.pool, msgspec.convert(office.entries(), Entries))
        host.context.woken.set()
        await host.until("select view is not null from case_file")
        return office

    def entries(self) -> dict[str, object]:
        """The file that they come from."""
        staff: list[dict[str, object]] = [
            {
                "login": login,
                "name": f"Name of {login}",
                "role": "clerk" if credential is None else "mediator",
                "password": STAFF_PASSWORD,
                "email": f"{login}@office.example",
                "language": "en",
                "credential": credential,
            }
            for login, credential in (
                (CLERK, None),
                ("mediator", str(self.mediator.credential_id)),
                ("stranger", str(self.stranger.credential_id)),
            )
        ]
        people = [
            {"person": str(one), "role": role, "name": name, "language": language, "email": email}
            for one, role, name, language, email in (
                (self.harmed_id, "harmed", "Ève <b>", "fr", "eve@people.example"),
                (self.responsible_id, "responsible", "Max & Co", "en", ""),
            )
        ]
        case = {
            "case": str(self.case_id),
            "reference": "R-1",
            "people": people,
            "mediators": ["mediator"],
        }
        return {"staff": staff, "cases": [case]}
