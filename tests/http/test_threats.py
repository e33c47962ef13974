"""Stories from docs/threat-model.md: a found link, a lost laptop, and every door from the wrong side."""

from __future__ import annotations

import pytest

from relay.app import ROUTES
from relay.client.administrator import publish_revocation
from relay.client.connection import LinkConnection, Problem
from relay.client.participant import Participant
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import parse_link_url
from relay.crypto.verified import Standing
from relay.domain.actors import Role
from relay.domain.tokens import Scope
from relay.testing.people import Case, Organization, register_case
from tests.support.requests import ask, caller_of
from tests.support.routes import filled


async def test_every_door_is_closed_to_whoever_it_is_not_for(
    case: Case, people: Organization
) -> None:
    """On every route, no bearer is 401 and a bearer of another role 403; a link's own routes say 404."""
    upload = parse_link_url(
        await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    )
    auth = b64u_encode(upload.secret.auth(upload.id))
    bearers = {
        Role.PARTICIPANT: await caller_of(case.harmed).signed.bearer(),
        Role.UPLOADER: await LinkConnection(people.connection, upload.id, auth).bearer(),
        Role.MEDIATOR: await caller_of(case.mediator).signed.bearer(),
        Role.SERVICE: people.case_system.token(*Scope),
    }
    for route in ROUTES:
        if Role.PUBLIC in route.roles:
            continue
        path = filled(route.path)
        statuses = {
            role: (await _status(people, route.method, path, bearer))
            for role, bearer in bearers.items()
            if role not in route.roles
        }
        refused = 404 if Role.LINK in route.roles else 403
        assert statuses == dict.fromkeys(statuses, refused), f"{route.method} {route.path}"
        assert await _status(people, route.method, path, None) == 401, (
            f"{route.method} {route.path}"
        )


async def test_whoever_finds_a_claimed_link_reads_nothing(case: Case, people: Organization) -> None:
    """Without the passphrase the link brings no keyring; a second claim is refused, and in the log."""
    with pytest.raises(Problem) as wrong:
        await Participant.unlock(people.connection, case.harmed_url, "a guess")
    assert wrong.value.code == "wrong-passphrase"
    with pytest.raises(Problem) as refused:
        await people.claim(case.harmed_url)
    assert refused.value.code == "link-claimed"
    log = await caller_of(case.mediator).ask("GET", f"/v1/cases/{case.case_id}/log")
    rows = log.document["rows"]
    assert isinstance(rows, list)
    assert rows[-1]["kind"] == "second-claim-refused"


async def test_whoever_claims_a_link_first_is_believed_by_nobody_until_a_mediator_says_so(
    people: Organization,
) -> None:
    """An unverified claim signs in and may write; the words are nobody's until a mediator verified it."""
    mediator, colleague = await people.mediator(), await people.mediator()
    case_id, harmed_id, responsible_id = await register_case(people, mediator, colleague)
    await mediator.open_case(case_id, colleagues=[colleague.credential_id])
    found = await mediator.make_link(case_id, harmed_id)
    stranger = await people.claim(found, "not the right person")
    sent = await stranger.send_letter(responsible_id, "Believe me.")
    leased = await mediator.lease(sent.message)
    assert await mediator.read_letter(leased) == "Believe me."
    assert (await mediator.verify(leased)).standing is Standing.UNVERIFIED
    with pytest.raises(Problem) as refused:
        await mediator.decide(leased, "approve")
    assert refused.value.code == "sender-unverified"


async def test_a_lost_laptop_is_ended_with_its_credential(case: Case, people: Organization) -> None:
    """From the revocation on, the sessions of a mediator are over and their key signs nobody in."""
    lost = caller_of(case.colleague)
    assert (await lost.ask("GET", "/v1/queue")).status == 200
    revocation = people.administrator.sign_revocation(lost.subject)
    await publish_revocation(people.connection, lost.subject, revocation)
    assert (await lost.ask("GET", "/v1/queue")).code == "unauthenticated"
    with pytest.raises(Problem) as refused:
        await case.colleague.queue()
    assert refused.value.code == "unauthenticated"


async def _status(people: Organization, method: str, path: str, bearer: str | None) -> int:
    return (await ask(people.connection, method, path, bearer=bearer)).status
