-- name: append_event
-- One row of the log, chained to the one before it in the same case.
select append_event($1, $2, $3, $4, $5);

-- name: list_events
select
    seq,
    at,
    kind,
    message_id,
    actor,
    statement_hash,
    prev,
    hash
from events
where case_id = $1 and seq > $2
order by seq
limit $3;

-- name: find_head
select
    case_id,
    event_seq,
    event_hash
from cases
where case_id = $1;

-- name: list_cases_with_events
-- Each case with its head, to hold the log against it.
select
    case_id,
    event_seq,
    event_hash
from cases
where case_id > $1
order by case_id
limit $2;

-- name: latest_events
-- The newest rows of the log of all cases.
select event_id from events
order by event_id desc
limit $1;

-- name: follow_events
-- What came to the log of all cases after a row ($1), but for what is known ($2): with the mediators of the
-- case and, where it is a new charter, the one before. At least one line, which tells whether a row that is
-- missing may still come: below `undecided` every transaction has ended, from `unbegun` on none had begun.
with look as (
    select pg_current_snapshot() as seen
),

found as (
    select
        event_id,
        case_id,
        message_id,
        kind,
        statement_hash
    from events
    where event_id > $1 and event_id <> all($2::bigint[])
    order by event_id
    limit $3
)

select
    found.event_id,
    found.case_id,
    found.message_id,
    pg_snapshot_xmin(look.seen)::text::bigint as undecided,
    pg_snapshot_xmax(look.seen)::text::bigint as unbegun,
    array(
        select case_mediators.credential_id from case_mediators
        where case_mediators.case_id = found.case_id
    ) as mediators,
    (
        select statements.compact from charters
        inner join charters as former
            on charters.case_id = former.case_id and charters.version = former.version + 1
        inner join statements on former.statement_hash = statements.statement_hash
        where found.kind = 'charter-filed' and charters.statement_hash = found.statement_hash
    ) as former_charter
from look
left join found on true
order by found.event_id;
