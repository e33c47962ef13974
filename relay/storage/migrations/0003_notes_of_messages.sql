-- A message may carry a note for its mediators: who assisted its sender. Like an original, it is never its
-- recipient's: a release does not need a grant of it, and there can be none.

create or replace function guard_message_state() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'draft' then
            raise exception 'a message begins as a draft' using errcode = 'check_violation';
        end if;
        return new;
    end if;
    if (new.case_id, new.sender_id, new.recipient_id, new.kind)
        is distinct from (old.case_id, old.sender_id, old.recipient_id, old.kind) then
        raise exception 'a message stays between the same two' using errcode = 'check_violation';
    end if;
    if old.state in ('approved', 'offered', 'released', 'viewed')
        and (new.statement_hash, new.rendition_hash, new.captions_hash)
        is distinct from (old.statement_hash, old.rendition_hash, old.captions_hash) then
        raise exception 'these words are approved' using errcode = 'check_violation';
    end if;
    if new.state is distinct from old.state and not exists (
        select 1 from message_moves where source = old.state and target = new.state
    ) then
        raise exception 'no move from % to %', old.state, new.state using errcode = 'check_violation';
    end if;
    if new.state is distinct from old.state and new.state in ('approved', 'offered', 'released')
        and approvals_of(new) < (select approvals from cases where case_id = new.case_id) then
        raise exception 'not approved as the case asks' using errcode = 'check_violation';
    end if;
    if new.state is distinct from old.state and new.state in ('offered', 'released') then
        if exists (
            select 1 from participants
            where participant_id in (new.sender_id, new.recipient_id) and consent is distinct from 'active'
        ) then
            raise exception 'a consent is missing' using errcode = 'check_violation';
        end if;
        if not exists (
            select 1 from pairs
            where case_id = new.case_id and not no_contact
                and one = least(new.sender_id, new.recipient_id)
                and other = greatest(new.sender_id, new.recipient_id)
        ) then
            raise exception 'no contact between the two' using errcode = 'check_violation';
        end if;
        if exists (
            select 1 from parts
            where parts.message_id = new.message_id
                and parts.statement_hash in (new.statement_hash, new.rendition_hash, new.captions_hash)
                and parts.role not in ('original', 'note')
                and not exists (
                    select 1 from grants
                    where grants.commitment = parts.commitment
                        and grants.audience = 'recipient' and grants.audience_id = new.recipient_id
                )
        ) then
            raise exception 'a grant is missing' using errcode = 'check_violation';
        end if;
    end if;
    return new;
end
$$;

create or replace function guard_recipient_grant() returns trigger language plpgsql as $$
begin
    if not exists (
        select 1 from parts inner join messages on messages.message_id = parts.message_id
        where parts.commitment = new.commitment and parts.role <> 'original'
            and (parts.role <> 'note' or parts.statement_hash <> messages.statement_hash)
            and messages.state in ('approved', 'released', 'viewed')
            and messages.recipient_id = new.audience_id
    ) then
        raise exception 'no grant to a recipient before approval' using errcode = 'check_violation';
    end if;
    return new;
end
$$;
