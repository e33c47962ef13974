"""What the web service's role and the workers' may do in the database: what they need, and nothing else.

Every table, column, function and sequence is found in the catalogue, so that a new one is nobody's until the
table below says so, and what the table does not say is tried.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Final, TypeAlias

import asyncpg
import pytest
import pytest_asyncio

from relay.embedded import Access, Services
from relay.services.feed import Change, Feed
from relay.storage.database import (
    ROLES,
    Connection,
    Database,
    NotOwner,
    RolesMissing,
    RolesTooStrong,
    migrate,
)
from tests.accesses import database_as
from tests.integration.rows import Rows

Rights: TypeAlias = dict[str, dict[str, str]]
"""By table and privilege the columns, `*` for all of them; `delete` has none."""

WEB: Final = "relay_web"
WORKER: Final = "relay_worker"

_SIGNED: Final = {"select": "*", "insert": "statement_hash typ kid compact"}

MAY: Final[dict[str, Rights]] = {
    WEB: {
        "migrations": {"select": "*"},
        "statements": _SIGNED,
        "events": {"select": "*"},
        "credentials": {
            "select": "*",
            "insert": "credential_id person_id role statement_hash kid signer recipient not_before "
            "not_after",
            "update": "revocation_hash keyring",
        },
        "cases": {
            "select": "*",
            "insert": "case_id reference",
            "update": "registration_hash registered_by_mediator_at proposed_mediators charter_version "
            "approvals captions_required server_processing",
        },
        "participants": {
            "select": "*",
            "insert": "participant_id case_id role",
            "update": "consent consent_hash consent_at",
        },
        "pairs": {"select": "*", "insert": "case_id one other", "update": "no_contact"},
        "case_mediators": {"select": "*", "insert": "*", "delete": ""},
        "charters": {"select": "*", "insert": "*"},
        "links": {
            "select": "*",
            "insert": "link_id case_id participant_id purpose statement_hash auth_hash signer kid sealed "
            "again made_by expires_at",
            "update": "ended_at is_misused again message_id",
        },
        "claims": {
            "select": "*",
            "insert": "statement_hash link_id case_id participant_id kid signer recipient keyring "
            "proof_hash",
            "update": "verification_hash wrong_proofs closed_until",
        },
        "link_endings": {"select": "*", "insert": "*"},
        "successions": {"select": "*", "insert": "*"},
        "challenges": {"select": "*", "insert": "*", "delete": ""},
        "sessions": {"select": "*", "insert": "*", "delete": ""},
        "messages": {
            "select": "*",
            "insert": "message_id case_id sender_id recipient_id kind language writer_kid state"
            " statement_hash review_round",
            "update": "language state revision review_round statement_hash rendition_hash captions_hash "
            "offer_hash withdrawal_hash tell_author failure lease_holder lease_expires_at waiting_since "
            "author_view_since state_since receipt_hash",
            "delete": "",
        },
        "revisions": {"select": "*", "insert": "message_id revision statement_hash language"},
        "parts": {"select": "*", "insert": "*"},
        "grants": {
            "select": "*",
            "insert": "commitment audience audience_id header",
            "update": "header",
            "delete": "",
        },
        "decisions": {
            "select": "*",
            "insert": "statement_hash message_id review_round mediator_id person_id decision reason "
            "source_hash rendition_hash captions_hash",
        },
        "captions": {"select": "*", "insert": "*"},
        "offers": {
            "select": "*",
            "insert": "statement_hash message_id mediator_id claim_hash sender_consent recipient_consent "
            "not_before",
        },
        "responses": {"select": "*", "insert": "statement_hash message_id offer_hash answer"},
        "queue_entries": {"select": "*"},
        "queue_counts": {"select": "*"},
        "uploads": {
            "select": "*",
            "insert": "upload_id message_id revision size_bytes expires_at",
            "update": "offset_bytes writer expires_at submitted_at",
            "delete": "",
        },
        "upload_segments": {"select": "*", "insert": "*"},
        "upload_pieces": {"select": "*", "insert": "*", "update": "size_bytes", "delete": ""},
        "jobs": {
            "select": "*",
            "insert": "message_id revision",
            "update": "state lease_token lease_expires_at",
        },
        "orphans": {"insert": "object_prefix"},
        "unsent_texts": {
            "select": "*",
            "insert": "kid text_id version sealed",
            "update": "version sealed changed_at",
            "delete": "",
        },
    },
    WORKER: {
        "statements": _SIGNED,
        "credentials": {
            "select": "credential_id person_id role statement_hash signer recipient not_before not_after "
            "revocation_hash",
        },
        "cases": {
            "select": "case_id reference registration_hash charter_version approvals captions_required "
            "server_processing created_at",
        },
        "charters": {"select": "case_id version statement_hash mediators media recovery"},
        "link_endings": {"select": "*"},
        "successions": {"select": "*"},
        "links": {"select": "link_id kid statement_hash"},
        "claims": {"select": "link_id kid statement_hash verification_hash"},
        "messages": {
            "select": "message_id case_id sender_id recipient_id kind language state revision review_round "
            "statement_hash rendition_hash captions_hash offer_hash withdrawal_hash writer_kid "
            "tell_author failure "
            "lease_holder lease_expires_at waiting_since author_view_since state_since created_at",
            "update": "state rendition_hash captions_hash failure lease_holder lease_expires_at "
            "waiting_since author_view_since state_since",
        },
        "parts": {
            "select": "commitment message_id statement_hash role size_bytes object_prefix",
            "insert": "*",
        },
        "grants": {
            "select": "*",
            "insert": "commitment audience audience_id header",
            "delete": "",
        },
        "jobs": {
            "select": "*",
            "update": "state attempts lease_token lease_expires_at stage progress error not_before",
        },
        "orphans": {
            "select": "*",
            "insert": "object_prefix",
            "update": "noted_at",
            "delete": "",
        },
        "uploads": {"select": "upload_id message_id expires_at submitted_at", "delete": ""},
        "sessions": {"select": "expires_at", "delete": ""},
        "challenges": {"select": "expires_at", "delete": ""},
        "unsent_texts": {"select": "changed_at", "delete": ""},
    },
}
"""What each may do; everything else it may not."""

CALLS: Final = {
    WEB: {
        *(
            "append_event",
            "lock_case",
            "lock_submission",
            "by_web",
            "by_worker",
            "approvers_of",
            "approvals_of",
        ),
        *("is_in_queue", "is_voice", "waits_for", "consents", "sender_is_known"),
    },
    WORKER: {"append_event", "lock_case", "by_web", "by_worker", "sum_queue_counts"},
}
"""The functions that each may call."""

OF_COLUMNS: Final = ("select", "insert", "update", "references")
OF_TABLES: Final = (*OF_COLUMNS, "delete", "truncate", "trigger")

TRIED: Final = {
    "select": "select {column} from {table} limit 0",
    "insert": "insert into {table} ({column}) values (default)",
    "update": "update {table} set {column} = default where false",
    "delete": "delete from {table} where false",
    "truncate": "truncate {table}",
    "trigger": "create trigger mine before insert on {table} "
    "for each row execute function refuse_change()",
}
"""How a privilege is tried; `references` needs a table of one's own, which neither can have."""

OWNERS: Final = (
    "alter table {table} disable trigger all",
    "alter table {table} owner to {role}",
    "alter table {table} add column mine integer",
    "alter table {table} enable row level security",
    "drop table {table} cascade",
    "create index on {table} ((true))",
    "create rule mine as on insert to {table} do instead nothing",
    "comment on table {table} is 'mine'",
    "reindex table {table}",
)
"""What only the owner of a table does."""

STRONG: Final = (
    "set role relay_owner",
    "set session authorization relay_owner",
    "set session_replication_role = replica",
    "grant relay_owner to {role}",
    "alter role {role} superuser",
    "alter role relay_owner password 'mine'",
    "create role mine",
    "create database mine",
    "create schema mine",
    "create table public.mine ()",
    "create temporary table mine ()",
    "create view public.mine as select 1",
    "create type public.mine as enum ('mine')",
    "create function public.mine() returns integer language sql as 'select 1'",
    "create or replace function public.by_worker() returns boolean language sql as 'select false'",
    "alter function public.append_event owner to {role}",
    "drop function public.refuse_change cascade",
    "alter schema public owner to {role}",
    "alter database {database} owner to {role}",
    "alter database {database} set session_replication_role = replica",
    "alter system set session_replication_role = replica",
    "alter default privileges for role relay_owner grant all on tables to {role}",
    "reassign owned by relay_owner to {role}",
    "drop owned by relay_owner",
    "drop extension plpgsql cascade",
    "create publication mine for all tables",
    "create event trigger mine on ddl_command_start execute function refuse_change()",
    "create foreign data wrapper mine",
    "create tablespace mine location '/tmp'",
    "copy (select 1) to program 'true'",
    "copy (select 1) to '/tmp/mine'",
    "select pg_read_file('/etc/passwd')",
    "select lo_import('/etc/passwd')",
    "select pg_reload_conf()",
    "select pg_terminate_backend({backend})",
)
"""What neither may do at all."""


@pytest_asyncio.fixture
async def url(empty_database_url: str) -> str:
    """A database that was migrated by its owner, as whom this comes."""
    await migrate(empty_database_url)
    return empty_database_url


@pytest_asyncio.fixture
async def administrator(url: str, services: Services) -> AsyncIterator[Connection]:
    """Whoever may do everything there."""
    connection = await asyncpg.connect(database_as(Access.ADMINISTRATOR, url, services))
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def roles(url: str, services: Services) -> AsyncIterator[dict[str, Connection]]:
    """A connection of each role."""
    accesses = {WEB: Access.WEB, WORKER: Access.WORKER}
    opened = {
        role: await asyncpg.connect(database_as(access, url, services))
        for role, access in accesses.items()
    }
    yield opened
    for connection in opened.values():
        await connection.close()


async def columns(administrator: Connection) -> dict[str, list[str]]:
    """Every relation of relay's that holds rows, with its columns."""
    rows = await administrator.fetch(
        "select relname, array_agg(attname::text order by attnum) as columns from pg_class "
        "inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped "
        "where relnamespace = 'public'::regnamespace and relkind not in ('i', 'S', 'c') "
        "group by relname"
    )
    return {row["relname"]: row["columns"] for row in rows}


def allowed(role: str, table: str, privilege: str, every: list[str]) -> set[str]:
    """The columns on which the table above gives a privilege."""
    named = MAY[role].get(table, {}).get(privilege, "")
    return set(every) if named == "*" else set(named.split())


def forbidden(tables: dict[str, list[str]]) -> Iterator[tuple[str, str, str, str]]:
    """Role, privilege, table and column of everything that the table above does not give."""
    for role in ROLES:
        for table, every in tables.items():
            for privilege in ("select", "insert", "update"):
                for column in set(every) - allowed(role, table, privilege, every):
                    yield role, privilege, table, column
            for privilege in ("delete", "truncate", "trigger"):
                if privilege not in MAY[role].get(table, {}):
                    yield role, privilege, table, ""


async def refused(connection: Connection, statement: str, *arguments: object) -> bool:
    """Whether the database refuses a statement for want of a right; it is undone where it does not."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(statement, *arguments)
    except asyncpg.InsufficientPrivilegeError:
        return True
    except asyncpg.ActiveSQLTransactionError:
        # It is not for a transaction; whether it is allowed is seen without one.
        await transaction.rollback()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
        transaction = connection.transaction()
        await transaction.start()
        return True
    finally:
        await transaction.rollback()
    return False


async def test_the_table_of_rights_is_that_of_the_database(administrator: Connection) -> None:
    """Each privilege on each column and table is granted where the table says so, and nowhere else."""
    tables = await columns(administrator)
    assert tables.keys() >= MAY[WEB].keys() | MAY[WORKER].keys()
    has_column = "select has_column_privilege($1::name, $2::text, $3::text, $4::text)"
    has_table = "select has_table_privilege($1::name, $2::text, $3::text)"
    for role in ROLES:
        for table, every in tables.items():
            for privilege in OF_COLUMNS:
                granted = {
                    column
                    for column in every
                    if await administrator.fetchval(has_column, role, table, column, privilege)
                }
                expected = allowed(role, table, privilege, every)
                assert granted == expected, (role, table, privilege)
            for privilege in ("delete", "truncate", "trigger"):
                granted_all = await administrator.fetchval(has_table, role, table, privilege)
                assert granted_all == (privilege in MAY[role].get(table, {})), (role, table)


async def test_whatever_the_table_does_not_give_is_tried_and_refused(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """Every other privilege on every column and table is refused to the role's own connection."""
    tries = list(forbidden(await columns(administrator)))
    assert len(tries) > 500
    for role, privilege, table, column in tries:
        statement = TRIED[privilege].format(table=table, column=column)
        assert await refused(roles[role], statement), (role, statement)


async def test_the_tries_would_succeed_where_there_is_a_right(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """A statement that is refused for whatever reason would prove nothing: with the right it is not."""
    tables = await columns(administrator)
    for privilege in ("select", "update", "delete"):
        for role in ROLES:
            for table, rights in MAY[role].items():
                for column in allowed(role, table, privilege, tables[table]) or {""}:
                    if privilege in rights:
                        statement = TRIED[privilege].format(table=table, column=column)
                        assert not await refused(roles[role], statement), (role, statement)


async def test_events_and_statements_only_grow(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """Neither role changes or deletes a row of the log or a statement, nor adds to the log by itself."""
    every = await columns(administrator)
    for role, connection in roles.items():
        for table in ("events", "statements"):
            for privilege in ("update", "delete", "truncate", "trigger"):
                for column in every[table]:
                    statement = TRIED[privilege].format(table=table, column=column)
                    assert await refused(connection, statement), (role, statement)
        assert await refused(connection, "insert into events default values")


async def test_only_an_owner_alters_a_table(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """No trigger is disabled, no table altered, dropped or taken over."""
    for table in await columns(administrator):
        for role, connection in roles.items():
            for statement in OWNERS:
                tried = statement.format(table=table, role=role)
                assert await refused(connection, tried), (role, tried)


async def test_neither_becomes_more_than_it_is(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """No way to the owner, past the triggers, to an object of one's own, or out of the database."""
    database = await administrator.fetchval("select current_database()")
    backend = administrator.get_server_pid()
    for role, connection in roles.items():
        for statement in STRONG:
            tried = statement.format(role=role, database=database, backend=backend)
            assert await refused(connection, tried), (role, tried)


async def test_neither_passes_on_what_it_has(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """What a role was granted it grants to nobody: the attempt is refused, or changes nothing."""
    listed = (
        "select array_agg(relacl::text order by oid) from pg_class "
        "where relnamespace = 'public'::regnamespace "
        "union all select array_agg(nspacl::text order by oid) from pg_namespace"
    )
    before = await administrator.fetch(listed)
    for connection in roles.values():
        for table in ("statements", "messages", "jobs"):
            for passed in ("all", "select"):
                with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(f"grant {passed} on {table} to public")
        await connection.execute("grant all on schema public to public")
    assert await administrator.fetch(listed) == before


async def test_functions_and_sequences_are_for_those_who_need_them(
    administrator: Connection, roles: dict[str, Connection]
) -> None:
    """Of relay's functions each role may call those of the table; of its sequences none."""
    functions = await administrator.fetch(
        "select oid, proname, prorettype = 'trigger'::regtype as is_trigger, prosecdef, proconfig "
        "from pg_proc where pronamespace = 'public'::regnamespace"
    )
    may_call = "select has_function_privilege($1::name, $2::oid, 'execute')"
    for role in ROLES:
        called = {
            row["proname"]
            for row in functions
            if await administrator.fetchval(may_call, role, row["oid"])
        }
        assert called == CALLS[role]
    for row in functions:
        if row["prosecdef"]:
            assert row["proconfig"] == ["search_path=public, pg_temp"], row["proname"]
    assert {row["proname"] for row in functions if row["prosecdef"] and not row["is_trigger"]} == {
        "append_event",
        "lock_case",
        "sum_queue_counts",
    }
    sequences = await administrator.fetch(
        "select relname from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace"
    )
    assert sequences
    for connection in roles.values():
        assert await refused(connection, "select base64url('\\x00')")
        for row in sequences:
            name = row["relname"]
            for statement in (f"select nextval('{name}')", f"select setval('{name}', 1)"):
                assert await refused(connection, statement), statement


async def test_nobody_else_comes_to_the_database(administrator: Connection) -> None:
    """Another role of the same server may not connect, and what belongs to everybody is nothing."""
    await administrator.execute("create role passer_by")
    try:
        for privilege in ("connect", "temporary", "create"):
            asked = f"select has_database_privilege('passer_by', current_database(), '{privilege}')"
            assert not await administrator.fetchval(asked)
        asked = "select has_schema_privilege('passer_by', 'public', 'usage, create')"
        assert not await administrator.fetchval(asked)
    finally:
        await administrator.execute("drop role passer_by")


# Rows: what a role may write only so.


@pytest_asyncio.fixture
async def rows(url: str, services: Services) -> AsyncIterator[Rows]:
    """A case in the tables, written by whoever may do everything."""
    laid = Rows.lay(database_as(Access.ADMINISTRATOR, url, services))
    async with contextlib.aclosing(await laid) as opened:
        yield opened


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_makes_its_own_moves(
    rows: Rows, roles: dict[str, Connection], role: str
) -> None:
    """What the media worker and the clock do no web service does, and no worker what people do."""
    message = await rows.letter()
    transitions = await rows.connection.fetch("select * from message_transitions")
    others = [
        transition
        for transition in transitions
        if not transition["worker" if role == WORKER else "web"]
    ]
    assert len(others) >= 5
    for transition in others:
        await rows.put(message, transition["source"])
        moving = "update messages set state = $2 where message_id = $1"
        assert await refused(roles[role], moving, message, transition["target"]), tuple(transition)


async def test_a_worker_touches_nothing_but_its_video(
    rows: Rows, roles: dict[str, Connection]
) -> None:
    """No grant but to the case, no part but a rendition or poster, no statement but a rendition's."""
    message = await rows.letter()
    await rows.approve(message)
    await rows.put(message, "approved")
    await rows.grant()
    worker = roles[WORKER]
    for audience in ("recipient", "author", "media"):
        assert await refused(
            worker,
            "insert into grants (commitment, audience, audience_id, header) values ($1, $2, $3, $4)",
            rows.commitment,
            audience,
            uuid.uuid4(),
            bytes(64),
        ), audience
    for role in ("body", "original", "captions", "note"):
        assert await refused(
            worker,
            "insert into parts (commitment, message_id, statement_hash, role, media_type, size_bytes, "
            "segments, body) values ($1, $2, $3, $4, 'text/plain', 16, '{}', $5)",
            b"\7" * 32,
            message,
            rows.statement,
            role,
            bytes(16),
        ), role
    for typ in ("relay-decision+jws", "relay-offer+jws", "relay-credential+jws", ""):
        assert await refused(
            worker,
            "insert into statements (statement_hash, typ, kid, compact) values ($1, $2, 'kid', 'text')",
            b"\7" * 32,
            typ,
        ), typ
    assert await rows.connection.fetchval("select count(*) from grants where audience <> 'media'")
    assert await refused(worker, "delete from grants where audience <> 'media'")


async def test_the_web_service_makes_no_rendition_and_ends_no_job(
    rows: Rows, roles: dict[str, Connection]
) -> None:
    """It takes a rendition away and cancels a job; what a worker has to have done it cannot claim."""
    message = await rows.letter()
    await rows.connection.execute("insert into jobs (message_id, revision) values ($1, 1)", message)
    web = roles[WEB]
    for state in ("done", "failed", "waiting"):
        assert await refused(web, "update jobs set state = $1", state), state
    running = "update jobs set state = 'running', lease_token = gen_random_uuid(), lease_expires_at = now()"
    assert await refused(web, running)
    assert not await refused(web, "update jobs set state = 'cancelled'")
    assert await refused(web, "update messages set rendition_hash = $1", rows.statement)
    assert not await refused(web, "update messages set rendition_hash = null")


async def test_each_role_logs_its_own_acts(rows: Rows, roles: dict[str, Connection]) -> None:
    """A worker writes no mediator's act into the log, the web service no worker's; each does its own."""
    log = "select append_event('{case}', '{kind}', null, '{actor}', null)"
    mediator, media = f"mediator:{uuid.uuid4()}", f"media:{uuid.uuid4()}"
    for role, kind, actor, is_own in (
        (WORKER, "finish-processing", media, True),
        (WORKER, "lapse", "clock", True),
        (WORKER, "approve", media, False),
        (WORKER, "finish-processing", mediator, False),
        (WEB, "approve", mediator, True),
        (WEB, "lapse", "clock", True),
        (WEB, "finish-processing", media, False),
        (WEB, "fail-processing", media, False),
        (WEB, "expire", "clock", False),
    ):
        said = log.format(case=rows.case, kind=kind, actor=actor)
        assert await refused(roles[role], said) != is_own, (role, kind, actor)


async def test_what_was_sent_is_deleted_by_nobody(rows: Rows) -> None:
    """A draft that was never sent goes; a message that was sent stays, whoever asks."""
    message = await rows.letter()
    for state in ("queued", "released", "withdrawn", "expired"):
        await rows.put(message, state)
        with pytest.raises(asyncpg.RestrictViolationError):
            await rows.connection.execute("delete from messages where message_id = $1", message)
    await rows.put(message, "draft")
    await rows.connection.execute("delete from messages where message_id = $1", message)


async def test_the_live_feed_follows_the_log_alone(
    rows: Rows, roles: dict[str, Connection], services: Services, url: str
) -> None:
    """The role of the web service is enough; what a worker logs is told too, a notification is nothing."""
    feed = Feed(database_as(Access.WEB, url, services))
    await feed.start()
    async with feed.watch(rows.case) as watch:
        await roles[WORKER].execute("select pg_notify('relay_events', $1)", f"1 {rows.case} -")
        await roles[WORKER].execute(
            "select append_event($1, 'lapse', null, 'clock', null)", rows.case
        )
        async with asyncio.timeout(30):
            changes = await watch.next()
    await feed.close()

    assert changes == {Change(case_id=rows.case, message_id=None)}


# Starting.


@pytest.mark.parametrize("access", Access)
async def test_a_process_that_could_do_too_much_says_so(
    url: str, services: Services, access: Access, caplog: pytest.LogCaptureFixture
) -> None:
    """The superuser and the owner are named in the log at the start; the two roles are as they should be."""
    database = await Database.connect(database_as(access, url, services), connections=1)
    await database.warn_of_power()
    await database.close()

    is_strong = access in {Access.ADMINISTRATOR, Access.OWNER}
    assert ("give this process a role of its own" in caplog.text) == is_strong


# Migrating.


async def test_what_was_granted_by_hand_is_gone_after_the_next_migration(
    url: str, administrator: Connection, roles: dict[str, Connection]
) -> None:
    """`relay migrate` sets the rights anew, also where there is nothing to migrate."""
    deleting = "delete from sessions where false"
    await administrator.execute("grant all on all tables in schema public to relay_worker, public")
    await administrator.execute("grant update (hash) on events to relay_web")
    assert not await refused(roles[WORKER], "update sessions set kid = '' where false")

    assert await migrate(url) == []

    assert await refused(roles[WORKER], "update sessions set kid = '' where false")
    assert await refused(roles[WEB], "update events set hash = hash where false")
    assert not await refused(roles[WORKER], deleting)


@pytest.mark.parametrize(
    ("change", "undo", "excess"),
    [
        ("alter role relay_web superuser", "alter role relay_web nosuperuser", "is a superuser"),
        ("alter role relay_worker createrole", "alter role relay_worker nocreaterole", "roles"),
        ("grant relay_owner to relay_web", "revoke relay_owner from relay_web", "relay_owner"),
        ("grant relay_web to relay_worker", "revoke relay_web from relay_worker", "relay_web"),
        (
            "grant pg_write_all_data to relay_worker",
            "revoke pg_write_all_data from relay_worker",
            "pg_write_all_data",
        ),
        (
            "alter table orphans owner to relay_worker",
            "alter table orphans owner to relay_owner",
            "owns something",
        ),
    ],
)
async def test_a_role_that_is_too_strong_is_refused_by_name(
    url: str, administrator: Connection, change: str, undo: str, excess: str
) -> None:
    """Rights that no grant of relay's gives are found, and nothing goes on before they are taken away."""
    await administrator.execute(change)
    try:
        with pytest.raises(RolesTooStrong, match=excess):
            await migrate(url)
    finally:
        await administrator.execute(undo)
    assert await migrate(url) == []


async def test_only_the_owner_migrates(empty_database_url: str, services: Services) -> None:
    """A role that may not change the schema is told so, before the first migration and after the last."""
    for _ in range(2):
        for access in (Access.WEB, Access.WORKER):
            with pytest.raises(NotOwner):
                await migrate(database_as(access, empty_database_url, services))
        await migrate(empty_database_url)


async def test_missing_roles_are_named_before_anything_is_done(
    empty_database_url: str, services: Services
) -> None:
    """Without the roles there is nobody to grant anything to."""
    administrator = await asyncpg.connect(
        database_as(Access.ADMINISTRATOR, empty_database_url, services)
    )
    await administrator.execute("alter role relay_worker rename to somebody_else")
    try:
        with pytest.raises(RolesMissing, match=r"^.*relay_worker$"):
            await migrate(empty_database_url)
        assert await administrator.fetchval("select to_regclass('migrations')") is None
    finally:
        await administrator.execute("alter role somebody_else rename to relay_worker")
        await administrator.close()
