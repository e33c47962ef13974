-- name: lock_writer
-- One change at a time of the texts of a key, so that two at once do not pass its limits.
select pg_advisory_xact_lock(hashtextextended('unsent ' || $1::text, 0));

-- name: list_texts
select
    text_id,
    version,
    sealed,
    changed_at
from unsent_texts
where kid = $1
order by changed_at desc, text_id asc;

-- name: find_text
select
    text_id,
    version,
    sealed,
    changed_at
from unsent_texts
where kid = $1 and text_id = $2;

-- name: measure_texts
-- How many texts of a key there are, without one of them, and how many bytes.
select
    count(*) as texts,
    coalesce(sum(octet_length(sealed)), 0)::bigint as size_bytes
from unsent_texts
where kid = $1 and text_id <> $2;

-- name: keep_text
insert into unsent_texts (kid, text_id, version, sealed) values ($1, $2, $3, $4)
on conflict (kid, text_id) do update
    set
        version = excluded.version,
        sealed = excluded.sealed,
        changed_at = now();

-- name: delete_text
delete from unsent_texts
where kid = $1 and text_id = $2;

-- name: delete_old
delete from unsent_texts
where changed_at < now() - make_interval(secs => $1);
