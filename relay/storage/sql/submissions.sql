-- name: lock_submission
-- The message ($1), where there is one, locked with its identifier and the case ($2); and what must be known,
-- as it is under these locks, before words of $3 to $4 are taken, with the statement $5 that $6 signed at $7.
with locked as materialized (
    select lock_submission($1, $2) as message
)

select
    locked.message,
    facts.server_processing,
    facts.charter_hash,
    facts.media,
    facts.is_pair,
    facts.revisions,
    facts.is_stored,
    facts.counts,
    coalesce((locked.message).lease_expires_at < clock_timestamp(), false) as lease_is_over
from locked
left join lateral submission_facts(locked.message, $2, $3, $4, $5, $6, $7) as facts on true;

-- name: find_carried
-- The one message of an upload link.
select message_id from links
where link_id = $1;

-- name: insert_draft
-- Every message begins here.
insert into messages (message_id, case_id, sender_id, recipient_id, kind, language, writer_kid, state)
values ($1, $2, $3, $4, $5, $6, $7, 'draft')
on conflict do nothing
returning
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
    coalesce(lease_expires_at < clock_timestamp(), false) as lease_is_over,
    waiting_since,
    author_view_since,
    state_since,
    created_at;

-- name: store_revision
-- Signed words, of a message that begins with them or of a draft. What was rendered, captioned or approved
-- before does not belong to them: every revision raises the round, as from the first one of a draft.
with signed as (
    insert into statements (statement_hash, typ, kid, compact) values ($8, $9, $10, $11)
),

sent as (
    insert into revisions (message_id, revision, statement_hash, language) values ($1, $7, $8, $6)
),

begun as (
    insert into messages (
        message_id,
        case_id,
        sender_id,
        recipient_id,
        kind,
        language,
        writer_kid,
        state,
        statement_hash,
        review_round
    )
    select
        $1 as message_id,
        $2 as case_id,
        $3 as sender_id,
        $4 as recipient_id,
        $5 as kind,
        $6 as language,
        $10 as writer_kid,
        'draft' as state,
        $8 as statement_hash,
        2 as review_round
    where
        not exists (
            select 1 from messages
            where message_id = $1
        )
    returning messages.*
),

drafted as (
    update messages
    set
        statement_hash = $8,
        language = $6,
        rendition_hash = null,
        captions_hash = null,
        review_round = review_round + 1
    where message_id = $1
    returning messages.*
)

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
from (
    select * from begun
    union all
    select * from drafted
) as revised;
