-- name: note_orphans
insert into orphans (object_prefix) select unnest($1::text[]) on conflict do nothing;

-- name: list_orphans
-- Those noted early enough that no write that was under way then can still land.
select object_prefix
from orphans
where noted_at < $1
order by noted_at, object_prefix
limit $2;

-- name: list_unreferenced
-- Those that no part and no upload has, and that nobody noted.
select given.object_prefix
from unnest($1::text[]) as given (object_prefix)
where
    not exists (
        select 1 from parts
        where parts.object_prefix = given.object_prefix
    )
    and not exists (
        select 1 from uploads
        where uploads.upload_id = case
            when given.object_prefix ~ '^uploads/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                then substr(given.object_prefix, 9)::uuid
        end
    )
    and not exists (
        select 1 from orphans
        where orphans.object_prefix = given.object_prefix
    )
order by given.object_prefix;

-- name: forget_orphans
delete from orphans
where object_prefix = any($1::text[]);
