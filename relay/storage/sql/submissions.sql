-- name: lock_submission
-- The message ($1), where there is one, locked with its identifier and the case ($2); and what must be known,
-- as it is under these locks, before words of $3 to $4 are taken, with the statement $5 that $6 signed at $7.
with locked as materialized (
    select lock_submission($1, $2) as message
)

select
    locked.message,
    facts.server_processing,
    facts.is_closed,
    facts.charter_hash,
    facts.media,
    facts.is_pair,
    facts.revisions,
    facts.is_stored,
    facts.counts,
    lease_is_over(locked.message) as lease_is_over
from locked
left join lateral submission_facts(locked.message, $2, $3, $4, $5, $6, $7) as facts on true;

-- name: find_carried
-- The one message of an upload link.
select message_id from links
where link_id = $1;

-- name: count_drafts
-- How many messages a participant has begun and not sent, counted up to $2.
select count(*) from (
    select 1 from messages
    where sender_id = $1 and state = 'draft'
    order by message_id
    limit $2
) as begun;

-- name: insert_draft
-- Every message begins here.
insert into messages (message_id, case_id, sender_id, recipient_id, kind, language, writer_kid, state)
values ($1, $2, $3, $4, $5, $6, $7, 'draft')
on conflict do nothing
returning message_id;

-- name: submit_revision
-- Signed words, stored as the current revision of a message ($1 to $11), their parts and grants ($12 to $22),
-- and the transition that they make of a draft ($23 to $26), which changes what its author sees; then the
-- message as its author is shown it.
with revised as materialized (
    select store_revision($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as message_id
),

completed as materialized (
    select store_parts(message_id, $8, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) as is_new
    from revised
),

changed as materialized (
    select
        is_new,
        change_state($1, 'draft', $23, true, $24, null, 0, null, $25, $26, $8) as is_changed
    from completed
)

select
    shown.message,
    shown.lease_is_over,
    shown.voice,
    shown.statement,
    shown.kid,
    shown.guidance,
    shown.stage,
    shown.fraction,
    shown.case_closed,
    shown.part,
    shown.header,
    changed.is_new and changed.is_changed as is_stored
from changed
cross join shown_to_author($1) as shown;
