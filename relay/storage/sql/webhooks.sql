-- name: register_receiver
-- One that is new gets what happens from now on.
insert into receivers (receiver, wanted, enqueued_id)
select
    $1 as receiver,
    $2::text[] as wanted,
    coalesce(max(notification_id), 0) as enqueued_id
from notifications
on conflict (receiver) do update set wanted = excluded.wanted;

-- name: enqueue_deliveries
select enqueue_deliveries($1);

-- name: claim_deliveries
-- Takes lines that are due, each with its next event, for $3 seconds: whoever claims them again then sends it
-- again. An event that was removed after its time leaves its line without one.
with due as (
    select
        receiver,
        line_id,
        next_on_line(receiver_lines) as notification_id
    from receiver_lines
    where receiver = $1 and next_at <= now()
    order by next_at
    limit $2
    for update skip locked
)

update receiver_lines
set
    next_id = coalesce(due.notification_id, receiver_lines.next_id),
    attempts = receiver_lines.attempts + 1,
    first_at = coalesce(receiver_lines.first_at, now()),
    next_at = now() + make_interval(secs => $3),
    is_away = false
from due
left join notifications on due.notification_id = notifications.notification_id
where receiver_lines.receiver = due.receiver and receiver_lines.line_id = due.line_id
returning
    receiver_lines.line_id,
    receiver_lines.next_id,
    receiver_lines.attempts,
    extract(epoch from now() - receiver_lines.first_at)::float8 as age_seconds,
    notifications.notification_id,
    notifications.type,
    notifications.at,
    notifications.case_id,
    notifications.participant_id,
    notifications.message_id,
    notifications.link_id,
    notifications.credential_id,
    notifications.log_seq,
    notifications.log_hash;

-- name: end_delivery
select end_delivery($1, $2, $3, $4, $5);

-- name: retry_delivery
select retry_delivery($1, $2, $3, $4, $5, $6, $7);

-- name: give_back_delivery
-- It was broken off here, which counts as no attempt.
update receiver_lines
set
    next_at = now(),
    attempts = attempts - 1
where receiver = $1 and line_id = $2 and next_id = $3 and attempts = $4;

-- name: list_receivers
-- How far each is. What there is many of is counted up to $1.
select
    receivers.receiver,
    receivers.delivered_at,
    receivers.failed_at,
    receivers.failure,
    (
        select count(*) from (
            select 1 from receiver_lines
            where receiver_lines.receiver = receivers.receiver
            order by receiver_lines.line_id
            limit $1
        ) as some_lines
    ) as lines_waiting,
    (
        select count(*) from (
            select 1 from receiver_lines
            where receiver_lines.receiver = receivers.receiver and receiver_lines.attempts > 1
            order by receiver_lines.line_id
            limit $1
        ) as some_lines
    ) as lines_failing,
    (
        select notifications.stored_at from notifications
        where
            notifications.notification_id = (
                select min(receiver_lines.next_id) from receiver_lines
                where receiver_lines.receiver = receivers.receiver
            )
    ) as oldest_waiting_at,
    (
        select count(*) from (
            select 1 from dead_letters
            where dead_letters.receiver = receivers.receiver
            order by dead_letters.notification_id
            limit $1
        ) as some_letters
    ) as dead_letters
from receivers
order by receivers.receiver;

-- name: find_receiver
select receiver from receivers
where receiver = $1;

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
insert into receiver_lines (receiver, line_id, next_id, is_single, next_at)
select
    receiver,
    gen_random_uuid() as line_id,
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
