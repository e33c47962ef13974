"""A participant's keyring is handed out for a proof of the passphrase, and guesses are counted."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import hashlib
import itertools
import re
import secrets
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientTimeout

from relay.app import ROUTES
from relay.client.connection import LinkConnection, Problem, SignedConnection
from relay.client.participant import Participant
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyrings import (
    open_participant_keyring,
    stretch_passphrase,
)
from relay.crypto.links import claim_mac, parse_link_url
from relay.crypto.passphrases import PassphraseFromLink, PassphraseShort
from relay.domain.tokens import Scope
from relay.handlers.routing import Route
from relay.testing.people import PASSPHRASE, Case, Organization
from tests.support.doors import Door, limits_of
from tests.support.keyrings import pieces_of, stored_keyrings
from tests.support.openapi import load_document, operations
from tests.support.relays import WORK_FACTOR_LOG2
from tests.support.requests import ask, caller_of


@pytest.fixture
async def door(case: Case, people: Organization, database_url: str) -> Door:
    """A link of the case that was claimed with the passphrase of these tests."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    await Participant.claim(people.connection, url, PASSPHRASE, work_factor_log2=WORK_FACTOR_LOG2)
    return Door(people=people, url=url, database_url=database_url)


async def test_the_keyring_comes_for_the_right_proof_alone(door: Door) -> None:
    """The right proof fetches it, the other half opens it; any other proof is refused by its code."""
    address = parse_link_url(door.url)
    stretched = stretch_passphrase(PASSPHRASE, address.secret.unlock(address.id), WORK_FACTOR_LOG2)
    answer = await door.knock(stretched.proof)
    assert answer.status == 200
    sealed = base64.b64decode(str(answer.document["keyring"]))
    opened = open_participant_keyring(sealed, stretched)
    claim = await _claim_of(door)
    assert str(opened.identity.recipient) == claim.recipient

    for wrong in (secrets.token_bytes(32), stretched.ring_key, stretched.proof_hash, bytes(32)):
        refused = await door.knock(wrong)
        assert (refused.status, refused.code) == (403, "wrong-passphrase")
        assert not any(piece in refused.content for piece in pieces_of([sealed]))
    with pytest.raises(Problem) as caught:
        await Participant.unlock(
            door.people.connection, door.url, "another one", work_factor_log2=WORK_FACTOR_LOG2
        )
    assert caught.value.code == "wrong-passphrase"


async def test_relay_keeps_the_hash_of_the_proof_and_not_the_proof(door: Door) -> None:
    """Not even after it was shown: anyone who has the database cannot fetch a keyring with it."""
    assert (await door.knock(door.proof)).status == 200
    async with door.rows() as connection:
        row = await connection.fetchrow("select * from claims where link_id = $1", door.link)
        assert row is not None
        assert row["proof_hash"] == hashlib.sha256(door.proof).digest()
        tables = await connection.fetch(
            "select table_name from information_schema.tables where table_schema = 'public'"
        )
        for table in tables:
            text = await connection.fetchval(
                f"select string_agg(t::text, '') from {table[0]} as t"  # noqa: S608
            )
            assert door.proof.hex() not in (text or ""), table


async def test_a_proof_of_another_size_is_no_try(door: Door) -> None:
    """It is told apart as a mistake of the program, and does not count."""
    for size in (0, 31, 33, 64):
        for _ in range(2):
            refused = await door.knock(bytes(size))
            assert (refused.status, refused.code) == (400, "invalid-request")
    assert (await door.knock(door.proof)).status == 200


async def test_wrong_tries_close_the_link_for_a_while(door: Door, case: Case) -> None:
    """After five wrong ones not even the right one is looked at, and nothing is counted meanwhile."""
    for _ in range(5):
        assert (await door.knock(secrets.token_bytes(32))).code == "wrong-passphrase"
    for proof in (secrets.token_bytes(32), door.proof):
        closed = await door.knock(proof)
        assert (closed.status, closed.code) == (429, "too-many-tries")
        seconds = int(dict(closed.headers)["Retry-After"])
        assert 0 < seconds <= 30
        assert closed.document["wait_seconds"] == seconds
        assert limits_of(closed) == [
            '"wrong-passphrases";q=5',
            f'"wrong-passphrases";r=0;t={seconds}',
        ]
    await door.wait()
    assert (await door.knock(door.proof)).status == 200

    log = (await caller_of(case.mediator).ask("GET", f"/v1/cases/{case.case_id}/log")).document
    rows = log["rows"]
    assert isinstance(rows, list)
    link = parse_link_url(door.url).id
    limited = [row for row in rows if row["kind"] == "passphrase-tries-limited"]
    assert [row["actor"] for row in limited] == [f"link:{link}"]


async def test_who_found_a_link_does_not_learn_how_many_tries_are_left(door: Door) -> None:
    """Neither a refusal nor the keyring says so: it would tell what the person whose link it is did."""
    answers = [await door.knock(secrets.token_bytes(32)) for _ in range(4)]
    answers.append(await door.knock(door.proof))
    assert [answer.status for answer in answers] == [403] * 4 + [200]
    assert [limits_of(answer) for answer in answers] == [[]] * 5
    unknown = [(answer.document["code"], answer.document["title"]) for answer in answers[:4]]
    assert len(set(unknown)) == 1


async def test_each_further_wrong_try_closes_it_for_longer_and_never_for_good(door: Door) -> None:
    """Twice as long each time, an hour at most; after a wait the right one opens and resets the count."""
    for _ in range(5):
        await door.knock(secrets.token_bytes(32))
    waits = []
    for _ in range(10):
        waits.append(int(dict((await door.knock(door.proof)).headers)["Retry-After"]))
        await door.wait()
        assert (await door.knock(secrets.token_bytes(32))).code == "wrong-passphrase"
    expected = [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert all(abs(seconds - wait) <= 2 for seconds, wait in zip(waits, expected, strict=True))
    await door.wait()
    assert (await door.knock(door.proof)).status == 200
    for _ in range(5):
        assert (await door.knock(secrets.token_bytes(32))).code == "wrong-passphrase"
    assert (await door.knock(door.proof)).code == "too-many-tries"


async def test_tries_at_once_are_counted_one_by_one(door: Door, case: Case) -> None:
    """Of twenty wrong ones that arrive together five are looked at, and it is logged once."""
    proofs = [secrets.token_bytes(32) for _ in range(20)]
    answers = await asyncio.gather(*(door.knock(proof) for proof in proofs))
    codes = [answer.code for answer in answers]
    assert codes.count("wrong-passphrase") == 5
    assert codes.count("too-many-tries") == 15
    async with door.rows() as connection:
        query = "select wrong_proofs from claims where link_id = $1"
        assert await connection.fetchval(query, door.link) == 5
        query = (
            "select count(*) from events where kind = 'passphrase-tries-limited' and case_id = $1"
        )
        assert await connection.fetchval(query, case.case_id) == 1


async def test_a_try_waits_for_the_case_before_it_holds_the_claim(door: Door, case: Case) -> None:
    """Anyone who changes the claims of a case meanwhile, a mediator who verifies one, meets no deadlock."""
    for _ in range(4):
        await door.knock(secrets.token_bytes(32))
    async with door.rows() as connection, connection.transaction():
        await connection.execute("select lock_case($1)", case.case_id)
        fifth = asyncio.ensure_future(door.knock(secrets.token_bytes(32)))
        await asyncio.sleep(0.5)
        assert not fifth.done()
        await connection.fetch("select from claims where link_id = $1 for update nowait", door.link)
    assert (await fifth).code == "wrong-passphrase"


async def test_who_asks_while_the_link_is_closed_holds_nobody_up(door: Door, case: Case) -> None:
    """A refusal that needs no try is given while somebody else works on the case."""
    for _ in range(5):
        await door.knock(secrets.token_bytes(32))
    async with door.rows() as connection, connection.transaction():
        await connection.execute("select lock_case($1)", case.case_id)
        async with asyncio.timeout(10):
            assert (await door.knock(secrets.token_bytes(32))).code == "too-many-tries"


async def test_the_refusals_speak_both_languages(door: Door) -> None:
    """Somebody who mistypes is told what to do, in French where they prefer it."""
    titles = [
        (await door.knock(secrets.token_bytes(32), language=language)).document["title"]
        for language in ("en", "fr")
    ]
    for _ in range(3):
        await door.knock(secrets.token_bytes(32))
    titles += [
        (await door.knock(door.proof, language=language)).document["title"]
        for language in ("en", "fr")
    ]
    assert titles == [
        "This passphrase does not fit the link. Check capital letters and the keyboard, and try again.",
        (
            "Cette phrase secrète ne convient pas à ce lien. "
            "Vérifiez les majuscules et le clavier, puis réessayez."
        ),
        "Several passphrases in a row did not fit. Wait a while and try again; nothing is lost.",
        (
            "Plusieurs phrases secrètes de suite n'ont pas convenu. "
            "Attendez un peu, puis réessayez; rien n'est perdu."
        ),
    ]


async def test_links_without_a_keyring_all_look_alike(
    door: Door, case: Case, people: Organization
) -> None:
    """Not claimed yet, an upload link, ended, unknown, another's bearer: one answer, to the byte."""

    async def made(purpose: str) -> Door:
        url = await case.mediator.make_link(
            case.case_id,
            case.responsible.participant_id,
            "upload" if purpose == "upload" else "participate",
        )
        return dataclasses.replace(door, url=url)

    unclaimed, upload = await made("participate"), await made("upload")
    proof = door.proof
    answers = [await unclaimed.knock(proof), await upload.knock(proof)]
    unknown = door.path.replace(str(parse_link_url(door.url).id), str(uuid.uuid4()))
    answers += [
        await ask(people.connection, "POST", path, {"proof": proof}, bearer=bearer)
        for path, bearer in (
            (unknown, door.bearer),
            (door.path, unclaimed.bearer),
            (door.path, "AAAA"),
        )
    ]
    await case.mediator.end_link(case.case_id, parse_link_url(door.url).id, "replaced")
    answers.append(await door.knock(proof))
    assert {answer.status for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


async def test_a_weak_passphrase_claims_nothing(case: Case, people: Organization) -> None:
    """The program refuses it before it claims; the link is there for a better one."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    for weak, why in (("a", PassphraseShort), (url.rpartition("#")[2], PassphraseFromLink)):
        with pytest.raises(why):
            await Participant.claim(people.connection, url, weak)
    await Participant.claim(people.connection, url, PASSPHRASE, work_factor_log2=WORK_FACTOR_LOG2)


async def test_a_claim_brings_the_hash_of_a_proof(case: Case, people: Organization) -> None:
    """One of another size is refused, and the link stays unclaimed."""
    address = parse_link_url(
        await case.mediator.make_link(case.case_id, case.harmed.participant_id)
    )
    caller = caller_of(case.harmed)
    named: dict[str, Any] = {
        "link": address.id,
        "case": case.case_id,
        "participant": case.harmed.participant_id,
        "recipient": caller.recipient,
        "signer": b64u_encode(caller.signer.public_key),
    }
    mac = b64u_encode(claim_mac(address.secret.claim_key(address.id), **named))
    said = statements.Claim(**named, mac=mac, at=datetime.now(UTC))
    body = {"statement": statements.sign(caller.signer, said), "keyring": b"opaque"}
    bearer = b64u_encode(address.secret.auth(address.id))
    for size in (0, 31, 33):
        refused = await ask(
            people.connection,
            "PUT",
            f"/v1/links/{address.id}/claim",
            {**body, "proof_hash": bytes(size)},
            bearer=bearer,
        )
        assert (refused.status, refused.code) == (400, "invalid-request")


async def test_no_answer_to_anybody_holds_a_participants_keyring(
    case: Case, people: Organization, database_url: str
) -> None:
    """Every route, asked by every kind of caller about everything in the case: the keyring is in no answer.

    Without it the passphrase cannot be guessed offline. The right proof alone brings what is searched for.
    """
    needles = pieces_of(await stored_keyrings(database_url, case.case_id))
    door = Door(people=people, url=case.responsible_url, database_url=database_url)
    opened = (await door.knock(door.proof)).content
    assert any(needle in opened for needle in needles)

    known = await _known(case, people)
    bearers = await _bearers(case, people)
    asked = 0
    for route in sorted(ROUTES, key=lambda route: route.method == "DELETE"):
        for path in _paths(route, known):
            for who, bearer in bearers.items():
                for body in _bodies(route):
                    content = await _content(people, route.method, path, body, bearer)
                    asked += 1
                    found = [needle for needle in needles if needle in content]
                    assert not found, f"{who}: {route.method} {route.path}"
    assert asked > 1_000


async def _claim_of(door: Door) -> statements.Claim:
    link = f"/v1/links/{parse_link_url(door.url).id}"
    shown = await ask(door.people.connection, "GET", link, bearer=door.bearer)
    return statements.decode_unverified(str(shown.document["claim"]), statements.Claim)


async def _known(case: Case, people: Organization) -> dict[str, list[str]]:
    """Identifiers of everything that lies in a case after a letter went through it."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, "Words.")
    await case.mediator.lease(sent.message)
    approved = await case.mediator.decide(await case.mediator.read(sent.message), "approve")
    await case.mediator.offer(approved)
    [offered] = (await case.responsible.correspondence()).received
    await case.responsible.respond(offered, "accept")
    read = await case.mediator.read(sent.message)
    participants = [str(case.harmed.participant_id), str(case.responsible.participant_id)]
    return {
        "case": [str(case.case_id)],
        "participant": participants,
        "one": participants[:1],
        "other": participants[1:],
        "message": [str(sent.message)],
        "revision": ["1"],
        "link": [str(link.link) for link in await case.mediator.links(case.case_id)],
        "credential": [str(case.mediator.credential_id)],
        "commitment": [part.commitment for part in read.parts],
        "upload": [str(uuid.uuid4())],
    }


async def _bearers(case: Case, people: Organization) -> dict[str, str | None]:
    """Each kind of caller, with what they can show."""
    upload = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    address = parse_link_url(upload)
    auth = b64u_encode(address.secret.auth(address.id))
    stranger = await people.mediator()
    found = {"who found an upload link": auth}
    for who, url in (("harmed", case.harmed_url), ("responsible", case.responsible_url)):
        link = parse_link_url(url)
        found[f"who found the link of the {who}"] = b64u_encode(link.secret.auth(link.id))
    return {
        "nobody": None,
        **found,
        "an uploader": await LinkConnection(people.connection, address.id, auth).bearer(),
        "the harmed": await _session(case.harmed.session),
        "the responsible": await _session(case.responsible.session),
        "a mediator of the case": await _session(case.mediator.session),
        "another mediator": await _session(stranger.session),
        "the case system": people.case_system.token(*Scope),
    }


async def _session(signed: SignedConnection) -> str:
    """A session of its own, which what these requests end does not take from anybody."""
    return await SignedConnection(signed.connection, signed.signer, signed.audience).bearer()


def _paths(route: Route, known: dict[str, list[str]]) -> Iterator[str]:
    """The path with everything that is known in its places."""
    names = re.findall(r"{(\w+)}", route.path)
    for values in itertools.product(*(known.get(name, ["x"]) for name in names)):
        path = route.path
        for name, value in zip(names, values, strict=True):
            path = path.replace(f"{{{name}}}", value)
        yield path


def _bodies(route: Route) -> Iterable[object]:
    """Nothing, and where something may be sent guesses that anybody can make."""
    if "requestBody" not in operations(load_document())[route.method, route.path]:
        return (None,)
    return ({}, {"proof": bytes(32)}, {"proof": secrets.token_bytes(32)})


async def _content(
    people: Organization, method: str, path: str, body: object, bearer: str | None
) -> bytes:
    """All that is answered, headers included; of a stream, what comes at once."""
    if not path.endswith("/events"):
        answer = await ask(people.connection, method, path, body, bearer=bearer)
        return answer.content + repr(answer.headers).encode()
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    content = b""
    with contextlib.suppress(TimeoutError):
        async with people.connection.http.request(
            method,
            f"{people.connection.url}{path}",
            headers=headers,
            timeout=ClientTimeout(total=0.5),
        ) as response:
            async for piece in response.content.iter_any():
                content += piece
    return content
