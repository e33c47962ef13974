-- name: cases
-- The case, with where its log ends.
select to_jsonb(cases)
from cases
where case_id = $1;

-- name: credentials
-- Whoever signed something of the case, or is named in a charter of it. Keyrings are of people, not of cases.
with named as (
    select unnest(charters.mediators || charters.media || charters.recovery) as credential_id
    from charters
    where charters.case_id = $1
    union
    select links.made_by from links
    where links.case_id = $1
    union
    select credentials.credential_id
    from events
    inner join statements on events.statement_hash = statements.statement_hash
    inner join credentials on statements.kid = credentials.kid
    where events.case_id = $1
)

select to_jsonb(credentials) - 'keyring'
from named
inner join credentials on named.credential_id = credentials.credential_id
order by credentials.credential_id;

-- name: successions
select to_jsonb(successions)
from successions
order by statement_hash;

-- name: holds
select to_jsonb(holds)
from holds
where case_id = $1
order by placed_at, hold_id;

-- name: participants
select to_jsonb(participants)
from participants
where case_id = $1
order by role, number;

-- name: pairs
select to_jsonb(pairs)
from pairs
where case_id = $1
order by one, other;

-- name: charters
-- The keys of the case are files of their own.
select to_jsonb(charters) - 'key_file'
from charters
where case_id = $1
order by version;

-- name: links
-- Without what shows a link again to the mediator who made it.
select to_jsonb(links) - 'again'
from links
where case_id = $1
order by created_at, link_id;

-- name: link_endings
select to_jsonb(link_endings)
from link_endings
inner join links on link_endings.link_id = links.link_id
where links.case_id = $1
order by link_endings.statement_hash;

-- name: claims
select to_jsonb(claims)
from claims
inner join links on claims.link_id = links.link_id
where links.case_id = $1
order by claims.claimed_at, claims.statement_hash;

-- name: messages
select to_jsonb(messages)
from messages
where case_id = $1
order by created_at, message_id;

-- name: receipts
select to_jsonb(receipts)
from receipts
inner join messages on receipts.message_id = messages.message_id
where messages.case_id = $1
order by receipts.message_id;

-- name: revisions
select to_jsonb(revisions)
from revisions
inner join messages on revisions.message_id = messages.message_id
where messages.case_id = $1
order by revisions.message_id, revisions.revision;

-- name: parts
-- Bodies are files of their own.
select to_jsonb(parts) - 'body'
from parts
inner join messages on parts.message_id = messages.message_id
where messages.case_id = $1
order by parts.commitment;

-- name: grants
-- Headers are files of their own.
select to_jsonb(grants) - 'header'
from grants
inner join parts on grants.commitment = parts.commitment
inner join messages on parts.message_id = messages.message_id
where messages.case_id = $1
order by grants.commitment, grants.audience, grants.audience_id;

-- name: decisions
select to_jsonb(decisions)
from decisions
inner join messages on decisions.message_id = messages.message_id
where messages.case_id = $1
order by decisions.decided_at, decisions.statement_hash;

-- name: captions
select to_jsonb(captions)
from captions
inner join messages on captions.message_id = messages.message_id
where messages.case_id = $1
order by captions.statement_hash;

-- name: offers
select to_jsonb(offers)
from offers
inner join messages on offers.message_id = messages.message_id
where messages.case_id = $1
order by offers.offered_at, offers.statement_hash;

-- name: responses
select to_jsonb(responses)
from responses
inner join messages on responses.message_id = messages.message_id
where messages.case_id = $1
order by responses.answered_at, responses.statement_hash;

-- name: unsent_texts
-- What participants are writing, sealed for themselves.
select to_jsonb(unsent_texts)
from claims
inner join links on claims.link_id = links.link_id
inner join unsent_texts on claims.kid = unsent_texts.kid
where links.case_id = $1
order by unsent_texts.kid, unsent_texts.text_id;

-- name: case_mediators
select to_jsonb(case_mediators)
from case_mediators
where case_id = $1
order by credential_id;

-- name: list_statements
-- All that was signed of a case, and of whoever is vouched for in it ($2).
select
    statements.statement_hash,
    statements.typ,
    statements.kid,
    statements.compact,
    statements.received_at
from (
    select events.statement_hash from events
    where events.case_id = $1 and events.statement_hash is not null
    union
    select credentials.statement_hash from credentials
    where credentials.credential_id = any($2::uuid[])
    union
    select credentials.revocation_hash from credentials
    where credentials.credential_id = any($2::uuid[]) and credentials.revocation_hash is not null
    union
    select successions.statement_hash from successions
) as named
inner join statements on named.statement_hash = statements.statement_hash
order by statements.statement_hash;

-- name: list_headers
-- The header of each grant.
select
    grants.commitment,
    grants.audience::text as audience,
    grants.audience_id,
    grants.header
from grants
inner join parts on grants.commitment = parts.commitment
inner join messages on parts.message_id = messages.message_id
where messages.case_id = $1
order by grants.commitment, grants.audience, grants.audience_id;

-- name: list_bodies
-- Each part, with its body where the row holds it.
select
    parts.commitment,
    parts.segments,
    parts.size_bytes,
    parts.object_prefix,
    parts.body,
    grants.header
from parts
inner join messages on parts.message_id = messages.message_id
left join grants
    on
        parts.commitment = grants.commitment
        and grants.audience = 'case'
        and messages.case_id = grants.audience_id
where messages.case_id = $1
order by parts.commitment;

-- name: count_left_out
-- What stays where it is.
select
    (
        select count(*) from sessions
        where sessions.case_id = $1
    ) as sessions,
    (
        select count(*) from uploads
        inner join messages on uploads.message_id = messages.message_id
        where messages.case_id = $1 and uploads.submitted_at is null
    ) as uploads,
    (
        select count(*) from jobs
        inner join messages on jobs.message_id = messages.message_id
        where messages.case_id = $1 and jobs.state in ('waiting', 'running')
    ) as jobs;

-- name: list_taken
-- Which identifiers of a case ($1: it, $2: its reference) are taken.
select 'case' as what from cases
where case_id = $1
union all
select 'reference' from cases
where reference = $2;

-- name: is_owner
-- Whether somebody may turn the guards of an import off.
select pg_has_role(session_user, relowner, 'usage') from pg_class
where oid = 'messages'::regclass;

-- name: guard_imports
-- Whether what is imported has to begin at the beginning; see the function.
select guard_imports($1);

-- name: wait_shortly
-- Nobody who writes waits longer for an import than this.
select set_config('lock_timeout', '10s', true);

-- name: insert_statement
insert into statements (statement_hash, typ, kid, compact, received_at)
values ($1, $2, $3, $4, $5)
on conflict do nothing;

-- name: insert_credentials
-- One that is known stays as it is, but for a revocation that was not.
insert into credentials
select (jsonb_populate_record(null::credentials, $1)).*
on conflict (
    credential_id) do update set revocation_hash = excluded.revocation_hash
where credentials.revocation_hash is null and excluded.revocation_hash is not null;

-- name: insert_successions
insert into successions
select (jsonb_populate_record(null::successions, $1)).*
on conflict do nothing;

-- name: insert_cases
-- All but what Postgres computes.
insert into cases (
    case_id, reference, registration_hash, registered_by_mediator_at, proposed_mediators, charter_version,
    approvals, captions_required, server_processing, event_seq, event_hash, created_at, closed_at,
    retention_days, changed_at
)
select
    case_id,
    reference,
    registration_hash,
    registered_by_mediator_at,
    proposed_mediators,
    charter_version,
    approvals,
    captions_required,
    server_processing,
    event_seq,
    event_hash,
    created_at,
    closed_at,
    retention_days,
    changed_at
from jsonb_populate_record(null::cases, $1);

-- name: insert_holds
insert into holds
select (jsonb_populate_record(null::holds, $1)).*;

-- name: insert_participants
insert into participants
select (jsonb_populate_record(null::participants, $1)).*;

-- name: insert_pairs
insert into pairs
select (jsonb_populate_record(null::pairs, $1)).*;

-- name: insert_charters
insert into charters
select (jsonb_populate_record(null::charters, $1)).*;

-- name: insert_links
insert into links
select (jsonb_populate_record(null::links, $1)).*;

-- name: insert_link_endings
insert into link_endings
select (jsonb_populate_record(null::link_endings, $1)).*;

-- name: insert_claims
insert into claims
select (jsonb_populate_record(null::claims, $1)).*;

-- name: insert_messages
insert into messages
select (jsonb_populate_record(null::messages, $1)).*;

-- name: insert_receipts
insert into receipts
select (jsonb_populate_record(null::receipts, $1)).*;

-- name: insert_revisions
insert into revisions
select (jsonb_populate_record(null::revisions, $1)).*;

-- name: insert_parts
insert into parts
select (jsonb_populate_record(null::parts, $1)).*;

-- name: insert_grants
insert into grants
select (jsonb_populate_record(null::grants, $1)).*;

-- name: insert_decisions
insert into decisions
select (jsonb_populate_record(null::decisions, $1)).*;

-- name: insert_captions
insert into captions
select (jsonb_populate_record(null::captions, $1)).*;

-- name: insert_offers
insert into offers
select (jsonb_populate_record(null::offers, $1)).*;

-- name: insert_responses
insert into responses
select (jsonb_populate_record(null::responses, $1)).*;

-- name: insert_unsent_texts
insert into unsent_texts
select (jsonb_populate_record(null::unsent_texts, $1)).*;

-- name: insert_case_mediators
insert into case_mediators
select (jsonb_populate_record(null::case_mediators, $1)).*;

-- name: insert_event
insert into events (case_id, seq, at, kind, message_id, actor, statement_hash, prev, hash)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: count_messages
-- The figures of the queue, which triggers keep for whatever moves.
insert into queue_counts (state, messages)
select
    state,
    count(*) as messages
from messages
where case_id = $1 and is_in_queue(messages)
group by state;

-- name: insert_jobs
-- What a worker had to do, a worker does from the beginning.
insert into jobs (message_id, revision)
select
    message_id,
    revision
from messages
where case_id = $1 and state = 'processing';
