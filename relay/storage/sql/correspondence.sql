-- name: list_sent
-- What a participant wrote, or those of it that are asked for ($3), as a list shows it: what came back first,
-- then the newest; after a place ($4 to $6), so many ($7) if not all. Without what came through a link that
-- somebody else used, or that ended before anybody verified its claim.
select
    messages.message_id as message,
    messages.recipient_id as "to",
    messages.kind,
    messages.language,
    messages.revision,
    messages.state,
    messages.tell_author,
    messages.author_view_since as view_since,
    messages.created_at,
    messages.failure,
    page.asks,
    working.stage,
    working.progress as fraction,
    messages.withdrawal_hash is not null as withdrawal_asked,
    is_voice(messages) as voice,
    exists(
        select 1 from decisions
        where
            decisions.message_id = messages.message_id
            and decisions.source_hash = messages.statement_hash
            and decisions.decision in ('return', 'decline')
    ) as has_guidance
from (
    select
        written.message_id,
        written.created_at,
        written.asks
    from (
        select
            one.message_id,
            one.created_at,
            one.writer_kid,
            one.state in ('returned', 'failed') and one.withdrawal_hash is null as asks
        from messages as one
        where
            one.sender_id = $1
            and ($2::text is null or one.writer_kid = $2)
            and ($3::uuid[] is null or one.message_id = any($3))
    ) as written
    where
        ($4::boolean is null or (written.asks, written.created_at, written.message_id) < ($4, $5, $6))
        and written.writer_kid <> all(array(
            select claims.kid from claims inner join links on claims.link_id = links.link_id
            where
                claims.participant_id = $1
                and (links.is_misused or (links.ended_at is not null and claims.verification_hash is null))
        ))
    order by written.asks desc, written.created_at desc, written.message_id desc
    limit $7
) as page
inner join messages on page.message_id = messages.message_id
left join lateral (
    select
        jobs.stage,
        jobs.progress
    from jobs
    where
        jobs.message_id = messages.message_id
        and jobs.state in ('waiting', 'running')
        and jobs.stage is not null
    order by jobs.created_at desc
    limit 1
) as working on messages.kind = 'video'
order by page.asks desc, page.created_at desc, page.message_id desc;

-- name: list_received
-- What was offered to a participant, or those of it that are asked for ($2): what waits for them first, then
-- what was offered last; after a place ($3 to $5), so many ($6) if not all. What a gate hides is among it.
select
    messages.message_id as message,
    messages.sender_id as "from",
    messages.kind,
    messages.language,
    messages.state,
    messages.offer_hash,
    page.asks,
    page.offered_at,
    is_voice(messages) as voice
from (
    select
        offered.message_id,
        offered.offered_at,
        offered.asks
    from (
        select
            one.message_id,
            offers.offered_at,
            one.state = 'offered' as asks
        from messages as one
        inner join offers on one.offer_hash = offers.statement_hash
        where
            one.recipient_id = $1
            and one.state in ('offered', 'released', 'viewed', 'refused', 'recalled', 'closed')
            and ($2::uuid[] is null or one.message_id = any($2))
    ) as offered
    where $3::boolean is null or (offered.asks, offered.offered_at, offered.message_id) < ($3, $4, $5)
    order by offered.asks desc, offered.offered_at desc, offered.message_id desc
    limit $6
) as page
inner join messages on page.message_id = messages.message_id
order by page.asks desc, page.offered_at desc, page.message_id desc;

-- name: list_statements
-- The texts of some statements.
select
    statement_hash,
    compact
from statements
where statement_hash = any($1::bytea[]);
