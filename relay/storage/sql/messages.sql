-- name: lock_message
-- The message, which nobody else changes until this transaction ends. With a participant ($2) only one that
-- they sent or were offered: for what they may not know, nobody waits, and nothing is done that takes time.
select
    messages as message,
    lease_is_over(messages) as lease_is_over
from messages
where
    message_id = $1
    and ($2::uuid is null or sender_id = $2 or (recipient_id = $2 and offer_hash is not null))
for no key update;

-- name: read_message
-- The message as it is.
select
    messages as message,
    lease_is_over(messages) as lease_is_over
from messages
where message_id = $1;

-- name: read_author_message
select
    message,
    lease_is_over,
    voice,
    statement,
    kid,
    guidance,
    stage,
    fraction,
    case_closed,
    part,
    header
from shown_to_author($1);

-- name: is_voice
-- Whether it is a voice alone, as far as that is known.
select is_voice(messages) from messages
where message_id = $1;

-- name: change_state
select change_state($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

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
insert into receipts (message_id, receipt_hash) values ($1, $2)
on conflict (message_id) do update set receipt_hash = excluded.receipt_hash;

-- name: find_by_receipt
select message_id from receipts
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
select store_parts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

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
    cases.closed_at is not null as case_closed,
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
insert into jobs (message_id, revision, traceparent) values ($1, $2, $3) returning job_id;

-- name: cancel_jobs
update jobs set state = 'cancelled', lease_token = null, lease_expires_at = null
where message_id = $1 and state in ('waiting', 'running');

-- name: orphan_objects
-- What a discarded or withdrawn message leaves in the bucket, for the sweep to remove.
insert into orphans (object_prefix)
select object_prefix from parts
where message_id = $1 and object_prefix is not null
on conflict do nothing;
