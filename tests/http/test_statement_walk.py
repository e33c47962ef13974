"""Every type of statement, attacked in every way, at the real service: the answers are in one table.

A good statement is changed in one way, signed again and sent. What is refused changes nothing. After all
attacks the good one is accepted: each was refused for its change alone. Then it comes once more.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from relay.crypto import statements
from relay.embedded import Access, Services
from relay.settings import Settings
from relay.testing.people import organization
from tests.support.audits import findings
from tests.support.relays import WORK_FACTOR_LOG2, SharedRelay
from tests.support.requests import Answer
from tests.support.service_users import come_as
from tests.support.statement_walk.attacks import ATTACKS
from tests.support.statement_walk.cases import ValidRequest, WalkCases, cases
from tests.support.statement_walk.expected import (
    EARLIER_THAN_CREDENTIAL,
    FORBIDDEN,
    NOT_OVER_HTTP,
    TABLE,
    Accepted,
    NotApplicable,
    Outcome,
    Refused,
)
from tests.support.statement_walk.message_requests import approval_of, letter_by
from tests.support.statement_walk.requests import REQUESTS

WITHIN = timedelta(minutes=4, seconds=50)
"""Less than a clock may be off, and more than a credential begins before it was made."""
PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"


@pytest.fixture(scope="module")
def emptied(shared_relay: SharedRelay, request: pytest.FixtureRequest) -> SharedRelay:
    """The relay of all tests, empty: everything here happens in one world on it."""
    request.getfixturevalue("empty_shared_database")()
    shared_relay.monitor.violations.clear()
    return shared_relay


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(
    emptied: SharedRelay, shared_database_url: str, services: Services
) -> AsyncIterator[WalkCases]:
    """Everybody who signs; what is left of them stands up to an audit."""
    settings: Settings = emptied.settings
    worker_settings = come_as(Access.WORKER, settings, services)
    async with (
        organization(
            settings.public_url,
            emptied.root,
            emptied.token_key,
            work_factor_log2=WORK_FACTOR_LOG2,
        ) as people,
        cases(people, emptied.root, shared_database_url, worker_settings) as made,
    ):
        yield made
    assert emptied.monitor.violations == []
    assert await findings(settings) == []


def test_every_type_and_every_attack_has_an_outcome() -> None:
    """A new type, way or attack is in the table or fails here; a reason is a sentence of the protocol."""
    taken = {kind for kind, _build in REQUESTS.values()}
    assert taken | NOT_OVER_HTTP.keys() == {*statements.Statement.__subclasses__()}
    assert not taken & NOT_OVER_HTTP.keys()
    assert TABLE.keys() == REQUESTS.keys()
    protocol = re.sub(r"\s+", " ", PROTOCOL.read_text("utf-8").replace("**", ""))
    for name, row in TABLE.items():
        assert row.keys() == {*ATTACKS, "again", "later"}, name
        for outcome in row.values():
            assert not isinstance(outcome, Accepted) or outcome.reason in protocol, outcome


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", EARLIER_THAN_CREDENTIAL)
async def test_nothing_is_taken_from_before_its_credential(name: str, scene: WalkCases) -> None:
    """What every reader would refuse for its time is refused, though it is near enough to the clock.

    These tests come first: the credentials of this world have just begun.
    """
    valid = await REQUESTS[name][1](scene)
    earlier = msgspec.structs.replace(valid.statement, at=datetime.now(UTC) - WITHIN)
    before = await scene.kept()
    answer = await scene.send(valid, statements.sign(valid.by.signer, earlier))
    assert _is_as(FORBIDDEN, answer), (answer.status, answer.code)
    assert await _more(scene, before) == {}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", REQUESTS)
async def test_every_attack_on_a_statement(name: str, scene: WalkCases) -> None:
    """Each is answered as the table says; then the good statement is accepted, and nothing counts twice."""
    _kind, build = REQUESTS[name]
    valid = await build(scene)
    wrong: dict[str, str] = {}
    for attack, change in ATTACKS.items():
        expected = TABLE[name][attack]
        sending = await change(scene, valid)
        if sending is None or isinstance(expected, NotApplicable):
            if (sending is None) != isinstance(expected, NotApplicable):
                wrong[attack] = "whether there is something to try"
            continue
        before = await scene.kept()
        answer = await scene.send(valid, sending.text, path=sending.path, by=sending.by)
        changed = await _more(scene, before)
        if not _is_as(expected, answer) or bool(changed) != isinstance(expected, Accepted):
            wrong[attack] = f"{answer.status} {answer.code} {changed}, not {expected}"
        if answer.status < 400:
            valid = await build(scene)
    assert wrong == {}
    await _require_good_once(name, scene, valid)


@pytest.mark.asyncio(loop_scope="module")
async def test_what_has_ended_or_is_unverified_goes_no_further(scene: WalkCases) -> None:
    """No claim of a link that has ended is verified, and no words of an unverified claim are approved."""
    _kind, build = REQUESTS["verification"]
    verification = await build(scene)
    assert verification.later is not None
    await verification.later()
    letter = await letter_by(scene, scene.persons["an unverified claim"])
    sent = await scene.send(letter, statements.sign(letter.by.signer, letter.statement))
    assert sent.status == 200
    leased = await scene.mediator.lease(letter.statement.message)
    approval = await approval_of(scene, leased)
    for valid, code in ((verification, "link-ended"), (approval, "sender-unverified")):
        before = await scene.kept()
        answer = await scene.send(valid, statements.sign(valid.by.signer, valid.statement))
        assert _is_as(Refused(409, code), answer), (answer.status, answer.code)
        assert await _more(scene, before) == {}


async def _require_good_once(name: str, scene: WalkCases, valid: ValidRequest) -> None:
    """Assert that the good statement is accepted, and the same text again as the table says."""
    text = statements.sign(valid.by.signer, valid.statement)
    before = await scene.kept()
    taken = await scene.send(valid, text)
    assert taken.status < 400, taken.content
    assert await _more(scene, before)
    for repeated in ("again", "later"):
        expected = TABLE[name][repeated]
        if isinstance(expected, NotApplicable):
            continue
        if repeated == "later":
            assert valid.later is not None
            await valid.later()
        before = await scene.kept()
        answer = await scene.send(valid, text)
        assert _is_as(expected, answer), (repeated, answer.status, answer.code)
        adds = expected.adds if isinstance(expected, Accepted) else frozenset()
        assert (await _more(scene, before)).keys() == adds, repeated


async def _more(scene: WalkCases, before: dict[str, int]) -> dict[str, int]:
    """How many rows more there are than before, by their tables."""
    after = await scene.kept()
    return {table: after[table] - before[table] for table in after if after[table] != before[table]}


def _is_as(expected: Outcome, answer: Answer) -> bool:
    if isinstance(expected, Refused):
        return (answer.status, answer.code) == (expected.status, expected.code)
    return answer.status < 400
