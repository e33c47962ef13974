"""Whoever shows something that does not let them in is told one thing, whatever is wrong with it."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import asyncpg
import pytest

from relay.client.administrator import publish_revocation
from relay.client.connection import LinkConnection, SignedConnection
from relay.client.participant import Participant
from relay.crypto import statements
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.links import Link, LinkSecret, parse_link_url
from relay.crypto.signing import Signer
from relay.testing.people import Case, Organization
from tests.support.requests import Answer, ask, caller_of

pytestmark = pytest.mark.tampers  # time passes at once

OF_LINKS: Final[Mapping[tuple[str, str], object]] = {
    ("GET", "/v1/links/{}"): None,
    ("HEAD", "/v1/links/{}"): None,
    ("POST", "/v1/links/{}/sessions"): None,
    ("POST", "/v1/links/{}/keyring"): {"proof": bytes(range(32))},
    ("PUT", "/v1/links/{}/claim"): {},
}
"""What a link's own bearer opens, with a body."""


def auth_of(link: Link) -> str:
    """What its holder shows."""
    return b64u_encode(link.secret.auth(link.id))


async def run(database_url: str, query: str, *values: object) -> None:
    """As the owner of the database."""
    connection = await asyncpg.connect(database_url)
    try:
        assert (await connection.execute(query, *values)).endswith(" 1")
    finally:
        await connection.close()


async def test_no_link_tells_why_it_does_not_open(
    case: Case, people: Organization, database_url: str
) -> None:
    """Never made, ended, expired, with a wrong secret, with that of another: one answer a route."""

    async def link(purpose: str = "participate") -> Link:
        made = await case.mediator.make_link(case.case_id, case.harmed.participant_id, purpose)  # type: ignore[arg-type]  # one of two
        return parse_link_url(made)

    ended, expired, other, claimed = await link(), await link("upload"), await link(), await link()
    await case.mediator.end_link(case.case_id, ended.id, "replaced")
    await run(
        database_url,
        "update links set expires_at = now() - interval '1 second' where link_id = $1",
        expired.id,
    )
    wrong = LinkSecret.generate()
    shown = {
        "never made": (uuid.uuid4(), b64u_encode(secrets.token_bytes(32))),
        "ended": (ended.id, auth_of(ended)),
        "expired": (expired.id, auth_of(expired)),
        "a wrong secret": (claimed.id, b64u_encode(wrong.auth(claimed.id))),
        "a wrong secret of one that was claimed": (
            parse_link_url(case.harmed_url).id,
            b64u_encode(secrets.token_bytes(32)),
        ),
        "the secret of another": (claimed.id, auth_of(other)),
        "no secret": (claimed.id, "not base64"),
        "too short a secret": (claimed.id, b64u_encode(bytes(8))),
    }
    for (method, path), body in OF_LINKS.items():
        answers = {
            what: await ask(people.connection, method, path.format(link_id), body, bearer=auth)
            for what, (link_id, auth) in shown.items()
        }
        assert len(set(answers.values())) == 1, (method, path, answers)
        assert answers["ended"].status == 404


async def test_no_signature_tells_why_it_opens_no_session(
    case: Case, people: Organization, database_url: str
) -> None:
    """By nobody, by whom it ended for, of a challenge that is none, was used or is old: one answer."""
    connection, audience = people.connection, people.audience

    async def challenge() -> str:
        return str((await ask(connection, "POST", "/v1/challenges")).document["challenge"])

    def signed(signer: Signer, of: str, relay: str = audience) -> str:
        said = statements.Session(challenge=of, audience=relay, at=datetime.now(UTC))
        return statements.sign(signer, said)

    known = case.harmed.hand.signer
    gone_url = await case.mediator.make_link(case.case_id, case.responsible.participant_id)
    gone = await people.claim(gone_url)
    await case.mediator.end_link(case.case_id, parse_link_url(gone_url).id, "replaced")
    revoked = await people.mediator()
    await publish_revocation(
        connection,
        revoked.credential_id,
        people.administrator.sign_revocation(revoked.credential_id),
    )
    used, old = await challenge(), await challenge()
    right = await ask(connection, "POST", "/v1/sessions", {"statement": signed(known, used)})
    assert right.status == 201
    await run(
        database_url,
        "update challenges set expires_at = now() - interval '1 second' where challenge_hash = sha256($1)",
        b64u_decode(old),
    )
    parts = signed(known, await challenge()).split(".")
    tries = {
        "by nobody": signed(Signer.generate(), await challenge()),
        "by an ended link": signed(gone.hand.signer, await challenge()),
        "by a revoked credential": signed(revoked.keyring.signer, await challenge()),
        "of no challenge": signed(known, b64u_encode(secrets.token_bytes(32))),
        "of a used one": signed(known, used),
        "of an old one": signed(known, old),
        "for another relay": signed(known, await challenge(), "https://elsewhere.example"),
        "with another signature": ".".join([*parts[:2], b64u_encode(secrets.token_bytes(64))]),
    }
    answers = {
        what: await ask(connection, "POST", "/v1/sessions", {"statement": statement})
        for what, statement in tries.items()
    }
    assert len(set(answers.values())) == 1, answers
    assert answers["by nobody"].status == 401


async def test_no_bearer_tells_why_it_is_none(
    case: Case, people: Organization, database_url: str
) -> None:
    """Made up, ended, expired, of an ended link, of a revoked mediator: one answer a route."""

    async def session(of: SignedConnection) -> str:
        return await SignedConnection(of.connection, of.signer, of.audience).bearer()

    connection = people.connection
    ended, expired = await session(case.harmed.session), await session(case.harmed.session)
    assert (await ask(connection, "DELETE", "/v1/sessions/current", bearer=ended)).status == 204
    await run(
        database_url,
        "update sessions set expires_at = now() - interval '1 second' where token_hash = sha256($1)",
        expired.encode(),
    )
    upload = parse_link_url(
        await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    )
    uploader = await LinkConnection(connection, upload.id, auth_of(upload)).bearer()
    await case.mediator.end_link(case.case_id, upload.id, "replaced")
    revoked = await people.mediator()
    was = await caller_of(revoked).signed.bearer()
    revocation = people.administrator.sign_revocation(revoked.credential_id)
    await publish_revocation(connection, revoked.credential_id, revocation)
    bearers = {
        "made up": secrets.token_urlsafe(32),
        "no session of any form": "x",
        "ended": ended,
        "expired": expired,
        "of an ended link": uploader,
        "of a revoked mediator": was,
    }
    for method, path in (
        ("GET", "/v1/messages"),
        ("GET", "/v1/queue"),
        ("GET", f"/v1/cases/{case.case_id}"),
        ("GET", f"/v1/messages/{uuid.uuid4()}"),
        ("DELETE", "/v1/sessions/current"),
    ):
        answers = {
            what: await ask(connection, method, path, bearer=bearer)
            for what, bearer in bearers.items()
        }
        assert len(set(answers.values())) == 1, (path, answers)
        assert answers["ended"].status == 401


async def test_no_receipt_tells_why_it_is_none(case: Case, people: Organization) -> None:
    """Never given, one sign off, that of a message which another link sent: not found."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    sender = await Participant.through_upload_link(people.connection, url)
    sent = await sender.send_letter(case.responsible.participant_id, "Words that went by a link.")
    right = sent.receipt or ""
    off = right[:-1] + ("A" if right[-1] != "A" else "B")
    backwards = right[::-1]

    async def told(receipt: str) -> Answer:
        return await ask(people.connection, "POST", "/v1/receipts", {"receipt": receipt})

    assert (await told(right)).status == 200
    answers = {await told(receipt) for receipt in (off, backwards, "", "AAAA-AAAA-AAAA", right * 2)}
    assert len(answers) == 1, answers
    assert answers.pop().status == 404
