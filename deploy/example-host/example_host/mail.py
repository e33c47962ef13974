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

_WAITING: Final = """
select {key} as who from {table} where waiting_since is not null and email <> '' order by waiting_since
"""
_ONE_WAITING: Final = """
select email, language, waiting_since, mailed_at, visited_at, now() as now from {table}
where {key} = $1 and waiting_since is not null for update skip locked
"""
_LINKS: Final = """
select link from link join person using (person)
where way = 'email' and address is not null and email <> '' order by made_at
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

    Each e-mail is written down by itself, at once: what comes after it cannot have it sent again. One that
    the server did not take stays to be sent. OSError and SMTPException where it takes none.
    """
    sent = 0
    for table, key in (("person", "person"), ("staff", "staff")):
        for row in await pool.fetch(_WAITING.format(table=table, key=key)):
            async with pool.acquire() as connection, connection.transaction():
                sent += await _tell(connection, settings, table, key, row["who"])
    for row in await pool.fetch(_LINKS):
        async with pool.acquire() as connection, connection.transaction():
            sent += await _give_link(connection, settings, row["link"])
    return sent


async def _tell(
    connection: Connection, settings: Settings, table: str, key: str, who: uuid.UUID
) -> bool:
    """Write to one of them, if it is time and nobody else is doing it."""
    row = await connection.fetchrow(_ONE_WAITING.format(table=table, key=key), who)
    if row is None:
        return False
    pause = timedelta(seconds=settings.mail_pause_seconds)
    times = (row["waiting_since"], row["mailed_at"], row["visited_at"])
    if not is_due(*times, row["now"], pause):
        return False
    language = row["language"]
    words = text("mail.waiting", language)
    if not await _send(settings, row["email"], text("mail.subject", language), words):
        return False
    await connection.execute(  # nosemgrep: sql-made-of-pieces - two names of our own code
        f"update {table} set mailed_at = now(), waiting_since = null where {key} = $1",  # noqa: S608  # nosec B608
        who,
    )
    return True


async def _give_link(connection: Connection, settings: Settings, link: uuid.UUID) -> bool:
    """Send the address of a link to whom it is for, and forget it."""
    row = await connection.fetchrow(
        "select address, email, language from link join person using (person)"
        " where link = $1 and address is not null for update of link skip locked",
        link,
    )
    if row is None:
        return False
    language = row["language"]
    words = text("mail.link", language, address=row["address"])
    if not await _send(settings, row["email"], text("mail.subject", language), words):
        return False
    await connection.execute(
        "update link set address = null, given_at = now() where link = $1", link
    )
    return True


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
