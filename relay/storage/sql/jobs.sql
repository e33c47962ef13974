-- name: find_message_of_job
select message_id
from jobs
where job_id = $1;

-- name: lock_job
-- A job, held until the transaction ends; whoever locks it has locked its message before.
select
    job_id,
    message_id,
    revision,
    state,
    attempts,
    lease_token,
    traceparent,
    extract(epoch from clock_timestamp() - created_at)::float8 as age_seconds,
    case state
        when 'waiting' then not_before <= clock_timestamp()
        when 'running' then lease_expires_at < clock_timestamp()
        else false
    end as is_available
from jobs
where job_id = $1
for update;

-- name: is_for_worker
-- Whether this worker is one that the case's charter has now, and was given the original of this revision.
select exists(
    select 1
    from messages
    inner join cases on messages.case_id = cases.case_id
    inner join charters on cases.case_id = charters.case_id and cases.charter_version = charters.version
    inner join parts on messages.statement_hash = parts.statement_hash and parts.role = 'original'
    inner join grants on parts.commitment = grants.commitment
    where
        messages.message_id = $1
        and cases.server_processing
        and $2 = any(charters.media)
        and grants.audience = 'media'
        and grants.audience_id = $2
);

-- name: lease_job
-- waiting, or running with a lease that ran out → running.
update jobs
set
    state = 'running',
    attempts = attempts + 1,
    lease_token = $2,
    lease_expires_at = clock_timestamp() + make_interval(secs => $3),
    leased_at = clock_timestamp(),
    stage = $4,
    progress = 0
where job_id = $1
returning attempts;

-- name: is_sender_busy
-- Whether another video of the same person is being prepared; the case is locked.
select exists(
    select 1
    from jobs
    inner join jobs as rivals on jobs.sender_id = rivals.sender_id and jobs.job_id <> rivals.job_id
    where
        jobs.job_id = $1
        and rivals.state = 'running'
        and rivals.lease_expires_at > clock_timestamp()
);

-- name: list_next
-- Jobs that may be leased now, by any of these workers, of people of whom none is being prepared: first of
-- the case that was served longest ago, then of the person; of one person the smallest video first.
select jobs.job_id
from jobs
inner join messages on jobs.message_id = messages.message_id
inner join cases on jobs.case_id = cases.case_id
inner join charters on cases.case_id = charters.case_id and cases.charter_version = charters.version
inner join parts on messages.statement_hash = parts.statement_hash and parts.role = 'original'
where
    jobs.state in ('waiting', 'running')
    and coalesce(jobs.lease_expires_at, jobs.not_before) < now()
    and cases.server_processing
    and exists (
        select 1
        from grants
        where
            grants.commitment = parts.commitment
            and grants.audience = 'media'
            and grants.audience_id = any($1::uuid[])
            and grants.audience_id = any(charters.media)
    )
    and not exists (
        select 1
        from jobs as rivals
        where
            rivals.sender_id = jobs.sender_id
            and rivals.job_id <> jobs.job_id
            and rivals.state = 'running'
            and rivals.lease_expires_at >= now()
    )
order by
    (
        select max(rivals.leased_at)
        from jobs as rivals
        where rivals.case_id = jobs.case_id
    ) nulls first,
    (
        select max(rivals.leased_at)
        from jobs as rivals
        where rivals.sender_id = jobs.sender_id
    ) nulls first,
    parts.size_bytes,
    jobs.created_at,
    jobs.job_id
limit $2;

-- name: renew_job
-- Still running under this lease: let it run for longer, and say how far the work is.
update jobs
set
    lease_expires_at = clock_timestamp() + make_interval(secs => $3),
    stage = $4,
    progress = $5
where job_id = $1 and lease_token = $2
returning true;

-- name: give_back_job
-- running → waiting, for whoever takes it after a while.
update jobs
set
    state = 'waiting',
    attempts = attempts - case when $5 then 0 else 1 end,
    lease_token = null,
    lease_expires_at = null,
    stage = null,
    progress = null,
    not_before = clock_timestamp() + make_interval(secs => $3),
    error = $4
where job_id = $1 and lease_token = $2
returning true;

-- name: end_job
-- waiting or running → done, failed, cancelled.
update jobs
set
    state = $2,
    lease_token = null,
    lease_expires_at = null,
    error = $3
where job_id = $1;

-- name: list_available
-- Jobs that nobody works on though their time has come: the one whose time came first.
select job_id
from jobs
where state in ('waiting', 'running') and coalesce(lease_expires_at, not_before) < now()
order by coalesce(lease_expires_at, not_before)
limit $1;

-- name: list_stranded
-- Of the jobs whose time has come those that no worker can do: none of those who were given the video may
-- work on the case now. All of them, or only $2.
select jobs.job_id
from jobs
inner join messages on jobs.message_id = messages.message_id
inner join cases on messages.case_id = cases.case_id
inner join charters on cases.case_id = charters.case_id and cases.charter_version = charters.version
where
    jobs.state in ('waiting', 'running')
    and coalesce(jobs.lease_expires_at, jobs.not_before) < now()
    and ($2::uuid is null or jobs.job_id = $2)
    and not exists (
        select 1
        from parts
        inner join grants on parts.commitment = grants.commitment and grants.audience = 'media'
        inner join credentials on grants.audience_id = credentials.credential_id
        where
            parts.statement_hash = messages.statement_hash
            and parts.role = 'original'
            and cases.server_processing
            and credentials.credential_id = any(charters.media)
            and credentials.revocation_hash is null
            and credentials.not_after > now()
    )
order by coalesce(jobs.lease_expires_at, jobs.not_before)
limit $1;

-- name: find_original
-- The original of a revision as it lies in the bucket, with one worker's grant.
select
    parts.commitment,
    parts.size_bytes,
    parts.object_prefix,
    grants.header,
    statements.compact
from parts
inner join statements on parts.statement_hash = statements.statement_hash
inner join grants on parts.commitment = grants.commitment
where
    parts.statement_hash = $1
    and parts.role = 'original'
    and parts.object_prefix is not null
    and grants.audience = 'media'
    and grants.audience_id = $2;

-- name: keep_notes
-- What is being written is not left behind yet. A note that a sweep may be acting on is not renewed.
update orphans
set noted_at = clock_timestamp()
where object_prefix = any($1::text[]) and noted_at > clock_timestamp() - make_interval(secs => $2)
returning object_prefix;

-- name: take_notes
-- What was written belongs to a message now, unless a sweep may be removing it.
delete from orphans
where object_prefix = any($1::text[]) and noted_at > clock_timestamp() - make_interval(secs => $2)
returning object_prefix;
