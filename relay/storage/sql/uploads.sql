-- name: lock_target
-- The message of a sender, held so that its open uploads are counted one creation at a time.
select
    messages.kind,
    messages.state,
    messages.revision,
    is_closed(messages.case_id) as is_closed
from messages
where
    messages.message_id = $1
    and messages.sender_id = $2
    and ($4::text is null or messages.writer_kid = $4)
    and (
        $3::uuid is null
        or exists (
            select 1 from links
            where links.link_id = $3 and links.message_id = messages.message_id
        )
    )
for no key update;

-- name: list_open
-- The open uploads of a message; whole ones last, then those that moved most recently.
select upload_id
from uploads
where message_id = $1 and submitted_at is null
order by offset_bytes = size_bytes, expires_at, upload_id;

-- name: lock_sums
-- Until the transaction ends nobody else begins an upload in this case. A statement of its own: the next one
-- has to see what those before have begun.
select pg_advisory_xact_lock(hashtextextended($1::text, 0));

-- name: sum_up
-- What the videos of a participant ($1) and of their case ($2) take up; those that are open, as announced.
select
    count(*) filter (where messages.sender_id = $1 and uploads.submitted_at is null) as open_uploads,
    coalesce(
        sum(uploads.size_bytes) filter (where messages.sender_id = $1), 0
    )::bigint as person_bytes,
    coalesce(sum(uploads.size_bytes), 0)::bigint as case_bytes
from messages
inner join uploads on messages.message_id = uploads.message_id
where messages.case_id = $2;

-- name: insert_upload
insert into uploads (upload_id, message_id, revision, size_bytes, expires_at)
values ($1, $2, $3, $4, $5);

-- name: find_upload
-- An upload of this sender; for the holder of an upload link only that of the link's own message.
select
    uploads.upload_id,
    uploads.message_id,
    uploads.revision,
    uploads.size_bytes,
    uploads.offset_bytes,
    uploads.writer,
    uploads.expires_at,
    uploads.submitted_at,
    (messages.state = 'draft' and messages.revision = uploads.revision) as is_expected
from uploads
inner join messages on uploads.message_id = messages.message_id
where
    uploads.upload_id = $1
    and messages.sender_id = $2
    and ($4::text is null or messages.writer_kid = $4)
    and (
        $3::uuid is null
        or exists (
            select 1 from links
            where links.link_id = $3 and links.message_id = messages.message_id
        )
    );

-- name: take_over
-- From here on every write of an earlier connection is refused.
update uploads
set writer = writer + 1
where upload_id = $1
returning true;

-- name: list_pieces
select
    start_bytes,
    size_bytes
from upload_pieces
where upload_id = $1
order by start_bytes;

-- name: finish_segment
-- A whole segment stands in the store: count it, keep its digest, forget its pieces. All or nothing.
with advanced as (
    update uploads
    set offset_bytes = $4, expires_at = $7
    from messages
    where
        uploads.upload_id = $1
        and uploads.writer = $2
        and uploads.offset_bytes = $3
        and messages.message_id = uploads.message_id
        and messages.state = 'draft'
        and messages.revision = uploads.revision
    returning uploads.upload_id
),

joined as (
    delete from upload_pieces
    using advanced
    where upload_pieces.upload_id = advanced.upload_id
)

insert into upload_segments (upload_id, segment, digest)
select
    upload_id,
    $5 as segment,
    $6 as digest
from advanced
returning true;

-- name: keep_piece
-- The tail of a connection stands in the store, with the pieces it was joined with from $5 on.
with advanced as (
    update uploads
    set offset_bytes = $4, expires_at = $6
    from messages
    where
        uploads.upload_id = $1
        and uploads.writer = $2
        and uploads.offset_bytes = $3
        and messages.message_id = uploads.message_id
        and messages.state = 'draft'
        and messages.revision = uploads.revision
    returning uploads.upload_id
),

joined as (
    delete from upload_pieces
    using advanced
    where
        upload_pieces.upload_id = advanced.upload_id
        and upload_pieces.start_bytes > $5
)

insert into upload_pieces (upload_id, start_bytes, size_bytes)
select
    upload_id,
    $5 as start_bytes,
    $4 - $5 as size_bytes
from advanced
on conflict (upload_id, start_bytes) do update set size_bytes = excluded.size_bytes
returning true;

-- name: list_finished
-- Held, so that the sweep does not take away what is about to be submitted.
select
    upload_id,
    size_bytes
from uploads
where
    message_id = $1
    and revision = $2
    and offset_bytes = size_bytes
    and submitted_at is null
order by expires_at desc, upload_id desc
for update;

-- name: list_digests
select digest
from upload_segments
where upload_id = $1
order by segment;

-- name: mark_submitted
update uploads
set submitted_at = now()
where upload_id = $1 and submitted_at is null and offset_bytes = size_bytes
returning message_id;

-- name: delete_upload
-- What was submitted belongs to a message and stays.
delete from uploads
where upload_id = $1 and submitted_at is null
returning upload_id;

-- name: delete_open
delete from uploads
where message_id = $1 and submitted_at is null
returning upload_id;

-- name: delete_expired
delete from uploads
where expires_at <= $1 and submitted_at is null
returning upload_id;

-- name: list_untidy
-- What was submitted early enough that no write of any of its connections can still land.
select upload_id
from uploads
where submitted_at < $1 and not is_tidy
order by submitted_at, upload_id
limit $2;

-- name: mark_tidy
update uploads
set is_tidy = true
where upload_id = $1;
