-- name: insert_case
insert into cases (case_id, reference) values ($1, $2) on conflict do nothing returning true;

-- name: insert_participant
insert into participants (participant_id, case_id, role) values ($1, $2, $3) on conflict do nothing;

-- name: insert_pair
insert into pairs (case_id, one, other) values ($1, least($2::uuid, $3::uuid), greatest($2::uuid, $3::uuid))
on conflict do nothing;

-- name: assign_mediators
insert into case_mediators (case_id, credential_id)
select
    $1::uuid as case_id,
    assigned.credential_id
from unnest($2::uuid[]) as assigned (credential_id)
on conflict do nothing;

-- name: list_unknown_mediators
-- Those of whom there is no credential of a mediator that may still be used.
select named.credential_id
from unnest($1::uuid[]) as named (credential_id)
left join credentials
    on
        named.credential_id = credentials.credential_id
        and credentials.role = 'mediator'
        and credentials.revocation_hash is null
        and credentials.not_after > now()
where credentials.credential_id is null
order by named.credential_id;

-- name: dismiss_mediators
-- Those whom the newest charter does not name.
delete from case_mediators
where case_id = $1 and credential_id <> all($2::uuid[]);

-- name: find_case
select
    cases.case_id as "case",
    cases.reference,
    cases.charter_version,
    cases.approvals,
    cases.captions_required,
    cases.server_processing,
    cases.proposed_mediators,
    cases.created_at,
    cases.closed_at,
    cases.retention_days,
    cases.disposal_due_at,
    cases.disposed_at,
    coalesce(charters.media, '{}') as media,
    coalesce(charters.recovery, '{}') as recovery
from cases
left join charters on cases.case_id = charters.case_id and cases.charter_version = charters.version
where cases.case_id = $1;

-- name: find_registration
select statements.compact from cases
inner join statements on cases.registration_hash = statements.statement_hash
where cases.case_id = $1;

-- name: set_registration
update cases set registration_hash = $2, registered_by_mediator_at = $3
where case_id = $1;

-- name: last_registered_by_mediator
select max(registered_by_mediator_at) from cases
where registered_by_mediator_at is not null;

-- name: propose_mediators
update cases set proposed_mediators = $2
where case_id = $1;

-- name: lock_case
-- One act on a case at a time: what is read of it after this holds until the transaction ends.
select lock_case($1);

-- name: list_cases
-- Cases in this order, as they stand in a list.
select
    cases.case_id as "case",
    cases.reference,
    cases.charter_version,
    cases.approvals,
    cases.captions_required,
    cases.server_processing,
    cases.proposed_mediators,
    cases.created_at,
    cases.closed_at,
    cases.retention_days,
    cases.disposal_due_at,
    cases.disposed_at,
    cases.state,
    cases.changed_at,
    coalesce(charters.media, '{}') as media,
    coalesce(charters.recovery, '{}') as recovery
from unnest($1::uuid[]) with ordinality as page (case_id, place)
inner join cases on page.case_id = cases.case_id
left join charters on cases.case_id = charters.case_id and cases.charter_version = charters.version
order by page.place;

-- name: cases_by_identifier
-- A page of the cases in some states, in the order of their identifiers.
select
    found.case_id,
    found.changed_at
from
    unnest($1::case_state[]) as wanted (state),
    lateral (
        select
            cases.case_id,
            cases.changed_at
        from cases
        where cases.state = wanted.state and cases.case_id > $2
        order by cases.case_id
        limit $3
    ) as found
order by found.case_id
limit $3;

-- name: cases_by_change
-- A page of the cases in some states that changed since a time, the longest ago first.
select
    found.case_id,
    found.changed_at
from
    unnest($1::case_state[]) as wanted (state),
    lateral (
        select
            cases.case_id,
            cases.changed_at
        from cases
        where cases.state = wanted.state and (cases.changed_at, cases.case_id) > ($2, $3)
        order by cases.changed_at, cases.case_id
        limit $4
    ) as found
order by found.changed_at, found.case_id
limit $4;

-- name: mediated_by_identifier
-- A page of the cases that are of two mediators, or of one who is named twice.
select
    cases.case_id,
    cases.changed_at
from case_mediators
inner join cases on case_mediators.case_id = cases.case_id
where
    case_mediators.credential_id = $1
    and case_mediators.case_id > $4
    and cases.state = any($3::case_state[])
    and exists (
        select 1 from case_mediators as too
        where too.case_id = cases.case_id and too.credential_id = $2
    )
order by case_mediators.case_id
limit $5;

-- name: mediated_by_change
-- The same of those that changed since a time. It reads as many cases as this one mediator has.
select
    cases.case_id,
    cases.changed_at
from case_mediators
inner join cases on case_mediators.case_id = cases.case_id
where
    case_mediators.credential_id = $1
    and cases.state = any($3::case_state[])
    and (cases.changed_at, cases.case_id) > ($4, $5)
    and exists (
        select 1 from case_mediators as too
        where too.case_id = cases.case_id and too.credential_id = $2
    )
order by cases.changed_at, cases.case_id
limit $6;

-- name: find_referenced
-- The case with a reference, if it is of these mediators and in one of these states.
select
    cases.case_id,
    cases.changed_at
from cases
where
    cases.reference = $1
    and cases.state = any($3::case_state[])
    and not exists (
        select 1 from unnest($2::uuid[]) as named (credential_id)
        where not exists (
            select 1 from case_mediators
            where
                case_mediators.case_id = cases.case_id
                and case_mediators.credential_id = named.credential_id
        )
    )
    and case
        when $4::timestamptz is null then cases.case_id > $5
        else (cases.changed_at, cases.case_id) > ($4, $5)
    end;

-- name: list_participants
-- The people of some cases. What a key said of consent that nobody verified does not count yet. A number is
-- for those whose role somebody else has, too.
select
    participants.case_id as "case",
    participants.participant_id as participant,
    participants.role,
    participants.consent_at,
    case
        when count(*) over (partition by participants.case_id, participants.role) > 1 then participants.number
    end as number,
    case
        when participants.consent <> 'active' or consents(participants) then participants.consent
    end as consent
from participants
where participants.case_id = any($1::uuid[])
order by participants.case_id, participants.role, participants.number;

-- name: list_pairs
select
    one,
    other,
    no_contact
from pairs
where case_id = $1
order by one, other;

-- name: list_mediators
select credential_id from case_mediators
where case_id = $1
order by credential_id;

-- name: is_mediator
select exists(
    select 1 from case_mediators
    where case_id = $1 and credential_id = $2
);

-- name: find_role
select role from participants
where case_id = $1 and participant_id = $2;

-- name: count_waiting
-- For whom the messages of some cases wait, as one of their mediators sees it.
select
    messages.case_id as "case",
    queue_entries.waits_for,
    count(*) as messages
from messages
inner join queue_entries on messages.message_id = queue_entries.message_id
where
    messages.case_id = any($1::uuid[])
    and queue_entries.mediator_id = $2
    and queue_entries.waits_for is not null
group by messages.case_id, queue_entries.waits_for;

-- name: count_all_waiting
-- The same as the case system sees it, which is none of the mediators.
select
    case_id as "case",
    waits_for(messages, null) as waits_for,
    count(*) as messages
from messages
where case_id = any($1::uuid[]) and is_in_queue(messages)
group by case_id, waits_for(messages, null);

-- name: count_links
-- The links of some cases that somebody used and nobody has checked, and those to take part that nobody used.
select
    links.case_id as "case",
    count(*) filter (where claims.verification_hash is null and claims.claimed_at is not null) as claims,
    count(*) filter (where claims.claimed_at is null and links.purpose = 'participate') as unused_links
from links
left join claims on links.link_id = claims.link_id
where
    links.case_id = any($1::uuid[])
    and links.ended_at is null
    and (claims.claimed_at is not null or links.expires_at is null or links.expires_at > now())
group by links.case_id;

-- name: find_consent
select
    participants.consent,
    participants.consent_hash,
    signed.kid,
    coalesce(claims.verification_hash is not null and not links.is_misused, false) as by_participant,
    participants.consent is not null
    and (claims.statement_hash is null or (claims.verification_hash is not null and not links.is_misused))
        as holds
from participants
left join statements as signed on participants.consent_hash = signed.statement_hash
left join claims on signed.kid = claims.kid
left join links on claims.link_id = links.link_id
where participants.case_id = $1 and participants.participant_id = $2
for no key update of participants;

-- name: read_consent
select
    participants.consent,
    participants.consent_hash,
    signed.kid,
    coalesce(claims.verification_hash is not null and not links.is_misused, false) as by_participant,
    participants.consent is not null
    and (claims.statement_hash is null or (claims.verification_hash is not null and not links.is_misused))
        as holds
from participants
left join statements as signed on participants.consent_hash = signed.statement_hash
left join claims on signed.kid = claims.kid
left join links on claims.link_id = links.link_id
where participants.case_id = $1 and participants.participant_id = $2;

-- name: set_consent
-- What a person said last counts. An older statement changes nothing, unless it takes more back: active
-- comes before paused and withdrawn in the type. What was never theirs ($6) holds nobody up.
update participants
set consent = $3, consent_hash = $4, consent_at = case when $6 then greatest(consent_at, $5) else $5 end
where
    case_id = $1
    and participant_id = $2
    and (consent_at is null or consent_at <= $5 or $3 > consent or not $6)
returning true;

-- name: set_no_contact
update pairs set no_contact = $4
where case_id = $1 and one = least($2::uuid, $3::uuid) and other = greatest($2::uuid, $3::uuid)
returning true;

-- name: set_closed
-- Whether it was otherwise before.
update cases set closed_at = case when $2::boolean then now() end
where case_id = $1 and (closed_at is not null) <> $2
returning true;

-- name: is_closed
select is_closed($1);

-- name: insert_charter
insert into charters (case_id, version, statement_hash, recipient, mediators, media, recovery, key_file)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: adopt_charter
update cases
set
    charter_version = $2,
    approvals = $3,
    captions_required = $4,
    server_processing = $5,
    retention_days = $6,
    proposed_mediators = null
where case_id = $1;

-- name: list_charters
select
    charters.version,
    charters.recipient,
    charters.statement_hash,
    charters.key_file,
    statements.compact
from charters inner join statements on charters.statement_hash = statements.statement_hash
where charters.case_id = $1
order by charters.version;

-- name: list_charter_statements
-- For those who verify a case without a key of it.
select statements.compact
from charters inner join statements on charters.statement_hash = statements.statement_hash
where charters.case_id = $1
order by charters.version;

-- name: list_correspondents
-- Those a participant is paired with: nobody else of the case is named to them, or shows in a number where
-- they know of one person with that role alone.
select
    participants.participant_id as participant,
    participants.role,
    case when count(*) over (partition by participants.role) > 1 then participants.number end as number
from pairs
inner join participants
    on participants.participant_id = case when pairs.one = $2 then pairs.other else pairs.one end
where pairs.case_id = $1 and $2 in (pairs.one, pairs.other)
order by participants.role, participants.number;

-- name: list_media
select charters.media from cases
inner join charters on cases.case_id = charters.case_id and cases.charter_version = charters.version
where cases.case_id = $1;
