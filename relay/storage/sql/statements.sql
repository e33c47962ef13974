-- name: insert_statement
-- The exact text that was signed, once.
insert into statements (statement_hash, typ, kid, compact) values ($1, $2, $3, $4) on conflict do nothing;

-- name: find_statement
select compact from statements
where statement_hash = $1;

-- name: find_admission
-- Whether a statement was stored before, and whether what its key signed at that time counts.
select
    exists(
        select 1 from statements
        where statement_hash = $1
    ) as is_stored,
    not exists (
        select 1 from credentials
        where kid = $2 and ($3::timestamptz < not_before or $3 >= not_after)
    ) as counts;
