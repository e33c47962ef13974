-- The review queue of each mediator, as rows that lie in its order: a page costs the same however many
-- messages there are, and however few of them are this mediator's. Kept by triggers, so it cannot drift.

create table queue_entries (
    mediator_id uuid not null,
    state message_state not null,
    waiting_since timestamptz not null,
    message_id uuid not null references messages on delete cascade,
    primary key (mediator_id, state, waiting_since, message_id)
);

create index queue_entries_by_message on queue_entries (message_id);

comment on table queue_entries is 'What each mediator has to do; drafts and what has ended are not in it.';

create function is_in_queue(state message_state) returns boolean language sql immutable as $$
    select state in (
        'processing', 'failed', 'queued', 'claimed', 'held', 'returned', 'approved', 'offered', 'released'
    )
$$;

create function keep_queue_of_message() returns trigger language plpgsql as $$
begin
    -- A charter that changes the mediators at this moment is waited for, lest its mediators miss the message.
    perform 1 from cases where cases.case_id = new.case_id for no key update;
    delete from queue_entries where queue_entries.message_id = new.message_id;
    if is_in_queue(new.state) and new.waiting_since is not null then
        insert into queue_entries (mediator_id, state, waiting_since, message_id)
        select case_mediators.credential_id, new.state, new.waiting_since, new.message_id
        from case_mediators
        where case_mediators.case_id = new.case_id;
    end if;
    return null;
end
$$;

create trigger messages_keep_the_queue after update of state, waiting_since on messages
for each row when (
    old.state is distinct from new.state or old.waiting_since is distinct from new.waiting_since
)
execute function keep_queue_of_message();

create function keep_queue_of_mediator() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        delete from queue_entries
        using messages
        where queue_entries.mediator_id = old.credential_id
            and messages.message_id = queue_entries.message_id
            and messages.case_id = old.case_id;
    else
        insert into queue_entries (mediator_id, state, waiting_since, message_id)
        select new.credential_id, messages.state, messages.waiting_since, messages.message_id
        from messages
        where messages.case_id = new.case_id
            and is_in_queue(messages.state)
            and messages.waiting_since is not null;
    end if;
    return null;
end
$$;

create trigger mediators_keep_their_queue after insert or delete on case_mediators
for each row execute function keep_queue_of_mediator();
