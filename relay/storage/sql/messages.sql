-- name: lock_message
-- The message, which nobody else changes until this transaction ends.
select
    message_id,
    case_id,
    sender_id,
    recipient_id,
    kind,
    language,
    state,
    revision,
    review_round,
    statement_hash,
    rendition_hash,
    captions_hash,
    offer_hash,
    withdrawal_hash,
    writer_kid,
    tell_author,
    failure,
    lease_holder,
    lease_expires_at,
    waiting_since,
    author_view_since,
    state_since,
    created_at,
    coalesce(lease_expires_at < clock_timestamp(), false) as lease_is_over
from messages
where message_id = $1
for no key update;

-- name: read_message
-- The message as it is.
select
    message_id,
    case_id,
    sender_id,
    recipient_id,
    kind,
    language,
    state,
    revision,
    review_round,
    statement_hash,
    rendition_hash,
    captions_hash,
    offer_hash,
    withdrawal_hash,
    writer_kid,
    tell_author,
    failure,
    lease_holder,
    lease_expires_at,
    waiting_since,
    author_view_since,
    state_since,
    created_at,
    coalesce(lease_expires_at < clock_timestamp(), false) as lease_is_over
from messages
where message_id = $1;

-- name: read_author_message
-- The message as it is, with what its author is shown besides: the statement, what it came back with, how far
-- a video is; in a row for each of its parts, with the author's grants.
select
    messages.message_id,
    messages.case_id,
    messages.sender_id,
    messages.recipient_id,
    messages.kind,
    messages.language,
    messages.state,
    messages.revision,
    messages.review_round,
    messages.statement_hash,
    messages.rendition_hash,
    messages.captions_hash,
    messages.offer_hash,
    messages.withdrawal_hash,
    messages.writer_kid,
    messages.tell_author,
    messages.failure,
    messages.lease_holder,
    messages.lease_expires_at,
    messages.waiting_since,
    messages.author_view_since,
    messages.state_since,
    messages.created_at,
    signed.compact as statement,
    signed.kid,
    guidance.compact as guidance,
    working.stage,
    working.progress as fraction,
    parts.commitment,
    parts.statement_hash as declared_by,
    parts.role,
    parts.media_type,
    parts.size_bytes,
    parts.body,
    grants.header,
    coalesce(messages.lease_expires_at < clock_timestamp(), false) as lease_is_over,
    is_voice(messages) as voice
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
) as guidance on true
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
where messages.message_id = $1
order by parts.role, parts.commitment;

-- name: is_voice
-- Whether it is a voice alone, as far as that is known.
select is_voice(messages) from messages
where message_id = $1;

-- name: change_state
-- draft → queued, queued → claimed, …: whatever the transition table says, from the state that is expected,
-- with a row of the log where it is of a kind ($9). The lease goes with the state; a waiting time starts only
-- where the transition says so.
with changed as (
    update messages
    set
        state = $3,
        state_since = clock_timestamp(),
        author_view_since = case when $4 then clock_timestamp() else author_view_since end,
        waiting_since = case when $5 then clock_timestamp() else waiting_since end,
        lease_holder = $6,
        lease_expires_at
        = case when $6::uuid is not null then clock_timestamp() + make_interval(secs => $7) end,
        failure = $8
    where message_id = $1 and state = $2
    returning case_id
)

select case when $9::text is null then 0 else append_event(case_id, $9, $1, $10, $11) end
from changed;

-- name: delete_draft
-- draft → gone: nothing was submitted, nothing is kept but a row of the log.
with deleted as (
    delete from messages
    where message_id = $1 and state = 'draft' and revision = 1
    returning case_id
)

select append_event(case_id, $2, $1, $3, null) from deleted;

-- name: begin_revision
update messages set revision = revision + 1
where message_id = $1;

-- name: set_rendition
update messages set rendition_hash = $2, captions_hash = null
where message_id = $1;

-- name: set_captions
update messages set captions_hash = $2
where message_id = $1;

-- name: set_offer
update messages set offer_hash = $2
where message_id = $1;

-- name: set_tell_author
update messages set tell_author = $2
where message_id = $1;

-- name: set_withdrawal
-- A withdrawal that came too late is kept for the mediator; the author is shown the same either way.
update messages
set withdrawal_hash = $2, author_view_since = clock_timestamp()
where message_id = $1 and withdrawal_hash is null
returning true;

-- name: raise_round
update messages set review_round = review_round + 1
where message_id = $1;

-- name: renew_lease
update messages set lease_expires_at = clock_timestamp() + make_interval(secs => $2)
where message_id = $1 and state = 'claimed';

-- name: set_receipt
update messages set receipt_hash = $2
where message_id = $1;

-- name: find_by_receipt
select message_id from messages
where receipt_hash = $1;

-- name: list_revisions
select
    revision,
    statement_hash,
    created_at
from revisions
where message_id = $1
order by revision;

-- name: list_between
-- The other messages between the two people of one, the newest first; without what was never sent.
select
    other.message_id as message,
    other.sender_id as "from",
    other.kind,
    other.language,
    other.state,
    other.created_at,
    is_voice(other) as voice,
    (
        select max(revisions.revision) from revisions
        where revisions.message_id = other.message_id
    ) as revision,
    (
        select min(events.at) from events
        where events.message_id = other.message_id and events.kind = 'open'
    ) as opened_at,
    exists(
        select 1 from parts
        where parts.statement_hash = other.statement_hash and parts.role = 'note'
    ) as assisted
from messages as one
inner join messages as other
    on
        one.case_id = other.case_id
        and one.message_id <> other.message_id
        and least(one.sender_id, one.recipient_id) = least(other.sender_id, other.recipient_id)
        and greatest(one.sender_id, one.recipient_id) = greatest(other.sender_id, other.recipient_id)
where one.message_id = $1 and other.statement_hash is not null
order by other.created_at desc, other.message_id asc;

-- name: insert_parts
-- New parts under the statement that declares them, with their grants; how many of the parts are new. The
-- digests of a part's segments come one after the other.
with given as (
    select
        commitment,
        role,
        media_type,
        size_bytes,
        digests,
        body,
        object_prefix
    from
        unnest($3::bytea[], $4::part_role[], $5::text[], $6::bigint[], $7::bytea[], $8::bytea[], $9::text[])
            as parts (commitment, role, media_type, size_bytes, digests, body, object_prefix)
),

kept as (
    insert into parts (
        commitment, message_id, statement_hash, role, media_type, size_bytes, segments, body, object_prefix
    )
    select
        given.commitment,
        $1 as message_id,
        $2 as statement_hash,
        given.role,
        given.media_type,
        given.size_bytes,
        array(
            select substring(given.digests from place for 32)
            from generate_series(1, length(given.digests), 32) as place
            order by place
        ) as segments,
        given.body,
        given.object_prefix
    from given
    on conflict do nothing
    returning commitment
),

granted as (
    insert into grants (commitment, audience, audience_id, header)
    select
        for_readers.commitment,
        for_readers.audience,
        for_readers.audience_id,
        for_readers.header
    from
        unnest($10::bytea[], $11::grant_audience[], $12::uuid[], $13::bytea[])
            as for_readers (commitment, audience, audience_id, header)
    where (select count(*) from kept) = cardinality($3)
)

select count(*) as new_parts from kept;

-- name: insert_grants
-- A newer header for a reader takes the place of an older one.
insert into grants (commitment, audience, audience_id, header)
select
    given.commitment,
    given.audience,
    given.audience_id,
    given.header
from
    unnest($1::bytea[], $2::grant_audience[], $3::uuid[], $4::bytea[])
        as given (commitment, audience, audience_id, header)
on conflict (commitment, audience, audience_id) do update set header = excluded.header;

-- name: delete_grants
delete from grants
using parts
where parts.commitment = grants.commitment and parts.message_id = $1 and grants.audience = $2;

-- name: list_parts
-- The parts that these statements declare, with the caller's grants.
select
    parts.commitment,
    parts.statement_hash,
    parts.role,
    parts.media_type,
    parts.size_bytes,
    parts.body,
    grants.header
from parts
left join grants
    on parts.commitment = grants.commitment and grants.audience = $2 and grants.audience_id = $3
where parts.message_id = $1
order by parts.role, parts.commitment;

-- name: gate_facts
-- Everything that the gates look at, for each of some messages. For a new offer ($2) it does not matter which
-- key an earlier one was for, nor from when. $3: the mediator who asks, if one does.
select
    messages.message_id,
    offers.not_before,
    cases.approvals as approvals_needed,
    consents(sender) as sender_consents,
    consents(recipient) as recipient_consents,
    coalesce(pairs.no_contact, true) as no_contact,
    approvals_of(messages) as approvals,
    exists(
        select 1 from approvers_of(messages) as approver
        inner join credentials on credentials.person_id = approver
        where credentials.credential_id = $3
    ) as has_approved,
    sender_is_known(messages) as sender_verified,
    coalesce((
        select
            $2::boolean
            or messages.state not in ('offered', 'released')
            or offers.claim_hash = claims.statement_hash
        from claims inner join links on claims.link_id = links.link_id
        where
            claims.participant_id = messages.recipient_id
            and links.ended_at is null
            and claims.verification_hash is not null
        order by claims.claimed_at desc
        limit 1
    ), false) as recipient_key_verified,
    messages.kind = 'letter'
    or not cases.captions_required
    or messages.captions_hash is not null
    or exists (
        select 1 from parts
        where parts.statement_hash = messages.statement_hash and parts.role = 'captions'
    ) as captions_settled,
    not $2 and coalesce(offers.not_before > now(), false) as is_early
from messages
inner join cases on messages.case_id = cases.case_id
inner join participants as sender on messages.sender_id = sender.participant_id
inner join participants as recipient on messages.recipient_id = recipient.participant_id
left join pairs
    on
        messages.case_id = pairs.case_id
        and pairs.one = least(messages.sender_id, messages.recipient_id)
        and pairs.other = greatest(messages.sender_id, messages.recipient_id)
left join offers on messages.offer_hash = offers.statement_hash
where messages.message_id = any($1::uuid[]);

-- name: list_origin
-- The way in behind a signature: the link, and as far as they exist the claim, its verification and endings.
with way as (
    select
        links.link_id,
        links.statement_hash as link_hash,
        claims.statement_hash as claim_hash,
        claims.verification_hash
    from statements as signed
    inner join claims on signed.kid = claims.kid
    inner join links on claims.link_id = links.link_id
    where signed.statement_hash = $1
    union all
    select
        links.link_id,
        links.statement_hash as link_hash,
        null::bytea as claim_hash,
        null::bytea as verification_hash
    from statements as signed
    inner join links on signed.kid = links.kid
    where signed.statement_hash = $1
)

select statements.compact from way
cross join
    lateral (
        values (way.link_hash), (way.claim_hash), (way.verification_hash)
        union
        select link_endings.statement_hash from link_endings
        where link_endings.link_id = way.link_id
    ) as named (statement_hash)
inner join statements on named.statement_hash = statements.statement_hash
order by statements.received_at, statements.statement_hash;

-- name: find_processing
select
    stage,
    progress as fraction
from jobs
where message_id = $1 and state in ('waiting', 'running') and stage is not null
order by created_at desc
limit 1;

-- name: insert_job
insert into jobs (message_id, revision) values ($1, $2) returning job_id;

-- name: cancel_jobs
update jobs set state = 'cancelled', lease_token = null, lease_expires_at = null
where message_id = $1 and state in ('waiting', 'running');

-- name: orphan_objects
-- What a discarded or withdrawn message leaves in the bucket, for the sweep to remove.
insert into orphans (object_prefix)
select object_prefix from parts
where message_id = $1 and object_prefix is not null
on conflict do nothing;
