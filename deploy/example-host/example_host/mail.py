"""E-mails: that something waits, and nothing else. Whoever reads them over a shoulder learns nothing."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final

import aiosmtplib

from example_host.database import Connection, Pool
from example_host.settings import Settings
from example_host.texts import text

SMTP_SECONDS: Final = 20

_DUE: Final = """
select {key} as who, email, language, waiting_since, mailed_at, visited_at from {table}
where waiting_since is not null and email <> ''
for update skip locked
"""

_log = logging.getLogger(__name__)


def is_due(
    waiting_since: datetime | None,
    mailed_at: datetime | None,
    visited_at: datetime | None,
    now: datetime,
    pause: timedelta,
) -> bool:
    """Whether somebody is written to: something waits, and since the last e-mail they came or time passed."""
    if waiting_since is None:
        return False
    if mailed_at is None or now - mailed_at >= pause:
        return True
    return visited_at is not None and visited_at > mailed_at


async def send_due(pool: Pool, settings: Settings) -> int:
    """Write to everybody whom something waits for, and give the links that go by e-mail; how many were sent.

    An e-mail that the server did not take stays to be sent. OSError and SMTPException where it takes none.
    """
    sent = 0
    for table, key in (("person", "person"), ("staff", "staff")):
        async with pool.acquire() as connection, connection.transaction():
            sent += await _tell(connection, settings, table, key)
    async with pool.acquire() as connection, connection.transaction():
        sent += await _give_links(connection, settings)
    return sent


async def _tell(connection: Connection, settings: Settings, table: str, key: str) -> int:
    pause = timedelta(seconds=settings.mail_pause_seconds)
    now: datetime = await connection.fetchval("select now()")
    sent = 0
    for row in await connection.fetch(_DUE.format(table=table, key=key)):
        times = (row["waiting_since"], row["mailed_at"], row["visited_at"])
        if not is_due(*times, now, pause):
            continue
        language = row["language"]
        words = text("mail.waiting", language)
        if await _send(settings, row["email"], text("mail.subject", language), words):
            sent += 1
            await _told(connection, table, key, row["who"])
    return sent


async def _told(connection: Connection, table: str, key: str, who: uuid.UUID) -> None:
    await connection.execute(
        f"update {table} set mailed_at = now(), waiting_since = null where {key} = $1",  # noqa: S608
        who,
    )


async def _give_links(connection: Connection, settings: Settings) -> int:
    rows = await connection.fetch(
        "select link, address, email, language from link join person using (person)"
        " where way = 'email' and address is not null and email <> '' for update of link skip locked"
    )
    sent = 0
    for row in rows:
        language = row["language"]
        words = text("mail.link", language, address=row["address"])
        if await _send(settings, row["email"], text("mail.subject", language), words):
            sent += 1
            await connection.execute(
                "update link set address = null, given_at = now() where link = $1", row["link"]
            )
    return sent


async def _send(settings: Settings, to: str, subject: str, words: str) -> bool:
    """Hand an e-mail to the mail server; False where it refuses this one, whose text stays out of the log."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=settings.mail_from.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(words)
    try:
        await aiosmtplib.send(
            message,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user or None,
            password=settings.smtp_password or None,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
            timeout=SMTP_SECONDS,
        )
    except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError) as refused:
        _log.warning("an e-mail was not taken: %s", type(refused).__name__)
        return False
    return True
