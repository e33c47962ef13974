"""What lets somebody in is in the database as a hash alone: links, challenges, sessions and receipts."""

from __future__ import annotations

import dataclasses
import hashlib

from relay.client.participant import Participant
from relay.crypto.encoding import b64u_decode
from relay.crypto.links import parse_link_url
from relay.domain.sessions import Challenge
from relay.settings import Settings
from relay.testing.people import Case, Organization
from relay.testing.searching import needles_of_text, search_everything
from tests.support.requests import caller_of


async def test_nothing_that_lets_somebody_in_is_stored(
    case: Case, people: Organization, relay_settings: Settings, database_url: str
) -> None:
    """Neither as it is nor in another spelling, in any table or object; what is stored is found."""
    url = await case.mediator.make_link(case.case_id, case.harmed.participant_id, "upload")
    uploader = await Participant.through_upload_link(people.connection, url)
    sent = await uploader.send_letter(case.responsible.participant_id, "Words.")
    assert sent.receipt is not None
    made = await people.connection.call("POST", "/v1/challenges", into=Challenge)
    texts = [sent.receipt, sent.receipt.replace("-", ""), made.challenge]
    raw = [b64u_decode(made.challenge)]
    everybody = (case.harmed, case.responsible, case.mediator, uploader)
    texts += [await caller_of(person).signed.bearer() for person in everybody]
    for address in (case.harmed_url, case.responsible_url, url):
        link = parse_link_url(address)
        raw += [link.secret.secret, link.secret.auth(link.id), link.secret.claim_key(link.id)]
    raw += [b64u_decode(text) for text in texts[3:]]
    settings = dataclasses.replace(relay_settings, database_url=database_url)
    needles = [needle for text in texts for needle in needles_of_text(text)] + raw
    assert (await search_everything(settings, [], needles)).found == ()

    digest = hashlib.sha256(b64u_decode(made.challenge)).digest()
    assert "table challenges" in (await search_everything(settings, [], [digest])).found
