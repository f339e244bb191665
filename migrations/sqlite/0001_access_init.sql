-- Users, the roles they have, their sessions, and the tries to sign in.
create table users (
    user_id text not null primary key,
    name text not null unique,
    display_name text not null,
    password_hash text not null,
    disabled bigint not null default 0,
    created_at bigint not null,
    last_sign_in_at bigint
);
create table user_grants (
    grant_id text not null primary key,
    user_id text not null references users (user_id),
    role text not null,
    scope text not null,
    granted_at bigint not null,
    granted_by text not null,
    unique (user_id, role, scope)
);
create table web_sessions (
    session_key text not null primary key,
    data text not null,
    expires_at bigint not null,
    session_id text,
    user_id text,
    address text not null default '',
    user_agent text not null default '',
    signed_in_at bigint,
    last_seen_at bigint
);
create index web_sessions_user on web_sessions (user_id);
create index web_sessions_expiry on web_sessions (expires_at);
create table sign_in_failures (
    subject text not null primary key,
    failures bigint not null,
    first_at bigint not null,
    locked_until bigint not null
);
create table settings (
    name text not null primary key,
    value text not null
);
