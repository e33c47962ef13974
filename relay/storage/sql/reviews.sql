-- name: queue_of_state
-- Where the entries of one mediator in a state stand, the oldest first, after where the page before ended.
select
    queue_entries.message_id as message,
    queue_entries.since
from queue_entries
inner join messages on queue_entries.message_id = messages.message_id
where
    queue_entries.mediator_id = $1
    and queue_entries.state = $2
    and (queue_entries.since, queue_entries.message_id) > ($3, $4)
    and queue_entries.since <= $5
    and ($6::message_language is null or messages.language = $6)
    and ($7::uuid is null or messages.case_id = $7)
    and ($8::waited_for is null or queue_entries.waits_for = $8)
order by queue_entries.since, queue_entries.message_id
limit $9;

-- name: queue_of_turn
-- The same of all states together that wait for somebody.
select
    queue_entries.message_id as message,
    queue_entries.since
from queue_entries
inner join messages on queue_entries.message_id = messages.message_id
where
    queue_entries.mediator_id = $1
    and queue_entries.waits_for = $2
    and (queue_entries.since, queue_entries.message_id) > ($3, $4)
    and queue_entries.since <= $5
    and ($6::message_language is null or messages.language = $6)
    and ($7::uuid is null or messages.case_id = $7)
order by queue_entries.since, queue_entries.message_id
limit $8;

-- name: ended_of_state
-- The same of a state in which nothing waits, the newest first.
select
    queue_entries.message_id as message,
    queue_entries.since
from queue_entries
inner join messages on queue_entries.message_id = messages.message_id
where
    queue_entries.mediator_id = $1
    and queue_entries.state = $2
    and (queue_entries.since, queue_entries.message_id) < ($3, $4)
    and queue_entries.since <= $5
    and ($6::message_language is null or messages.language = $6)
    and ($7::uuid is null or messages.case_id = $7)
order by queue_entries.since desc, queue_entries.message_id desc
limit $8;

-- name: messages_of_case
-- Every message of a case that one mediator has an entry for, whose state changed last first.
select
    messages.message_id as message,
    messages.state_since as since
from messages
inner join queue_entries on messages.message_id = queue_entries.message_id
where
    messages.case_id = $1
    and queue_entries.mediator_id = $2
    and (messages.state_since, messages.message_id) < ($3, $4)
order by messages.state_since desc, messages.message_id desc
limit $5;

-- name: queue_items
-- These messages as a mediator sees them, in this order; of one that is being changed, what was sent.
select
    messages.message_id as message,
    messages.case_id as "case",
    messages.sender_id as "from",
    messages.recipient_id as "to",
    messages.kind,
    messages.language,
    messages.state,
    messages.waiting_since,
    messages.state_since,
    messages.lease_holder,
    messages.lease_expires_at,
    messages.failure,
    cases.approvals as approvals_needed,
    lease_is_over(messages) as lease_is_over,
    messages.withdrawal_hash is not null as withdrawal_asked,
    is_voice(messages) as voice,
    waits_for(messages, $2) as waits_for,
    approvals_of(messages) as approvals,
    (
        select max(revisions.revision) from revisions
        where revisions.message_id = messages.message_id
    ) as revision
from unnest($1::uuid[]) with ordinality as page (message_id, place)
inner join messages on page.message_id = messages.message_id
inner join cases on messages.case_id = cases.case_id
order by page.place;

-- name: queue_figures
-- How much one mediator has in each state, for whom it waits, and for how long.
select
    state,
    waits_for,
    count(*) as messages,
    min(since) as oldest
from queue_entries
where mediator_id = $1 and waits_for is not null
group by state, waits_for
order by waits_for, state;

-- name: all_figures
-- How much waits everywhere.
select
    counted.state,
    null as waits_for,
    counted.messages,
    (
        select min(messages.waiting_since) from messages
        where messages.state = counted.state
    ) as oldest
from (
    select
        state,
        sum(messages)::bigint as messages
    from queue_counts
    group by state
) as counted
where counted.messages > 0
order by counted.state;

-- name: sum_queue_counts
-- Fewer rows to be summed by whoever asks for these figures.
select sum_queue_counts();

-- name: insert_decision
insert into decisions (
    statement_hash, message_id, review_round, mediator_id, person_id, decision, reason,
    source_hash, rendition_hash, captions_hash
)
select
    $1 as statement_hash,
    $2 as message_id,
    $3 as review_round,
    credential_id as mediator_id,
    person_id,
    $5 as decision,
    $6 as reason,
    $7 as source_hash,
    $8 as rendition_hash,
    $9 as captions_hash
from credentials
where credential_id = $4;

-- name: count_approvals
select
    cases.approvals as approvals_needed,
    approvals_of(messages) as approvals
from messages inner join cases on messages.case_id = cases.case_id
where messages.message_id = $1;

-- name: find_turn
-- For whom a message waits, as one of its mediators sees it.
select waits_for(messages, $2) from messages
where message_id = $1;

-- name: list_decisions
select statements.compact from decisions
inner join statements on decisions.statement_hash = statements.statement_hash
where decisions.message_id = $1
order by decisions.decided_at;

-- name: list_approvals
-- The approvals that count for what is there now.
select statements.compact from decisions
inner join statements on decisions.statement_hash = statements.statement_hash
inner join messages on decisions.message_id = messages.message_id
where
    decisions.message_id = $1
    and decisions.decision = 'approve'
    and decisions.review_round = messages.review_round
    and decisions.source_hash = messages.statement_hash
    and decisions.rendition_hash is not distinct from messages.rendition_hash
    and decisions.captions_hash is not distinct from messages.captions_hash
order by decisions.decided_at;

-- name: insert_captions
insert into captions (statement_hash, message_id, source_hash, exception) values ($1, $2, $3, $4);

-- name: insert_offer
insert into offers (
    statement_hash, message_id, mediator_id, claim_hash, sender_consent, recipient_consent, not_before
)
values ($1, $2, $3, $4, $5, $6, $7);

-- name: find_offer_consents
-- The consents that an offer rests on.
select
    sender_consent,
    recipient_consent
from offers
where statement_hash = $1;

-- name: insert_response
insert into responses (statement_hash, message_id, offer_hash, answer) values ($1, $2, $3, $4);

-- name: list_lapsed
-- Leases that ran out.
select message_id from messages
where state = 'claimed' and lease_expires_at < now()
order by lease_expires_at
limit $1;

-- name: list_stale_drafts
-- Drafts that nobody touched for long.
select messages.message_id from messages
where
    messages.state = 'draft'
    and messages.state_since < now() - make_interval(secs => $1)
    and not exists (
        select 1 from uploads
        where uploads.message_id = messages.message_id and uploads.expires_at > clock_timestamp()
    )
order by messages.state_since
limit $2;
