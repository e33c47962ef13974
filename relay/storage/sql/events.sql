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
