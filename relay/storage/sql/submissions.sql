-- name: lock_submission
-- The message, where there is one; locked with its identifier and the case.
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
from lock_submission($1, $2);

-- name: find_submission_facts
-- What must be known before words are taken: of the case ($1), sender and recipient, message ($4), and the
-- statement ($5) that the key $6 signed at $7.
select
    cases.server_processing,
    charters.statement_hash as charter_hash,
    charters.media,
    exists(
        select 1 from pairs
        where
            pairs.case_id = $1
            and pairs.one = least($2::uuid, $3::uuid)
            and pairs.other = greatest($2::uuid, $3::uuid)
    ) as is_pair,
    array(
        select revisions.statement_hash from revisions
        where revisions.message_id = $4
        order by revisions.revision
    ) as revisions,
    exists(
        select 1 from statements
        where statements.statement_hash = $5
    ) as is_stored,
    not exists (
        select 1 from credentials
        where
            credentials.kid = $6 and ($7::timestamptz < credentials.not_before or $7 >= credentials.not_after)
    ) as counts
from cases
inner join charters on cases.case_id = charters.case_id and cases.charter_version = charters.version
where cases.case_id = $1;

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
