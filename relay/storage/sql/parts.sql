-- name: find_part
-- A part and what decides whether this caller may read it: $2 as a participant, $3 as a mediator. With $4,
-- only what a message holds that this key began.
select
    parts.size_bytes,
    parts.object_prefix,
    parts.role,
    messages.state,
    case
        when case_mediators.credential_id is not null then 'mediator'
        when messages.sender_id = $2 and ($4::text is null or messages.writer_kid = $4) then 'sender'
        when messages.recipient_id = $2 and $4::text is null then 'recipient'
        else 'stranger'
    end as reader,
    coalesce(
        parts.statement_hash = any(
            array[messages.statement_hash, messages.rendition_hash, messages.captions_hash]
        ),
        false
    ) as is_current,
    exists(
        select 1 from grants
        where
            grants.commitment = parts.commitment
            and grants.audience_id = $2
            and (
                (grants.audience = 'author' and messages.sender_id = $2)
                or (grants.audience = 'recipient' and messages.recipient_id = $2)
            )
    ) as has_grant
from parts
inner join messages on parts.message_id = messages.message_id
left join case_mediators
    on messages.case_id = case_mediators.case_id and case_mediators.credential_id = $3
where parts.commitment = $1;

-- name: read_body
-- A run of a part that is kept in its row; $2 counts from 1.
select substring(body from $2 for $3)
from parts
where commitment = $1;
