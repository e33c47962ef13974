"""A case system in Python that has nothing but a client generated from docs/openapi.yaml.

It reads what to do from standard input, as JSON, and prints what came of it; `host.ts` does the same.
"""

from __future__ import annotations

import json
import sys
import uuid
from typing import Any, TypeVar

from relay_api import AuthenticatedClient
from relay_api.api.cases import read_case, register_case
from relay_api.api.events import list_events
from relay_api.models import (
    CaseRegistration,
    CaseView,
    NewParticipant,
    NotificationPage,
    ParticipantRole,
    ProblemDocument,
)

Answer = TypeVar("Answer")


def main() -> None:
    """Register a case, read it, read the events, and be refused three times."""
    told = json.load(sys.stdin)
    client = AuthenticatedClient(told["url"], told["token"])
    case = uuid.UUID(told["case"])
    registered = _expect(
        CaseView, register_case.sync(case, client=client, body=_registration(told))
    )
    read = _expect(CaseView, read_case.sync(case, client=client))
    after = _expect(NotificationPage, list_events.sync(client=client, limit=1))
    page = _expect(NotificationPage, list_events.sync(client=client, after=0, limit=500))
    french = AuthenticatedClient(told["url"], told["token"], headers={"Accept-Language": "fr"})
    nobody = AuthenticatedClient(told["url"], "nobody")
    refusals = [
        _expect(ProblemDocument, read_case.sync(uuid.uuid4(), client=client)),
        _expect(ProblemDocument, read_case.sync(case, client=nobody)),
        _expect(
            ProblemDocument, register_case.sync(case, client=french, body=_registration(told, "\0"))
        ),
    ]
    said = {
        "registered": str(registered.case),
        "roles": sorted(person.role.value for person in read.participants),
        "page_of_one": len(after.events),
        "events": [event.type_.value for event in page.events],
        "problems": [[problem.status, problem.code.value] for problem in refusals],
        "titles": [problem.title for problem in refusals],
    }
    json.dump(said, sys.stdout)


def _registration(told: dict[str, Any], mark: str = "") -> CaseRegistration:
    return CaseRegistration(
        reference=told["reference"] + mark,
        participants=[
            NewParticipant(uuid.UUID(told["harmed"]), ParticipantRole.HARMED),
            NewParticipant(uuid.UUID(told["responsible"]), ParticipantRole.RESPONSIBLE),
        ],
        mediators=[uuid.UUID(told["mediator"])],
    )


def _expect(kind: type[Answer], answer: object) -> Answer:
    if not isinstance(answer, kind):
        raise SystemExit(f"{kind.__name__} was expected, and not {answer!r}")
    return answer


if __name__ == "__main__":
    main()
