-- name: has_news
-- Whether something of the log was not told yet, or is due by now.
select
    exists (select 1 from outbox)
    or exists (
        select 1 from due_notifications
        where due_at <= now()
    ) as has_news;

-- name: lock_notifications
-- One writer at a time: what is stored later has a higher number, and is seen later.
select pg_advisory_xact_lock(hashtextextended('notifications', 0));

-- name: list_outbox
-- The oldest rows of the log that were not told yet, with what is needed to tell of them.
select
    events.event_id,
    events.case_id,
    events.seq,
    events.at,
    events.kind,
    events.actor,
    events.message_id,
    events.statement_hash,
    events.hash,
    messages.sender_id,
    messages.recipient_id,
    statements.compact as statement
from outbox
inner join events on outbox.event_id = events.event_id
left join messages on events.message_id = messages.message_id
left join statements on events.statement_hash = statements.statement_hash
order by outbox.event_id
limit $1;

-- name: delete_outbox
delete from outbox
where event_id = any($1::bigint[]);

-- name: insert_due
insert into due_notifications (
    due_at, type, case_id, participant_id, message_id, link_id, credential_id, offer_hash
)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: take_due
-- What is due by now and still so: an offer that its recipient can see, a link that nobody took, a credential
-- that is in force and is the newest of its person.
with due as (
    delete from due_notifications
    where
        due_id in (
            select due_id from due_notifications
            where due_at <= now()
            order by due_at, due_id
            limit $1
        )
    returning due_notifications.*
)

select
    due.due_at,
    due.type,
    due.case_id,
    due.participant_id,
    due.message_id,
    due.link_id,
    due.credential_id,
    cases.event_seq as log_seq,
    cases.event_hash as log_hash
from due
left join cases on due.case_id = cases.case_id
left join messages on due.message_id = messages.message_id
left join links on due.link_id = links.link_id
left join claims on due.link_id = claims.link_id
left join credentials on due.credential_id = credentials.credential_id
where
    (
        due.message_id is null
        or (
            messages.offer_hash = due.offer_hash
            and messages.state = 'offered'
            and not is_closed(messages.case_id)
            and not exists (
                select 1 from participants
                where
                    participants.participant_id in (messages.sender_id, messages.recipient_id)
                    and not consents(participants)
            )
            and exists (
                select 1 from pairs
                where
                    pairs.case_id = messages.case_id
                    and not pairs.no_contact
                    and pairs.one = least(messages.sender_id, messages.recipient_id)
                    and pairs.other = greatest(messages.sender_id, messages.recipient_id)
            )
        )
    )
    and (
        due.link_id is null
        or (claims.link_id is null and links.ended_at is null and links.message_id is null)
    )
    and (
        due.type <> 'credential.expiring'
        or (
            credentials.revocation_hash is null
            and not exists (
                select 1 from credentials as newer
                where newer.person_id = credentials.person_id and newer.not_after > credentials.not_after
            )
        )
    )
order by due.due_at, due.due_id;

-- name: insert_notifications
-- In the order given, numbered from the newest on.
insert into notifications (
    notification_id, type, at, case_id, participant_id, message_id, link_id, credential_id, log_seq, log_hash
)
select
    (select coalesce(max(notification_id), 0) from notifications) + given.place as notification_id,
    given.type,
    given.at,
    given.case_id,
    given.participant_id,
    given.message_id,
    given.link_id,
    given.credential_id,
    given.log_seq,
    given.log_hash
from
    unnest(
        $1::text[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[],
        $8::bigint[], $9::bytea[]
    ) with ordinality as given (
        type, at, case_id, participant_id, message_id, link_id, credential_id, log_seq, log_hash, place
    );

-- name: list_notifications
select
    notification_id,
    type,
    at,
    case_id,
    participant_id,
    message_id,
    link_id,
    credential_id,
    log_seq,
    log_hash
from notifications
where notification_id > $1
order by notification_id
limit $2;

-- name: find_ends
-- The numbers of the oldest and the newest event that are stored; null where there is none.
select
    min(notification_id) as oldest,
    max(notification_id) as newest
from notifications;

-- name: delete_untold
-- What nobody asked for in its time: where there is no case system that asks.
delete from outbox
where event_id in (
    select event_id from outbox
    where noted_at < now() - make_interval(secs => $1)
    order by event_id
    limit $2
);

-- name: delete_old
-- Events whose time is over; the newest one stays, so that numbers go on from it.
delete from notifications
where
    notification_id in (
        select notification_id from notifications
        where stored_at < now() - make_interval(secs => $1)
        order by notification_id
        limit $2
    )
    and notification_id < (select max(notification_id) from notifications);
