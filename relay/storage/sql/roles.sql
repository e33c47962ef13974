-- name: list_powers
-- What these roles could do although nothing of relay grants it: by an attribute, as an owner, as a member.
with owners as (
    select pg_shdepend.refobjid as oid
    from pg_shdepend
    inner join pg_database on pg_shdepend.dbid in (0, pg_database.oid)
    where
        pg_database.datname = current_database()
        and pg_shdepend.refclassid = 'pg_authid'::regclass
        and pg_shdepend.deptype = 'o'
)

select
    ours.rolname::text as role,
    found.power
from pg_roles as ours
cross join
    lateral (
        values
        (ours.rolsuper, 'is a superuser'),
        (ours.rolcreaterole, 'may create roles'),
        (ours.rolcreatedb, 'may create databases'),
        (ours.rolreplication, 'may replicate'),
        (ours.rolbypassrls, 'may bypass row security')
    ) as found (is_so, power)
where ours.rolname = any($1::text[]) and found.is_so
union
select
    ours.rolname::text as role,
    'owns something here' as power
from pg_roles as ours
inner join owners on ours.oid = owners.oid
where ours.rolname = any($1::text[])
union
select
    ours.rolname::text as role,
    'may become ' || strong.rolname as power
from pg_roles as ours
inner join pg_roles as strong on ours.oid <> strong.oid and pg_has_role(ours.oid, strong.oid, 'member')
where
    ours.rolname = any($1::text[])
    and not ours.rolsuper
    and (
        strong.rolsuper
        or strong.rolname like 'pg\_%'
        or strong.rolname = any($1::text[])
        or strong.oid in (select owners.oid from owners)
    )
order by 1, 2;

-- name: list_creations
-- What these roles may still create here once the grants are made: whoever made them did not own all of it.
select
    ours.rolname::text as role,
    found.power
from pg_roles as ours
cross join
    lateral (
        values
        (has_database_privilege(ours.oid, current_database(), 'create'), 'may create schemas'),
        (has_database_privilege(ours.oid, current_database(), 'temporary'), 'may create temporary tables'),
        (has_schema_privilege(ours.oid, 'public', 'create'), 'may create in the schema')
    ) as found (is_so, power)
where ours.rolname = any($1::text[]) and found.is_so
order by 1, 2;
