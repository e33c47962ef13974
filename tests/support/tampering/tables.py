"""Attacks on what is beside the log: what rows lead to, people and their keys, parts and grants."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyrings import generate_keyring
from relay.crypto.signing import Signer, key_id
from relay.services.audit.findings import Code
from tests.support.requests import caller_of
from tests.support.tampering.owner import Owner
from tests.support.tampering.register import Attacks, remove, resign, statement_of
from tests.support.tampering.story import Story

ATTACKS: Final = Attacks()

# Messages and what was decided.


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_message_is_said_to_be_approved(owner: Owner, story: Story) -> None:
    """By one of the two whom the case asks for."""
    await owner.run(
        "update messages set state = 'approved', lease_holder = null, lease_expires_at = null "
        "where message_id = $1",
        story.waiting,
    )


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_message_has_other_words(owner: Owner, story: Story) -> None:
    """Those that were sent back."""
    await owner.run(
        "update messages set statement_hash = "
        "(select statement_hash from revisions where message_id = $1 and revision = 1) "
        "where message_id = $1",
        story.message,
    )


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_message_is_to_somebody_else(owner: Owner, story: Story) -> None:
    """To its own sender."""
    await owner.run(
        "update messages set recipient_id = sender_id, sender_id = recipient_id where message_id = $1",
        story.waiting,
    )


@ATTACKS.finds(Code.TABLE_MISSING)
async def a_message_is_deleted(owner: Owner, story: Story) -> None:
    """The log still speaks of it."""
    await owner.run("delete from messages where message_id = $1", story.waiting)


@ATTACKS.finds(Code.TABLE_ADDED)
async def a_message_is_put_in(owner: Owner, story: Story) -> None:
    """That the log knows nothing of."""
    await owner.run(
        "insert into messages (message_id, case_id, sender_id, recipient_id, kind, language, state, "
        "writer_kid) select $2, case_id, sender_id, recipient_id, kind, language, 'draft', writer_kid "
        "from messages "
        "where message_id = $1",
        story.waiting,
        uuid.uuid4(),
    )


@ATTACKS.finds(Code.TABLE_MISSING)
async def a_decision_is_deleted(owner: Owner, story: Story) -> None:
    """The log still has it."""
    await owner.run("delete from decisions where message_id = $1", story.message)


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_decision_is_of_another_mediator(owner: Owner, story: Story) -> None:
    """Whose approval would then count twice."""
    await owner.run(
        "update decisions set mediator_id = $2 where message_id = $1 and decision = 'return'",
        story.message,
        story.case.colleague.credential_id,
    )


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_decision_is_of_another_person(owner: Owner, story: Story) -> None:
    """Two approvals of one person would then count as two."""
    await owner.run(
        "update decisions set person_id = $2 where message_id = $1 and decision = 'return'",
        story.message,
        uuid.uuid4(),
    )


@ATTACKS.finds(Code.TABLE_MISSING)
async def an_answer_is_deleted(owner: Owner, story: Story) -> None:
    """The log still has it."""
    await owner.run("delete from responses where message_id = $1", story.message)


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def an_offer_is_to_another_key(owner: Owner, story: Story) -> None:
    """To the sender's."""
    await owner.run(
        "update offers set claim_hash = (select statement_hash from claims "
        "where participant_id = $2) where message_id = $1",
        story.message,
        story.case.harmed.participant_id,
    )


# Cases, people and their keys.


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_case_asks_for_fewer_approvals(owner: Owner, story: Story) -> None:
    """Than its charter."""
    await owner.run("update cases set approvals = 1 where case_id = $1", story.case_id)


@ATTACKS.finds(Code.TABLE_ADDED)
async def a_mediator_is_assigned(owner: Owner, story: Story) -> None:
    """Whom the charter does not name."""
    await owner.run(
        "insert into case_mediators (case_id, credential_id) values ($1, $2)",
        story.case_id,
        story.other.mediator.credential_id,
    )


@ATTACKS.finds(Code.CHARTER_INVALID, Code.STATEMENT_SIGNER)
async def a_charter_is_signed_by_a_stranger(owner: Owner, story: Story) -> None:
    """Of another case."""
    digest = await statement_of(owner, story, "charter-filed")
    await resign(owner, digest, caller_of(story.other.mediator).signer)


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_charter_has_another_recipient(owner: Owner, story: Story) -> None:
    """In its row."""
    await owner.run(
        "update charters set recipient = $2 where case_id = $1",
        story.case_id,
        str(generate_keyring().identity.recipient),
    )


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_consent_is_another(owner: Owner, story: Story) -> None:
    """In the row of a participant."""
    await owner.run(
        "update participants set consent = 'paused' where participant_id = $1",
        story.case.harmed.participant_id,
    )


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_consent_stands_beside_the_log(owner: Owner, story: Story) -> None:
    """Somebody never said a word, and takes part."""
    await owner.run(
        "insert into participants (participant_id, case_id, role, number, consent) "
        "values ($2, $1, 'harmed', 9, 'active')",
        story.case_id,
        uuid.uuid4(),
    )


@ATTACKS.finds(Code.GATE_CLOSED)
async def a_consent_is_removed_everywhere(owner: Owner, story: Story) -> None:
    """The letter was offered without it."""
    digest = await remove(owner, story, "consent-active")
    await owner.run(
        "update participants set consent = null, consent_hash = null, consent_at = null "
        "where consent_hash = $1",
        digest,
    )


@ATTACKS.finds(Code.KEY_UNKNOWN)
async def a_verification_is_removed_everywhere(owner: Owner, story: Story) -> None:
    """The letter was offered to a key that nobody checked."""
    digest = await remove(owner, story, "claim-verified")
    await owner.run(
        "update claims set verification_hash = null where verification_hash = $1", digest
    )


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_claim_has_another_key(owner: Owner, story: Story) -> None:
    """The relay's own."""
    keys = generate_keyring()
    await owner.run(
        "update claims set kid = $2, signer = $3, recipient = $4 where participant_id = $1",
        story.case.responsible.participant_id,
        key_id(keys.signer.public_key),
        keys.signer.public_key,
        str(keys.identity.recipient),
    )


@ATTACKS.finds(Code.GATE_CLOSED)
async def a_senders_verification_is_removed_everywhere(owner: Owner, story: Story) -> None:
    """The letter was approved before anybody knew whose words these are."""
    verified = await owner.value(
        "select verification_hash from claims where participant_id = $1",
        story.case.harmed.participant_id,
    )
    await owner.run("delete from events where statement_hash = $1", verified)
    await owner.run("delete from statements where statement_hash = $1", verified)
    await owner.run(
        "update claims set verification_hash = null where verification_hash = $1", verified
    )


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_link_that_ended_is_open_again(owner: Owner, story: Story) -> None:
    """For anyone who has its address."""
    await owner.run(
        "update links set ended_at = null, is_misused = false where case_id = $1", story.case_id
    )


@ATTACKS.finds(Code.TABLE_MISSING)
async def the_end_of_a_link_is_deleted(owner: Owner, story: Story) -> None:
    """Readers would take what comes through it for the participant's."""
    await owner.run("delete from link_endings")


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def another_registration_is_said_to_have_opened_the_case(owner: Owner, story: Story) -> None:
    """That of another case."""
    await owner.run(
        "update cases set registration_hash = (select registration_hash from cases where case_id = $2) "
        "where case_id = $1",
        story.case_id,
        story.other.case_id,
    )


@ATTACKS.finds(Code.STATEMENT_SIGNER)
async def a_link_is_of_the_relays_own_making(owner: Owner, story: Story) -> None:
    """Signed by a key that nobody vouches for."""
    await resign(
        owner, await statement_of(owner, story, "link-made-to-participate"), Signer.generate()
    )


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_link_is_open_for_longer(owner: Owner, story: Story) -> None:
    """Than its statement says."""
    await owner.run(
        "update links set expires_at = $2 where case_id = $1",
        story.case_id,
        datetime.now(UTC) + timedelta(days=1),
    )


@ATTACKS.finds(Code.TRANSITION_UNKNOWN)
async def a_case_begins_without_its_registration(owner: Owner, story: Story) -> None:
    """The first row is gone."""
    await owner.run(
        "delete from events where case_id = $1 and kind = 'case-registered'", story.case_id
    )


@ATTACKS.finds(Code.CREDENTIAL_INVALID)
async def a_credential_is_filed_under_another_key(owner: Owner, story: Story) -> None:
    """What the root signed, as if somebody else had."""
    await owner.run(
        "update statements set kid = repeat('A', 22) where statement_hash = "
        "(select statement_hash from credentials where credential_id = $1)",
        story.case.mediator.credential_id,
    )


@ATTACKS.finds(Code.CREDENTIAL_INVALID)
async def a_credential_has_another_key(owner: Owner, story: Story) -> None:
    """In its row."""
    signer = Signer.generate()
    await owner.run(
        "update credentials set signer = $2, kid = $3 where credential_id = $1",
        story.case.mediator.credential_id,
        signer.public_key,
        key_id(signer.public_key),
    )


@ATTACKS.finds(Code.CREDENTIAL_INVALID)
async def a_credential_is_of_another_root(owner: Owner, story: Story) -> None:
    """Of somebody who pretends to be the organization."""
    digest = await owner.value(
        "select statement_hash from credentials where credential_id = $1",
        story.case.mediator.credential_id,
    )
    await resign(owner, digest, Signer.generate())


@ATTACKS.finds(Code.CREDENTIAL_INVALID)
async def a_revocation_is_of_somebody_else(owner: Owner, story: Story) -> None:
    """It ends another credential than the row that names it."""
    revoked = statements.Revocation(
        credential=story.other.mediator.credential_id, at=datetime.now(UTC)
    )
    compact = statements.sign(story.people.administrator.root, revoked)
    await owner.run(
        "update credentials set revocation_hash = $2 where credential_id = $1",
        story.case.colleague.credential_id,
        await owner.put_statement(compact),
    )


@ATTACKS.finds(Code.CREDENTIAL_INVALID)
async def a_root_is_said_to_have_a_successor(owner: Owner, story: Story) -> None:
    """Which the root never signed."""
    old, new = story.people.administrator.root.public_key, Signer.generate()
    said = statements.Succession(
        old=b64u_encode(old), new=b64u_encode(new.public_key), at=datetime.now(UTC)
    )
    await owner.run(
        "insert into successions (statement_hash, old_root, new_root) values ($1, $2, $3)",
        await owner.put_statement(statements.sign(Signer.generate(), said)),
        old,
        new.public_key,
    )


# Parts and grants.


@ATTACKS.finds(Code.TABLE_DIFFERS)
async def a_body_is_another(owner: Owner, story: Story) -> None:
    """Of the same size."""
    await owner.run(
        "update parts set body = decode(repeat('00', octet_length(body)), 'hex') where message_id = $1",
        story.message,
    )


@ATTACKS.finds(Code.TABLE_ADDED)
async def a_part_is_put_in(owner: Owner, story: Story) -> None:
    """That no statement declares."""
    await owner.run(
        "insert into parts (commitment, message_id, statement_hash, role, media_type, size_bytes, "
        "segments, body) select $2, message_id, statement_hash, role, media_type, size_bytes, "
        "segments, body from parts where message_id = $1 limit 1",
        story.waiting,
        bytes(32),
    )


@ATTACKS.finds(Code.TABLE_MISSING)
async def a_part_is_deleted(owner: Owner, story: Story) -> None:
    """With its grants."""
    await owner.run(
        "delete from grants where commitment in (select commitment from parts where message_id = $1)",
        story.waiting,
    )
    await owner.run("delete from parts where message_id = $1", story.waiting)


@ATTACKS.finds(Code.GRANT_ADDED)
async def a_recipient_has_a_grant_before_any_offer(owner: Owner, story: Story) -> None:
    """Copied from the author's."""
    await owner.run(
        "insert into grants (commitment, audience, audience_id, header) "
        "select commitment, 'recipient', $2, header from grants "
        "inner join parts using (commitment) where message_id = $1 and audience = 'case'",
        story.waiting,
        story.case.harmed.participant_id,
    )


@ATTACKS.finds(Code.GRANT_ADDED)
async def a_grant_has_another_header(owner: Owner, story: Story) -> None:
    """Than the offer names."""
    await owner.run(
        "update grants set header = header || '\\x00' from parts where audience = 'recipient' "
        "and parts.commitment = grants.commitment and message_id = $1",
        story.message,
    )


@ATTACKS.finds(Code.GRANT_ADDED)
async def a_grant_is_for_somebody_else(owner: Owner, story: Story) -> None:
    """The author's copy, for the other."""
    await owner.run(
        "update grants set audience_id = $2 from parts where audience = 'author' "
        "and parts.commitment = grants.commitment and message_id = $1",
        story.waiting,
        story.case.harmed.participant_id,
    )


@ATTACKS.finds(Code.GRANT_ADDED)
async def a_media_worker_has_a_grant_of_a_letter(owner: Owner, story: Story) -> None:
    """A worker is never given text."""
    await owner.run(
        "insert into grants (commitment, audience, audience_id, header) "
        "select commitment, 'media', credential_id, header from grants "
        "inner join parts using (commitment), credentials "
        "where message_id = $1 and audience = 'case' and credentials.role = 'media'",
        story.waiting,
    )


@ATTACKS.finds(Code.GRANT_MISSING)
async def a_recipients_grants_are_deleted(owner: Owner, story: Story) -> None:
    """Of what they opened."""
    await owner.run("delete from grants where audience = 'recipient'")


@ATTACKS.finds(Code.GRANT_MISSING)
async def the_cases_grants_are_deleted(owner: Owner, story: Story) -> None:
    """Nobody can review it any more."""
    await owner.run("delete from grants where audience = 'case'")
