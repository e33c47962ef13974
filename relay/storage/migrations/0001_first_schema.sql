-- The first schema: cases and their keys, links, messages and their parts, decisions, jobs, the event log.
-- Digests and keys are bytea; statements are kept as the exact text that was signed, under their hash.
-- What must never be is refused here too, so that a mistake in the service cannot release anything.
-- All of it belongs to whoever migrates. The web service and the media workers come as two other roles, which
-- may do what `grants.sql` says; where that depends on the row, a trigger here says it.

-- The two roles. --------------------------------------------------------------------------------------------

-- Whether the web service alone acts, rather than whoever owns the database.
create function by_web() returns boolean language sql stable as $$
    select pg_catalog.pg_has_role(session_user, 'relay_web', 'member')
        and not pg_catalog.pg_has_role(session_user, 'relay_worker', 'member')
$$;

-- Whether a media worker alone acts.
create function by_worker() returns boolean language sql stable as $$
    select pg_catalog.pg_has_role(session_user, 'relay_worker', 'member')
        and not pg_catalog.pg_has_role(session_user, 'relay_web', 'member')
$$;

create function refuse_role() returns trigger language plpgsql as $$
begin
    raise exception '% may not do this to %', session_user, tg_table_name using errcode = 'insufficient_privilege';
end
$$;

-- Statements: every signed act, verified before it is stored. -----------------------------------------------

create table statements (
    statement_hash bytea primary key check (octet_length(statement_hash) = 32),
    typ text not null,
    kid text not null,
    compact text not null,
    received_at timestamptz not null default now()
);

comment on table statements is 'Every signed act, as the exact text that was signed.';

-- Credentials of the organization. --------------------------------------------------------------------------

create type credential_role as enum ('mediator', 'media', 'recovery', 'service');

create table credentials (
    credential_id uuid primary key,
    person_id uuid not null,
    role credential_role not null,
    statement_hash bytea not null unique references statements,
    kid text not null unique,
    signer bytea not null check (octet_length(signer) = 32),
    recipient text,
    not_before timestamptz not null,
    not_after timestamptz not null,
    revocation_hash bytea references statements,
    keyring bytea,
    check (not_before < not_after),
    check ((role = 'service') = (recipient is null))
);

comment on column credentials.person_id is
'Whose keys these are: renewed keys are another credential of the same person.';

create index credentials_by_person on credentials (person_id, not_after);
create index credentials_of_services on credentials (credential_id) where role = 'service';

create table successions (
    statement_hash bytea primary key references statements,
    old_root bytea not null check (octet_length(old_root) = 32),
    new_root bytea not null check (octet_length(new_root) = 32)
);

comment on table successions is 'Which root took the place of which: signed by both, in two statements.';

-- Cases, participants, pairs. -------------------------------------------------------------------------------

create type participant_role as enum (
    'harmed', 'harmed-family', 'representative', 'responsible', 'responsible-family'
);

create type consent_status as enum ('active', 'paused', 'withdrawn');

create type case_state as enum ('registered', 'open', 'closed', 'disposed');

create table cases (
    case_id uuid primary key,
    reference text not null unique check (length(reference) between 1 and 200),
    registration_hash bytea references statements,
    registered_by_mediator_at timestamptz,
    proposed_mediators uuid[],
    charter_version integer not null default 0,
    approvals smallint not null default 1 check (approvals in (1, 2)),
    captions_required boolean not null default true,
    server_processing boolean not null default true,
    event_seq bigint not null default 0,
    event_hash bytea not null default decode(repeat('00', 32), 'hex'),
    created_at timestamptz not null default now(),
    closed_at timestamptz,
    retention_days integer check (retention_days >= 1),
    -- A case without a charter holds nothing that was written: thirty days. More than a hundred years are a
    -- hundred, which is the last time that every reader can represent.
    disposal_due_at timestamptz generated always as (
        timezone(
            'utc',
            timezone('utc', closed_at) + make_interval(days => least(coalesce(retention_days, 30), 36500))
        )
    ) stored,
    disposed_at timestamptz,
    disposal_hash bytea references statements,
    certificate_stored_at timestamptz,
    changed_at timestamptz not null default now(),
    state case_state not null generated always as (
        case
            when disposed_at is not null then 'disposed'::case_state
            when closed_at is not null then 'closed'::case_state
            when charter_version = 0 then 'registered'::case_state
            else 'open'::case_state
        end
    ) stored,
    check (disposed_at is null or closed_at is not null),
    check ((disposed_at is null) = (disposal_hash is null))
);

create index cases_by_disposal on cases (disposal_due_at)
where disposed_at is null and closed_at is not null;
create index cases_with_certificate_to_store on cases (case_id)
where disposed_at is not null and certificate_stored_at is null;

comment on column cases.changed_at is
'When the newest row of its log was written that is about no message, so that it tells of nobody''s answer.';
comment on column cases.state is
'Registered until it has a charter, then open, then closed, then disposed of.';
comment on column cases.closed_at is 'Since then nothing is begun, sent, offered or released in it.';
comment on column cases.retention_days is 'What the charter in force says; null before there is one.';
comment on column cases.disposed_at is
'Since then nothing is left of what was written, nor any grant or key; the log and what was signed stay.';
comment on column cases.disposal_hash is 'The certificate of disposal, signed by a media worker.';
comment on column cases.certificate_stored_at is
'When the certificate was written to the bucket too, where it outlives a backup of this database.';
comment on column cases.registration_hash is 'Says which mediators may sign the first charter.';
comment on column cases.registered_by_mediator_at is
'What a registration by a mediator says of its time: no case system may be vouched for as of before that.';
comment on column cases.proposed_mediators is
'Whom the case system asked for after the first charter. A mediator signs the change, or does not.';
comment on column cases.event_hash is 'Head of the hash chain of this case; the next event starts from it.';

create index cases_by_state on cases (state, case_id);
create index cases_by_change on cases (state, changed_at, case_id);
create index cases_by_registration on cases (registered_by_mediator_at)
where registered_by_mediator_at is not null;

create table holds (
    case_id uuid not null references cases,
    hold_id uuid not null,
    name text not null check (length(name) between 1 and 100),
    reason text not null check (length(reason) between 1 and 500),
    placed_by text not null,
    placed_at timestamptz not null default now(),
    primary key (case_id, hold_id)
);

comment on table holds is 'While there is one, its case is not disposed of.';

create table participants (
    participant_id uuid primary key,
    case_id uuid not null references cases,
    role participant_role not null,
    number integer not null check (number >= 1),
    consent consent_status,
    consent_hash bytea references statements,
    consent_at timestamptz,
    unique (case_id, participant_id),
    unique (case_id, role, number)
);

comment on column participants.consent is
'Null until the person said yes: nothing reaches or leaves them before.';
comment on column participants.number is
'Counts those with one role in a case, as they were registered: the same for everybody, and for good.';

create function number_participant() returns trigger language plpgsql as $$
begin
    select coalesce(max(participants.number), 0) + 1 into new.number from participants
    where participants.case_id = new.case_id and participants.role = new.role;
    return new;
end
$$;

create trigger participants_are_numbered before insert on participants
for each row execute function number_participant();

create table pairs (
    case_id uuid not null references cases,
    one uuid not null,
    other uuid not null,
    no_contact boolean not null default false,
    primary key (case_id, one, other),
    foreign key (case_id, one) references participants (case_id, participant_id),
    foreign key (case_id, other) references participants (case_id, participant_id),
    check (one < other)
);

create table case_mediators (
    case_id uuid not null references cases,
    credential_id uuid not null,
    primary key (case_id, credential_id)
);

create index case_mediators_by_mediator on case_mediators (credential_id, case_id);

comment on table case_mediators is
'Assigned by the case system before the first charter, then what the charter says.';

create table charters (
    case_id uuid not null references cases,
    version integer not null check (version >= 1),
    statement_hash bytea not null unique references statements,
    recipient text not null,
    mediators uuid[] not null,
    media uuid[] not null,
    recovery uuid[] not null,
    key_file bytea not null,
    primary key (case_id, version)
);

comment on column charters.key_file is
'Every identity that the case has had, sealed to the mediators and recovery keys of this version.';

-- Links and claims. -----------------------------------------------------------------------------------------

create type link_purpose as enum ('participate', 'upload');

create table links (
    link_id uuid primary key,
    case_id uuid not null references cases,
    participant_id uuid not null,
    purpose link_purpose not null,
    statement_hash bytea not null unique references statements,
    auth_hash bytea not null check (octet_length(auth_hash) = 32),
    signer bytea check (octet_length(signer) = 32),
    kid text unique,
    sealed bytea,
    again bytea,
    made_by uuid references credentials,
    expires_at timestamptz,
    ended_at timestamptz,
    is_misused boolean not null default false,
    message_id uuid,
    created_at timestamptz not null default now(),
    foreign key (case_id, participant_id) references participants (case_id, participant_id),
    check ((purpose = 'upload') = (signer is not null)),
    check (purpose = 'participate' or sealed is null),
    check (purpose = 'upload' or sealed is not null or ended_at is not null),
    check ((signer is null) = (kid is null)),
    check (again is null or (made_by is not null and purpose = 'participate')),
    check (ended_at is not null or not is_misused),
    check (message_id is null or purpose = 'upload'),
    check (purpose = 'participate' or expires_at is not null)
);

create index links_by_case on links (case_id, created_at);

comment on column links.message_id is
'The one message that an upload link was for; once submitted the link is spent.';

comment on column links.sealed is 'The key that checks the claim, sealed to the case.';
comment on column links.again is
'The secret of the link, sealed to the mediator who made it; removed when the link is claimed or ends.';
comment on column links.is_misused is 'Nothing that ever came through it counts.';

create table link_endings (
    statement_hash bytea primary key references statements,
    link_id uuid not null references links
);

create index link_endings_by_link on link_endings (link_id);

create table claims (
    statement_hash bytea primary key references statements,
    link_id uuid not null unique references links,
    case_id uuid not null,
    participant_id uuid not null,
    kid text not null unique,
    signer bytea not null check (octet_length(signer) = 32),
    recipient text not null,
    keyring bytea not null,
    proof_hash bytea not null check (octet_length(proof_hash) = 32),
    wrong_proofs integer not null default 0 check (wrong_proofs >= 0),
    closed_until timestamptz,
    verification_hash bytea references statements,
    claimed_at timestamptz not null default now(),
    foreign key (case_id, participant_id) references participants (case_id, participant_id)
);

comment on column claims.proof_hash is
'The keyring is handed out for the proof behind this hash, and for nothing else.';
comment on column claims.wrong_proofs is
'Wrong tries in a row; from the fifth on each one closes the link for a while.';

create index claims_by_participant on claims (participant_id, claimed_at desc);
create index claims_by_verification on claims (verification_hash, claimed_at);

-- Sessions. -------------------------------------------------------------------------------------------------

create type actor_role as enum ('participant', 'uploader', 'mediator');

create table challenges (
    challenge_hash bytea primary key check (octet_length(challenge_hash) = 32),
    expires_at timestamptz not null
);

create table sessions (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    role actor_role not null,
    subject_id uuid not null,
    case_id uuid references cases,
    kid text not null,
    signer bytea not null,
    link_id uuid references links,
    expires_at timestamptz not null,
    check ((role = 'mediator') = (case_id is null))
);

create index sessions_by_expiry on sessions (expires_at);
create index challenges_by_expiry on challenges (expires_at);

comment on column sessions.subject_id is 'The credential of a mediator, else the participant.';

-- Messages. -------------------------------------------------------------------------------------------------

create type message_kind as enum ('letter', 'video');

create type message_language as enum ('en', 'fr');

create type message_state as enum (
    'draft', 'processing', 'failed', 'queued', 'claimed', 'held', 'returned', 'approved', 'offered',
    'released', 'viewed', 'declined', 'refused', 'withdrawn', 'recalled', 'expired', 'closed'
);

create table message_transitions (
    source message_state not null,
    target message_state not null,
    web boolean not null,
    worker boolean not null,
    gated boolean not null,
    known_sender boolean not null,
    primary key (source, target)
);

comment on table message_transitions is
'The ways of the transition table from one state to another: which role goes them, and what they ask for.';

create table messages (
    message_id uuid primary key,
    case_id uuid not null references cases,
    sender_id uuid not null,
    recipient_id uuid not null,
    kind message_kind not null,
    language message_language not null,
    state message_state not null,
    revision integer not null default 1 check (revision >= 1),
    review_round integer not null default 1 check (review_round >= 1),
    statement_hash bytea references statements,
    rendition_hash bytea references statements,
    captions_hash bytea references statements,
    offer_hash bytea references statements,
    withdrawal_hash bytea references statements,
    tell_author boolean not null default false,
    failure text,
    lease_holder uuid,
    lease_expires_at timestamptz,
    waiting_since timestamptz,
    author_view_since timestamptz not null default now(),
    state_since timestamptz not null default now(),
    created_at timestamptz not null default now(),
    writer_kid text not null,
    foreign key (case_id, sender_id) references participants (case_id, participant_id),
    foreign key (case_id, recipient_id) references participants (case_id, participant_id),
    check (sender_id <> recipient_id),
    constraint messages_leased_while_claimed
    check ((state = 'claimed') = (lease_holder is not null)),
    constraint messages_lease_expires
    check ((lease_holder is null) = (lease_expires_at is null)),
    constraint messages_signed_after_draft
    check (state in ('draft', 'withdrawn', 'expired') or statement_hash is not null),
    constraint messages_video_rendered_for_review
    check (
        kind = 'letter'
        or state in ('draft', 'processing', 'failed', 'withdrawn', 'expired')
        or rendition_hash is not null
    ),
    constraint messages_failure_is_explained
    check (state <> 'failed' or failure is not null),
    constraint messages_offered_by_statement
    check (state not in ('offered', 'released', 'viewed', 'refused', 'closed') or offer_hash is not null)
);

comment on column messages.review_round is
'Raised when a review starts over, so that older approvals count no more.';
comment on column messages.waiting_since is
'When this revision was first ready for review; the queue is in this order.';
comment on column messages.author_view_since is
'Moves only with what the author is shown, so that a time gives nothing away.';

comment on column messages.writer_kid is
'The key of whoever began it: a claim that nobody has verified sees and changes these alone.';

create function lease_is_over(of_message messages) returns boolean language sql volatile as $$
    select coalesce(of_message.lease_expires_at < clock_timestamp(), false)
$$;

create index messages_by_state on messages (state, waiting_since);
create index messages_by_draft on messages (state_since) where state = 'draft';
create index drafts_by_sender on messages (sender_id) where state = 'draft';
create index messages_by_case on messages (case_id, state) include (message_id);
create index messages_by_sender on messages (sender_id, created_at);
create index messages_by_recipient on messages (recipient_id, created_at);
create index messages_by_lease on messages (lease_expires_at) where state = 'claimed';

create table receipts (
    message_id uuid primary key references messages on delete cascade,
    receipt_hash bytea not null unique
);

comment on table receipts is 'Of messages that came through upload links: what is stored of the code.';

create table revisions (
    message_id uuid not null references messages on delete cascade,
    revision integer not null,
    statement_hash bytea not null unique references statements,
    language message_language not null,
    created_at timestamptz not null default now(),
    primary key (message_id, revision)
);

create type part_role as enum ('body', 'original', 'rendition', 'poster', 'captions', 'note');

create table parts (
    commitment bytea primary key check (octet_length(commitment) = 32),
    message_id uuid not null references messages on delete cascade,
    statement_hash bytea not null references statements,
    role part_role not null,
    media_type text not null,
    size_bytes bigint not null check (size_bytes >= 16),
    segments bytea[] not null,
    body bytea,
    object_prefix text,
    check ((body is null) <> (object_prefix is null)),
    check (body is null or octet_length(body) = size_bytes)
);

create index parts_by_message on parts (message_id);
create index parts_by_statement on parts (statement_hash);
create index parts_by_object on parts using hash (object_prefix);

comment on column parts.commitment is
'Commitment to the file key: the name of a part everywhere, signed by its author.';

create type grant_audience as enum ('case', 'media', 'author', 'recipient');

create table grants (
    commitment bytea not null references parts on delete cascade,
    audience grant_audience not null,
    audience_id uuid not null,
    header bytea not null check (octet_length(header) between 64 and 16384),
    granted_at timestamptz not null default now(),
    primary key (commitment, audience, audience_id)
);

comment on table grants is 'One header for one audience. Without a grant there is no message.';

-- Review. ---------------------------------------------------------------------------------------------------

create type decision_kind as enum (
    'approve', 'return', 'decline', 'hold', 'resume', 'reopen', 'retract', 'recall', 'retry'
);

create table decisions (
    statement_hash bytea primary key references statements,
    message_id uuid not null references messages on delete cascade,
    review_round integer not null,
    mediator_id uuid not null references credentials,
    person_id uuid not null,
    decision decision_kind not null,
    reason text,
    source_hash bytea not null,
    rendition_hash bytea,
    captions_hash bytea,
    decided_at timestamptz not null default now(),
    check (reason is not null or decision not in ('return', 'decline', 'hold'))
);

create unique index decisions_one_approval_each on decisions (
    message_id, review_round, person_id, source_hash, rendition_hash, captions_hash
) nulls not distinct
where decision = 'approve';

create index decisions_by_message on decisions (message_id, decided_at);

create table captions (
    statement_hash bytea primary key references statements,
    message_id uuid not null references messages on delete cascade,
    source_hash bytea not null,
    exception text
);

create index captions_by_message on captions (message_id);

create table offers (
    statement_hash bytea primary key references statements,
    message_id uuid not null references messages on delete cascade,
    mediator_id uuid not null references credentials,
    claim_hash bytea not null references claims,
    sender_consent bytea not null references statements,
    recipient_consent bytea not null references statements,
    not_before timestamptz,
    offered_at timestamptz not null default now()
);

create index offers_by_message on offers (message_id, offered_at);

create type response_answer as enum ('accept', 'wait', 'refuse', 'close');

create table responses (
    statement_hash bytea primary key references statements,
    message_id uuid not null references messages on delete cascade,
    offer_hash bytea not null references offers,
    answer response_answer not null,
    answered_at timestamptz not null default now()
);

create index responses_by_message on responses (message_id, answered_at);

-- The review queue. -----------------------------------------------------------------------------------------

-- Who approved exactly what would be released: people, whichever of their keys they did it with.
create function approvers_of(of_message messages) returns setof uuid language sql stable as $$
    select distinct person_id from decisions
    where decisions.message_id = of_message.message_id
        and decisions.decision = 'approve'
        and decisions.review_round = of_message.review_round
        and decisions.source_hash = of_message.statement_hash
        and decisions.rendition_hash is not distinct from of_message.rendition_hash
        and decisions.captions_hash is not distinct from of_message.captions_hash
$$;

-- How many different people did.
create function approvals_of(of_message messages) returns bigint language sql stable as $$
    select count(*) from approvers_of(of_message)
$$;

-- Whether somebody has to do something before it goes on. What was never sent is its sender's alone.
create function is_in_queue(of_message messages) returns boolean language sql immutable as $$
    select of_message.waiting_since is not null and of_message.state in (
        'draft', 'processing', 'failed', 'queued', 'claimed', 'held', 'returned', 'approved', 'offered', 'released'
    )
$$;

create type waited_for as enum ('you', 'mediator', 'sender', 'recipient', 'relay');

-- Who has to do something before a message goes on, as one of its mediators sees it; as nobody's `you` where
-- there is none. Null where it has ended, and where it was never sent.
create function waits_for(of_message messages, mediator uuid) returns waited_for language sql stable as $$
    select case
        when not is_in_queue(of_message) then null
        when of_message.state = 'processing' then 'relay'
        when of_message.state in ('draft', 'failed', 'returned') then 'sender'
        when of_message.state = 'offered' then 'recipient'
        when of_message.state = 'released' and of_message.withdrawal_hash is null then 'recipient'
        when mediator is null then 'mediator'
        when of_message.state = 'claimed' and of_message.lease_holder <> mediator then 'mediator'
        when of_message.state = 'queued' and exists (
            select 1 from approvers_of(of_message) as approver
            inner join credentials on credentials.person_id = approver
            where credentials.credential_id = mediator
        ) then 'mediator'
        else 'you'
    end::waited_for
$$;

-- One row for each message and mediator, in the order of the queue: a page costs the same however many
-- messages there are, and however few of them are this mediator's. Kept by triggers, so it cannot drift.

create table queue_entries (
    mediator_id uuid not null,
    state message_state not null,
    waits_for waited_for,
    since timestamptz not null,
    message_id uuid not null references messages on delete cascade,
    primary key (mediator_id, state, since, message_id)
);

create index queue_entries_by_turn on queue_entries (mediator_id, waits_for, since, message_id)
include (state) where waits_for is not null;
create index queue_entries_by_message on queue_entries (message_id);

comment on table queue_entries is
'What each mediator has to do or can look up; what was never sent is not in it.';
comment on column queue_entries.since is
'When it was first ready for review; where it has ended, when it did.';

-- The entry of a message for one of its mediators; none for what was never sent, which only its sender sees.
create function queue_entry(of_message messages, mediator uuid) returns setof queue_entries
language sql stable as $$
    select
        mediator,
        of_message.state,
        waits_for(of_message, mediator),
        case
            when is_in_queue(of_message) then of_message.waiting_since
            else of_message.state_since
        end,
        of_message.message_id
    where of_message.waiting_since is not null
$$;

-- How many messages wait in each state everywhere, as what came and went: whoever moves a message adds rows,
-- and waits for nobody who moves another one. The sweep sums them up.
create table queue_counts (
    state message_state not null,
    messages bigint not null
);

create function sum_queue_counts() returns void language plpgsql
security definer set search_path = public, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('queue_counts', 0));
    with taken as (
        delete from queue_counts returning queue_counts.state, queue_counts.messages
    )
    insert into queue_counts (state, messages)
    select taken.state, sum(taken.messages) from taken group by taken.state having sum(taken.messages) <> 0;
end
$$;

create function keep_queue_of_message() returns trigger language plpgsql
security definer set search_path = public, pg_temp as $$
begin
    insert into queue_counts (state, messages)
    select moved.state, moved.messages
    from (values (old.state, is_in_queue(old), -1), (new.state, is_in_queue(new), 1))
        as moved (state, counts, messages)
    where moved.counts and (old.state <> new.state or is_in_queue(old) <> is_in_queue(new));
    -- A charter that changes the mediators at this moment is waited for, lest its mediators miss the message.
    perform 1 from cases where cases.case_id = new.case_id for no key update;
    delete from queue_entries where queue_entries.message_id = new.message_id;
    insert into queue_entries (mediator_id, state, waits_for, since, message_id)
    select entry.mediator_id, entry.state, entry.waits_for, entry.since, entry.message_id
    from case_mediators
    cross join lateral queue_entry(new, case_mediators.credential_id) as entry
    where case_mediators.case_id = new.case_id;
    return null;
end
$$;

-- On whatever an entry says, or an approval counts for.
create trigger messages_keep_the_queue after update of
state, waiting_since, lease_holder, review_round,
statement_hash, rendition_hash, captions_hash, withdrawal_hash
on messages
for each row when (
    (
        old.state, old.waiting_since, old.lease_holder, old.review_round, old.statement_hash,
        old.rendition_hash, old.captions_hash, old.withdrawal_hash
    ) is distinct from (
        new.state, new.waiting_since, new.lease_holder, new.review_round, new.statement_hash,
        new.rendition_hash, new.captions_hash, new.withdrawal_hash
    )
)
execute function keep_queue_of_message();

create function keep_queue_of_mediator() returns trigger language plpgsql
security definer set search_path = public, pg_temp as $$
begin
    if tg_op = 'DELETE' then
        delete from queue_entries
        using messages
        where queue_entries.mediator_id = old.credential_id
            and messages.message_id = queue_entries.message_id
            and messages.case_id = old.case_id;
    else
        insert into queue_entries (mediator_id, state, waits_for, since, message_id)
        select entry.mediator_id, entry.state, entry.waits_for, entry.since, entry.message_id
        from messages
        cross join lateral queue_entry(messages, new.credential_id) as entry
        where messages.case_id = new.case_id;
    end if;
    return null;
end
$$;

create trigger mediators_keep_their_queue after insert or delete on case_mediators
for each row execute function keep_queue_of_mediator();

-- Uploads and jobs. -----------------------------------------------------------------------------------------

create table uploads (
    upload_id uuid primary key,
    message_id uuid not null references messages on delete cascade,
    revision integer not null,
    size_bytes bigint not null check (size_bytes >= 16),
    offset_bytes bigint not null default 0 check (offset_bytes between 0 and size_bytes),
    writer bigint not null default 0,
    expires_at timestamptz not null,
    submitted_at timestamptz,
    is_tidy boolean not null default false,
    check (submitted_at is null or offset_bytes = size_bytes)
);

create index uploads_by_message on uploads (message_id);
create index uploads_to_tidy on uploads (submitted_at) where submitted_at is not null and not is_tidy;
create index uploads_by_expiry on uploads (expires_at) where submitted_at is null;

comment on column uploads.is_tidy is
'Whether the store was searched, after it was submitted, for pieces that connections left there.';

comment on column uploads.writer is
'Raised by every new connection; a write that carries an older number is refused.';

create table upload_segments (
    upload_id uuid not null references uploads on delete cascade,
    segment integer not null,
    digest bytea not null check (octet_length(digest) = 32),
    primary key (upload_id, segment)
);

create table upload_pieces (
    upload_id uuid not null references uploads on delete cascade,
    start_bytes bigint not null,
    size_bytes integer not null check (size_bytes > 0),
    primary key (upload_id, start_bytes)
);

comment on table upload_pieces is
'What a broken connection left of a segment; joined when the segment is whole.';

create type job_state as enum ('waiting', 'running', 'done', 'failed', 'cancelled');

create table jobs (
    job_id uuid primary key default gen_random_uuid(),
    message_id uuid not null references messages on delete cascade,
    case_id uuid not null,
    sender_id uuid not null,
    revision integer not null,
    state job_state not null default 'waiting',
    attempts integer not null default 0,
    lease_token uuid,
    lease_expires_at timestamptz,
    leased_at timestamptz,
    stage text,
    progress real check (progress between 0 and 1),
    error text,
    not_before timestamptz not null default now(),
    created_at timestamptz not null default now(),
    traceparent text check (
        traceparent ~ '^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]$'
    ),
    check (traceparent is null or state in ('waiting', 'running')),
    check ((state = 'running') = (lease_token is not null)),
    check ((lease_token is null) = (lease_expires_at is null))
);

create unique index jobs_one_at_a_time on jobs (message_id) where state in ('waiting', 'running');
create index jobs_by_message on jobs (message_id);
create index jobs_by_time on jobs (coalesce(lease_expires_at, not_before))
where state in ('waiting', 'running');
create index jobs_by_turn_of_case on jobs (case_id, leased_at) where leased_at is not null;
create index jobs_by_turn_of_sender on jobs (sender_id, leased_at) where leased_at is not null;
create index jobs_running_by_sender on jobs (sender_id) where state = 'running';

comment on column jobs.leased_at is
'When a worker last took it; whose case and whose person was served longest ago has the next turn.';

comment on column jobs.traceparent is
'The span of the request that made it (W3C Trace Context); nobody changes it, and it goes at its end.';

-- Whose a job is, is what its message says, whoever makes it.
create function copy_owner_of_job() returns trigger language plpgsql as $$
declare
    message messages;
begin
    select * into message from messages where messages.message_id = new.message_id;
    if found then
        new.case_id := message.case_id;
        new.sender_id := message.sender_id;
    end if;
    return new;
end
$$;

create trigger jobs_are_of_whoever_sent before insert on jobs
for each row execute function copy_owner_of_job();

-- A job that has ended is in no trace any more, whoever ends it.
create function forget_trace() returns trigger language plpgsql as $$
begin
    new.traceparent := null;
    return new;
end
$$;

create trigger jobs_that_end_forget_their_trace before update on jobs
for each row when (new.state not in ('waiting', 'running')) execute function forget_trace();

-- Objects to remove from the bucket: written with the change that orphans them, done by the sweep.
create table orphans (
    object_prefix text primary key,
    noted_at timestamptz not null default now()
);

create index orphans_by_time on orphans (noted_at, object_prefix);

-- Unsent texts. ---------------------------------------------------------------------------------------------

create table unsent_texts (
    kid text not null,
    text_id uuid not null,
    version integer not null check (version > 0),
    sealed bytea not null check (octet_length(sealed) between 1 and 720896),
    changed_at timestamptz not null default now(),
    primary key (kid, text_id)
);

create index unsent_texts_by_change on unsent_texts (changed_at);

comment on table unsent_texts is
'What somebody is writing, sealed with a key that is theirs alone, by the key that they sign with.';

-- The log. --------------------------------------------------------------------------------------------------

create table events (
    event_id bigint generated always as identity primary key,
    case_id uuid not null references cases,
    seq bigint not null,
    at timestamptz not null,
    kind text not null,
    message_id uuid,
    actor text not null,
    statement_hash bytea references statements,
    prev bytea not null check (octet_length(prev) = 32),
    hash bytea not null check (octet_length(hash) = 32),
    unique (case_id, seq)
);

create index events_by_message on events (message_id, event_id);

comment on table events is 'Append-only: audit trail, outbox and live feed. No content, no personal data.';

-- What the case system is told. -----------------------------------------------------------------------------

create table outbox (
    event_id bigint primary key references events,
    noted_at timestamptz not null default now()
);

comment on table outbox is 'The rows of the log that were not told yet.';

create table notifications (
    notification_id bigint primary key,
    type text not null,
    at timestamptz not null,
    case_id uuid references cases,
    participant_id uuid,
    message_id uuid,
    link_id uuid,
    credential_id uuid references credentials,
    log_seq bigint,
    log_hash bytea,
    stored_at timestamptz not null default now(),
    line_id uuid not null generated always as (
        coalesce(case_id, credential_id, '00000000-0000-0000-0000-000000000000'::uuid)
    ) stored
);

comment on table notifications is 'Events by identifiers, in the order in which they became visible.';
comment on column notifications.line_id is 'Those of one line are delivered one after the other.';

create index notifications_by_time on notifications (stored_at);
create index notifications_by_line on notifications (line_id, notification_id);

create table due_notifications (
    due_id bigint generated always as identity primary key,
    due_at timestamptz not null,
    type text not null,
    case_id uuid references cases,
    participant_id uuid,
    message_id uuid,
    link_id uuid,
    credential_id uuid references credentials,
    offer_hash bytea
);

comment on table due_notifications is 'What is told once its time has come, if it is still so then.';

create index due_notifications_by_time on due_notifications (due_at, due_id);

-- Webhooks. -------------------------------------------------------------------------------------------------

create table receivers (
    receiver text primary key,
    wanted text[] not null,
    enqueued_id bigint not null,
    delivered_at timestamptz,
    failed_at timestamptz,
    failure text
);

comment on table receivers is 'Whom events are sent to; where, and how they are signed, stands in a file.';
comment on column receivers.enqueued_id is 'The last event that was put on its lines.';

create table receiver_lines (
    receiver text not null references receivers on delete cascade,
    line_id uuid not null,
    next_id bigint not null,
    is_single boolean not null default false,
    attempts integer not null default 0 check (attempts >= 0),
    first_at timestamptz,
    next_at timestamptz not null,
    is_away boolean not null default false,
    primary key (receiver, line_id)
);

comment on table receiver_lines is 'Where something is to be delivered: the next event of a line, and when.';
comment on column receiver_lines.is_single is 'One event alone that is delivered again, out of its order.';
comment on column receiver_lines.is_away is 'It waits because the receiver could not be reached at all.';

create index receiver_lines_by_time on receiver_lines (receiver, next_at);
create index receiver_lines_by_event on receiver_lines (receiver, next_id);
create index receiver_lines_failing on receiver_lines (receiver, line_id) where attempts > 1;
create index receiver_lines_away on receiver_lines (receiver, next_at) where is_away;
create unique index receiver_lines_single on receiver_lines (receiver, next_id) where is_single;

create table dead_letters (
    receiver text not null references receivers on delete cascade,
    notification_id bigint not null references notifications on delete cascade,
    attempts integer not null,
    failure text not null,
    died_at timestamptz not null default now(),
    primary key (receiver, notification_id)
);

create index dead_letters_by_notification on dead_letters (notification_id);

comment on table dead_letters is 'Events that a receiver did not take in time.';

-- What does not change. -------------------------------------------------------------------------------------

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;

create trigger events_are_append_only before update or delete on events
for each row execute function refuse_change();

create trigger events_are_not_truncated before truncate on events
for each statement execute function refuse_change();

create trigger statements_do_not_change before update or delete on statements
for each row execute function refuse_change();

create trigger statements_are_not_truncated before truncate on statements
for each statement execute function refuse_change();

-- The bytes of a row are those of relay.crypto.audit; the case's row is locked, so a chain never forks.
create function base64url(bytes bytea) returns text language sql immutable strict as $$
    select translate(rtrim(replace(encode(bytes, 'base64'), e'\n', ''), '='), '+/', '-_')
$$;

-- Locks a case until the transaction ends; the version of its charter, or null where there is no such case.
-- Nothing is done any more in a case that was disposed of.
create function lock_case(of_case uuid) returns integer language plpgsql
security definer set search_path = public, pg_temp as $$
declare
    known record;
begin
    select cases.charter_version, cases.disposed_at into known
    from cases where cases.case_id = of_case for no key update;
    if known.disposed_at is not null then
        raise exception 'the case was disposed of' using errcode = 'RL410', detail = of_case::text;
    end if;
    return known.charter_version;
end
$$;

-- Locks for whoever sends a message: its identifier, before there is a row; the row; and its case.
create function lock_submission(of_message uuid, of_case uuid) returns messages language plpgsql as $$
declare
    known messages;
begin
    perform pg_advisory_xact_lock(hashtextextended(of_message::text, 0));
    select * into known from messages where message_id = of_message for no key update;
    perform lock_case(of_case);
    return case when known.message_id is not null then known end;
end
$$;

-- What must be known before words are taken: of the case, sender and recipient, the message where there is
-- one, and the statement that a key signed. Volatile, so that it sees what was there once it had the locks.
create function submission_facts(
    of_message messages, of_case uuid, by_sender uuid, to_recipient uuid,
    with_statement bytea, signed_by text, signed_at timestamptz
) returns table (
    server_processing boolean, is_closed boolean, charter_hash bytea, media uuid[], is_pair boolean,
    revisions bytea[], is_stored boolean, counts boolean
) language plpgsql volatile as $$
begin
    return query select
        cases.server_processing,
        cases.closed_at is not null,
        charters.statement_hash,
        charters.media,
        exists(
            select 1 from pairs
            where
                pairs.case_id = of_case
                and pairs.one = least(by_sender, to_recipient)
                and pairs.other = greatest(by_sender, to_recipient)
        ),
        array(
            select sent.statement_hash from revisions as sent
            where sent.message_id = of_message.message_id
            order by sent.revision
        ),
        exists(select 1 from statements where statements.statement_hash = with_statement),
        not exists(
            select 1 from credentials
            where
                credentials.kid = signed_by
                and (signed_at < credentials.not_before or signed_at >= credentials.not_after)
        )
    from cases
    inner join charters on cases.case_id = charters.case_id and cases.charter_version = charters.version
    where cases.case_id = of_case;
end
$$;

-- Puts the events that are new for a receiver on its lines, in their order. Here as in whatever ends an
-- attempt the receiver's row is locked before its lines.
create function enqueue_deliveries(to_receiver text) returns void language plpgsql as $$
declare
    known receivers;
    newest bigint;
begin
    newest := (select max(notification_id) from notifications);
    if not exists(select 1 from receivers where receiver = to_receiver and enqueued_id < newest) then
        return;
    end if;
    select * into known from receivers where receiver = to_receiver for no key update;
    newest := (select max(notification_id) from notifications);
    -- A line that is there is locked, so that whoever ends its last delivery sees what is new.
    insert into receiver_lines (receiver, line_id, next_id, next_at)
    select to_receiver, line_id, min(notification_id), now()
    from notifications
    where notification_id > known.enqueued_id and notification_id <= newest and type = any(known.wanted)
    group by line_id
    on conflict (receiver, line_id) do update set next_at = receiver_lines.next_at;
    update receivers set enqueued_id = newest where receiver = to_receiver;
end
$$;

-- The event that a line is at, or the next one where that was removed after its time.
create function next_on_line(of_line receiver_lines) returns bigint language plpgsql stable as $$
begin
    if of_line.is_single then
        return (select notification_id from notifications where notification_id = of_line.next_id);
    end if;
    return (
        select min(notifications.notification_id)
        from notifications
        inner join receivers on receivers.receiver = of_line.receiver
        where
            notifications.line_id = of_line.line_id
            and notifications.notification_id >= of_line.next_id
            and notifications.type = any(receivers.wanted)
    );
end
$$;

-- Ends an attempt that was successful or the last: the next event of the line is due, or the line is done.
-- Nothing where it is not the attempt that the line is at.
create function end_delivery(
    to_receiver text, of_line uuid, of_notification bigint, its_attempts integer, died_of text
) returns boolean language plpgsql as $$
declare
    known receiver_lines;
    its_receiver receivers;
    following bigint;
begin
    select * into its_receiver from receivers where receiver = to_receiver for no key update;
    select * into known from receiver_lines
    where receiver = to_receiver and line_id = of_line and next_id = of_notification and attempts = its_attempts
    for update;
    if not found then
        return false;
    end if;
    if died_of is null then
        delete from dead_letters where receiver = to_receiver and notification_id = of_notification;
        update receivers set delivered_at = now() where receiver = to_receiver;
        -- It can be reached again: each that arrives lets two go that wait for that.
        update receiver_lines set next_at = now(), is_away = false
        where
            receiver = to_receiver
            and line_id in (
                select line_id from receiver_lines
                where receiver = to_receiver and is_away and next_at > now()
                order by next_at
                limit 2
                for update skip locked
            );
    else
        insert into dead_letters (receiver, notification_id, attempts, failure)
        select to_receiver, of_notification, its_attempts, died_of
        where exists(select 1 from notifications where notification_id = of_notification)
        on conflict (receiver, notification_id)
        do update set attempts = excluded.attempts, failure = excluded.failure, died_at = now();
        update receivers set failed_at = now(), failure = died_of where receiver = to_receiver;
    end if;
    if not known.is_single then
        following := (
            select min(notification_id) from notifications
            where
                line_id = of_line
                and notification_id > of_notification
                and notification_id <= its_receiver.enqueued_id
                and type = any(its_receiver.wanted)
        );
    end if;
    if following is null then
        delete from receiver_lines where receiver = to_receiver and line_id = of_line;
    else
        update receiver_lines set next_id = following, next_at = now(), attempts = 0, first_at = null
        where receiver = to_receiver and line_id = of_line;
    end if;
    return true;
end
$$;

-- An attempt failed, and is repeated later.
create function retry_delivery(
    to_receiver text, of_line uuid, of_notification bigint, its_attempts integer,
    in_seconds double precision, failed_of text, cannot_be_reached boolean
) returns void language plpgsql as $$
begin
    update receivers set failed_at = now(), failure = failed_of where receiver = to_receiver;
    update receiver_lines set next_at = now() + make_interval(secs => in_seconds), is_away = cannot_be_reached
    where receiver = to_receiver and line_id = of_line and next_id = of_notification and attempts = its_attempts;
end
$$;

create function append_event(
    of_case uuid, event_kind text, of_message uuid, by_actor text, with_statement bytea
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    head record;
    new_id bigint;
    happened timestamptz;
    new_hash bytea;
begin
    if (by_web() and event_kind in ('finish-processing', 'fail-processing', 'expire', 'case-disposed', 'case-disposed-again'))
        or (
            by_worker()
            and event_kind not in ('finish-processing', 'fail-processing', 'expire', 'lapse', 'case-disposed')
        )
        or (by_worker() and by_actor <> 'clock' and by_actor not like 'media:%') then
        raise exception '% may not log this', session_user using errcode = 'insufficient_privilege';
    end if;
    select
        event_seq + 1 as seq,
        event_hash as prev,
        disposed_at
    into strict head
    from cases where case_id = of_case for no key update;
    if head.disposed_at is not null then
        raise exception 'the case was disposed of' using errcode = 'RL410', detail = of_case::text;
    end if;
    happened := clock_timestamp(); -- with the lock: rows in order have times in order
    new_hash := sha256(head.prev || convert_to(concat_ws(
        e'\n',
        'relay/v1/event',
        of_case::text,
        head.seq::text,
        to_char(happened at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        event_kind,
        coalesce(of_message::text, '-'),
        by_actor,
        coalesce(base64url(with_statement), '-')
    ), 'utf8'));
    insert into events (case_id, seq, at, kind, message_id, actor, statement_hash, prev, hash)
    values (of_case, head.seq, happened, event_kind, of_message, by_actor, with_statement, head.prev, new_hash)
    returning event_id into new_id;
    insert into outbox (event_id) values (new_id);
    update cases set
        event_seq = head.seq,
        event_hash = new_hash,
        changed_at = case when of_message is null then happened else changed_at end
    where case_id = of_case;
    return new_id;
end
$$;

-- What the services write and read in one round trip. -------------------------------------------------------

-- Stores signed words, of a message that begins with them or of a draft. What was rendered, captioned or
-- approved before does not belong to them: every revision raises the round, as from the first one of a draft.
create function store_revision(
    of_message uuid, of_case uuid, by_sender uuid, to_recipient uuid, its_kind message_kind,
    its_language message_language, its_revision integer,
    with_statement bytea, signed_as text, signed_by text, signed_text text
) returns uuid language plpgsql as $$
begin
    insert into statements (statement_hash, typ, kid, compact)
    values (with_statement, signed_as, signed_by, signed_text);
    update messages set
        statement_hash = with_statement,
        language = its_language,
        rendition_hash = null,
        captions_hash = null,
        review_round = review_round + 1
    where message_id = of_message;
    if not found then
        insert into messages (
            message_id, case_id, sender_id, recipient_id, kind, language, writer_kid, state,
            statement_hash, review_round
        ) values (
            of_message, of_case, by_sender, to_recipient, its_kind, its_language, signed_by, 'draft',
            with_statement, 2
        );
    end if;
    insert into revisions (message_id, revision, statement_hash, language)
    values (of_message, its_revision, with_statement, its_language);
    return of_message;
end
$$;

-- Stores new parts under the statement that declares them, with their grants. Whether all of the parts are
-- new; where they are not, no grant is stored. The digests of a part's segments come one after the other.
create function store_parts(
    of_message uuid, with_statement bytea, commitments bytea[], roles part_role[], media_types text[],
    sizes bigint[], digests bytea[], bodies bytea[], prefixes text[],
    granted bytea[], audiences grant_audience[], readers uuid[], headers bytea[]
) returns boolean language plpgsql as $$
declare
    new_parts integer;
begin
    insert into parts (
        commitment, message_id, statement_hash, role, media_type, size_bytes, segments, body, object_prefix
    )
    select
        given.commitment,
        of_message,
        with_statement,
        given.role,
        given.media_type,
        given.size_bytes,
        array(
            select substring(given.digests from place for 32)
            from generate_series(1, length(given.digests), 32) as place
            order by place
        ),
        given.body,
        given.object_prefix
    from
        unnest(commitments, roles, media_types, sizes, digests, bodies, prefixes)
            as given (commitment, role, media_type, size_bytes, digests, body, object_prefix)
    on conflict do nothing;
    get diagnostics new_parts = row_count;
    if new_parts < cardinality(commitments) then
        return false;
    end if;
    insert into grants (commitment, audience, audience_id, header)
    select * from unnest(granted, audiences, readers, headers);
    return true;
end
$$;

-- draft → queued, queued → claimed, …: whatever the transition table says, from the state that is expected,
-- with a row of the log where it is of a kind. The lease goes with the state; a waiting time starts only
-- where the transition says so. False where the message is in another state.
create function change_state(
    of_message uuid, from_state message_state, to_state message_state, author_view_changes boolean,
    starts_waiting boolean, holder uuid, lease_seconds integer, why text,
    event_kind text, by_actor text, with_statement bytea
) returns boolean language plpgsql as $$
declare
    of_case uuid;
begin
    update messages set
        state = to_state,
        state_since = clock_timestamp(),
        author_view_since
        = case when author_view_changes then clock_timestamp() else author_view_since end,
        waiting_since = case when starts_waiting then clock_timestamp() else waiting_since end,
        lease_holder = holder,
        lease_expires_at
        = case when holder is not null then clock_timestamp() + make_interval(secs => lease_seconds) end,
        failure = why
    where message_id = of_message and state = from_state
    returning case_id into of_case;
    if of_case is not null and event_kind is not null then
        perform append_event(of_case, event_kind, of_message, by_actor, with_statement);
    end if;
    return of_case is not null;
end
$$;

-- The message as it is, with what its author is shown besides: the statement, what it came back with, how far
-- a video is; in a row for each of its parts, with the author's grants. Volatile, as the facts above.
create function shown_to_author(of_message uuid) returns table (
    message messages, lease_is_over boolean, voice boolean, statement text, kid text, guidance text,
    stage text, fraction double precision, case_closed boolean, part parts, header bytea
) language plpgsql volatile as $$
begin
    return query select
        messages,
        lease_is_over(messages),
        is_voice(messages),
        signed.compact,
        signed.kid,
        guiding.compact,
        working.stage::text,
        working.progress::double precision,
        is_closed(messages.case_id),
        parts,
        grants.header
    from messages
    left join statements as signed on messages.statement_hash = signed.statement_hash
    left join lateral (
        select statements.compact
        from decisions inner join statements on decisions.statement_hash = statements.statement_hash
        where
            decisions.message_id = messages.message_id
            and decisions.source_hash = messages.statement_hash
            and decisions.decision in ('return', 'decline')
        order by decisions.decided_at desc
        limit 1
    ) as guiding on true
    left join lateral (
        select
            jobs.stage,
            jobs.progress
        from jobs
        where
            jobs.message_id = messages.message_id
            and jobs.state in ('waiting', 'running')
            and jobs.stage is not null
        order by jobs.created_at desc
        limit 1
    ) as working on messages.kind = 'video'
    left join parts on messages.message_id = parts.message_id
    left join grants
        on
            parts.commitment = grants.commitment
            and messages.sender_id = grants.audience_id
            and grants.audience = 'author'
    where messages.message_id = of_message
    order by parts.role, parts.commitment;
end
$$;

-- Guards: the transition table, the gates and the grants, once more. ------------------------------

-- The rows are written from relay/domain/transitions.py by `python docs/draw.py`.
insert into message_transitions (source, target, web, worker, gated, known_sender) values
('draft', 'queued', true, false, false, false),
('draft', 'processing', true, false, false, false),
('processing', 'queued', false, true, false, false),
('processing', 'failed', false, true, false, false),
('failed', 'processing', true, false, false, false),
('failed', 'draft', true, false, false, false),
('returned', 'draft', true, false, false, false),
('queued', 'claimed', true, false, false, false),
('claimed', 'queued', true, true, false, false),
('claimed', 'approved', true, false, false, true),
('claimed', 'returned', true, false, false, false),
('claimed', 'declined', true, false, false, false),
('claimed', 'held', true, false, false, false),
('held', 'queued', true, false, false, false),
('held', 'declined', true, false, false, false),
('approved', 'queued', true, false, false, false),
('approved', 'offered', true, false, true, false),
('offered', 'approved', true, false, false, false),
('offered', 'released', true, false, true, false),
('offered', 'refused', true, false, true, false),
('released', 'viewed', true, false, true, false),
('released', 'recalled', true, false, false, false),
('viewed', 'closed', true, false, false, false),
('draft', 'withdrawn', true, false, false, false),
('processing', 'withdrawn', true, false, false, false),
('failed', 'withdrawn', true, false, false, false),
('queued', 'withdrawn', true, false, false, false),
('claimed', 'withdrawn', true, false, false, false),
('held', 'withdrawn', true, false, false, false),
('returned', 'withdrawn', true, false, false, false),
('approved', 'withdrawn', true, false, false, false),
('offered', 'withdrawn', true, false, false, false),
('draft', 'expired', false, true, false, false),
('failed', 'expired', false, true, false, false),
('returned', 'expired', false, true, false, false);
-- End of these rows.

-- Whether a message is a voice alone: by its rendition, and before there is one by the type that its
-- sender named.
create function is_voice(of_message messages) returns boolean language sql stable as $$
    select exists (
        select 1 from parts
        where parts.message_id = of_message.message_id
            and parts.media_type like 'audio/%'
            and case
                when of_message.rendition_hash is null
                    then parts.role = 'original' and parts.statement_hash = of_message.statement_hash
                else parts.role = 'rendition' and parts.statement_hash = of_message.rendition_hash
            end
    )
$$;

-- Whether a participant says yes: by their own verified key, or as somebody recorded it.
create function consents(participant participants) returns boolean language sql stable as $$
    select participant.consent is not distinct from 'active' and not exists (
        select 1 from statements
        inner join claims on statements.kid = claims.kid
        inner join links on claims.link_id = links.link_id
        where statements.statement_hash = participant.consent_hash
            and (claims.verification_hash is null or links.is_misused)
    )
$$;

create function is_closed(of_case uuid) returns boolean language sql stable as $$
    select exists (select 1 from cases where case_id = of_case and closed_at is not null)
$$;

create function is_disposed(of_case uuid) returns boolean language sql stable as $$
    select exists (select 1 from cases where case_id = of_case and disposed_at is not null)
$$;

-- Whether the words of a message are known to be its sender's: by a verified claim, an upload link or a
-- mediator.
create function sender_is_known(of_message messages) returns boolean language sql stable as $$
    select not exists (
        select 1 from statements
        inner join claims on statements.kid = claims.kid
        inner join links on claims.link_id = links.link_id
        where statements.statement_hash = of_message.statement_hash
            and (claims.verification_hash is null or links.is_misused)
    ) and not exists (
        select 1 from statements
        inner join links on statements.kid = links.kid
        where statements.statement_hash = of_message.statement_hash and links.is_misused
    )
$$;

-- A mediator's captions, or their reason for none, take the place of those that came with the message.
create function is_replaced(of_part parts, of_message messages) returns boolean language sql immutable as $$
    select of_part.role = 'captions'
        and of_part.statement_hash = of_message.statement_hash
        and of_message.captions_hash is not null
$$;

create function guard_message_state() returns trigger language plpgsql
security definer set search_path = public, pg_temp as $$
declare
    made message_transitions;
begin
    if tg_op = 'INSERT' then
        if new.state <> 'draft' then
            raise exception 'a message begins as a draft' using errcode = 'check_violation';
        end if;
        if is_closed(new.case_id) then
            raise exception 'the case is closed' using errcode = 'check_violation';
        end if;
        return new;
    end if;
    if (new.case_id, new.sender_id, new.recipient_id, new.kind)
        is distinct from (old.case_id, old.sender_id, old.recipient_id, old.kind) then
        raise exception 'a message stays between the same two' using errcode = 'check_violation';
    end if;
    if old.state in ('approved', 'offered', 'released', 'viewed')
        and (new.statement_hash, new.rendition_hash, new.captions_hash)
        is distinct from (old.statement_hash, old.rendition_hash, old.captions_hash) then
        raise exception 'these words are approved' using errcode = 'check_violation';
    end if;
    if new.state is not distinct from old.state then
        return new;
    end if;
    select * into made from message_transitions where source = old.state and target = new.state;
    if not found then
        raise exception 'no transition from % to %', old.state, new.state using errcode = 'check_violation';
    end if;
    if (by_web() and not made.web) or (by_worker() and not made.worker) then
        raise exception '% may not make the transition from % to %', session_user, old.state, new.state
            using errcode = 'insufficient_privilege';
    end if;
    if (made.gated or new.state = 'draft' or old.state = 'draft' and new.state in ('queued', 'processing')) and is_closed(new.case_id) then
        raise exception 'the case is closed' using errcode = 'check_violation';
    end if;
    if made.known_sender or made.gated then
        if approvals_of(new) < (select approvals from cases where case_id = new.case_id) then
            raise exception 'not approved as the case asks' using errcode = 'check_violation';
        end if;
        if not sender_is_known(new) then
            raise exception 'nobody verified whose words these are' using errcode = 'check_violation';
        end if;
    end if;
    if made.gated then
        if exists (
            select 1 from participants
            where participant_id in (new.sender_id, new.recipient_id) and not consents(participants)
        ) then
            raise exception 'a consent is missing' using errcode = 'check_violation';
        end if;
        if not exists (
            select 1 from pairs
            where case_id = new.case_id and not no_contact
                and one = least(new.sender_id, new.recipient_id)
                and other = greatest(new.sender_id, new.recipient_id)
        ) then
            raise exception 'no contact between the two' using errcode = 'check_violation';
        end if;
        if exists (
            select 1 from parts
            where parts.message_id = new.message_id
                and parts.statement_hash in (new.statement_hash, new.rendition_hash, new.captions_hash)
                and parts.role not in ('original', 'note')
                and not is_replaced(parts, new)
                and not exists (
                    select 1 from grants
                    where grants.commitment = parts.commitment
                        and grants.audience = 'recipient' and grants.audience_id = new.recipient_id
                )
        ) then
            raise exception 'a grant is missing' using errcode = 'check_violation';
        end if;
    end if;
    return new;
end
$$;

create trigger messages_move_by_the_table before insert or update on messages
for each row execute function guard_message_state();

create function refuse_link_of_closed_case() returns trigger language plpgsql
security definer set search_path = public, pg_temp as $$
begin
    if is_closed(new.case_id) then
        raise exception 'the case is closed' using errcode = 'check_violation';
    end if;
    return new;
end
$$;

create trigger links_are_made_in_open_cases before insert on links
for each row execute function refuse_link_of_closed_case();

-- A recipient's grant exists only while the message is on its way to them or theirs.
-- A note that came with a message is for its mediators, like an original: no recipient has a grant of it.
create function guard_recipient_grant() returns trigger language plpgsql
security definer set search_path = public, pg_temp as $$
begin
    if not exists (
        select 1 from parts inner join messages on messages.message_id = parts.message_id
        where parts.commitment = new.commitment and parts.role <> 'original'
            and (parts.role <> 'note' or parts.statement_hash <> messages.statement_hash)
            and not is_replaced(parts, messages)
            and messages.state in ('approved', 'released', 'viewed')
            and messages.recipient_id = new.audience_id
    ) then
        raise exception 'no grant to a recipient before approval' using errcode = 'check_violation';
    end if;
    return new;
end
$$;

create trigger grants_to_recipients_follow_approval before insert or update on grants
for each row when (new.audience = 'recipient') execute function guard_recipient_grant();

-- Guards: what a role may not do to some rows of a table that it has to write. ------------------------------

-- What was sent once is not deleted, by whomever, but for the disposal of its case.
create function refuse_removal() returns trigger language plpgsql
security definer set search_path = public, pg_temp as $$
begin
    if is_disposed(old.case_id) then
        return old;
    end if;
    raise exception 'a message that was sent stays' using errcode = 'restrict_violation';
end
$$;

create trigger messages_that_were_sent_stay before delete on messages
for each row when (old.state <> 'draft' or old.revision > 1) execute function refuse_removal();

-- The web service can take a rendition away with the words that it was of, but it makes none.
create trigger messages_get_renditions_from_workers before update of rendition_hash on messages
for each row when (
    by_web() and new.rendition_hash is not null and new.rendition_hash is distinct from old.rendition_hash
)
execute function refuse_role();

create trigger jobs_are_only_cancelled_by_web before update on jobs
for each row when (by_web() and new.state <> 'cancelled') execute function refuse_role();

create trigger statements_of_workers_are_their_own before insert on statements
for each row when (by_worker() and new.typ not in ('relay-rendition+jws', 'relay-disposal+jws'))
execute function refuse_role();

create trigger parts_of_workers_are_renditions before insert on parts
for each row when (by_worker() and new.role not in ('rendition', 'poster')) execute function refuse_role();

create trigger grants_of_workers_are_for_the_case before insert on grants
for each row when (by_worker() and new.audience <> 'case') execute function refuse_role();

create function guard_end_of_grant() returns trigger language plpgsql
security definer set search_path = public, pg_temp as $$
begin
    if exists (
        select 1 from parts inner join messages on parts.message_id = messages.message_id
        where parts.commitment = old.commitment and is_disposed(messages.case_id)
    ) then
        return old;
    end if;
    raise exception '% may not end this grant', session_user using errcode = 'insufficient_privilege';
end
$$;

create trigger grants_that_workers_end_are_their_own before delete on grants
for each row when (by_worker() and old.audience <> 'media') execute function guard_end_of_grant();

-- Once disposed of, a case stays so, and closed.
create function guard_disposal() returns trigger language plpgsql as $$
begin
    raise exception 'the case was disposed of' using errcode = 'RL410', detail = old.case_id::text;
end
$$;

create trigger cases_stay_disposed_of before update on cases
for each row when (
    old.disposed_at is not null
    and (new.disposed_at, new.disposal_hash, new.closed_at, new.charter_version, new.event_seq)
    is distinct from (old.disposed_at, old.disposal_hash, old.closed_at, old.charter_version, old.event_seq)
)
execute function guard_disposal();

-- Disposal. -------------------------------------------------------------------------------------------------

-- Whether a case may be disposed of: it is closed, its time has come, and nobody holds it. The web service
-- may remove a hold, but not what the log says of it.
create function is_disposable(of_case cases) returns boolean language sql stable as $$
    select coalesce(of_case.disposal_due_at <= now(), false)
        and of_case.disposed_at is null
        and not exists (select 1 from holds where holds.case_id = of_case.case_id)
        and (
            select
                count(*) filter (where events.kind = 'hold-placed')
                = count(*) filter (where events.kind = 'hold-lifted')
            from events where events.case_id = of_case.case_id
        )
$$;

-- Locks all of a case until the transaction ends: its messages first, as everywhere. What a certificate says
-- of it; nothing where it may not be disposed of, or was. When it was closed the log says, whose times the
-- web service does not choose.
create function lock_for_disposal(of_case uuid) returns table (
    charter_hash bytea, closed_at timestamptz, event_seq bigint, event_hash bytea,
    messages bigint, parts bigint, sealed_bytes numeric
) language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
    perform 1 from messages as every where every.case_id = of_case order by every.message_id for update;
    perform 1 from cases as every where every.case_id = of_case for update;
    return query select
        charters.statement_hash,
        (
            select max(every.at) from events as every
            where every.case_id = of_case and every.kind = 'case-closed'
        ),
        cases.event_seq,
        cases.event_hash,
        (select count(*) from messages as every where every.case_id = of_case),
        (
            select count(*) from parts as every
            inner join messages as its on every.message_id = its.message_id
            where its.case_id = of_case
        ),
        (
            select coalesce(sum(every.size_bytes), 0) from parts as every
            inner join messages as its on every.message_id = its.message_id
            where its.case_id = of_case
        )
    from cases
    left join charters on cases.case_id = charters.case_id and cases.charter_version = charters.version
    where cases.case_id = of_case and cases.disposed_at is null and (not by_worker() or is_disposable(cases));
end
$$;

-- Destroys what was written in a case, every grant and every key, and logs the certificate. A worker does it
-- once the time has come; whoever owns the database also before, which a restored backup may need.
create function dispose_case(
    of_case uuid, event_kind text, by_actor text, with_statement bytea
) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform 1 from cases
    where cases.case_id = of_case and cases.disposed_at is null and (not by_worker() or is_disposable(cases))
    for update;
    if not found then
        return false;
    end if;
    perform append_event(of_case, event_kind, null, by_actor, with_statement);
    update cases
    set closed_at = coalesce(closed_at, now()), disposed_at = now(), disposal_hash = with_statement
    where case_id = of_case;
    insert into orphans (object_prefix)
    select parts.object_prefix from parts inner join messages on parts.message_id = messages.message_id
    where messages.case_id = of_case and parts.object_prefix is not null
    union
    select 'uploads/' || uploads.upload_id from uploads
    inner join messages on uploads.message_id = messages.message_id
    where messages.case_id = of_case
    on conflict (object_prefix) do nothing;
    insert into queue_counts (state, messages)
    select messages.state, -count(*) from messages
    where messages.case_id = of_case and is_in_queue(messages)
    group by messages.state;
    delete from grants using parts, messages
    where grants.commitment = parts.commitment
        and parts.message_id = messages.message_id and messages.case_id = of_case;
    delete from messages where case_id = of_case;
    update charters set key_file = '' where case_id = of_case;
    delete from unsent_texts where kid in (
        select claims.kid from claims where claims.case_id = of_case
        union all
        select links.kid from links where links.case_id = of_case
    );
    update claims set keyring = '', proof_hash = decode(repeat('00', 32), 'hex') where case_id = of_case;
    update links set sealed = null, again = null, ended_at = coalesce(ended_at, now()) where case_id = of_case;
    delete from sessions where case_id = of_case;
    delete from due_notifications where case_id = of_case;
    delete from holds where case_id = of_case;
    return true;
end
$$;

-- Whether cases begin at their beginning. An import turns it off in its own transaction, as the owner of the
-- tables alone can: until that ends nobody else writes to them.
create function guard_imports(are_guarded boolean) returns void language plpgsql as $$
declare
    way text := case when are_guarded then 'enable' else 'disable' end;
begin
    execute format('alter table messages %s trigger messages_move_by_the_table', way);
    execute format('alter table links %s trigger links_are_made_in_open_cases', way);
    execute format('alter table grants %s trigger grants_to_recipients_follow_approval', way);
end
$$;

-- What whoever runs relay is shown of it. -------------------------------------------------------------------

-- Numbers of everything, without any identifier: what a metric is called, what its label says, its value.
-- A worker reads these, and needs no right to the rows that they are of. Each costs what waits, or a look at
-- an index.
create function monitoring_figures() returns table (figure text, kind text, value double precision)
language sql stable security definer set search_path = public, pg_temp as $$
    with queued as (
        select
            case when cases.approvals > 1 and approvals_of(messages) > 0 then 'second-approval' else 'review' end
                as kind,
            messages.waiting_since as since
        from messages inner join cases on messages.case_id = cases.case_id
        where messages.state = 'queued'
    ),

    queues as (
        select queued.kind, queued.since from queued
        union all
        select 'offer', messages.state_since from messages
        where messages.state = 'approved'
        union all
        select 'claims', claims.claimed_at
        from claims inner join links on claims.link_id = links.link_id
        where claims.verification_hash is null and links.ended_at is null
        union all
        select 'outbox', outbox.noted_at from outbox
        union all
        select 'webhooks', notifications.stored_at
        from receiver_lines inner join notifications on receiver_lines.next_id = notifications.notification_id
    ),

    by_queue as (
        select
            names.name,
            count(queues.since) as items,
            coalesce(extract(epoch from now() - min(queues.since)), 0) as oldest
        from unnest(
            array['review', 'second-approval', 'offer', 'claims', 'outbox', 'webhooks']
        ) as names (name)
        left join queues on names.name = queues.kind
        group by names.name
    ),

    by_state as (
        select
            names.name,
            count(jobs.job_id) as jobs,
            coalesce(extract(epoch from now() - min(jobs.created_at)), 0) as oldest
        from unnest(array['waiting', 'running']::job_state[]) as names (name)
        left join jobs on names.name = jobs.state and jobs.state in ('waiting', 'running')
        group by names.name
    )

    select 'relay_queue_items', by_queue.name, by_queue.items::double precision from by_queue
    union all
    select 'relay_queue_oldest_seconds', by_queue.name, greatest(by_queue.oldest, 0) from by_queue
    union all
    select 'relay_leases', 'review', count(*) from messages
    where messages.state = 'claimed' and messages.lease_expires_at > now()
    union all
    select 'relay_leases', 'job', count(*) from jobs
    where jobs.state = 'running' and jobs.lease_expires_at > now()
    union all
    select 'relay_jobs', by_state.name::text, by_state.jobs from by_state
    union all
    select 'relay_job_oldest_seconds', by_state.name::text, greatest(by_state.oldest, 0) from by_state
    union all
    select 'relay_uploads_open', null, count(*) from uploads
    where uploads.submitted_at is null and uploads.expires_at > now()
    union all
    select 'relay_orphans', null, count(*) from orphans
    union all
    select
        'relay_orphan_oldest_seconds',
        null,
        greatest(coalesce(extract(epoch from now() - min(orphans.noted_at)), 0), 0)
    from orphans
    union all
    select 'relay_dead_letters', null, count(*) from dead_letters
    union all
    select 'relay_log_head', null, coalesce(max(events.event_id), 0) from events
    union all
    select 'relay_events_head', null, coalesce(max(notifications.notification_id), 0) from notifications
    union all
    select
        'relay_credential_ends_timestamp_seconds',
        credentials.role::text,
        extract(epoch from min(credentials.not_after))
    from credentials
    where
        credentials.revocation_hash is null
        and credentials.not_after > now()
        and not exists (
            select 1 from credentials as newer
            where
                newer.person_id = credentials.person_id
                and newer.revocation_hash is null
                and newer.not_after > credentials.not_after
        )
    group by credentials.role
    union all
    select 'relay_database_bytes', null, pg_database_size(current_database())
$$;
