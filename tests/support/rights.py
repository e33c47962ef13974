"""What each role may do in the database, by hand: the other side of relay/storage/grants.sql."""

from __future__ import annotations

from typing import Final, TypeAlias

import asyncpg
import pytest

from relay.storage.database import (
    Connection,
)

Rights: TypeAlias = dict[str, dict[str, str]]
"""By table and privilege the columns, `*` for all of them; `delete` has none."""

WEB: Final = "relay_web"
WORKER: Final = "relay_worker"
DELIVERER: Final = "relay_deliverer"

_NOTIFICATION: Final = (
    "notification_id type at case_id participant_id message_id link_id credential_id "
    "log_seq log_hash"
)
_DUE: Final = "due_at type case_id participant_id message_id link_id credential_id offer_hash"
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
            "approvals captions_required server_processing closed_at retention_days",
        },
        "holds": {
            "select": "*",
            "insert": "case_id hold_id name reason placed_by",
            "delete": "",
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
            "author_view_since state_since",
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
        "receipts": {"select": "*", "insert": "*", "update": "receipt_hash"},
        "outbox": {"select": "*", "delete": ""},
        "notifications": {
            "select": "*",
            "insert": _NOTIFICATION,
        },
        "due_notifications": {
            "select": "*",
            "insert": _DUE,
            "delete": "",
        },
        "receivers": {"select": "*"},
        "receiver_lines": {
            "select": "*",
            "insert": "receiver line_id next_id is_single next_at",
        },
        "dead_letters": {"select": "*"},
        "upload_segments": {"select": "*", "insert": "*"},
        "upload_pieces": {"select": "*", "insert": "*", "update": "size_bytes", "delete": ""},
        "jobs": {
            "select": "*",
            "insert": "message_id revision traceparent",
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
        "migrations": {"select": "version"},
        "notifications": {"select": "notification_id stored_at", "delete": ""},
        "outbox": {"select": "*", "delete": ""},
        "statements": _SIGNED,
        "credentials": {
            "select": "credential_id person_id role statement_hash signer recipient not_before not_after "
            "revocation_hash",
        },
        "cases": {
            "select": "case_id reference registration_hash charter_version approvals captions_required "
            "server_processing created_at closed_at disposal_due_at disposed_at disposal_hash "
            "certificate_stored_at",
            "update": "certificate_stored_at",
        },
        "holds": {"select": "case_id"},
        "charters": {"select": "case_id version statement_hash mediators media recovery"},
        "link_endings": {"select": "*"},
        "successions": {"select": "*"},
        "links": {"select": "link_id kid statement_hash"},
        "claims": {"select": "link_id kid statement_hash verification_hash"},
        "messages": {
            "select": "*",
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
            "update": "state attempts lease_token lease_expires_at leased_at stage progress error not_before",
        },
        "orphans": {
            "select": "*",
            "insert": "object_prefix",
            "update": "noted_at",
            "delete": "",
        },
        "uploads": {
            "select": "upload_id message_id expires_at submitted_at is_tidy",
            "update": "is_tidy",
            "delete": "",
        },
        "sessions": {"select": "expires_at", "delete": ""},
        "challenges": {"select": "expires_at", "delete": ""},
        "unsent_texts": {"select": "changed_at", "delete": ""},
    },
    DELIVERER: {
        "migrations": {"select": "version"},
        "outbox": {"select": "*", "delete": ""},
        "notifications": {"select": "*", "insert": _NOTIFICATION},
        "due_notifications": {"select": "*", "insert": _DUE, "delete": ""},
        "events": {"select": "event_id case_id seq at kind actor message_id statement_hash hash"},
        "statements": {"select": "statement_hash compact"},
        "messages": {"select": "message_id case_id sender_id recipient_id state offer_hash"},
        "cases": {"select": "case_id event_seq event_hash closed_at"},
        "participants": {"select": "*"},
        "pairs": {"select": "*"},
        "links": {"select": "link_id ended_at message_id"},
        "claims": {"select": "link_id"},
        "credentials": {"select": "credential_id person_id not_after revocation_hash"},
        "receivers": {
            "select": "*",
            "insert": "receiver wanted enqueued_id",
            "update": "wanted enqueued_id delivered_at failed_at failure",
            "delete": "",
        },
        "receiver_lines": {
            "select": "*",
            "insert": "receiver line_id next_id is_single next_at",
            "update": "next_id next_at attempts first_at is_away",
            "delete": "",
        },
        "dead_letters": {
            "select": "*",
            "insert": "receiver notification_id attempts failure",
            "update": "attempts failure died_at",
            "delete": "",
        },
    },
}
"""What each may do; everything else it may not."""

CALLS: Final = {
    WEB: {
        *(
            "append_event",
            "lock_case",
            "lock_submission",
            "submission_facts",
            "store_revision",
            "store_parts",
            "change_state",
            "lease_is_over",
            "shown_to_author",
            "by_web",
            "by_worker",
            "approvers_of",
            "approvals_of",
        ),
        *("is_closed", "is_in_queue", "is_voice", "waits_for", "consents", "sender_is_known"),
    },
    WORKER: {
        *("append_event", "lock_case", "by_web", "by_worker", "sum_queue_counts"),
        "monitoring_figures",
        *("lock_for_disposal", "dispose_case"),
        *("store_parts", "change_state", "lease_is_over"),
    },
    DELIVERER: {
        "consents",
        "is_closed",
        "enqueue_deliveries",
        "next_on_line",
        "end_delivery",
        "retry_delivery",
    },
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
    "copy (select 1) to '/tmp/rows'",
    "select pg_read_file('/etc/passwd')",
    "select lo_import('/etc/passwd')",
    "select pg_reload_conf()",
    "select pg_terminate_backend({backend})",
)
"""What neither may do at all."""


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
