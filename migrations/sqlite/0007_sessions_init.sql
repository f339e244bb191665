-- The portal's sessions on nodes, who was in them, and where their recordings stand. Times are epoch milliseconds.
create table sessions (
    session_id text not null primary key,
    connection_id text not null,
    ssm_session_id text not null,
    kind text not null,
    status text not null,
    is_over bigint not null,
    node_id text not null,
    node_name text not null,
    account text not null,
    region text not null,
    document text not null,
    os_user text not null,
    owner_id text,
    owner text not null,
    address text not null,
    reason text not null,
    is_production bigint not null,
    started_at bigint not null,
    ended_at bigint,
    ends_at bigint,
    active_at bigint not null,
    bytes_in bigint not null,
    bytes_out bigint not null,
    end_reason text,
    end_message text not null,
    ended_by text not null,
    recording text not null,
    recording_sha256 text not null,
    search text not null
);
create index sessions_by_time on sessions (started_at, session_id);
create index sessions_live on sessions (is_over, started_at);
create index sessions_by_node on sessions (node_id, started_at);
create index sessions_by_owner on sessions (owner_id, started_at);
create table session_participants (
    session_id text not null references sessions (session_id),
    participant_id text not null,
    user_id text,
    name text not null,
    role text not null,
    address text not null,
    joined_at bigint not null,
    left_at bigint,
    primary key (session_id, participant_id)
);
