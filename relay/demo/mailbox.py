"""A mail server that keeps what it is given in memory, with a page to read it: for the demo and for tests."""

from __future__ import annotations

import asyncio
import contextlib
import email
import html
from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.policy import default
from typing import Final

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT: Final = 200
_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5">
<title>E-mails of the demo</title>
<link rel="icon" href="data:,">
<h1>E-mails of the demo</h1>
<p>What the example case system sent, the newest first. Nothing leaves this machine.</p>
{letters}
</html>
"""
_LETTER: Final = "<article><h2>{to}</h2><p><b>{subject}</b></p><pre>{text}</pre></article>"


class Mailbox:
    """All e-mails that came, the oldest first."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.smtp_port = 0
        self.url = ""

    def to(self, address: str) -> list[EmailMessage]:
        """Those for one address."""
        return [one for one in self.letters if one["To"] == address]

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep what was sent; the name is aiosmtpd's."""
        content = envelope.original_content or b""
        self.letters.append(email.message_from_bytes(content, EmailMessage, policy=default))
        del self.letters[:-KEPT]
        return "250 kept"

    async def page(self, _request: web.Request) -> web.Response:
        """All of them."""
        letters = "\n".join(
            _LETTER.format(
                to=html.escape(str(one["To"])),
                subject=html.escape(str(one["Subject"])),
                text=html.escape(text_of(one)),
            )
            for one in reversed(self.letters)
        )
        return web.Response(text=_PAGE.format(letters=letters), content_type="text/html")


def text_of(letter: EmailMessage) -> str:
    """What an e-mail says."""
    body = letter.get_body()
    return "" if body is None else str(body.get_content()).replace("\r\n", "\n")


@contextlib.asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server and its page on free ports of loopback, during the block."""
    box = Mailbox()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, enable_SMTPUTF8=True, hostname="localhost"), "127.0.0.1", 0
    )
    application = web.Application()
    application.router.add_get("/", box.page)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        box.smtp_port = server.sockets[0].getsockname()[1]
        box.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield box
    finally:
        await runner.cleanup()
        server.close()
