-- name: try_lock
-- An advisory lock of this connection, or nothing; it ends with the connection at the latest.
select pg_try_advisory_lock(hashtextextended($1, 0));

-- name: unlock
select pg_advisory_unlock(hashtextextended($1, 0));
