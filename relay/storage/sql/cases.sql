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
-- The cases of one mediator, or all (null) for the case system.
select
    cases.case_id as "case",
    cases.reference,
    cases.charter_version,
    cases.approvals,
    cases.captions_required,
    cases.server_processing,
    cases.proposed_mediators,
    cases.created_at,
    coalesce(charters.media, '{}') as media,
    coalesce(charters.recovery, '{}') as recovery
from cases
left join charters on cases.case_id = charters.case_id and cases.charter_version = charters.version
where
    cases.case_id > $2
    and (
        $1::uuid is null
        or exists (
            select 1 from case_mediators
            where case_mediators.case_id = cases.case_id and case_mediators.credential_id = $1
        )
    )
order by cases.case_id
limit $3;

-- name: list_participants
-- What a key said of consent that nobody verified does not count yet.
select
    participant_id as participant,
    role,
    consent_at,
    case when consent <> 'active' or consents(participants) then consent end as consent
from participants
where case_id = $1
order by participant_id;

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

-- name: find_participant
select
    participant_id as participant,
    role,
    consent,
    consent_at
from participants
where case_id = $1 and participant_id = $2;

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
-- Those a participant is paired with: nobody else of the case is named to them.
select
    participants.participant_id as participant,
    participants.role
from pairs
inner join participants
    on participants.participant_id = case when pairs.one = $2 then pairs.other else pairs.one end
where pairs.case_id = $1 and $2 in (pairs.one, pairs.other)
order by participants.participant_id;
