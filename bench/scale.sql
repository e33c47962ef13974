-- name: prepare
-- Identifiers and hashes that are spread as real ones are. Tables are emptied, but for what was vouched for and
-- what the migration wrote.
create function bench_uuid(kind text, n bigint) returns uuid language sql immutable
as $$ select md5(kind || n)::uuid $$;

create function bench_hash(kind text, n bigint) returns bytea language sql immutable
as $$ select sha256((kind || n)::bytea) $$;

create temporary table kept_statements as table statements;
create temporary table kept_credentials as table credentials;

do $$
begin
    execute (
        select 'truncate ' || string_agg(tablename, ', ') from pg_tables
        where schemaname = 'public' and tablename not in ('migrations', 'message_transitions')
    );
end
$$;

insert into statements table kept_statements;
insert into credentials table kept_credentials;

-- name: indexes
-- Those that hold nothing together.
select
    indexrelid::regclass::text as name,
    pg_get_indexdef(indexrelid) as definition
from pg_index
inner join pg_class on pg_index.indrelid = pg_class.oid
where
    pg_class.relnamespace = 'public'::regnamespace
    and not pg_index.indisunique;

-- name: cases
-- So many cases ($1 to $2) with two people, a mediator and a claimed link each. $3: whose each $4th is.
with numbered as (select n, bench_uuid('case', n) as case_id from generate_series($1::int, $2::int) as n),

new_cases as (
    insert into cases (
        case_id, reference, charter_version, event_seq, registered_by_mediator_at, changed_at, closed_at
    )
    select
        case_id, 'bench ' || n, 1, 20, now() - make_interval(secs => n), now() - make_interval(secs => n),
        case when n % 100 = 0 then now() end
    from numbered
),

new_mediators as (
    insert into case_mediators (case_id, credential_id)
    select case_id, case when n % $4 = 0 then $3 else bench_uuid('mediator', n / 200) end from numbered
),

new_participants as (
    insert into participants (participant_id, case_id, role, number, consent)
    select bench_uuid(side, n), case_id, role::participant_role, 1, 'active'
    from numbered, (values ('one', 'harmed'), ('other', 'responsible')) as sides (side, role)
),

new_pairs as (
    insert into pairs (case_id, one, other)
    select
        case_id,
        least(bench_uuid('one', n), bench_uuid('other', n)),
        greatest(bench_uuid('one', n), bench_uuid('other', n))
    from numbered
),

new_statements as (
    insert into statements (statement_hash, typ, kid, compact)
    select bench_hash(kind, n), 'relay-' || kind || '+jws', 'bench ' || n, 'bench'
    from numbered, unnest(array['charter', 'link', 'claim']) as kind
),

new_charters as (
    insert into charters (case_id, version, statement_hash, recipient, mediators, media, recovery, key_file)
    select case_id, 1, bench_hash('charter', n), 'bench', '{}', '{}', '{}', ''
    from numbered
),

new_links as (
    insert into links (link_id, case_id, participant_id, purpose, statement_hash, auth_hash, sealed)
    select
        bench_uuid('link', n), case_id, bench_uuid('one', n), 'participate', bench_hash('link', n),
        bench_hash('auth', n), ''
    from numbered
),

new_endings as (
    insert into link_endings (statement_hash, link_id)
    select bench_hash('ending', n), bench_uuid('link', n) from numbered where n % 10 = 0
)

insert into claims (
    statement_hash, link_id, case_id, participant_id, kid, signer, recipient, keyring, proof_hash,
    verification_hash
)
select
    bench_hash('claim', n), bench_uuid('link', n), case_id, bench_uuid('one', n), 'bench ' || n,
    bench_hash('signer', n), 'bench', '', bench_hash('proof', n), bench_hash('claim', n)
from numbered;

-- name: messages
-- So many messages ($1 to $2), twenty in each case, each $4th of which is $3's, who reviews what is under
-- review. Nothing is due to be swept.
with numbered as (
    select
        n,
        bench_uuid('message', n) as message_id,
        bench_uuid('case', n / 20) as case_id,
        bench_hash('message', n) as statement_hash,
        (array[
            'queued', 'queued', 'queued', 'queued', 'queued', 'queued', 'claimed', 'held', 'draft', 'draft',
            'processing', 'returned', 'approved', 'offered', 'released', 'viewed', 'closed', 'closed',
            'declined', 'withdrawn'
        ])[n % 20 + 1]::message_state as state,
        now() - make_interval(secs => ($2 - n) * 7 % 8000000) as since
    from generate_series($1::int, $2::int) as n
),

new_statements as (
    insert into statements (statement_hash, typ, kid, compact)
    select statement_hash, 'relay-message+jws', 'bench ' || n / 20, 'bench' from numbered
),

new_events as (
    insert into events (case_id, seq, at, kind, message_id, actor, statement_hash, prev, hash)
    select
        case_id, n % 20 + 1, since, 'submit-letter', message_id, 'participant:bench', statement_hash,
        statement_hash, statement_hash
    from numbered
),

new_revisions as (
    insert into revisions (message_id, revision, statement_hash, language)
    select message_id, 1, statement_hash, 'en' from numbered where n % 5 = 0 or n / 20 % $4 = 0
),

new_receipts as (
    insert into receipts (message_id, receipt_hash)
    select message_id, statement_hash from numbered where n % 50 = 0
),

new_parts as (
    insert into parts (commitment, message_id, statement_hash, role, media_type, size_bytes, segments, body)
    select
        statement_hash, message_id, statement_hash, 'body', 'text/plain', 16, array[statement_hash],
        substring(statement_hash for 16)
    from numbered where n % 5 = 0
),

new_grants as (
    insert into grants (commitment, audience, audience_id, header)
    select statement_hash, 'case', case_id, statement_hash || statement_hash from numbered where n % 5 = 0
),

new_decisions as (
    insert into decisions (statement_hash, message_id, review_round, mediator_id, person_id, decision, source_hash)
    select statement_hash, message_id, 1, $3, $3, 'approve', statement_hash from numbered where n % 5 = 0
),

new_captions as (
    insert into captions (statement_hash, message_id, source_hash, exception)
    select statement_hash, message_id, statement_hash, 'bench' from numbered where n % 50 = 0
),

new_offers as (
    insert into offers (
        statement_hash, message_id, mediator_id, claim_hash, sender_consent, recipient_consent
    )
    select statement_hash, message_id, $3, statement_hash, statement_hash, statement_hash
    from numbered where n % 5 = 0
),

new_responses as (
    insert into responses (statement_hash, message_id, offer_hash, answer)
    select statement_hash, message_id, statement_hash, 'wait' from numbered where n % 20 = 0
),

new_uploads as (
    insert into uploads (upload_id, message_id, revision, size_bytes, offset_bytes, expires_at, submitted_at)
    select message_id, message_id, 1, 16, 16, now() + interval '1 day', case when n % 100 = 0 then now() end
    from numbered where n % 50 = 0
),

new_segments as (
    insert into upload_segments (upload_id, segment, digest)
    select message_id, 0, statement_hash from numbered where n % 50 = 0
),

new_pieces as (
    insert into upload_pieces (upload_id, start_bytes, size_bytes)
    select message_id, 0, 16 from numbered where n % 50 = 0
),

new_jobs as (
    insert into jobs (
        message_id, case_id, sender_id, revision, state, lease_token, lease_expires_at, not_before, leased_at
    )
    select
        message_id, case_id, bench_uuid('one', n / 20), 1, state::job_state, case when state = 'running' then message_id end,
        case when state = 'running' then now() + interval '1 day' end,
        case when state = 'waiting' then now() + interval '1 day' else now() end,
        case when state <> 'waiting' then now() end
    from (
        select n, case_id, message_id, (array['done', 'done', 'done', 'running', 'waiting'])[n / 50 % 5 + 1] as state
        from numbered where n % 50 = 0
    ) as made
),

new_orphans as (
    insert into orphans (object_prefix, noted_at)
    select 'bench/' || message_id, now() + interval '1 day' from numbered where n % 100 = 0
),

new_texts as (
    insert into unsent_texts (kid, text_id, version, sealed)
    select 'bench ' || n / 20, message_id, 1, statement_hash from numbered where n % 100 = 0
),

new_sessions as (
    insert into sessions (token_hash, role, subject_id, case_id, kid, signer, expires_at)
    select
        statement_hash, 'participant', bench_uuid('one', n / 20), case_id, 'bench ' || n / 20, statement_hash,
        now() + interval '1 day'
    from numbered where n % 100 = 0
),

new_notifications as (
    insert into notifications (notification_id, type, at, case_id, message_id, log_seq, log_hash)
    select n + 1, 'mediator.review-waiting', since, case_id, message_id, n % 20 + 1, statement_hash from numbered
),

new_receivers as (
    insert into receivers (receiver, wanted, enqueued_id)
    select 'bench', '{}', 0
),

new_receiver_lines as (
    insert into receiver_lines (receiver, line_id, next_id, next_at, attempts)
    select 'bench', case_id, n + 1, now() + interval '1 day', n % 40 / 20
    from numbered where n % 20 = 0
),

new_dead_letters as (
    insert into dead_letters (receiver, notification_id, attempts, failure)
    select 'bench', n + 1, 9, 'timeout' from numbered where n % 10 = 0
),

new_due_notifications as (
    insert into due_notifications (due_at, type, case_id, link_id)
    select now() + interval '30 days', 'link.expired', case_id, bench_uuid('link', n) from numbered where n % 50 = 0
),

new_challenges as (
    insert into challenges (challenge_hash, expires_at)
    select statement_hash, now() + interval '1 day' from numbered where n % 100 = 0
)

insert into messages (
    message_id, case_id, sender_id, recipient_id, kind, language, state, statement_hash, rendition_hash,
    offer_hash, writer_kid, waiting_since, lease_holder, lease_expires_at, state_since
)
select
    message_id, case_id, bench_uuid('one', n / 20), bench_uuid('other', n / 20),
    case when state = 'processing' then 'video' else 'letter' end::message_kind,
    case when n % 3 = 0 then 'fr' else 'en' end::message_language,
    state, statement_hash, statement_hash, statement_hash, 'bench ' || n / 20,
    case when n % 20 <> 8 then since end,
    case when state = 'claimed' then $3 end, case when state = 'claimed' then now() + interval '1 day' end,
    now()
from numbered;

-- name: queue
-- What triggers would have kept of the queue; of that of others than $1 in short, which takes a tenth of the time.
insert into queue_entries (mediator_id, state, waits_for, since, message_id)
select entry.mediator_id, entry.state, entry.waits_for, entry.since, entry.message_id
from messages
inner join case_mediators on messages.case_id = case_mediators.case_id
cross join lateral queue_entry(messages, case_mediators.credential_id) as entry
where case_mediators.credential_id = $1
union all
select
    case_mediators.credential_id, messages.state, case when is_in_queue(messages) then 'you'::waited_for end,
    messages.waiting_since, messages.message_id
from messages
inner join case_mediators on messages.case_id = case_mediators.case_id
where case_mediators.credential_id <> $1 and messages.waiting_since is not null;

-- name: figures
-- The same of the figures of the case system.
insert into queue_counts (state, messages)
select state, count(*) from messages where is_in_queue(messages) group by state;

