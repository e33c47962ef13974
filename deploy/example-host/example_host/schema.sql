-- All that the case system keeps. relay has none of it: no name, no address, nobody's password.

create table if not exists staff (
    staff uuid primary key,
    login text not null unique,
    name text not null,
    role text not null check (role in ('clerk', 'mediator')),
    password text not null, -- Argon2id, with its parameters and salt
    failures int not null default 0,
    failed_at timestamptz,
    credential uuid unique, -- by which relay knows a mediator
    email text not null,
    language text not null check (language in ('en', 'fr')),
    waiting_since timestamptz, -- something waits, and nobody was written to about it
    mailed_at timestamptz,
    visited_at timestamptz,
    check ((role = 'mediator') = (credential is not null))
);

create table if not exists session (
    token_hash bytea primary key, -- a copy of the database opens no session
    staff uuid not null references staff on delete cascade,
    began_at timestamptz not null default now(),
    used_at timestamptz not null default now()
);

create table if not exists case_file (
    case_id uuid primary key,
    reference text not null unique,
    made_at timestamptz not null default now(),
    view jsonb, -- the case as relay had it last; null until it is registered
    etag text not null default '',
    seen_at timestamptz,
    stale boolean not null default true, -- to be registered, or to be read again
    refused text not null default '' -- why relay refused to register it
);
create index if not exists case_file_stale on case_file (case_id) where stale;

create table if not exists person (
    person uuid primary key, -- the participant, as relay knows them
    case_id uuid not null references case_file on delete cascade,
    role text not null check (role in ('harmed', 'responsible')),
    name text not null,
    email text not null, -- empty: nobody may write
    language text not null check (language in ('en', 'fr')),
    waiting_since timestamptz,
    mailed_at timestamptz,
    visited_at timestamptz,
    unique (case_id, role)
);

create table if not exists assignment (
    case_id uuid references case_file on delete cascade,
    staff uuid references staff on delete cascade,
    primary key (case_id, staff)
);
create index if not exists assignment_staff on assignment (staff);

create table if not exists link (
    link uuid primary key,
    person uuid not null references person on delete cascade,
    way text not null check (way in ('letter', 'email')),
    address text, -- whoever reads it can go in: it is removed once it was given
    made_at timestamptz not null default now(),
    given_at timestamptz,
    claimed_at timestamptz,
    tried_again_at timestamptz, -- somebody used it a second time
    check ((address is null) = (given_at is not null))
);
create index if not exists link_person on link (person);

create table if not exists event (
    number bigint not null,
    fingerprint bytea not null, -- a relay that was restored from a copy may give a number again
    type text not null,
    at timestamptz not null,
    case_id uuid,
    person uuid,
    received_at timestamptz not null default now(),
    primary key (number, fingerprint)
);
create index if not exists event_case on event (case_id, number);

create table if not exists webhook (
    webhook_id text primary key,
    received_at timestamptz not null default now()
);

create table if not exists progress (
    only_one boolean primary key default true check (only_one),
    next bigint not null default 0 -- what to ask relay for next
);
insert into progress default values on conflict do nothing;
