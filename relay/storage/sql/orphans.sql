-- name: note_orphans
insert into orphans (object_prefix) select unnest($1::text[]) on conflict do nothing;

-- name: list_orphans
-- Those noted early enough that no write that was under way then can still land.
select object_prefix
from orphans
where noted_at < $1
order by noted_at, object_prefix
limit $2;

-- name: forget_orphans
delete from orphans
where object_prefix = any($1::text[]);
