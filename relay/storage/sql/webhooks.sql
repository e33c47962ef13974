-- name: register_receiver
-- One that is new gets what happens from now on.
insert into receivers (receiver, types, position)
select
    $1 as receiver,
    $2::text[] as types,
    coalesce(max(notification_id), 0) as position
from notifications
on conflict (receiver) do update set types = excluded.types;

-- name: enqueue_deliveries
select enqueue_deliveries($1);

-- name: claim_deliveries
-- Takes lines that are due, each with its next event, for $3 seconds: whoever claims them again then sends it
-- again. An event that was removed after its time leaves its line without one.
with due as (
    select
        receiver,
        line
    from receiver_lines
    where receiver = $1 and next_at <= now()
    order by next_at
    limit $2
    for update skip locked
)

update receiver_lines
set
    next_id = coalesce(following.notification_id, receiver_lines.next_id),
    attempts = receiver_lines.attempts + 1,
    first_at = coalesce(receiver_lines.first_at, now()),
    next_at = now() + make_interval(secs => $3),
    is_away = false
from due
inner join receiver_lines as known on due.receiver = known.receiver and due.line = known.line
inner join receivers on due.receiver = receivers.receiver
left join lateral (
    (
        select * from notifications
        where known.is_single and notifications.notification_id = known.next_id
    )
    union all
    (
        select * from notifications
        where
            not known.is_single
            and notifications.line = known.line
            and notifications.notification_id >= known.next_id
            and notifications.type = any(receivers.types)
        order by notifications.notification_id
        limit 1
    )
) as following on true
where receiver_lines.receiver = due.receiver and receiver_lines.line = due.line
returning
    receiver_lines.line,
    receiver_lines.next_id,
    receiver_lines.attempts,
    extract(epoch from now() - receiver_lines.first_at)::float8 as age_seconds,
    following.notification_id,
    following.type,
    following.at,
    following.case_id,
    following.participant_id,
    following.message_id,
    following.link_id,
    following.credential_id,
    following.log_seq,
    following.log_hash;

-- name: end_delivery
select end_delivery($1, $2, $3, $4, $5);

-- name: retry_delivery
-- It failed, and is tried again in $5 seconds.
with retried as (
    update receiver_lines
    set
        next_at = now() + make_interval(secs => $5),
        is_away = $7
    where receiver = $1 and line = $2 and next_id = $3 and attempts = $4
    returning receiver
)

update receivers
set failed_at = now(), failure = $6
from retried
where receivers.receiver = retried.receiver;

-- name: note_failure
update receivers
set failed_at = now(), failure = $2
where receiver = $1;

-- name: give_back_delivery
-- It was broken off here, which counts as no attempt.
update receiver_lines
set
    next_at = now(),
    attempts = attempts - 1
where receiver = $1 and line = $2 and next_id = $3 and attempts = $4;

-- name: list_receivers
select
    receivers.receiver,
    receivers.delivered_at,
    receivers.failed_at,
    receivers.failure,
    (
        select count(*) from receiver_lines
        where receiver_lines.receiver = receivers.receiver
    ) as lines_waiting,
    (
        select count(*) from receiver_lines
        where receiver_lines.receiver = receivers.receiver and receiver_lines.attempts > 1
    ) as lines_failing,
    (
        select min(notifications.stored_at) from receiver_lines
        inner join notifications on receiver_lines.next_id = notifications.notification_id
        where receiver_lines.receiver = receivers.receiver
    ) as oldest_waiting_at,
    (
        select count(*) from dead_letters
        where dead_letters.receiver = receivers.receiver
    ) as dead_letters
from receivers
order by receivers.receiver;

-- name: find_receiver
select exists (
    select 1 from receivers
    where receiver = $1
) as is_known;

-- name: list_dead_letters
select
    notifications.notification_id,
    notifications.type,
    notifications.at,
    notifications.case_id,
    notifications.participant_id,
    notifications.message_id,
    notifications.link_id,
    notifications.credential_id,
    notifications.log_seq,
    notifications.log_hash,
    dead_letters.attempts,
    dead_letters.failure,
    dead_letters.died_at
from dead_letters
inner join notifications on dead_letters.notification_id = notifications.notification_id
where dead_letters.receiver = $1 and dead_letters.notification_id > $2
order by dead_letters.notification_id
limit $3;

-- name: redeliver
-- Dead letters, each by itself, unless that is under way; those of $2, or all of them.
insert into receiver_lines (receiver, line, next_id, is_single, next_at)
select
    receiver,
    gen_random_uuid() as line,
    notification_id as next_id,
    true as is_single,
    now() as next_at
from dead_letters
where receiver = $1 and ($2::bigint[] is null or notification_id = any($2))
on conflict (receiver, next_id) where is_single do nothing
returning next_id;

-- name: forget_receiver
delete from receivers
where receiver = $1;
