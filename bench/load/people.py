"""`python -m bench.load.people`: all people of the load, in two processes that talk to this machine alone.

One writes, listens and sends videos, which costs little; the other reviews and reads, where what it opens
and verifies for a moment holds up nobody whose time is measured. Both end with the input, too.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
import uvloop
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.load.crowd import Crowd, Found, Orders
from bench.load.desk import Desk
from bench.load.feeds import Feeds, Listener
from bench.load.letters import Letters
from bench.load.phones import Phones
from relay.client.case_system import ServiceKeys
from relay.client.connection import Connection
from relay.crypto.keyfiles import load_keyring_file
from relay.crypto.signing import Signer, fingerprint
from relay.testing.people import Case, Organization, open_case, organization

OPENED_AT_ONCE: Final = 12
WORK_FACTOR_LOG2: Final = 1
"""Of keyrings: how long somebody waits for their own passphrase is not measured here."""
REQUEST_SECONDS: Final = 60


def main() -> None:
    """Open the cases, then be two processes."""
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    if urlsplit(orders.url).hostname != "127.0.0.1":
        raise SystemExit("the load is for this machine alone")
    connection, cases = uvloop.run(_open(orders))
    _say("opened")
    reviews = os.fork()
    write, review = (Path(name) for name in orders.found)
    if reviews:
        _run(_write(orders, connection, cases), write)
        os.waitpid(reviews, 0)
    else:
        _run(_review(orders.crowd, connection, cases), review)


def _run(work: Awaitable[Found], target: Path) -> None:
    """Work, and write down what was found."""
    found = uvloop.run(_end_with_input(work))
    if found is not None:
        target.write_bytes(msgspec.json.encode(found))


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def _end_with_input(work: Awaitable[Found]) -> Found | None:
    """What was found; None where the input ended before."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer
    )
    working, ended = asyncio.ensure_future(work), asyncio.ensure_future(reader.read())
    await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
    for task in (working, ended):
        if not task.done():
            task.cancel()
    await asyncio.wait({working, ended})
    return None if working.cancelled() else working.result()


async def _open(orders: Orders) -> tuple[Connection, list[Case]]:
    """All cases, with the mediators by turns."""
    root = Signer.from_seed(orders.root_seed)
    pem = Path(orders.token_key).read_bytes()  # noqa: ASYNC240 - nobody else is served here
    token_key = serialization.load_pem_private_key(pem, None)
    if not isinstance(token_key, Ed25519PrivateKey):
        raise TypeError("the key of the case system")
    _credential, keyring = load_keyring_file(Path(orders.signing_key))
    keys = ServiceKeys(
        signer=keyring.signer,
        root_fingerprint=fingerprint(root.public_key),
        public_url=orders.url,
    )
    async with organization(
        orders.url, root, token_key, work_factor_log2=WORK_FACTOR_LOG2, keys=keys
    ) as people:
        return people.connection, await _cases(people, orders.crowd)


async def _cases(people: Organization, crowd: Crowd) -> list[Case]:
    mediators = [await people.mediator() for _ in range(crowd.mediators)]
    numbers = iter(range(crowd.cases))
    opened: list[Case] = []

    async def open_some() -> None:
        for number in numbers:
            pair = (mediators[number % len(mediators)], mediators[(number + 1) % len(mediators)])
            opened.append(await open_case(people, mediators=pair))

    async with asyncio.TaskGroup() as opening:
        for _ in range(OPENED_AT_ONCE):
            opening.create_task(open_some())
    return opened


def _http() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=REQUEST_SECONDS),
    )


async def _write(orders: Orders, connection: Connection, cases: list[Case]) -> Found:
    """Listen, write and send videos; then look for all of it."""
    found, crowd = Found(), orders.crowd
    connection.http = _http()
    async with connection.http as http:
        letters = Letters(http, found, crowd)
        phones = Phones(http, found, crowd, [Path(name) for name in orders.films])
        async with Feeds(http, found).open(_listeners(cases)):
            until, worked = time.monotonic() + crowd.seconds, time.process_time()
            _say("begun")
            await asyncio.gather(letters.write(cases, until), phones.record(cases, until))
            found.processor = (time.process_time() - worked) / crowd.seconds
            _say("ended")
            await asyncio.sleep(crowd.settling_seconds)
        await letters.verify()
        await phones.verify()
    return found


def _listeners(cases: list[Case]) -> list[Listener]:
    """Everybody of these cases, once."""
    people = {
        one.participant_id: Listener(one.participant_id, one.session, is_mediator=False)
        for case in cases
        for one in (case.harmed, case.responsible)
    }
    mediators = {
        one.credential_id: Listener(one.credential_id, one.session, is_mediator=True)
        for case in cases
        for one in (case.mediator, case.colleague)
    }
    return [*people.values(), *mediators.values()]


async def _review(crowd: Crowd, connection: Connection, cases: list[Case]) -> Found:
    found = Found()
    connection.http = _http()
    async with connection.http:
        for one in {case.mediator.credential_id: case.mediator for case in cases}.values():
            one.session.forget_session()
        worked = time.process_time()
        await Desk(found, crowd, cases).work(time.monotonic() + crowd.seconds)
        found.processor = (time.process_time() - worked) / crowd.seconds
    return found


if __name__ == "__main__":
    main()
