-- name: insert_link
insert into links (
    link_id,
    case_id,
    participant_id,
    purpose,
    statement_hash,
    auth_hash,
    signer,
    kid,
    sealed,
    again,
    made_by,
    expires_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
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
    ended_at,
    message_id
from links
where link_id = $1;

-- name: find_holder
-- Whoever shows the bearer of a link that has neither ended nor expired.
select
    link_id,
    case_id,
    participant_id
from links
where link_id = $1 and auth_hash = $2 and ended_at is null and (expires_at is null or expires_at > now());

-- name: end_link
-- Once ended, a link can still be said to have been misused.
update links
set ended_at = coalesce(ended_at, now()), is_misused = is_misused or $2, again = null
where link_id = $1 and (ended_at is null or ($2 and not is_misused))
returning true;

-- name: insert_link_ending
insert into link_endings (statement_hash, link_id) values ($1, $2)
on conflict do nothing;

-- name: list_earlier_links
-- The other ways in of a participant that somebody claimed and that have not ended.
select links.link_id from links
inner join claims on links.link_id = claims.link_id
where claims.participant_id = $1 and links.link_id <> $2 and links.ended_at is null
order by links.link_id;

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
    coalesce((
        select array_agg(statements.compact order by statements.received_at, statements.statement_hash)
        from link_endings inner join statements on link_endings.statement_hash = statements.statement_hash
        where link_endings.link_id = links.link_id
    ), '{}') as endings,
    case when links.made_by = $2 then links.again end as again,
    links.ended_at is not null as ended,
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
where link_id = $1 and ended_at is null for update;

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

-- name: forget_secret
-- A claimed link is shown to nobody again.
update links set again = null
where link_id = $1;

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
-- The newest verified claim of a participant whose link has not ended: the key that a release is for.
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
where claims.participant_id = $1 and links.ended_at is null and claims.verification_hash is not null
order by claims.claimed_at desc
limit 1;

-- name: lock_claim
-- The claim with its link, neither of which anybody else changes until this transaction ends.
select
    claims.link_id,
    links.ended_at is not null as ended
from claims inner join links on claims.link_id = links.link_id
where claims.statement_hash = $1
for no key update;

-- name: verify_claim
update claims set verification_hash = $2
where statement_hash = $1 and verification_hash is null returning true;

-- name: list_way_in
-- The statements of a claimed link: the link, the claim, its verification and the endings.
select statements.compact
from claims
inner join links on claims.link_id = links.link_id
cross join
    lateral (
        values (links.statement_hash), (claims.statement_hash), (claims.verification_hash)
        union
        select link_endings.statement_hash from link_endings
        where link_endings.link_id = links.link_id
    ) as named (statement_hash)
inner join statements on named.statement_hash = statements.statement_hash
where claims.statement_hash = $1
order by statements.received_at, statements.statement_hash;

-- name: find_wait
-- Seconds until the next try for the keyring of a link is looked at; no row for a link without one.
select greatest(0, ceil(extract(epoch from closed_until - clock_timestamp())))::integer from claims
where link_id = $1;

-- name: lock_keyring
-- The keyring of a link that still holds; whoever else tries a passphrase for it waits for this transaction.
select
    claims.keyring,
    claims.proof_hash,
    claims.wrong_proofs,
    greatest(0, ceil(extract(epoch from claims.closed_until - clock_timestamp())))::integer as wait_seconds
from claims
inner join links on claims.link_id = links.link_id
where claims.link_id = $1 and links.ended_at is null
for no key update of claims;

-- name: count_wrong_proof
update claims set
    wrong_proofs = wrong_proofs + 1,
    closed_until = clock_timestamp() + make_interval(secs => $2)
where link_id = $1;

-- name: forget_wrong_proofs
update claims set wrong_proofs = 0, closed_until = null
where link_id = $1 and wrong_proofs > 0;
