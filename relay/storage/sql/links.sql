-- name: insert_link
insert into links (
    link_id, case_id, participant_id, purpose, statement_hash, auth_hash, signer, kid, sealed, expires_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict do nothing
returning true;

-- name: find_link
select
    link_id,
    case_id,
    participant_id,
    purpose,
    statement_hash,
    signer,
    kid,
    expires_at,
    revoked_at,
    message_id
from links
where link_id = $1;

-- name: find_holder
-- Whoever shows the bearer of a link that is neither revoked nor over.
select
    link_id,
    case_id,
    participant_id
from links
where link_id = $1 and auth_hash = $2 and revoked_at is null and (expires_at is null or expires_at > now());

-- name: revoke_link
update links set revoked_at = now()
where link_id = $1 and revoked_at is null returning true;

-- name: revoke_other_links
-- A new claim ends the way in of the lost one.
update links set revoked_at = now()
where participant_id = $1 and link_id <> $2 and purpose = 'participate' and revoked_at is null;

-- name: list_links
select
    links.link_id as link,
    links.participant_id as participant,
    links.purpose,
    link_statement.compact as statement,
    links.sealed,
    links.expires_at,
    links.created_at,
    claim_statement.compact as claim,
    verification_statement.compact as verification,
    links.revoked_at is not null as revoked,
    links.message_id is not null as spent
from links
inner join statements as link_statement on links.statement_hash = link_statement.statement_hash
left join claims on links.link_id = claims.link_id
left join statements as claim_statement on claims.statement_hash = claim_statement.statement_hash
left join statements as verification_statement
    on claims.verification_hash = verification_statement.statement_hash
where links.case_id = $1
order by links.created_at, links.link_id;

-- name: lock_link
select purpose from links
where link_id = $1 and revoked_at is null for update;

-- name: spend_link
-- An upload link carries one message.
update links set message_id = $2
where link_id = $1 and (message_id is null or message_id = $2) returning true;

-- name: unspend_link
-- A draft that was discarded leaves its link as new.
update links set message_id = null
where link_id = $1 and message_id = $2;

-- name: insert_claim
insert into claims (
    statement_hash, link_id, case_id, participant_id, kid, signer, recipient, keyring, proof_hash
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict do nothing
returning true;

-- name: find_claim_of_link
select
    claims.statement_hash,
    claims.case_id,
    claims.participant_id,
    claims.recipient,
    claims.signer,
    claims.verification_hash,
    statements.compact
from claims inner join statements on claims.statement_hash = statements.statement_hash
where claims.link_id = $1;

-- name: find_claim
select
    claims.statement_hash,
    claims.case_id,
    claims.participant_id,
    claims.recipient,
    claims.signer,
    claims.verification_hash,
    statements.compact
from claims inner join statements on claims.statement_hash = statements.statement_hash
where claims.statement_hash = $1;

-- name: current_claim
-- The newest claim of a participant whose link still holds: the key that a release is for.
select
    claims.statement_hash,
    claims.case_id,
    claims.participant_id,
    claims.recipient,
    claims.signer,
    claims.verification_hash,
    statements.compact
from claims
inner join statements on claims.statement_hash = statements.statement_hash
inner join links on claims.link_id = links.link_id
where claims.participant_id = $1 and links.revoked_at is null
order by claims.claimed_at desc
limit 1;

-- name: verify_claim
update claims set verification_hash = $2
where statement_hash = $1 and verification_hash is null returning true;

-- name: lock_keyring
-- The keyring of a link that still holds; whoever else tries a passphrase for it waits for this transaction.
select
    claims.keyring,
    claims.proof_hash,
    claims.wrong_proofs,
    greatest(0, ceil(extract(epoch from claims.closed_until - clock_timestamp())))::integer as wait_seconds
from claims
inner join links on claims.link_id = links.link_id
where claims.link_id = $1 and links.revoked_at is null
for no key update of claims;

-- name: count_wrong_proof
update claims set
    wrong_proofs = wrong_proofs + 1,
    closed_until = clock_timestamp() + make_interval(secs => $2)
where link_id = $1;

-- name: forget_wrong_proofs
update claims set wrong_proofs = 0, closed_until = null
where link_id = $1 and wrong_proofs > 0;
