-- name: list_columns
-- Every column of every table of relay.
select
    pg_class.relname::text as place,
    pg_attribute.attname::text as part
from pg_class
inner join pg_attribute on pg_class.oid = pg_attribute.attrelid
where
    pg_class.relnamespace = 'public'::regnamespace
    and pg_class.relkind in ('r', 'p', 'v', 'm')
    and pg_attribute.attnum > 0
    and not pg_attribute.attisdropped;

-- name: list_rights
-- What the role of this connection may do: with columns, tables as a whole, and functions.
select
    pg_class.relname::text as place,
    asked.privilege,
    pg_attribute.attname::text as part
from pg_class
inner join pg_attribute on pg_class.oid = pg_attribute.attrelid
cross join unnest(array['select', 'insert', 'update', 'references']) as asked (privilege)
where
    pg_class.relnamespace = 'public'::regnamespace
    and pg_class.relkind in ('r', 'p', 'v', 'm')
    and pg_attribute.attnum > 0
    and not pg_attribute.attisdropped
    and has_column_privilege(pg_class.oid, pg_attribute.attnum, asked.privilege)
union all
select
    pg_class.relname::text as place,
    asked.privilege,
    '' as part
from pg_class
cross join unnest(array['delete', 'truncate', 'trigger']) as asked (privilege)
where
    pg_class.relnamespace = 'public'::regnamespace
    and pg_class.relkind in ('r', 'p', 'v', 'm')
    and has_table_privilege(pg_class.oid, asked.privilege)
union all
select
    pg_proc.proname::text as place,
    'execute' as privilege,
    '' as part
from pg_proc
where
    pg_proc.pronamespace = 'public'::regnamespace
    and has_function_privilege(pg_proc.oid, 'execute');

-- name: describe
-- As whom this connection comes, what time it is there, and how the server is set.
select
    session_user::text as role,
    clock_timestamp() as at,
    current_setting('server_version_num')::integer as version,
    current_setting('fsync')::boolean as is_durable;
