-- name: list_excesses
-- What these roles could do although nothing of relay grants it: by an attribute, as an owner, as a member.
with owners as (
    select pg_shdepend.refobjid as oid
    from pg_shdepend
    inner join pg_database on pg_shdepend.dbid in (0, pg_database.oid)
    where
        pg_database.datname = current_database()
        and pg_shdepend.refclassid = 'pg_authid'::regclass
        and pg_shdepend.deptype = 'o'
),

ours as (
    select
        pg_roles.oid,
        pg_roles.rolname,
        pg_roles.rolsuper,
        pg_roles.rolcreaterole,
        pg_roles.rolcreatedb,
        pg_roles.rolreplication,
        pg_roles.rolbypassrls,
        pg_roles.oid in (select owners.oid from owners) as is_owner,
        has_database_privilege(pg_roles.oid, current_database(), 'create') as creates_schemas,
        has_database_privilege(pg_roles.oid, current_database(), 'temporary') as creates_temporary,
        has_schema_privilege(pg_roles.oid, 'public', 'create') as creates
    from pg_roles
    where pg_roles.rolname = any($1::text[])
)

select
    ours.rolname::text as role,
    found.excess
from ours
cross join
    lateral (
        values
        (ours.rolsuper, 'is a superuser'),
        (ours.rolcreaterole, 'may create roles'),
        (ours.rolcreatedb, 'may create databases'),
        (ours.rolreplication, 'may replicate'),
        (ours.rolbypassrls, 'may bypass row security'),
        (ours.is_owner, 'owns something here'),
        (ours.creates_schemas, 'may create schemas'),
        (ours.creates_temporary, 'may create temporary tables'),
        (ours.creates, 'may create in the schema')
    ) as found (is_so, excess)
where found.is_so
union
select
    ours.rolname::text as role,
    'may become ' || strong.rolname as excess
from ours
inner join pg_roles as strong on ours.oid <> strong.oid and pg_has_role(ours.oid, strong.oid, 'member')
where
    not ours.rolsuper
    and (
        strong.rolsuper
        or strong.rolname like 'pg\_%'
        or strong.rolname = any($1::text[])
        or strong.oid in (select owners.oid from owners)
    )
order by role, excess;
