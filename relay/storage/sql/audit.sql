-- name: list_case_heads
-- A page of all cases, in the order of their identifiers, with the heads of their logs and last rows; or one
-- case alone ($3).
select
    cases.case_id,
    cases.event_seq,
    cases.event_hash,
    (
        select events.hash from events
        where events.case_id = cases.case_id
        order by events.seq desc
        limit 1
    ) as last_hash
from cases
where cases.case_id > $1 and ($3::uuid is null or cases.case_id = $3)
order by cases.case_id
limit $2;

-- name: list_log
-- The log of a case with the statement behind each row.
select
    events.seq,
    events.at,
    events.kind,
    events.message_id,
    events.actor,
    events.statement_hash,
    events.prev,
    events.hash,
    statements.typ,
    statements.kid,
    statements.compact
from events
left join statements on events.statement_hash = statements.statement_hash
where events.case_id = $1
order by events.seq, events.event_id;

-- name: list_charters
-- The charters of a case as its log has them, and the registrations before the first.
select
    events.kind,
    statements.compact
from events
inner join statements on events.statement_hash = statements.statement_hash
where events.case_id = $1 and events.kind in ('charter-filed', 'mediators-registered')
order by events.seq;

-- name: list_successions
-- Which root took the place of which, with the texts behind it.
select
    successions.statement_hash,
    successions.old_root,
    successions.new_root,
    statements.compact,
    statements.typ || ' ' || statements.kid as filed
from successions
left join statements on successions.statement_hash = statements.statement_hash
order by successions.statement_hash;

-- name: list_credentials
-- Every credential as its row has it, with the texts behind it.
select
    credentials.credential_id,
    credentials.person_id,
    credentials.role::text as role,
    credentials.statement_hash,
    credentials.kid,
    credentials.signer,
    credentials.recipient,
    credentials.not_before,
    credentials.not_after,
    credentials.revocation_hash,
    credential.compact as credential,
    revocation.compact as revocation,
    credential.typ || ' ' || credential.kid as filed,
    revocation.typ || ' ' || revocation.kid as revocation_filed
from credentials
left join statements as credential on credentials.statement_hash = credential.statement_hash
left join statements as revocation on credentials.revocation_hash = revocation.statement_hash
order by credentials.credential_id;

-- name: list_unlogged
-- Statements that no row of a log and no credential names: what they say was taken out of the log.
select
    statements.statement_hash,
    statements.typ
from statements
where
    not exists (
        select 1 from events
        where events.statement_hash = statements.statement_hash
    )
    and not exists (
        select 1 from credentials
        where credentials.statement_hash = statements.statement_hash
    )
    and not exists (
        select 1 from credentials
        where credentials.revocation_hash = statements.statement_hash
    )
    and not exists (
        select 1 from successions
        where successions.statement_hash = statements.statement_hash
    )
order by statements.statement_hash;

-- name: list_caseless
-- Logs whose case is gone.
select distinct events.case_id
from events
where
    not exists (
        select 1 from cases
        where cases.case_id = events.case_id
    )
order by events.case_id;

-- name: cases
select
    case_id,
    registration_hash,
    registered_by_mediator_at,
    proposed_mediators,
    charter_version,
    approvals,
    captions_required,
    server_processing,
    retention_days,
    disposal_hash,
    changed_at,
    closed_at is not null as is_closed,
    (
        select count(*) from holds
        where holds.case_id = cases.case_id
    ) as holds
from cases
where case_id = $1;

-- name: charters
select
    version,
    statement_hash,
    recipient,
    mediators,
    media,
    recovery,
    octet_length(key_file) > 0 as has_key_file
from charters
where case_id = $1;

-- name: case_mediators
select credential_id
from case_mediators
where case_id = $1;

-- name: participants
select
    participant_id,
    consent::text as consent,
    consent_hash,
    consent_at
from participants
where case_id = $1;

-- name: links
select
    link_id,
    participant_id,
    statement_hash,
    auth_hash,
    signer,
    kid,
    expires_at,
    made_by,
    is_misused,
    message_id,
    purpose::text as purpose,
    sha256(sealed) as sealed,
    ended_at is not null as ended
from links
where case_id = $1;

-- name: link_endings
select
    link_endings.statement_hash,
    link_endings.link_id
from link_endings
inner join links on link_endings.link_id = links.link_id
where links.case_id = $1;

-- name: claims
select
    claims.statement_hash,
    claims.link_id,
    claims.case_id,
    claims.participant_id,
    claims.kid,
    claims.signer,
    claims.recipient,
    claims.verification_hash,
    octet_length(claims.keyring) > 0 as has_keyring
from claims
inner join links on claims.link_id = links.link_id
where links.case_id = $1;

-- name: messages
select
    message_id,
    sender_id,
    recipient_id,
    kind::text as kind,
    language::text as language,
    state::text as state,
    revision,
    review_round,
    statement_hash,
    rendition_hash,
    captions_hash,
    offer_hash,
    withdrawal_hash,
    tell_author,
    lease_holder
from messages
where case_id = $1;

-- name: revisions
select
    revisions.message_id,
    revisions.revision,
    revisions.statement_hash,
    revisions.language::text as language
from revisions
inner join messages on revisions.message_id = messages.message_id
where messages.case_id = $1;

-- name: decisions
select
    decisions.statement_hash,
    decisions.message_id,
    decisions.review_round,
    decisions.mediator_id,
    decisions.person_id,
    decisions.decision::text as decision,
    decisions.reason,
    decisions.source_hash,
    decisions.rendition_hash,
    decisions.captions_hash
from decisions
inner join messages on decisions.message_id = messages.message_id
where messages.case_id = $1;

-- name: captions
select
    captions.statement_hash,
    captions.message_id,
    captions.source_hash,
    captions.exception
from captions
inner join messages on captions.message_id = messages.message_id
where messages.case_id = $1;

-- name: offers
select
    offers.statement_hash,
    offers.message_id,
    offers.mediator_id,
    offers.claim_hash,
    offers.sender_consent,
    offers.recipient_consent,
    offers.not_before
from offers
inner join messages on offers.message_id = messages.message_id
where messages.case_id = $1;

-- name: responses
select
    responses.statement_hash,
    responses.message_id,
    responses.offer_hash,
    responses.answer::text as answer
from responses
inner join messages on responses.message_id = messages.message_id
where messages.case_id = $1;

-- name: parts
-- A body that lies in its row is hashed here; those in the object store are hashed by whoever reads them.
select
    parts.commitment,
    parts.message_id,
    parts.statement_hash,
    parts.role::text as role,
    parts.media_type,
    parts.size_bytes,
    (
        select sha256(string_agg(listed.segment, ''::bytea order by listed.place))
        from unnest(parts.segments) with ordinality as listed (segment, place)
    ) as segments,
    parts.body is null or parts.segments = array[sha256(parts.body)] as body
from parts
inner join messages on parts.message_id = messages.message_id
where messages.case_id = $1;

-- name: grants
select
    grants.commitment,
    grants.audience::text as audience,
    grants.audience_id,
    parts.message_id,
    sha256(grants.header) as header
from grants
inner join parts on grants.commitment = parts.commitment
inner join messages on parts.message_id = messages.message_id
where messages.case_id = $1;
