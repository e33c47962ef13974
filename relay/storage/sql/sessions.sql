-- name: insert_challenge
-- A challenge is kept by its hash and answered once.
insert into challenges (challenge_hash, expires_at) values ($1, now() + make_interval(secs => $2));

-- name: take_challenge
-- Removing it is what makes it single-use.
delete from challenges
where challenge_hash = $1 and expires_at > now() returning true;

-- name: find_signer
-- Who signs with this key now: a mediator in good standing, or a participant whose link has not ended.
select
    'mediator' as role,
    credential_id as subject_id,
    null::uuid as case_id,
    signer
from credentials
where kid = $1 and role = 'mediator' and revocation_hash is null and now() between not_before and not_after
union all
select
    'participant' as role,
    claims.participant_id as subject_id,
    claims.case_id,
    claims.signer
from claims inner join links on claims.link_id = links.link_id
where claims.kid = $1 and links.ended_at is null;

-- name: insert_session
insert into sessions (token_hash, role, subject_id, case_id, kid, signer, link_id, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8))
returning expires_at;

-- name: find_session
-- A session ends with its time, with the credential of a mediator, or with the link it came from.
select
    sessions.role,
    sessions.subject_id,
    sessions.case_id,
    sessions.kid,
    sessions.signer,
    sessions.link_id,
    sessions.role <> 'participant' or claims.verification_hash is not null as is_verified
from sessions
left join credentials
    on sessions.role = 'mediator' and sessions.subject_id = credentials.credential_id
left join claims on sessions.role = 'participant' and sessions.kid = claims.kid
left join links on links.link_id = coalesce(sessions.link_id, claims.link_id)
where
    sessions.token_hash = $1
    and sessions.expires_at > now()
    and (
        sessions.role <> 'mediator'
        or (
            credentials.revocation_hash is null
            and now() between credentials.not_before and credentials.not_after
        )
    )
    and (sessions.role = 'mediator' or links.ended_at is null);

-- name: delete_session
delete from sessions
where token_hash = $1;

-- name: delete_expired_sessions
delete from sessions
where expires_at < now();

-- name: delete_expired_challenges
delete from challenges
where expires_at < now();
