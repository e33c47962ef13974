-- What the web service (relay_web), the media workers (relay_worker) and whoever sends events
-- (relay_deliverer) may do, and no more. `relay migrate` runs this after the migrations, every time: what
-- was granted by hand is gone afterwards. A table that is not named here is nobody's. Where it depends on the
-- row, a trigger of the schema decides.

-- Nothing comes by itself. ----------------------------------------------------------------------------------

do $$
begin
    execute format(
        'revoke all on database %I from public, relay_web, relay_worker, relay_deliverer', current_database()
    );
    execute format('grant connect on database %I to relay_web, relay_worker, relay_deliverer', current_database());
end
$$;

revoke all on schema public from public, relay_web, relay_worker, relay_deliverer;
revoke all on all tables in schema public from public, relay_web, relay_worker, relay_deliverer;
revoke all on all sequences in schema public from public, relay_web, relay_worker, relay_deliverer;
revoke all on all routines in schema public from public, relay_web, relay_worker, relay_deliverer;

-- The web service and the workers. --------------------------------------------------------------------------

grant usage on schema public to relay_web, relay_worker, relay_deliverer;

-- The log is written by its function alone.
grant execute on function append_event(uuid, text, uuid, text, bytea) to relay_web, relay_worker;
grant execute on function lock_case(uuid) to relay_web, relay_worker;
grant execute on function lease_is_over(messages) to relay_web, relay_worker;
grant execute on function store_parts(
    uuid, bytea, bytea[], part_role[], text[], bigint[], bytea[], bytea[], text[],
    bytea[], grant_audience[], uuid[], bytea[]
) to relay_web, relay_worker;
grant execute on function change_state(
    uuid, message_state, message_state, boolean, boolean, uuid, integer, text, text, text, bytea
) to relay_web, relay_worker;
grant execute on function by_web() to relay_web, relay_worker;
grant execute on function by_worker() to relay_web, relay_worker;

-- The web service. ------------------------------------------------------------------------------------------

grant execute on function lock_submission(uuid, uuid) to relay_web;
grant execute on function submission_facts(messages, uuid, uuid, uuid, bytea, text, timestamptz) to relay_web;
grant execute on function store_revision(
    uuid, uuid, uuid, uuid, message_kind, message_language, integer, bytea, text, text, text
) to relay_web;
grant execute on function shown_to_author(uuid) to relay_web;
grant execute on function approvers_of(messages) to relay_web;
grant execute on function approvals_of(messages) to relay_web;
grant execute on function is_voice(messages) to relay_web;
grant execute on function waits_for(messages, uuid) to relay_web;
grant execute on function consents(participants) to relay_web;
grant execute on function sender_is_known(messages) to relay_web;
grant execute on function is_in_queue(messages) to relay_web;
grant execute on function is_closed(uuid) to relay_web, relay_deliverer;

grant select on migrations, events, queue_entries, queue_counts to relay_web;
grant select, insert on charters, upload_segments to relay_web;
grant select, insert, delete on case_mediators, challenges, sessions to relay_web;

-- What people signed is added to, and never changed. When it came the database says.
grant select, insert (statement_hash, typ, kid, compact) on statements to relay_web;
grant select, insert (message_id, revision, statement_hash, language) on revisions to relay_web;
grant select, insert on parts, captions to relay_web;
grant select, insert (statement_hash, message_id, offer_hash, answer) on responses to relay_web;
grant
select,
insert (
    statement_hash, message_id, mediator_id, claim_hash, sender_consent, recipient_consent, not_before
)
on offers to relay_web;

grant select, insert on link_endings, successions to relay_web;

grant
select,
insert (
    statement_hash, message_id, review_round, mediator_id, person_id, decision, reason,
    source_hash, rendition_hash, captions_hash
)
on decisions to relay_web;

grant
select,
insert (credential_id, person_id, role, statement_hash, kid, signer, recipient, not_before, not_after),
update (revocation_hash, keyring)
on credentials to relay_web;

-- Sequence and head of the log are the log's function's.
grant
select,
insert (case_id, reference),
update (
    registration_hash, registered_by_mediator_at, proposed_mediators,
    charter_version, approvals, captions_required, server_processing, closed_at, retention_days
)
on cases to relay_web;

grant select, insert (case_id, hold_id, name, reason, placed_by), delete on holds to relay_web;

grant
select,
insert (participant_id, case_id, role),
update (consent, consent_hash, consent_at)
on participants to relay_web;

grant select, insert (case_id, one, other), update (no_contact) on pairs to relay_web;

grant
select,
insert (
    link_id, case_id, participant_id, purpose, statement_hash, auth_hash, signer, kid, sealed, again, made_by,
    expires_at
),
update (ended_at, is_misused, again, message_id)
on links to relay_web;

grant
select,
insert (statement_hash, link_id, case_id, participant_id, kid, signer, recipient, keyring, proof_hash),
update (verification_hash, wrong_proofs, closed_until)
on claims to relay_web;

grant
select,
insert (
    message_id, case_id, sender_id, recipient_id, kind, language, writer_kid, state, statement_hash,
    review_round
),
update (
    language, state, revision, review_round, statement_hash, rendition_hash, captions_hash, offer_hash,
    withdrawal_hash, tell_author, failure, lease_holder, lease_expires_at, waiting_since, author_view_since,
    state_since
),
delete
on messages to relay_web;

grant select, insert (message_id, receipt_hash), update (receipt_hash) on receipts to relay_web;

grant
select,
insert (commitment, audience, audience_id, header),
update (header),
delete
on grants to relay_web;

grant
select,
insert (upload_id, message_id, revision, size_bytes, expires_at),
update (offset_bytes, writer, expires_at, submitted_at),
delete
on uploads to relay_web;

grant select, insert, update (size_bytes), delete on upload_pieces to relay_web;

-- It makes and cancels jobs; done or failed only a worker can call them.
grant
select,
insert (message_id, revision, traceparent),
update (state, lease_token, lease_expires_at)
on jobs to relay_web;

grant insert (object_prefix) on orphans to relay_web;

grant
select,
insert (kid, text_id, version, sealed),
update (version, sealed, changed_at),
delete
on unsent_texts to relay_web;

grant select, delete on outbox to relay_web;
grant
select,
insert (
    notification_id, type, at, case_id, participant_id, message_id, link_id, credential_id, log_seq, log_hash
)
on notifications to relay_web;
grant
select,
insert (due_at, type, case_id, participant_id, message_id, link_id, credential_id, offer_hash),
delete
on due_notifications to relay_web;

-- How far the receivers are, and dead letters sent again.
grant select on receivers, receiver_lines, dead_letters to relay_web;
grant insert (receiver, line_id, next_id, is_single, next_at) on receiver_lines to relay_web;

-- The media workers, and the sweep that they do. ------------------------------------------------------------

grant execute on function sum_queue_counts() to relay_worker;
grant execute on function monitoring_figures() to relay_worker;

grant select (version) on migrations to relay_worker, relay_deliverer;

-- Not to be read by them: letters, receipts, keyrings, the sealed secrets of links and identities of cases.
grant select, insert (statement_hash, typ, kid, compact) on statements to relay_worker;

grant
select (
    credential_id, person_id, role, statement_hash, signer, recipient, not_before, not_after, revocation_hash
)
on credentials to relay_worker;

grant
select (
    case_id, reference, registration_hash, charter_version, approvals, captions_required, server_processing,
    created_at, closed_at, disposal_due_at, disposed_at, disposal_hash, certificate_stored_at
)
on cases to relay_worker;
grant update (certificate_stored_at) on cases to relay_worker;
grant select (case_id) on holds to relay_worker;
grant execute on function lock_for_disposal(uuid) to relay_worker;
grant execute on function dispose_case(uuid, text, text, bytea) to relay_worker;

grant select (case_id, version, statement_hash, mediators, media, recovery) on charters to relay_worker;
grant select on link_endings, successions to relay_worker;
grant select (link_id, kid, statement_hash) on links to relay_worker;
grant select (link_id, kid, statement_hash, verification_hash) on claims to relay_worker;

grant
select,
update (
    state, rendition_hash, captions_hash, failure, lease_holder, lease_expires_at, waiting_since,
    author_view_since, state_since
)
on messages to relay_worker;

grant
select (commitment, message_id, statement_hash, role, size_bytes, object_prefix),
insert (
    commitment, message_id, statement_hash, role, media_type, size_bytes, segments, body, object_prefix
)
on parts to relay_worker;

grant
select,
insert (commitment, audience, audience_id, header),
delete
on grants to relay_worker;

grant
select,
update (
    state, attempts, lease_token, lease_expires_at, leased_at, stage, progress, error, not_before
)
on jobs to relay_worker;

grant select, insert (object_prefix), update (noted_at), delete on orphans to relay_worker;
grant select (upload_id, message_id, expires_at, submitted_at, is_tidy), delete, update (is_tidy)
on uploads to relay_worker;
grant select (expires_at), delete on sessions, challenges to relay_worker;
grant select (changed_at), delete on unsent_texts to relay_worker;
grant select (notification_id, stored_at), delete on notifications to relay_worker;
grant select, delete on outbox to relay_worker;

-- Whoever sends events. -------------------------------------------------------------------------------------

grant execute on function consents(participants) to relay_deliverer;
grant execute on function enqueue_deliveries(text) to relay_deliverer;
grant execute on function retry_delivery(
    text, uuid, bigint, integer, double precision, text, boolean
) to relay_deliverer;
grant execute on function next_on_line(receiver_lines) to relay_deliverer;
grant execute on function end_delivery(text, uuid, bigint, integer, text) to relay_deliverer;

-- What an event is made of: who is written to, and what was signed; no words, no keys.
grant select on outbox, due_notifications, notifications to relay_deliverer;
grant delete on outbox, due_notifications to relay_deliverer;
grant
insert (
    notification_id, type, at, case_id, participant_id, message_id, link_id, credential_id, log_seq, log_hash
)
on notifications to relay_deliverer;
grant
insert (due_at, type, case_id, participant_id, message_id, link_id, credential_id, offer_hash)
on due_notifications to relay_deliverer;
grant
select (event_id, case_id, seq, at, kind, actor, message_id, statement_hash, hash)
on events to relay_deliverer;
grant select (statement_hash, compact) on statements to relay_deliverer;
grant select (message_id, case_id, sender_id, recipient_id, state, offer_hash) on messages to relay_deliverer;
grant select (case_id, event_seq, event_hash, closed_at) on cases to relay_deliverer;
grant select on participants, pairs to relay_deliverer;
grant select (link_id, ended_at, message_id) on links to relay_deliverer;
grant select (link_id) on claims to relay_deliverer;
grant select (credential_id, person_id, not_after, revocation_hash) on credentials to relay_deliverer;

grant select, insert (receiver, wanted, enqueued_id), delete on receivers to relay_deliverer;
grant update (wanted, enqueued_id, delivered_at, failed_at, failure) on receivers to relay_deliverer;
grant
select,
insert (receiver, line_id, next_id, is_single, next_at),
update (next_id, next_at, attempts, first_at, is_away),
delete
on receiver_lines to relay_deliverer;
grant
select,
insert (receiver, notification_id, attempts, failure),
update (attempts, failure, died_at),
delete
on dead_letters to relay_deliverer;
