-- Maintenance windows as the portal knows them: what the list says of each, how many targets and tasks it has, and how it
-- went the last time. Times are epoch milliseconds.
create table maintenance_windows (
    connection_id text not null,
    window_id text collate "C" not null,
    name text not null,
    -- The name in small letters: the order of the list.
    name_key text collate "C" not null,
    description text not null,
    enabled bigint not null,
    schedule text not null,
    time_zone text not null,
    duration_hours bigint not null,
    cutoff_hours bigint not null,
    next_at bigint,
    -- Null until they were looked up.
    targets bigint,
    tasks bigint,
    last_id text not null default '',
    last_status text not null default '',
    last_details text not null default '',
    last_at bigint,
    last_ended_at bigint,
    -- When targets, tasks and executions were last looked up; 0 wants that to be done.
    looked_at bigint not null default 0,
    -- Until when a change that the portal makes keeps others from making one.
    claimed_until bigint not null default 0,
    synced_at bigint not null,
    primary key (connection_id, window_id)
);
create index maintenance_windows_by_name on maintenance_windows (connection_id, name_key, window_id);
create index maintenance_windows_by_look on maintenance_windows (connection_id, looked_at);
-- When all windows of a connection were last copied.
create table maintenance_window_copies (
    connection_id text not null primary key,
    copied_at bigint not null
);
