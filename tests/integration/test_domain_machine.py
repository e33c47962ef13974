"""Arbitrary acts by everybody, in any order, on a running relay: after each, its promises hold."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from relay.client.certifying import key_set
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer
from relay.settings import Settings
from relay.testing.people import ISSUER, KEY_ID
from tests.support.audits import findings
from tests.support.domain.message_requests import MessageRequests
from tests.support.domain.relay import DomainRelay, domain_relay
from tests.support.domain.requests import TrackedMessage

EXAMPLES = 50
STEPS = 20


@pytest.fixture
def relay(
    settings: Settings,
    worker_settings: Settings,
    database_url: str,
    tmp_path: Path,
    unused_tcp_port: int,
) -> Iterator[DomainRelay]:
    """The stage, in a loop of its own that runs during each act."""
    root, key = Signer.generate(), Ed25519PrivateKey.generate()
    key_file = tmp_path / "jwks.json"
    key_file.write_text(key_set(key, KEY_ID))
    wired = dataclasses.replace(
        settings,
        root_public_keys=b64u_encode(root.public_key),
        service_jwks=str(key_file),
        service_issuer=ISSUER,
        public_url=f"http://127.0.0.1:{unused_tcp_port}",
        listen_port=unused_tcp_port,
    )
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as run:
        opened = domain_relay(wired, worker_settings, database_url, root, key)
        database, of_worker, people, mediators, worker, other = run.run(opened.__aenter__())
        yield DomainRelay(
            run=run,
            settings=wired,
            database=database,
            worker_database=of_worker,
            people=people,
            mediators=mediators,
            worker=worker,
            other=other,
        )
        run.run(opened.__aexit__(None, None, None))


class Relay(MessageRequests):
    """Everybody does anything; after each act this must hold."""

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        """States, revisions, leases, approvals and the grants of recipients are as they should be."""
        rows = (
            {row["message_id"]: row for row in self.relay.run.run(self._rows())}
            if self.case
            else {}
        )
        assert set(rows) == {tracked.message for tracked in self.tracked}
        for tracked in self.tracked:
            row, item = rows[tracked.message], tracked.item
            holder = None if item.holder is None else self.callers[item.holder].subject
            assert (row["state"], row["revision"]) == (item.state, item.revision)
            assert row["lease_holder"] == holder
            assert (row["grants"] > 0) == item.granted
            assert row["approvals"] == len(item.approvals)
            if item.state in {"approved", "offered", "released", "viewed"}:
                assert row["approvals"] >= self.model.approvals_needed
            if item.state in {"released", "viewed", "closed", "recalled"}:
                assert "accept" in row["answers"]

    async def _rows(self) -> list[dict[str, Any]]:
        async with self.relay.database.connection() as connection:
            rows = await connection.fetch(
                "select messages.*, approvals_of(messages) as approvals, "
                "array(select answer::text from responses "
                "where responses.message_id = messages.message_id) as answers, "
                "(select count(*) from grants inner join parts using (commitment) "
                "where parts.message_id = messages.message_id and audience = 'recipient') as grants "
                "from messages where case_id = $1",
                self.case_id,
            )
        return [dict(row) for row in rows]

    @invariant()
    def everybody_is_shown_what_they_may_see(self) -> None:
        """Authors see their coarse view, and no byte of it changes without a reason that they may know."""
        for name in ("anna", "boris") if self.case else ():
            lists = self._lists(name)
            sent = {uuid.UUID(entry["message"]): entry for entry in lists["sent"]}
            assert set(sent) == {
                tracked.message for tracked in self.tracked if tracked.item.sender == name
            }
            received = {uuid.UUID(entry["message"]): entry["view"] for entry in lists["received"]}
            expected = {
                tracked.message: self.model.recipient_view(tracked.item)
                for tracked in self.tracked
                if tracked.item.recipient == name
            }
            assert received == {key: view for key, view in expected.items() if view is not None}
            for tracked in self.tracked:
                if tracked.item.sender == name:
                    # Of the newest also what only the answer about it says.
                    path = f"/v1/messages/{tracked.message}"
                    whole = (
                        self.ask(name, "GET", path).document if tracked is self.tracked[-1] else {}
                    )
                    self._same_as_before(tracked, {**whole, **sent[tracked.message]})

    def _lists(self, name: str) -> dict[str, list[dict[str, Any]]]:
        """Both lists of somebody, all of their pages."""
        first = cast("dict[str, Any]", self.ask(name, "GET", "/v1/messages").document)
        found = {side: list(first[side]["items"]) for side in ("sent", "received")}
        for side, items in found.items():
            after = first[side]["next"]
            while after is not None:
                path = f"/v1/messages?after={after}"
                page = cast("dict[str, Any]", self.ask(name, "GET", path).document[side])
                items.extend(page["items"])
                after = page["next"]
        return found

    def _same_as_before(self, tracked: TrackedMessage, shown: dict[str, Any]) -> None:
        facts = tracked.item.author_facts
        assert shown["view"] == tracked.item.author_view
        if tracked.shown is not None and tracked.shown[0] == facts:
            for key in shown.keys() & tracked.shown[1].keys():
                assert shown[key] == tracked.shown[1][key], (
                    "the author can tell that something happened"
                )
        tracked.shown = (facts, shown)

    @invariant()
    def strangers_find_nothing(self) -> None:
        """Anyone who is of another case finds nothing, and the recipient only what they may see."""
        if not self.tracked:
            return
        tracked = self.tracked[-1]
        path = f"/v1/messages/{tracked.message}"
        assert [self.ask(name, "GET", path).status for name in ("carla", "third")] == [404, 404]
        visible = self.model.recipient_view(tracked.item) is not None
        assert self.ask(tracked.item.recipient, "GET", path).status == (200 if visible else 404)


def test_whatever_anybody_does_the_promises_hold(relay: DomainRelay) -> None:
    """Legal and illegal acts in any order: state, approvals, grants and views are as the product says."""
    run_state_machine_as_test(
        lambda: Relay(relay),  # type: ignore[arg-type]  # whatever makes a machine will do
        settings=hypothesis_settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    # Nothing that anybody did through relay raises an alarm.
    assert [str(finding) for finding in relay.run.run(findings(relay.settings))] == []
