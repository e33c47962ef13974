-- name: insert_statement
-- The exact text that was signed, once.
insert into statements (statement_hash, typ, kid, compact) values ($1, $2, $3, $4) on conflict do nothing;

-- name: find_statement
select compact from statements
where statement_hash = $1;
