-- Tokens with which programs act as a user. Only a hash is kept. Times are epoch milliseconds.
create table api_tokens (
    token_id text not null primary key,
    user_id text not null references users (user_id),
    name text not null,
    token_hash text not null unique,
    created_at bigint not null,
    expires_at bigint not null,
    last_used_at bigint,
    revoked_at bigint
);
create index api_tokens_by_user on api_tokens (user_id, created_at);
