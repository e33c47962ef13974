-- name: list_holds
select
    hold_id as hold,
    name,
    reason,
    placed_by,
    placed_at
from holds
where case_id = $1
order by placed_at, hold_id;

-- name: find_hold
select
    hold_id as hold,
    name,
    reason,
    placed_by,
    placed_at
from holds
where case_id = $1 and hold_id = $2;

-- name: insert_hold
insert into holds (case_id, hold_id, name, reason, placed_by) values ($1, $2, $3, $4, $5);

-- name: delete_hold
delete from holds
where case_id = $1 and hold_id = $2;

-- name: list_due
select cases.case_id from cases
where
    cases.disposal_due_at <= now()
    and cases.closed_at is not null
    and cases.disposed_at is null
    and (
        select count(*) from holds
        where holds.case_id = cases.case_id
    ) = 0
order by cases.disposal_due_at, cases.case_id
limit $1;

-- name: lock_for_disposal
select
    charter_hash,
    closed_at,
    event_seq,
    event_hash,
    messages,
    parts,
    sealed_bytes::bigint as sealed_bytes
from lock_for_disposal($1);

-- name: dispose
select dispose_case($1, $2, $3, $4);

-- name: find_certificate
select statements.compact
from cases inner join statements on cases.disposal_hash = statements.statement_hash
where cases.case_id = $1;

-- name: list_unstored
select
    cases.case_id,
    statements.compact
from cases inner join statements on cases.disposal_hash = statements.statement_hash
where cases.disposed_at is not null and cases.certificate_stored_at is null
order by cases.case_id
limit $1;

-- name: mark_stored
update cases set certificate_stored_at = now()
where case_id = $1;
