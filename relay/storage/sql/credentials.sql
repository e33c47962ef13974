-- name: insert_credential
-- Once: the same statement again changes nothing, another one for the same credential is refused.
insert into credentials (
    credential_id, person_id, role, statement_hash, kid, signer, recipient, not_before, not_after
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict do nothing;

-- name: revoke_credential
update credentials set revocation_hash = $2
where credential_id = $1 and (revocation_hash is null or revocation_hash = $2)
returning true;

-- name: find_credential
select
    credentials.credential_id,
    credentials.person_id,
    credentials.role,
    credentials.statement_hash,
    credentials.signer,
    credentials.recipient,
    credentials.revocation_hash is null and now() between credentials.not_before and credentials.not_after
        as in_good_standing
from credentials
where credentials.credential_id = $1;

-- name: find_service_signer
-- The key with which the case system signs the links it makes.
select signer from credentials
where kid = $1 and role = 'service' and revocation_hash is null and now() between not_before and not_after;

-- name: find_recovery_signer
-- Whose recovery key this is, valid now.
select
    credential_id,
    signer
from credentials
where kid = $1 and role = 'recovery' and revocation_hash is null and now() between not_before and not_after;

-- name: list_credential_statements
-- Every credential and revocation, for a mediator who verifies them.
select
    credential.compact as credential,
    revocation.compact as revocation
from credentials
inner join statements as credential on credentials.statement_hash = credential.statement_hash
left join statements as revocation on credentials.revocation_hash = revocation.statement_hash
order by credentials.not_before, credentials.credential_id;

-- name: list_case_credential_statements
-- The credentials that the charters of one case name, and revocations, for a participant who verifies them.
select
    credential.compact as credential,
    revocation.compact as revocation
from credentials
inner join statements as credential on credentials.statement_hash = credential.statement_hash
left join statements as revocation on credentials.revocation_hash = revocation.statement_hash
where
    credentials.credential_id in (
        select unnest(charters.mediators || charters.media || charters.recovery)
        from charters
        where charters.case_id = $1
        union
        select service.credential_id from credentials as service
        where service.role = 'service'
    )
order by credentials.not_before, credentials.credential_id;

-- name: store_keyring
update credentials set keyring = $2
where credential_id = $1 returning true;

-- name: find_keyring
select keyring from credentials
where credential_id = $1;

-- name: insert_succession
insert into successions (statement_hash, old_root, new_root) values ($1, $2, $3)
on conflict do nothing;

-- name: list_successions
select statements.compact from successions
inner join statements on successions.statement_hash = statements.statement_hash
order by statements.received_at, statements.statement_hash;
